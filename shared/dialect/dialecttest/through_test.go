package dialecttest_test

import (
	"bytes"
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
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// protocolReader reads the AIGNE protocol as its own clients do: words are
// appended, everything else replaces what came before. No provider speaks it.
type protocolReader struct{ openai.Client }

// Encode is only asked for the smallest request.
func (protocolReader) Encode(_ *chat.Request, t dialect.Target) (dialect.Encoded, error) {
	return dialect.Encoded{Body: []byte(`{"input":{"messages":[{"role":"user","content":"x"}],"modelOptions":{"model":"` + t.Model + `"}},"options":{"streaming":true}}`)}, nil
}

type protocolAnswer struct {
	Text, Thoughts string
	ToolCalls      []struct {
		ID       string
		Function struct {
			Name      string
			Arguments json.RawMessage
		}
	}
	Usage *struct {
		InputTokens, OutputTokens, CacheReadInputTokens, CacheCreationInputTokens int64
	}
}

func (a *protocolAnswer) response() *chat.Response {
	res := &chat.Response{Choices: []chat.Choice{{}}}
	ch := &res.Choices[0]
	if a.Thoughts != "" {
		ch.Parts = append(ch.Parts, chat.Part{Kind: chat.Thinking, Text: a.Thoughts})
	}
	ch.Parts = append(ch.Parts, chat.Part{Kind: chat.Text, Text: a.Text})
	for _, c := range a.ToolCalls {
		ch.Parts = append(ch.Parts, chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: c.ID, Name: c.Function.Name, Arguments: string(c.Function.Arguments)}})
	}
	if u := a.Usage; u != nil {
		res.UsageKnown = true
		res.Usage = hub.Usage{hub.Input: u.InputTokens, hub.CacheRead: u.CacheReadInputTokens, hub.CacheWrite5m: u.CacheCreationInputTokens, hub.Output: u.OutputTokens}
	}
	return res
}

func (protocolReader) Decode(body []byte, _ dialect.Quirks) (*chat.Response, error) {
	var a protocolAnswer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, err
	}
	return a.response(), nil
}

func (protocolReader) Decoder(dialect.Quirks) dialect.Decoder { return &protocolStream{} }

// protocolStream gives all it read as events of the last frame.
type protocolStream struct {
	sum protocolAnswer
	end bool
}

func (d *protocolStream) End() bool { return d.end }

func (d *protocolStream) Frame(frame []byte) ([]chat.Event, error) {
	_, data := wire.Data(frame)
	var in struct {
		Delta struct {
			Text struct{ Text, Thoughts string }
			JSON json.RawMessage
		}
	}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, err
	}
	d.sum.Text += in.Delta.Text.Text
	d.sum.Thoughts += in.Delta.Text.Thoughts
	if in.Delta.JSON == nil {
		return nil, nil
	}
	if err := json.Unmarshal(in.Delta.JSON, &d.sum); err != nil {
		return nil, err
	}
	if !bytes.Contains(in.Delta.JSON, []byte(`"usage"`)) {
		return nil, nil
	}
	d.end = true
	res := d.sum.response()
	return dialecttest.NewGenerator(dialecttest.Can{}, 1).Events(res), nil
}

func quirksOf(provider string) dialect.Quirks {
	return dialect.Quirks{ReasoningExtra: provider == "xai"}
}

// providers are the languages of the recordings.
func providers() map[string]dialect.Client {
	return map[string]dialect.Client{
		"openai-chat": openai.Client{}, "openai-responses": responsesClient(), "anthropic": anthropic.Client{},
		"gemini": gemini.Client{}, "bedrock": bedrock.Client{},
	}
}

func TestRecordedAnswersSayTheSameInEveryLanguage(t *testing.T) {
	t.Parallel()
	languages := map[string]dialecttest.Language{
		"openai": openAIChat(), "responses": openAIResponses(), "completions": openAICompletions(), "anthropic": claude(),
		"gemini": google(), "aigne": aigneProtocol(), "aigne-rest": aigneRest(),
	}
	for name, to := range languages {
		for api, from := range providers() {
			t.Run(api+" to "+name, func(t *testing.T) {
				t.Parallel()
				dialecttest.Through(t, from, api, quirksOf, to)
			})
		}
	}
}
