package dialecttest_test

import (
	"encoding/json"
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/bedrock"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const seeds = 800

var (
	png     = chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "iVBORw0KGgo="}}
	picture = chat.Part{Kind: chat.Image, Media: &chat.Media{URL: "https://x.example/a?b=1&c"}}
	pdf     = chat.Part{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "JVBERi0=", Filename: "a.pdf"}}
	schema  = json.RawMessage(`{"type":"object","properties":{"x":{"type":"string"}}}`)
)

// openAIChat is the language as OpenRouter speaks it, which has all of it.
func openAIChat() dialecttest.Language {
	return dialecttest.Language{
		Client: openai.Client{}, Server: openai.Server{}, Path: "/v1/chat/completions",
		Target: dialect.Target{MaxOutput: 4096, Quirks: dialect.Quirks{ReasoningField: "reasoning", ReasoningDetails: true}},
		Can: dialecttest.Can{
			Developer: true, LateSystem: true, Names: true, Turns: true, Refusals: true, Annotations: true,
			Media: []chat.Part{
				png, picture, pdf,
				{Kind: chat.Image, Media: &chat.Media{MIME: "image/jpeg", Data: "AAAA", Detail: "high"}},
				{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/mpeg", Data: "BBBB"}},
				{Kind: chat.File, Media: &chat.Media{FileID: "file-1", Filename: "b.pdf"}},
			},
			Tools: true, BareTools: true, StrictTools: true, ParallelOff: true, ParallelOn: true, ResultNames: true,
			Choices:  []chat.ToolChoice{{Mode: "auto"}, {Mode: "none"}, {Mode: "required"}, {Mode: "tool"}},
			Thinking: true, PartIDs: true, SignedCalls: true,
			Signed: []string{chat.SignedAnthropic, chat.SignedGoogle, chat.SignedOpenAI, chat.SignedXAI},
			Sealed: []string{chat.SignedAnthropic, chat.SignedGoogle, chat.SignedOpenAI, chat.SignedXAI},
			Params: []string{
				"max_completion_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "stop", "seed", "n",
				"logprobs", "top_logprobs", "logit_bias", "service_tier", "user", "metadata", "modalities",
			},
			Formats: []chat.Format{
				{Kind: "text"},
				{Kind: "json_object"},
				{Kind: "json_schema", Name: "n", Description: "d", Schema: schema, Strict: new(true)},
				{Kind: "json_schema", Name: "n"},
			},
			Reasons: []chat.Reasoning{{Effort: "minimal"}, {Effort: "low"}, {Effort: "none"}},
			Answers: 3, Logprobs: true, Created: true, IDPrefix: "chatcmpl-",
			Made: []chat.Part{
				png,
				{Kind: chat.Image, Media: &chat.Media{URL: "https://x.example/made.png"}},
			},
			Finishes: []chat.Choice{
				{Finish: chat.FinishStop, Native: "stop"},
				{Finish: chat.FinishLength, Native: "length"},
				{Finish: chat.FinishContentFilter, Native: "content_filter"},
			},
			Called: chat.Choice{Finish: chat.FinishToolCalls, Native: "tool_calls"},
			Usage: []int{
				int(hub.Input), int(hub.CacheRead), int(hub.CacheWrite5m), int(hub.InputAudio), int(hub.InputImage),
				int(hub.Output), int(hub.Reasoning), int(hub.OutputAudio), int(hub.OutputImage), int(hub.WebSearches),
			},
		},
	}
}

func claude() dialecttest.Language {
	return dialecttest.Language{
		Client: anthropic.Client{}, Server: anthropic.Server{}, Path: "/v1/messages",
		Target: dialect.Target{MaxOutput: 4096},
		Can: dialecttest.Can{
			Blocks: true, Ordered: true,
			Media: []chat.Part{
				png, picture, pdf,
				{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", URL: "https://x.example/a.pdf"}},
				{Kind: chat.File, Media: &chat.Media{MIME: "text/plain", Data: "aGk="}},
				{Kind: chat.Image, Media: &chat.Media{FileID: "file_1"}},
				{Kind: chat.Raw, RawType: "search_result", RawJSON: json.RawMessage(`{"type":"search_result","source":"s"}`)},
			},
			Tools: true, ParallelOff: true, ResultErrors: true, ResultMedia: []chat.Part{png, pdf},
			Choices: []chat.ToolChoice{{Mode: "auto"}, {Mode: "none"}, {Mode: "required"}, {Mode: "tool"}},
			Signed:  []string{chat.SignedAnthropic}, Sealed: []string{chat.SignedAnthropic},
			Cache: 4, CachedResult: true,
			Params:   []string{"max_completion_tokens", "temperature", "top_k", "stop", "service_tier", "user"},
			IDPrefix: "msg_",
			Finishes: []chat.Choice{
				{Finish: chat.FinishStop, Native: "end_turn"},
				{Finish: chat.FinishLength, Native: "max_tokens"},
				{Finish: chat.FinishContentFilter, Native: "refusal"},
				{Finish: chat.FinishStop, Native: "stop_sequence", StopSequence: "END"},
			},
			Called: chat.Choice{Finish: chat.FinishToolCalls, Native: "tool_use"},
			Usage: []int{
				int(hub.Input), int(hub.CacheRead), int(hub.CacheWrite5m), int(hub.CacheWrite1h), int(hub.Output), int(hub.Reasoning), int(hub.WebSearches),
			},
		},
		Request: func(r *chat.Request) {
			if r.MaxOutput == nil { // the language demands one
				r.MaxOutput = new(int64(4096))
			}
			if r.ParallelToolCalls != nil && r.ToolChoice == nil { // and says this only with a choice
				r.ToolChoice = &chat.ToolChoice{Mode: "auto"}
			}
		},
	}
}

func TestOpenAIChatKeepsWhatItCanSay(t *testing.T) {
	t.Parallel()
	openAIChat().Run(t, seeds)
}

func TestResponsesKeepsWhatItCanSay(t *testing.T) {
	t.Parallel()
	openAIResponses().Run(t, seeds)
}

func TestSealsOfOtherVendorsComeBackInAnswers(t *testing.T) {
	t.Parallel()
	for name, l := range map[string]dialecttest.Language{"anthropic": claude(), "responses": openAIResponses(), "gemini": google()} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l.Can.Signed = []string{chat.SignedAnthropic, chat.SignedGoogle, chat.SignedOpenAI, chat.SignedXAI}
			l.Can.Sealed, l.Can.SignedCalls = l.Can.Signed, true
			l.Can.PartIDs = true
			l.Responses(t, seeds)
		})
	}
}

func TestGeminiKeepsWhatItCanSay(t *testing.T) {
	t.Parallel()
	google().Run(t, seeds)
}

func TestCompletionsKeepsWhatItCanSay(t *testing.T) {
	t.Parallel()
	openAICompletions().Run(t, seeds)
}

func TestAIGNEKeepsWhatItCanSay(t *testing.T) {
	t.Parallel()
	t.Run("protocol", func(t *testing.T) {
		t.Parallel()
		aigneProtocol().Responses(t, seeds)
	})
	t.Run("rest", func(t *testing.T) {
		t.Parallel()
		aigneRest().Responses(t, seeds)
	})
}

func TestAnthropicKeepsWhatItCanSay(t *testing.T) {
	t.Parallel()
	claude().Run(t, seeds)
}

// models have all kinds of thinking, caches and formats that client sides tell
// apart by a model's name.
var models = []string{
	"", "claude-3-7-sonnet", "claude-opus-4-8", "openai/gpt-x", "gemini-2.5-flash", "gemini-2.5-pro", "gemini-3-pro",
	"us.anthropic.claude-3-7-sonnet-20250219-v1:0", "us.anthropic.claude-opus-4-8-v1:0", "us.amazon.nova-2-lite-v1:0",
	"amazon.nova-pro-v1:0", "openai.gpt-oss-120b-1:0", "meta.llama3-70b-instruct-v1:0",
}

func TestNoParameterVanishesWhateverTheVendorsQuirks(t *testing.T) {
	t.Parallel()
	all := []string{"temperature", "top_p", "stop", "seed", "user", "metadata", "service_tier", "response_format", "tool_choice", "store", "prompt_cache_key"}
	for name, c := range map[string]dialect.Client{
		"openai": openai.Client{}, "responses": responsesClient(), "completions": openai.CompletionsClient{},
		"anthropic": anthropic.Client{}, "gemini": gemini.Client{}, "bedrock": bedrock.Client{},
	} {
		for quirk, q := range map[string]dialect.Quirks{
			"none": {}, "refuses": {Refuses: all}, "ignores": {Ignores: all},
			"old": {MaxTokensField: "max_tokens", NoDeveloper: true, NoJSONSchema: true, NoStrictTools: true, NoStreamUsage: true},
		} {
			for _, model := range models {
				t.Run(name+"/"+quirk+"/"+model, func(t *testing.T) {
					t.Parallel()
					dialecttest.Fates(t, c, dialect.Target{Model: model, Quirks: q})
				})
			}
		}
	}
}
