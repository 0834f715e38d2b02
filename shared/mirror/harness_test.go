package mirror_test

import (
	"context"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/mirror"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/outbox"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

const credit = money.Credit

// world is a hub with one customer of a Payment Kit.
type world struct {
	t      *testing.T
	s      *store.Store
	book   *ledger.Book
	kit    *fakepaymentkit.Server
	m      *mirror.Mirror
	report *outbox.Reporter
	user   store.User
	lease  string
	url    string
	moved  atomic.Int64 // how far the clock was moved

	mu   sync.Mutex
	told []notify.Event
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.moved.Load())) }

func (w *world) pass(d time.Duration) { w.moved.Add(int64(d)) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, kit: fakepaymentkit.New(t)}
	w.kit.Now = w.now
	var err error
	w.url = "file:" + filepath.Join(t.TempDir(), "hub.db")
	blank.At(t, w.url)
	w.s, err = store.Open(t.Context(), store.Options{URL: w.url, Now: w.now})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.s.Close() })
	_, err = w.s.Migrate(t.Context())
	require.NoError(t, err)
	w.s.ReportUsage(true)
	w.book = &ledger.Book{Store: w.s, Now: w.now}
	client := &paymentkit.Client{Base: func() (string, error) { return w.kit.URL, nil }, Live: true,
		Sign: func(r *http.Request, body []byte) error { return w.kit.Key.Sign(r, body, "zHub", w.now()) }}
	shop := &paymentkit.Shop{Client: client, HubDID: "zHub", AppPID: "zApp", CreditPrice: "1", Now: w.now, Tells: true,
		Page: func() (string, error) { return "https://app.example/payment", nil }}
	tell := func(_ context.Context, e notify.Event) error {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.told = append(w.told, e)
		return nil
	}
	w.m = &mirror.Mirror{Store: w.s, Book: w.book, Kit: client, Shop: shop, Line: 5 * credit, Tell: tell, Log: slog.New(slog.DiscardHandler), Now: w.now}
	w.report = &outbox.Reporter{Store: w.s, Kit: client, Ready: shop.Meter, Log: slog.New(slog.DiscardHandler), Now: w.now,
		Jitter: func(d time.Duration) time.Duration { return d }}
	w.user, err = w.s.CreateUser(t.Context(), store.User{Email: "a@example.com", Role: hub.RoleMember})
	require.NoError(t, err)
	w.user.DID = "zUser"
	require.NoError(t, w.s.SetDID(t.Context(), w.user.ID, w.user.DID))
	w.lease, err = w.s.OpenLease(t.Context())
	require.NoError(t, err)
	_, err = shop.Meter(t.Context())
	require.NoError(t, err)
	return w
}

// another is the mirror of another process on the same database.
func (w *world) another() *mirror.Mirror {
	w.t.Helper()
	s, err := store.Open(w.t.Context(), store.Options{URL: w.url, Now: w.now})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = s.Close() })
	return &mirror.Mirror{Store: s, Book: &ledger.Book{Store: s, Now: w.now}, Kit: w.m.Kit, Shop: w.m.Shop, Line: w.m.Line, HoldLocal: w.m.HoldLocal,
		Tell: w.m.Tell, Log: w.m.Log, Now: w.now}
}

func (w *world) sync() {
	w.t.Helper()
	require.NoError(w.t, w.m.Sync(context.Background(), w.user.ID))
}

func (w *world) account() store.Account {
	w.t.Helper()
	a, err := w.s.AccountByID(context.Background(), w.user.AccountID)
	require.NoError(w.t, err)
	return a
}

func (w *world) customer() store.Customer {
	w.t.Helper()
	c, err := w.s.CustomerOf(context.Background(), w.user.ID)
	require.NoError(w.t, err)
	return c
}

func (w *world) admit(hold money.Credits) (store.Admission, error) {
	w.t.Helper()
	v, err := w.s.ConfigVersion(context.Background())
	require.NoError(w.t, err)
	a := store.Admission{CallID: w.s.NewID(), Caller: hub.Caller{UserID: w.user.ID, AccountID: w.user.AccountID}, Type: hub.TypeChat, Dialect: "openai-chat",
		RequestedModel: "m", Owner: w.lease, ConfigVersion: v, RequestID: "r", Billing: true, OnAbort: "reported", OnFailure: "delivered", PlanJSON: "{}", Hold: hold}
	return a, w.s.Do(context.Background(), w.s.AdmitUnit(a))
}

func (w *world) settle(a store.Admission, amount money.Credits) {
	w.t.Helper()
	require.NoError(w.t, w.s.Do(context.Background(), w.s.SettleUnit(store.Settlement{CallID: a.CallID, Owner: a.Owner, UserID: w.user.ID, AccountID: w.user.AccountID,
		Type: hub.TypeChat, Billing: true, SplitGrants: true, Status: hub.StatusSuccess, Usage: hub.Usage{hub.Input: 1}, Source: hub.UsageReported, Amount: amount,
		Provider: "openai", Model: "m"})))
}

func (w *world) spend(amount money.Credits) {
	w.t.Helper()
	a, err := w.admit(amount)
	require.NoError(w.t, err)
	w.settle(a, amount)
}

func (w *world) reported() {
	w.t.Helper()
	require.NoError(w.t, w.report.Run(context.Background()))
	_, open, err := w.s.Unconfirmed(context.Background(), w.user.ID)
	require.NoError(w.t, err)
	require.False(w.t, open)
}

// there is the customer's balance at Payment Kit.
func (w *world) there() money.Credits {
	w.kit.Lock()
	defer w.kit.Unlock()
	c := w.kit.Customers[w.user.DID]
	sum := -c.Pending
	for _, g := range w.kit.Grants {
		if g.Customer == c.ID && g.Status == "granted" {
			sum += g.Remaining
		}
	}
	return sum
}

// here is the same by the hub's books: what is left of all but credit lines, less
// what was spent of those and what is owed.
func (w *world) here() money.Credits {
	w.t.Helper()
	all, err := w.s.Grants(context.Background(), w.user.AccountID)
	require.NoError(w.t, err)
	sum := -w.account().Debt
	for _, g := range all {
		if g.Kind == "credit_line" {
			sum -= g.Amount - g.Remaining - g.Repaid
			continue
		}
		sum += g.Remaining
	}
	return sum
}

func (w *world) clean() {
	w.t.Helper()
	violations, _, err := w.s.VerifyLedger(context.Background(), true)
	require.NoError(w.t, err)
	require.Empty(w.t, violations)
	require.Empty(w.t, w.kit.Bad)
}

// agree holds the two sides against each other.
func (w *world) agree() {
	w.t.Helper()
	assert.Equal(w.t, w.there(), w.here())
	assert.Equal(w.t, w.customer().Expected, w.there())
	w.clean()
}
