package dialecttest_test

import (
	"encoding/json"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
	"github.com/aigne-hub/aigne-hub/shared/dialect/responses"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func responsesClient() responses.Client { return responses.NewClient(openai.Client{}.Fault) }

func responsesServer() responses.Server {
	return responses.NewServer(func() time.Time { return time.Unix(1767225600, 0) }, openai.Server{}.Error)
}

func openAIResponses() dialecttest.Language {
	every := []string{chat.SignedAnthropic, chat.SignedGoogle, chat.SignedOpenAI, chat.SignedXAI}
	return dialecttest.Language{
		Client: responsesClient(), Server: responsesServer(), Path: "/v1/responses", Target: dialect.Target{MaxOutput: 4096},
		Can: dialecttest.Can{
			Developer: true, LateSystem: true, Names: false, Ordered: true, Refusals: true, Annotations: true,
			Tools: true, StrictTools: true, ParallelOff: true, ParallelOn: true, ResultNames: true,
			Choices: []chat.ToolChoice{{Mode: "auto"}, {Mode: "none"}, {Mode: "required"}, {Mode: "tool"}},
			Signed:  []string{chat.SignedOpenAI}, PartIDs: true,
			Params:  []string{"max_completion_tokens", "temperature", "top_p", "service_tier", "user", "metadata"},
			Answers: 1, Created: true, IDPrefix: "resp_",
			Finishes: []chat.Choice{
				{Finish: chat.FinishStop, Native: "completed"},
				{Finish: chat.FinishLength, Native: "max_output_tokens"},
				{Finish: chat.FinishContentFilter, Native: "content_filter"},
			},
			Called: chat.Choice{Finish: chat.FinishToolCalls, Native: "completed"},
			Usage:  []int{int(hub.Input), int(hub.CacheRead), int(hub.Output), int(hub.Reasoning)},
			Formats: []chat.Format{
				{Kind: "json_object"},
				{Kind: "json_schema", Name: "n", Description: "d", Schema: schema, Strict: new(true)},
			},
			Reasons: []chat.Reasoning{{Effort: "low"}, {Effort: "high", Summary: "auto"}},
			Sealed:  every[:0],
		},
	}
}

// openAICompletions continues texts: it has no turns, and of answers the words
// and why they ended.
func openAICompletions() dialecttest.Language {
	return dialecttest.Language{
		Client: openai.CompletionsClient{}, Server: openai.CompletionsServer{}, Path: "/v1/completions", Target: dialect.Target{MaxOutput: 4096},
		Can: dialecttest.Can{Unsigned: true, Words: true},
	}
}

func google() dialecttest.Language {
	return dialecttest.Language{
		Client: gemini.Client{}, Server: gemini.Server{}, Path: "/v1beta/models/vendor/model:streamGenerateContent?alt=sse",
		Target: dialect.Target{MaxOutput: 4096},
		Can: dialecttest.Can{
			Blocks: true, Ordered: true, Filters: true,
			Media: []chat.Part{png, {Kind: chat.Audio, Media: &chat.Media{MIME: "audio/wav", Data: "AAAA"}}},
			Tools: true, ResultNames: true, ResultErrors: true,
			Choices: []chat.ToolChoice{{Mode: "auto"}, {Mode: "none"}, {Mode: "required"}, {Mode: "tool"}},
			Signed:  []string{chat.SignedGoogle}, SignedCalls: true,
			Params: []string{"max_completion_tokens", "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "stop", "seed", "n", "logprobs", "top_logprobs"},
			Finishes: []chat.Choice{
				{Finish: chat.FinishStop, Native: "STOP"},
				{Finish: chat.FinishLength, Native: "MAX_TOKENS"},
				{Finish: chat.FinishContentFilter, Native: "SAFETY"},
			},
			Called:  chat.Choice{Finish: chat.FinishToolCalls, Native: "STOP"},
			Answers: 2, Annotations: true, Logprobs: true, Made: []chat.Part{png},
			Usage:   []int{int(hub.Input), int(hub.CacheRead), int(hub.InputAudio), int(hub.InputImage), int(hub.Output), int(hub.Reasoning), int(hub.OutputAudio), int(hub.OutputImage)},
			Formats: []chat.Format{{Kind: "json_object"}},
		},
	}
}

var _ = json.RawMessage(nil)
