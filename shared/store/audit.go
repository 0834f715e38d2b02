package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Act is a row of the audit log.
type Act struct {
	ID      string
	At      time.Time
	Actor   string // an e-mail address, "cli", "system", or the name of a service
	Action  string
	Subject string
	Before  string // JSON without secrets; "" for none
	After   string
	hub.Origin
	Number int64  // its place in the chain, from 1; 0: not linked yet
	Hash   string // hex SHA-256 over the hash before and the row
}

// Link returns what the act's hash is as number n, after the hash before.
func (a Act) Link(before string, n int64) string {
	text, _ := json.Marshal([]any{before, n, a.ID, a.At.UnixMilli(), a.Actor, a.UserID, a.KeyID, a.Address, a.RequestID,
		a.Action, a.Subject, a.Before, a.After}) // strings and whole numbers
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Head is the last link of the audit log's chain.
type Head struct {
	Number int64  `json:"number"`
	Hash   string `json:"hash"`
}

// Audit records an act, before and after as JSON without secrets. Who did it
// from where is taken from the context (hub.WithOrigin). The row is linked to
// the chain in the same transaction, unless another process was faster: then in
// the next.
func (s *Store) Audit(ctx context.Context, actor, action, subject, before, after string) error {
	head, err := s.AuditHead(ctx)
	if err != nil {
		return err
	}
	a := Act{ID: s.NewID(), At: time.UnixMilli(s.millis()), Actor: actor, Action: action, Subject: subject, Before: before, After: after,
		Origin: hub.OriginOf(ctx)}
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO audit_log (id, created_at, actor, action, subject, before_json, after_json, user_id, api_key_id, address, request_id)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`, a.ID, a.At.UnixMilli(), actor, action, subject, before, after, a.UserID, a.KeyID, a.Address, a.RequestID)
	u.link(a, head)
	if err := s.Do(ctx, u); err != nil {
		return err
	}
	return s.LinkAudit(ctx)
}

// link puts an act behind a head, if that is still the head.
func (u *Unit) link(a Act, head Head) Head {
	next := Head{head.Number + 1, a.Link(head.Hash, head.Number+1)}
	u.Add(`UPDATE audit_log SET number = ?2, hash = ?3 WHERE id = ?1 AND number IS NULL
  AND EXISTS (SELECT 1 FROM audit_head WHERE id = 1 AND number = ?2 - 1 AND hash = ?4)`, a.ID, next.Number, next.Hash, head.Hash)
	return next
}

// AuditHead reads the last link.
func (s *Store) AuditHead(ctx context.Context) (h Head, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT number, hash FROM audit_head WHERE id = 1").Scan(&h.Number, &h.Hash)
	return h, err
}

// LinkAudit links what is not linked yet, oldest first: rows of triggers, of
// older versions, of processes that died in between.
func (s *Store) LinkAudit(ctx context.Context) error {
	const batch, most = 50, 100_000
	for range most {
		head, err := s.AuditHead(ctx)
		if err != nil {
			return err
		}
		acts, err := list(ctx, s.read, scanAct, "SELECT "+actColumns+" FROM audit_log INDEXED BY audit_log_unlinked WHERE number IS NULL AND created_at >= 0 ORDER BY created_at, id LIMIT ?1", batch)
		if err != nil || len(acts) == 0 {
			return err
		}
		u := &Unit{Priority: Background}
		for _, a := range acts {
			head = u.link(a, head)
		}
		if err := s.Do(ctx, u); err != nil {
			return err
		}
	}
	return errors.New("the audit log does not come to an end")
}

const actColumns = "id, created_at, actor, action, subject, before_json, after_json, user_id, api_key_id, address, request_id, coalesce(number, 0), hash"

func scanAct(r *sql.Rows, a *Act) error {
	var at int64
	err := r.Scan(&a.ID, &at, &a.Actor, &a.Action, &a.Subject, &a.Before, &a.After, &a.UserID, &a.KeyID, &a.Address, &a.RequestID, &a.Number, &a.Hash)
	a.At = time.UnixMilli(at).UTC()
	return err
}

// ActFilter says which acts are wanted; zero fields do not matter.
type ActFilter struct {
	Actor, Action, Subject string
	From, Until            time.Time // from (inclusive) and until (exclusive)
}

// ActCursor is where a list of acts goes on: behind the act of this time and id.
type ActCursor struct {
	At time.Time
	ID string
}

// Acts lists acts, newest first, behind a cursor; the zero cursor is the start.
func (s *Store) Acts(ctx context.Context, f ActFilter, after ActCursor, limit int) ([]Act, error) {
	const rest = ` AND created_at >= ?4 AND created_at < ?5 AND (created_at, id) < (?6, ?7)
  AND (?1 = '' OR actor = ?1) AND (?2 = '' OR action = ?2) AND (?3 = '' OR subject = ?3) ORDER BY created_at DESC, id DESC LIMIT ?8`
	from, until := int64(0), int64(1)<<62
	if !f.From.IsZero() {
		from = f.From.UnixMilli()
	}
	if !f.Until.IsZero() {
		until = f.Until.UnixMilli()
	}
	at, id := int64(1)<<62, ""
	if after.ID != "" {
		at, id = after.At.UnixMilli(), after.ID
	}
	query := "SELECT " + actColumns + " FROM audit_log INDEXED BY audit_log_time WHERE 1 = 1" + rest
	switch {
	case f.Subject != "":
		query = "SELECT " + actColumns + " FROM audit_log INDEXED BY audit_log_subject WHERE subject = ?3" + rest
	case f.Actor != "":
		query = "SELECT " + actColumns + " FROM audit_log INDEXED BY audit_log_actor WHERE actor = ?1" + rest
	case f.Action != "":
		query = "SELECT " + actColumns + " FROM audit_log INDEXED BY audit_log_action WHERE action = ?2" + rest
	}
	return list(ctx, s.read, scanAct, query, f.Actor, f.Action, f.Subject, from, until, at, id, limit)
}

// AuditReport is the outcome of VerifyAudit.
type AuditReport struct {
	Rows       int64       `json:"rows"`     // linked and checked
	Unlinked   int64       `json:"unlinked"` // recorded in this moment, not yet in the chain
	Head       Head        `json:"head"`
	Violations []Violation `json:"violations"`
}

// auditTriggers are what keeps the log from being changed.
var auditTriggers = []string{"audit_head_fixed", "audit_head_kept", "audit_head_one", "audit_log_enters", "audit_log_fixed", "audit_log_kept", "audit_log_linked", "ledger_operations_audited"}

// VerifyAudit makes the chain once more, row by row. An anchor is a head of an
// earlier day that was kept elsewhere, the zero Head for none: with it a log
// that was cut or rewritten since is noticed even where everything in the
// database was made to fit.
func (s *Store) VerifyAudit(ctx context.Context, anchor Head) (r AuditReport, err error) {
	const batch, most = 1000, 100
	tell := func(rule, subject, format string, args ...any) {
		if len(r.Violations) < most {
			r.Violations = append(r.Violations, Violation{rule, subject, fmt.Sprintf(format, args...)})
		}
	}
	if r.Head, err = s.AuditHead(ctx); err != nil {
		return r, err
	}
	var at Head
	found := anchor.Number == 0
	for at.Number < r.Head.Number || r.Rows == 0 {
		acts, err := list(ctx, s.read, scanAct, "SELECT "+actColumns+" FROM audit_log WHERE number > ?1 ORDER BY number LIMIT ?2", at.Number, batch)
		if err != nil {
			return r, err
		}
		if len(acts) == 0 {
			break
		}
		for _, a := range acts {
			if a.Number != at.Number+1 {
				tell("no act is missing", a.ID, "between the acts %d and %d there are %d fewer", at.Number, a.Number, a.Number-at.Number-1)
			} else if a.Hash != a.Link(at.Hash, a.Number) {
				tell("each act is what was recorded", a.ID, "act %d (%s of %s) was changed, or put in later", a.Number, a.Action, a.Subject)
			}
			at = Head{a.Number, a.Hash}
			found = found || at == anchor
			r.Rows++
		}
	}
	if at.Number < r.Head.Number || (at.Number == r.Head.Number && at.Hash != r.Head.Hash) {
		tell("the log is whole", "", "it ends with act %d, but act %d was recorded last", at.Number, r.Head.Number)
	}
	if !found {
		tell("the log holds the anchor", "", "act %d is missing, or is not the one with the hash %.64s", anchor.Number, anchor.Hash)
	}
	return r, s.verifyAuditRules(ctx, &r, tell)
}

// verifyAuditRules checks what no hash covers: that the triggers are there, and
// that no row stays unlinked.
func (s *Store) verifyAuditRules(ctx context.Context, r *AuditReport, tell func(rule, subject, format string, args ...any)) error {
	for _, name := range auditTriggers {
		var n int
		if err := s.read.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND name = ?", name).Scan(&n); err != nil {
			return err
		}
		if n == 0 {
			tell("the log is append-only", name, "the trigger is gone")
		}
	}
	return s.read.QueryRowContext(ctx, "SELECT count(*) FROM audit_log INDEXED BY audit_log_unlinked WHERE number IS NULL AND created_at >= 0").Scan(&r.Unlinked)
}
