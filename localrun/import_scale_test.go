package main

import (
	"context"
	"database/sql"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/movein"
)

// manyCalls are 100,000 calls of 500 users over a year.
const manyCalls = `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO ModelCalls (id, providerId, model, credentialId, totalUsage, usageMetrics, credits, status, duration, userDid, requestId, callTime, createdAt, updatedAt)
SELECT printf('9%09d', i), '101', 'gpt-5-mini', '201', 30, '{"inputTokens":10,"outputTokens":20}', 0.0001, 'success', 1.5, printf('z1Bulk%09d', 100000000 + i % 500), 'r' || i,
  1735689600 + i * 300, '2025-01-01 00:00:00.000 +00:00', '2025-01-01 00:00:00.000 +00:00' FROM n`

func TestAHundredThousandCallsStreamThroughAKill(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	db := foreignDB(t, filepath.Join(t.TempDir(), "aikit.db"), "aikit.sql", "DELETE FROM ModelCalls", "DELETE FROM AiCredentials", manyCalls)

	first := h.command(context.Background(), "import", "aigne-hub", db)
	require.NoError(t, first.Start())
	require.Eventually(t, func() bool { return numberIn(h, "SELECT count(*) FROM model_calls") > 3000 }, time.Minute, 20*time.Millisecond)
	require.NoError(t, first.Process.Kill())
	_ = first.Wait()
	half := numberIn(h, "SELECT count(*) FROM model_calls")
	assert.Less(t, half, int64(100_000))
	assert.Zero(t, half%movein.Page, "a page is there as a whole or not at all")
	assert.Equal(t, half, numberIn(h, "SELECT count(*) FROM usage"))

	second := h.command(t.Context(), "import", "aigne-hub", db)
	out, err := second.Output()
	require.NoError(t, err)
	usage, ok := second.ProcessState.SysUsage().(*syscall.Rusage)
	require.True(t, ok)
	const most = 200 << 10 // KiB
	assert.Less(t, usage.Maxrss, int64(most), "calls are not gathered in memory")
	t.Logf("%d MiB, %v of processor time\n%.300s", usage.Maxrss>>10, second.ProcessState.UserTime(), out)

	v := decode[movedView](h, "import", "aigne-hub", db)
	assert.Zero(t, v.Created)
	assert.EqualValues(t, 0, v.History[0].Added)
	assert.EqualValues(t, 100_000, numberIn(h, "SELECT count(*) FROM model_calls"))
	assert.EqualValues(t, 100_000, numberIn(h, "SELECT count(*) FROM usage"))
	assert.EqualValues(t, 100_000*100_000, numberIn(h, "SELECT sum(credits_nano) FROM model_calls"), "to the nano-credit")
	h.ok("ledger", "verify", "--all")
}

// numberIn asks the hub's database for one number; -1: it does not answer now.
func numberIn(h *testHub, query string) int64 {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.data, "hub.db")+"?mode=ro&_pragma=busy_timeout(5000)")
	if err != nil {
		return -1
	}
	defer db.Close()
	var n int64
	if db.QueryRowContext(context.Background(), query).Scan(&n) != nil {
		return -1
	}
	return n
}
