package alert_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/alert"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// tower watches a database by a clock of the test's own.
type tower struct {
	*alert.Watcher
	t             *testing.T
	mu            sync.Mutex
	now           time.Time
	at            store.Options
	user, account string
	free          uint64
}

// clock is the time of a watch.
func (w *tower) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *tower) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func watch(t *testing.T) *tower {
	t.Helper()
	return watchOver(t, store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")})
}

// watchOver watches a database of the test's choice.
func watchOver(t *testing.T, o store.Options) *tower {
	t.Helper()
	w := &tower{t: t, now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC), free: 50}
	o.Now = w.clock
	w.at = o
	s, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	post := &notify.Post{Store: s, Log: slog.New(slog.DiscardHandler), Now: w.clock}
	w.Watcher = &alert.Watcher{Store: s, Log: slog.New(slog.DiscardHandler), Now: w.clock, Tell: post.Tell,
		Room: func() (free, all uint64, err error) { return w.free, 100, nil }}
	u, err := s.CreateUser(t.Context(), store.User{Email: "a@example.com", Role: hub.RoleMember})
	require.NoError(t, err)
	w.user, w.account = u.ID, u.AccountID
	return w
}

// call puts an ended call on record, made now.
func (w *tower) call(status hub.CallStatus, http int, cost, credits money.Credits) string {
	w.t.Helper()
	id := w.Store.NewID()
	require.NoError(w.t, w.Store.Exec(w.t.Context(), `INSERT INTO model_calls (id, created_at, finished_at, user_id, api_key_id, account_id, type, dialect, requested_model, stream, status,
  owner, config_version, request_id, billing, on_abort, on_failure, plan_json, http_status)
VALUES (?1, ?2, ?2, ?3, '', ?6, 'chatCompletion', 'openai-chat', 'm', 0, ?4, 'o', 1, '', 0, '', '', '{}', ?5)`,
		id, w.clock().UnixMilli(), w.user, string(status), http, w.account))
	if status != hub.StatusProcessing {
		w.use(id, cost, credits)
	}
	return id
}

// use puts on record what a call came to.
func (w *tower) use(id string, cost, credits money.Credits) {
	w.t.Helper()
	require.NoError(w.t, w.Store.Exec(w.t.Context(), `INSERT INTO usage (call_id, created_at, user_id, app_id, provider, model, type, units_json, credits_nano, cost_nano, usage_source, open_owner)
VALUES (?1, 1, '', '', '', '', '', '{}', ?2, ?3, '', '')`, id, int64(credits), int64(cost)))
}

func (w *tower) calls(n int, status hub.CallStatus, http int) {
	for range n {
		w.call(status, http, 0, 0)
	}
}

// look runs once and gives the alerts that are open, as rule/subject.
func (w *tower) look() []string {
	w.t.Helper()
	require.NoError(w.t, w.Run(w.t.Context()))
	open, err := w.Store.OpenAlerts(w.t.Context())
	require.NoError(w.t, err)
	out := []string{}
	for _, a := range open {
		out = append(out, a.Rule+"/"+a.Subject)
	}
	return out
}

// notices are what was told, oldest first.
func (w *tower) notices() []string {
	w.t.Helper()
	all, err := w.Store.Notifications(w.t.Context(), "", 100)
	require.NoError(w.t, err)
	out := make([]string, len(all))
	for i, n := range all {
		out[len(all)-1-i] = n.Kind + " " + n.Severity + " " + n.Title
	}
	return out
}

// change alters the rules.
func (w *tower) change(object string) {
	w.t.Helper()
	r, err := alert.Load(w.t.Context(), w.Store)
	require.NoError(w.t, err)
	r, err = r.Change([]byte(object))
	require.NoError(w.t, err)
	require.NoError(w.t, alert.Save(w.t.Context(), w.Store, r))
}

func TestAnErrorRateIsToldOnceAndWhenItIsOver(t *testing.T) {
	t.Parallel()
	w := watch(t)
	assert.Empty(t, w.look())
	w.calls(15, hub.StatusFailed, 502)
	assert.Empty(t, w.look(), "fewer than 20 calls say nothing")
	w.calls(20, hub.StatusFailed, 400)
	w.calls(40, hub.StatusSuccess, 200)
	assert.Equal(t, []string{"error_rate/"}, w.look(), "15 of 75 are 20 %; what callers did wrong does not count as failed")
	for range 3 {
		w.pass(time.Minute)
		assert.Equal(t, []string{"error_rate/"}, w.look())
	}
	assert.Equal(t, []string{"alert.raised error 20 % of calls fail."}, w.notices(), "once")

	w.pass(8 * time.Minute) // the calls are out of the window
	w.calls(9, hub.StatusFailed, 503)
	w.calls(51, hub.StatusSuccess, 200)
	assert.Equal(t, []string{"error_rate/"}, w.look(), "15 %: not raised by itself, and not over")
	w.pass(10*time.Minute + time.Second)
	assert.Equal(t, []string{"error_rate/"}, w.look(), "calm, but not for long")
	w.pass(4 * time.Minute)
	assert.Equal(t, []string{"error_rate/"}, w.look())
	w.pass(time.Minute)
	assert.Empty(t, w.look())
	w.pass(time.Minute)
	assert.Empty(t, w.look())
	assert.Equal(t, []string{"alert.raised error 20 % of calls fail.", "alert.resolved info Over: 15 % of calls fail."}, w.notices())

	w.calls(30, hub.StatusInterrupted, 0)
	w.look()
	assert.Len(t, w.notices(), 3, "the next time is another alert")
}

func TestFlutterNeitherResolvesNorRepeats(t *testing.T) {
	t.Parallel()
	w := watch(t)
	for range 10 {
		w.free = 5
		assert.Equal(t, []string{"disk/"}, w.look())
		w.pass(3 * time.Minute)
		w.free = 11
		assert.Equal(t, []string{"disk/"}, w.look(), "within the hysteresis")
		w.pass(3 * time.Minute)
		w.free = 40
		assert.Equal(t, []string{"disk/"}, w.look(), "calm for a moment")
		w.pass(3 * time.Minute)
	}
	assert.Equal(t, []string{"alert.raised warning 5 % of the database's disk are free."}, w.notices())
}

func TestASpendSpikeIsMeasuredByTheAverageHour(t *testing.T) {
	t.Parallel()
	w := watch(t)
	for range 30 { // a day and more at a dollar an hour
		w.call(hub.StatusSuccess, 200, money.Credit, 5*money.Credit)
		w.pass(time.Hour)
		assert.Empty(t, w.look())
	}
	w.call(hub.StatusSuccess, 200, 2*money.Credit, 0)
	w.pass(25 * time.Minute)
	assert.Empty(t, w.look(), "two dollars are no spike")
	w.call(hub.StatusSuccess, 200, money.Credit, 0)
	w.pass(20 * time.Minute)
	assert.Empty(t, w.look(), "calls of the newest minutes may not have ended")
	w.pass(5 * time.Minute)
	assert.Equal(t, []string{"spend/"}, w.look(), "three are three times the average")
	assert.Equal(t, []string{"alert.raised warning An hour cost 3 USD, the average hour 1."}, w.notices())
	open, err := w.Store.OpenAlerts(t.Context())
	require.NoError(t, err)
	assert.JSONEq(t, `{"spent":"3","unit":"USD","average_hour":"1","hours":24,"limit_percent":300,"calls":2}`, open[0].Data)
	w.pass(61 * time.Minute)
	w.look()
	w.pass(6 * time.Minute)
	assert.Empty(t, w.look())
}

func TestSpendOfAYoungHubOrASmallOneIsNoSpike(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.call(hub.StatusSuccess, 200, 100*money.Credit, 0)
	w.pass(30 * time.Minute)
	assert.Empty(t, w.look(), "there is no average yet")
	for _, c := range []struct {
		credits money.Credits
		want    []string
	}{{money.Credit - 1, []string{}}, {money.Credit, []string{"spend/"}}} { // below and at what an operator cares for
		old := watch(t)
		old.call(hub.StatusSuccess, 200, 0, money.Credit/10)
		old.pass(30 * time.Hour)
		old.call(hub.StatusSuccess, 200, 0, c.credits)
		old.pass(30 * time.Minute)
		assert.Equal(t, c.want, old.look(), "credits, where no cost is known")
	}
}

func TestACallThatEndsLateIsInTheSum(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.call(hub.StatusSuccess, 200, 0, 0)
	w.pass(59 * time.Minute)
	late := w.call(hub.StatusProcessing, 0, 0, 0)
	w.pass(15 * time.Minute)
	w.look()
	w.use(late, 6*money.Credit, 0)
	for range 8 {
		w.pass(time.Hour)
		w.look()
	}
	from := store.SlotOf(time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC))
	sum, _, kept, err := w.Store.SumSlots(t.Context(), from, from+1000)
	require.NoError(t, err)
	assert.Equal(t, store.Turnover{Calls: 2, Cost: 6 * money.Credit}, sum)
	assert.Equal(t, store.SlotOf(w.clock().Add(-20*time.Minute))-from, kept, "each is added up, without a gap")
}

func TestCredentialsAreToldOneByOne(t *testing.T) {
	t.Parallel()
	w := watch(t)
	for i, name := range []string{"a", "b"} {
		require.NoError(t, w.Store.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			if i == 0 {
				if _, err := tx.ExecContext(ctx, "INSERT INTO ai_providers (id, kind, name, created_at, updated_at) VALUES ('p', 'openai', 'openai', 1, 1)"); err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(ctx, "INSERT INTO ai_credentials (id, provider_id, name, type, sealed, key_id, created_at, updated_at) VALUES (?1, 'p', ?1, 'api_key', '', '', 1, 1)", name)
			return err
		}))
	}
	disable := func(name string, active int) {
		require.NoError(t, w.Store.Exec(t.Context(), "UPDATE ai_credentials SET active = ?2, error = CASE ?2 WHEN 0 THEN 'The provider refuses the credential (HTTP 401).' ELSE '' END WHERE id = ?1", name, active))
	}
	assert.Empty(t, w.look())
	disable("a", 0)
	assert.Equal(t, []string{"credential/openai/a"}, w.look())
	disable("b", 0)
	assert.Equal(t, []string{"credential/openai/a", "credential/openai/b"}, w.look())
	assert.Equal(t, []string{"alert.raised warning openai does not take the credential a.", "alert.raised error openai does not take the credential b, and there is no other."}, w.notices())
	disable("a", 1)
	w.look()
	w.pass(5 * time.Minute)
	assert.Equal(t, []string{"credential/openai/b"}, w.look())
}

func TestWrongBooksStayAnAlertUntilTheyAreRight(t *testing.T) {
	t.Parallel()
	w := watch(t)
	book := &ledger.Book{Store: w.Store, Now: w.clock}
	require.NoError(t, book.NoteVerified(t.Context(), ledger.Report{Violations: []store.Violation{{Rule: "sums", Subject: "x"}}}))
	assert.Equal(t, []string{"ledger/"}, w.look())
	w.pass(time.Hour)
	assert.Equal(t, []string{"ledger/"}, w.look())
	require.NoError(t, book.NoteVerified(t.Context(), ledger.Report{}))
	w.look()
	w.pass(5 * time.Minute)
	assert.Empty(t, w.look())
}

func TestASwitchedOffRuleResolves(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.free = 1
	assert.Equal(t, []string{"disk/"}, w.look())
	w.change(`{"disk":{"on":false},"calm_minutes":0}`)
	assert.Empty(t, w.look())
	r, err := alert.Load(t.Context(), w.Store)
	require.NoError(t, err)
	assert.EqualValues(t, 10, r.Disk.Percent, "what was not named stays")
	w.change(`{"disk":{"on":true,"percent":1}}`)
	assert.Equal(t, []string{"disk/"}, append(w.look(), "disk/")[:1])
}

func TestARuleThatCannotLookLeavesItsAlertsAlone(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.free = 1
	w.look()
	w.Room = func() (uint64, uint64, error) { return 0, 0, assert.AnError }
	for range 3 {
		w.pass(time.Hour)
		require.ErrorIs(t, w.Run(t.Context()), assert.AnError)
	}
	open, err := w.Store.OpenAlerts(t.Context())
	require.NoError(t, err)
	require.Len(t, open, 1)
	assert.Nil(t, open[0].CalmSince)
}

func TestManyWatchersAtOnceRaiseAndTellOnce(t *testing.T) {
	t.Parallel()
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		manyWatchers(t, watch(t))
	})
	t.Run("server", func(t *testing.T) {
		t.Parallel()
		url, token := hrana.Start(t)
		w := watchOver(t, store.Options{URL: url, Token: hub.Secret(token)})
		manyWatchers(t, w)
		w.calls(20, hub.StatusFailed, 502)
		assert.Equal(t, []string{"error_rate/"}, w.look())
	})
}

// manyWatchers lets two processes look at once, several times each.
func manyWatchers(t *testing.T, w *tower) {
	t.Helper()
	s, err := store.Open(t.Context(), w.at) // as another process has it
	require.NoError(t, err)
	defer s.Close()
	post := &notify.Post{Store: s, Log: slog.New(slog.DiscardHandler), Now: w.clock}
	elsewhere := &alert.Watcher{Store: s, Log: w.Log, Now: w.clock, Tell: post.Tell, Room: w.Room}
	together := func() {
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() { assert.NoError(t, w.Run(t.Context())) })
			all.Go(func() { assert.NoError(t, elsewhere.Run(t.Context())) })
		}
		all.Wait()
	}
	w.free = 2
	for range 3 {
		together()
	}
	w.free = 90
	together()
	w.pass(6 * time.Minute)
	together()
	assert.Equal(t, []string{"alert.raised error 2 % of the database's disk are free.", "alert.resolved info Over: 2 % of the database's disk are free."}, w.notices())
	all, err := w.Store.Alerts(t.Context(), "", 10)
	require.NoError(t, err)
	assert.Len(t, all, 1)
}

func TestWhatCouldNotBeToldIsToldLater(t *testing.T) {
	t.Parallel()
	w := watch(t)
	tell := w.Tell
	w.Tell = func(context.Context, notify.Event) error { return assert.AnError }
	w.free = 2
	require.ErrorIs(t, w.Run(t.Context()), assert.AnError)
	w.free = 90
	require.Error(t, w.Run(t.Context()))
	w.pass(6 * time.Minute)
	require.Error(t, w.Run(t.Context()))
	assert.Empty(t, w.notices())
	w.Tell = tell
	require.NoError(t, w.Run(t.Context()))
	assert.Len(t, w.notices(), 2, "that it was, and that it is over")
}

func TestFiguresOfRulesAreChecked(t *testing.T) {
	t.Parallel()
	for _, object := range []string{`{"error_rate":{"percent":0}}`, `{"spend":{"percent":100}}`, `{"spend":{"least":"-1"}}`, `{"disk":{"percent":100}}`, `{"calm_minutes":-1}`, `{"unheard":1}`, `[]`, `{"spend":{"hours":1}}`} {
		_, err := alert.Defaults().Change([]byte(object))
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), object)
	}
	require.NoError(t, alert.Defaults().Check())
}

func TestOldAlertsAreForgottenUnlessTheyAreOpen(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.free = 2
	w.look()
	w.pass(200 * 24 * time.Hour)
	require.NoError(t, w.Store.ForgetAlerts(t.Context(), 90*24*time.Hour))
	assert.Equal(t, []string{"disk/"}, w.look())
	w.free = 90
	w.look()
	w.pass(time.Hour)
	assert.Empty(t, w.look())
	require.NoError(t, w.Store.ForgetAlerts(t.Context(), 90*24*time.Hour))
	all, err := w.Store.Alerts(t.Context(), "", 10)
	require.NoError(t, err)
	assert.Empty(t, all, fmt.Sprint(all))
}
