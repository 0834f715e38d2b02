package functions_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// filed is a world with one object of each kind that a file manages, and one that
// none does.
type filed struct {
	*world
	provider, rate, limit, key, keyLimit string // ids
}

func filedWorld(t *testing.T) *filed {
	w := &filed{world: open(t, "AIGNE_HUB_BILLING=on")}
	w.provider = w.two()
	made := w.act("admin", "POST /api/admin/rates", `{"providers":["one","two"],"model":"gpt-4o","usd_per_million":{"input":"5","output":"20"},"cost_usd_per_million":{"input":"1","output":"1"}}`)
	w.rate = made["data"].([]any)[0].(object)["id"].(string)
	w.act("admin", "PUT /api/admin/aliases", `{"name":"smart","rules":[{"steps":[{"targets":[{"model":"one/gpt-4o"}]}]}]}`)
	w.limit = w.act("admin", "PUT /api/admin/limits", `{"scope":"model","subject":"smart","metric":"requests","period":"day","amount":"9"}`)["id"].(string)
	w.key = w.act("admin", "POST /api/admin/keys", `{"user":"member@example.com","name":"ci"}`)["id"].(string)
	w.keyLimit = w.act("admin", "PUT /api/admin/limits", fmt.Sprintf(`{"scope":"key","subject":%q,"metric":"tokens","period":"hour","amount":"9"}`, w.key))["id"].(string)
	for _, o := range w.objects() {
		require.NoError(t, w.app.Desk.Mark(t.Context(), "cli", o.kind, o.id, operator.ManagedByFile))
	}
	return w
}

type marked struct {
	kind store.Managed
	id   string
}

func (w *filed) objects() []marked {
	return []marked{{store.ManagedProvider, w.provider}, {store.ManagedRate, w.rate}, {store.ManagedAlias, "smart"}, {store.ManagedLimit, w.limit}, {store.ManagedKey, w.key}}
}

// changes are all requests that would change one of the objects, by the form of
// their routes.
func (w *filed) changes() map[string][3]string {
	soon := time.Now().Add(time.Hour).Format(time.RFC3339)
	out := map[string][3]string{ // function, who, body
		"PATCH /api/admin/providers/one":                      {"admin", "admin", `{"timeouts":{"idle":"5s"}}`},
		"DELETE /api/admin/providers/one":                     {"admin", "admin", ""},
		"POST /api/admin/providers/one/credentials":           {"admin", "admin", `{"name":"more","value":"sk-more"}`},
		"PATCH /api/admin/providers/one/credentials/default":  {"admin", "admin", `{"active":false}`},
		"PATCH /api/admin/providers/one/credentials/default?": {"admin", "admin", `{"weight":7}`},
		"DELETE /api/admin/providers/one/credentials/default": {"admin", "admin", ""},
		"PUT /api/admin/rates":                                {"admin", "admin", `{"provider":"one","model":"gpt-4o","usd_per_million":{"input":"1"}}`},
		"PUT /api/admin/rates?":                               {"admin", "admin", `{"provider":"one","model":"gpt-4o","usd_per_million":{"input":"1"},"effective_from":"` + soon + `"}`},
		"PATCH /api/admin/rates/" + w.rate:                    {"admin", "admin", `{"credits_per_million":{"input":"9"}}`},
		"DELETE /api/admin/rates/" + w.rate + "?force=true":   {"admin", "admin", ""},
		"POST /api/admin/rates/" + w.rate + "/deprecate":      {"admin", "admin", `{"reason":"old"}`},
		"POST /api/admin/rates/" + w.rate + "/restore":        {"admin", "admin", ""},
		"PUT /api/admin/aliases":                              {"admin", "admin", `{"name":"Smart","rules":[{"steps":[{"targets":[{"model":"two/gpt-4o"}]}]}]}`},
		"DELETE /api/admin/aliases/smart":                     {"admin", "admin", ""},
		"PUT /api/admin/limits":                               {"admin", "admin", `{"scope":"model","subject":"smart","metric":"requests","period":"day","amount":"10"}`},
		"PUT /api/admin/limits?":                              {"admin", "admin", fmt.Sprintf(`{"scope":"key","subject":%q,"metric":"requests","period":"minute","amount":"10"}`, w.key)},
		"DELETE /api/admin/limits/" + w.limit:                 {"admin", "admin", ""},
		"DELETE /api/admin/limits/" + w.keyLimit:              {"admin", "admin", ""},
		"PATCH /api/admin/keys/" + w.key:                      {"admin", "admin", `{"rpm":null}`},
		"POST /api/admin/keys/" + w.key + "/rotate":           {"admin", "admin", `{}`},
		"PATCH /api/auth/keys/" + w.key:                       {"auth", "member", `{"name":"mine"}`},
		"POST /api/auth/keys/" + w.key + "/rotate":            {"auth", "member", `{}`},
	}
	for _, root := range []string{"/api/ai", "/api/ai-providers"} {
		out["PUT "+root+"/"+w.provider+"/model-rates/"+w.rate] = [3]string{"admin", "admin", `{"outputRate":"0.000001"}`}
		out["DELETE "+root+"/"+w.provider+"/model-rates/"+w.rate] = [3]string{"admin", "admin", ""}
	}
	return out
}

func TestWhatAFileManagesIsReadOnlyElsewhere(t *testing.T) {
	t.Parallel()
	w := filedWorld(t)
	before := w.everything()
	for send, how := range w.changes() {
		method, target, _ := strings.Cut(send, " ")
		res := w.do(how[0], how[1], method, target, how[2])
		assert.Equal(t, 409, res.Code, "%s: %s", send, res.Body.String())
		assert.Contains(t, res.Body.String(), "A file manages", send)
	}
	assert.Equal(t, before, w.everything(), "nothing was changed")
	assert.Equal(t, 6, strings.Count(before, `"managed":"file"`), "each is shown as it is, the key to its user too: %s", before)

	for _, o := range w.objects() {
		require.NoError(t, w.app.Desk.Mark(t.Context(), "cli", o.kind, o.id, ""))
	}
	w.act("admin", "PATCH /api/admin/providers/one", `{"timeouts":{"idle":"5s"}}`)
	w.act("admin", "PATCH /api/admin/rates/"+w.rate, `{"credits_per_million":{"input":"9"}}`)
	w.act("admin", "DELETE /api/admin/aliases/smart", "")
	w.act("admin", "DELETE /api/admin/limits/"+w.limit, "")
	w.act("admin", "DELETE /api/admin/keys/"+w.key, "")
}

// lastUsed is what reading changes by itself.
var lastUsed = regexp.MustCompile(`"last_used_at":("[^"]*"|null),?`)

// everything is what the lists show.
func (w *filed) everything() string {
	var all strings.Builder
	for _, list := range [][3]string{{"admin", "admin", "/api/admin/providers"}, {"admin", "admin", "/api/admin/providers/one/credentials"},
		{"admin", "admin", "/api/admin/rates"}, {"admin", "admin", "/api/admin/rates/plans"}, {"admin", "admin", "/api/admin/aliases"},
		{"admin", "admin", "/api/admin/limits"}, {"admin", "admin", "/api/admin/keys?user=member@example.com"}, {"auth", "member", "/api/auth/keys"}} {
		res := w.do(list[0], list[1], "GET", list[2], "")
		require.Equal(w.t, 200, res.Code, list[2])
		all.WriteString(lastUsed.ReplaceAllString(res.Body.String(), ""))
	}
	return all.String()
}

func TestEveryRouteThatChangesSuchObjectsIsTried(t *testing.T) {
	t.Parallel()
	w := filedWorld(t)
	elsewhere := map[string]string{ // changing routes of these objects that need no refusal
		"POST /api/admin/providers":                     "makes a new one",
		"POST /api/admin/providers/{name}/test":         "changes nothing",
		"POST /api/admin/rates":                         "makes new ones",
		"POST /api/admin/rates/reprice":                 "leaves them out, and says so",
		"POST /api/admin/rates/sync":                    "leaves them out",
		"DELETE /api/admin/rates/plans/{id}":            "forgets a change; none can be planned",
		"POST /api/admin/keys":                          "makes a new one",
		"DELETE /api/admin/keys/{id}":                   "a key that leaked does not wait for a file",
		"DELETE /api/auth/keys/{id}":                    "a key that leaked does not wait for a file",
		"POST /api/auth/keys":                           "makes a new one",
		"POST /api/ai/model-rates":                      "makes new ones",
		"POST /api/ai-providers/model-rates":            "makes new ones",
		"POST /api/ai/{provider}/model-rates":           "makes a new one",
		"POST /api/ai-providers/{provider}/model-rates": "makes a new one",
		"POST /api/ai/bulk-rate-update":                 "leaves them out, and says so",
		"POST /api/ai-providers/bulk-rate-update":       "leaves them out, and says so",
		"POST /api/ai/trigger-rate-check":               "changes nothing",
		"POST /api/ai-providers/trigger-rate-check":     "changes nothing",
	}
	tried := map[string]bool{}
	for send, how := range w.changes() {
		method, target, _ := strings.Cut(send, " ")
		tried[routeOf(how[0], httptest.NewRequestWithContext(t.Context(), method, target, nil))] = true
	}
	var routes []string
	for _, fn := range []string{"admin", "auth"} {
		for _, rt := range all[fn].routes() {
			if slices.Contains(changing, rt.Method) {
				routes = append(routes, rt.Method+" "+rt.Pattern)
			}
		}
	}
	for _, route := range routes {
		for _, about := range []string{"/admin/providers", "/admin/rates", "/admin/aliases", "/admin/limits", "/admin/keys", "/auth/keys", "rate"} {
			if strings.Contains(route, about) && elsewhere[route] == "" {
				assert.True(t, tried[route], "%s must refuse to change what a file manages, and is not tried", route)
			}
		}
	}
}

func TestAKeyThatAFileManagesIsRevokedByItsUser(t *testing.T) {
	t.Parallel()
	w := filedWorld(t)
	w.act("auth", "DELETE /api/auth/keys/"+w.key, "")
	row, err := w.app.Store.KeyByID(t.Context(), w.key)
	require.NoError(t, err)
	assert.NotNil(t, row.RevokedAt)
}

func TestAutomaticActsChangeWhatAFileManages(t *testing.T) {
	t.Parallel()
	w := filedWorld(t)
	ctx := t.Context()
	credentials, err := w.app.Store.Credentials(ctx)
	require.NoError(t, err)
	require.NoError(t, w.app.Store.SetCredentialActive(ctx, credentials[0].ID, false, "refused by the vendor"))
	require.NoError(t, w.app.Desk.TurnRates(ctx))
	require.NoError(t, w.app.Desk.WatchRates(ctx))
	require.NoError(t, w.app.Store.TouchKey(ctx, w.key, 1))
	out := w.act("admin", "POST /api/admin/rates/reprice", `{"margin":"50"}`)
	assert.Contains(t, fmt.Sprint(out), "a file manages it", "a change of all rates leaves it out and says so")
	w.act("admin", "POST /api/admin/rates/sync", `{"margin":"30"}`)
	row, err := w.app.Store.RateByID(ctx, w.rate)
	require.NoError(t, err)
	assert.EqualValues(t, 1, row.Version)
	assert.Equal(t, operator.ManagedByFile, row.Managed)
}
