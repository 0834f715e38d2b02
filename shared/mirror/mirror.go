// Package mirror keeps wallets in line with Payment Kit: its grants are applied
// here under their ids, what ends there is taken back, and its balance is compared
// with what has passed between the two. It also asks it for more when a wallet is
// empty. It reports no usage; that is the outbox's business.
package mirror

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The measure of a run over all customers.
const (
	every  = 5 * time.Minute // between two looks at a customer
	perRun = 100             // customers
	page   = 100             // grants
	pages  = 20              // of a customer
)

// Mirror keeps the wallets of a Payment Kit's customers.
type Mirror struct {
	Store *store.Store
	Book  *ledger.Book
	Kit   *paymentkit.Client
	Shop  *paymentkit.Shop
	// Welcome is what new customers get, at Payment Kit.
	Welcome ledger.WelcomeGift
	// Line is the most that a wallet is lent while Payment Kit buys credits for its
	// user, or with HoldLocal does not answer.
	Line      money.Credits
	HoldLocal bool
	Tell      func(ctx context.Context, e notify.Event) error // nil: nobody is told
	// Congratulate tells a user of new credits; nil: nobody does, or Payment Kit.
	Congratulate func(ctx context.Context, did string, amount money.Credits) error
	Log          *slog.Logger
	Now          hub.Now

	mu      sync.Mutex
	flights map[string]*flight // by user: looks under way, or just over
	told    string             // the last difference that was told of

	away atomic.Int64 // when it did not answer, Unix nanoseconds
}

// SyncDue looks at the customers that were looked at longest ago, a bounded number
// of them. It ends at once when Payment Kit does not answer.
func (m *Mirror) SyncDue(ctx context.Context) error {
	due, err := m.Store.DueCustomers(ctx, m.Now().Add(-every), perRun)
	if err != nil {
		return err
	}
	var failed error
	for _, c := range due {
		err := m.sync(ctx, c)
		var down *paymentkit.DownError
		if errors.As(err, &down) || ctx.Err() != nil {
			return errors.Join(failed, err)
		}
		if err != nil {
			m.Log.Warn("customer not looked at", "user", c.UserID, "error", err)
			failed = errors.Join(failed, fmt.Errorf("user %s: %w", c.UserID, err))
		}
		// One that fails has its turn again like the others, not before them.
		if err := m.Store.SyncedCustomer(ctx, c.UserID); err != nil {
			return errors.Join(failed, err)
		}
	}
	return failed
}

// Sync looks at one user's grants and balance. A user without a DID has none.
func (m *Mirror) Sync(ctx context.Context, userID string) error {
	c, err := m.Store.CustomerOf(ctx, userID)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(m.sync(ctx, c), m.Store.SyncedCustomer(ctx, userID))
}

// SyncNamed is Sync for somebody who is known by DID, or by an id at Payment Kit;
// strangers are passed over.
func (m *Mirror) SyncNamed(ctx context.Context, name string) error {
	c, err := m.Store.CustomerNamed(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(m.sync(ctx, c), m.Store.SyncedCustomer(ctx, c.UserID))
}

func (m *Mirror) sync(ctx context.Context, c store.Customer) error {
	meter, err := m.Shop.Meter(ctx)
	if err != nil {
		return err
	}
	if c.CustomerID == "" {
		there, err := m.Kit.Customer(ctx, c.DID)
		if err != nil {
			return err
		}
		c.CustomerID = there.ID
		if err := m.Store.NameCustomer(ctx, c.UserID, c.CustomerID); err != nil {
			return err
		}
	}
	grants, err := m.grants(ctx, c, meter)
	if err != nil {
		return err
	}
	if c.OpenedAt == nil {
		err = m.open(ctx, c, meter, grants)
	} else {
		err = m.follow(ctx, c, meter, grants)
	}
	if err != nil {
		return err
	}
	given, err := m.welcome(ctx, c, meter, grants)
	if err != nil {
		return err
	}
	if given {
		if grants, err = m.grants(ctx, c, meter); err != nil {
			return err
		}
		if err := m.follow(ctx, c, meter, grants); err != nil {
			return err
		}
	}
	return m.compare(ctx, c.UserID, meter)
}

// grants lists a customer's grants of the meter's currency, in the order in which
// they are spent.
func (m *Mirror) grants(ctx context.Context, c store.Customer, meter paymentkit.Meter) ([]grant, error) {
	var out []grant
	seen := map[string]bool{}
	for n := 1; n <= pages; n++ {
		part, count, err := m.Kit.Grants(ctx, c.CustomerID, meter.CurrencyID, n, page)
		if err != nil {
			return nil, err
		}
		for _, g := range part {
			if seen[g.ID] || (g.CurrencyID != "" && g.CurrencyID != meter.CurrencyID) {
				continue
			}
			seen[g.ID] = true
			v, err := readGrant(g, meter)
			if err != nil {
				return nil, fmt.Errorf("grant %s: %w", g.ID, err)
			}
			out = append(out, v)
		}
		if len(part) < page || n*page >= count {
			slices.SortStableFunc(out, bySpending)
			return out, nil
		}
	}
	return nil, fmt.Errorf("customer %s has more than %d grants", c.CustomerID, pages*page)
}

// grant is one of Payment Kit's with its amounts as credits.
type grant struct {
	paymentkit.Grant
	amount, remaining money.Credits
}

func readGrant(g paymentkit.Grant, meter paymentkit.Meter) (grant, error) {
	v := grant{Grant: g}
	var err1, err2 error
	v.amount, err1 = meter.Currency.Credits(g.Amount)
	v.remaining, err2 = meter.Currency.Credits(g.Remaining)
	if v.remaining < 0 || v.remaining > v.amount {
		return v, fmt.Errorf("%s of %s remain", g.Remaining, g.Amount)
	}
	return v, errors.Join(err1, err2)
}

func bySpending(a, b grant) int {
	end := func(g grant) int64 {
		if g.ExpiresAt == 0 {
			return math.MaxInt64
		}
		return g.ExpiresAt
	}
	return cmp.Or(cmp.Compare(a.Priority, b.Priority), cmp.Compare(end(a), end(b)), cmp.Compare(a.ID, b.ID))
}

// good reports a grant that is spent from, or was.
func (g grant) good() bool {
	return g.Status == paymentkit.GrantGranted || g.Status == paymentkit.GrantDepleted
}

// over reports a grant that was ended with something left, or not.
func (g grant) over() bool {
	return g.Status == paymentkit.GrantExpired || g.Status == paymentkit.GrantVoided
}

// LocalID is the id under which a grant of Payment Kit is applied.
func LocalID(outsideID string) string { return "pk/" + outsideID }

// apply gives amount of a grant here and reports whether that was news.
func (m *Mirror) apply(ctx context.Context, c store.Customer, g grant, amount money.Credits) (news bool, err error) {
	if amount == 0 {
		return false, m.Store.SkipMirror(ctx, c.UserID, g.ID)
	}
	row := store.Grant{ID: LocalID(g.ID), AccountID: c.AccountID, Kind: kindOf(g.Grant), Name: g.Name, Amount: amount, Priority: priorityOf(g.Grant),
		Actor: "payment-kit", Reason: "granted by Payment Kit"}
	if row.Kind == ledger.Purchased {
		row.Cause = "payment"
	}
	if g.ExpiresAt > 0 {
		end := time.Unix(g.ExpiresAt, 0).UTC()
		row.ExpiresAt = &end
	}
	err = m.Store.Do(ctx, m.Store.MirrorUnit(c.UserID, g.ID, row, g.remaining))
	if errors.Is(err, store.ErrConflict) || errors.Is(err, store.ErrExists) {
		return false, nil // another process was first
	}
	return err == nil, err
}

// applyNew gives a grant that was made since the last look, and tells its user.
func (m *Mirror) applyNew(ctx context.Context, c store.Customer, g grant) error {
	news, err := m.apply(ctx, c, g, g.amount)
	if err != nil || !news || m.Congratulate == nil {
		return err
	}
	if err := m.Congratulate(ctx, c.DID, g.amount); err != nil {
		m.Log.Warn("user not told of credits", "user", c.UserID, "error", err)
	}
	return nil
}

// open takes over what a customer has when the hub first meets it: what is left of
// its grants, less what it has used in advance. What is used beyond all of them is
// a debt here, as it is there.
func (m *Mirror) open(ctx context.Context, c store.Customer, meter paymentkit.Meter, grants []grant) error {
	pending, err := m.pending(ctx, c, meter)
	if err != nil {
		return err
	}
	for _, g := range grants {
		switch {
		case g.good():
			take := min(g.remaining, pending)
			pending -= take
			_, err = m.apply(ctx, c, g, g.remaining-take)
		case g.over():
			err = m.Store.SkipMirror(ctx, c.UserID, g.ID)
		}
		if err != nil {
			return err
		}
	}
	if pending > 0 {
		_, err := m.Book.Reverse(ctx, ledger.Reversal{ID: "pk/open/" + c.UserID, AccountID: c.AccountID, Cause: ledger.Correction, Amount: pending,
			Actor: "payment-kit", Reason: "used at Payment Kit beyond what was granted"})
		if err != nil {
			return err
		}
	}
	return m.Store.OpenCustomer(ctx, c.UserID, -pending)
}

func (m *Mirror) pending(ctx context.Context, c store.Customer, meter paymentkit.Meter) (money.Credits, error) {
	all, err := m.Kit.PendingAmount(ctx, c.CustomerID)
	if err != nil {
		return 0, err
	}
	return meter.Currency.Credits(all[meter.CurrencyID])
}

// follow applies what is new and takes back what has ended.
func (m *Mirror) follow(ctx context.Context, c store.Customer, meter paymentkit.Meter, grants []grant) error {
	rows, err := m.Store.MirroredGrants(ctx, c.UserID)
	if err != nil {
		return err
	}
	known := make(map[string]store.MirroredGrant, len(rows))
	for _, r := range rows {
		known[r.ID] = r
	}
	for _, g := range grants {
		row, have := known[g.ID]
		switch {
		case g.good() && !have:
			err = m.applyNew(ctx, c, g)
		case g.over() && !have:
			err = m.applyOver(ctx, c, g)
		case g.over() && !row.Ended:
			err = m.end(ctx, c, g, row)
		case g.good() && !row.Ended && row.Remaining != g.remaining:
			err = m.Store.SeeMirror(ctx, g.ID, g.remaining)
		}
		if err != nil {
			return fmt.Errorf("grant %s: %w", g.ID, err)
		}
	}
	return nil
}

// applyOver applies a grant that came and went between two looks: what was used of
// it has paid for usage of this hub.
func (m *Mirror) applyOver(ctx context.Context, c store.Customer, g grant) error {
	used := g.amount - g.remaining
	g.ExpiresAt, g.remaining = 0, 0
	if _, err := m.apply(ctx, c, g, used); err != nil || used == 0 {
		return err
	}
	return m.Store.EndMirror(ctx, c.UserID, g.ID, 0)
}

// end takes back what was left of a grant when it ended. What its expiry has taken
// here already counts; usage that had not been reported by then becomes a debt, as
// it is usage beyond all grants there.
func (m *Mirror) end(ctx context.Context, c store.Customer, g grant, row store.MirroredGrant) error {
	left := g.remaining
	if left == 0 {
		left = row.Remaining // some versions clear what they take
	}
	local := LocalID(g.ID)
	if _, err := m.Book.Balance(ctx, c.AccountID); err != nil { // expires what is due
		return err
	}
	waits, err := m.expiring(ctx, c.AccountID, local)
	if err != nil || waits {
		return err
	}
	expired, err := m.Store.ExpiredOf(ctx, local)
	if err != nil {
		return err
	}
	switch {
	case left > expired:
		_, err = m.Book.Reverse(ctx, ledger.Reversal{ID: local, AccountID: c.AccountID, GrantID: local, Cause: ledger.Correction, Amount: left - expired,
			Actor: "payment-kit", Reason: "grant " + g.Status + " at Payment Kit"})
	case left < expired:
		err = m.Book.Adjust(ctx, ledger.Adjustment{ID: local + "/back", AccountID: c.AccountID, Amount: expired - left,
			Actor: "payment-kit", Reason: "less was left of the grant at Payment Kit"})
	}
	if err != nil {
		return err
	}
	return m.Store.EndMirror(ctx, c.UserID, g.ID, left)
}

// expiring reports a grant that running calls may still spend after its end: then
// what has become of it is known later.
func (m *Mirror) expiring(ctx context.Context, accountID, grantID string) (bool, error) {
	all, err := m.Store.Grants(ctx, accountID)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(all, func(g store.Grant) bool { return g.ID == grantID && g.State == "expiring" && g.Remaining > 0 }), nil
}
