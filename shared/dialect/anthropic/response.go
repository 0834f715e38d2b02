package anthropic

import (
	"encoding/json"
	"net/http"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// answerIn is a whole answer of a provider.
type answerIn struct {
	Type         string            `json:"type"`
	ID           string            `json:"id"`
	Model        string            `json:"model"`
	Content      []json.RawMessage `json:"content"`
	StopReason   *string           `json:"stop_reason"`
	StopSequence *string           `json:"stop_sequence"`
	Usage        json.RawMessage   `json:"usage"`
}

func readAnswer(body []byte) (*answerIn, error) {
	var a answerIn
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, badAnswer(err)
	}
	if a.Type == "error" {
		return nil, streamError(body)
	}
	if a.Type != "message" && a.Content == nil && a.StopReason == nil {
		return nil, badAnswer(nil)
	}
	return &a, nil
}

// badAnswer says that a provider's bytes make no sense; another may do better.
func badAnswer(cause error) *hub.Error {
	return &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Status: http.StatusBadGateway, Cause: cause,
		Message: "The provider's answer could not be read. Try again."}
}

// Decode reads a whole answer. Blocks that belong to Anthropic's own tools are
// passed over: a translated request cannot have asked for them by accident.
func (Client) Decode(body []byte, _ dialect.Quirks) (*chat.Response, error) {
	a, err := readAnswer(body)
	if err != nil {
		return nil, err
	}
	res := &chat.Response{ID: a.ID, Model: a.Model, ServiceTier: tierIn(wire.Text(wire.Member(a.Usage, "service_tier")))}
	ch := chat.Choice{}
	called, formatted := false, false
	said := int64(0) // characters of text so far
	for _, raw := range a.Content {
		var b blockIn
		if err := json.Unmarshal(raw, &b); err != nil {
			return nil, badAnswer(err)
		}
		switch b.Type {
		case "text":
			if b.Text != nil {
				said += int64(utf8.RuneCountInString(*b.Text))
				cited := annotations(list(b.Citations), *b.Text, said)
				ch.Parts = addText(ch.Parts, chat.Part{Kind: chat.Text, Text: *b.Text, Annotations: cited})
			}
		case "thinking":
			ch.Parts = append(ch.Parts, signed(chat.Part{Kind: chat.Thinking, Text: b.Thinking}, b.Signature))
		case "redacted_thinking":
			ch.Parts = append(ch.Parts, signed(chat.Part{Kind: chat.RedactedThinking}, b.Data))
		case "tool_use":
			args := string(b.Input)
			if args == "" || args == "null" {
				args = "{}"
			}
			if b.Name == formatTool {
				formatted = true
				ch.Parts = append(ch.Parts, chat.Part{Kind: chat.Text, Text: args})
				continue
			}
			called = true
			ch.Parts = append(ch.Parts, chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: b.ID, Name: b.Name, Arguments: args}})
		}
	}
	ch.Parts = callSignatures(ch.Parts)
	if a.StopReason != nil {
		ch.Native = *a.StopReason
	}
	ch.Finish = answerFinish(ch.Native, called, formatted)
	if a.StopSequence != nil {
		ch.StopSequence = *a.StopSequence
	}
	var t tally
	t.add(a.Usage, true)
	res.Choices, res.Usage, res.UsageKnown = []chat.Choice{ch}, t.usage(), t.final
	return res, nil
}

// list reads a JSON array, nil where there is none.
func list(raw json.RawMessage) []json.RawMessage {
	var out []json.RawMessage
	_ = json.Unmarshal(raw, &out) // anything else is no list
	return out
}

// addText joins a text with the one before it: citations cut one answer into
// many blocks, and streams are told without the cuts too.
func addText(parts []chat.Part, p chat.Part) []chat.Part {
	n := len(parts)
	if n == 0 || parts[n-1].Kind != chat.Text {
		return append(parts, p)
	}
	parts[n-1].Text += p.Text
	parts[n-1].Annotations = chat.JoinArrays(parts[n-1].Annotations, p.Annotations)
	return parts
}

// signed gives a part of an answer its signature. A provider that is a hub
// itself seals those of other vendors.
func signed(p chat.Part, signature string) chat.Part {
	unseal(&p, signature)
	return p
}

// answerFinish hides that a structured answer came by a tool.
func answerFinish(native string, called, formatted bool) chat.Finish {
	f := finishOf(native)
	if f == chat.FinishToolCalls && formatted && !called {
		return chat.FinishStop
	}
	return f
}

func tierIn(tier string) string {
	if tier == "standard" {
		return "default"
	}
	return tier
}
