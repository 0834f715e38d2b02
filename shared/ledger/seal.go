package ledger

import (
	"context"
	"time"
)

const (
	// sealAfter is how old operations are when they are sealed: what happened just
	// now is read more often than it is checked.
	sealAfter = time.Hour
	// sealLeast is from how many operations on a wallet's new part is sealed.
	sealLeast = 1000
)

// Seal seals the parts of the books that have grown long, and checks off the
// calls that are over. It goes on until it is done or ctx ends; what is left is
// for the next time.
func (b *Book) Seal(ctx context.Context) error {
	const batch = 500
	for after := ""; ctx.Err() == nil; {
		accounts, err := b.Store.Accounts(ctx, after, batch)
		if err != nil {
			return err
		}
		for _, a := range accounts {
			after = a.ID
			if a.Kind != "wallet" {
				continue
			}
			if _, err := b.Store.SealAccount(ctx, a.ID, sealAfter, sealLeast); err != nil {
				return err
			}
		}
		if len(accounts) < batch {
			break
		}
	}
	for ctx.Err() == nil {
		more, err := b.Store.AdvanceHorizon(ctx)
		if err != nil || !more {
			return err
		}
	}
	return ctx.Err()
}
