package mirror

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	// patience is how long somebody waits for a look at Payment Kit.
	patience = 3 * time.Second
	// rest is for how long the outcome of a look serves others: an empty wallet may be
	// tried many times a second.
	rest     = 5 * time.Second
	mostRest = 10_000 // outcomes that are kept
)

// flight is a look at one user's affairs, under way or over.
type flight struct {
	done   chan struct{}
	ended  time.Time // zero while it is under way
	filled bool
	err    error
}

// Refill looks for credits when a wallet does not cover a call: what was bought
// meanwhile is applied; where Payment Kit says that it will buy some, the wallet is
// lent up to the credit line; with HoldLocal also where it does not answer. It
// reports whether there is now more than before.
func (m *Mirror) Refill(ctx context.Context, accountID string) (bool, error) {
	c, err := m.Store.CustomerOfWallet(ctx, accountID)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil // not a customer, or a shared wallet
	}
	if err != nil {
		return false, err
	}
	f, mine := m.flight("refill/" + c.UserID)
	if mine {
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			filled, err := m.refill(ctx, c)
			m.land(f, filled, err)
		}()
	}
	select {
	case <-f.done:
		return f.filled, f.err
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// Touch looks at a user's grants before its balance is shown, and at most every few
// seconds. A Payment Kit that does not answer in time is no fault: what is shown
// then is what is known.
func (m *Mirror) Touch(ctx context.Context, userID string) {
	f, mine := m.flight("touch/" + userID)
	if mine {
		go func() {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
			defer cancel()
			err := m.Sync(ctx, userID)
			if err != nil {
				m.Log.Warn("customer not looked at", "user", userID, "error", err)
			}
			m.land(f, false, err)
		}()
	}
	select {
	case <-f.done:
	case <-ctx.Done():
	}
}

// flight joins the look that is under way or has just ended, else begins one.
func (m *Mirror) flight(key string) (f *flight, mine bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Now()
	if f = m.flights[key]; f != nil && (f.ended.IsZero() || now.Sub(f.ended) < rest) {
		return f, false
	}
	if m.flights == nil || len(m.flights) >= mostRest {
		if m.flights == nil {
			m.flights = map[string]*flight{}
		}
		maps.DeleteFunc(m.flights, func(_ string, f *flight) bool { return !f.ended.IsZero() && now.Sub(f.ended) >= rest })
	}
	f = &flight{done: make(chan struct{})}
	m.flights[key] = f
	return f, true
}

func (m *Mirror) land(f *flight, filled bool, err error) {
	m.mu.Lock()
	f.ended, f.filled, f.err = m.Now(), filled, err
	m.mu.Unlock()
	close(f.done)
}

func (m *Mirror) refill(ctx context.Context, c store.Customer) (bool, error) {
	if m.Now().UnixNano()-m.away.Load() < int64(rest) { // no use in waiting for it once more
		return m.withoutKit(ctx, c, errAway)
	}
	before, err := m.Store.AccountByID(ctx, c.AccountID)
	if err != nil {
		return false, err
	}
	err = m.sync(ctx, c)
	if err == nil {
		after, err := m.Store.AccountByID(ctx, c.AccountID)
		if err != nil || after.Available() > before.Available() || (before.Debt > 0 && after.Debt == 0) {
			return err == nil, err
		}
	}
	if err == nil {
		var buys bool
		if buys, err = m.buys(ctx, c.UserID); err == nil && !buys {
			return false, nil
		}
	}
	if err == nil {
		return m.lend(ctx, c, "Payment Kit buys credits")
	}
	var down *paymentkit.DownError
	if errors.As(err, &down) {
		m.away.Store(m.Now().UnixNano())
	}
	return m.withoutKit(ctx, c, err)
}

var errAway = errors.New("Payment Kit did not answer a moment ago")

// withoutKit decides on a wallet while Payment Kit cannot be asked.
func (m *Mirror) withoutKit(ctx context.Context, c store.Customer, cause error) (bool, error) {
	if !m.HoldLocal || paymentkit.Refused(cause) {
		return false, cause
	}
	m.Log.Warn("Payment Kit does not answer; the wallet is lent to", "user", c.UserID, "error", cause)
	return m.lend(ctx, c, "Payment Kit does not answer")
}

// buys asks whether Payment Kit will buy credits for a user who has none.
func (m *Mirror) buys(ctx context.Context, userID string) (bool, error) {
	meter, err := m.Shop.Meter(ctx)
	if err != nil {
		return false, err
	}
	c, err := m.Store.CustomerOf(ctx, userID)
	if err != nil {
		return false, err
	}
	pending, err := m.pending(ctx, c, meter)
	if err != nil {
		return false, err
	}
	unreported, _, err := m.Store.Unconfirmed(ctx, userID)
	if err != nil {
		return false, err
	}
	sum, err := money.Add(pending, unreported)
	if err != nil {
		return false, err
	}
	units, err := meter.Currency.Units(sum)
	if err != nil {
		return false, err
	}
	a, err := m.Kit.VerifyAvailability(ctx, c.DID, meter.CurrencyID, units)
	return a.CanContinue, err
}

func (m *Mirror) lend(ctx context.Context, c store.Customer, reason string) (bool, error) {
	if m.Line <= 0 {
		return false, nil
	}
	added, err := m.Book.Lend(context.WithoutCancel(ctx), c.AccountID, m.Line, reason)
	return added > 0, err
}

// Link is where the user of a wallet buys credits, "" where there is no such page
// now.
func (m *Mirror) Link(ctx context.Context, accountID string) string {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	did := ""
	if c, err := m.Store.CustomerOfWallet(ctx, accountID); err == nil {
		did = c.DID
	}
	link, err := m.Shop.Link(ctx, did)
	if err != nil {
		m.Log.Warn("no payment link", "error", err)
	}
	return link
}
