package functions_test

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

type object = map[string]any

// act does something as an admin that must succeed, and returns the answer.
func (w *world) act(fn, send, body string) object {
	w.t.Helper()
	method, target, _ := strings.Cut(send, " ")
	res := w.do(fn, "admin", method, target, body)
	require.Less(w.t, res.Code, 300, "%s: %s", send, res.Body.String())
	v := object{}
	if strings.HasPrefix(res.Body.String(), "{") {
		require.NoError(w.t, json.Unmarshal(res.Body.Bytes(), &v))
	}
	return v
}

// two adds the providers one and two and returns the first one's id.
func (w *world) two() (one string) {
	w.t.Helper()
	one = w.act("admin", "POST /api/admin/providers", `{"kind":"openai","name":"one","credential":"sk-one"}`)["id"].(string)
	w.act("admin", "POST /api/admin/providers", `{"kind":"openai","name":"two","credential":"sk-two"}`)
	return one
}

func TestChangesOfRatesAreOnRecord(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.two()
	const rates = "/api/admin/rates"
	made := w.act("admin", "POST "+rates, `{"providers":["one","two"],"model":"gpt-4o","usd_per_million":{"input":"1","output":"20"},"cost_usd_per_million":{"input":"1","output":"1"}}`)
	id := made["data"].([]any)[0].(object)["id"].(string)
	w.act("admin", "POST "+rates+"/reprice", `{"margin":"10"}`)
	w.act("admin", "POST "+rates+"/sync", `{"margin":"30"}`)
	w.act("admin", "PATCH "+rates+"/"+id, `{"credits_per_million":{"input":"9"}}`)
	w.act("admin", "PUT "+rates, fmt.Sprintf(`{"provider":"one","model":"gpt-4o","usd_per_million":{"input":"7"},"effective_from":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	plans := w.act("admin", "GET "+rates+"/plans", "")["data"].([]any)
	w.act("admin", "DELETE "+rates+"/plans/"+plans[0].(object)["plan_id"].(string), "")
	w.act("admin", "POST "+rates+"/"+id+"/deprecate", `{"reason":"old"}`)
	w.act("admin", "POST "+rates+"/"+id+"/restore", "")
	w.act("admin", "DELETE "+rates+"/"+id+"?reason=gone", "")
}

func TestChangesOfRatesByTheOldAddressesAreOnRecord(t *testing.T) {
	t.Parallel()
	w := open(t)
	one := w.two()
	for i, root := range []string{"/api/ai", "/api/ai-providers"} {
		w.act("admin", "POST "+root+"/model-rates", fmt.Sprintf(`{"providers":["one","two"],"model":"gpt-%d","type":"chatCompletion","inputRate":"0.000001","outputRate":"0.000002"}`, i))
		made := w.act("admin", "POST "+root+"/"+one+"/model-rates", fmt.Sprintf(`{"model":"m-%d","inputRate":"1","outputRate":"1","unitCosts":{"input":"0.000003","output":"0.000015"}}`, i))
		id := made["id"].(string)
		w.act("admin", "PUT "+root+"/"+one+"/model-rates/"+id, `{"outputRate":"0.000001"}`)
		w.act("admin", "POST "+root+"/bulk-rate-update", `{"profitMargin":20,"creditPrice":0.01}`)
		w.act("admin", "DELETE "+root+"/"+one+"/model-rates/"+id, "")
	}
}

func TestChangesOfTheCatalogueAreOnRecord(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_DEFAULT_MARGIN=100")
	w.two()
	w.act("admin", "POST /api/admin/rates", `{"providers":["one"],"model":"gpt-4o","usd_per_million":{"input":"5","output":"20"},"cost_usd_per_million":{"input":"1","output":"1"}}`)
	const catalogue = "/api/admin/catalogue"
	w.act("admin", "POST "+catalogue+"/review", "")
	open := w.act("admin", "GET "+catalogue+"/proposals?pageSize=100", "")["data"].([]any)
	require.NotEmpty(t, open)
	w.act("admin", "POST "+catalogue+"/dismiss", fmt.Sprintf(`{"ids":[%q],"reason":"no"}`, open[0].(object)["id"]))
	digest := w.act("admin", "GET "+catalogue, "")["embedded"].(string)
	w.act("admin", "POST "+catalogue+"/apply", fmt.Sprintf(`{"activate":true,"digest":%q}`, digest))
}

func TestOtherChangesAreOnRecord(t *testing.T) {
	t.Parallel()
	w := open(t)
	limit := w.act("admin", "PUT /api/admin/limits", `{"scope":"key","subject":"*","metric":"requests","period":"minute","amount":"60"}`)
	w.act("admin", "DELETE /api/admin/limits/"+limit["id"].(string), "")
	hook := w.act("admin", "POST /api/admin/webhooks", `{"url":"https://hooks.example.com/x","kinds":[]}`)
	w.act("admin", "DELETE /api/admin/webhooks/"+hook["id"].(string), "")
	w.act("admin", "PUT /api/admin/notifications/email", `{"kinds":["ledger.wrong"]}`)
	w.act("billing", "POST /api/billing/wallets", `{"name":"Team","kind":"team"}`)
	w.act("billing", "PUT /api/user/wallets/Team/members/other@example.com", `{}`)
	w.act("billing", "DELETE /api/user/wallets/Team/members/other@example.com", "")
	w.act("billing", "DELETE /api/billing/wallets/Team", "")
	require.Equal(t, 200, w.do("admin", "admin", "GET", "/api/admin/audit/export", "").Code)
	require.Contains(t, w.do("admin", "admin", "GET", "/api/admin/audit?action=audit.export", "").Body.String(), `"address":"192.0.2.1"`)
}

func TestTheAuditLogIsForAdminsInPagesAndFiles(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.act("admin", "POST /api/admin/webhooks", `{"url":"https://hooks.example.com/=x","kinds":[]}`)
	for i := range 5 {
		w.act("admin", "PUT /api/admin/notifications/low-balance", fmt.Sprintf(`{"low_balance":"%d"}`, i))
	}
	get := func(target string) *httptest.ResponseRecorder { return w.do("admin", "admin", "GET", target, "") }
	page := get("/api/admin/audit?action=notifications.low_balance&pageSize=3").Body.Bytes()
	var first, second struct {
		Data []struct {
			Action, Actor, Address string
			UserID                 string `json:"user_id"`
			KeyID                  string `json:"api_key_id"`
			RequestID              string `json:"request_id"`
			After                  map[string]any
			Number                 int64
		}
		NextCursor *string `json:"next_cursor"`
	}
	require.NoError(t, json.Unmarshal(page, &first))
	require.Len(t, first.Data, 3)
	require.NotNil(t, first.NextCursor)
	require.Equal(t, "4", first.Data[0].After["credits"])
	require.Equal(t, "admin@example.com", first.Data[0].Actor)
	require.NotEmpty(t, first.Data[0].UserID)
	require.NotEmpty(t, first.Data[0].KeyID)
	require.NotEmpty(t, first.Data[0].RequestID)
	require.Positive(t, first.Data[0].Number)
	require.NoError(t, json.Unmarshal(get("/api/admin/audit?action=notifications.low_balance&pageSize=3&cursor="+*first.NextCursor).Body.Bytes(), &second))
	require.Len(t, second.Data, 2)
	require.Nil(t, second.NextCursor)
	require.JSONEq(t, `{"data":[],"next_cursor":null}`, get("/api/admin/audit?actor=nobody").Body.String())
	require.JSONEq(t, `{"data":[],"next_cursor":null}`, get("/api/admin/audit?until=2020-01-01T00:00:00Z").Body.String())
	for _, bad := range []string{"?from=soon", "?cursor=x", "?page=2", "/export?format=xls"} {
		require.Equal(t, 400, get("/api/admin/audit"+bad).Code, bad)
	}
	require.Equal(t, 403, w.do("admin", "member", "GET", "/api/admin/audit", "").Code)
	require.Equal(t, 403, w.do("admin", "member", "GET", "/api/admin/audit/export", "").Code)
	csv := get("/api/admin/audit/export?format=csv")
	require.Equal(t, "text/csv; charset=utf-8", csv.Header().Get("Content-Type"))
	require.Contains(t, csv.Body.String(), "notifications.low_balance")
	lines := strings.Split(strings.TrimSpace(get("/api/admin/audit/export?actor=admin@example.com").Body.String()), "\n")
	require.Len(t, lines, 1+5+2)
	for _, l := range lines {
		require.True(t, json.Valid([]byte(l)), l)
	}
}

func TestATamperedAuditLogIsTold(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.act("admin", "PUT /api/admin/notifications/low-balance", `{"low_balance":"1"}`)
	require.NoError(t, w.app.Desk.WatchAudit(t.Context()))
	require.Regexp(t, `audit log verified.* anchor=\d+:[0-9a-f]{64}`, w.logs.String())
	require.NoError(t, w.app.Store.Exec(t.Context(), "INSERT INTO audit_log (id, created_at, actor, action, subject) VALUES ('late', 1, 'system', 'x', 'y')"))
	require.NoError(t, w.app.Desk.WatchAudit(t.Context()), "a row that is not linked yet is no fault")
	require.NoError(t, w.app.Store.Do(t.Context(), &store.Unit{Stmts: []store.Stmt{{SQL: "DROP TRIGGER audit_log_fixed"},
		{SQL: "UPDATE audit_log SET actor = 'nobody' WHERE action = 'notifications.low_balance'"}}}))
	require.ErrorContains(t, w.app.Desk.WatchAudit(t.Context()), "tampered")
	require.Error(t, w.app.Desk.WatchAudit(t.Context()))
	list, err := w.app.Store.Notifications(t.Context(), "", 10)
	require.NoError(t, err)
	told := 0
	for _, n := range list {
		if n.Kind == "audit.wrong" {
			told++
		}
	}
	require.Equal(t, 1, told, "once")
}
