package rollup_test

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// clock is the time in a test.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// eachStore runs a test on an embedded file and on a libSQL server.
func eachStore(t *testing.T, name string, at time.Time, test func(w *world)) {
	t.Helper()
	t.Run(name+" embedded file", func(t *testing.T) {
		t.Parallel()
		test(open(t, at, store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")}))
	})
	t.Run(name+" libSQL server", func(t *testing.T) {
		t.Parallel()
		url, token := hrana.Start(t)
		test(open(t, at, store.Options{URL: url, Token: hub.Secret(token)}))
	})
}

// world is a hub's database with two users, and the calls that are open.
type world struct {
	t *testing.T
	*store.Store
	clock    *clock
	users    []person
	lease    string
	version  int64
	open     []store.Admission
	swept    []store.Settlement // charged their checkpoints; their owners may come back
	archives *shelf
}

type person struct {
	store.User
	key store.APIKey
}

func open(t *testing.T, at time.Time, o store.Options) *world {
	t.Helper()
	c := &clock{at: at}
	o.Now = c.now
	w := &world{t: t, Store: openStore(t, o), clock: c, archives: &shelf{}}
	ctx := t.Context()
	var err error
	for range 2 {
		var p person
		p.User, err = w.CreateUser(ctx, store.User{Email: w.NewID() + "@example.com", Role: hub.RoleMember})
		require.NoError(t, err)
		p.key, err = w.CreateKey(ctx, store.APIKey{UserID: p.ID, Name: "k", Hash: w.NewID(), Hint: "abcd"})
		require.NoError(t, err)
		require.NoError(t, w.Do(ctx, w.GrantUnit(store.Grant{ID: w.NewID(), AccountID: p.AccountID, Kind: "promotional", Amount: 1 << 50, Priority: 50})))
		w.users = append(w.users, p)
	}
	w.lease, err = w.OpenLease(ctx)
	require.NoError(t, err)
	w.version, err = w.ConfigVersion(ctx)
	require.NoError(t, err)
	return w
}

func openStore(t *testing.T, o store.Options) *store.Store {
	t.Helper()
	blank.At(t, o.URL)
	s, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func (w *world) roller() *rollup.Roller {
	return &rollup.Roller{Store: w.Store, Archives: w.archives, Now: w.clock.now, Log: slog.New(slog.DiscardHandler)}
}

// admission is a call of one of the users.
func (w *world) admission(r *rand.Rand) store.Admission {
	p := w.users[r.IntN(len(w.users))]
	app := []string{"", "app-a", "app-b"}[r.IntN(3)]
	return store.Admission{CallID: w.NewID(), Caller: hub.Caller{UserID: p.ID, KeyID: p.key.ID, KeySerial: p.key.Serial, AccountID: p.AccountID, AppID: app},
		Type: hub.TypeChat, Dialect: "openai-chat", RequestedModel: "m", Owner: w.lease, ConfigVersion: w.version, RequestID: "r",
		Billing: true, OnAbort: "reported", OnFailure: "delivered", PlanJSON: "{}", Hold: money.Credits(r.Int64N(1000))}
}

// settlement is how a call ended.
func (w *world) settlement(r *rand.Rand, a store.Admission) store.Settlement {
	x := store.Settlement{CallID: a.CallID, Owner: a.Owner, UserID: a.Caller.UserID, AccountID: a.Caller.AccountID, AppID: a.Caller.AppID, Type: a.Type,
		Billing: true, Source: hub.UsageReported, HTTPStatus: 200, Tries: 1 + r.IntN(2), Duration: time.Duration(r.Int64N(100_000)) * time.Millisecond,
		Provider: []string{"alpha", "beta"}[r.IntN(2)], Model: fmt.Sprintf("m%d", r.IntN(3)), Amount: money.Credits(r.Int64N(900))}
	x.Status = []hub.CallStatus{hub.StatusSuccess, hub.StatusSuccess, hub.StatusSuccess, hub.StatusAborted, hub.StatusFailed}[r.IntN(5)]
	if x.Status == hub.StatusFailed {
		x.HTTPStatus, x.Category = 502, []string{"provider_error", "timeout"}[r.IntN(2)]
	} else {
		x.TTFB = new(time.Duration(r.Int64N(5000)) * time.Millisecond)
	}
	for b := range hub.NumBuckets {
		if r.IntN(3) == 0 {
			x.Usage[b] = r.Int64N(5000)
		}
	}
	if r.IntN(4) > 0 {
		x.Cost = new(money.Credits(r.Int64N(10_000)))
	}
	return x
}

// shelf is archives for tests.
type shelf struct {
	mu     sync.Mutex
	stores []*store.Store
}

func (s *shelf) Of(context.Context, time.Time, time.Time) ([]*store.Store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stores, nil
}

func (s *shelf) Newest(ctx context.Context, from, to time.Time) ([]*store.Store, string, error) {
	all, err := s.Of(ctx, from, to)
	return all, "", err
}

func (s *shelf) First(ctx context.Context) (at time.Time, ok bool, err error) {
	all, _ := s.Of(ctx, at, at)
	for _, a := range all {
		first, found, err := a.FirstCall(ctx)
		if err != nil {
			return at, ok, err
		}
		if found && (!ok || first.Before(at)) {
			at, ok = first, true
		}
	}
	return at, ok, nil
}

// archive copies the finished calls admitted before a time into an archive, and
// deletes them unless it is interrupted there.
func (w *world) archive(before time.Time, deletes bool) {
	t, ctx := w.t, w.t.Context()
	path := filepath.Join(t.TempDir(), "archive.db")
	a := openStore(t, store.Options{URL: "file:" + path})
	for _, p := range w.users {
		u := &store.Unit{}
		u.Add("INSERT INTO users (id, email, role, created_at) VALUES (?1, ?1, 'member', 0)", p.ID)
		u.Add("INSERT INTO accounts (id, kind, user_id, created_at) VALUES (?1, 'wallet', ?2, 0)", p.AccountID, p.ID)
		require.NoError(t, a.Do(ctx, u))
	}
	var rows [][]any
	var columns []string
	require.NoError(t, w.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		found, err := tx.QueryContext(ctx, "SELECT * FROM model_calls WHERE status <> 'processing' AND id < ?", idAt(before))
		if err != nil {
			return err
		}
		defer found.Close()
		if columns, err = found.Columns(); err != nil {
			return err
		}
		for found.Next() {
			row := make([]any, len(columns))
			into := make([]any, len(columns))
			for i := range row {
				into[i] = &row[i]
			}
			if err := found.Scan(into...); err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return found.Err()
	}))
	insert := "INSERT INTO model_calls VALUES (?"
	for range columns[1:] {
		insert += ", ?"
	}
	for _, row := range rows {
		u := &store.Unit{}
		u.Add(insert+")", row...)
		require.NoError(t, a.Do(ctx, u))
	}
	w.archives.mu.Lock()
	w.archives.stores = append([]*store.Store{a}, w.archives.stores...)
	w.archives.mu.Unlock()
	if !deletes {
		return
	}
	u := &store.Unit{}
	for _, table := range []string{"usage", "model_call_attempts"} {
		u.Add("DELETE FROM "+table+" WHERE call_id < ?1 AND call_id IN (SELECT id FROM model_calls WHERE status <> 'processing')", idAt(before))
	}
	u.Add("DELETE FROM model_calls WHERE id < ?1 AND status <> 'processing'", idAt(before))
	require.NoError(t, w.Do(ctx, u))
}

// known is what the tests count themselves.
type known struct {
	Calls, Uncosted, Credits, CostedCredits, Cost int64
	rollup.Measures
}

// truth sums calls as they are, wherever they are, by rows of a test's own.
func (w *world) truth(from, until time.Time, only store.StatKey) known {
	seen := map[string]bool{}
	var sum known
	all, err := w.archives.Of(w.t.Context(), from, until)
	require.NoError(w.t, err)
	for _, s := range append([]*store.Store{w.Store}, all...) {
		require.NoError(w.t, s.Tx(w.t.Context(), func(ctx context.Context, tx *store.Tx) error { return count(ctx, tx, from, until, only, seen, &sum) }))
	}
	return sum
}

func count(ctx context.Context, tx *store.Tx, from, until time.Time, only store.StatKey, seen map[string]bool, sum *known) error {
	rows, err := tx.QueryContext(ctx, `SELECT id, user_id, api_key_id, app_id, model, status, credits_nano, shortfall_nano, cost_nano, input, output, coalesce(nullif(other_units_json, '') ->> 'images', 0), attempts, duration_ms, ttfb_ms
FROM model_calls WHERE status <> 'processing' AND id >= ?1 AND id < ?2`, idAt(from), idAt(until))
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var k store.StatKey
		var cost, took, ttfb sql.NullInt64
		var credits, shortfall, input, output, images, attempts int64
		if err := rows.Scan(&id, &k.UserID, &k.KeyID, &k.AppID, &k.Model, &k.Status, &credits, &shortfall, &cost, &input, &output, &images, &attempts, &took, &ttfb); err != nil {
			return err
		}
		if seen[id] {
			continue
		}
		seen[id] = true
		if (only.UserID != "" && only.UserID != k.UserID) || (only.KeyID != "" && only.KeyID != k.KeyID) || (only.AppID != "" && only.AppID != k.AppID) || (only.Model != "" && only.Model != k.Model) ||
			(only.Status != "" && only.Status != k.Status) {
			continue
		}
		sum.Calls++
		sum.Credits += credits
		sum.Shortfall += shortfall
		sum.Attempts += attempts
		if cost.Valid {
			sum.CostedCredits += credits
			sum.Cost += cost.Int64
		} else {
			sum.Uncosted++
		}
		sum.Units[hub.Input] += input
		sum.Units[hub.Output] += output
		sum.Units[hub.Images] += images
		if took.Valid {
			sum.Timed, sum.DurationMS = sum.Timed+1, sum.DurationMS+took.Int64
		}
		if ttfb.Valid {
			sum.Begun, sum.TTFBMS = sum.Begun+1, sum.TTFBMS+ttfb.Int64
		}
	}
	return rows.Err()
}
