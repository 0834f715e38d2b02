package mirror

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// lasting is for how long a balance must differ by the same amount before it counts.
const lasting = 3 * time.Minute

// compare holds Payment Kit's balance against what it must be by all that has passed
// between the two, when nothing is under way. A difference that lasts is adjusted
// here: credits that were given or taken there in ways that grants do not show.
func (m *Mirror) compare(ctx context.Context, userID string, meter paymentkit.Meter) error {
	before, quiet, err := m.quiet(ctx, userID)
	if err != nil || !quiet || before.OpenedAt == nil {
		return err
	}
	there, err := m.balance(ctx, before, meter)
	if err != nil {
		return err
	}
	after, quiet, err := m.quiet(ctx, userID)
	if err != nil || !quiet || after.Expected != before.Expected {
		return err // something moved meanwhile
	}
	drift := there - after.Expected
	switch {
	case drift == 0 && after.DriftSince == nil:
		return nil
	case drift == 0:
		return m.Store.NoteDrift(ctx, userID, 0, nil)
	case after.DriftSince == nil || drift != after.Drift:
		since := m.Now().UTC()
		m.Log.Warn("balance at Payment Kit differs", "user", userID, "by", drift.String())
		return m.Store.NoteDrift(ctx, userID, drift, &since)
	case m.Now().Sub(*after.DriftSince) < lasting:
		return nil
	}
	return m.adjust(ctx, after, there)
}

// quiet reads a customer, and whether all its usage is confirmed.
func (m *Mirror) quiet(ctx context.Context, userID string) (c store.Customer, quiet bool, err error) {
	if c, err = m.Store.CustomerOf(ctx, userID); err != nil {
		return c, false, err
	}
	_, open, err := m.Store.Unconfirmed(ctx, userID)
	return c, !open, err
}

// balance is what a customer has at Payment Kit; below 0: used in advance.
func (m *Mirror) balance(ctx context.Context, c store.Customer, meter paymentkit.Meter) (money.Credits, error) {
	all, err := m.Kit.Summary(ctx, c.CustomerID)
	if err != nil {
		return 0, err
	}
	left, err := meter.Currency.Credits(all[meter.CurrencyID].Remaining)
	if err != nil {
		return 0, err
	}
	pending, err := m.pending(ctx, c, meter)
	if err != nil {
		return 0, err
	}
	return money.Add(left, -pending)
}

// adjust brings a wallet into line: credits are given, or taken as far as they are
// free. Its operation's id is made from the difference's first sight, so that a
// crash in between adjusts once.
func (m *Mirror) adjust(ctx context.Context, c store.Customer, there money.Credits) error {
	amount := c.Drift
	id := "pk/drift/" + c.UserID + "/" + strconv.FormatInt(c.DriftSince.UnixMilli(), 10)
	op := "grant/" + id
	if amount < 0 {
		account, err := m.Book.Balance(ctx, c.AccountID)
		if err != nil {
			return err
		}
		op, amount = "adjust/"+id, -min(-amount, max(0, account.Available()))
	}
	if amount != 0 {
		err := m.Book.Adjust(ctx, ledger.Adjustment{ID: id, AccountID: c.AccountID, Amount: amount, Actor: "payment-kit",
			Reason: "Payment Kit's balance differs"})
		if err != nil {
			return err
		}
	}
	if err := m.alarm(ctx, c, id, amount, there); err != nil {
		return err
	}
	if amount == 0 {
		return nil // nothing is free: it is tried again
	}
	return m.Store.TakeDrift(ctx, c.UserID, op, *c.DriftSince)
}

func (m *Mirror) alarm(ctx context.Context, c store.Customer, id string, amount, there money.Credits) error {
	if m.Tell == nil {
		return nil
	}
	m.mu.Lock()
	told := m.told == id
	m.told = id
	m.mu.Unlock()
	if told {
		return nil
	}
	return m.Tell(ctx, notify.Event{ID: string(notify.PaymentAdjusted) + ":" + id, Kind: notify.PaymentAdjusted, Severity: notify.Warning,
		Title: "A wallet differed from Payment Kit's balance and was adjusted.",
		Data: map[string]any{"user": c.UserID, "did": c.DID, "difference": c.Drift.String(), "adjusted": amount.String(),
			"payment_kit": there.String(), "expected": c.Expected.String()}})
}

// askAgain is how long an answer to the question for a welcome gift may be on its
// way: longer than a call.
const askAgain = 2 * time.Minute

// welcome gives a new customer the welcome gift at Payment Kit, once. Grants have no
// identifiers there, so the question is noted first and, when its answer was lost,
// repeated only after a look at what is there.
func (m *Mirror) welcome(ctx context.Context, c store.Customer, meter paymentkit.Meter, grants []grant) (given bool, err error) {
	if m.Welcome.Amount <= 0 || c.Welcome == "given" {
		return false, nil
	}
	here, err := m.welcomedHere(ctx, c)
	if err != nil {
		return false, err
	}
	if here || len(grants) > 0 { // somebody with grants is not new
		return false, m.Store.GaveWelcome(ctx, c.UserID)
	}
	if c.WelcomeAt != nil && m.Now().Sub(*c.WelcomeAt) < askAgain {
		return false, nil
	}
	if err := m.Store.AskWelcome(ctx, c); err != nil {
		if errors.Is(err, store.ErrNotFound) {
			err = nil // another process asks
		}
		return false, err
	}
	n := paymentkit.NewGrant{CustomerID: c.CustomerID, CurrencyID: meter.CurrencyID, Amount: m.Welcome.Amount, Name: "New user bonus credit",
		Category: paymentkit.Promotional, Metadata: map[string]any{"welcomeCredit": true}}
	if m.Welcome.Life > 0 {
		n.ExpiresAt = m.Now().Add(m.Welcome.Life).Unix()
	}
	if _, err := m.Kit.CreateGrant(ctx, n); err != nil {
		return false, err
	}
	return true, m.Store.GaveWelcome(ctx, c.UserID)
}

// welcomedHere reports a user who was given the gift by this hub's own books,
// before it had a DID.
func (m *Mirror) welcomedHere(ctx context.Context, c store.Customer) (bool, error) {
	all, err := m.Store.Grants(ctx, c.AccountID)
	if err != nil {
		return false, err
	}
	for _, g := range all {
		if g.Kind == ledger.Welcome {
			return true, nil
		}
	}
	return false, nil
}
