package proxy_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// Gemini and most models of Bedrock cannot be told to make one call at a time, so
// the hub keeps to it.
func TestACallerWhoWantsOneCallATurnGetsOne(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.Gemini)
	h.provider(fakeprovider.Bedrock)
	const schema = `{"type":"object","properties":{"city":{"type":"string"}}}`
	bodies := map[string]string{
		"/v1/chat/completions": `{"model":"MODEL","messages":[{"role":"user","content":"use tools twice"}],"parallel_tool_calls":false,
			"tools":[{"type":"function","function":{"name":"weather","parameters":` + schema + `}}]`,
		"/v1/messages": `{"model":"MODEL","max_tokens":100,"messages":[{"role":"user","content":"use tools twice"}],
			"tool_choice":{"type":"auto","disable_parallel_tool_use":true},"tools":[{"name":"weather","input_schema":` + schema + `}]`,
	}
	allowed := strings.NewReplacer(`"parallel_tool_calls":false`, `"parallel_tool_calls":true`, `"disable_parallel_tool_use":true`, `"disable_parallel_tool_use":false`)
	for _, model := range []string{"google/gemini-fake", "bedrock/us.amazon.nova-fake-v1:0"} {
		for path, body := range bodies {
			body = strings.Replace(body, "MODEL", model, 1)
			for _, end := range []string{`}`, `,"stream":true}`} {
				res, text := h.send(path, body+end)
				assert.Equal(t, 200, res.StatusCode, text)
				assert.Contains(t, text, "Paris", path)
				assert.NotContains(t, text, "Rome", path)
				assert.Equal(t, 1, strings.Count(text, `"weather"`), "%s: %s", path, text)
			}
			res, text := h.send(path, allowed.Replace(body)+`}`)
			assert.Equal(t, 200, res.StatusCode, text)
			assert.Contains(t, text, "Rome", path)
		}
	}
}
