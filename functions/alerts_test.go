package functions_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry/meter"
)

func TestAlertsAreSeenAndTakenCareOf(t *testing.T) {
	t.Parallel()
	w := open(t)
	require.NoError(t, w.app.Book.NoteVerified(t.Context(), ledger.Report{Violations: []store.Violation{{Rule: "sums", Subject: "x"}}}))
	watcher := w.app.Watcher()
	watcher.Room = nil // of the machine that runs the tests
	require.NoError(t, watcher.Run(t.Context()))
	figures := string(meter.Prometheus(nil, w.app.Observe.Registry.Read(t.Context())))
	assert.Contains(t, figures, "aigne_hub_ledger_violations 1\n")
	assert.Contains(t, figures, `aigne_hub_alerts_open{rule="ledger",severity="error"} 1`+"\n")
	const row = `{"id":"ID","rule":"ledger","subject":"","severity":"error","state":"open","title":"The books do not balance.",
		"data":{"violations":1,"first":"sums x","at":"TIME"},"raised_at":"TIME","seen_at":"TIME","resolved_at":null,`
	w.golden("admin", []apiCase{
		{"members see none", "member", "GET /api/admin/alerts", "", 403, refused("permission_error", "forbidden", "Only owners and admins may do this.")},
		{"what is wrong now", "admin", "GET /api/admin/alerts?state=open", "", 200, `{"data":[` + row + `"acknowledged_at":null,"acknowledged_by":""}],"next_cursor":null}`},
		{"all", "admin", "GET /api/admin/alerts?pageSize=1", "", 200, `{"data":[` + row + `"acknowledged_at":null,"acknowledged_by":""}],"next_cursor":null}`},
		{"an unknown state", "admin", "GET /api/admin/alerts?state=shut", "", 400, invalid("state", `state is open or all, not "shut".`)},
		{"none by this id", "admin", "POST /api/admin/alerts/x/acknowledge", "", 404, refused("invalid_request_error", "not_found", "There is no alert x.")},
	})
	open, err := w.app.Store.OpenAlerts(t.Context())
	require.NoError(t, err)
	taken := row + `"acknowledged_at":"TIME","acknowledged_by":"admin@example.com"}`
	w.golden("admin", []apiCase{
		{"somebody takes care", "admin", "POST /api/admin/alerts/" + open[0].ID + "/acknowledge", "", 200, taken},
		{"the first stays", "owner", "POST /api/admin/alerts/" + open[0].ID + "/acknowledge", "", 200, taken},
	})
	require.NoError(t, w.app.Book.NoteVerified(t.Context(), ledger.Report{}))
	res := w.do("admin", "owner", "PUT", "/api/admin/alerts/rules", `{"calm_minutes":0,"spend":{"least":"2.5"}}`)
	require.Equal(t, 200, res.Code, res.Body)
	require.NoError(t, watcher.Run(t.Context()))
	var page struct{ Data []map[string]any }
	require.NoError(t, json.Unmarshal(w.do("admin", "admin", "GET", "/api/admin/alerts?state=open", "").Body.Bytes(), &page))
	assert.Empty(t, page.Data)
	require.NoError(t, json.Unmarshal(w.do("admin", "admin", "GET", "/api/admin/alerts", "").Body.Bytes(), &page))
	assert.Equal(t, "resolved", page.Data[0]["state"])
}

func TestRulesOfAlertsAreChangedPieceByPiece(t *testing.T) {
	t.Parallel()
	w := open(t)
	rules := func(rate, least string) string {
		return `{"error_rate":{"on":true,"percent":` + rate + `,"minutes":10,"min_calls":20},"spend":{"on":true,"percent":300,"hours":24,"least":"` + least + `"},"credential":{"on":true},
		"outbox":{"on":true,"minutes":15},"notices":{"on":true,"minutes":60},"ledger":{"on":true},"sweeper":{"on":true,"minutes":5},"disk":{"on":true,"percent":10},"calm_minutes":5}`
	}
	w.golden("admin", []apiCase{
		{"as they are without a choice", "admin", "GET /api/admin/alerts/rules", "", 200, rules("20", "1")},
		{"one figure", "admin", "PUT /api/admin/alerts/rules", `{"error_rate":{"percent":35}}`, 200, rules("35", "1")},
		{"another", "owner", "PUT /api/admin/alerts/rules", `{"spend":{"least":"2.5"}}`, 200, rules("35", "2.5")},
		{"nonsense", "owner", "PUT /api/admin/alerts/rules", `{"disk":{"percent":0}}`, 400, invalid("disk.percent", "disk.percent must be 1 to 90.")},
		{"as they are now", "admin", "GET /api/admin/alerts/rules", "", 200, rules("35", "2.5")},
	})
}
