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
	time.Sleep(6 * time.Second) // wherever that is: nothing is half done
	_ = first.Process.Kill()    // it may be through
	_ = first.Wait()

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
	assert.EqualValues(t, 100_000, count(t, h, "SELECT count(*) FROM model_calls"))
	assert.EqualValues(t, 100_000, count(t, h, "SELECT count(*) FROM usage"))
	assert.EqualValues(t, 100_000*100_000, count(t, h, "SELECT sum(credits_nano) FROM model_calls"), "to the nano-credit")
	h.ok("ledger", "verify", "--all")
}

// count asks the hub's database for one number.
func count(t *testing.T, h *testHub, query string) (n int64) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(h.data, "hub.db")+"?mode=ro")
	require.NoError(t, err)
	defer db.Close()
	require.NoError(t, db.QueryRowContext(t.Context(), query).Scan(&n))
	return n
}
