package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/scale"
)

func TestOldCallsAreArchivedFromTheCommandLine(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ok("user", "create", "--email", "a@example.com", "--role", "member")
	h.tamper(`INSERT INTO model_calls (id, created_at, finished_at, user_id, api_key_id, account_id, type, dialect, requested_model, stream, status,
  owner, config_version, request_id, billing, on_abort, on_failure, plan_json, cost_nano)
SELECT '01HX2M5E00ABCDEFGHJKMNPQRS', 1715000000000, 1715000001000, u.id, '', a.id, 'chatCompletion', 'openai', 'm', 0, 'success', '', 1, 'r', 0, '', '', '{}', 7
FROM users u JOIN accounts a ON a.user_id = u.id`,
		`INSERT INTO usage (call_id, created_at, user_id, app_id, provider, model, type, units_json, usage_source, open_owner)
SELECT id, created_at, user_id, '', '', '', type, '{}', '', '' FROM model_calls`)

	assert.Contains(t, h.ok("archive", "run", "--dry-run"), "1 calls admitted before")
	assert.Empty(t, decode[[]operator.ArchiveView](h, "archive", "list"))
	report := decode[archive.Report](h, "archive", "run", "--limit", "1m")
	assert.EqualValues(t, 1, report.Calls)
	assert.EqualValues(t, 0, decode[archive.Report](h, "archive", "run").Calls)

	list := decode[[]operator.ArchiveView](h, "archive", "list")
	require.Len(t, list, 1)
	assert.Equal(t, "2024Q2", list[0].Name)
	assert.Equal(t, filepath.Join(h.data, "archive", "hub-2024Q2.db"), list[0].File)
	info, err := os.Stat(list[0].File)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	assert.Contains(t, h.ok("archive", "verify", "2024Q2"), "yes")
	assert.Contains(t, h.ok("archive", "runs"), "done")
	assert.Contains(t, h.ok("archive", "compact"), "MB now")
	h.ok("ledger", "verify", "--all")

	require.Equal(t, 3, h.run("", "archive", "verify", "1999Q1").code)
	require.Equal(t, 2, h.run("", "archive", "run", "--limit", "soon").code)
	require.NoError(t, os.Remove(list[0].File))
	out := h.run("", "archive", "verify")
	assert.Equal(t, 1, out.code)
	assert.Contains(t, strings.ToLower(out.stdout), "no such file")
}

// TestAKilledArchiverLosesNothing kills the command at random moments: every call
// is found, once in the sums, after each of them.
func TestAKilledArchiverLosesNothing(t *testing.T) {
	t.Parallel()
	const calls = 6000
	h := newHub(t)
	_, err := scale.Fill(t.Context(), scale.Options{File: filepath.Join(h.data, "hub.db"), Calls: calls, Users: 40, Seed: 5, Ledger: true})
	require.NoError(t, err)
	credits := h.history(calls)
	kills := 0
	for round := range 40 {
		cmd := h.command(t.Context(), "archive", "run")
		require.NoError(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-time.After(time.Duration(60+rand.IntN(60*(round+1))) * time.Millisecond):
			require.NoError(t, cmd.Process.Kill())
			<-ended
			kills++
		case err := <-ended:
			require.NoError(t, err)
		}
		assert.Equal(t, credits, h.history(calls), "round %d", round)
		// A minute passes: the dead one's lease is over.
		h.tamper("DELETE FROM job_leases")
		if decode[archive.Report](h, "archive", "run", "--dry-run").Calls == 0 {
			break
		}
	}
	assert.Positive(t, kills)
	h.ok("archive", "run")
	assert.Equal(t, credits, h.history(calls))
	h.ok("archive", "verify")
	h.ok("ledger", "verify", "--all")
	moved := int64(0)
	for _, a := range decode[[]operator.ArchiveView](h, "archive", "list") {
		moved += a.Calls
	}
	assert.Greater(t, moved, int64(calls/2))
}

// history looks for n calls, in the database first, then in the archives, and
// returns what those came to that it had not seen before.
func (h *testHub) history(n int) (credits money.Credits) {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.data, "archive", "*.db"))
	require.NoError(h.t, err)
	seen := map[string]bool{}
	for _, file := range append([]string{filepath.Join(h.data, "hub.db")}, files...) {
		s, err := store.Open(h.t.Context(), store.Options{URL: "file:" + file})
		require.NoError(h.t, err)
		if s.CheckSchema(h.t.Context()) != nil { // killed while the archive was made
			require.NoError(h.t, s.Close())
			continue
		}
		for before := ""; ; {
			page, err := s.Calls(h.t.Context(), store.CallFilter{Before: before, Limit: 1000})
			require.NoError(h.t, err)
			if len(page) == 0 {
				break
			}
			for i := range page {
				before = page[i].ID
				if !seen[before] {
					seen[before] = true
					credits += page[i].Credits
				}
			}
		}
		require.NoError(h.t, s.Close())
	}
	require.Len(h.t, seen, n)
	return credits
}
