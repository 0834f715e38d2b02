// Package ledger is the books as a service: grants, balances, verification, and
// the sweeper that closes what dead processes left open. Charging a call is
// admission's business; the statements are the store's.
package ledger

import (
	"context"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Grant kinds, and the priority at which each is spent unless told otherwise
// (lower first).
const (
	Promotional = "promotional"
	Purchased   = "purchased"
	Welcome     = "welcome"
)

// Book gives, moves and shows credits.
type Book struct {
	Store *store.Store
	Now   hub.Now
	// WelcomeGift is what each new user gets; an Amount of 0: nothing.
	WelcomeGift WelcomeGift
}

// Gift is a grant to be made.
type Gift struct {
	AccountID string
	Kind      string
	Name      string
	Amount    money.Credits
	Priority  int64
	ExpiresAt *time.Time
	Actor     string
	Reason    string
	// ID makes a repeat harmless: the same id is granted once. "" makes a new one.
	ID string
	// Cause says what the grant is for where the kind does not: redeem, payment …
	Cause string
}

const defaultPriority = 50

// Grant gives credits. A gift whose ID was granted before changes nothing.
func (b *Book) Grant(ctx context.Context, g Gift) (store.Grant, error) {
	if g.Amount <= 0 {
		return store.Grant{}, hub.Invalid("amount", "The amount must be greater than 0 credits.")
	}
	if g.ExpiresAt != nil && !g.ExpiresAt.After(b.Now()) {
		return store.Grant{}, hub.Invalid("expires_at", "The expiry must lie in the future.")
	}
	if g.Kind == "" {
		g.Kind = Promotional
	}
	if g.Priority == 0 {
		g.Priority = defaultPriority
	}
	if g.ID == "" {
		g.ID = b.Store.NewID()
	}
	row := store.Grant{ID: g.ID, AccountID: g.AccountID, Kind: g.Kind, Name: g.Name, Amount: g.Amount, Remaining: g.Amount,
		Priority: g.Priority, ExpiresAt: g.ExpiresAt, State: "active", Actor: g.Actor, Reason: g.Reason, CreatedAt: b.Now().UTC(), Cause: g.Cause}
	err := b.Store.Do(ctx, b.Store.GrantUnit(row))
	if err != nil && !errors.Is(err, store.ErrConflict) && !errors.Is(err, store.ErrExists) {
		return store.Grant{}, err
	}
	return row, nil
}

// Balance returns an account after its due grants have expired.
func (b *Book) Balance(ctx context.Context, accountID string) (store.Account, error) {
	a, err := b.Store.AccountByID(ctx, accountID)
	if err != nil {
		return a, err
	}
	if a.NextExpiry == nil || a.NextExpiry.After(b.Now()) {
		return a, nil
	}
	if _, err := b.Store.ExpireGrants(ctx, accountID); err != nil {
		return a, err
	}
	return b.Store.AccountByID(ctx, accountID)
}

// ExpireDue expires the due grants of every account.
func (b *Book) ExpireDue(ctx context.Context) error {
	const batch = 200
	due, err := b.Store.DueAccounts(ctx, batch)
	if err != nil {
		return err
	}
	var failed error
	for _, id := range due {
		if _, err := b.Store.ExpireGrants(ctx, id); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}
