package operator

import (
	"context"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// ConnectionView is what an application was allowed, as it is shown.
type ConnectionView struct {
	ID          string      `json:"id"`
	User        string      `json:"user"`      // e-mail address
	ClientID    string      `json:"client_id"` // "": a command line, by the connect flow
	Name        string      `json:"name"`      // of the application
	KeyID       string      `json:"key_id"`    // the API key that stands for it: its use and its limits
	Scopes      []hub.Scope `json:"scopes"`
	CreatedAt   time.Time   `json:"created_at"`
	RefreshedAt *time.Time  `json:"refreshed_at"` // when it last got another access token
	EndsAt      *time.Time  `json:"ends_at"`      // null: when it is revoked
	RevokedAt   *time.Time  `json:"revoked_at"`
}

// ViewConnection makes a connection's view.
func ViewConnection(n store.Connection) ConnectionView {
	return ConnectionView{n.ID, n.Email, n.ClientID, n.Name, n.KeyID, n.Scopes, n.CreatedAt, n.RefreshedAt, n.EndsAt, n.RevokedAt}
}

// NewConnection is what a user agreed to.
type NewConnection struct {
	store.Connection            // without key
	Expires          *time.Time // when the key's first secret ends; nil: with the connection
	Limits           KeyLimits
	Code             string // hash of the authorization code that it is for; "": none
}

// Connect makes an API key for an application that a user has agreed to, with the
// limits that the user set. store.ErrNotFound: its authorization code came twice.
func (d *Desk) Connect(ctx context.Context, email string, n NewConnection) (hub.Secret, store.Connection, error) {
	expires := n.EndsAt
	if n.Expires != nil {
		expires = n.Expires
	}
	n.Limits.Scopes = n.Scopes
	key, row, err := d.CreateLimitedKey(ctx, email, email, n.Name, expires, n.Limits)
	if err != nil {
		return "", n.Connection, err
	}
	n.KeyID = row.ID
	made, err := d.Store.CreateConnection(ctx, n.Connection, n.Code)
	if err != nil {
		return "", made, errors.Join(err, d.RevokeKey(context.WithoutCancel(ctx), email, row.ID))
	}
	return key, made, d.audit(ctx, email, "connection.create", made.ID, nil, map[string]any{"client": n.ClientID, "name": n.Name, "key": row.ID, "scopes": n.Scopes, "ends_at": n.EndsAt})
}

// RevokeConnection takes back what an application was allowed; why says on whose
// behalf, for the record.
func (d *Desk) RevokeConnection(ctx context.Context, actor, id, why string) error {
	n, err := d.Store.ConnectionByID(ctx, id)
	if err == nil && n.RevokedAt == nil {
		err = d.Store.RevokeConnection(ctx, id)
	}
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no connected application with the id %.40s.", id)
	}
	if err != nil || n.RevokedAt != nil {
		return err
	}
	return d.audit(ctx, actor, "connection.revoke", id, map[string]any{"user": n.Email, "client": n.ClientID, "name": n.Name}, map[string]any{"why": why})
}
