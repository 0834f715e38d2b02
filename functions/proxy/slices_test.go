package proxy_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// open models show every token that they bill: their streams are held in slices.
var openModels = map[fakeprovider.Kind]string{
	fakeprovider.OpenAI: "gpt-4o-mini", fakeprovider.Anthropic: "claude-3-haiku-20240307", fakeprovider.Gemini: "gemini-2.0-flash",
	fakeprovider.Bedrock: "anthropic.claude-3-haiku-20240307-v1:0",
}

// streamed is a language of streams: how to ask, what was said, and whether the
// end is one at the output limit.
type streamed struct {
	name, path, body string
	text             func(t *testing.T, body string) string
	atLimit          func(t *testing.T, body string) bool
}

var streamedLanguages = []streamed{
	{"openai", "/v1/chat/completions", `{"model":"%s/%s","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Tell."}]}`,
		plainly(deltas(`"content":"`)), endsWith(`"finish_reason":"length"`, `"usage":{`, "data: [DONE]\n\n")},
	{"completions", "/v1/completions", `{"model":"%s/%s","stream":true,"max_tokens":3000,"prompt":"Tell."}`,
		plainly(deltas(`"text":"`)), endsWith(`"finish_reason":"length"`, "data: [DONE]\n\n")},
	{"anthropic", "/v1/messages", `{"model":"%s/%s","stream":true,"max_tokens":3000,"messages":[{"role":"user","content":"Tell."}]}`,
		plainly(deltas(`"text":"`)), endsWith("event: content_block_stop", `"stop_reason":"max_tokens"`, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n")},
	{"responses", "/v1/responses", `{"model":"%s/%s","stream":true,"input":"Tell."}`, answeredText, incompleteAnswer},
	{"gemini", "/v1beta/models/%s%%2F%s:streamGenerateContent?alt=sse", `{"contents":[{"role":"user","parts":[{"text":"Tell."}]}]}`,
		func(t *testing.T, body string) string { text, _ := googleText(googleAnswers(t, body)); return text },
		func(t *testing.T, body string) bool {
			all := googleAnswers(t, body)
			_, finish := googleText(all)
			return finish == "MAX_TOKENS" && all[len(all)-1].RawUsage != nil
		}},
	{"gemini array", "/v1beta/models/%s%%2F%s:streamGenerateContent", `{"contents":[{"role":"user","parts":[{"text":"Tell."}]}]}`,
		func(t *testing.T, body string) string { text, _ := googleText(googleAnswers(t, body)); return text },
		func(t *testing.T, body string) bool {
			_, finish := googleText(googleAnswers(t, body))
			return finish == "MAX_TOKENS" && strings.HasSuffix(strings.TrimSpace(body), "]")
		}},
	{"aigne", "/api/v2/chat", `{"input":{"modelOptions":{"model":"%s/%s"},"messages":[{"role":"user","content":"Tell."}]},"options":{"streaming":true}}`,
		plainly(deltas(`"text":"`)), endsWith(`"usage":{`, "\n\n")}, // the protocol has no word for why an answer ends
	{"aigne rest", "/api/v2/chat/completions", `{"model":"%s/%s","stream":true,"messages":[{"role":"user","content":"Tell."}]}`,
		plainly(deltas(`"delta":{"role":"assistant","content":"`)), endsWith(`"finish_reason":"length"`, `"usage":{`, "\n\n")},
}

func plainly(f func(string) string) func(*testing.T, string) string {
	return func(_ *testing.T, body string) string { return f(body) }
}

// endsWith looks for marks in their order, the last of them at the very end.
func endsWith(marks ...string) func(*testing.T, string) bool {
	return func(_ *testing.T, body string) bool {
		rest := body
		for _, m := range marks {
			i := strings.LastIndex(rest, m)
			if i < 0 {
				return false
			}
			rest = rest[i:]
		}
		return strings.HasSuffix(body, marks[len(marks)-1]) && !strings.Contains(body, "error")
	}
}

func answeredText(t *testing.T, body string) string {
	all := events(t, body)
	var said strings.Builder
	for _, ev := range all {
		if ev["type"] == "response.output_text.delta" {
			said.WriteString(ev["delta"].(string))
		}
	}
	assert.Equal(t, said.String(), outputText(t, all[len(all)-1]["response"].(map[string]any)), "the last event repeats what was said, and no more")
	return said.String()
}

func incompleteAnswer(t *testing.T, body string) bool {
	all := events(t, body)
	last := all[len(all)-1]
	response, _ := last["response"].(map[string]any)
	done := 0
	for _, ev := range all {
		if ev["type"] == "response.output_text.done" || ev["type"] == "response.content_part.done" || ev["type"] == "response.output_item.done" {
			done++
		}
	}
	return last["type"] == "response.incomplete" && response["status"] == "incomplete" && done == 3 &&
		response["incomplete_details"].(map[string]any)["reason"] == "max_output_tokens" && response["usage"] != nil
}

// ask fills model and provider in where the language has them.
func (s *streamed) ask(provider, model string) (path, body string) {
	if strings.Contains(s.path, "%s") {
		return fmt.Sprintf(s.path, provider, model), s.body
	}
	return s.path, fmt.Sprintf(s.body, provider, model)
}

func TestMoneyThatEndsInTheMiddleEndsAStreamInItsOwnLanguage(t *testing.T) {
	t.Parallel()
	const tale = 6000 // bytes
	for kind, model := range openModels {
		for _, s := range streamedLanguages {
			t.Run(fmt.Sprintf("%s to %s", s.name, kind), func(t *testing.T) {
				t.Parallel()
				h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "256"})
				fake := h.provider(kind)
				h.rate(kinds[kind].kind, model, "0", "1")
				h.grant("0.0006") // 600 tokens
				fake.Always(model, fakeprovider.Answer{Text: fakeprovider.Words(tale), Frames: 150})
				path, body := s.ask(kinds[kind].kind, model)
				res, text := h.send(path, body)
				require.Equal(t, http.StatusOK, res.StatusCode, text)
				assert.Empty(t, res.Header.Get("x-aigne-hub-output-limit"), "the caller's limit is what it was")

				said := s.text(t, text)
				assert.True(t, strings.HasPrefix(fakeprovider.Words(tale), said))
				assert.LessOrEqual(t, len(said), 600, "no byte more than what was held")
				assert.Greater(t, len(said), 500, "and all that was")
				assert.True(t, s.atLimit(t, text), text[max(0, len(text)-2000):])
				c := h.lastCall()
				assert.Equal(t, hub.StatusSuccess, c.Status)
				assert.Equal(t, hub.MoneyEnded, c.ChargePolicy)
				assert.Equal(t, money.Credits(1000*c.Usage.Completion()), c.Credits)
				assert.Positive(t, c.Credits)
				assert.LessOrEqual(t, c.Usage.Completion(), int64(len(said)))
				assert.Zero(t, c.Shortfall)
				a := h.account()
				assert.Zero(t, a.Held)
				assert.Equal(t, money.Credits(600_000)-c.Credits, a.Balance)
				slices, err := h.app.Store.Slices(t.Context(), c.ID)
				require.NoError(t, err)
				require.NotEmpty(t, slices)
				assert.Equal(t, money.Credits(600_000), slices[len(slices)-1].Hold, "the last one took what was left")
			})
		}
	}
}

func TestAStreamThatTheWalletPaysGrowsItsHoldAndEndsAsItWould(t *testing.T) {
	t.Parallel()
	for kind, model := range openModels {
		for _, s := range streamedLanguages {
			t.Run(fmt.Sprintf("%s to %s", s.name, kind), func(t *testing.T) {
				t.Parallel()
				h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "300"})
				fake := h.provider(kind)
				h.rate(kinds[kind].kind, model, "1", "1")
				h.grant("0.1")
				fake.Always(model, fakeprovider.Answer{Text: fakeprovider.Words(2000), Frames: 40})
				path, body := s.ask(kinds[kind].kind, model)
				res, text := h.send(path, body)
				require.Equal(t, http.StatusOK, res.StatusCode, text)
				assert.Equal(t, fakeprovider.Words(2000), s.text(t, text))
				c := h.lastCall()
				assert.Equal(t, hub.StatusSuccess, c.Status)
				assert.Empty(t, c.ChargePolicy)
				assert.Equal(t, fake.Reported(), c.Usage)
				assert.Equal(t, money.Credits(1000*(c.Usage.Prompt()+c.Usage.Completion())), c.Credits)
				assert.Zero(t, h.account().Held)
				slices, err := h.app.Store.Slices(t.Context(), c.ID)
				require.NoError(t, err)
				assert.Greater(t, len(slices), 2)
			})
		}
	}
}

func TestMoneyThatEndsInACallOfAToolEndsAStreamInItsOwnLanguage(t *testing.T) {
	t.Parallel()
	arguments := `{"city":"` + fakeprovider.Words(3000) + `"}`
	for kind, model := range openModels {
		for _, s := range streamedLanguages {
			if s.name == "completions" {
				continue // has no tools
			}
			t.Run(fmt.Sprintf("%s to %s", s.name, kind), func(t *testing.T) {
				t.Parallel()
				h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "256"})
				fake := h.provider(kind)
				h.rate(kinds[kind].kind, model, "0", "1")
				h.grant("0.002")
				fake.Always(model, fakeprovider.Answer{Text: fakeprovider.Words(200), Frames: 20, ToolCalls: []fakeprovider.ToolCall{{Name: "look", Arguments: arguments}}})
				path, body := s.ask(kinds[kind].kind, model)
				res, text := h.send(path, body)
				require.Equal(t, http.StatusOK, res.StatusCode, text)
				c := h.lastCall()
				assert.Equal(t, hub.StatusSuccess, c.Status)
				assert.Equal(t, hub.MoneyEnded, c.ChargePolicy)
				assert.Equal(t, money.Credits(1000*c.Usage.Completion()), c.Credits)
				assert.Zero(t, h.account().Held)
				switch s.name {
				case "responses":
					all := events(t, text)
					last := all[len(all)-1]["response"].(map[string]any)
					assert.Equal(t, "incomplete", last["status"])
					open := map[string]int{}
					for _, ev := range all {
						switch ev["type"] {
						case "response.output_item.added", "response.content_part.added":
							open[ev["type"].(string)]++
						case "response.output_item.done", "response.content_part.done":
							open[strings.Replace(ev["type"].(string), "done", "added", 1)]--
						}
					}
					assert.Equal(t, map[string]int{"response.output_item.added": 0, "response.content_part.added": 0}, open, "all that was opened is closed")
				case "anthropic":
					assert.Equal(t, strings.Count(text, "event: content_block_start"), strings.Count(text, "event: content_block_stop"))
					assert.Contains(t, text, `"stop_reason":"max_tokens"`)
				default:
					assert.True(t, s.atLimit(t, text), text[max(0, len(text)-1000):])
				}
			})
		}
	}
}

func TestEachOfSeveralAnswersEndsWithTheMoney(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "300"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-4o-mini", "0", "1")
	h.grant("0.0009")
	fake.Always("gpt-4o-mini", fakeprovider.Answer{Text: fakeprovider.Words(2000), Frames: 100})
	res, body := h.send("/v1/chat/completions", `{"model":"openai/gpt-4o-mini","stream":true,"n":3,"messages":[{"role":"user","content":"Tell."}]}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, 3, strings.Count(body, `"finish_reason":"length"`), body[max(0, len(body)-1000):])
	assert.True(t, strings.HasSuffix(body, "data: [DONE]\n\n"))
	c := h.lastCall()
	assert.Equal(t, hub.MoneyEnded, c.ChargePolicy)
	assert.LessOrEqual(t, len(deltas(`"content":"`)(body)), 900)
	assert.Zero(t, c.Shortfall)
}

func TestABudgetThatEndsInTheMiddleEndsTheStream(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_SLICE": "256"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-4o-mini", "0", "1")
	h.grant("1")
	_, err := h.app.Desk.SetLimit(t.Context(), "test", operator.NewLimit{Scope: "user", Subject: h.email, Metric: "credits", Period: "day", Amount: "0.0006"})
	require.NoError(t, err)
	require.NoError(t, h.app.Reload(t.Context()))
	fake.Always("gpt-4o-mini", fakeprovider.Answer{Text: fakeprovider.Words(2000), Frames: 100})
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-4o-mini", true))
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	said := deltas(`"content":"`)(body)
	assert.LessOrEqual(t, len(said), 600)
	assert.Greater(t, len(said), 500)
	c := h.lastCall()
	assert.Equal(t, hub.LimitEnded, c.ChargePolicy)
	assert.Contains(t, body, `"finish_reason":"length"`)
}

func TestAShortStreamCostsNoStatementMore(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-4o-mini", "1", "1")
	h.grant("1")
	fake.Always("gpt-4o-mini", fakeprovider.Answer{Text: fakeprovider.Words(2000), Frames: 100}) // of 4,096
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-4o-mini", true))
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	c := h.lastCall()
	slices, err := h.app.Store.Slices(t.Context(), c.ID)
	require.NoError(t, err)
	assert.Empty(t, slices)
	assert.Less(t, c.Hold, money.Credits(5_000_000), "the prompt and a slice, not the model's 16,384 tokens")
}
