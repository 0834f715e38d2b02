package proxy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// Gemini cannot be told to make one call at a time, so the hub keeps to it.
func TestACallerWhoWantsOneCallATurnGetsOne(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.Gemini)
	const schema = `{"type":"object","properties":{"city":{"type":"string"}}}`
	for path, body := range map[string]string{
		"/v1/chat/completions": `{"model":"google/gemini-fake","messages":[{"role":"user","content":"use tools twice"}],"parallel_tool_calls":false,
			"tools":[{"type":"function","function":{"name":"weather","parameters":` + schema + `}}]`,
		"/v1/messages": `{"model":"google/gemini-fake","max_tokens":100,"messages":[{"role":"user","content":"use tools twice"}],
			"tool_choice":{"type":"auto","disable_parallel_tool_use":true},"tools":[{"name":"weather","input_schema":` + schema + `}]`,
	} {
		for _, end := range []string{`}`, `,"stream":true}`} {
			res, text := h.send(path, body+end)
			assert.Equal(t, 200, res.StatusCode, text)
			assert.Contains(t, text, "Paris", path)
			assert.NotContains(t, text, "Rome", path)
			assert.Equal(t, 1, strings.Count(text, `"weather"`), "%s: %s", path, text)
		}
		res, text := h.send(path, strings.NewReplacer(`"parallel_tool_calls":false`, `"parallel_tool_calls":true`, `"disable_parallel_tool_use":true`, `"disable_parallel_tool_use":false`).Replace(body)+`}`)
		assert.Equal(t, 200, res.StatusCode, text)
		assert.Contains(t, text, "Rome", path)
	}
	assert.Len(t, fake.Requests(), 6)
}
