package dialecttest_test

import (
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/dialect/aigne"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
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

func TestEveryMemberOfAResponsesRequestIsSeen(t *testing.T) {
	t.Parallel()
	dialecttest.Members(t, responsesServer(), "/v1/responses", `{"model":"m","input":"x"}`, map[string]string{
		"background": `true`, "conversation": `"c"`, "include": `["message.output_text.logprobs"]`, "input": `"y"`, "instructions": `"s"`,
		"max_output_tokens": `5`, "max_tool_calls": `3`, "metadata": `{"a":"b"}`, "parallel_tool_calls": `false`, "previous_response_id": `"r"`,
		"prompt": `{"id":"p"}`, "prompt_cache_key": `"k"`, "prompt_cache_retention": `"24h"`, "reasoning": `{"effort":"low"}`, "safety_identifier": `"s"`,
		"service_tier": `"flex"`, "stream": `true`, "temperature": `0.5`, "text": `{"format":{"type":"json_object"}}`, "tool_choice": `"none"`,
		"tools": `[{"type":"function","name":"f"}]`, "top_logprobs": `2`, "top_p": `0.5`, "truncation": `"auto"`, "user": `"u"`, "anything_else": `1`,
		"context_management": `[{"type":"compaction"}]`, "frequency_penalty": `0.5`, "presence_penalty": `0.5`,
	})
	for _, tool := range []string{
		`{"type":"web_search"}`, `{"type":"file_search","vector_store_ids":["v"]}`, `{"type":"code_interpreter","container":{"type":"auto"}}`,
		`{"type":"mcp","server_label":"s","server_url":"https://x.example"}`, `{"type":"image_generation"}`, `{"type":"local_shell"}`,
		`{"type":"custom","name":"g"}`, `{"type":"namespace","name":"n","tools":[{"type":"function","name":"f"}]}`,
	} {
		dialecttest.Members(t, responsesServer(), "/v1/responses", `{"model":"m","input":"x"}`, map[string]string{"tools": "[" + tool + "]"})
	}
}

func TestEveryMemberOfACompletionIsSeen(t *testing.T) {
	t.Parallel()
	dialecttest.Members(t, openai.CompletionsServer{}, "/v1/completions", `{"model":"m","prompt":"x"}`, map[string]string{
		"best_of": `2`, "echo": `true`, "frequency_penalty": `0.5`, "logit_bias": `{"1":2}`, "logprobs": `2`, "max_tokens": `5`, "n": `2`,
		"presence_penalty": `0.5`, "prompt": `"y"`, "seed": `1`, "stop": `"x"`, "stream": `true`, "suffix": `"s"`, "temperature": `0.5`,
		"top_p": `0.5`, "user": `"u"`, "anything_else": `1`, "tools": `[{"type":"function","function":{"name":"f"}}]`,
	})
}

func TestEveryMemberOfAGenerateContentRequestIsSeen(t *testing.T) {
	t.Parallel()
	const path, base = "/v1beta/models/m:generateContent", `{"contents":[{"parts":[{"text":"x"}]}]}`
	members := map[string]string{
		"contents": `[{"parts":[{"text":"y"}]}]`, "systemInstruction": `{"parts":[{"text":"s"}]}`, "cachedContent": `"cachedContents/c"`,
		"safetySettings": `[{"category":"HARM_CATEGORY_HARASSMENT","threshold":"BLOCK_LOW_AND_ABOVE"}]`, "labels": `{"a":"b"}`, "serviceTier": `"flex"`,
		"tools": `[{"functionDeclarations":[{"name":"f"}]}]`, "anythingElse": `1`, "store": `true`,
	}
	for name, value := range map[string]string{
		"candidateCount": `2`, "maxOutputTokens": `5`, "temperature": `0.5`, "topP": `0.5`, "topK": `3`, "seed": `1`, "presencePenalty": `0.5`,
		"frequencyPenalty": `0.5`, "stopSequences": `["x"]`, "responseLogprobs": `true`, "logprobs": `2`, "responseMimeType": `"application/json"`,
		"responseModalities": `["IMAGE"]`, "thinkingConfig": `{"thinkingBudget":2000}`, "speechConfig": `{"voiceConfig":{}}`,
		"mediaResolution": `"MEDIA_RESOLUTION_LOW"`, "enableEnhancedCivicAnswers": `true`, "imageConfig": `{"aspectRatio":"16:9"}`,
	} {
		dialecttest.Members(t, gemini.Server{}, path, base, map[string]string{"generationConfig": `{"` + name + `":` + value + `}`})
	}
	for _, tool := range []string{`googleSearch`, `codeExecution`, `urlContext`, `googleMaps`, `fileSearch`, `computerUse`, `somethingNew`} {
		dialecttest.Members(t, gemini.Server{}, path, base, map[string]string{"tools": `[{"` + tool + `":{}}]`})
	}
	dialecttest.Members(t, gemini.Server{}, path, base, members)
}
