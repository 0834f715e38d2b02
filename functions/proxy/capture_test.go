package proxy_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// capturing opens a hub that keeps the bodies that a rule wants.
func capturing(t *testing.T, rule operator.NewCaptureRule, env ...string) *testHub {
	t.Helper()
	all := map[string]string{"AIGNE_HUB_CAPTURE": "on"}
	for i := 0; i+1 < len(env); i += 2 {
		all[env[i]] = env[i+1]
	}
	h := start(t, all)
	_, err := h.app.Desk.AddCaptureRule(t.Context(), "test", rule)
	require.NoError(t, err)
	for _, kind := range []fakeprovider.Kind{fakeprovider.OpenAI, fakeprovider.Anthropic} {
		h.provider(kind).Always("gpt-fake", fakeprovider.Answer{Text: secretReply + " sk-proj-Ab12Cd34Ef56Gh78"})
	}
	return h
}

// payload is what was kept of the newest call.
func (h *testHub) payload() *capture.Payload {
	h.t.Helper()
	id := h.settledCall().ID
	var p *capture.Payload
	require.Eventually(h.t, func() bool {
		h.app.Capture.Flush(h.t.Context())
		row, err := h.app.Store.Payload(h.t.Context(), id)
		if err != nil {
			return false
		}
		p, err = h.app.Desk.OpenPayload(h.t.Context(), row)
		return assert.NoError(h.t, err)
	}, 10*time.Second, 10*time.Millisecond)
	return p
}

func TestBodiesAreKeptAsTheClientSentAndGotThem(t *testing.T) {
	t.Parallel()
	h := capturing(t, operator.NewCaptureRule{}, "AIGNE_HUB_CACHE", "ask")
	const ask = `"messages":[{"role":"user","content":"` + secretWish + `, by Bearer abcdefgh12345678"}],"max_tokens":100}`
	for name, c := range map[string]struct{ path, body, accept string }{
		"native, whole":        {"/v1/chat/completions", `{"model":"openai/gpt-fake",` + ask, ""},
		"native, a stream":     {"/v1/chat/completions", `{"stream":true,"model":"openai/gpt-fake",` + ask, ""},
		"translated, whole":    {"/v1/messages", `{"model":"openai/gpt-fake",` + ask, ""},
		"translated, a stream": {"/v1/messages", `{"stream":true,"model":"openai/gpt-fake",` + ask, ""},
		"the other way":        {"/v1/chat/completions", `{"stream":true,"model":"anthropic/gpt-fake",` + ask, ""},
		"responses":            {"/v1/responses", `{"model":"openai/gpt-fake","input":"` + secretWish + `, by Bearer abcdefgh12345678"}`, ""},
	} {
		res, said := h.send(c.path, c.body)
		require.Equal(t, http.StatusOK, res.StatusCode, name+said)
		p := h.payload()
		assert.Equal(t, strings.Replace(c.body, "abcdefgh12345678", "[secret]", 1), p.Request.Text, name)
		assert.Equal(t, http.StatusOK, p.Response.Status, name)
		assert.EqualValues(t, len(said), p.Response.Bytes, "%s: what went over the wire", name)
		assert.Equal(t, res.Header.Get("Content-Type"), p.Response.Type, name)
		assert.NotContains(t, p.Response.Text, "Gh78", name)
		assert.Positive(t, p.Redacted["secret"], name)
		if strings.Contains(c.body, `"stream":true`) {
			assert.Contains(t, p.Response.Text, "data: ", name)
			continue
		}
		assert.Contains(t, p.Response.Text, secretReply+" [secret]", name)
	}
	// A kept answer is an answer too.
	body := `{"model":"openai/gpt-fake",` + ask
	for _, want := range []string{"stored", "hit"} {
		res, _ := h.send("/v1/chat/completions", body, cacheHeader, "on")
		require.Equal(t, want, res.Header.Get(cacheHeader))
		assert.Contains(t, h.payload().Response.Text, secretReply)
	}
}

func TestAnErrorIsKeptAsTheClientGotIt(t *testing.T) {
	t.Parallel()
	h := capturing(t, operator.NewCaptureRule{PII: []string{capture.Email}})
	h.fakes[fakeprovider.OpenAI].Always("broken", fakeprovider.Answer{Status: 400, Body: `{"error":{"message":"no, a@example.com","type":"invalid_request_error"}}`})
	res, said := h.send("/v1/chat/completions", `{"model":"openai/broken","messages":[{"role":"user","content":"x"}]}`)
	require.Equal(t, 400, res.StatusCode, said)
	p := h.payload()
	assert.Equal(t, 400, p.Response.Status)
	assert.Contains(t, p.Response.Text, "no, [email]")
}

func TestAClientThatLeavesLeavesWhatItGot(t *testing.T) {
	t.Parallel()
	h := capturing(t, operator.NewCaptureRule{})
	gate := fakeprovider.NewGate()
	h.fakes[fakeprovider.OpenAI].Always("long", fakeprovider.Answer{Text: strings.Repeat("word ", 2000), Frames: 50, Middle: gate})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	res, err := h.post(ctx, "/v1/chat/completions", `{"stream":true,"model":"openai/long","messages":[{"role":"user","content":"x"}]}`)
	require.NoError(t, err)
	_, err = io.ReadFull(res.Body, make([]byte, 1000))
	require.NoError(t, err)
	cancel()
	_ = res.Body.Close()
	<-h.ended
	gate.Release()
	p := h.payload()
	assert.GreaterOrEqual(t, p.Response.Bytes, int64(1000))
	assert.Contains(t, p.Response.Text, "word")
	assert.NotContains(t, p.Response.Text, "[DONE]")
}

func TestNothingIsKeptUnlessItIsSwitchedOnAndWanted(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{"off": nil, "no rule": {"AIGNE_HUB_CAPTURE": "on"}, "a rule for somebody else": {"AIGNE_HUB_CAPTURE": "on"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, env)
			h.provider(fakeprovider.OpenAI).Always("gpt-fake", fakeprovider.Answer{Text: secretReply})
			if name != "no rule" {
				rule := operator.NewCaptureRule{}
				if name != "off" {
					rule.AppID = "another"
				}
				_, err := h.app.Desk.AddCaptureRule(t.Context(), "test", rule)
				require.NoError(t, err)
				require.NoError(t, h.app.Reload(t.Context()))
			}
			res, _ := h.send("/v1/chat/completions", cacheAsk(false))
			require.Equal(t, 200, res.StatusCode)
			id := h.lastCall().ID
			h.app.Capture.Flush(t.Context())
			_, err := h.app.Store.Payload(t.Context(), id)
			require.ErrorIs(t, err, store.ErrNotFound)
			assert.Equal(t, name == "off", h.app.Capture == nil)
		})
	}
}
