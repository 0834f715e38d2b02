package store_test

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// past is when the calls of a logbook begin.
var past = time.Date(2026, 1, 31, 23, 0, 0, 0, time.UTC)

// logbook fills a log with calls, one a second, of two users, and knows them all.
type logbook struct {
	*store.Store
	users []store.User
	keys  []store.APIKey
	rnd   *rand.Rand
	n     int
}

func newLogbook(t testing.TB, s *store.Store) *logbook {
	t.Helper()
	b := &logbook{Store: s, rnd: rand.New(rand.NewPCG(7, 21))}
	for range 2 {
		w := newWorld(t, s, 0)
		b.users, b.keys = append(b.users, w.user), append(b.keys, w.key)
	}
	return b
}

func pick[T any](b *logbook, of ...T) T { return of[b.rnd.IntN(len(of))] }

// add makes calls, each newer than those before.
func (b *logbook) add(t testing.TB, n int) {
	t.Helper()
	for left := n; left > 0; {
		u := &store.Unit{}
		for range min(left, 500) {
			left--
			at := past.Add(time.Duration(b.n) * time.Second)
			id := ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String()
			i := b.rnd.IntN(2)
			var cost any
			if b.rnd.IntN(3) > 0 {
				cost = b.rnd.IntN(1000)
			}
			u.Add(`INSERT INTO model_calls (id, created_at, user_id, api_key_id, app_id, account_id, type, dialect, requested_model, stream, status, owner,
  config_version, request_id, trace_id, billing, on_abort, on_failure, plan_json, provider, model, credits_nano, cost_nano, error_category, duration_ms, http_status)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'openai', ?8, 0, ?9, 'o', 1, ?10, ?11, 0, 'reported', 'free', '{}', ?12, ?13, ?14, ?15, ?16, ?17, 200)`,
				id, at.UnixMilli(), b.users[i].ID, pick(b, b.keys[i].ID, ""), pick(b, "", "", "app-1", "app-2"), b.users[i].AccountID,
				pick(b, "chatCompletion", "embedding"), pick(b, "fast", "openai/gpt-x", "Gpt-x-mini"), pick(b, "success", "success", "success", "failed", "aborted"),
				fmt.Sprintf("req-%d", b.n%50), fmt.Sprintf("%032d", b.n%70), pick(b, "openai", "azure", ""), pick(b, "gpt-x", "gpt-x-mini", "claude-1"),
				b.rnd.IntN(1000), cost, pick(b, "", "", "rate_limited", "upstream_error"), b.rnd.IntN(60_000))
			b.n++
		}
		require.NoError(t, b.Do(t.Context(), u))
	}
}

// matches is what a filter means, said once more.
func matches(c *store.Call, f store.CallFilter) bool {
	prefix := func(s, of string) bool { return len(s) >= len(of) && strings.EqualFold(s[:len(of)], of) }
	ok := func(set bool, is bool) bool { return !set || is }
	s := f.Search
	found := s.ID && c.ID == s.Text || s.Request && c.RequestID == s.Text || s.Trace && c.TraceID == s.Text || s.User && prefix(c.UserID, s.Text) ||
		s.Model && (prefix(c.Model, s.Text) || prefix(c.RequestedModel, s.Text))
	return ok(f.UserID != "", c.UserID == f.UserID) && ok(f.KeyID != "", c.APIKeyID == f.KeyID) && ok(f.AppID != "", c.AppID == f.AppID) &&
		ok(f.Provider != "", c.Provider == f.Provider) && ok(f.Model != "", prefix(c.Model, f.Model) || prefix(c.RequestedModel, f.Model)) &&
		ok(f.Type != "", c.Type == f.Type) && ok(len(f.Statuses) > 0, slices.Contains(f.Statuses, c.Status)) &&
		ok(f.ErrorCategory != "", c.ErrorCategory == f.ErrorCategory) && ok(f.Slow > 0, c.DurationMS != nil && *c.DurationMS >= f.Slow.Milliseconds()) &&
		ok(f.MinCredits > 0, c.Credits >= f.MinCredits) && ok(f.MinCost > 0, c.Cost != nil && *c.Cost >= f.MinCost) && ok(s.Text != "", found) &&
		ok(!f.Span.From.IsZero(), !c.CreatedAt.Before(f.Span.From)) && ok(!f.Span.Until.IsZero(), c.CreatedAt.Before(f.Span.Until))
}

// filters are the filters by themselves.
func (b *logbook) filters() []func(*store.CallFilter) {
	anything := store.CallSearch{ID: true, Request: true, Trace: true, Model: true, User: true}
	search := func(text string) func(*store.CallFilter) {
		return func(f *store.CallFilter) { f.Search = anything; f.Search.Text = text }
	}
	return []func(*store.CallFilter){
		func(f *store.CallFilter) { f.UserID = b.users[0].ID },
		func(f *store.CallFilter) { f.UserID, f.KeyID = b.users[1].ID, b.keys[1].ID },
		func(f *store.CallFilter) { f.KeyID = b.keys[0].ID },
		func(f *store.CallFilter) { f.AppID = "app-2" },
		func(f *store.CallFilter) { f.Provider = "azure" },
		func(f *store.CallFilter) { f.Model = "GPT-X" },
		func(f *store.CallFilter) { f.Model = "openai/" },
		func(f *store.CallFilter) { f.Model = "%" },
		func(f *store.CallFilter) { f.Type = hub.TypeEmbedding },
		func(f *store.CallFilter) { f.Statuses = []hub.CallStatus{hub.StatusFailed, hub.StatusAborted} },
		func(f *store.CallFilter) { f.Statuses = []hub.CallStatus{hub.StatusSuccess} },
		func(f *store.CallFilter) { f.ErrorCategory = "rate_limited" },
		func(f *store.CallFilter) { f.Slow = 30 * time.Second },
		func(f *store.CallFilter) { f.MinCredits = 500 },
		func(f *store.CallFilter) { f.MinCost = 700 },
		func(f *store.CallFilter) { f.Span.From = past.Add(150 * time.Second) },
		func(f *store.CallFilter) { f.Span.Until = past.Add(300*time.Second + time.Millisecond) },
		search("req-7"), search(fmt.Sprintf("%032d", 3)), search("claude"), search(b.users[1].ID), search("' OR 1=1 --"),
	}
}

// all lists everything that a filter selects, page by page.
func (b *logbook) all(t testing.TB, f store.CallFilter) (out []store.Call) {
	t.Helper()
	for pages := 0; ; pages++ {
		require.Less(t, pages, 1000)
		p, err := b.CallPage(t.Context(), f)
		require.NoError(t, err)
		out = append(out, p.Calls...)
		if p.Floor == "" {
			return out
		}
		require.True(t, f.Before == "" || p.Floor < f.Before, "it goes on")
		f.Before = p.Floor
	}
}

func idsOf(calls []store.Call) []string {
	out := make([]string, len(calls))
	for i, c := range calls {
		out[i] = c.ID
	}
	return out
}

func TestEveryFilterAndEveryPairSelectsWhatItSays(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		b := newLogbook(t, s)
		b.add(t, 450)
		every := b.all(t, store.CallFilter{Limit: 1000})
		require.Len(t, every, 450)
		require.True(t, slices.IsSortedFunc(every, func(a, b store.Call) int { return cmp.Compare(b.ID, a.ID) }))
		check := func(f store.CallFilter) (n int) {
			var want []string
			for i := range every {
				if matches(&every[i], f) {
					want = append(want, every[i].ID)
				}
			}
			got := b.all(t, f)
			require.Equal(t, want, slices.Clip(nilIfEmpty(idsOf(got))), "%+v", f)
			return len(want)
		}
		one := b.filters()
		for i, x := range one {
			f := store.CallFilter{Limit: 200}
			x(&f)
			if n := check(f); i < len(one)-1 && f.Model != "%" {
				assert.Positive(t, n, "filter %d selects something", i)
			}
			if s.Remote() && i%4 != 0 {
				continue // each is a question over HTTP
			}
			for _, y := range one[i+1:] {
				// Small walks, so that pages end in the middle of nothing.
				f := store.CallFilter{Limit: 40, Walk: 170}
				x(&f)
				y(&f)
				check(f)
			}
		}
		// All that can be at once.
		f := store.CallFilter{UserID: b.users[0].ID, AppID: "app-1", Provider: "openai", Model: "gpt", Type: hub.TypeChat, Statuses: []hub.CallStatus{hub.StatusSuccess},
			Slow: time.Second, MinCredits: 1, MinCost: 1, Search: store.CallSearch{Text: "gpt", Model: true}, Span: store.Span{From: past, Until: past.Add(time.Hour)}}
		assert.Positive(t, check(f))
	})
}

func nilIfEmpty(s []string) []string {
	if len(s) == 0 {
		return nil
	}
	return s
}

func TestAPageLooksAtSoManyCallsAndNoMore(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		b := newLogbook(t, s)
		b.add(t, 300)
		every := idsOf(b.all(t, store.CallFilter{Limit: 1000}))
		p, err := s.CallPage(t.Context(), store.CallFilter{Model: "no such model", Walk: 100})
		require.NoError(t, err)
		assert.Empty(t, p.Calls)
		assert.Equal(t, every[99], p.Floor, "the hundredth")
		p, err = s.CallPage(t.Context(), store.CallFilter{Model: "no such model", Walk: 100, Before: every[250]})
		require.NoError(t, err)
		assert.Empty(t, p.Floor, "there were not as many left")
		ids, floor, err := s.CallIDs(t.Context(), store.CallFilter{Limit: 7})
		require.NoError(t, err)
		assert.Equal(t, every[:7], ids)
		assert.Equal(t, every[6], floor)
	})
}

func TestPagesNeitherRepeatNorDropWhileCallsAreAdded(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		b := newLogbook(t, s)
		b.add(t, 200)
		f := store.CallFilter{Limit: 7, Walk: 30, Statuses: []hub.CallStatus{hub.StatusSuccess}}
		want := idsOf(b.all(t, f))
		var got []string
		for pages := 0; pages == 0 || f.Before != ""; pages++ {
			p, err := s.CallPage(context.Background(), f)
			require.NoError(t, err)
			got = append(got, idsOf(p.Calls)...)
			f.Before = p.Floor
			b.add(t, 3) // newer ones
		}
		assert.Equal(t, want, got)
	})
}

// TestEveryListOfCallsIsServedByAnIndex looks at the plans of all combinations of
// what leads to calls with what they are asked for.
func TestEveryListOfCallsIsServedByAnIndex(t *testing.T) {
	t.Parallel()
	s := openFile(t, t.TempDir()+"/hub.db")
	b := newLogbook(t, s)
	b.add(t, 50)
	one := b.filters()
	for i, x := range one {
		for _, y := range one[i:] {
			f := store.CallFilter{Limit: 10, Before: "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"}
			x(&f)
			y(&f)
			index := "sqlite_autoindex_model_calls_1 (id>? AND id<?)"
			switch {
			case f.UserID != "":
				index = "model_calls_user (user_id=? AND id>? AND id<?)"
			case f.AppID != "":
				index = "model_calls_app (app_id=? AND id>? AND id<?)"
			}
			for _, plan := range s.CallPlans(t.Context(), f) {
				text := strings.Join(plan, "\n")
				assert.Contains(t, text, index, "%+v", f)
				assert.NotContains(t, text, "SCAN model_calls", "%+v", f)
				assert.NotContains(t, text, "TEMP B-TREE", "%+v: nothing is sorted", f)
			}
		}
	}
}

func TestLeastAmountsAreWholeNumbers(t *testing.T) {
	t.Parallel()
	s := openFile(t, t.TempDir()+"/hub.db")
	b := newLogbook(t, s)
	b.add(t, 100)
	every := b.all(t, store.CallFilter{Limit: 1000})
	most := slices.MaxFunc(every, func(a, b store.Call) int { return cmp.Compare(a.Credits, b.Credits) }).Credits
	assert.NotEmpty(t, b.all(t, store.CallFilter{MinCredits: most}))
	assert.Empty(t, b.all(t, store.CallFilter{MinCredits: most + money.Credits(1)}))
}
