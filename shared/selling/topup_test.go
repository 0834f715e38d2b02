package selling_test

import (
	"context"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

// topUpWorld is a user with 5 credits and a kept card, who wants 10 more whenever
// fewer than 3 are left, for at most 25 dollars a month.
func topUpWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.saveCard()
	return w
}

func (w *world) saveCard() {
	w.t.Helper()
	w.fake.Pay(w.checkout("5", true))
	w.deliver(w.fake.Take()...)
	_, err := w.shop.SetTopUp(w.t.Context(), w.caller(), nano(w.t, "3"), nano(w.t, "10"), nano(w.t, "25"))
	require.NoError(w.t, err)
}

func (w *world) topUp() {
	w.t.Helper()
	require.NoError(w.t, w.shop.TopUp(w.t.Context()))
}

// due lets time pass: rests are over, and payments are looked after.
func (w *world) due() {
	w.t.Helper()
	for _, q := range []string{"UPDATE auto_topups SET not_before = 0", "UPDATE payments SET check_at = 0"} {
		require.NoError(w.t, w.store.Exec(w.t.Context(), q))
	}
}

func TestAWalletThatIsLowIsToppedUp(t *testing.T) {
	t.Parallel()
	w := topUpWorld(t)
	w.topUp()
	balance, _ := w.wallet()
	assert.Equal(t, "5", balance, "not low")
	w.spend("2.5")
	w.topUp()
	balance, _ = w.wallet()
	assert.Equal(t, "12.5", balance)
	w.deliver(w.fake.Take()...) // the webhook comes after the answer
	w.topUp()
	balance, _ = w.wallet()
	assert.Equal(t, "12.5", balance)
	sum, n := w.fake.Charged()
	assert.EqualValues(t, 1500, sum)
	assert.Equal(t, 2, n)
	r, err := w.shop.Receipt(t.Context(), w.user.ID, 2)
	require.NoError(t, err)
	assert.Equal(t, "ada@example.com", r.Email, "the buyer is that of the last purchase")
	w.requireCleanBooks()
}

func TestTopUpsStopAtTheMonthsCap(t *testing.T) {
	t.Parallel()
	w := topUpWorld(t)
	w.spend("5")
	for range 4 {
		w.topUp()
		if balance, _ := w.wallet(); balance != "0" {
			w.spend(balance)
		}
	}
	sum, _ := w.fake.Charged()
	assert.EqualValues(t, 500+2000, sum, "a third one would be 30 dollars")
	spent, err := w.store.MonthSpent(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.EqualValues(t, 2000, spent)
	w.requireCleanBooks()
}

func TestManyProcessesChargeOnce(t *testing.T) {
	t.Parallel()
	fake := fakestripe.Start(t)
	path := filepath.Join(t.TempDir(), "hub.db")
	w := openWorld(t, openStore(t, "file:"+path), fake)
	w.saveCard()
	w.spend("5")
	other := *w.shop
	other.Store = openStore(t, "file:"+path)
	var wg sync.WaitGroup
	for i := range 12 {
		shop := w.shop
		if i%2 == 1 {
			shop = &other
		}
		wg.Go(func() {
			_ = shop.TopUp(context.Background()) // the file may be busy
			_ = shop.Follow(context.Background())
		})
	}
	wg.Wait()
	w.due()
	require.NoError(t, w.shop.Follow(t.Context()))
	w.deliver(fake.Take()...)
	balance, _ := w.wallet()
	assert.Equal(t, "10", balance)
	_, n := fake.Charged()
	assert.Equal(t, 2, n)
	w.requireCleanBooks()
}

func TestALostAnswerNeverChargesTwice(t *testing.T) {
	t.Parallel()
	for name, heal := range map[string]func(w *world){
		"asking again under the same key": func(w *world) {
			w.due()
			require.NoError(w.t, w.shop.Follow(w.t.Context()))
		},
		"the webhook": func(w *world) { w.deliver(w.fake.Take()...) },
		"asking for the customer's charges when the key is forgotten": func(w *world) {
			w.fake.ForgetKeys()
			w.at = time.Now().Add(24 * time.Hour)
			w.due()
			require.NoError(w.t, w.shop.Follow(w.t.Context()))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := topUpWorld(t)
			w.spend("5")
			w.fake.Plan(fakestripe.Faults{Drop: 3})
			w.topUp()
			w.fake.Plan(fakestripe.Faults{})
			balance, _ := w.wallet()
			assert.Equal(t, "0", balance)
			w.topUp() // while the outcome is not known, no other one begins
			heal(w)
			balance, _ = w.wallet()
			assert.Equal(t, "10", balance)
			w.deliver(w.fake.Take()...)
			balance, _ = w.wallet()
			assert.Equal(t, "10", balance)
			_, n := w.fake.Charged()
			assert.Equal(t, 2, n)
			w.requireCleanBooks()
		})
	}
}

func TestAChargeThatNeverReachedTheProviderIsGivenUp(t *testing.T) {
	t.Parallel()
	w := topUpWorld(t)
	w.spend("5")
	w.fake.Plan(fakestripe.Faults{Errors: 1})
	w.topUp()
	w.at = time.Now().Add(24 * time.Hour)
	w.due()
	require.NoError(t, w.shop.Follow(t.Context()))
	w.at = time.Time{}
	w.topUp()
	balance, _ := w.wallet()
	assert.Equal(t, "10", balance)
	w.requireCleanBooks()
}

func TestACardThatIsRefusedStopsTopUps(t *testing.T) {
	t.Parallel()
	w := topUpWorld(t)
	w.spend("5")
	w.fake.SetDecline("card_declined")
	for range 5 {
		w.due()
		w.topUp()
		w.topUp() // rests
		w.deliver(w.fake.Take()...)
	}
	sum, _ := w.fake.Charged()
	assert.EqualValues(t, 500, sum)
	top, err := w.store.TopUpOf(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.False(t, top.Enabled)
	assert.EqualValues(t, 3, top.Failures, "each counted once, though the answer and the webhook tell it")
	assert.Equal(t, "card_declined", top.Error)
	assert.Equal(t, []notify.Kind{notify.TopUpFailed, notify.TopUpFailed, notify.TopUpFailed}, w.kinds())
	assert.Equal(t, []string{w.user.Email}, w.told[0].To)

	w.fake.SetDecline("")
	_, err = w.shop.SetTopUp(t.Context(), w.caller(), nano(t, "3"), nano(t, "10"), nano(t, "25"))
	require.NoError(t, err)
	w.topUp()
	balance, _ := w.wallet()
	assert.Equal(t, "10", balance)
	w.requireCleanBooks()
}

func TestTopUpsNeedACardAndAReasonableCap(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.shop.SetTopUp(t.Context(), w.caller(), nano(t, "3"), nano(t, "10"), nano(t, "25"))
	assert.Equal(t, hub.CodeConflict, hub.CodeOf(err))
	w.fake.Pay(w.checkout("5", false))
	w.deliver(w.fake.Take()...)
	_, err = w.shop.SetTopUp(t.Context(), w.caller(), nano(t, "3"), nano(t, "10"), nano(t, "25"))
	assert.Equal(t, hub.CodeConflict, hub.CodeOf(err), "the card was not kept")
	for param, n := range map[string][3]string{"threshold": {"-1", "10", "25"}, "credits": {"3", "0.5", "25"}, "monthly_cap": {"3", "10", "9.99"}} {
		_, err := w.shop.SetTopUp(t.Context(), w.caller(), nano(t, n[0]), nano(t, n[1]), nano(t, n[2]))
		assert.Equal(t, param, hub.AsError(err).Param)
	}
	w.requireCleanBooks()
}

func TestADisputedAccountIsNotChargedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	intent := w.fake.Pay(w.checkout("5", true))
	w.deliver(w.fake.Take()...)
	_, err := w.shop.SetTopUp(t.Context(), w.caller(), nano(t, "3"), nano(t, "10"), nano(t, "25"))
	require.NoError(t, err)
	w.spend("5")
	w.fake.Dispute(intent, 500, false)
	w.deliver(w.fake.Take()...)
	w.topUp()
	_, n := w.fake.Charged()
	assert.Equal(t, 1, n)
	w.requireCleanBooks()
}

func TestAForeignChargeWithTheHubsWordsOnItGivesNothing(t *testing.T) {
	t.Parallel()
	w := topUpWorld(t)
	w.spend("5")
	w.fake.Plan(fakestripe.Faults{Errors: 1})
	w.topUp() // recorded, not charged
	due, err := w.store.DuePayments(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, due)
	w.due()
	due, err = w.store.DuePayments(t.Context(), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	body := []byte(`{"id":"evt_x","type":"payment_intent.succeeded","data":{"object":{"id":"pi_x","status":"succeeded","amount":1000,"amount_received":1000,
"currency":"usd","customer":"cus_somebody","metadata":{"aigne_hub_payment":"` + due[0].ID + `"}}}}`)
	require.NoError(t, w.shop.Webhook(t.Context(), fakestripe.Sign(fakestripe.WebhookSecret, body, time.Now()), body))
	balance, _ := w.wallet()
	assert.Equal(t, "0", balance)
	w.requireCleanBooks()
}

func TestWhereTaxIsAddedThereAreNoTopUps(t *testing.T) {
	t.Parallel()
	w := topUpWorld(t)
	w.spend("5")
	w.shop.Terms.Tax = true
	w.topUp()
	w.shop.Nudge(w.user.AccountID)
	_, n := w.fake.Charged()
	assert.Equal(t, 1, n)
	_, err := w.shop.SetTopUp(t.Context(), w.caller(), nano(t, "3"), nano(t, "10"), nano(t, "25"))
	assert.Equal(t, hub.CodeConflict, hub.CodeOf(err))
}
