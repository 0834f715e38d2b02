package paymentkit_test

import (
	"errors"
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

func open(t *testing.T) (*fakepaymentkit.Server, *paymentkit.Client) {
	t.Helper()
	s := fakepaymentkit.New(t)
	return s, &paymentkit.Client{Base: func() (string, error) { return s.URL, nil }, Live: true,
		Sign: func(r *http.Request, body []byte) error { return s.Key.Sign(r, body, "zHub", time.Now()) }}
}

func TestEveryCallIsUnderstoodByTheStandIn(t *testing.T) {
	t.Parallel()
	s, c := open(t)
	ctx := t.Context()
	_, err := c.Meter(ctx, "hub-meter")
	require.True(t, paymentkit.NotFound(err), "%v", err)
	m, err := c.CreateMeter(ctx, paymentkit.NewMeter{Name: "Hub", EventName: "hub-meter", Unit: "credits", Aggregation: "sum", Decimal: 9})
	require.NoError(t, err)
	again, err := c.Meter(ctx, "hub-meter")
	require.NoError(t, err)
	assert.Equal(t, m, again)
	assert.True(t, m.Currency.Exact())
	require.NoError(t, c.UpdateMeter(ctx, m.ID, "USD", nil))

	v, err := c.Customer(ctx, "zUser")
	require.NoError(t, err)
	assert.Equal(t, "zUser", v.DID)
	g, err := c.CreateGrant(ctx, paymentkit.NewGrant{CustomerID: v.ID, CurrencyID: m.CurrencyID, Amount: 100*money.Credit + 1, Name: "<welcome> & more",
		Category: paymentkit.Promotional, ExpiresAt: 4_000_000_000, Metadata: map[string]any{"a": "b"}})
	require.NoError(t, err)
	list, n, err := c.Grants(ctx, v.ID, m.CurrencyID, 1, 10)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	assert.Equal(t, []paymentkit.Grant{g}, list)
	amount, err := m.Currency.Credits(g.Remaining)
	require.NoError(t, err)
	assert.Equal(t, 100*money.Credit+1, amount)

	e := paymentkit.MeterEvent{EventName: "hub-meter", Timestamp: time.Now().Unix(), Identifier: "batch-1",
		Payload: paymentkit.MeterPayload{CustomerID: "zUser", Value: 123_456_789}}
	require.NoError(t, c.CreateMeterEvent(ctx, e))
	require.NoError(t, c.CreateMeterEvent(ctx, e), "a repeat is quiet")
	s.Refuses = true
	require.ErrorIs(t, c.CreateMeterEvent(ctx, e), paymentkit.ErrRepeated)
	assert.Equal(t, money.Credits(123_456_789), s.Reported("zUser"), "and counts once")
	sum, err := c.Summary(ctx, v.ID)
	require.NoError(t, err)
	assert.Equal(t, "99876543212", sum[m.CurrencyID].Remaining)
	pending, err := c.PendingAmount(ctx, v.ID)
	require.NoError(t, err)
	assert.Empty(t, pending)
	_, n, err = c.Transactions(ctx, v.ID, m.ID, 1, 10)
	require.NoError(t, err)
	assert.Equal(t, 1, n)
	require.NoError(t, c.ExpireGrant(ctx, g.ID, nil))
	a, err := c.VerifyAvailability(ctx, "zUser", m.CurrencyID, "0")
	require.NoError(t, err)
	assert.False(t, a.CanContinue)

	all, err := c.Currencies(ctx)
	require.NoError(t, err)
	require.NotEmpty(t, all)
	require.NoError(t, c.CreateProduct(ctx, paymentkit.Product{Name: "Credits", Type: "credit", Prices: []paymentkit.NewPrice{{Type: "one_time", UnitAmount: "1",
		CurrencyID: all[0].ID, LookupKey: "KEY"}}}))
	p, err := c.Price(ctx, "KEY")
	require.NoError(t, err)
	l, err := c.CreatePaymentLink(ctx, paymentkit.PaymentLink{Name: "Buy", LookupKey: "LINK", Items: []paymentkit.LinkItem{{PriceID: p.ID, Quantity: 1}}})
	require.NoError(t, err)
	found, err := c.PaymentLink(ctx, "LINK")
	require.NoError(t, err)
	assert.Equal(t, l, found)
	none, err := c.RechargeConfig(ctx, m.CurrencyID)
	require.NoError(t, err)
	assert.Nil(t, none)
	require.NoError(t, c.SetRechargeConfig(ctx, m.CurrencyID, paymentkit.Recharge{PriceID: p.ID, LinkID: l.ID, CheckoutURL: "https://x/y?a=b&c=d"}))
	some, err := c.RechargeConfig(ctx, m.CurrencyID)
	require.NoError(t, err)
	assert.Equal(t, "https://x/y?a=b&c=d", some.CheckoutURL)
	made, err := c.CreateNotificationSetting(ctx, paymentkit.NotificationSetting{Type: "notification", MountLocation: "zHub"})
	require.NoError(t, err)
	kept, err := c.NotificationSetting(ctx, "zHub")
	require.NoError(t, err)
	assert.Equal(t, made.ID, kept.ID)
	assert.Empty(t, s.Bad)
}

func TestWhatMayPassIsToldFromWhatWillNot(t *testing.T) {
	t.Parallel()
	s, c := open(t)
	for fault, refused := range map[fakepaymentkit.Fault]bool{fakepaymentkit.Deny: true, fakepaymentkit.Busy: false, fakepaymentkit.Fail: false,
		fakepaymentkit.Cut: false, fakepaymentkit.Lose: false} {
		s.Break(func(*http.Request) fakepaymentkit.Fault { return fault })
		err := c.CreateMeterEvent(t.Context(), paymentkit.MeterEvent{EventName: "m", Identifier: "i"})
		require.Error(t, err)
		assert.Equal(t, refused, paymentkit.Refused(err), "%d: %v", fault, err)
	}
	away := &paymentkit.Client{Base: func() (string, error) { return "", errors.New("not running") }}
	_, err := away.Meter(t.Context(), "m")
	var down *paymentkit.DownError
	require.ErrorAs(t, err, &down)
}

func TestUnitsAreConvertedExactly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		decimal int
		units   string
		credits money.Credits
	}{
		{9, "1", 1}, {10, "10", 1}, {18, "1000000000000000000", money.Credit}, {2, "123", 1_230_000_000}, {0, "7", 7 * money.Credit},
		{10, "92233720368547758070", math.MaxInt64}, {9, "0", 0}, {10, "-20", -2},
	} {
		cur := paymentkit.Currency{Decimal: c.decimal}
		got, err := cur.Credits(c.units)
		require.NoError(t, err)
		assert.Equal(t, c.credits, got, "%s at %d", c.units, c.decimal)
		back, err := cur.Units(c.credits)
		require.NoError(t, err)
		assert.Equal(t, c.units, back)
	}
	ten := paymentkit.Currency{Decimal: 10}
	for units, want := range map[string]money.Credits{"19": 1, "9": 0, "-1": -1, "": 0} {
		got, err := ten.Credits(units)
		require.NoError(t, err)
		assert.Equal(t, want, got, units)
	}
	up, err := paymentkit.Currency{Decimal: 2}.Units(1)
	require.NoError(t, err)
	assert.Equal(t, "1", up, "what is owed is never understated")
	for _, bad := range []string{"1.5", "1e3", "x", "92233720368547758080", "+ 1"} {
		_, err := ten.Credits(bad)
		require.Error(t, err, bad)
	}
	_, err = paymentkit.Currency{Decimal: 99}.Credits("1")
	require.Error(t, err)
}
