package hrana

import (
	"context"
	"database/sql"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/tursodatabase/libsql-client-go/libsql"
)

func open(t *testing.T, url, token string) *sql.DB {
	t.Helper()
	connector, err := libsql.NewConnector(url, libsql.WithAuthToken(token))
	require.NoError(t, err)
	db := sql.OpenDB(connector)
	t.Cleanup(func() { db.Close() })
	return db
}

func fresh(t *testing.T, o Options) (*Server, *sql.DB) {
	t.Helper()
	s := New(t, o)
	db := open(t, s.URL, s.Token)
	_, err := db.ExecContext(t.Context(), "CREATE TABLE kv(k TEXT PRIMARY KEY, v INTEGER NOT NULL CHECK (v >= 0))")
	require.NoError(t, err)
	return s, db
}

func count(t *testing.T, db *sql.DB) (n int) {
	t.Helper()
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT count(*) FROM kv").Scan(&n))
	return n
}

func pinned(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	for _, s := range statements {
		_, err := conn.ExecContext(t.Context(), s)
		require.NoError(t, err, s)
	}
}

func TestStartServesAFreshDatabaseAndGuardsIt(t *testing.T) {
	t.Parallel()
	url, token := Start(t)
	var version string
	require.NoError(t, open(t, url, token).QueryRowContext(t.Context(), "SELECT sqlite_version()").Scan(&version))
	assert.True(t, strings.HasPrefix(version, "3."), version)

	_, err := open(t, url, "wrong").ExecContext(t.Context(), "SELECT 1")
	assert.ErrorContains(t, err, "401")
}

func TestAPinnedTransactionCommitsOrRollsBack(t *testing.T) {
	t.Parallel()
	_, db := fresh(t, Options{})
	pinned(t, db, "BEGIN IMMEDIATE", "INSERT INTO kv VALUES ('a',1)", "COMMIT")
	assert.Equal(t, 1, count(t, db))
	pinned(t, db, "BEGIN IMMEDIATE", "INSERT INTO kv VALUES ('b',1)", "ROLLBACK")
	assert.Equal(t, 1, count(t, db))
}

func TestABatchIsAtomicWhenAStatementFails(t *testing.T) {
	t.Parallel()
	_, db := fresh(t, Options{})
	// Each statement numbers its own parameters from ?1; the driver deals them out in order.
	const batch = `BEGIN IMMEDIATE;
INSERT INTO kv(k,v) VALUES (?1, ?2);
INSERT INTO kv(k,v) VALUES (?1, ?2);
COMMIT`
	_, err := db.ExecContext(t.Context(), batch, "a", 1, "b", 2)
	require.NoError(t, err)
	assert.Equal(t, 2, count(t, db))
	var v int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT v FROM kv WHERE k='b'").Scan(&v))
	assert.Equal(t, 2, v)

	for name, args := range map[string][]any{
		"the key exists already":     {"c", 3, "a", 1},
		"the check refuses it":       {"c", 3, "d", -1},
		"the first statement is bad": {"a", 1, "e", 1},
	} {
		_, err = db.ExecContext(t.Context(), batch, args...)
		require.Error(t, err, name)
		assert.Contains(t, err.Error(), "constraint failed", name)
		assert.Equal(t, 2, count(t, db), name)
	}
	pinned(t, db, "BEGIN IMMEDIATE", "ROLLBACK") // no lock was left behind
}

func TestEightWritersAtOnceLoseNothing(t *testing.T) {
	t.Parallel()
	const writers, rounds = 8, 20
	_, db := fresh(t, Options{})
	_, err := db.ExecContext(t.Context(), "INSERT INTO kv VALUES ('n',0)")
	require.NoError(t, err)
	var wg sync.WaitGroup
	errs := make(chan error, writers*rounds)
	for range writers {
		wg.Go(func() {
			for range rounds {
				if err := increment(t.Context(), db); err != nil {
					errs <- err
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		assert.NoError(t, err)
	}
	var n int
	require.NoError(t, db.QueryRowContext(t.Context(), "SELECT v FROM kv WHERE k='n'").Scan(&n))
	assert.Equal(t, writers*rounds, n)
}

// increment reads and writes on one connection, so a lost update would show.
func increment(ctx context.Context, db *sql.DB) error {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	var n int
	if err := conn.QueryRowContext(ctx, "SELECT v FROM kv WHERE k='n'").Scan(&n); err != nil {
		return err
	}
	if _, err := conn.ExecContext(ctx, "UPDATE kv SET v=?1 WHERE k='n'", n+1); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, "COMMIT")
	return err
}

func TestADroppedAnswerWasExecutedAndARefusedOneWasNot(t *testing.T) {
	t.Parallel()
	s, db := fresh(t, Options{})
	s.Plan(Faults{Drop: 1, Match: "INSERT"})
	assert.Zero(t, count(t, db), "a pipeline that does not match is left alone")
	_, err := db.ExecContext(t.Context(), "INSERT INTO kv VALUES ('dropped',1)")
	require.Error(t, err)
	assert.Equal(t, 1, count(t, db))

	s.Plan(Faults{Errors: 1})
	_, err = db.ExecContext(t.Context(), "INSERT INTO kv VALUES ('refused',1)")
	require.ErrorContains(t, err, "503")
	assert.Equal(t, 1, count(t, db))

	stats := s.Stats()
	assert.Equal(t, 1, stats.Dropped)
	assert.Equal(t, 1, stats.Errors)
}

func TestWhatBreaksOffInTheMiddleLeavesNothing(t *testing.T) {
	t.Parallel()
	s, db := fresh(t, Options{})
	const batch = "BEGIN IMMEDIATE; INSERT INTO kv VALUES ('a',1); INSERT INTO kv VALUES ('b',1); COMMIT"
	for _, f := range []Faults{{Reset: 1}, {Midway: 1}, {Cut: 1}} {
		f.Match = "INSERT"
		s.Plan(f)
		_, err := db.ExecContext(t.Context(), batch)
		require.Error(t, err)
		assert.Zero(t, count(t, db))
	}
	stats := s.Stats()
	assert.Equal(t, []int{1, 1, 1}, []int{stats.Resets, stats.Midway, stats.Cut})
	_, err := db.ExecContext(t.Context(), batch)
	require.NoError(t, err)
	assert.Equal(t, 2, count(t, db))
}

func TestALateAnswerIsExecutedAtOnce(t *testing.T) {
	t.Parallel()
	s, db := fresh(t, Options{})
	s.Plan(Faults{Late: 1, LateBy: 10 * time.Minute, Match: "INSERT"})
	ctx, leave := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := db.ExecContext(ctx, "INSERT INTO kv VALUES ('late',1)")
		done <- err
	}()
	require.Eventually(t, func() bool { return count(t, db) == 1 }, 5*time.Second, 5*time.Millisecond)
	select {
	case err := <-done:
		t.Fatalf("answered early: %v", err)
	default:
	}
	leave()
	require.ErrorIs(t, <-done, context.Canceled)
}

func TestADelayComesBeforeEveryPipeline(t *testing.T) {
	t.Parallel()
	_, db := fresh(t, Options{Delay: 30 * time.Millisecond})
	start := time.Now()
	count(t, db)
	assert.GreaterOrEqual(t, time.Since(start), 30*time.Millisecond)
}

func TestAKilledServerComesBackWithWhatWasCommitted(t *testing.T) {
	t.Parallel()
	s, db := fresh(t, Options{})
	_, err := db.ExecContext(t.Context(), "INSERT INTO kv VALUES ('kept',1)")
	require.NoError(t, err)
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "INSERT INTO kv VALUES ('open',1)")
	require.NoError(t, err)

	s.Kill()
	_, err = conn.ExecContext(t.Context(), "COMMIT")
	require.Error(t, err)
	conn.Close()

	before := s.URL
	s.Restart()
	assert.Equal(t, before, s.URL)
	assert.Equal(t, 1, count(t, open(t, s.URL, s.Token)))
}

func TestAForgottenTransactionIsRolledBack(t *testing.T) {
	t.Parallel()
	_, db := fresh(t, Options{TxnTimeout: 50 * time.Millisecond})
	conn, err := db.Conn(t.Context())
	require.NoError(t, err)
	defer conn.Close()
	_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	require.NoError(t, err)
	_, err = conn.ExecContext(t.Context(), "INSERT INTO kv VALUES ('x',1)")
	require.NoError(t, err)
	pinned(t, db, "BEGIN IMMEDIATE", "COMMIT") // waits for the lock
	_, err = conn.ExecContext(t.Context(), "COMMIT")
	require.ErrorContains(t, err, "timed out")
	assert.Zero(t, count(t, db))
}

func TestTwoStatementsInOneAreRefusedAsBySqld(t *testing.T) {
	t.Parallel()
	s, _ := fresh(t, Options{})
	run := func(sql string) string {
		var out struct {
			Results []struct {
				Type  string `json:"type"`
				Error struct {
					Code string `json:"code"`
				} `json:"error"`
			} `json:"results"`
		}
		s.call(http.MethodPost, "/v2/pipeline", map[string]any{"requests": []any{
			map[string]any{"type": "execute", "stmt": map[string]any{"sql": sql}},
			map[string]any{"type": "close"},
		}}, &out)
		return out.Results[0].Type + out.Results[0].Error.Code
	}
	assert.Equal(t, "errorSQL_MANY_STATEMENTS", run("SELECT 1; SELECT 2"))
	assert.Equal(t, "ok", run("SELECT ';'; -- and; no more"))
	assert.Equal(t, "ok", run("CREATE TRIGGER tr AFTER INSERT ON kv BEGIN UPDATE kv SET v=1; UPDATE kv SET v=2; END"))
}

func TestAnUnknownControlIsRefused(t *testing.T) {
	t.Parallel()
	s, _ := fresh(t, Options{})
	assert.ErrorContains(t, s.exchange(http.MethodPost, "/_control", map[string]any{"dorp": 1}, nil), "unknown control")
}
