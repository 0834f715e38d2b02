package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Invitation is a row of invitations. The token itself is not stored, only its
// hash.
type Invitation struct {
	ID         string
	Email      string
	Role       hub.Role
	Groups     []string
	Hash       string // hex SHA-256 of the token
	Actor      string // who invites
	CreatedAt  time.Time
	SentAt     time.Time // when the token was last made
	ExpiresAt  time.Time
	AcceptedAt *time.Time
	RevokedAt  *time.Time
}

const invitationColumns = "id, email, role, groups_json, hash, actor, created_at, sent_at, expires_at, accepted_at, revoked_at FROM invitations"

func scanInvitation(scan func(...any) error, n *Invitation) error {
	var created, sent, expires int64
	var accepted, revoked sql.NullInt64
	var groups string
	if err := scan(&n.ID, &n.Email, &n.Role, &groups, &n.Hash, &n.Actor, &created, &sent, &expires, &accepted, &revoked); err != nil {
		return err
	}
	n.CreatedAt, n.SentAt, n.ExpiresAt = time.UnixMilli(created).UTC(), time.UnixMilli(sent).UTC(), time.UnixMilli(expires).UTC()
	n.AcceptedAt, n.RevokedAt = nullMillis(accepted), nullMillis(revoked)
	if err := json.Unmarshal([]byte(groups), &n.Groups); err != nil {
		return fmt.Errorf("groups of invitation %s: %w", n.ID, err)
	}
	return nil
}

// Invite stores an invitation, in the place of an open one to the same address.
// ErrConflict: there is a user with this address.
func (s *Store) Invite(ctx context.Context, n Invitation) (Invitation, error) {
	n.ID, n.CreatedAt = s.NewID(), s.now().UTC()
	n.SentAt = n.CreatedAt
	if n.Groups == nil {
		n.Groups = []string{}
	}
	groups, err := json.Marshal(n.Groups)
	if err != nil {
		return n, err
	}
	at := n.CreatedAt.UnixMilli()
	return n, s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		var taken int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM users WHERE email = ?", n.Email).Scan(&taken); err != nil {
			return err
		}
		if taken > 0 {
			return ErrConflict
		}
		u := &Unit{}
		u.Add("UPDATE invitations SET revoked_at = ?2 WHERE email = ?1 AND accepted_at IS NULL AND revoked_at IS NULL", n.Email, at)
		u.Add("INSERT INTO invitations (id, email, role, groups_json, hash, actor, created_at, sent_at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, ?8)",
			n.ID, n.Email, string(n.Role), string(groups), n.Hash, n.Actor, at, n.ExpiresAt.UnixMilli())
		return tx.run(ctx, u)
	})
}

// RenewInvitation gives an open invitation another token and expiry. ErrNotFound:
// there is no open one with that id.
func (s *Store) RenewInvitation(ctx context.Context, id, hash string, expires time.Time) error {
	return s.Exec(ctx, "UPDATE invitations SET hash = ?2, sent_at = ?3, expires_at = ?4 WHERE id = ?1 AND accepted_at IS NULL AND revoked_at IS NULL",
		id, hash, s.millis(), expires.UnixMilli())
}

// RevokeInvitation ends an open invitation. ErrNotFound: there is no open one
// with that id.
func (s *Store) RevokeInvitation(ctx context.Context, id string) error {
	return s.Exec(ctx, "UPDATE invitations SET revoked_at = ?2 WHERE id = ?1 AND accepted_at IS NULL AND revoked_at IS NULL", id, s.millis())
}

// InvitationByID finds an invitation, whatever became of it.
func (s *Store) InvitationByID(ctx context.Context, id string) (Invitation, error) {
	return s.oneInvitation(ctx, "SELECT "+invitationColumns+" WHERE id = ?1", id)
}

// InvitationByHash finds an invitation that can be accepted now.
func (s *Store) InvitationByHash(ctx context.Context, hash string) (Invitation, error) {
	return s.oneInvitation(ctx, "SELECT "+invitationColumns+" WHERE hash = ?1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ?2", hash, s.millis())
}

// InvitationTo finds the invitation of an e-mail address that can be accepted
// now.
func (s *Store) InvitationTo(ctx context.Context, email string) (Invitation, error) {
	return s.oneInvitation(ctx, "SELECT "+invitationColumns+" WHERE email = ?1 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ?2", email, s.millis())
}

func (s *Store) oneInvitation(ctx context.Context, query string, args ...any) (Invitation, error) {
	var n Invitation
	err := scanInvitation(s.read.QueryRowContext(ctx, query, args...).Scan, &n)
	if errors.Is(err, sql.ErrNoRows) {
		return n, ErrNotFound
	}
	return n, err
}

// Invitations lists up to limit invitations before the one with id before ("":
// the newest), newest first.
func (s *Store) Invitations(ctx context.Context, before string, limit int) ([]Invitation, error) {
	if before == "" {
		before = "~"
	}
	return list(ctx, s.read, func(r *sql.Rows, n *Invitation) error { return scanInvitation(r.Scan, n) },
		"SELECT "+invitationColumns+" WHERE id < ?1 ORDER BY id DESC LIMIT ?2", before, limit)
}

// Accept makes the user of an invitation, once, with what an outside provider
// calls the user, if one does. ErrNotFound: it cannot be accepted any more;
// ErrConflict: the address or the identity belongs to a user.
func (s *Store) Accept(ctx context.Context, n Invitation, u User, id *Identity) (User, error) {
	u.ID, u.AccountID, u.CreatedAt = s.NewID(), s.NewID(), s.now().UTC()
	u.Email, u.Role, u.Groups = n.Email, n.Role, n.Groups
	groups, err := json.Marshal(append([]string{}, n.Groups...))
	if err != nil {
		return u, err
	}
	at := u.CreatedAt.UnixMilli()
	return u, s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		res, err := tx.ExecContext(ctx, `UPDATE invitations SET accepted_at = ?3
WHERE id = ?1 AND hash = ?2 AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > ?3`, n.ID, n.Hash, at)
		if err != nil {
			return err
		}
		if rows, err := res.RowsAffected(); err != nil || rows == 0 {
			return errors.Join(err, ErrNotFound)
		}
		unit := &Unit{}
		addUser(unit, u)
		unit.Add("UPDATE users SET groups_json = ?2 WHERE id = ?1", u.ID, string(groups))
		if id != nil {
			id.UserID = u.ID
			s.addIdentity(unit, *id)
		}
		return tx.run(ctx, unit)
	})
}
