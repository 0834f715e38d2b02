package selling_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

func TestRefundsTakeCreditsInProportion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	intent := w.fake.Pay(w.checkout("10", false))
	w.deliver(w.fake.Take()...)
	w.fake.Refund(intent, 333)
	first := w.fake.Take()
	w.deliver(first...)
	balance, _ := w.wallet()
	assert.Equal(t, "6.67", balance)
	w.fake.Refund(intent, 333)
	w.deliver(w.fake.Take()...)
	w.deliver(first...) // late and again
	balance, _ = w.wallet()
	assert.Equal(t, "3.34", balance)
	w.fake.Refund(intent, 334)
	w.deliver(w.fake.Take()...)
	balance, debt := w.wallet()
	assert.Equal(t, [2]string{"0", "0"}, [2]string{balance, debt})
	r, err := w.shop.Receipt(t.Context(), "", 1)
	require.NoError(t, err)
	assert.Equal(t, "10.00", r.Refunded)
	assert.Equal(t, "10", r.Reversed.String())
	w.requireCleanBooks()
}

func TestWhatWasSpentBeforeItsRefundIsOwed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	intent := w.fake.Pay(w.checkout("10", false))
	w.deliver(w.fake.Take()...)
	w.spend("8")
	w.fake.Refund(intent, 1000)
	w.deliver(w.fake.Take()...)
	balance, debt := w.wallet()
	assert.Equal(t, [2]string{"0", "8"}, [2]string{balance, debt})
	w.fake.Pay(w.checkout("20", false))
	w.deliver(w.fake.Take()...)
	balance, debt = w.wallet()
	assert.Equal(t, [2]string{"12", "0"}, [2]string{balance, debt}, "the next purchase pays")
	w.requireCleanBooks()
}

func TestARefundThatComesBeforeItsPurchaseIsRemembered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	intent := w.fake.Pay(w.checkout("10", false))
	purchase := w.fake.Take()
	w.fake.Refund(intent, 400)
	refund := w.fake.Take()
	w.deliver(refund...)
	w.deliver(purchase...)
	balance, _ := w.wallet()
	assert.Equal(t, "6", balance)
	w.requireCleanBooks()
}

func TestADisputeTakesCreditsAndAWonOneGivesThemBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	intent := w.fake.Pay(w.checkout("10", false))
	w.deliver(w.fake.Take()...)
	w.spend("4")
	d := w.fake.Dispute(intent, 1000, false)
	w.deliver(w.fake.Take()...)
	balance, debt := w.wallet()
	assert.Equal(t, [2]string{"0", "4"}, [2]string{balance, debt})
	assert.Equal(t, []notify.Kind{notify.PaymentDispute}, w.kinds())
	w.fake.Close(d, true)
	w.deliver(w.fake.Take()...)
	balance, debt = w.wallet()
	assert.Equal(t, [2]string{"6", "0"}, [2]string{balance, debt})
	w.requireCleanBooks()
}

func TestADisputeInAnotherCurrencyStandsForTheWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	intent := w.fake.Pay(w.checkout("10", false))
	w.deliver(w.fake.Take()...)
	body := []byte(`{"id":"evt_x","type":"charge.dispute.created","data":{"object":{"id":"dp_1","amount":900,"currency":"eur","charge":"ch_1","payment_intent":"` + intent + `","status":"needs_response"}}}`)
	require.NoError(t, w.shop.Webhook(t.Context(), fakestripe.Sign(fakestripe.WebhookSecret, body, time.Now()), body))
	balance, debt := w.wallet()
	assert.Equal(t, [2]string{"0", "0"}, [2]string{balance, debt})
	w.requireCleanBooks()
}

func TestAnInquiryMovesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	intent := w.fake.Pay(w.checkout("10", false))
	d := w.fake.Dispute(intent, 1000, true)
	w.fake.Close(d, true)
	w.deliver(w.fake.Take()...)
	balance, debt := w.wallet()
	assert.Equal(t, [2]string{"10", "0"}, [2]string{balance, debt})
	w.requireCleanBooks()
}

func TestARefundThatFailedIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	intent := w.fake.Pay(w.checkout("10", false))
	w.deliver(w.fake.Take()...)
	for _, of := range []string{intent, "pi_of_another_shop"} {
		body := []byte(`{"id":"evt_` + of + `","type":"refund.failed","data":{"object":{"id":"re_1","amount":100,"currency":"usd","payment_intent":"` + of + `","failure_reason":"lost_or_stolen_card"}}}`)
		require.NoError(t, w.shop.Webhook(t.Context(), fakestripe.Sign(fakestripe.WebhookSecret, body, time.Now()), body))
	}
	assert.Equal(t, []notify.Kind{notify.PaymentRefund}, w.kinds())
}

// history is a random life of some payments: what Stripe told of it, and what the
// user must have at its end, less what is owed, in cents.
func history(w *world, rnd *rand.Rand) (events []fakestripe.Event, cents int64) {
	for range 1 + rnd.IntN(3) {
		price := 100 + rnd.Int64N(3000)
		address := w.checkout(selling.Decimal(price, "usd"), false)
		later, paid := rnd.IntN(3) == 0, rnd.IntN(4) > 0
		intent := ""
		switch {
		case rnd.IntN(6) == 0:
			w.fake.Expire(address)
			continue
		case later:
			w.fake.PayLater(address)
			intent = w.fake.Arrive(address, paid)
			if !paid {
				continue
			}
		default:
			intent = w.fake.Pay(address)
		}
		left := price
		for range rnd.IntN(3) {
			if left > 1 {
				part := 1 + rnd.Int64N(left-1)
				w.fake.Refund(intent, part)
				left -= part
			}
		}
		cents += left
		if rnd.IntN(2) == 0 {
			inquiry, closed, won := rnd.IntN(4) == 0, rnd.IntN(3) > 0, rnd.IntN(2) == 0
			part := 1 + rnd.Int64N(left)
			d := w.fake.Dispute(intent, part, inquiry)
			if closed {
				w.fake.Close(d, won)
			}
			if !inquiry && (!closed || !won) {
				cents -= part
			}
		}
	}
	return w.fake.Take(), cents
}

// play delivers the events in a random order, some of them twice, from two
// processes at once.
func play(t *testing.T, w *world, path string, events []fakestripe.Event, rnd *rand.Rand) {
	t.Helper()
	all := slices.Clone(events)
	for _, e := range events {
		for range rnd.IntN(3) {
			all = append(all, e)
		}
	}
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	other := *w.shop
	other.Store = openStore(t, "file:"+path)
	var wg sync.WaitGroup
	for i, shop := range []*selling.Shop{w.shop, &other} {
		wg.Go(func() {
			for j, e := range all {
				if j%2 != i {
					continue
				}
				for { // Stripe repeats what fails
					if err := shop.Webhook(context.Background(), e.Signature(time.Now()), e.Body); err == nil {
						break
					}
				}
			}
		})
	}
	wg.Wait()
}

// TestTheOrderOfEventsDoesNotMatter plays random histories; each is delivered to
// several copies of the hub in orders of their own: the wallets end as the money
// says, and the books are clean.
func TestTheOrderOfEventsDoesNotMatter(t *testing.T) {
	t.Parallel()
	rounds := 30
	if testing.Short() {
		rounds = 5
	}
	for seed := range rounds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 7)) //nolint:gosec // repeatable on purpose
		fake := fakestripe.Start(t)
		first := filepath.Join(t.TempDir(), "hub.db")
		s, err := store.Open(t.Context(), store.Options{URL: "file:" + first})
		require.NoError(t, err)
		_, err = s.Migrate(t.Context())
		require.NoError(t, err)
		w := openWorld(t, s, fake)
		events, cents := history(w, rnd)
		require.NoError(t, s.Close())
		image, err := os.ReadFile(first)
		require.NoError(t, err)
		for range 3 {
			path := filepath.Join(t.TempDir(), "hub.db")
			require.NoError(t, os.WriteFile(path, image, 0o600))
			w.store = openStore(t, "file:"+path)
			w.shop.Store = w.store
			play(t, w, path, events, rnd)
			a, err := w.store.AccountByID(t.Context(), w.user.AccountID)
			require.NoError(t, err)
			require.Equal(t, money.Credits(cents)*(money.Credit/100), a.Balance-a.Debt, "seed %d", seed)
			require.Zero(t, min(a.Balance, a.Debt), "what is there pays what is owed")
			w.requireCleanBooks()
		}
	}
}
