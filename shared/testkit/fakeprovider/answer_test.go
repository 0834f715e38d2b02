package fakeprovider

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// usageOf reads the usage report of a whole answer into buckets.
func usageOf(kind Kind, m any) hub.Usage {
	n := func(path ...any) int64 {
		f, _ := dig(m, path...).(float64)
		return int64(f)
	}
	switch kind {
	case OpenAI:
		read, think := n("usage", "prompt_tokens_details", "cached_tokens"), n("usage", "completion_tokens_details", "reasoning_tokens")
		return hub.Usage{
			hub.Input: n("usage", "prompt_tokens") - read, hub.CacheRead: read,
			hub.Output: n("usage", "completion_tokens") - think, hub.Reasoning: think,
		}
	case Anthropic:
		think := n("usage", "output_tokens_details", "thinking_tokens")
		return hub.Usage{
			hub.Input: n("usage", "input_tokens"), hub.CacheRead: n("usage", "cache_read_input_tokens"),
			hub.CacheWrite5m: n("usage", "cache_creation", "ephemeral_5m_input_tokens"),
			hub.CacheWrite1h: n("usage", "cache_creation", "ephemeral_1h_input_tokens"),
			hub.Output:       n("usage", "output_tokens") - think, hub.Reasoning: think,
		}
	}
	read := n("usageMetadata", "cachedContentTokenCount")
	return hub.Usage{
		hub.Input: n("usageMetadata", "promptTokenCount") - read, hub.CacheRead: read,
		hub.Output: n("usageMetadata", "candidatesTokenCount"), hub.Reasoning: n("usageMetadata", "thoughtsTokenCount"),
	}
}

func textOf(kind Kind, m any) string {
	switch kind {
	case OpenAI:
		return text(dig(m, "choices", 0, "message", "content"))
	case Anthropic:
		return text(dig(m, "content", 0, "text"))
	}
	return text(dig(m, "candidates", 0, "content", "parts", 0, "text"))
}

func finishOf(kind Kind, m any) any {
	switch kind {
	case OpenAI:
		return dig(m, "choices", 0, "finish_reason")
	case Anthropic:
		return dig(m, "stop_reason")
	}
	return dig(m, "candidates", 0, "finishReason")
}

func TestWithoutAScriptAModelGreetsAndCountsItsBytes(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		status, body := ask(t, p, false, hello(p.kind, false))
		require.Equal(t, 200, status, body)
		m := decode(t, body)
		model := defaultModels[p.kind][0]
		want := "Hello from " + model + ": Hi there"
		assert.Equal(t, want, textOf(p.kind, m))
		usage := hub.Usage{hub.Input: 2, hub.Output: Tokens(len(want))}
		assert.Equal(t, usage, usageOf(p.kind, m))

		rec := p.Last()
		assert.Equal(t, usage, rec.Usage)
		assert.Equal(t, model, rec.Model)
		assert.Equal(t, want, rec.Text)
		assert.True(t, rec.Known)
		assert.Equal(t, 200, rec.Status)
		assert.NotEmpty(t, rec.JSON)
		assert.Equal(t, hello(p.kind, false), string(rec.Body))
	})
}

func TestAStreamSaysTheSameInSeveralFrames(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		_, whole := ask(t, p, false, hello(p.kind, false))
		status, body := ask(t, p, true, hello(p.kind, true))
		require.Equal(t, 200, status, body)
		assert.Equal(t, textOf(p.kind, decode(t, whole)), streamed(t, p.kind, body))
		assert.GreaterOrEqual(t, len(events(body)), 5)
		all := p.Requests()
		require.Len(t, all, 2)
		assert.Equal(t, all[0].Usage, all[1].Usage)
		assert.True(t, all[1].Stream)
	})
}

func TestOpenAIStreamsSendUsageOnlyWhenAsked(t *testing.T) {
	t.Parallel()
	p := Start(t, OpenAI, Options{})
	_, body := ask(t, p, true, `{"model":"gpt-fake","stream":true,"messages":[{"role":"user","content":"Hi"}]}`)
	assert.NotContains(t, body, "usage")
	assert.False(t, p.Last().Known)
	_, body = ask(t, p, true, hello(OpenAI, true))
	all := events(body)
	require.Equal(t, "[DONE]", all[len(all)-1])
	assert.Equal(t, p.Last().Usage, usageOf(OpenAI, decode(t, all[len(all)-2])))
	assert.Equal(t, []any{}, dig(decode(t, all[len(all)-2]), "choices"))
}

func TestToolsAreCalledOnRequest(t *testing.T) {
	t.Parallel()
	with := func(kind Kind, say string, extra string) string {
		switch kind {
		case OpenAI:
			return `{"model":"gpt-fake","messages":[{"role":"user","content":"` + say + `"}],"tools":[` + oaTool + `]` + extra + `}`
		case Anthropic:
			return `{"model":"claude-fake","max_tokens":999,"messages":[{"role":"user","content":"` + say + `"}],"tools":[` + anTool + `]` + extra + `}`
		}
		return `{"contents":[{"role":"user","parts":[{"text":"` + say + `"}]}],"tools":[{"functionDeclarations":[{"name":"weather","parametersJsonSchema":{}}]}]` + extra + `}`
	}
	calls := func(kind Kind, m any) []any {
		var all []any
		switch kind {
		case OpenAI:
			for _, c := range list(dig(m, "choices", 0, "message", "tool_calls")) {
				all = append(all, dig(c, "function", "name"), dig(c, "function", "arguments"))
			}
		case Anthropic:
			for _, c := range list(dig(m, "content")) {
				if dig(c, "type") == "tool_use" {
					all = append(all, dig(c, "name"), string(encode(dig(c, "input"))))
				}
			}
		default:
			for _, c := range list(dig(m, "candidates", 0, "content", "parts")) {
				if dig(c, "functionCall") != nil {
					all = append(all, dig(c, "functionCall", "name"), string(encode(dig(c, "functionCall", "args"))))
				}
			}
		}
		return all
	}
	off := map[Kind]string{
		OpenAI: `,"tool_choice":"none"`, Anthropic: `,"tool_choice":{"type":"none"}`,
		Gemini: `,"toolConfig":{"functionCallingConfig":{"mode":"NONE"}}`,
	}
	forced := map[Kind]string{
		OpenAI: `,"tool_choice":"required"`, Anthropic: `,"tool_choice":{"type":"any"}`,
		Gemini: `,"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}`,
	}
	const paris, rome = `{"city":"Paris"}`, `{"city":"Rome"}`
	kinds(t, func(t *testing.T, p *Provider) {
		for name, c := range map[string]struct {
			say, extra string
			want       []any
		}{
			"one call":         {"please use tool weather", "", []any{"weather", paris}},
			"two at once":      {"please use tools twice", "", []any{"weather", paris, "weather", rome}},
			"an unknown tool":  {"please use tool other", "", nil},
			"no word of it":    {"Hi", "", nil},
			"calls are off":    {"use tool weather", off[p.kind], nil},
			"calls are a must": {"Hi", forced[p.kind], []any{"weather", paris}},
		} {
			status, body := ask(t, p, false, with(p.kind, c.say, c.extra))
			require.Equal(t, 200, status, body)
			assert.Equal(t, c.want, calls(p.kind, decode(t, body)), name)
		}
	})
}

func TestAfterAToolResultTheModelRepeatsTheResult(t *testing.T) {
	t.Parallel()
	bodies := map[Kind]string{
		OpenAI:    `{"model":"gpt-fake","messages":[{"role":"user","content":"use tool weather"},` + oaCalled + `,{"role":"tool","tool_call_id":"c1","content":"20 degrees"}],"tools":[` + oaTool + `]}`,
		Anthropic: `{"model":"claude-fake","max_tokens":99,"messages":[{"role":"user","content":"use tool weather"},` + anCalled + `,{"role":"user","content":[{"type":"tool_result","tool_use_id":"t1","content":[{"type":"text","text":"20 degrees"}]}]}],"tools":[` + anTool + `]}`,
		Gemini:    `{"contents":[` + gmAsk + `,` + gmCalled + `,{"role":"user","parts":[{"functionResponse":{"name":"weather","response":{"output":"20 degrees"}}}]}]}`,
	}
	kinds(t, func(t *testing.T, p *Provider) {
		status, body := ask(t, p, false, bodies[p.kind])
		require.Equal(t, 200, status, body)
		assert.Contains(t, textOf(p.kind, decode(t, body)), "20 degrees")
	})
}

func TestStructuredOutputFollowsTheSchema(t *testing.T) {
	t.Parallel()
	schema := `{"type":"object","properties":{"city":{"type":"string"},"n":{"type":"integer","minimum":3},"ok":{"type":"boolean"},"tags":{"type":"array","items":{"type":"string","enum":["x","y"]}}},"required":["city","n","ok","tags"],"additionalProperties":false}`
	bodies := map[Kind]string{
		OpenAI:    oaHead + `,"response_format":{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":` + schema + `}}}`,
		Anthropic: anHead + `,"output_config":{"format":{"type":"json_schema","schema":` + schema + `}}}`,
		Gemini:    gmHead + `,"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":` + schema + `}}`,
	}
	kinds(t, func(t *testing.T, p *Provider) {
		status, body := ask(t, p, false, bodies[p.kind])
		require.Equal(t, 200, status, body)
		assert.JSONEq(t, `{"city":"Paris","n":3,"ok":true,"tags":["x"]}`, textOf(p.kind, decode(t, body)))
	})
}

func TestTheCallersOutputLimitIsKept(t *testing.T) {
	t.Parallel()
	limited := map[Kind]string{
		OpenAI: oaHead + `,"max_tokens":10}`, Gemini: gmHead + `,"generationConfig":{"maxOutputTokens":10}}`,
		Anthropic: `{"model":"claude-fake","max_tokens":10,"messages":[{"role":"user","content":"Hi"}]}`,
	}
	words := map[Kind]string{OpenAI: "length", Anthropic: "max_tokens", Gemini: "MAX_TOKENS"}
	kinds(t, func(t *testing.T, p *Provider) {
		p.Script("", Answer{Text: Words(1000)}, Answer{Text: Words(1000), IgnoreLimit: true}, Answer{Text: "short", Length: true})
		for _, want := range []int64{10, 250, 2} {
			_, body := ask(t, p, false, limited[p.kind])
			assert.Equal(t, want, usageOf(p.kind, decode(t, body))[hub.Output])
			if want != 250 {
				assert.Equal(t, words[p.kind], finishOf(p.kind, decode(t, body)))
			}
		}
	})
}

func TestScriptedAnswersComeInOrderAndThenTheModelSpeaksForItself(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		model := defaultModels[p.kind][0]
		p.Script(model, Answer{Text: "one"})
		p.Script("", Answer{Text: "two"})
		for _, want := range []string{"one", "two", "Hello from " + model + ": Hi there"} {
			_, body := ask(t, p, false, hello(p.kind, false))
			assert.Equal(t, want, textOf(p.kind, decode(t, body)))
		}
		p.Handle("", func(r Request) Answer { return Answer{Text: "you asked " + r.Model} })
		_, body := ask(t, p, false, hello(p.kind, false))
		assert.Equal(t, "you asked "+model, textOf(p.kind, decode(t, body)))
		p.Always(model, Answer{Text: "always"})
		_, body = ask(t, p, false, hello(p.kind, false))
		assert.Equal(t, "always", textOf(p.kind, decode(t, body)))
		p.Reset()
		_, body = ask(t, p, false, hello(p.kind, false))
		assert.True(t, strings.HasPrefix(textOf(p.kind, decode(t, body)), "Hello"))
	})
}

func TestUsageCanBeSetAndMisreported(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		told := hub.Usage{hub.Input: 100, hub.CacheRead: 40, hub.Output: 30, hub.Reasoning: 7}
		for name, c := range map[string]struct {
			answer Answer
			want   hub.Usage
		}{
			"as told":  {Answer{Text: "x", Usage: &told}, told},
			"zero":     {Answer{Text: "x", Usage: &told, Report: UsageZero}, hub.Usage{}},
			"negative": {Answer{Text: "x", Report: UsageNegative}, hub.Usage{hub.Input: -5, hub.Output: -5}},
			"absurd":   {Answer{Text: "x", Report: UsageAbsurd}, hub.Usage{hub.Input: AbsurdTokens, hub.Output: AbsurdTokens}},
			"cached":   {Answer{Text: "x", Cached: 1}, hub.Usage{hub.Input: 1, hub.CacheRead: 1, hub.Output: 1}},
		} {
			p.Script("", c.answer)
			_, body := ask(t, p, false, hello(p.kind, false))
			assert.Equal(t, c.want, usageOf(p.kind, decode(t, body)), name)
			assert.Equal(t, c.want, p.Last().Usage, name)
		}
		p.Script("", Answer{Text: "x", Report: NoUsage}, Answer{Text: "x", Report: NoUsage})
		for _, stream := range []bool{false, true} {
			_, body := ask(t, p, stream, hello(p.kind, stream))
			assert.NotContains(t, body, "okens\":", "no counts")
			assert.False(t, p.Last().Known)
		}
		p.Script("", Answer{Text: "x", Report: UsageTwice}, Answer{Text: "x"})
		_, twice := ask(t, p, true, hello(p.kind, true))
		_, once := ask(t, p, true, hello(p.kind, true))
		assert.Len(t, events(twice), len(events(once))+1)
	})
}

func TestReportedSumsWhatWasReported(t *testing.T) {
	t.Parallel()
	p := Start(t, Anthropic, Options{})
	p.Script("", Answer{Text: "12345678", CacheWritten: 1}, Answer{Report: NoUsage}, Answer{Text: "1234"})
	for range 3 {
		ask(t, p, false, hello(Anthropic, false))
	}
	assert.Equal(t, hub.Usage{hub.Input: 3, hub.CacheWrite5m: 1, hub.Output: 3}, p.Reported())
	p.Forget()
	assert.Empty(t, p.Requests())
	assert.Empty(t, p.Last())
}

func TestThoughtsAndRefusalsAreSaidInTheProvidersWords(t *testing.T) {
	t.Parallel()
	refusal := map[Kind]any{OpenAI: "stop", Anthropic: "refusal", Gemini: "SAFETY"}
	kinds(t, func(t *testing.T, p *Provider) {
		p.Script("", Answer{Refusal: "I can't help with that."}, Answer{Reasoning: "let me think", Text: "done"}, Answer{Reasoning: "let me think", Text: "done"})
		_, body := ask(t, p, false, hello(p.kind, false))
		assert.Equal(t, refusal[p.kind], finishOf(p.kind, decode(t, body)))
		_, body = ask(t, p, false, hello(p.kind, false))
		assert.Contains(t, body, "let me think")
		assert.Equal(t, int64(3), usageOf(p.kind, decode(t, body))[hub.Reasoning])
		_, body = ask(t, p, true, hello(p.kind, true))
		assert.Contains(t, body, "let me think")
	})
}

func TestModelsAreListed(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		p.Always("scripted-model", Answer{})
		for path, want := range map[string]int{"/v1/models": 200, "/v1/nothing": 404} {
			status, body := get(t, p, path)
			assert.Equal(t, want, status, path)
			if want == 200 {
				assert.Contains(t, body, "scripted-model")
			}
		}
	})
}

func TestAnthropicCountsTokensWithoutALimit(t *testing.T) {
	t.Parallel()
	p := Start(t, Anthropic, Options{})
	res, err := post(t, p, "/v1/messages/count_tokens", withKey(Anthropic, DefaultKey), `{"model":"claude-fake","messages":[{"role":"user","content":"Hi there"}]}`)
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, 200, res.StatusCode)
}
