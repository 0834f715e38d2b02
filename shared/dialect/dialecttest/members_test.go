package dialecttest_test

import (
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/dialect/aigne"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
)

// The members below are all that the public references document for a request,
// but for those that are about the hop (stream_options) or read by View.

func TestEveryMemberOfAChatCompletionIsSeen(t *testing.T) {
	t.Parallel()
	const tools = `[{"type":"function","function":{"name":"f"}}]`
	dialecttest.Members(t, openai.Server{}, "/v1/chat/completions",
		`{"model":"m","messages":[{"role":"user","content":"x"}]}`, map[string]string{
			"audio": `{"voice":"alloy","format":"wav"}`, "frequency_penalty": `0.5`, "function_call": `"none"`,
			"functions": `[{"name":"f"}]`, "logit_bias": `{"1":2}`, "logprobs": `true`, "max_completion_tokens": `5`, "max_tokens": `5`,
			"messages": `[{"role":"user","content":"y"}]`, "metadata": `{"a":"b"}`, "modalities": `["audio"]`, "n": `2`,
			"parallel_tool_calls": `false`, "prediction": `{"type":"content","content":"x"}`, "presence_penalty": `0.5`,
			"prompt_cache_key": `"k"`, "prompt_cache_retention": `"24h"`, "reasoning_effort": `"low"`, "response_format": `{"type":"json_object"}`,
			"safety_identifier": `"s"`, "seed": `1`, "service_tier": `"flex"`, "stop": `"x"`, "store": `true`, "stream": `true`,
			"temperature": `0.5`, "tool_choice": `"none"`, "tools": tools, "top_logprobs": `2`, "top_p": `0.5`, "user": `"u"`,
			"verbosity": `"low"`, "web_search_options": `{}`,
			// Of vendors that speak the language.
			"top_k": `3`, "reasoning": `{"effort":"low"}`, "thinking": `{"type":"disabled"}`, "min_p": `0.1`, "repetition_penalty": `1.1`,
			"plugins": `[{"id":"web"}]`, "provider": `{"sort":"price"}`, "models": `["a"]`, "transforms": `["middle-out"]`, "usage": `{"include":true}`,
			"search_parameters": `{}`, "enable_thinking": `true`, "anything_else": `1`,
		})
}

func TestEveryMemberOfAMessagesRequestIsSeen(t *testing.T) {
	t.Parallel()
	const base = `{"model":"m","max_tokens":5000,"messages":[{"role":"user","content":"x"}]}`
	tool := func(more string) string { return `[{"name":"f","input_schema":{"type":"object"}` + more + `}]` }
	dialecttest.Members(t, anthropic.Server{}, "/v1/messages", base, map[string]string{
		"cache_control": `{"type":"ephemeral"}`, "container": `"c"`, "context_management": `{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]}`,
		"inference_geo": `"us"`, "max_tokens": `7`, "mcp_servers": `[{"type":"url","url":"https://x.example","name":"m"}]`,
		"messages": `[{"role":"user","content":"y"}]`, "metadata": `{"user_id":"u"}`, "output_config": `{"effort":"low"}`,
		"output_format": `{"type":"json_schema","schema":{}}`, "service_tier": `"auto"`, "speed": `"fast"`, "stop_sequences": `["x"]`, "stream": `true`,
		"system": `"s"`, "temperature": `0.5`, "thinking": `{"type":"adaptive"}`, "tool_choice": `{"type":"none"}`, "tools": tool(""),
		"top_k": `3`, "top_p": `0.5`, "anything_else": `1`,
	})
	withTool := base[:len(base)-1] + `,"tools":` + tool("") + `}`
	for _, more := range []string{
		`,"defer_loading":true`, `,"strict":true`, `,"input_examples":[{}]`, `,"eager_input_streaming":true`, `,"cache_control":{"type":"ephemeral","ttl":"1h"}`,
		`,"allowed_callers":["direct","code_execution_20250825"]`, `,"allowed_callers":["code_execution_20250825"]`, `,"description":"d"`, `,"type":"bash_20250124"`,
	} {
		dialecttest.Members(t, anthropic.Server{}, "/v1/messages", withTool, map[string]string{"tools": tool(more)})
	}
}

func TestEveryModelOptionOfAIGNEIsSeen(t *testing.T) {
	t.Parallel()
	dialecttest.Members(t, aigne.RestServer{}, "/api/v2/chat/completions",
		`{"model":"a/m","messages":[{"role":"user","content":"x"}]}`, map[string]string{
			"temperature": `0.5`, "topP": `0.5`, "top_p": `0.5`, "frequencyPenalty": `0.5`, "presencePenalty": `0.5`, "maxTokens": `5`, "max_tokens": `5`,
			"tools": `[{"type":"function","function":{"name":"f"}}]`, "toolChoice": `"none"`, "responseFormat": `{"type":"json_object"}`,
			"parallelToolCalls": `false`, "modalities": `["audio"]`, "reasoningEffort": `"low"`, "reasoning_effort": `100`, "seed": `1`, "stop": `["x"]`,
			"user": `"u"`, "n": `2`, "logprobs": `true`, "topLogprobs": `2`, "logitBias": `{"1":2}`, "serviceTier": `"flex"`, "metadata": `{"a":"b"}`,
			"stream": `true`, "anythingElse": `1`,
		})
}
