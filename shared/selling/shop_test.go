package selling_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
)

func TestAPurchaseGivesItsCreditsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := w.checkout("12.5", false)
	balance, _ := w.wallet()
	assert.Equal(t, "0", balance, "nothing before it is paid")
	w.fake.Pay(address)
	events := w.fake.Take()
	w.deliver(events...)
	w.deliver(events...)
	balance, _ = w.wallet()
	assert.Equal(t, "12.5", balance)
	receipts, err := w.shop.Receipts(t.Context(), w.user.ID, 0, 10)
	require.NoError(t, err)
	require.Len(t, receipts, 1)
	r := receipts[0]
	assert.Equal(t, "000001", r.Number)
	assert.Equal(t, "12.50", r.Total)
	assert.Equal(t, "USD", r.Currency)
	assert.Equal(t, []string{"Ada <Buyer>", "1 Main St", "12345 Town", "DE"}, r.Buyer)
	assert.Equal(t, []string{"DE123456789"}, r.TaxIDs)
	assert.Equal(t, []string{"Example Ltd"}, r.Seller)
	sum, n := w.fake.Charged()
	assert.EqualValues(t, 1250, sum)
	assert.Equal(t, 1, n)
	w.requireCleanBooks()
}

func TestWhatIsOrderedIsCheckedAndPriced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for param, o := range map[string]selling.Order{
		"credits": {Credits: money.Credit / 2}, "package": {Package: "7"},
	} {
		_, _, err := w.shop.Checkout(t.Context(), w.caller(), o, false)
		require.Error(t, err)
		assert.Equal(t, param, hub.AsError(err).Param)
	}
	p, address, err := w.shop.Checkout(t.Context(), w.caller(), selling.Order{Package: "50"}, false)
	require.NoError(t, err)
	assert.EqualValues(t, 4750, p.Amount)
	w.fake.Pay(address)
	w.deliver(w.fake.Take()...)
	balance, _ := w.wallet()
	assert.Equal(t, "50", balance)
	closed := &selling.Shop{}
	_, _, err = closed.Checkout(t.Context(), w.caller(), selling.Order{Package: "50"}, false)
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	w.requireCleanBooks()
}

func TestPricesAreRoundedUpToTheSmallestUnit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		currency, price, credits string
		want                     int64
	}{
		{"usd", "1", "1", 100}, {"usd", "1", "0.500000001", 51}, {"usd", "0.000001", "10000", 1}, {"usd", "0.000001", "10001", 2},
		{"jpy", "150", "1", 150}, {"jpy", "150", "0.001", 1}, {"kwd", "0.3", "1", 300}, {"kwd", "0.3", "1.001", 310}, {"usd", "1", "1000000", 100_000_000},
	} {
		got, err := selling.Terms{Currency: tt.currency, Price: nano(t, tt.price)}.Cost(nano(t, tt.credits))
		require.NoError(t, err)
		assert.Equal(t, tt.want, got, "%+v", tt)
	}
	assert.Equal(t, "12.30 USD", selling.Money(1230, "usd"))
	assert.Equal(t, "0.05 EUR", selling.Money(5, "eur"))
	assert.Equal(t, "1230 JPY", selling.Money(1230, "jpy"))
	assert.Equal(t, "-1.230", selling.Decimal(-1230, "kwd"))
	p, err := selling.ParsePackages("10=10, 50=47.5", "usd")
	require.NoError(t, err)
	assert.Equal(t, []selling.Package{{ID: "10", Credits: 10 * money.Credit, Amount: 1000}, {ID: "50", Credits: 50 * money.Credit, Amount: 4750}}, p)
	for _, bad := range []string{"", "10", "10=", "0=1", "10=-1", "10=1,10=2", "x=1"} {
		_, err := selling.ParsePackages(bad, "usd")
		require.Error(t, err, bad)
	}
}

func TestAWebhookThatIsNotStripesChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := w.checkout("5", false)
	w.fake.Pay(address)
	events := w.fake.Take()
	e := events[len(events)-1]
	now := time.Now()
	good := e.Signature(now)
	forged := strings.Replace(string(e.Body), `"amount_total":500`, `"amount_total":900`, 1)
	require.NotEqual(t, forged, string(e.Body))
	for name, send := range map[string]struct {
		header string
		body   []byte
	}{
		"no signature": {"", e.Body}, "another secret": {fakestripe.Sign("whsec_other", e.Body, now), e.Body},
		"an empty secret": {fakestripe.Sign("", e.Body, now), e.Body}, "too old": {e.Signature(now.Add(-6 * time.Minute)), e.Body},
		"from the future": {e.Signature(now.Add(6 * time.Minute)), e.Body}, "another body": {good, []byte(forged)},
		"only the test scheme": {strings.Replace(good, "v1=", "v0=", 1), e.Body}, "no time": {strings.SplitN(good, ",", 2)[1], e.Body},
		"another time": {"t=1," + strings.SplitN(good, ",", 2)[1], e.Body},
	} {
		err := w.shop.Webhook(t.Context(), send.header, send.body)
		require.Error(t, err, name)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), name)
	}
	w.shop.Secret = ""
	for _, header := range []string{good, fakestripe.Sign("", e.Body, now)} {
		assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(w.shop.Webhook(t.Context(), header, e.Body)), "without a secret nothing is taken")
	}
	balance, _ := w.wallet()
	assert.Equal(t, "0", balance)
	w.shop.Secret = fakestripe.WebhookSecret
	require.NoError(t, w.shop.Webhook(t.Context(), "t="+strings.TrimPrefix(strings.Split(good, ",")[0], "t=")+",v1=00ff,v0=aa,"+strings.Split(good, ",")[1], e.Body),
		"while a secret is rolled there are several signatures")
	balance, _ = w.wallet()
	assert.Equal(t, "5", balance)
	w.requireCleanBooks()
}

func TestAPaymentThatIsNotWhatWasAskedForGivesNothing(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]map[string]any{
		"less money": {"amount_subtotal": 1, "amount_total": 1}, "a discount": {"total_details": map[string]any{"amount_discount": 500, "amount_tax": 0}},
		"another currency": {"currency": "jpy"}, "nothing to pay": {"payment_status": "no_payment_required"}, "another customer": {"customer": "cus_other"},
		"less in all": {"amount_total": 100}, "negative tax": {"amount_total": 400, "total_details": map[string]any{"amount_tax": -100}}, "no intent": {"payment_intent": nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			address := w.checkout("5", false)
			w.fake.Pay(address)
			events := w.fake.Take()
			e := events[len(events)-1]
			var v map[string]any
			require.NoError(t, json.Unmarshal(e.Body, &v))
			object, ok := v["data"].(map[string]any)["object"].(map[string]any)
			require.True(t, ok)
			for k, x := range change {
				object[k] = x
			}
			body, err := json.Marshal(v)
			require.NoError(t, err)
			for range 2 {
				require.NoError(t, w.shop.Webhook(t.Context(), fakestripe.Sign(fakestripe.WebhookSecret, body, time.Now()), body), "a repeat would not help")
			}
			balance, _ := w.wallet()
			assert.Equal(t, "0", balance)
			assert.Equal(t, []notify.Kind{notify.PaymentMismatch}, w.kinds())
			w.requireCleanBooks()
		})
	}
}

func TestASessionThatThisHubDidNotMakeIsNobodysBusiness(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := w.checkout("5", false)
	w.fake.Pay(address)
	events := w.fake.Take()
	e := events[len(events)-1]
	body := []byte(strings.Replace(string(e.Body), `"id":"cs_`, `"id":"cs_other_`, 1)) // with this hub's metadata and reference
	require.NotEqual(t, string(e.Body), string(body))
	require.NoError(t, w.shop.Webhook(t.Context(), fakestripe.Sign(fakestripe.WebhookSecret, body, time.Now()), body))
	balance, _ := w.wallet()
	assert.Equal(t, "0", balance)
	assert.Empty(t, w.kinds())
	w.requireCleanBooks()
}

func TestALostWebhookIsFoundOutByAsking(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fake.Pay(w.checkout("5", false))
	w.fake.Expire(w.checkout("6", false))
	w.checkout("7", false) // stays open
	w.fake.Take()          // lost
	require.NoError(t, w.store.Exec(t.Context(), "UPDATE payments SET check_at = 0"))
	require.NoError(t, w.shop.Follow(t.Context()))
	balance, _ := w.wallet()
	assert.Equal(t, "5", balance)
	asked := w.fake.Requests()
	require.NoError(t, w.shop.Follow(t.Context()))
	assert.Equal(t, asked, w.fake.Requests(), "not asked again at once")
	due, err := w.store.DuePayments(t.Context(), 10)
	require.NoError(t, err)
	assert.Empty(t, due)
	w.requireCleanBooks()
}

func TestMoneyThatComesLaterGivesCreditsThen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	arrives, fails := w.checkout("5", false), w.checkout("6", false)
	w.fake.PayLater(arrives)
	w.fake.PayLater(fails)
	w.deliver(w.fake.Take()...)
	balance, _ := w.wallet()
	assert.Equal(t, "0", balance)
	w.fake.Arrive(arrives, true)
	w.fake.Arrive(fails, false)
	w.deliver(w.fake.Take()...)
	balance, _ = w.wallet()
	assert.Equal(t, "5", balance)
	w.at = time.Now().Add(31 * 24 * time.Hour)
	require.NoError(t, w.store.Exec(t.Context(), "UPDATE payments SET check_at = 0"))
	require.NoError(t, w.shop.Follow(t.Context()))
	w.requireCleanBooks()
}

func TestAProviderThatIsAwayIsSaid(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.checkout("5", false) // makes the customer
	w.fake.Plan(fakestripe.Faults{Errors: 1})
	_, _, err := w.shop.Checkout(t.Context(), w.caller(), selling.Order{Credits: money.Credit}, false)
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	w.fake.Plan(fakestripe.Faults{Drop: 5})
	_, _, err = w.shop.Checkout(t.Context(), w.caller(), selling.Order{Credits: money.Credit}, false)
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	assert.NotContains(t, err.Error(), fakestripe.Key)
	w.fake.Plan(fakestripe.Faults{})
	require.NoError(t, w.store.Exec(t.Context(), "UPDATE payments SET check_at = 0"))
	require.NoError(t, w.shop.Follow(t.Context()))
	w.requireCleanBooks()
}

func TestWhoNeverPaysIsSlowedDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := ""
	for range 20 {
		address = w.checkout("5", false)
	}
	_, _, err := w.shop.Checkout(t.Context(), w.caller(), selling.Order{Credits: 5 * money.Credit}, false)
	assert.Equal(t, hub.CodeRateLimited, hub.CodeOf(err))
	w.fake.Pay(address)
	w.deliver(w.fake.Take()...)
	w.checkout("5", false)
	w.requireCleanBooks()
}

func TestTaxIsOnTheReceiptAndNotInTheCredits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.shop.Terms.Tax = true
	intent := w.fake.Pay(w.checkout("10", false))
	w.deliver(w.fake.Take()...)
	balance, _ := w.wallet()
	assert.Equal(t, "10", balance)
	r, err := w.shop.Receipt(t.Context(), w.user.ID, 1)
	require.NoError(t, err)
	assert.Equal(t, [3]string{"10.00", "1.00", "11.00"}, [3]string{r.Net, r.Tax, r.Total})
	w.fake.Refund(intent, 1100)
	w.deliver(w.fake.Take()...)
	balance, _ = w.wallet()
	assert.Equal(t, "0", balance, "the whole of the money is the whole of the credits")
	w.requireCleanBooks()
}
