package paymentkit_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

func openShop(t *testing.T) (*fakepaymentkit.Server, *paymentkit.Shop, *atomic.Int64) {
	t.Helper()
	s, c := open(t)
	var moved atomic.Int64
	return s, &paymentkit.Shop{Client: c, HubDID: "zHub", AppPID: "zApp", Tells: true, CreditPrice: "0.01", Page: func() (string, error) { return "https://app/pay", nil },
		Now: func() time.Time { return time.Now().Add(time.Duration(moved.Load())) }}, &moved
}

func TestWhatIsMissingIsMadeOnceAndWhatIsThereIsLeftAlone(t *testing.T) {
	t.Parallel()
	s, shop, moved := openShop(t)
	for range 3 {
		require.NoError(t, shop.Ensure(t.Context()))
		moved.Add(int64(2 * time.Hour))
	}
	for made, n := range map[string]int{"POST meters": 1, "POST products": 1, "POST payment-links": 1, "POST settings": 1, "PUT payment-currencies": 1, "PUT meters": 0} {
		assert.Equal(t, n, s.Calls[made], made)
	}
	price := s.Objects["prices/DEFAULT_CREDIT_UNIT_PRICE"]
	assert.Equal(t, "0.01", price["unit_amount"])
	assert.Equal(t, 9, s.Decimal, "the currency carries what the books do")
	assert.Empty(t, s.Bad)
}

func TestAnAnswerThatWasLostIsNoReasonToMakeThingsTwice(t *testing.T) {
	t.Parallel()
	s, shop, moved := openShop(t)
	lost := map[string]bool{}
	var mu sync.Mutex
	s.Break(func(r *http.Request) fakepaymentkit.Fault {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPost && !lost[r.URL.Path] {
			lost[r.URL.Path] = true
			return fakepaymentkit.Lose
		}
		return fakepaymentkit.None
	})
	for range 8 {
		_ = shop.Ensure(t.Context())
		moved.Add(int64(time.Minute))
	}
	require.NoError(t, shop.Ensure(t.Context()))
	for _, made := range []string{"POST meters", "POST products", "POST payment-links", "POST settings"} {
		assert.Equal(t, 1, s.Calls[made], made)
	}
}

func TestACurrencyThatLosesDecimalsIsRefused(t *testing.T) {
	t.Parallel()
	s, shop, _ := openShop(t)
	_, err := shop.Client.CreateMeter(t.Context(), paymentkit.NewMeter{Name: "old", EventName: paymentkit.MeterName, Unit: "u", Aggregation: "sum", Decimal: 2})
	require.NoError(t, err)
	_, err = shop.Meter(t.Context())
	require.ErrorContains(t, err, "2 decimals")
	assert.Equal(t, 2, s.Decimal)
}

func TestWhilePaymentKitIsAwayNobodyWaitsInTurn(t *testing.T) {
	t.Parallel()
	s, shop, moved := openShop(t)
	var asked atomic.Int64
	cut := func(*http.Request) fakepaymentkit.Fault { asked.Add(1); return fakepaymentkit.Cut }
	s.Break(cut)
	_, err := shop.Link(t.Context(), "zUser")
	require.Error(t, err)
	before := asked.Load()
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			_, err := shop.Link(t.Context(), "zUser")
			assert.Error(t, err)
		})
	}
	all.Wait()
	assert.Equal(t, before, asked.Load(), "one failure speaks for a moment")

	s.Break(nil)
	moved.Add(int64(time.Minute))
	require.NoError(t, shop.Ensure(t.Context()))
	link, err := shop.Link(t.Context(), "")
	require.NoError(t, err)
	s.Break(cut)
	moved.Add(int64(3 * time.Hour))
	again, err := shop.Link(t.Context(), "")
	require.NoError(t, err, "what was known serves")
	assert.Equal(t, link, again)
	_, err = shop.Meter(t.Context())
	require.NoError(t, err)
}

func TestALookInVainDoesNotKeepWhatIsMissingFromBeingMade(t *testing.T) {
	t.Parallel()
	_, shop, _ := openShop(t)
	for range 2 { // whoever meets an empty wallet first
		_, err := shop.Link(t.Context(), "z1")
		require.Error(t, err)
	}
	require.NoError(t, shop.Ensure(t.Context()))
	_, err := shop.Link(t.Context(), "z1")
	require.NoError(t, err)
}
