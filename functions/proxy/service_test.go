package proxy_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

// tiered is a provider that serves what is asked for, but for the tier "busy",
// which it serves as usual. 1000 tokens in, 100 out.
func tiered(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Model  string `json:"model"`
			Tier   string `json:"service_tier"`
			Stream bool   `json:"stream"`
		}
		assert.NoError(t, json.NewDecoder(r.Body).Decode(&in))
		if in.Tier == "" || in.Model == "busy" {
			in.Tier = "default"
		}
		const usage = `{"prompt_tokens":1000,"completion_tokens":100,"total_tokens":1100}`
		if !in.Stream {
			w.Header().Set("Content-Type", "application/json")
			_, _ = fmt.Fprintf(w, `{"id":"c","object":"chat.completion","created":1,"model":%q,"service_tier":%q,"choices":[{"index":0,"message":{"role":"assistant","content":"Yes."},"finish_reason":"stop"}],"usage":%s}`, in.Model, in.Tier, usage)
			return
		}
		w.Header().Set("Content-Type", "text/event-stream")
		for _, chunk := range []string{`"choices":[{"index":0,"delta":{"role":"assistant","content":"Yes."}}]`, `"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]`, `"choices":[],"usage":` + usage} {
			_, _ = fmt.Fprintf(w, "data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":%q,\"service_tier\":%q,%s}\n\n", in.Model, in.Tier, chunk)
		}
		_, _ = fmt.Fprint(w, "data: [DONE]\n\n")
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/v1"
}

func TestATierOfServiceIsChargedAtItsPrice(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	h.add("openai", "openai", tiered(t), "sk-fake-0123456789")
	services := func(n *operator.NewRate) {
		n.Variants = []operator.Variant{{Bucket: hub.Input, Quality: "priority", Price: "2000"}, {Bucket: hub.Output, Quality: "priority", Price: "4000"},
			{Bucket: hub.Input, Quality: "flex", Price: "500"}, {Bucket: hub.Output, Quality: "flex", Price: "1000"}}
	}
	h.rate("openai", "m", "1000", "2000", services)
	h.rate("openai", "busy", "1000", "2000", services)
	h.grant("100")
	spent := 0
	for _, tt := range []struct{ model, tier, cost, variant string }{
		{"m", "", "1.2", ""}, {"m", `,"service_tier":"default"`, "1.2", ""}, {"m", `,"service_tier":"priority"`, "2.4", "priority/"},
		{"m", `,"service_tier":"flex"`, "0.6", "flex/"}, {"busy", `,"service_tier":"priority"`, "1.2", ""},
	} {
		for _, stream := range []string{"false", "true"} {
			res, text := h.send("/v1/chat/completions", `{"model":"openai/`+tt.model+`","max_tokens":200,"messages":[{"role":"user","content":"Hi"}],"stream":`+stream+tt.tier+`}`)
			require.Equal(t, http.StatusOK, res.StatusCode, text)
			c := h.settledCall()
			assert.Equal(t, []string{tt.cost, tt.variant}, []string{c.Credits.String(), c.Variant}, "%s%s stream %s", tt.model, tt.tier, stream)
			assert.GreaterOrEqual(t, c.Hold, c.Credits/5, "the hold is of the prompt's bytes and the whole output")
			spent++
		}
	}
	assert.Equal(t, 10, spent)
	assert.Equal(t, "13.2", h.spent())
}

func TestATierThatWouldBeSoldBelowItsCostIsRefused(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	h.add("openai", "openai", tiered(t), "sk-fake-0123456789")
	h.rate("openai", "gpt-5", "2", "20") // the catalogue knows that priority costs twice as much
	h.grant("100")
	ask := func(tier string) (int, string) {
		res, text := h.send("/v1/chat/completions", `{"model":"openai/gpt-5","messages":[{"role":"user","content":"Hi"}],"service_tier":"`+tier+`"}`)
		return res.StatusCode, text
	}
	status, text := ask("priority")
	assert.Equal(t, http.StatusBadRequest, status)
	assert.Contains(t, text, "service_tier")
	assert.Contains(t, text, "rate set --price input:priority=P")
	status, text = ask("flex")
	assert.Equal(t, http.StatusOK, status, "a cheaper tier is sold at the usual price: %s", text)
	assert.Equal(t, "0.004", h.settledCall().Credits.String())
}
