package archive_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// fates says of each table what keeps it from growing for ever. A new table has
// to say it too.
var fates = map[string]string{ //nolint:gochecknoglobals // a table
	"model_calls": moves, "usage": moves, "model_call_attempts": moves, "call_slices": moves,

	"settings": few, "config_version": few, "vault_keys": few, "vault_masters": few, "ai_providers": few, "ai_credentials": few, "ai_model_rates": few,
	"ai_model_rate_plans": few, "model_aliases": few, "route_rules": few, "limits": few, "webhook_endpoints": few, "catalogue_files": few,
	"catalogue_proposals": few, "ledger_horizon": few, "answer_cache_size": few, "audit_head": few, "bill_keys": few, "job_leases": few, "job_runs": few,
	"capture_rules": few, "model_call_stats_state": few, "archives": few, "schema_migrations": few, "ai_model_rates_history": few,

	"users": people, "api_keys": people, "apps": people, "accounts": people, "shared_wallets": people, "wallet_members": people, "notice_choices": people,
	"payment_customers": people, "card_customers": people, "auto_topups": people, "archive_reported": people,
	"oauth_clients": few, "oauth_connections": people, "host_users": people, "identities": people, "invitations": people, "password_resets": people, "user_totp": people, "totp_recovery": people,

	"ledger_operations": books, "ledger_entries": books, "ledger_seals": books, "credit_grants": books, "account_debts": books, "audit_log": books,
	"payments": books, "payment_backs": books, "payment_disputes": books, "payment_grants": books, "receipts": books, "redeem_codes": books,
	"redeem_uses": books, "outbox_batches": books, "bill_imports": books, "bill_rows": books, "bill_calls": books, "archive_files": books,

	"leases": "dead processes: the sweeper forgets them", "credit_holds": open, "limits_holds": open,
	"limits_windows": swept, "idempotency_keys": swept, "responses": swept, "jobs": swept, "blobs": swept, "answer_cache": swept, "redeem_tries": swept,
	"payment_events": swept, "notifications": swept, "notification_deliveries": "goes with its notification", "wallet_crossings": "goes once it is told",
	"ai_model_statuses": swept, "ai_model_status_hours": swept, "admin_events": swept, "model_probes": swept, "archive_runs": swept,
	"oauth_codes": swept, "oauth_devices": swept, "connect_sessions": swept, "spent_proofs": swept, "sessions": swept, "sign_in_tries": swept, "payloads": swept, "call_exports": swept, "alerts": swept, "alert_slots": swept,
	"model_call_changes": summed, "model_call_stats_due": summed, "model_call_stats": "quarters of an hour are deleted when they are old; the others are the history",
	"model_call_rosters": "those of hours go with the quarters of an hour; the others are the history",
}

const (
	moves  = "goes to the archives with its call"
	few    = "grows with what operators set up"
	people = "grows with users and applications"
	books  = "is the books: kept for ever"
	open   = "goes with the end of its call"
	swept  = "a job deletes what is old"
	summed = "goes once it is summed up"
)

func names(t *testing.T, s *store.Store, query string) (out []string) {
	t.Helper()
	require.NoError(t, s.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
		rows, err := tx.QueryContext(ctx, query)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return err
			}
			out = append(out, name)
		}
		return rows.Err()
	}))
	return out
}

func TestEveryTableHasAFate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := names(t, w.Store, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
	for _, table := range all {
		assert.NotEmpty(t, fates[table], "%s: say in fates what keeps it from growing for ever", table)
	}
	for table := range fates {
		assert.Contains(t, all, table, "there is no such table")
	}
}

// TestWhatRefersToCallsIsKnown: a call is deleted only when nothing refers to it,
// so a table that does must move with it, or keep it.
func TestWhatRefersToCallsIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	known := []string{"usage", "model_call_attempts", "call_slices", // move
		"credit_holds", "jobs"} // keep it, see archivable
	assert.ElementsMatch(t, known, names(t, w.Store, `SELECT DISTINCT m.name FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f
WHERE m.type = 'table' AND f."table" = 'model_calls'`))
}

// TestNewColumnsLeaveDigestsAlone: the digest leaves out what is NULL, 0 or empty,
// so that rows that were archived before a column was added still have theirs.
func TestNewColumnsLeaveDigestsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := []string{"model_calls.on_empty", "usage.report_state"} // are older than the first archive
	assert.ElementsMatch(t, old, names(t, w.Store, `SELECT m.name || '.' || c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
WHERE m.type = 'table' AND m.name IN ('model_calls','usage','model_call_attempts','call_slices') AND c.dflt_value IS NOT NULL AND c.dflt_value NOT IN ('0', '''''')`),
		"a new column of these tables must default to NULL, 0 or ''")
}

func TestSpaceIsGivenBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	can, err := w.Shrinks(ctx)
	require.NoError(t, err)
	require.True(t, can, "new databases can shrink bit by bit")
	w.call(today.Add(-6*month), false, 1)
	const pad = 40 << 20 // 40 MB of calls, in few rows
	require.NoError(t, w.Tx(ctx, func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE model_calls SET error_text = hex(zeroblob(?1))", pad/2)
		return err
	}))
	before, _, err := w.Space(ctx)
	require.NoError(t, err)
	require.Greater(t, before, int64(pad))
	r := w.run(w.keeper)
	after, empty, err := w.Space(ctx)
	require.NoError(t, err)
	assert.Less(t, after, before/2)
	assert.LessOrEqual(t, empty, int64(20<<20))
	assert.Equal(t, before-after, r.Freed)
	require.NoError(t, w.Compact(ctx))
	least, _, err := w.Space(ctx)
	require.NoError(t, err)
	assert.Less(t, least, after)
}
