package main

import (
	"context"
	"database/sql"
	"os"
	"path/filepath"
	"strconv"
	"strings"
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
	require.NoError(t, second.Start())
	ended := make(chan error, 1)
	go func() { ended <- second.Wait() }()
	peak, tick := int64(0), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for running := true; running; {
		select {
		case err := <-ended:
			require.NoError(t, err)
			running = false
		case <-tick.C:
			peak = max(peak, peakMemory(second.Process.Pid))
		}
	}
	const most = 200 << 10 // KiB
	assert.Less(t, peak, int64(most), "calls are not gathered in memory")
	t.Logf("%d MiB, %v of processor time", peak>>10, second.ProcessState.UserTime())

	v := decode[movedView](h, "import", "aigne-hub", db)
	assert.Zero(t, v.Created)
	assert.EqualValues(t, 0, v.History[0].Added)
	assert.EqualValues(t, 100_000, numberIn(h, "SELECT count(*) FROM model_calls"))
	assert.EqualValues(t, 100_000, numberIn(h, "SELECT count(*) FROM usage"))
	assert.EqualValues(t, 100_000*100_000, numberIn(h, "SELECT sum(credits_nano) FROM model_calls"), "to the nano-credit")
	h.ok("ledger", "verify", "--all")
}

// peakMemory is what a process had in memory at most so far, in KiB; 0 where there
// is no /proc. (What wait4 reports includes its parent's, before it was another program.)
func peakMemory(pid int) int64 {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	number, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, _ := strconv.ParseInt(number, 10, 64)
	return n
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
