package mirror_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

func TestBoughtCreditsCountAtOnceAndOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	assert.Zero(t, w.account().Balance)
	paid := w.kit.Give("zUser", "paid", 100*credit, 0)
	end := time.Now().Add(time.Hour).Unix()
	promo := w.kit.Give("zUser", "promotional", 7, end)
	for range 3 {
		w.sync()
	}
	assert.Equal(t, 100*credit+7, w.account().Balance)
	all, err := w.s.Grants(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	byID := map[string]store.Grant{}
	for _, g := range all {
		byID[g.ID] = g
	}
	assert.Equal(t, ledger.Purchased, byID["pk/"+paid].Kind)
	assert.Nil(t, byID["pk/"+paid].ExpiresAt)
	assert.Equal(t, ledger.Promotional, byID["pk/"+promo].Kind)
	assert.Equal(t, end, byID["pk/"+promo].ExpiresAt.Unix())
	w.spend(30 * credit)
	w.reported()
	w.sync()
	assert.Equal(t, 70*credit+7, w.account().Balance)
	w.agree()
}

func TestAUserHearsOfNewCreditsOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var mu sync.Mutex
	var heard []string
	w.m.Congratulate = func(_ context.Context, did string, amount money.Credits) error {
		mu.Lock()
		defer mu.Unlock()
		heard = append(heard, did+" "+amount.String())
		return errors.New("nobody listens")
	}
	w.kit.Give("zUser", "paid", 9*credit, 0)
	w.sync()
	assert.Empty(t, heard, "what was there before is no news")
	w.kit.Give("zUser", "paid", credit/2, 0)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() { _ = w.m.Sync(context.Background(), w.user.ID) })
	}
	all.Wait()
	w.sync()
	assert.Equal(t, []string{"zUser 0.5"}, heard)
	w.agree()
}

func TestACustomerIsTakenOverWithWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.kit.Give("zUser", "paid", 10*credit, 0)
	half := w.kit.Give("zUser", "paid", 10*credit, 0)
	w.kit.Take(half, 4*credit)
	w.kit.End(w.kit.Give("zUser", "paid", 50*credit, 0), "voided")
	w.sync()
	assert.Equal(t, 16*credit, w.account().Balance, "what was used before is not given again")
	w.agree()
}

func TestWhatWasUsedInAdvanceIsOwed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.kit.Give("zUser", "paid", 1, 0)
	w.kit.Lock()
	w.kit.Grants[0].Remaining, w.kit.Grants[0].Status = 0, "depleted"
	w.kit.Customers["zUser"].Pending = 3 * credit
	w.kit.Unlock()
	w.sync()
	assert.Equal(t, 3*credit, w.account().Debt)
	_, err := w.admit(1)
	require.Error(t, err)
	w.kit.Give("zUser", "paid", 10*credit, 0)
	w.sync()
	assert.Equal(t, 7*credit, w.account().Available())
	w.agree()
}

func TestAVoidedGrantIsTakenBackWithWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	id := w.kit.Give("zUser", "paid", 100*credit, 0)
	w.sync()
	w.spend(5 * credit) // not reported yet
	open, err := w.admit(10 * credit)
	require.NoError(t, err)
	w.kit.End(id, "voided")
	w.sync()
	w.sync()
	assert.Equal(t, 10*credit, w.account().Balance, "what runs may end")
	assert.Equal(t, 15*credit, w.account().Debt)
	w.settle(open, 4*credit)
	w.reported()
	w.sync()
	assert.Zero(t, w.account().Balance)
	assert.Equal(t, 9*credit, w.account().Debt, "what was used is owed")
	w.agree()
	w.kit.Give("zUser", "paid", 20*credit, 0)
	w.sync()
	assert.Equal(t, 11*credit, w.account().Available())
	w.agree()
}

func TestAnExpiredGrantIsTakenBackOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	end := time.Now().Add(2 * time.Second)
	id := w.kit.Give("zUser", "promotional", 100*credit, end.Unix())
	w.sync()
	w.spend(5 * credit) // not reported when it expires
	time.Sleep(time.Until(time.Unix(end.Unix(), 0).Add(50 * time.Millisecond)))
	require.NoError(t, w.book.ExpireDue(t.Context()))
	assert.Zero(t, w.account().Balance, "expired by the hub's own clock")
	w.kit.End(id, "expired")
	w.sync()
	w.sync()
	w.reported()
	w.sync()
	assert.Equal(t, 5*credit, w.account().Debt, "it was used beyond what Payment Kit grants")
	w.agree()
	early := w.kit.Give("zUser", "promotional", 50*credit, time.Now().Add(time.Hour).Unix())
	w.sync()
	w.kit.End(early, "expired")
	w.sync()
	w.agree()
}

func TestAGrantThatCameAndWentCountsForWhatWasUsedOfIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	id := w.kit.Give("zUser", "paid", 10*credit, 0)
	w.kit.End(id, "voided")
	w.sync()
	assert.Zero(t, w.account().Balance)
	w.agree()
}

func TestALastingDifferenceIsAdjustedWithAnAlarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	id := w.kit.Give("zUser", "paid", 100*credit, 0)
	w.sync()
	open, err := w.admit(30 * credit)
	require.NoError(t, err)
	w.kit.Take(id, 90*credit) // behind the hub's back
	w.sync()
	assert.Equal(t, 100*credit, w.account().Balance, "seen once")
	w.pass(time.Minute)
	w.sync()
	assert.Equal(t, 100*credit, w.account().Balance, "not for long")
	w.pass(3 * time.Minute)
	w.sync()
	assert.Equal(t, 30*credit, w.account().Balance, "as far as it is free")
	require.Len(t, w.told, 1)
	assert.Equal(t, notify.PaymentAdjusted, w.told[0].Kind)
	assert.Equal(t, "-70", w.told[0].Data["adjusted"])
	w.settle(open, 0)
	w.reported()
	for range 2 {
		w.sync()
		w.pass(4 * time.Minute)
	}
	w.sync()
	assert.Equal(t, 10*credit, w.account().Balance)
	assert.Len(t, w.told, 2)
	w.kit.Take(id, -5*credit)
	for range 3 {
		w.sync()
		w.pass(4 * time.Minute)
	}
	assert.Equal(t, 15*credit, w.account().Balance, "what was given there is given here")
	w.agree()
}

func TestNothingIsComparedWhileUsageIsUnderWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	w.kit.Give("zUser", "paid", 100*credit, 0)
	w.sync()
	w.spend(5 * credit)
	for range 4 {
		w.sync()
		w.pass(4 * time.Minute)
	}
	assert.Nil(t, w.customer().DriftSince)
	w.reported()
	w.sync()
	assert.Nil(t, w.customer().DriftSince)
	assert.Empty(t, w.told)
	w.agree()
}

func TestCreditsOfTheHubsOwnAreLeftAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	w.kit.Give("zUser", "paid", 10*credit, 0)
	w.sync()
	_, err := w.book.Grant(t.Context(), ledger.Gift{AccountID: w.user.AccountID, Amount: 3 * credit})
	require.NoError(t, err)
	for range 4 {
		w.sync()
		w.pass(4 * time.Minute)
	}
	assert.Equal(t, 13*credit, w.account().Balance)
	assert.Empty(t, w.told)
	w.clean()
}

func TestAnEmptyWalletFindsWhatWasBoughtMeanwhile(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	filled, err := w.m.Refill(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.False(t, filled)
	w.kit.Give("zUser", "paid", 10*credit, 0)
	filled, err = w.m.Refill(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.False(t, filled, "it was asked a moment ago")
	w.pass(6 * time.Second)
	filled, err = w.m.Refill(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.True(t, filled)
	assert.Equal(t, 10*credit, w.account().Balance)
	w.agree()
}

func TestManyCallsOfAnEmptyWalletAskOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	before := w.kit.Calls["GET credit-grants"]
	var wg sync.WaitGroup
	for range 200 {
		wg.Go(func() { _, _ = w.m.Refill(context.Background(), w.user.AccountID) })
	}
	wg.Wait()
	assert.LessOrEqual(t, w.kit.Calls["GET credit-grants"]-before, 3)
}

func TestWhilePaymentKitBuysTheWalletIsLentUpToItsLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.sync()
	w.kit.AutoBuy["zUser"] = true
	filled, err := w.m.Refill(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.True(t, filled)
	assert.Equal(t, 5*credit, w.account().Available())
	w.spend(4 * credit)
	w.pass(time.Minute)
	filled, err = w.m.Refill(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.False(t, filled, "the line is one, spent or not")
	w.reported()
	w.kit.Give("zUser", "paid", 10*credit, 0) // bought by itself
	w.sync()
	assert.Equal(t, 6*credit, w.there())
	assert.Equal(t, 7*credit, w.account().Available(), "paid back, beside the rest of the line")
	w.agree()
	w.pass(time.Minute)
	filled, err = w.m.Refill(t.Context(), w.user.AccountID)
	require.NoError(t, err)
	assert.True(t, filled, "what was paid back can be lent again")
	w.agree()
}

func TestWhilePaymentKitIsAwayThePolicyDecides(t *testing.T) {
	t.Parallel()
	for _, local := range []bool{false, true} {
		w := newWorld(t)
		w.sync()
		w.m.HoldLocal = local
		w.kit.Break(func(*http.Request) fakepaymentkit.Fault { return fakepaymentkit.Cut })
		filled, err := w.m.Refill(t.Context(), w.user.AccountID)
		assert.Equal(t, local, filled)
		assert.Equal(t, !local, err != nil)
		if local {
			assert.Equal(t, 5*credit, w.account().Available())
		}
	}
}

func TestAStrangerHasNothingToRefill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u, err := w.s.CreateUser(t.Context(), store.User{Email: "b@example.com", Role: "member"})
	require.NoError(t, err)
	filled, err := w.m.Refill(t.Context(), u.AccountID)
	require.NoError(t, err)
	assert.False(t, filled)
	require.NoError(t, w.m.Sync(t.Context(), u.ID))
	require.NoError(t, w.m.SyncNamed(t.Context(), "zNobody"))
	assert.NotContains(t, w.m.Link(t.Context(), u.AccountID), "did-connect")
}

func TestANewCustomerIsWelcomedOnceThoughAnswersAreLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.m.Welcome = ledger.WelcomeGift{Amount: 3 * credit, Life: time.Hour}
	var lose atomic.Bool
	lose.Store(true)
	w.kit.Break(func(r *http.Request) fakepaymentkit.Fault {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/credit-grants") && lose.Load() {
			return fakepaymentkit.Lose
		}
		return fakepaymentkit.None
	})
	require.Error(t, w.m.Sync(t.Context(), w.user.ID))
	lose.Store(false)
	for range 3 {
		w.sync()
		w.pass(3 * time.Minute)
	}
	assert.Len(t, w.kit.Grants, 1)
	assert.Equal(t, 3*credit, w.account().Balance)
	w.agree()

	u := newWorld(t)
	u.m.Welcome = w.m.Welcome
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { _ = u.m.Sync(context.Background(), u.user.ID) })
	}
	wg.Wait()
	u.sync()
	assert.Len(t, u.kit.Grants, 1, "by however many at once")
	assert.Equal(t, 3*credit, u.account().Balance)
}

func TestNobodyIsWelcomedTwice(t *testing.T) {
	t.Parallel()
	old := newWorld(t)
	old.m.Welcome = ledger.WelcomeGift{Amount: 3 * credit}
	old.kit.End(old.kit.Give("zUser", "paid", credit, 0), "expired")
	old.sync()
	assert.Len(t, old.kit.Grants, 1, "a customer of old")
	here := newWorld(t)
	here.m.Welcome = old.m.Welcome
	here.book.WelcomeGift = old.m.Welcome
	_, err := here.book.Welcome(t.Context(), here.user.ID, here.user.AccountID)
	require.NoError(t, err)
	here.sync()
	assert.Empty(t, here.kit.Grants, "welcomed by the hub's own books")
}

func TestTheLinkSignsItsUserIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	require.NoError(t, w.m.Shop.Ensure(t.Context()))
	require.NoError(t, w.m.Shop.Ensure(t.Context()))
	link, err := url.Parse(w.m.Link(t.Context(), w.user.AccountID))
	require.NoError(t, err)
	assert.Equal(t, "app.example", link.Host)
	assert.True(t, strings.HasPrefix(link.Path, "/payment/checkout/pay/plink_"), link.Path)
	raw, err := base64.StdEncoding.DecodeString(link.Query().Get("__did-connect__"))
	require.NoError(t, err)
	var got map[string]any
	require.NoError(t, json.Unmarshal(raw, &got))
	assert.Equal(t, map[string]any{"forceConnected": "zUser", "sourceAppPid": "zApp", "switchBehavior": "auto", "showClose": false}, got)
	for _, made := range []string{"POST meters", "POST products", "POST payment-links", "POST settings", "PUT payment-currencies"} {
		assert.Equal(t, 1, w.kit.Calls[made], made)
	}
	assert.Empty(t, w.kit.Bad)
}

func TestALookAtAllCustomersIsBoundedAndEndsWhenNobodyAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 5 {
		u, err := w.s.CreateUser(t.Context(), store.User{Email: w.s.NewID() + "@example.com", Role: "member"})
		require.NoError(t, err)
		require.NoError(t, w.s.SetDID(t.Context(), u.ID, "z"+u.ID))
	}
	require.NoError(t, w.m.SyncDue(t.Context()))
	assert.Len(t, w.kit.Customers, 6)
	n := w.kit.Calls["GET credit-grants"]
	require.NoError(t, w.m.SyncDue(t.Context()))
	assert.Equal(t, n, w.kit.Calls["GET credit-grants"], "nobody is due")
	w.pass(6 * time.Minute)
	var asked atomic.Int64
	w.kit.Break(func(*http.Request) fakepaymentkit.Fault { asked.Add(1); return fakepaymentkit.Cut })
	require.Error(t, w.m.SyncDue(t.Context()))
	assert.LessOrEqual(t, asked.Load(), int64(2))
}
