package archive_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// clock is a time that tests set.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }

func (c *clock) set(t time.Time) { c.mu.Lock(); defer c.mu.Unlock(); c.at = t }

// today is when the archiver runs in tests: a day in 2027Q1.
var today = time.Date(2027, 2, 10, 12, 0, 0, 0, time.UTC)

const month = 30 * 24 * time.Hour

// world is a hub with a call log, and what the log held before anything moved.
type world struct {
	*store.Store
	t      *testing.T
	url    string
	clock  *clock
	server *hrana.Server // of a remote database
	user   store.User
	key    store.APIKey
	lease  string
	ver    int64
	keeper *archive.Keeper
}

func newWorld(t *testing.T) *world {
	t.Helper()
	path := filepath.Join(t.TempDir(), "hub.db")
	blank.Copy(t, path)
	w := openWorld(t, "file:"+path, "")
	w.keeper = w.newKeeper(w.Store)
	return w
}

func remoteWorld(t *testing.T) *world {
	t.Helper()
	server := hrana.New(t, hrana.Options{})
	w := openWorld(t, server.URL, hub.Secret(server.Token))
	w.server = server
	return w
}

var dropOnce = hrana.Faults{Drop: 1, Match: "archive_runs"} //nolint:gochecknoglobals // a constant

func openWorld(t *testing.T, url string, token hub.Secret) *world {
	t.Helper()
	w := &world{t: t, url: url, clock: &clock{at: today.Add(-12 * month)}}
	var err error
	w.Store, err = store.Open(t.Context(), store.Options{URL: url, Token: token, Now: w.clock.now})
	require.NoError(t, err)
	t.Cleanup(func() { _ = w.Close() })
	_, err = w.Migrate(t.Context())
	require.NoError(t, err)
	w.user, err = w.CreateUser(t.Context(), store.User{Email: "a@example.com", Role: hub.RoleMember})
	require.NoError(t, err)
	w.key, err = w.CreateKey(t.Context(), store.APIKey{UserID: w.user.ID, Name: "k", Hash: w.NewID(), Hint: "abcd"})
	require.NoError(t, err)
	require.NoError(t, w.Do(t.Context(), w.GrantUnit(store.Grant{ID: w.NewID(), AccountID: w.user.AccountID, Kind: "promotional", Amount: 1_000_000_000, Priority: 50})))
	w.lease, err = w.OpenLease(t.Context())
	require.NoError(t, err)
	w.ver, err = w.ConfigVersion(t.Context())
	require.NoError(t, err)
	return w
}

func (w *world) newKeeper(s *store.Store) *archive.Keeper {
	path := filepath.Dir(w.url[len("file:"):])
	k := &archive.Keeper{Store: s, Settings: archive.Settings{After: 3 * month}, Folder: filepath.Join(path, "archive"), Stem: "hub", Disk: path,
		Now: w.clock.now, Log: slog.New(slog.DiscardHandler)}
	w.t.Cleanup(func() { _ = k.Close() })
	return k
}

// admit makes a call at a time and leaves it open.
func (w *world) admit(at time.Time, billing bool) store.Admission {
	w.t.Helper()
	w.clock.set(at)
	defer w.clock.set(today)
	a := store.Admission{CallID: w.NewID(), Caller: hub.Caller{UserID: w.user.ID, KeyID: w.key.ID, KeySerial: w.key.Serial, AccountID: w.user.AccountID},
		Type: hub.TypeChat, Dialect: "openai-chat", RequestedModel: "m", Owner: w.lease, ConfigVersion: w.ver, RequestID: "r",
		Billing: billing, OnAbort: "reported", OnFailure: "delivered", PlanJSON: `{"why":"for a test"}`}
	if billing {
		a.Hold = 50
	}
	require.NoError(w.t, w.Do(w.t.Context(), w.AdmitUnit(a)))
	return a
}

func (w *world) settlement(a store.Admission, amount money.Credits) store.Settlement {
	cost := amount * 3
	x := store.Settlement{CallID: a.CallID, Owner: a.Owner, UserID: w.user.ID, AccountID: w.user.AccountID, Type: hub.TypeChat, Billing: a.Billing,
		Status: hub.StatusSuccess, Usage: hub.Usage{hub.Input: 10, hub.Output: int64(amount), hub.WebSearches: 1}, Source: hub.UsageReported, Amount: amount,
		Cost: &cost, Provider: "openai", Model: "m", HTTPStatus: 200, Tries: 1, Duration: 1200 * time.Millisecond, Error: "no error: ‘ü’ \x01"}
	if amount%3 == 0 {
		x.Attempts = []store.Attempt{{Provider: "azure", Model: "m", HTTPStatus: 500, Category: "upstream_error", Error: "boom", Duration: time.Second}}
	}
	return x
}

// call makes a finished call at a time.
func (w *world) call(at time.Time, billing bool, amount money.Credits) string {
	w.t.Helper()
	a := w.admit(at, billing)
	w.clock.set(at.Add(2 * time.Second))
	defer w.clock.set(today)
	require.NoError(w.t, w.Do(w.t.Context(), w.SettleUnit(w.settlement(a, amount))))
	return a.CallID
}

// fill makes calls over twelve months and returns how many are due.
func (w *world) fill(n int) (due int) {
	w.t.Helper()
	for i := range n {
		age := 12*month - time.Duration(i)*12*month/time.Duration(n)
		w.call(today.Add(-age), i%3 != 0, money.Credits(i%50))
		if age > 3*month {
			due++
		}
	}
	return due
}

// history is every call that is found, in the hub's database and then in its
// archives, as JSON by its id: what a reader sees.
func (w *world) history(k *archive.Keeper) map[string]string {
	w.t.Helper()
	out := map[string]string{}
	places := []*store.Store{w.Store}
	if k != nil {
		more, err := k.Of(w.t.Context(), time.Time{}, time.Time{})
		require.NoError(w.t, err)
		places = append(places, more...)
	}
	for _, s := range places {
		for before := ""; ; {
			page, err := s.Calls(w.t.Context(), store.CallFilter{Before: before, Limit: 1000})
			require.NoError(w.t, err)
			if len(page) == 0 {
				break
			}
			for i := range page {
				c := &page[i]
				before = c.ID
				tries, err := s.CallAttempts(w.t.Context(), c.ID)
				require.NoError(w.t, err)
				text, err := json.Marshal(map[string]any{"call": c, "tries": tries})
				require.NoError(w.t, err)
				if old, seen := out[c.ID]; seen {
					assert.JSONEq(w.t, old, string(text), "what lies in two places is the same")
					continue
				}
				out[c.ID] = string(text)
			}
		}
	}
	return out
}

func (w *world) requireCleanBooks() {
	w.t.Helper()
	v, _, err := w.VerifyLedger(w.t.Context(), true)
	require.NoError(w.t, err)
	require.Empty(w.t, v)
}

func (w *world) requireSoundArchives(k *archive.Keeper) (calls int64) {
	w.t.Helper()
	all, err := w.Archives(w.t.Context())
	require.NoError(w.t, err)
	for _, a := range all {
		v, err := k.Verify(w.t.Context(), a.Name)
		require.NoError(w.t, err)
		assert.True(w.t, v.OK, "%s: %s", a.Name, v.Problem)
		assert.Zero(w.t, v.Unfinished, a.Name)
		calls += a.Calls
	}
	return calls
}

func (w *world) run(k *archive.Keeper) archive.Report {
	w.t.Helper()
	r, err := k.Run(w.t.Context(), "test")
	require.NoError(w.t, err)
	require.Equal(w.t, store.RunDone, r.State)
	return r
}

func TestOldCallsMoveIntoQuartersAndStayReadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	due := w.fill(120)
	before := w.history(nil)
	w.requireCleanBooks()

	plan, err := w.keeper.Rehearse(t.Context())
	require.NoError(t, err)
	assert.EqualValues(t, due, plan.Calls)
	assert.Equal(t, before, w.history(nil), "a rehearsal moves nothing")

	r := w.run(w.keeper)
	assert.EqualValues(t, due, r.Calls)
	assert.Zero(t, r.Kept)
	assert.Equal(t, plan.Archives, r.Archives, "the rehearsal was right")
	require.Len(t, r.Archives, 4)
	assert.Equal(t, "2026Q1", r.Archives[0].Name)

	assert.Len(t, w.history(nil), 120-due)
	assert.Equal(t, before, w.history(w.keeper), "every call is there, once and unchanged")
	w.requireCleanBooks()
	assert.EqualValues(t, due, w.requireSoundArchives(w.keeper))
	assert.Zero(t, w.run(w.keeper).Calls, "a second run finds nothing")

	runs, err := w.ArchiveRuns(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, runs, 2)
	assert.EqualValues(t, due, runs[1].Calls)
	assert.Equal(t, store.RunDone, runs[1].State)
}

func TestArchivesAreFoundByTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(40)
	w.run(w.keeper)
	q2 := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		from, to time.Time
		want     int
	}{
		{time.Time{}, time.Time{}, 4},
		{q2, q2.AddDate(0, 3, 0), 1},
		{q2.Add(-time.Millisecond), q2.AddDate(0, 3, 0), 2},
		{q2, q2.AddDate(0, 3, 0).Add(time.Millisecond), 2},
		{today, time.Time{}, 0},
		{time.Time{}, q2, 1},
	} {
		found, err := w.keeper.Of(t.Context(), c.from, c.to)
		require.NoError(t, err)
		assert.Len(t, found, c.want, "%s to %s", c.from, c.to)
	}
	newest, err := w.keeper.Of(t.Context(), time.Time{}, time.Time{})
	require.NoError(t, err)
	page, err := newest[0].Calls(t.Context(), store.CallFilter{Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, time.November, page[0].CreatedAt.Month(), "newest first")
	require.ErrorIs(t, newest[0].Exec(t.Context(), "DELETE FROM model_calls"), store.ErrReadOnly)
	var none *archive.Keeper
	found, err := none.Of(t.Context(), time.Time{}, time.Time{})
	require.NoError(t, err)
	assert.Nil(t, found)
}

func TestWhatIsNotDoneStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	old := today.Add(-6 * month)
	w.admit(old, true)
	w.admit(old, false)
	exec := func(query string, args ...any) {
		t.Helper()
		require.NoError(t, w.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, query, args...)
			return err
		}))
	}
	for _, state := range []string{"pending", "sent", "dead"} {
		exec("UPDATE usage SET report_state = ?1 WHERE call_id = ?2", state, w.call(old, true, 7))
	}
	job := w.call(old, true, 7)
	exec(`INSERT INTO jobs (id, call_id, user_id, account_id, app_id, kind, language, provider, model, credential_id, credential, provider_job, state,
asked_json, terms_json, created_at, next_poll_at, deadline_at, expires_at) VALUES ('j', ?1, ?2, '', '', '', '', '', '', '', '', '', 'succeeded', '', '', 0, 0, 0, 0)`, job, w.user.ID)
	exec("INSERT INTO bill_calls (import_id, call_id, cost_nano) VALUES ('b', ?1, 5)", w.call(old, true, 7))
	wrong := w.call(old, true, 7)
	exec("UPDATE model_calls SET credits_nano = credits_nano + 1 WHERE id = ?1", wrong)
	lost := w.call(old, false, 7)
	exec("DELETE FROM usage WHERE call_id = ?1", lost)
	late := w.call(old, true, 7)
	exec("UPDATE model_calls SET finished_at = ?2 WHERE id = ?1", late, today.Add(-time.Hour).UnixMilli())
	done := w.call(old, true, 7)

	before := w.history(nil)
	r := w.run(w.keeper)
	assert.EqualValues(t, 1, r.Calls)
	assert.EqualValues(t, 10, r.Kept)
	left := w.history(nil)
	assert.NotContains(t, left, done)
	assert.Len(t, left, 10)
	assert.Equal(t, before, w.history(w.keeper))

	exec("UPDATE usage SET report_state = 'confirmed'")
	exec("DELETE FROM jobs")
	exec("UPDATE bill_calls SET state = 'applied'")
	exec("UPDATE model_calls SET credits_nano = credits_nano - 1 WHERE id = ?1", wrong)
	assert.EqualValues(t, 6, w.run(w.keeper).Calls, "stragglers follow into the same archive")
	assert.EqualValues(t, 7, w.requireSoundArchives(w.keeper))
	w.requireSoundLedgerExcept(lost)
}

// requireSoundLedgerExcept checks the books, but for a call that the test broke.
func (w *world) requireSoundLedgerExcept(call string) {
	w.t.Helper()
	v, _, err := w.VerifyLedger(w.t.Context(), true)
	require.NoError(w.t, err)
	require.Len(w.t, v, 1)
	assert.Equal(w.t, call, v[0].Subject)
}

var errKilled = errors.New("killed")

// steps are where a run can die, in the order of their first coming.
var steps = []string{"announce", "begin", "copy", "made", "copied", "delete", "deleted"}

func TestARunThatDiesAnywhereLosesAndDoublesNothing(t *testing.T) {
	t.Parallel()
	for _, at := range steps {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			due := w.fill(60)
			before := w.history(nil)
			for round := range 4 {
				left := round // dies a little later each time
				w.keeper.Step = func(step string) error {
					if step != at {
						return nil
					}
					if left--; left < 0 {
						return errKilled
					}
					return nil
				}
				_, err := w.keeper.Run(t.Context(), "test")
				if round < 2 {
					require.ErrorIs(t, err, errKilled)
				}
				assert.Equal(t, before, w.history(w.keeper))
				w.requireCleanBooks()
				w.keeper = w.newKeeper(w.Store) // the process that goes on knows nothing
			}
			w.run(w.keeper)
			assert.Len(t, w.history(nil), 60-due)
			assert.Equal(t, before, w.history(w.keeper))
			w.requireCleanBooks()
			assert.EqualValues(t, due, w.requireSoundArchives(w.keeper))
			runs, err := w.ArchiveRuns(t.Context(), "", 10)
			require.NoError(t, err)
			assert.Equal(t, store.RunFailed, runs[len(runs)-1].State)
		})
	}
}

func TestTwoArchiversDoNoHarm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	due := w.fill(600)
	before := w.history(nil)
	other, err := store.Open(t.Context(), store.Options{URL: w.url, Now: w.clock.now})
	require.NoError(t, err)
	defer other.Close()

	// By the lease only one is at work.
	b := w.newKeeper(other)
	w.keeper.Step = func(step string) error {
		if step == "copied" {
			_, err := b.Run(t.Context(), "other")
			assert.ErrorIs(t, err, archive.ErrBusy)
		}
		return nil
	}
	ctx, stop := context.WithCancel(t.Context())
	_, err = w.keeper.Run(ctx, "test")
	require.NoError(t, err)
	stop()
	assert.Equal(t, before, w.history(w.keeper))
	assert.EqualValues(t, due, w.requireSoundArchives(w.keeper))
	w.requireCleanBooks()
}

// TestAnArchiverThatLostItsLeaseDoesNoHarm stops one between its steps, lets
// another do everything, and lets the first go on.
func TestAnArchiverThatLostItsLeaseDoesNoHarm(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"begin", "copy", "copied", "delete"} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			due := w.fill(60)
			before := w.history(nil)
			other, err := store.Open(t.Context(), store.Options{URL: w.url, Now: w.clock.now})
			require.NoError(t, err)
			defer other.Close()
			b := w.newKeeper(other)
			once := false
			w.keeper.Step = func(step string) error {
				if step != at || once {
					return nil
				}
				once = true
				assert.NoError(t, w.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
					_, err := tx.ExecContext(ctx, "DELETE FROM job_leases")
					return err
				}))
				r, err := b.Run(t.Context(), "other")
				assert.NoError(t, err)
				assert.EqualValues(t, due, r.Calls)
				return nil
			}
			r, err := w.keeper.Run(t.Context(), "test")
			require.NoError(t, err)
			assert.Zero(t, r.Calls, "there was nothing left")
			assert.Equal(t, before, w.history(w.keeper))
			assert.EqualValues(t, due, w.requireSoundArchives(w.keeper))
			w.requireCleanBooks()
		})
	}
}

// TestNothingLiesTwiceWhileItIsStill: a run died after a copy; a sum made within
// Still is right, and a process that was stopped there cannot delete what was
// tidied away.
func TestNothingLiesTwiceWhileItIsStill(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	due := w.fill(60)
	before := w.history(nil)
	count := func() (n int) {
		places, err := w.keeper.Of(t.Context(), time.Time{}, time.Time{})
		require.NoError(t, err)
		for _, s := range append(places, w.Store) {
			got, err := s.CallCount(t.Context(), "", today, 1000)
			require.NoError(t, err)
			n += int(got)
		}
		return n
	}
	other := w.newKeeper(w.Store)
	w.keeper.Step = func(step string) error {
		if step != "delete" {
			return nil
		}
		w.keeper.Step = nil
		assert.Greater(t, count(), 60, "a batch lies in both places")
		require.ErrorIs(t, other.Still(t.Context(), func(context.Context) error { return nil }), archive.ErrBusy)
		assert.NoError(t, w.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM job_leases") // a minute passes
			return err
		}))
		assert.NoError(t, other.Still(t.Context(), func(context.Context) error {
			assert.Equal(t, 60, count())
			return nil
		}))
		return nil
	}
	r := w.run(w.keeper)
	assert.EqualValues(t, due, r.Calls, "it went on and copied again")
	assert.Equal(t, 60, count())
	assert.Equal(t, before, w.history(w.keeper))
	assert.EqualValues(t, due, w.requireSoundArchives(w.keeper))
	w.requireCleanBooks()
	broken := errors.New("broken")
	require.ErrorIs(t, w.keeper.Still(t.Context(), func(context.Context) error { return broken }), broken)
}

func TestACallThatChangesBetweenCopyAndDeletionIsCopiedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	id := w.call(today.Add(-5*month), true, 7)
	changed := false
	w.keeper.Step = func(step string) error {
		if step == "delete" && !changed {
			changed = true
			assert.NoError(t, w.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
				_, err := tx.ExecContext(ctx, "UPDATE model_calls SET cost_nano = 99, usage_source = 'reconciled'")
				return err
			}))
		}
		return nil
	}
	assert.EqualValues(t, 1, w.run(w.keeper).Calls)
	archives, err := w.keeper.Of(t.Context(), time.Time{}, time.Time{})
	require.NoError(t, err)
	c, err := archives[0].CallByID(t.Context(), id)
	require.NoError(t, err)
	assert.EqualValues(t, 99, *c.Cost, "the archive has what the bill said")
	w.requireSoundArchives(w.keeper)
}

func TestTheDiskGuardRefusesAndIsOnRecord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(20)
	before := w.history(nil)
	w.keeper.Settings.Free = 5e9
	w.keeper.FreeDisk = func(string) (int64, bool, error) { return 4e9, true, nil }
	_, err := w.keeper.Run(t.Context(), "test")
	require.ErrorContains(t, err, "Only 4000 MB are free")
	assert.Equal(t, before, w.history(nil))
	runs, err := w.ArchiveRuns(t.Context(), "", 1)
	require.NoError(t, err)
	assert.Equal(t, store.RunFailed, runs[0].State)
	assert.Contains(t, runs[0].Error, "AIGNE_HUB_ARCHIVE_FREE")
	w.keeper.FreeDisk = nil
	w.keeper.Settings.Free = 1
	assert.NotZero(t, w.run(w.keeper).Calls, "the real disk has a byte")
}

func TestARunWithoutTimeIsPartial(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	due := w.fill(600)
	ctx, cancel := context.WithCancel(t.Context())
	w.keeper.Step = func(step string) error {
		if step == "deleted" {
			cancel()
		}
		return nil
	}
	r, err := w.keeper.Run(ctx, "test")
	require.NoError(t, err)
	assert.Equal(t, store.RunPartial, r.State)
	assert.Less(t, r.Calls, int64(due))
	w.keeper.Step = nil
	assert.EqualValues(t, due, r.Calls+w.run(w.keeper).Calls)
}

func TestVerifyFindsWhatWasTamperedWith(t *testing.T) {
	t.Parallel()
	for name, query := range map[string]string{
		"a call is gone":     "DELETE FROM model_calls WHERE id = (SELECT min(id) FROM model_calls)",
		"a price is changed": "UPDATE model_calls SET cost_nano = cost_nano + 1 WHERE id = (SELECT min(id) FROM model_calls)",
		"a text is changed":  "UPDATE usage SET units_json = '{\"input\":1}' WHERE call_id = (SELECT min(id) FROM model_calls)",
		"two are exchanged":  "UPDATE model_calls SET request_id = CASE id WHEN (SELECT min(id) FROM model_calls) THEN 'x' ELSE request_id END",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.fill(40)
			w.run(w.keeper)
			s, err := store.Open(t.Context(), store.Options{URL: "file:" + filepath.Join(w.keeper.Folder, "hub-2026Q2.db"), Archive: true})
			require.NoError(t, err)
			require.NoError(t, s.Exec(t.Context(), query))
			require.NoError(t, s.Close())
			v, err := w.keeper.Verify(t.Context(), "2026Q2")
			require.NoError(t, err)
			assert.False(t, v.OK)
			assert.NotEmpty(t, v.Problem)
			v, err = w.keeper.Verify(t.Context(), "2026Q3")
			require.NoError(t, err)
			assert.True(t, v.OK, v.Problem)
			_, err = w.keeper.Verify(t.Context(), "1999Q1")
			require.ErrorContains(t, err, "no archive")
		})
	}
}

func TestArchivesEndWithTheirOwnRetention(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.fill(60)
	w.keeper.Settings.Keep = 200 * 24 * time.Hour
	w.run(w.keeper)
	w.keeper.Step = func(step string) error {
		if step == "removed" {
			return errKilled
		}
		return nil
	}
	_, err := w.keeper.Run(t.Context(), "test") // 2026Q1 and 2026Q2 have ended more than 200 days ago
	require.ErrorIs(t, err, errKilled)
	w.keeper.Step = nil
	w.run(w.keeper)
	files, err := filepath.Glob(filepath.Join(w.keeper.Folder, "*.db"))
	require.NoError(t, err)
	assert.Len(t, files, 2)
	found, err := w.keeper.Of(t.Context(), time.Time{}, time.Time{})
	require.NoError(t, err)
	assert.Len(t, found, 2)
	w.requireCleanBooks()
}

// TestRandomHistories: calls of all kinds, corrections by bills, runs that die at
// random steps, in two processes by turns: every call is found once at every
// moment, and the sums stay.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			w := newWorld(t)
			other, err := store.Open(t.Context(), store.Options{URL: w.url, Now: w.clock.now})
			require.NoError(t, err)
			defer other.Close()
			keepers := []*archive.Keeper{w.keeper, w.newKeeper(other)}
			var credits, cost int64
			for range 14 {
				for range r.IntN(30) {
					a := money.Credits(r.IntN(40))
					billing := r.IntN(3) > 0
					w.call(today.Add(-time.Duration(r.Int64N(int64(11*month)))), billing, a)
					if billing {
						credits += int64(a)
					}
					cost += int64(a) * 3
				}
				k := keepers[r.IntN(2)]
				left := r.IntN(12)
				k.Step = func(string) error {
					if left--; left < 0 {
						return errKilled
					}
					return nil
				}
				if _, err := k.Run(t.Context(), "test"); err != nil {
					require.ErrorIs(t, err, errKilled)
				}
				w.requireSums(keepers[r.IntN(2)], credits, cost)
			}
			w.keeper.Step = nil
			w.run(w.keeper)
			w.requireSums(w.keeper, credits, cost)
			w.requireCleanBooks()
			w.requireSoundArchives(w.keeper)
		})
	}
}

func (w *world) requireSums(k *archive.Keeper, credits, cost int64) {
	w.t.Helper()
	var gotCredits, gotCost int64
	for _, text := range w.history(k) {
		var c struct{ Call store.Call }
		require.NoError(w.t, json.Unmarshal([]byte(text), &struct{ Call *store.Call }{&c.Call}))
		gotCredits += int64(c.Call.Credits)
		gotCost += int64(*c.Call.Cost)
	}
	require.Equal(w.t, credits, gotCredits)
	require.Equal(w.t, cost, gotCost)
}
