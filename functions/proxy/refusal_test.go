package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// TestRefusalsSpeakTheCallersDialect sends what must be refused before any
// provider hears of it, on every surface.
func TestRefusalsSpeakTheCallersDialect(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_MAX_BODY": "20KB"})
	fake := h.provider(fakeprovider.OpenAI)
	for _, s := range surfaces {
		good := fmt.Sprintf(s.body, "openai/gpt-fake", false, "hi")
		for name, tt := range map[string]struct {
			body   string
			header []string
			status int
			typ    string // Anthropic's word
		}{
			"no JSON":          {"{", nil, http.StatusBadRequest, "invalid_request_error"},
			"an array":         {"[]", nil, http.StatusBadRequest, "invalid_request_error"},
			"a repeated key":   {`{"model":"a","model":"b",` + good[1:], nil, http.StatusBadRequest, "invalid_request_error"},
			"too deep":         {strings.Replace(good, "{", `{"x":`+strings.Repeat("[", 300)+strings.Repeat("]", 300)+",", 1), nil, http.StatusBadRequest, "invalid_request_error"},
			"too large":        {strings.Replace(good, "hi", strings.Repeat("hi", 20_000), 1), nil, http.StatusRequestEntityTooLarge, "request_too_large"},
			"a wrong key":      {good, []string{"Authorization", "Bearer sk-hub-wrong"}, http.StatusUnauthorized, "authentication_error"},
			"a foreign key":    {good, []string{"Authorization", "Bearer sk-other"}, http.StatusUnauthorized, "authentication_error"},
			"an unknown model": {fmt.Sprintf(s.body, "nobody-knows/this", false, "hi"), nil, http.StatusNotFound, "not_found_error"},
		} {
			res, body := h.send(s.path, tt.body, tt.header...)
			what := s.name + ": " + name
			assert.Equal(t, tt.status, res.StatusCode, "%s %s", what, body)
			assert.Equal(t, "false", res.Header.Get("x-should-retry"), what)
			assert.NotEmpty(t, res.Header.Get("x-request-id"), what)
			m := decode(t, body)
			e, ok := m["error"].(map[string]any)
			if !assert.True(t, ok, what) {
				continue
			}
			assert.NotEmpty(t, e["message"], what)
			if s.name == "anthropic" {
				assert.Equal(t, "error", m["type"], what)
				assert.Equal(t, tt.typ, e["type"], what)
				assert.NotEmpty(t, m["request_id"], what)
			}
			for _, secret := range []string{h.key.Reveal(), fakeprovider.DefaultKey, fake.URL, "goroutine"} {
				assert.NotContains(t, body, secret, what)
			}
		}
		status, body := h.get(s.path, h.key.Reveal())
		assert.Equal(t, http.StatusMethodNotAllowed, status, body)
	}
	assert.Empty(t, fake.Requests())
	status, _ := h.get("/v1/nothing", h.key.Reveal())
	assert.Equal(t, http.StatusNotFound, status)
}
