package mirror

import (
	"context"
	"errors"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Give gives credits to a customer at Payment Kit and applies them at once: what the
// hub gave by itself would be used up there as a debt. given is false for a user who
// is no customer.
func (m *Mirror) Give(ctx context.Context, actor string, u store.User, g operator.Gift) (row store.Grant, given bool, err error) {
	if _, err = m.Store.CustomerOf(ctx, u.ID); errors.Is(err, store.ErrNotFound) {
		return row, false, nil
	}
	switch {
	case err != nil:
		return row, false, err
	case g.Amount <= 0:
		return row, false, hub.Invalid("amount", "The amount must be greater than 0 credits.")
	case g.ExpiresAt != nil && !g.ExpiresAt.After(m.Now()):
		return row, false, hub.Invalid("expires_at", "The expiry must lie in the future.")
	}
	made, err := m.create(ctx, actor, u, g)
	if err != nil {
		return row, false, hub.Wrap(hub.CodeUnavailable, err,
			"Payment Kit did not confirm the grant. Look at the user's grants before you give it again: it may have arrived.")
	}
	// Nothing is lost if this look fails: the next one applies the grant.
	if err := m.Sync(ctx, u.ID); err != nil {
		m.Log.Warn("customer not looked at", "user", u.ID, "error", err)
	}
	return store.Grant{ID: LocalID(made.ID), AccountID: u.AccountID, Kind: kindOf(made), Name: g.Name, Amount: g.Amount, Remaining: g.Amount,
		Priority: priorityOf(made), ExpiresAt: g.ExpiresAt, State: "active", Actor: actor, Reason: g.Reason, CreatedAt: m.Now().UTC()}, true, nil
}

func (m *Mirror) create(ctx context.Context, actor string, u store.User, g operator.Gift) (paymentkit.Grant, error) {
	meter, err := m.Shop.Meter(ctx)
	if err != nil {
		return paymentkit.Grant{}, err
	}
	if err := m.Sync(ctx, u.ID); err != nil { // takes the customer over before something is added
		return paymentkit.Grant{}, err
	}
	c, err := m.Store.CustomerOf(ctx, u.ID)
	if err != nil {
		return paymentkit.Grant{}, err
	}
	n := paymentkit.NewGrant{CustomerID: c.CustomerID, CurrencyID: meter.CurrencyID, Amount: g.Amount, Name: g.Name, Category: paymentkit.Promotional,
		Priority: g.Priority, Metadata: map[string]any{"reason": g.Reason, "actor": actor}}
	if n.Name == "" {
		n.Name = "Credits"
	}
	if g.Kind == ledger.Purchased {
		n.Category = paymentkit.Paid
	}
	if g.ExpiresAt != nil {
		n.ExpiresAt = g.ExpiresAt.Unix()
	}
	return m.Kit.CreateGrant(ctx, n)
}

func kindOf(g paymentkit.Grant) string {
	if g.Category == paymentkit.Paid {
		return ledger.Purchased
	}
	return ledger.Promotional
}

func priorityOf(g paymentkit.Grant) int64 {
	const usual = 50
	if g.Priority <= 0 {
		return usual
	}
	return g.Priority
}
