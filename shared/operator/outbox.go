package operator

import (
	"context"
	"errors"
	"regexp"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Outside is a system beside the hub that sells credits.
type Outside interface {
	// Give gives credits to a user whom the system knows, from where they come back to
	// the user's wallet. given is false for anybody else.
	Give(ctx context.Context, actor string, u store.User, g Gift) (row store.Grant, given bool, err error)
}

// giveOutside gives credits to a user by way of the outside system, where there is
// one and it knows the user: it would else bill what the gift pays for.
func (d *Desk) giveOutside(ctx context.Context, actor string, to Purse, g Gift) (store.Grant, bool, error) {
	if d.Outside == nil || to.User == "" {
		return store.Grant{}, false, nil
	}
	u, err := d.User(ctx, to.User)
	if err != nil || u.DID == "" {
		return store.Grant{}, false, err
	}
	return d.Outside.Give(ctx, actor, u, g)
}

// movable refuses to move credits from or to a wallet that the outside system keeps
// too: it would not know of it, and go on billing as before.
func (d *Desk) movable(ctx context.Context, purses ...Purse) error {
	for _, p := range purses {
		if d.Outside == nil || p.User == "" {
			continue
		}
		u, err := d.User(ctx, p.User)
		if err != nil {
			return err
		}
		if u.DID != "" {
			return hub.Errorf(hub.CodeConflict, "The wallet of %s is kept by Payment Kit too; its credits cannot be moved.", u.Email)
		}
	}
	return nil
}

// didRule is the form of a DID's address: z and base58.
var didRule = regexp.MustCompile(`^z[1-9A-HJ-NP-Za-km-z]{10,63}$`)

// SetDID says under which DID Payment Kit knows a user. From then on what the user
// spends is reported there. It is said once for each user.
func (d *Desk) SetDID(ctx context.Context, actor, email, did string) (store.User, error) {
	did = strings.TrimPrefix(did, "did:abt:")
	if !didRule.MatchString(did) {
		return store.User{}, hub.Invalid("did", "A DID is z and 10 to 63 characters of base58, with or without did:abt: before it.")
	}
	u, err := d.User(ctx, email)
	if err != nil {
		return u, err
	}
	err = d.Store.SetDID(ctx, u.ID, did)
	switch {
	case errors.Is(err, store.ErrConflict):
		return u, hub.Errorf(hub.CodeConflict, "Another user has that DID.")
	case errors.Is(err, store.ErrNotFound):
		return u, hub.Errorf(hub.CodeConflict, "%s has the DID %s already, under which usage is reported; it stays.", u.Email, u.DID)
	case err != nil:
		return u, err
	}
	before := u.DID
	u.DID = did
	return u, d.audit(ctx, actor, "user.did", u.Email, map[string]any{"did": before}, map[string]any{"did": did})
}

// Resend has a report sent again that was given up, under its old identifier.
func (d *Desk) Resend(ctx context.Context, actor, id string) error {
	err := d.Store.ReviveBatch(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no dead report %s.", id)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "outbox.resend", id, nil, nil)
}

// ResendAll is Resend for every report that was given up. It says how many.
func (d *Desk) ResendAll(ctx context.Context, actor string) (n int, err error) {
	const batch = 200
	for after := ""; ; {
		dead, err := d.Store.Batches(ctx, store.BatchDead, after, batch)
		if err != nil {
			return n, err
		}
		for _, b := range dead {
			err := d.Store.ReviveBatch(ctx, b.ID)
			if err != nil && !errors.Is(err, store.ErrNotFound) { // somebody else was faster
				return n, err
			}
			if err == nil {
				n++
			}
			after = b.ID
		}
		if len(dead) < batch {
			return n, d.audit(ctx, actor, "outbox.resend", "all", nil, map[string]any{"reports": n})
		}
	}
}

// DropReport gives a report up for good that Payment Kit refused: it is never sent
// again, so Payment Kit never bills what is in it. The user's wallet stays as it is.
func (d *Desk) DropReport(ctx context.Context, actor, id, reason string) error {
	if strings.TrimSpace(reason) == "" {
		return hub.Invalid("reason", "Say why the report is dropped.")
	}
	b, err := d.Store.DropBatch(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no dead report %.64s.", id)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "outbox.drop", id, nil, map[string]any{"user": b.Email, "amount": b.Amount.String(), "calls": b.Calls, "error": b.Error, "reason": reason})
}
