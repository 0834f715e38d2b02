package dialecttest_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect/aigne"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// A caller of a language keeps of an answer what its SDKs keep, and sends it back
// with the result of the call that the answer made. It knows nothing of the hub:
// all is done on the JSON.
type caller struct {
	language dialecttest.Language
	first    string                                           // the question
	kept     func(t *testing.T, whole []byte) json.RawMessage // the assistant's turn out of an answer
	streamed func(t *testing.T, frames [][]byte) json.RawMessage
	next     func(turn json.RawMessage) string // the next request's body
}

func callers() map[string]caller {
	return map[string]caller{
		"openai": {
			dialecttest.Language{Server: openai.Server{}, Path: "/v1/chat/completions"},
			`{"model":"m","stream":true,"messages":[{"role":"user","content":"Look."}]}`,
			func(t *testing.T, whole []byte) json.RawMessage { return at(t, whole, "choices", 0, "message") },
			chatTurn,
			func(turn json.RawMessage) string {
				return `{"model":"m","messages":[{"role":"user","content":"Look."},` + string(turn) + `,{"role":"tool","tool_call_id":"call_1","content":"seen"}]}`
			},
		},
		"responses": {
			dialecttest.Language{Server: responsesServer(), Path: "/v1/responses"},
			`{"model":"m","stream":true,"store":false,"include":["reasoning.encrypted_content"],"input":"Look."}`,
			func(t *testing.T, whole []byte) json.RawMessage { return at(t, whole, "output") },
			func(t *testing.T, frames [][]byte) json.RawMessage {
				return at(t, data(frames[len(frames)-1]), "response", "output")
			},
			func(turn json.RawMessage) string {
				return `{"model":"m","input":[{"role":"user","content":"Look."},` + strings.Trim(string(turn), "[]") +
					`,{"type":"function_call_output","call_id":"call_1","output":"seen"}]}`
			},
		},
		"anthropic": {
			dialecttest.Language{Server: anthropic.Server{}, Path: "/v1/messages"},
			`{"model":"m","max_tokens":5000,"stream":true,"messages":[{"role":"user","content":"Look."}]}`,
			func(t *testing.T, whole []byte) json.RawMessage { return at(t, whole, "content") },
			messageTurn,
			func(turn json.RawMessage) string {
				return `{"model":"m","max_tokens":5000,"messages":[{"role":"user","content":"Look."},{"role":"assistant","content":` + string(turn) +
					`},{"role":"user","content":[{"type":"tool_result","tool_use_id":"call_1","content":"seen"}]}]}`
			},
		},
		"gemini": {
			dialecttest.Language{Server: gemini.Server{}, Path: "/v1beta/models/m:streamGenerateContent?alt=sse"},
			`{"contents":[{"role":"user","parts":[{"text":"Look."}]}]}`,
			func(t *testing.T, whole []byte) json.RawMessage {
				return at(t, whole, "candidates", 0, "content", "parts")
			},
			geminiTurn,
			func(turn json.RawMessage) string {
				return `{"contents":[{"role":"user","parts":[{"text":"Look."}]},{"role":"model","parts":` + string(turn) +
					`},{"role":"user","parts":[{"functionResponse":{"id":"call_1","name":"f","response":{"result":"seen"}}}]}]}`
			},
		},
		"aigne": {
			dialecttest.Language{Server: aigne.Server{}, Path: "/api/v2/chat"},
			`{"input":{"modelOptions":{"model":"a/m"},"messages":[{"role":"user","content":"Look."}]},"options":{"streaming":true}}`,
			func(t *testing.T, whole []byte) json.RawMessage { return at(t, whole, "toolCalls") },
			func(t *testing.T, frames [][]byte) (calls json.RawMessage) {
				for _, f := range frames {
					if raw := find(data(f), "delta", "json", "toolCalls"); raw != nil {
						calls = raw
					}
				}
				return calls
			},
			func(turn json.RawMessage) string {
				return `{"input":{"modelOptions":{"model":"a/m"},"messages":[{"role":"user","content":"Look."},{"role":"agent","content":"","toolCalls":` +
					string(turn) + `},{"role":"tool","toolCallId":"call_1","content":"seen"}]}}`
			},
		},
	}
}

func data(frame []byte) []byte {
	_, d := wire.Data(frame)
	return d
}

// find walks down members (string) and elements (int), nil where there is none.
func find(raw []byte, path ...any) json.RawMessage {
	for _, step := range path {
		switch step := step.(type) {
		case string:
			var o map[string]json.RawMessage
			_ = json.Unmarshal(raw, &o)
			raw = o[step]
		case int:
			var a []json.RawMessage
			_ = json.Unmarshal(raw, &a)
			if step >= len(a) {
				return nil
			}
			raw = a[step]
		}
	}
	return raw
}

func at(t *testing.T, raw []byte, path ...any) json.RawMessage {
	t.Helper()
	v := find(raw, path...)
	require.NotNil(t, v, "%v of %s", path, raw)
	return v
}

func word(raw []byte) (s string) {
	_ = json.Unmarshal(raw, &s)
	return s
}

func mustJSON(t *testing.T, v any) json.RawMessage {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return b
}

// chatTurn adds up chunks as OpenAI's SDKs do: texts are joined, calls by their
// index, details are collected.
func chatTurn(t *testing.T, frames [][]byte) json.RawMessage {
	t.Helper()
	turn := map[string]any{"role": "assistant"}
	var details, calls []json.RawMessage
	var args []string
	content, thought := "", ""
	for _, f := range frames {
		delta := find(data(f), "choices", 0, "delta")
		content += word(find(delta, "content"))
		thought += word(find(delta, "reasoning_content"))
		for i := 0; find(delta, "reasoning_details", i) != nil; i++ {
			details = append(details, find(delta, "reasoning_details", i))
		}
		if c := find(delta, "tool_calls", 0); c != nil {
			if find(c, "id") != nil {
				calls, args = append(calls, c), append(args, "")
			}
			args[len(args)-1] += word(find(c, "function", "arguments"))
			if extra := find(c, "extra_content"); extra != nil {
				o, err := wire.Parse(calls[len(calls)-1])
				require.NoError(t, err)
				o.Set("extra_content", extra)
				calls[len(calls)-1] = o.Bytes()
			}
		}
	}
	for i := range calls {
		o, err := wire.Parse(calls[i])
		require.NoError(t, err)
		o.Set("function", mustJSON(t, map[string]string{"name": word(find(calls[i], "function", "name")), "arguments": args[i]}))
		calls[i] = o.Bytes()
	}
	turn["content"], turn["reasoning_content"], turn["tool_calls"] = content, thought, calls
	if details != nil {
		turn["reasoning_details"] = details
	}
	return mustJSON(t, turn)
}

// messageTurn adds up the blocks of a Messages stream.
func messageTurn(t *testing.T, frames [][]byte) json.RawMessage {
	t.Helper()
	var blocks []map[string]any
	args := ""
	add := func(field string, more json.RawMessage) {
		b := blocks[len(blocks)-1]
		before, _ := b[field].(string)
		b[field] = before + word(more)
	}
	for _, f := range frames {
		d := data(f)
		switch word(find(d, "type")) {
		case "content_block_start":
			var b map[string]any
			require.NoError(t, json.Unmarshal(at(t, d, "content_block"), &b))
			blocks, args = append(blocks, b), ""
		case "content_block_delta":
			add("text", find(d, "delta", "text"))
			add("thinking", find(d, "delta", "thinking"))
			add("signature", find(d, "delta", "signature"))
			args += word(find(d, "delta", "partial_json"))
		case "content_block_stop":
			b := blocks[len(blocks)-1]
			for _, field := range []string{"text", "thinking", "signature"} {
				if b["type"] != "thinking" && b[field] == "" && b["type"] != field {
					delete(b, field)
				}
				if b["type"] == "thinking" && field == "text" {
					delete(b, field)
				}
			}
			if b["type"] == "tool_use" {
				var input any
				require.NoError(t, json.Unmarshal([]byte(args), &input))
				b["input"] = input
			}
		}
	}
	return mustJSON(t, blocks)
}

// geminiTurn puts the parts of all chunks one after the other.
func geminiTurn(t *testing.T, frames [][]byte) json.RawMessage {
	t.Helper()
	var parts []json.RawMessage
	for _, f := range frames {
		for i := 0; find(data(f), "candidates", 0, "content", "parts", i) != nil; i++ {
			parts = append(parts, find(data(f), "candidates", 0, "content", "parts", i))
		}
	}
	return mustJSON(t, slices.Clip(parts))
}
