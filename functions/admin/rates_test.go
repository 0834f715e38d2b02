package admin_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
)

// vendors are two stored providers, by id.
func vendors(h *testHub) (one, two string) {
	h.t.Helper()
	for _, name := range []string{"one", "two"} {
		p, err := h.app.Desk.AddProvider(h.t.Context(), "test", operator.NewProvider{Kind: "openai", Name: name, DisplayName: "Vendor " + name, Credential: "sk-x"})
		require.NoError(h.t, err)
		if one == "" {
			one = p.ID
		} else {
			two = p.ID
		}
	}
	require.NoError(h.t, h.app.Reload(h.t.Context()))
	return one, two
}

func ok[T any](h *testHub, method, path, body string) T {
	h.t.Helper()
	status, text := h.send(method, path, body)
	require.Less(h.t, status, 300, text)
	var v T
	require.NoError(h.t, json.Unmarshal([]byte(text), &v), text)
	return v
}

type object = map[string]any

func TestRatesOfAIGNEHubAreExactDecimalStrings(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	one, two := vendors(h)
	const body = `{"providers":[%q,%q],"model":"gpt-x","type":"chatCompletion","inputRate":1.5e-7,"outputRate":"0.000000600001",
		"unitCosts":{"input":1e-7,"output":0.0000005},"caching":{"readRate":0},"modelMetadata":{"maxTokens":4096,"features":["tools"]}}`
	made := ok[object](h, "POST", "/api/ai-providers/model-rates", fmt.Sprintf(body, one, "two"))
	assert.EqualValues(t, object{"total": 2.0}, made["summary"])
	first := made["data"].([]any)[0].(object)
	assert.Equal(t, []any{"0.00000015", "0.000000600001", "Gpt X"}, []any{first["inputRate"], first["outputRate"], first["modelDisplay"]})
	assert.Equal(t, object{"input": "0.0000001", "output": "0.0000005"}, first["unitCosts"])
	assert.Equal(t, object{"readRate": "0"}, first["caching"], "an explicit 0 is a price")
	assert.Equal(t, object{"maxTokens": 4096.0, "features": []any{"tools"}}, first["modelMetadata"])

	status, text := h.send("POST", "/api/ai/model-rates", fmt.Sprintf(body, one, two))
	assert.Equal(t, http.StatusConflict, status)
	assert.Contains(t, text, "one/gpt-x, two/gpt-x")
	status, text = h.send("POST", "/api/ai-providers/"+one+"/model-rates", `{"model":"free","inputRate":"0.0000000000001"}`)
	assert.Equal(t, http.StatusBadRequest, status, text)

	id := first["id"].(string)
	edited := ok[object](h, "PUT", "/api/ai-providers/"+one+"/model-rates/"+id, `{"outputRate":"0.000001","caching":{"writeRate":"0.0000002"}}`)
	assert.Equal(t, []any{"0.00000015", "0.000001", object{"readRate": "0", "writeRate": "0.0000002"}}, []any{edited["inputRate"], edited["outputRate"], edited["caching"]})
	status, _ = h.send("PUT", "/api/ai-providers/"+two+"/model-rates/"+id, `{"outputRate":"1"}`)
	assert.Equal(t, http.StatusNotFound, status, "it is the other provider's")

	list := ok[object](h, "GET", "/api/ai/model-rates?providerId="+one+"&model=GPT", "")
	assert.EqualValues(t, 1, list["count"])
	row := list["list"].([]any)[0].(object)
	assert.Equal(t, object{"id": one, "name": "one", "displayName": "Vendor one"}, row["provider"])
	assert.Nil(t, row["status"])

	_, text = h.as(h.member, "GET", "/api/ai-providers/"+one+"/model-rates", "")
	assert.Contains(t, text, `"unitCosts":null`, "what it costs the operator is not the users' business")
	status, _ = h.as(h.member, "DELETE", "/api/ai-providers/"+one+"/model-rates/"+id, "")
	assert.Equal(t, http.StatusForbidden, status)

	require.NoError(t, h.app.Reload(t.Context()))
	models := ok[[]object](h, "GET", "/api/ai-providers/chat/models", "")
	i := -1
	for k, m := range models {
		if m["model"] == "gpt-x" {
			i = k
		}
	}
	require.GreaterOrEqual(t, i, 0)
	assert.Len(t, models[i]["providers"], 2)

	ok[object](h, "DELETE", "/api/ai-providers/"+one+"/model-rates/"+id, "")
	assert.EqualValues(t, 1, ok[object](h, "GET", "/api/ai/model-rates", "")["count"])
}

func TestBulkUpdatesOfAIGNEHub(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	one, _ := vendors(h)
	ok[object](h, "POST", "/api/ai/"+one+"/model-rates", `{"model":"claude-9-2026-01-01","inputRate":"1","outputRate":"1","unitCosts":{"input":"0.000003","output":"0.000015"}}`)
	margin := ok[object](h, "POST", "/api/ai-providers/bulk-rate-update", `{"profitMargin":20,"creditPrice":0.01}`)
	assert.EqualValues(t, 1, margin["updated"])
	row := margin["summary"].([]any)[0].(object)
	assert.Equal(t, []any{"1", "0.00036", "0.0018"}, []any{row["oldInputRate"], row["newInputRate"], row["newOutputRate"]})

	const sync = `{"mode":"sync","updates":[{"providerId":"one","model":"claude-9-2026-01-01","unitCosts":{"input":4e-6,"output":1.5e-5}},
		{"providerId":"nobody","model":"m","unitCosts":{"input":1,"output":1},"isNew":true}],"dryRun":%t,"applyRates":true,"profitMargin":0,"creditPrice":1}`
	for _, dry := range []bool{true, false} {
		done := ok[object](h, "POST", "/api/ai-providers/bulk-rate-update", fmt.Sprintf(sync, dry))
		assert.EqualValues(t, object{"total": 2.0, "updated": 1.0, "unchanged": 0.0, "unmatched": 1.0, "created": 0.0, "errors": 0.0}, done["summary"])
	}
	list := ok[object](h, "GET", "/api/ai/model-rates", "")
	assert.Equal(t, "0.000004", list["list"].([]any)[0].(object)["inputRate"])
	for _, body := range []string{`{"profitMargin":-1,"creditPrice":1}`, `{"profitMargin":1,"creditPrice":0}`, `{"profitMargin":1e40,"creditPrice":1}`, `{"mode":"x"}`, `{"mode":"sync"}`,
		`{"profitMargin":1,"creditPrice":1e-999999999}`} {
		status, text := h.send("POST", "/api/ai/bulk-rate-update", body)
		assert.Equal(t, http.StatusBadRequest, status, text)
	}
}

func TestRatesAreReviewedBeforeTheyChange(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	vendors(h)
	made := ok[object](h, "POST", "/api/admin/rates", `{"providers":["one","two"],"model":"gpt-4o","usd_per_million":{"input":"1","output":"20"},"reason":"launch"}`)
	id := made["data"].([]any)[0].(object)["id"].(string)

	check := ok[object](h, "GET", "/api/admin/rates/check", "")
	assert.EqualValues(t, 2, check["total"])
	dry := ok[object](h, "POST", "/api/admin/rates/reprice", `{"margin":"10","dry_run":true}`)
	assert.EqualValues(t, 2, dry["changed"])
	row := dry["data"].([]any)[0].(object)
	assert.Equal(t, "1", row["old"].(object)["per_million"].(object)["input"])
	assert.Equal(t, "2.75", row["new"].(object)["per_million"].(object)["input"])
	ok[object](h, "POST", "/api/admin/rates/reprice", `{"margin":"10","reason":"yearly"}`)
	assert.EqualValues(t, 0, ok[object](h, "GET", "/api/admin/rates/check", "")["total"])

	edited := ok[object](h, "PATCH", "/api/admin/rates/"+id, `{"credits_per_million":{"input":"9"},"tiers":[{"above_prompt_tokens":1000,"per_million":{"input":"10"}}],"version":2}`)
	assert.EqualValues(t, 3, edited["version"])
	status, _ := h.send("PATCH", "/api/admin/rates/"+id, `{"display":"x","version":2}`)
	assert.Equal(t, http.StatusConflict, status)

	ok[object](h, "PUT", "/api/admin/rates", fmt.Sprintf(`{"provider":"one","model":"gpt-4o","usd_per_million":{"input":"7"},"effective_from":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	plans := ok[object](h, "GET", "/api/admin/rates/plans", "")["data"].([]any)
	require.Len(t, plans, 1)
	status, _ = h.send("DELETE", "/api/admin/rates/plans/"+plans[0].(object)["plan_id"].(string), "")
	assert.Equal(t, http.StatusNoContent, status)

	ok[object](h, "POST", "/api/admin/rates/"+id+"/deprecate", `{"reason":"old","refused_from":"2020-01-01T00:00:00Z"}`)
	require.NoError(t, h.app.Reload(t.Context()))
	for _, l := range h.app.Routes().Models(hub.TypeChat) {
		assert.NotEqual(t, "one/gpt-4o", l.Name(), "refused, though the catalogue knows it")
	}
	ok[object](h, "POST", "/api/admin/rates/"+id+"/restore", "")

	var changes []string
	for cursor := ""; ; {
		page := ok[object](h, "GET", "/api/admin/rates/history?provider=one&model=gpt-4o&pageSize=2"+cursor, "")
		for _, v := range page["data"].([]any) {
			changes = append(changes, v.(object)["change"].(string)+" "+v.(object)["reason"].(string))
		}
		next, more := page["next_cursor"].(string)
		if !more {
			break
		}
		cursor = "&cursor=" + next
	}
	assert.Equal(t, []string{"restore ", "deprecate old", "set ", "reprice yearly", "create launch"}, changes)
	removed := ok[object](h, "DELETE", "/api/admin/rates/"+id+"?reason=gone", "")
	assert.Equal(t, true, removed["removed"])
}

func TestACatalogueIsUploadedReviewedAndPutInForceEverywhere(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_DEFAULT_MARGIN": "100"})
	vendors(h)
	ok[object](h, "POST", "/api/admin/rates", `{"providers":["one"],"model":"gpt-4o","usd_per_million":{"input":"5","output":"20"}}`)
	var file bytes.Buffer
	z := gzip.NewWriter(&file)
	_, err := z.Write([]byte(`{"format":1,"sources":[],"providers":[{"id":"openai","kind":"openai","entries":[
		{"id":"gpt-4o","match":{"equals":"gpt-4o"},"prices":[{"cost":{"input":"0.000003","output":"0.00001"}}]},
		{"id":"gpt-new","match":{"equals":"gpt-new"},"prices":[{"cost":{"input":"0.000001","output":"0.000002"}}]}],"facts":{}}]}`))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	status, text := h.send("POST", "/api/admin/catalogue/review?name=mine.gz", file.String(), "Content-Type", "application/gzip")
	require.Equal(t, http.StatusOK, status, text)
	open := ok[object](h, "GET", "/api/admin/catalogue/proposals?pageSize=100", "")["data"].([]any)
	byKind := map[string][]string{}
	for _, p := range open {
		kind := p.(object)["kind"].(string)
		byKind[kind] = append(byKind[kind], p.(object)["id"].(string))
	}
	require.Len(t, byKind["cost"], 1)
	require.Len(t, byKind["new"], 2, "gpt-new at both providers")
	status, text = h.send("POST", "/api/admin/catalogue/apply", `{}`)
	assert.Equal(t, http.StatusBadRequest, status, text)
	ok[object](h, "POST", "/api/admin/catalogue/dismiss", fmt.Sprintf(`{"ids":[%q],"reason":"not sold here"}`, byKind["new"][1]))

	before := h.app.Routes().Version
	applied := ok[object](h, "POST", "/api/admin/catalogue/apply", `{"all":true,"activate":true,"margin":"50","reason":"November"}`)
	assert.Len(t, applied["applied"], 2)
	require.True(t, h.app.CatchUp(t.Context()))
	assert.Greater(t, h.app.Routes().Version, before)
	own := pricing.OpenCatalogue(time.Now).Digest()
	state := ok[object](h, "GET", "/api/admin/catalogue", "")
	assert.NotEqual(t, own, state["in_force"])
	models := ok[object](h, "GET", "/api/admin/catalogue/models?kind=openai", "")
	assert.EqualValues(t, 2, models["total"])
	list := ok[object](h, "GET", "/api/admin/rates?model=gpt-4o", "")["data"].([]any)[0].(object)
	assert.Equal(t, "4.5", list["credits_per_million"].(object)["input"])
	assert.Equal(t, "50", list["margin"])

	// Back to the catalogue of this version.
	ok[object](h, "POST", "/api/admin/catalogue/review", "")
	digest := ok[object](h, "GET", "/api/admin/catalogue", "")["embedded"].(string)
	ok[object](h, "POST", "/api/admin/catalogue/apply", fmt.Sprintf(`{"activate":true,"digest":%q}`, digest))
	require.Eventually(t, func() bool { return h.app.CatchUp(t.Context()) }, 2*time.Second, 60*time.Millisecond)
	assert.Equal(t, own, h.app.Catalogue().Digest())
	history := ok[object](h, "GET", "/api/admin/catalogue/proposals?state=applied", "")["data"].([]any)
	assert.Len(t, history, 2)
	assert.Equal(t, "November", history[0].(object)["reason"])
}
