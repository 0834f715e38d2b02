package admission

import (
	"context"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Funds are where credits come from when a wallet does not cover a call.
type Funds interface {
	// Refill looks for credits and reports whether the wallet has more than before.
	Refill(ctx context.Context, accountID string) (bool, error)
	// Link is where the wallet's user buys credits; "" where there is no such page.
	Link(ctx context.Context, accountID string) string
}

// Admit records the call and holds its dearest price. After it returns nil the
// provider may be called, and the Ticket must be settled.
func (g *Gate) Admit(ctx context.Context, r Request) (*Ticket, error) {
	t, err := g.admitOnce(ctx, r)
	if g.Funds == nil || err == nil || hub.CodeOf(err) != hub.CodeInsufficientCredits {
		return t, err
	}
	filled, ferr := g.Funds.Refill(ctx, r.Caller.AccountID)
	if ferr != nil {
		g.Log.Warn("no credits found for a wallet", "account", r.Caller.AccountID, "error", ferr)
	}
	if filled {
		if t, err = g.admitOnce(ctx, r); err == nil {
			return t, nil
		}
	}
	refusal := hub.AsError(err)
	if refusal.Code == hub.CodeInsufficientCredits {
		if link := g.Funds.Link(ctx, r.Caller.AccountID); link != "" {
			refusal.Link = link
		}
	}
	return nil, refusal
}
