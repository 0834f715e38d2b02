package rollup_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
)

// BenchmarkRollup sums up 100,000 calls of a day by 200 users, 300 keys and 20
// models, from nothing to days:
//
//	go test ./shared/rollup -run '^$' -bench Rollup -benchtime 3x
func BenchmarkRollup(b *testing.B) {
	const calls = 100_000
	dir, err := os.MkdirTemp("", "rollup")
	require.NoError(b, err)
	defer os.RemoveAll(dir)
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for i := range b.N {
		b.StopTimer()
		c := &clock{at: begin}
		url := "file:" + filepath.Join(dir, fmt.Sprintf("%d.db", i))
		blank.At(b, url)
		s, err := store.Open(b.Context(), store.Options{URL: url, Now: c.now})
		require.NoError(b, err)
		_, err = s.Migrate(b.Context())
		require.NoError(b, err)
		fillCalls(b, s, begin, calls)
		c.set(begin.Add(25 * time.Hour))
		roller := &rollup.Roller{Store: s, Now: c.now, Log: slog.New(slog.DiscardHandler)}
		b.StartTimer()
		report, err := roller.Rebuild(b.Context(), begin, begin.Add(24*time.Hour), false, nil)
		b.StopTimer()
		require.NoError(b, err)
		require.Greater(b, report.Changed, 96)
		require.NoError(b, s.Close())
		b.StartTimer()
	}
	b.ReportMetric(calls*float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// fillCalls writes finished calls spread over a day, as they would be after their
// settlement.
func fillCalls(b *testing.B, s *store.Store, begin time.Time, n int) {
	r := rand.New(rand.NewPCG(1, 2))
	users := make([]store.User, 200)
	for i := range users {
		var err error
		users[i], err = s.CreateUser(b.Context(), store.User{Email: fmt.Sprintf("u%d@example.com", i), Role: hub.RoleMember})
		require.NoError(b, err)
	}
	u := &store.Unit{}
	for i := range n {
		at := begin.Add(time.Duration(i) * 24 * time.Hour / time.Duration(n))
		id := ulid.MustNew(ulid.Timestamp(at), nil)
		copy(id[6:], fmt.Sprintf("%010d", i))
		who := r.IntN(len(users))
		model := min(r.IntN(20), r.IntN(20))
		status, category := "success", ""
		if r.IntN(50) == 0 {
			status, category = "failed", "provider_error"
		}
		u.Add(`INSERT INTO model_calls (id, created_at, finished_at, user_id, api_key_id, account_id, type, dialect, requested_model, stream, status, owner,
config_version, request_id, billing, on_abort, on_failure, plan_json, provider, model, input, output, credits_nano, cost_nano, error_category, attempts, duration_ms, ttfb_ms)
VALUES (?1, ?2, ?2, ?3, ?4, ?5, 'chatCompletion', 'openai', 'm', 1, ?6, 'o', 1, 'r', 1, 'reported', 'delivered', '{}', ?7, ?8, 1000, 200, 4000, 3000, ?9, 1, ?10, ?11)`,
			id.String(), at.UnixMilli(), users[who].ID, fmt.Sprintf("key%024d", who*3/2+r.IntN(2)), users[who].AccountID, status,
			[]string{"openai", "anthropic"}[model%2], fmt.Sprintf("model-%d", model), category, 200+r.IntN(20_000), 50+r.IntN(2000))
		if len(u.Stmts) == 1000 || i == n-1 {
			require.NoError(b, s.Do(b.Context(), u))
			u = &store.Unit{}
		}
	}
}
