package proxy_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// surfaces are the dialects that callers speak, each with one request.
var surfaces = []struct {
	name, path, body string // the body's verbs: model, stream, text
	text             func(t *testing.T, body string) string
	streamed         func(body string) string
}{
	{"openai", "/v1/chat/completions", `{"model":%q,"stream":%t,"messages":[{"role":"user","content":%q}]}`,
		func(t *testing.T, b string) string {
			return decode(t, b)["choices"].([]any)[0].(map[string]any)["message"].(map[string]any)["content"].(string)
		}, deltas(`"content":"`)},
	{"anthropic", "/v1/messages", `{"model":%q,"stream":%t,"max_tokens":1000,"messages":[{"role":"user","content":%q}]}`,
		func(t *testing.T, b string) string {
			return decode(t, b)["content"].([]any)[0].(map[string]any)["text"].(string)
		}, deltas(`"text":"`)},
	{"aigne", "/api/v2/chat", `{"input":{"modelOptions":{"model":%q},"messages":[{"role":"user","content":%[3]q}]},"options":{"streaming":%[2]t}}`,
		func(t *testing.T, b string) string { return decode(t, b)["text"].(string) }, deltas(`"text":"`)},
	{"aigne rest", "/api/v2/chat/completions", `{"model":%q,"stream":%t,"messages":[{"role":"user","content":%q}]}`,
		func(t *testing.T, b string) string { return decode(t, b)["text"].(string) }, deltas(`"delta":{"role":"assistant","content":"`)},
}

// deltas joins the string that follows mark in each frame.
func deltas(mark string) func(string) string {
	return func(body string) string {
		var out strings.Builder
		for _, line := range strings.Split(body, "\n") {
			if i := strings.LastIndex(line, mark); i >= 0 && strings.HasPrefix(line, "data:") {
				rest := line[i+len(mark):]
				out.WriteString(rest[:strings.IndexByte(rest, '"')])
			}
		}
		return out.String()
	}
}

var models = map[fakeprovider.Kind]string{
	fakeprovider.OpenAI: "gpt-fake", fakeprovider.Anthropic: "claude-fake", fakeprovider.Gemini: "gemini-fake",
	fakeprovider.Bedrock: "us.anthropic.claude-fake-4-5-v1:0",
}

func TestEveryDialectReachesEveryProviderAndTheMoneyIsExact(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for _, s := range surfaces {
			for _, stream := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s to %s stream=%t", s.name, kind, stream), func(t *testing.T) {
					t.Parallel()
					h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
					fake := h.provider(kind)
					h.rate(kinds[kind].kind, model, "3", "15")
					h.grant("10")
					text := "The quick brown fox jumps over the lazy dog and on."
					fake.Always(model, fakeprovider.Answer{Text: text})
					res, body := h.send(s.path, fmt.Sprintf(s.body, kinds[kind].kind+"/"+model, stream, "Say it."))
					require.Equal(t, 200, res.StatusCode, body)
					if stream {
						assert.Equal(t, text, s.streamed(body), body)
					} else {
						assert.Equal(t, text, s.text(t, body))
					}
					want := fake.Reported()
					charge := money.Credits(3000*want[hub.Input] + 15000*want[hub.Output])
					require.NotZero(t, charge)
					c := h.lastCall()
					assert.Equal(t, hub.StatusSuccess, c.Status)
					assert.Equal(t, want, c.Usage)
					assert.Equal(t, hub.UsageReported, c.Source)
					assert.Equal(t, charge, c.Credits)
					assert.Equal(t, 10*money.Credit-charge, h.account().Balance)
					assert.Equal(t, c.ID, res.Header.Get("x-aigne-hub-call-id"))
					if !stream {
						assert.Equal(t, charge.String(), res.Header.Get("x-aigne-hub-credits"))
					}
				})
			}
		}
	}
}
