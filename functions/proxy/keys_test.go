package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

const hidden = "openai/gpt-secret"

// askable are all ways to ask for a model: path, with MODEL in it where the path
// names it, and body. A body that is no JSON is a form's fields.
var askable = map[string]struct{ path, body string }{
	"/v1/chat/completions":         {"", `{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}`},
	"/v1/completions":              {"", `{"model":"MODEL","prompt":"Hi"}`},
	"/v1/responses":                {"", `{"model":"MODEL","input":"Hi"}`},
	"/v1/responses/input_tokens":   {"", `{"model":"MODEL","input":"Hi"}`},
	"/v1/responses/compact":        {"", `{"model":"MODEL","input":"Hi"}`},
	"/v1/embeddings":               {"", `{"model":"MODEL","input":"Hi"}`},
	"/v1/images/generations":       {"", `{"model":"MODEL","prompt":"Hi"}`},
	"/v1/images/edits":             {"", "prompt=Hi image=@"},
	"/v1/images/variations":        {"", "image=@"},
	"/v1/audio/transcriptions":     {"", "file=@"},
	"/v1/audio/translations":       {"", "file=@"},
	"/v1/audio/speech":             {"", `{"model":"MODEL","input":"Hi","voice":"alloy"}`},
	"/v1/moderations":              {"", `{"model":"MODEL","input":"Hi"}`},
	"/v1/rerank":                   {"", `{"model":"MODEL","query":"Hi","documents":["a","b"]}`},
	"/v1/videos":                   {"", `{"model":"MODEL","prompt":"Hi"}`},
	"/v1/messages":                 {"", `{"model":"MODEL","max_tokens":9,"messages":[{"role":"user","content":"Hi"}]}`},
	"/v1/messages/count_tokens":    {"", `{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}`},
	"/v1beta/models/{call...}":     {"/v1beta/models/MODEL:generateContent", `{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}`},
	"/v1beta/{call...}":            {"/v1beta/MODEL:countTokens", `{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}`},
	"/v1/models/{call...}":         {"/v1/models/MODEL:streamGenerateContent?alt=sse", `{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}`},
	"/api/v2/chat":                 {"", `{"model":"MODEL","input":{"messages":[{"role":"user","content":"Hi"}]}}`},
	"/api/v2/chat/completions":     {"", `{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}`},
	"/api/v2/completions":          {"", `{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}`},
	"/api/v2/embeddings":           {"", `{"model":"MODEL","input":{"input":"Hi"}}`},
	"/api/v2/image":                {"", `{"model":"MODEL","input":{"prompt":"Hi"}}`},
	"/api/v2/image/generations":    {"", `{"model":"MODEL","prompt":"Hi"}`},
	"/api/v2/video":                {"", `{"model":"MODEL","input":{"prompt":"Hi"}}`},
	"/api/v2/audio/transcriptions": {"", "file=@"},
	"/api/v2/audio/speech":         {"", `{"model":"MODEL","input":"Hi","voice":"alloy"}`},
	"/api/v1/chat/completions":     {"", `{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}`},
	"/api/v1/completions":          {"", `{"model":"MODEL","messages":[{"role":"user","content":"Hi"}]}`},
	"/api/v1/embeddings":           {"", `{"model":"MODEL","input":{"input":"Hi"}}`},
	"/api/v1/image/generations":    {"", `{"model":"MODEL","prompt":"Hi"}`},
	"/api/v1/audio/transcriptions": {"", "file=@"},
	"/api/v1/audio/speech":         {"", `{"model":"MODEL","input":"Hi","voice":"alloy"}`},
}

// ask sends a surface's request for a model.
func (h *testHub) ask(pattern, model string) (int, string) {
	h.t.Helper()
	s := askable[pattern]
	path := strings.ReplaceAll(s.path, "MODEL", model)
	if path == "" {
		path = pattern
	}
	if strings.HasPrefix(s.body, "{") {
		res, text := h.send(path, strings.ReplaceAll(s.body, "MODEL", model))
		return res.StatusCode, text
	}
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	require.NoError(h.t, w.WriteField("model", model))
	for f := range strings.FieldsSeq(s.body) {
		name, value, _ := strings.Cut(f, "=")
		if value != "@" {
			require.NoError(h.t, w.WriteField(name, value))
			continue
		}
		part, err := w.CreateFormFile(name, map[string]string{"image": "a.png", "file": "a.wav"}[name])
		require.NoError(h.t, err)
		_, err = part.Write(map[string][]byte{"image": []byte("\x89PNG\r\n\x1a\n0000"), "file": wav(1)}[name])
		require.NoError(h.t, err)
	}
	require.NoError(h.t, w.Close())
	res, err := h.post(h.t.Context(), path, form.String(), "Content-Type", w.FormDataContentType())
	require.NoError(h.t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(h.t, err)
	return res.StatusCode, string(text)
}

// shown gets a path's answer.
func (h *testHub) shown(path string) string {
	h.t.Helper()
	_, text := h.get(path, h.key.Reveal())
	return text
}

func TestEverySurfaceIsAmongTheSurfaces(t *testing.T) {
	t.Parallel()
	for _, rt := range proxy.Routes() {
		if rt.Method == http.MethodPost && rt.Pattern != "/v1/responses/{id}/cancel" && rt.Who != httpkit.Admin { // who administers may ask for any model
			assert.Contains(t, askable, rt.Pattern, "a way to ask for a model that the tests of keys do not know")
		}
	}
}

func TestNoSurfaceLeadsToAModelThatTheKeyMayNotUse(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "1", "1")
	h.rate("openai", "gpt-secret", "1", "1")
	for name, model := range map[string]string{"cheap": "openai/gpt-fake", "dear": hidden} {
		h.alias(name, routing.Rule{Steps: []routing.Step{{Targets: []routing.Weighted{{Model: model}}}}})
	}
	var err error
	h.key, _, err = h.app.Desk.CreateLimitedKey(t.Context(), "test", h.email, "bound", nil, operator.KeyLimits{Models: []string{"openai/gpt-f*", "openai/allowed"}})
	require.NoError(t, err)
	for pattern := range askable {
		for _, model := range []string{hidden, "OpenAI/GPT-Secret", "dear", "aignehub/" + hidden} {
			if strings.Contains(askable[pattern].path, "MODEL") && strings.Contains(model, "aignehub") {
				continue
			}
			status, text := h.ask(pattern, model)
			assert.Equal(t, http.StatusNotFound, status, "%s for %s: %s", pattern, model, text)
			assert.Contains(t, text, "is not known here", pattern)
		}
	}
	calls, err := h.app.Store.Calls(t.Context(), store.CallFilter{})
	require.NoError(t, err)
	assert.Empty(t, calls, "nothing was admitted")
	for _, model := range []string{"openai/gpt-fake", "gpt-fake", "cheap"} {
		res, text := h.send("/v1/chat/completions", fmt.Sprintf(`{"model":%q,"messages":[{"role":"user","content":"Hi"}]}`, model))
		assert.Equal(t, 200, res.StatusCode, text)
	}
	for _, list := range []string{"/v1/models", "/v1beta/models", "/api/ai/models", "/api/ai/models?type=image", "/api/ai/models?type=embedding"} {
		text := h.shown(list)
		assert.NotContains(t, text, "secret", list)
		assert.NotContains(t, text, "dear", list)
		if !strings.Contains(list, "type=") {
			assert.Contains(t, text, "gpt-fake", list)
			assert.Contains(t, text, "cheap", list)
		}
	}
	for _, one := range []string{"/v1/models/" + hidden, "/v1/models/dear", "/v1beta/models/" + hidden, "/api/ai/plan?model=" + hidden} {
		assert.Contains(t, h.shown(one), "is not known here", one)
	}
	assert.Contains(t, h.shown("/api/v2/status?model="+hidden), `"available":false`)
	assert.Contains(t, h.shown("/api/v2/status?model=cheap"), `"available":true`)
}

func TestADisabledUsersKeyIsGoodForNothingOnAnySurface(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "1", "1")
	h.add("cohere", "cohere", "http://127.0.0.1:9", "key")
	u, err := h.app.Desk.User(t.Context(), h.email)
	require.NoError(t, err)
	for pattern := range askable {
		require.NoError(t, h.app.Store.SetUserDisabled(t.Context(), u.ID, false))
		require.NoError(t, h.app.Reload(t.Context()))
		require.Contains(t, h.shown("/v1/models"), "gpt-fake", "the key is in the cache")
		require.NoError(t, h.app.Store.SetUserDisabled(t.Context(), u.ID, true)) // and the process is not told
		model := "openai/gpt-fake"
		if pattern == "/v1/rerank" {
			model = "cohere/rerank-fake"
		}
		status, text := h.ask(pattern, model)
		assert.Equal(t, http.StatusUnauthorized, status, "%s: %s", pattern, text)
	}
	calls, err := h.app.Store.Calls(t.Context(), store.CallFilter{})
	require.NoError(t, err)
	assert.Empty(t, calls)
}
