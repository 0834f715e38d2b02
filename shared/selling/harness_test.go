package selling_test

import (
	"context"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/stripe"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

// world is a shop over a database of its own, with one user, and a fake Stripe.
type world struct {
	t     *testing.T
	shop  *selling.Shop
	fake  *fakestripe.Stripe
	user  store.User
	store *store.Store
	at    time.Time // the shop's clock; zero: now

	mu   sync.Mutex
	told []notify.Event
}

func openStore(t *testing.T, url string) *store.Store {
	t.Helper()
	blank.At(t, url)
	s, err := store.Open(t.Context(), store.Options{URL: url})
	require.NoError(t, err)
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func newWorld(t *testing.T) *world {
	t.Helper()
	return openWorld(t, openStore(t, "file:"+filepath.Join(t.TempDir(), "hub.db")), fakestripe.Start(t))
}

func openWorld(t *testing.T, s *store.Store, fake *fakestripe.Stripe) *world {
	t.Helper()
	w := &world{t: t, store: s, fake: fake}
	w.shop = &selling.Shop{Store: s, Stripe: stripe.New(fakestripe.Key, fake.URL), Secret: fakestripe.WebhookSecret,
		Terms: selling.Terms{Currency: "usd", Price: money.Credit, Min: money.Credit, Max: 1000 * money.Credit,
			Packages: []selling.Package{{ID: "50", Credits: 50 * money.Credit, Amount: 4750}}},
		PublicURL: "https://hub.example", Seller: []string{"Example Ltd"}, Now: w.now, Log: slog.New(slog.DiscardHandler), Tell: w.tell}
	u, err := s.CreateUser(t.Context(), store.User{Email: s.NewID() + "@example.com", Role: hub.RoleMember})
	require.NoError(t, err)
	w.user = u
	return w
}

func (w *world) now() time.Time {
	if w.at.IsZero() {
		return time.Now()
	}
	return w.at
}

func (w *world) tell(_ context.Context, e notify.Event) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, old := range w.told {
		if old.ID == e.ID {
			return nil
		}
	}
	w.told = append(w.told, e)
	return nil
}

func (w *world) kinds() (out []notify.Kind) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.told {
		out = append(out, e.Kind)
	}
	return out
}

func (w *world) caller() hub.Caller {
	return hub.Caller{UserID: w.user.ID, AccountID: w.user.AccountID, Email: w.user.Email, Role: hub.RoleMember}
}

// checkout begins a purchase and returns the address to pay at.
func (w *world) checkout(credits string, save bool) string {
	w.t.Helper()
	_, address, err := w.shop.Checkout(w.t.Context(), w.caller(), selling.Order{Credits: nano(w.t, credits)}, save)
	require.NoError(w.t, err)
	return address
}

// deliver sends events to the webhook; each must be taken.
func (w *world) deliver(events ...fakestripe.Event) {
	w.t.Helper()
	for _, e := range events {
		require.NoError(w.t, w.shop.Webhook(w.t.Context(), e.Signature(w.now()), e.Body), e.Type)
	}
}

func nano(t *testing.T, text string) money.Credits {
	t.Helper()
	n, err := money.ParseCredits(text)
	require.NoError(t, err)
	return n
}

// wallet is what the user has, and owes.
func (w *world) wallet() (balance, debt string) {
	w.t.Helper()
	a, err := w.store.AccountByID(w.t.Context(), w.user.AccountID)
	require.NoError(w.t, err)
	return a.Balance.String(), a.Debt.String()
}

func (w *world) requireCleanBooks() {
	w.t.Helper()
	book := &ledger.Book{Store: w.store, Now: time.Now}
	r, err := book.Verify(w.t.Context())
	require.NoError(w.t, err)
	require.Empty(w.t, r.Violations)
	require.Empty(w.t, w.fake.Refused(), "nothing wrong was asked for")
}

// spend takes credits off the wallet, as calls do.
func (w *world) spend(credits string) {
	w.t.Helper()
	book := &ledger.Book{Store: w.store, Now: time.Now}
	require.NoError(w.t, book.Adjust(w.t.Context(), ledger.Adjustment{ID: w.store.NewID(), AccountID: w.user.AccountID, Amount: -nano(w.t, credits), Actor: "test", Reason: "spent"}))
}
