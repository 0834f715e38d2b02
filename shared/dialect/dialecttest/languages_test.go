package dialecttest_test

import (
	"regexp"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/aigne"
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
	return dialecttest.Language{
		Client: responsesClient(), Server: responsesServer(), Path: "/v1/responses", Target: dialect.Target{MaxOutput: 4096},
		Can: dialecttest.Can{
			Developer: true, LateSystem: true, Turns: true, Blocks: true, Ordered: true, Refusals: true, Annotations: true,
			Media: []chat.Part{
				{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "iVBORw0KGgo=", Detail: "low"}},
				{Kind: chat.Image, Media: &chat.Media{URL: "https://x.example/a?b=1&c", Detail: "auto"}},
				pdf,
				{Kind: chat.File, Media: &chat.Media{FileID: "file-1"}},
				{Kind: chat.File, Media: &chat.Media{URL: "https://x.example/a.pdf"}},
			},
			Tools: true, StrictTools: true, ParallelOff: true, ParallelOn: true, ResultNames: true, ResultMedia: []chat.Part{pdf},
			Choices: []chat.ToolChoice{{Mode: "auto"}, {Mode: "none"}, {Mode: "required"}, {Mode: "tool"}},
			Signed:  []string{chat.SignedOpenAI}, PartIDs: true,
			Params: []string{"max_completion_tokens", "temperature", "top_p", "logprobs", "top_logprobs", "service_tier", "user", "metadata"},
			Formats: []chat.Format{
				{Kind: "json_object"},
				{Kind: "json_schema", Name: "n", Description: "d", Schema: schema, Strict: new(true)},
			},
			Reasons:  []chat.Reasoning{{Effort: "low"}, {Effort: "high", Summary: "auto"}},
			IDPrefix: "resp_", Logprobs: true,
			Finishes: []chat.Choice{
				{Finish: chat.FinishStop, Native: "completed"},
				{Finish: chat.FinishLength, Native: "max_output_tokens"},
				{Finish: chat.FinishContentFilter, Native: "content_filter"},
			},
			Called: chat.Choice{Finish: chat.FinishToolCalls, Native: "completed"},
			Usage:  []int{int(hub.Input), int(hub.CacheRead), int(hub.Output), int(hub.Reasoning)},
		},
		Request: func(r *chat.Request) {
			for i := range r.Tools {
				r.Tools[i].Strict = new(r.Tools[i].Strict != nil && *r.Tools[i].Strict)
			}
			for i := range r.Messages {
				withoutNewIDs(r.Messages[i].Parts)
			}
		},
		Response: func(res *chat.Response) {
			res.Created, res.ServiceTier = 0, "" // the hub's own time and the caller's wish
			for i := range res.Choices {
				ch := &res.Choices[i]
				withoutNewIDs(ch.Parts)
				if ch.Finish == chat.FinishContentFilter && chat.TextOf(ch.Parts, chat.Refusal) != "" {
					ch.Finish, ch.Native = chat.FinishStop, "completed" // a worded refusal is an answer
				}
			}
		},
	}
}

var generatedID = regexp.MustCompile(`^rs_[0-9]+$`)

// withoutNewIDs takes out the ids that items without one are given.
func withoutNewIDs(parts []chat.Part) {
	for i := range parts {
		if !generatedID.MatchString(parts[i].ID) {
			parts[i].ID = ""
		}
	}
}

// openAICompletions continues texts: it has no turns, and of answers the words
// and why they ended.
func openAICompletions() dialecttest.Language {
	return dialecttest.Language{
		Client: openai.CompletionsClient{}, Server: openai.CompletionsServer{}, Path: "/v1/completions", Target: dialect.Target{MaxOutput: 4096},
		Can: dialecttest.Can{
			Once: true, Unsigned: true, Words: true,
			Params:  []string{"max_completion_tokens", "temperature", "top_p", "frequency_penalty", "presence_penalty", "stop", "seed", "n", "logit_bias", "user"},
			Answers: 3, Created: true, IDPrefix: "cmpl-",
			Finishes: []chat.Choice{
				{Finish: chat.FinishStop, Native: "stop"},
				{Finish: chat.FinishLength, Native: "length"},
				{Finish: chat.FinishContentFilter, Native: "content_filter"},
			},
			Usage: []int{int(hub.Input), int(hub.CacheRead), int(hub.Output), int(hub.Reasoning)},
		},
		Request: func(r *chat.Request) {
			if r.MaxOutput == nil {
				r.MaxOutput = new(int64(16)) // is what the language means by saying nothing
			}
		},
	}
}

func google() dialecttest.Language {
	return dialecttest.Language{
		Client: gemini.Client{}, Server: gemini.Server{}, Below: "/v1beta", Target: dialect.Target{MaxOutput: 4096},
		Can: dialecttest.Can{
			Blocks: true, Ordered: true, Filters: true,
			Media: []chat.Part{
				png, {Kind: chat.Audio, Media: &chat.Media{MIME: "audio/wav", Data: "AAAA"}},
				{Kind: chat.File, Media: &chat.Media{MIME: "application/pdf", Data: "JVBERi0="}},
				{Kind: chat.File, Media: &chat.Media{MIME: "video/mp4", Data: "AAAA"}},
				{Kind: chat.File, Media: &chat.Media{MIME: "text/csv", FileID: "gs://bucket/a.csv"}},
			},
			Tools: true, BareTools: true, ResultNames: true, ResultErrors: true,
			Choices: []chat.ToolChoice{{Mode: "auto"}, {Mode: "none"}, {Mode: "required"}, {Mode: "tool"}},
			Signed:  []string{chat.SignedGoogle}, SignedCalls: true,
			Params: []string{
				"max_completion_tokens", "temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "stop", "seed", "n",
				"logprobs", "top_logprobs", "modalities",
			},
			Finishes: []chat.Choice{
				{Finish: chat.FinishStop, Native: "STOP"},
				{Finish: chat.FinishLength, Native: "MAX_TOKENS"},
				{Finish: chat.FinishContentFilter, Native: "SAFETY"},
			},
			Called:  chat.Choice{Finish: chat.FinishToolCalls, Native: "STOP"},
			Answers: 2, Annotations: true, Made: []chat.Part{png},
			Usage: []int{
				int(hub.Input), int(hub.CacheRead), int(hub.InputAudio), int(hub.InputImage),
				int(hub.Output), int(hub.Reasoning), int(hub.OutputAudio), int(hub.OutputImage),
			},
		},
	}
}

// aigneRest answers in OpenAI's form with members of its own.
func aigneRest() dialecttest.Language {
	return dialecttest.Language{
		Client: openai.Client{}, Server: aigne.RestServer{}, Path: "/api/v2/chat/completions",
		Can: dialecttest.Can{
			Refusals: true, Unsigned: true, Annotations: true, Tools: true, Thinking: true, SignedCalls: true,
			Answers: 3, Logprobs: true, Created: true, IDPrefix: "chatcmpl-", Made: []chat.Part{png},
			Finishes: []chat.Choice{
				{Finish: chat.FinishStop, Native: "stop"},
				{Finish: chat.FinishLength, Native: "length"},
				{Finish: chat.FinishContentFilter, Native: "content_filter"},
			},
			Called: chat.Choice{Finish: chat.FinishToolCalls, Native: "tool_calls"},
			Usage:  []int{int(hub.Input), int(hub.CacheRead), int(hub.Output), int(hub.Reasoning)},
		},
	}
}

// aigneProtocol tells an answer's words, thoughts, calls and files, and what it
// used.
func aigneProtocol() dialecttest.Language {
	return dialecttest.Language{
		Client: protocolReader{}, Server: aigne.Server{}, Path: "/api/v2/chat",
		Can: dialecttest.Can{
			NoFinish: true, Unsigned: true, Together: true, Tools: true, Thinking: true,
			Usage: []int{int(hub.Input), int(hub.CacheRead), int(hub.CacheWrite5m), int(hub.Output)},
		},
		Response: func(res *chat.Response) {
			res.ID, res.Model = "", ""
			for i := range res.Choices {
				ch := &res.Choices[i]
				ch.Finish, ch.Native = "", ""
				if len(ch.Parts) == 0 || chat.TextOf(ch.Parts, chat.Text) == "" {
					ch.Parts = slices.DeleteFunc(ch.Parts, func(p chat.Part) bool { return p.Kind == chat.Text })
				}
			}
		},
	}
}
