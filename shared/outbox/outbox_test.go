package outbox_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/outbox"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

// clock is a clock that a test moves.
type clock struct{ at atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.at.Store(time.Now().UnixNano())
	return c
}

func (c *clock) now() time.Time              { return time.Unix(0, c.at.Load()) }
func (c *clock) pass(d time.Duration)        { c.at.Add(int64(d)) }
func noJitter(d time.Duration) time.Duration { return d }

// world is a hub's books with customers, and a Payment Kit.
type world struct {
	t     *testing.T
	s     *store.Store
	kit   *fakepaymentkit.Server
	clock *clock
	lease string
	users []store.User
	told  []notify.Event
	sent  atomic.Int64
	crash func(point string) bool // asked before and after each sending
	limit time.Duration           // of a call; 0: the usual
	open  func() *store.Store
}

func newWorld(t *testing.T, url, token string, users int) *world {
	t.Helper()
	w := &world{t: t, kit: fakepaymentkit.New(t), clock: newClock()}
	w.kit.Now = w.clock.now
	blank.At(t, url)
	w.open = func() *store.Store {
		s, err := store.Open(context.Background(), store.Options{URL: url, Token: hub.Secret(token), Now: w.clock.now})
		require.NoError(t, err)
		s.ReportUsage(true)
		return s
	}
	w.s = w.open()
	_, err := w.s.Migrate(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.s.Close() })
	w.lease, err = w.s.OpenLease(t.Context())
	require.NoError(t, err)
	for range users {
		u, err := w.s.CreateUser(t.Context(), store.User{Email: w.s.NewID() + "@example.com", Role: hub.RoleMember})
		require.NoError(t, err)
		u.DID = "z" + u.ID
		require.NoError(t, w.s.SetDID(t.Context(), u.ID, u.DID))
		require.NoError(t, w.s.OpenCustomer(t.Context(), u.ID, 0))
		require.NoError(t, w.s.Do(t.Context(), w.s.GrantUnit(store.Grant{ID: w.s.NewID(), AccountID: u.AccountID, Kind: "promotional", Amount: 1000 * money.Credit, Priority: 50})))
		w.kit.Give(u.DID, "paid", 5*money.Credit, 0)
		w.users = append(w.users, u)
	}
	return w
}

func (w *world) client() *paymentkit.Client {
	return &paymentkit.Client{Base: func() (string, error) { return w.kit.URL, nil }, Live: true, Timeout: w.limit,
		Sign: func(r *http.Request, body []byte) error { return w.kit.Key.Sign(r, body, "zHub", w.clock.now()) }}
}

// CreateMeterEvent sends for a reporter that may die right before or after it.
func (w *world) CreateMeterEvent(ctx context.Context, e paymentkit.MeterEvent) error {
	if w.crash != nil && w.crash("before") {
		runtime.Goexit()
	}
	w.sent.Add(1)
	err := w.client().CreateMeterEvent(ctx, e)
	if w.crash != nil && w.crash("after") {
		runtime.Goexit()
	}
	return err
}

func (w *world) reporter() *outbox.Reporter {
	shop := &paymentkit.Shop{Client: w.client(), HubDID: "zHub", CreditPrice: "1", Now: w.clock.now, Page: func() (string, error) { return w.kit.URL, nil }}
	return &outbox.Reporter{Store: w.s, Kit: w, Ready: shop.Meter, Log: slog.New(slog.DiscardHandler), Now: w.clock.now, Jitter: noJitter,
		Tell: func(_ context.Context, e notify.Event) error { w.told = append(w.told, e); return nil }}
}

// run runs a reporter to its end or its death.
func (w *world) run(r *outbox.Reporter) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		err = context.Canceled // unless it lives
		err = r.Run(context.Background())
	}()
	<-done
	return err
}

func (w *world) admit(u store.User, app string, hold money.Credits) store.Admission {
	w.t.Helper()
	v, err := w.s.ConfigVersion(context.Background())
	require.NoError(w.t, err)
	a := store.Admission{CallID: w.s.NewID(), Caller: hub.Caller{UserID: u.ID, AccountID: u.AccountID, AppID: app}, Type: hub.TypeChat, Dialect: "openai-chat",
		RequestedModel: "m", Owner: w.lease, ConfigVersion: v, RequestID: "r", Billing: true, OnAbort: "reported", OnFailure: "delivered", PlanJSON: "{}", Hold: hold}
	require.NoError(w.t, w.s.Do(context.Background(), w.s.AdmitUnit(a)))
	return a
}

func (w *world) settlement(u store.User, a store.Admission, amount money.Credits) store.Settlement {
	return store.Settlement{CallID: a.CallID, Owner: a.Owner, UserID: u.ID, AccountID: u.AccountID, AppID: a.Caller.AppID, Type: hub.TypeChat, Billing: true,
		Status: hub.StatusSuccess, Usage: hub.Usage{hub.Input: 1}, Source: hub.UsageReported, Amount: amount, Provider: "openai", Model: "m"}
}

func (w *world) charge(u store.User, app string, amount money.Credits) {
	w.t.Helper()
	a := w.admit(u, app, amount)
	require.NoError(w.t, w.s.Do(context.Background(), w.s.SettleUnit(w.settlement(u, a, amount))))
}

func (w *world) outbox() store.Outbox {
	w.t.Helper()
	o, err := w.s.Outbox(context.Background())
	require.NoError(w.t, err)
	return o
}

func file(t *testing.T) string { return "file:" + filepath.Join(t.TempDir(), "hub.db") }

func TestUsageIsReportedOnceForEachUserAndApplication(t *testing.T) {
	t.Parallel()
	w := newWorld(t, file(t), "", 2)
	for range 5 {
		w.charge(w.users[0], "zApp1", 100_000_001)
		w.charge(w.users[0], "zApp2", 1)
		w.charge(w.users[1], "", 7)
		w.charge(w.users[1], "", 0)
	}
	r := w.reporter()
	require.NoError(t, w.run(r))
	require.NoError(t, w.run(r))
	assert.EqualValues(t, 3, w.sent.Load(), "one event for each user and application")
	assert.Equal(t, money.Credits(500_000_010), w.kit.Reported(w.users[0].DID))
	assert.Equal(t, money.Credits(35), w.kit.Reported(w.users[1].DID))
	assert.Equal(t, store.Outbox{}, w.outbox())
	assert.Empty(t, w.kit.Bad)
	assert.Empty(t, w.told)
}

func TestALostAnswerIsAskedForAgainUnderTheSameIdentifier(t *testing.T) {
	t.Parallel()
	for _, refuses := range []bool{false, true} {
		w := newWorld(t, file(t), "", 1)
		w.kit.Refuses = refuses
		var lose atomic.Bool
		lose.Store(true)
		w.kit.Break(func(r *http.Request) fakepaymentkit.Fault {
			if r.Method == http.MethodPost && r.URL.Path == "/api/meter-events" && lose.Load() {
				return fakepaymentkit.Lose
			}
			return fakepaymentkit.None
		})
		w.charge(w.users[0], "", 11)
		require.Error(t, w.run(w.reporter()))
		o := w.outbox()
		assert.EqualValues(t, 1, o.Sent, "it may have arrived")
		lose.Store(false)
		require.NoError(t, w.run(w.reporter()))
		assert.EqualValues(t, 1, w.outbox().Sent, "it waits")
		w.clock.pass(10 * time.Second)
		require.NoError(t, w.run(w.reporter()))
		assert.Equal(t, store.Outbox{}, w.outbox())
		assert.Equal(t, money.Credits(11), w.kit.Reported(w.users[0].DID))
		assert.Len(t, w.kit.Events, 1)
	}
}

func TestHoursOfDowntimeLeaveOneBatchAndNothingDead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, file(t), "", 1)
	require.NoError(t, w.run(w.reporter()))
	r := w.reporter() // which knows the meter
	require.NoError(t, w.run(r))
	w.kit.Break(func(*http.Request) fakepaymentkit.Fault { return fakepaymentkit.Cut })
	for range 36 * 60 / 5 { // 36 hours
		w.charge(w.users[0], "", 3)
		w.clock.pass(5 * time.Minute)
		_ = w.run(r)
	}
	o := w.outbox()
	assert.Zero(t, o.Dead, "an outage is nobody's fault")
	assert.LessOrEqual(t, o.Sent+o.Pending, int64(1), "batches are made when somebody takes them")
	assert.Equal(t, money.Credits(3*36*12), o.CallsAmount+o.Unconfirmed)
	var late int
	for _, e := range w.told {
		if e.Kind == notify.OutboxLate {
			late++
		}
	}
	assert.Equal(t, 1, late, "operators hear of it once")
	w.kit.Break(nil)
	w.clock.pass(15 * time.Minute)
	require.NoError(t, w.run(r))
	assert.Equal(t, store.Outbox{}, w.outbox())
	assert.Equal(t, money.Credits(3*36*12), w.kit.Reported(w.users[0].DID))
}

func TestWhatIsRefusedIsDeadUntilSomebodySendsItAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t, file(t), "", 2)
	w.charge(w.users[0], "", 5)
	w.charge(w.users[1], "", 6)
	var fault atomic.Int64
	fault.Store(int64(fakepaymentkit.Deny))
	w.kit.Break(func(r *http.Request) fakepaymentkit.Fault {
		if r.URL.Path == "/api/meter-events" {
			return fakepaymentkit.Fault(fault.Load())
		}
		return fakepaymentkit.None
	})
	r := w.reporter()
	require.NoError(t, w.run(r))
	require.NoError(t, w.run(r))
	assert.EqualValues(t, 2, w.outbox().Dead)
	require.Len(t, w.told, 1)
	assert.Equal(t, notify.OutboxDead, w.told[0].Kind)
	dead, err := w.s.Batches(t.Context(), store.BatchDead, "", 10)
	require.NoError(t, err)
	assert.Contains(t, dead[0].Error, "400")
	fault.Store(int64(fakepaymentkit.None))
	w.clock.pass(time.Hour)
	require.NoError(t, w.run(r))
	assert.EqualValues(t, 2, w.outbox().Dead, "nobody said so")
	for _, b := range dead {
		require.NoError(t, w.s.ReviveBatch(t.Context(), b.ID))
	}
	require.NoError(t, w.run(r))
	assert.Equal(t, store.Outbox{}, w.outbox())
	assert.Contains(t, w.kit.Events, dead[0].ID)
}

func TestARefusalThatMayPassIsRepeatedEverMoreSlowlyAndNotForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, file(t), "", 1)
	w.charge(w.users[0], "", 5)
	w.kit.Break(func(r *http.Request) fakepaymentkit.Fault {
		if r.URL.Path == "/api/meter-events" {
			return fakepaymentkit.Fail
		}
		return fakepaymentkit.None
	})
	r := w.reporter()
	for w.outbox().Dead == 0 {
		require.NoError(t, w.run(r))
		w.clock.pass(time.Minute)
		require.Less(t, w.sent.Load(), int64(1000))
	}
	assert.EqualValues(t, 100, w.sent.Load())
	w.kit.Break(nil)
	dead, err := w.s.Batches(t.Context(), store.BatchDead, "", 10)
	require.NoError(t, err)
	require.NoError(t, w.s.ReviveBatch(t.Context(), dead[0].ID))
	require.NoError(t, w.run(r))
	assert.Equal(t, money.Credits(5), w.kit.Reported(w.users[0].DID))
}

func TestTwoReportersAtOnceSendEachBatchOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, file(t), "", 20)
	for _, u := range w.users {
		w.charge(u, "", 9)
	}
	a, b := w.reporter(), w.reporter()
	var wg sync.WaitGroup
	wg.Go(func() { assert.NoError(t, w.run(a)) })
	wg.Go(func() { assert.NoError(t, w.run(b)) })
	wg.Wait()
	assert.EqualValues(t, 20, w.sent.Load())
	for _, u := range w.users {
		assert.Equal(t, money.Credits(9), w.kit.Reported(u.DID))
	}
}

func TestAnAnswerThatComesTooLateIsOneThatWasLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, file(t), "", 1)
	require.NoError(t, w.run(w.reporter()))
	w.charge(w.users[0], "", 5)
	w.limit, w.kit.Slow = 100*time.Millisecond, 400*time.Millisecond
	w.kit.Break(func(r *http.Request) fakepaymentkit.Fault {
		if r.Method == http.MethodPost {
			return fakepaymentkit.Late
		}
		return fakepaymentkit.None
	})
	require.Error(t, w.run(w.reporter()))
	assert.EqualValues(t, 1, w.outbox().Sent)
	w.kit.Break(nil)
	w.limit = 0
	w.clock.pass(time.Minute)
	require.NoError(t, w.run(w.reporter()))
	assert.Equal(t, store.Outbox{}, w.outbox())
	assert.Equal(t, money.Credits(5), w.kit.Reported(w.users[0].DID), "though it arrived twice")
}

// A power cut leaves of an embedded database what a checkpoint has copied to its
// file: the log beside it may be gone.
func TestWhatLeavesIsInTheFileAlready(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "hub.db")
	w := newWorld(t, "file:"+path, "", 2)
	require.NoError(t, w.run(w.reporter()))
	var copies atomic.Int64
	w.kit.Break(func(r *http.Request) fakepaymentkit.Fault {
		if r.Method == http.MethodPost {
			text, err := os.ReadFile(path)
			assert.NoError(t, err)
			assert.NoError(t, os.WriteFile(filepath.Join(dir, fmt.Sprintf("cut-%d.db", copies.Add(1))), text, 0o600))
		}
		return fakepaymentkit.None
	})
	for round := range 3 {
		for _, u := range w.users {
			w.charge(u, "", money.Credits(5+round))
		}
		require.NoError(t, w.run(w.reporter()))
	}
	require.EqualValues(t, 6, copies.Load())
	for i := range 6 {
		s, err := store.Open(t.Context(), store.Options{URL: "file:" + filepath.Join(dir, fmt.Sprintf("cut-%d.db", i+1))})
		require.NoError(t, err)
		known := 0
		for _, state := range []store.BatchState{store.BatchPending, store.BatchSent, store.BatchConfirmed} {
			all, err := s.Batches(t.Context(), state, "", 100)
			require.NoError(t, err)
			known += len(all)
		}
		assert.Equal(t, 2*(i/2)+2, known, "both reports of the round were durable before the first of them left")
		require.NoError(t, s.Close())
	}
}
