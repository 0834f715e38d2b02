package store_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// tamper runs statements as somebody with the file would.
func tamper(t *testing.T, s *store.Store, statements ...string) {
	t.Helper()
	require.NoError(t, s.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for _, q := range statements {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return nil
	}))
}

func requireWholeLog(t *testing.T, s *store.Store) store.AuditReport {
	t.Helper()
	r, err := s.VerifyAudit(t.Context(), store.Head{})
	require.NoError(t, err)
	require.Empty(t, r.Violations)
	require.Zero(t, r.Unlinked)
	return r
}

func TestTheAuditLogSaysWhoDidWhatFromWhere(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		o := hub.Origin{UserID: "u", KeyID: "k", Address: "192.0.2.7", RequestID: "r-1"}
		require.NoError(t, s.Audit(hub.WithOrigin(t.Context(), o), "a@example.com", "rate.set", "openai/m", `{"a":1}`, `{"a":2}`))
		require.NoError(t, s.Audit(t.Context(), "cli", "key.revoke", "K", "", ""))
		acts, err := s.Acts(t.Context(), store.ActFilter{Actor: "a@example.com"}, store.ActCursor{}, 10)
		require.NoError(t, err)
		require.Len(t, acts, 1)
		assert.Equal(t, o, acts[0].Origin)
		assert.Equal(t, `{"a":2}`, acts[0].After)
		assert.EqualValues(t, 1, acts[0].Number)
		assert.EqualValues(t, 2, requireWholeLog(t, s).Rows)
	})
}

func TestTheAuditLogTakesNoChange(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		require.NoError(t, s.Audit(t.Context(), "cli", "a", "x", "", ""))
		for _, q := range []string{
			"UPDATE audit_log SET actor = 'nobody'", "DELETE FROM audit_log", "UPDATE audit_log SET number = 7", "DELETE FROM audit_head",
			"UPDATE audit_head SET number = 0", "UPDATE audit_head SET number = number + 1, hash = 'x'", "REPLACE INTO audit_head (id, number, hash) VALUES (1, 0, '')",
			"INSERT INTO audit_log (id, created_at, actor, action, subject, number, hash) VALUES ('z', 1, 'a', 'b', 'c', 2, 'h')",
			"INSERT OR REPLACE INTO audit_log (id, created_at, actor, action, subject) SELECT id, 1, 'x', 'b', 'c' FROM audit_log",
		} {
			err := s.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error { _, err := tx.ExecContext(ctx, q); return err })
			assert.Error(t, err, q)
		}
		requireWholeLog(t, s)
	})
}

func TestAlteredRemovedAndInsertedActsAreFound(t *testing.T) {
	t.Parallel()
	const open, shut = "DROP TRIGGER audit_log_fixed", "DROP TRIGGER audit_log_kept"
	for name, c := range map[string]struct {
		do   []string
		want string
	}{
		"altered":                {[]string{open, "UPDATE audit_log SET after_json = '{}' WHERE number = 3"}, "act 3"},
		"another address":        {[]string{open, "UPDATE audit_log SET address = '10.0.0.1' WHERE number = 3"}, "act 3"},
		"removed":                {[]string{shut, "DELETE FROM audit_log WHERE number = 3"}, "acts 2 and 4"},
		"removed and closed up":  {[]string{open, shut, "DROP TRIGGER audit_log_linked", "DELETE FROM audit_log WHERE number = 3", "UPDATE audit_log SET number = number - 1 WHERE number > 3"}, "act 3"},
		"cut at the end":         {[]string{shut, "DELETE FROM audit_log WHERE number > 4"}, "ends with act 4"},
		"everything":             {[]string{shut, "DELETE FROM audit_log"}, "ends with act 0"},
		"a trigger that is gone": {[]string{open}, "the trigger is gone"},
		"put in between": {[]string{open, "DROP TRIGGER audit_log_enters", "DROP TRIGGER audit_log_linked", "UPDATE audit_log SET number = 99 WHERE number = 3",
			"INSERT INTO audit_log (id, created_at, actor, action, subject, number, hash) VALUES ('z', 1, 'a', 'b', 'c', 3, 'h')"}, "act 3"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := openFile(t, filepath.Join(t.TempDir(), "hub.db"))
			for i := range 5 {
				require.NoError(t, s.Audit(t.Context(), "cli", "act", fmt.Sprint(i), "", `{"n":1}`))
			}
			requireWholeLog(t, s)
			tamper(t, s, c.do...)
			r, err := s.VerifyAudit(t.Context(), store.Head{})
			require.NoError(t, err)
			require.NotEmpty(t, r.Violations)
			assert.Contains(t, fmt.Sprint(r.Violations), c.want)
		})
	}
}

func TestAnAnchorFindsALogThatWasCutWithItsHead(t *testing.T) {
	t.Parallel()
	s := openFile(t, filepath.Join(t.TempDir(), "hub.db"))
	for i := range 5 {
		require.NoError(t, s.Audit(t.Context(), "cli", "act", fmt.Sprint(i), "", ""))
	}
	anchor := requireWholeLog(t, s).Head
	tamper(t, s, "DROP TRIGGER audit_log_kept", "DROP TRIGGER audit_head_fixed", "DELETE FROM audit_log WHERE number > 3",
		"UPDATE audit_head SET number = 3, hash = (SELECT hash FROM audit_log WHERE number = 3)",
		"CREATE TRIGGER audit_log_kept BEFORE DELETE ON audit_log BEGIN SELECT 1; END", "CREATE TRIGGER audit_head_fixed BEFORE UPDATE ON audit_head BEGIN SELECT 1; END")
	r, err := s.VerifyAudit(t.Context(), store.Head{})
	require.NoError(t, err)
	assert.Empty(t, r.Violations, "a log cut together with its head looks whole by itself")
	r, err = s.VerifyAudit(t.Context(), anchor)
	require.NoError(t, err)
	assert.Contains(t, fmt.Sprint(r.Violations), "act 5 is missing")
}

func TestSeveralProcessesKeepOneChain(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "hub.db")
	stores := []*store.Store{openFile(t, path), openFile(t, path), openFile(t, path)}
	var wg sync.WaitGroup
	const each = 40
	for i, s := range stores {
		for range 2 {
			wg.Go(func() {
				for n := range each {
					var err error
					for range 20 {
						if err = s.Audit(context.Background(), "cli", "act", fmt.Sprint(i, n), "", ""); !errors.Is(err, store.ErrUnavailable) {
							break
						}
					}
					assert.NoError(t, err)
				}
			})
		}
	}
	wg.Wait()
	assert.GreaterOrEqual(t, requireWholeLog(t, stores[0]).Rows, int64(len(stores)*2*each))
}

func TestRowsOfOlderVersionsAndOfCrashedProcessesAreLinked(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		for i := range 120 {
			require.NoError(t, s.Exec(t.Context(), "INSERT INTO audit_log (id, created_at, actor, action, subject) VALUES (?1, ?2, 'cli', 'act', 'x')",
				fmt.Sprintf("old-%03d", i), i))
		}
		r, err := s.VerifyAudit(t.Context(), store.Head{})
		require.NoError(t, err)
		assert.EqualValues(t, 120, r.Unlinked)
		require.NoError(t, s.LinkAudit(t.Context()))
		assert.EqualValues(t, 120, requireWholeLog(t, s).Rows)
	})
}

func TestWhateverMovesMoneyBesideCallsIsOnRecord(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		a := w.admission(60)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(w.settlement(a, 25*money.Credits(1)))))
		require.NoError(t, s.LinkAudit(t.Context()))
		acts, err := s.Acts(t.Context(), store.ActFilter{Subject: w.user.AccountID}, store.ActCursor{}, 10)
		require.NoError(t, err)
		require.Len(t, acts, 1, "the grant, and no call")
		assert.Equal(t, "ledger.grant", acts[0].Action)
		assert.Contains(t, acts[0].After, `"amount_nano":100`)
		requireWholeLog(t, s)
	})
}

func TestActsAreListedByWhatIsAskedForAndPaged(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		for i := range 12 {
			require.NoError(t, s.Audit(t.Context(), fmt.Sprint("actor", i%2), fmt.Sprint("action", i%3), fmt.Sprint("subject", i%4), "", ""))
		}
		count := func(f store.ActFilter) (n int) {
			after := store.ActCursor{}
			for {
				acts, err := s.Acts(t.Context(), f, after, 2)
				require.NoError(t, err)
				if len(acts) == 0 {
					return n
				}
				n += len(acts)
				after = store.ActCursor{At: acts[len(acts)-1].At, ID: acts[len(acts)-1].ID}
			}
		}
		assert.Equal(t, 12, count(store.ActFilter{}))
		assert.Equal(t, 6, count(store.ActFilter{Actor: "actor1"}))
		assert.Equal(t, 4, count(store.ActFilter{Action: "action2"}))
		assert.Equal(t, 3, count(store.ActFilter{Subject: "subject3"}))
		assert.Equal(t, 1, count(store.ActFilter{Subject: "subject3", Action: "action0", Actor: "actor1"}))
		assert.Equal(t, 0, count(store.ActFilter{From: time.Now().Add(time.Hour)}))
		assert.Equal(t, 0, count(store.ActFilter{Until: time.Now().Add(-time.Hour)}))
		assert.Equal(t, 12, count(store.ActFilter{From: time.Now().Add(-time.Hour), Until: time.Now().Add(time.Hour)}))
	})
}
