package functions_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// kept keeps bodies of a call as the proxy does.
func (w *world) kept(userID, callID string, usersSee bool) {
	w.t.Helper()
	rec := capture.New(w.app.Store, w.app.Vault, w.app.Log, time.Now, capture.Settings{Body: 1000, Life: time.Hour, Memory: 1 << 20})
	rec.Follow([]store.CaptureRule{{Permille: 1000, Parts: capture.Both, UsersSee: usersSee}})
	take := rec.Take(&hub.Caller{UserID: userID}, callID)
	take.Request("application/json", []byte(`{"say":"the blue heron"}`))
	take.Done()
	rec.Close(w.t.Context())
	_, err := w.app.Store.Payload(w.t.Context(), callID)
	require.NoError(w.t, err)
}

func TestRulesOfCaptureAreMadeAndEnded(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_CAPTURE=on")
	member, err := w.app.Store.UserByEmail(t.Context(), "member@example.com")
	require.NoError(t, err)
	const stats = `"stats":{"kept":0,"dropped":0,"failed":0,"bytes":0}`
	const rule = `{"id":"ID","created_at":"TIME","created_by":"admin@example.com","user_id":"ID","key_id":"","app_id":"app","permille":50,"parts":"request","pii":["email","card"],"users_see":true}`
	w.golden("admin", []apiCase{
		{"there are none", "admin", "GET /api/admin/capture", "", 200, `{"on":true,"rules":[],` + stats + `}`},
		{"one is made", "admin", "POST /api/admin/capture/rules", `{"user":"member@example.com","app_id":"app","permille":50,"parts":"request","pii":["email","card","email"],"users_see":true}`, 201, rule},
		{"it is shown", "owner", "GET /api/admin/capture", "", 200, `{"on":true,"rules":[` + rule + `],` + stats + `}`},
		{"not to members", "member", "GET /api/admin/capture", "", 403, refused("permission_error", "forbidden", "Only owners and admins may do this.")},
		{"an unknown key is refused", "admin", "POST /api/admin/capture/rules", `{"key_id":"nope"}`, 400, invalid("key_id", "There is no API key with this id.")},
		{"there is no such rule", "admin", "DELETE /api/admin/capture/rules/nope", "", 404, notFound(`There is no rule "nope".`)},
	})
	for _, body := range []string{`{"permille":1001}`, `{"parts":"none"}`, `{"pii":["names"]}`, `{"user":"nobody@example.com"}`} {
		assert.GreaterOrEqual(t, w.do("admin", "admin", "POST", "/api/admin/capture/rules", body).Code, 400, body)
	}
	rules, err := w.app.Store.CaptureRules(t.Context())
	require.NoError(t, err)
	require.Len(t, rules, 1)
	assert.Equal(t, member.ID, rules[0].UserID)
	require.NoError(t, w.app.Fresh(t.Context()))
	require.NoError(t, w.app.Reload(t.Context()))
	assert.Equal(t, 204, w.do("admin", "admin", "DELETE", "/api/admin/capture/rules/"+rules[0].ID, "").Code)
	w.golden("admin", []apiCase{{"it is gone", "admin", "GET /api/admin/capture", "", 200, `{"on":true,"rules":[],` + stats + `}`}})
}

func TestBodiesAreSeenByOperatorsOnRecordAndByTheirUserWhereTheRuleSaysSo(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	member, err := w.app.Store.UserByEmail(t.Context(), "member@example.com")
	require.NoError(t, err)
	open, closed := w.call("member"), w.call("member")
	w.kept(member.ID, open, true)
	w.kept(member.ID, closed, false)
	views := func() int {
		acts, err := w.app.Store.Acts(t.Context(), store.ActFilter{Action: "capture.view"}, store.ActCursor{}, 100)
		require.NoError(t, err)
		return len(acts)
	}
	const body = `"at":"TIME","expires_at":"TIME","request":{"type":"application/json","bytes":24,"text":"{\"say\":\"the blue heron\"}","cut":false},"response":null,"redacted":{}}`
	none := notFound("Nothing was kept of the bodies of this call.")
	path := func(id string) string { return "/api/user/model-calls/" + id + "/payload" }
	w.golden("usage", []apiCase{
		{"its user sees it", "member", "GET " + path(open), "", 200, `{"call_id":"ID",` + body},
		{"unless the rule says otherwise", "member", "GET " + path(closed), "", 404, none},
		{"nobody else does", "other", "GET " + path(open), "", 404, none},
		{"nor deletes it", "other", "DELETE " + path(open), "", 404, none},
		{"nor does its user what is not shown", "member", "DELETE " + path(closed), "", 404, none},
	})
	assert.Zero(t, views())
	w.golden("usage", []apiCase{
		{"an admin sees it", "admin", "GET " + path(closed), "", 200, `{"call_id":"ID",` + body},
		{"there is nothing of others", "admin", "GET " + path(w.call("member")), "", 404, none},
	})
	assert.Equal(t, 1, views(), "on record")
	w.golden("usage", []apiCase{
		{"its user deletes it", "member", "DELETE " + path(open), "", 204, ""},
		{"then it is gone", "member", "GET " + path(open), "", 404, none},
		{"an admin deletes the other", "admin", "DELETE " + path(closed), "", 204, ""},
		{"then it is gone too", "admin", "GET " + path(closed), "", 404, none},
	})
}
