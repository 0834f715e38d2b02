package functions_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// oldCall puts a finished call of long ago into the database.
func (w *world) oldCall(age time.Duration) string {
	w.t.Helper()
	at := time.Now().Add(-age)
	id := ulid.MustNew(ulid.Timestamp(at), ulid.DefaultEntropy()).String()
	require.NoError(w.t, w.app.Store.Tx(w.t.Context(), func(ctx context.Context, tx *store.Tx) error {
		for _, query := range []string{`INSERT INTO model_calls (id, created_at, finished_at, user_id, api_key_id, app_id, account_id, type, dialect, requested_model, stream, status,
  owner, config_version, request_id, billing, on_abort, on_failure, plan_json, usage_source)
SELECT ?1, ?2, ?2 + 1, u.id, '', 'old-app', a.id, 'chatCompletion', 'openai', 'm', 0, 'success', '', 1, 'r', 0, '', '', '{}', ''
FROM users u JOIN accounts a ON a.user_id = u.id WHERE u.email = 'member@example.com'`,
			`INSERT INTO usage (call_id, created_at, user_id, app_id, provider, model, type, units_json, usage_source, open_owner)
SELECT id, ?2, user_id, '', '', '', type, '{}', '', '' FROM model_calls WHERE id = ?1`} {
			if _, err := tx.ExecContext(ctx, query, id, at.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	}))
	return id
}

func TestAdministratorsArchiveOldCalls(t *testing.T) {
	t.Parallel()
	w := open(t)
	old := w.oldCall(200 * 24 * time.Hour)
	recent := w.oldCall(10 * 24 * time.Hour)

	var plan, report archive.Report
	res := w.do("admin", "admin", "POST", "/api/admin/archive/runs", `{"dry_run":true}`)
	require.Equal(t, 200, res.Code, res.Body)
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &plan))
	assert.True(t, plan.DryRun)
	assert.EqualValues(t, 1, plan.Calls)
	_, err := w.app.Store.CallByID(t.Context(), old)
	require.NoError(t, err)

	res = w.do("admin", "admin", "POST", "/api/admin/archive/runs", `{}`)
	require.Equal(t, 200, res.Code, res.Body)
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &report))
	assert.Equal(t, store.RunDone, report.State)
	assert.EqualValues(t, 1, report.Calls)
	_, err = w.app.Store.CallByID(t.Context(), old)
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = w.app.Store.CallByID(t.Context(), recent)
	require.NoError(t, err)
	places, err := w.app.Archive.Of(t.Context(), time.Now().AddDate(-1, 0, 0), time.Now())
	require.NoError(t, err)
	require.Len(t, places, 1)
	_, err = places[0].CallByID(t.Context(), old)
	require.NoError(t, err)

	// Its sums are made from the archive: the call was put there behind the hub's back.
	_, err = w.app.Roller.Rebuild(t.Context(), time.Now().AddDate(0, 0, -202), time.Now().AddDate(0, 0, -189), false, nil)
	require.NoError(t, err)
	span := store.Span{From: time.Now().AddDate(0, 0, -201), Until: time.Now().AddDate(0, 0, -190)}
	use, err := w.app.Desk.AppUse(t.Context(), []store.App{{ID: "old-app"}}, span)
	require.NoError(t, err)
	assert.EqualValues(t, 1, use["old-app"].Calls, "what was used includes archived calls")

	var page struct {
		Data    []operator.ArchiveView
		Enabled bool
		After   string
	}
	res = w.do("admin", "owner", "GET", "/api/admin/archive", "")
	require.Equal(t, 200, res.Code, res.Body)
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &page))
	assert.True(t, page.Enabled)
	assert.Equal(t, "2208h0m0s", page.After)
	require.Len(t, page.Data, 1)
	assert.EqualValues(t, 1, page.Data[0].Calls)

	require.NoError(t, schedule.Run(t.Context(), usage.Jobs(w.app), "usage.archive"))
	var runs struct{ Data []operator.ArchiveRunView }
	res = w.do("admin", "admin", "GET", "/api/admin/archive/runs", "")
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &runs))
	require.Len(t, runs.Data, 2)
	assert.Equal(t, "job", runs.Data[0].Actor)
	assert.Equal(t, "admin@example.com", runs.Data[1].Actor)
	for _, as := range []string{"member", "guest"} {
		assert.Equal(t, 403, w.do("admin", as, "POST", "/api/admin/archive/runs", `{}`).Code)
	}
}

func TestAHubThatIsToldNotToArchiveKeepsItsCalls(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_ARCHIVE_AFTER=off")
	old := w.oldCall(500 * 24 * time.Hour)
	require.NoError(t, schedule.Run(t.Context(), usage.Jobs(w.app), "usage.archive"))
	_, err := w.app.Store.CallByID(t.Context(), old)
	require.NoError(t, err)
	res := w.do("admin", "admin", "POST", "/api/admin/archive/runs", `{}`)
	assert.Equal(t, 400, res.Code)
	assert.Contains(t, res.Body.String(), "AIGNE_HUB_ARCHIVE_AFTER")
}
