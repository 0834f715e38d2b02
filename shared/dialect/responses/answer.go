package responses

import (
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// responseOut is an answer as callers read it. The parameters of the request
// are repeated in it, as OpenAI does.
type responseOut struct {
	ID         string          `json:"id"`
	Object     string          `json:"object"`
	Created    int64           `json:"created_at"`
	Status     string          `json:"status"`
	Background bool            `json:"background"`
	Completed  *int64          `json:"completed_at"`
	Error      *errorOut       `json:"error"`
	Incomplete *incompleteOut  `json:"incomplete_details"`
	Model      string          `json:"model"`
	Output     []*itemOut      `json:"output"`
	Usage      *usageOut       `json:"usage"`
	Store      bool            `json:"store"`
	Previous   json.RawMessage `json:"previous_response_id"`
	Tier       json.RawMessage `json:"service_tier"`
	echo
}

// echo is what an answer repeats of its request.
type echo struct {
	Instructions json.RawMessage `json:"instructions"`
	MaxOutput    json.RawMessage `json:"max_output_tokens"`
	MaxToolCalls json.RawMessage `json:"max_tool_calls"`
	Metadata     json.RawMessage `json:"metadata"`
	Parallel     json.RawMessage `json:"parallel_tool_calls"`
	CacheKey     json.RawMessage `json:"prompt_cache_key"`
	Reasoning    json.RawMessage `json:"reasoning"`
	Safety       json.RawMessage `json:"safety_identifier"`
	Temperature  json.RawMessage `json:"temperature"`
	Text         json.RawMessage `json:"text"`
	ToolChoice   json.RawMessage `json:"tool_choice"`
	Tools        json.RawMessage `json:"tools"`
	TopLogprobs  json.RawMessage `json:"top_logprobs"`
	TopP         json.RawMessage `json:"top_p"`
	Truncation   json.RawMessage `json:"truncation"`
	User         json.RawMessage `json:"user"`
}

type errorOut struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type incompleteOut struct {
	Reason string `json:"reason"`
}

// itemOut is an output item of any type.
type itemOut struct {
	ID        string      `json:"id"`
	Type      string      `json:"type"`
	Status    string      `json:"status,omitempty"`
	Role      string      `json:"role,omitempty"`
	Content   *[]*partOut `json:"content,omitempty"`
	Summary   *[]*partOut `json:"summary,omitempty"`
	Encrypted string      `json:"encrypted_content,omitempty"`
	CallID    string      `json:"call_id,omitempty"`
	Namespace string      `json:"namespace,omitempty"`
	Name      string      `json:"name,omitempty"`
	Arguments *string     `json:"arguments,omitempty"`
	Input     *string     `json:"input,omitempty"`
	Result    string      `json:"result,omitempty"`
}

// partOut is a piece of a message or of a summary.
type partOut struct {
	Type        string             `json:"type"`
	Text        *string            `json:"text,omitempty"`
	Refusal     *string            `json:"refusal,omitempty"`
	Annotations *[]json.RawMessage `json:"annotations,omitempty"`
	Logprobs    *[]json.RawMessage `json:"logprobs,omitempty"`
}

func textPart(text string) *partOut {
	return &partOut{Type: "output_text", Text: &text, Annotations: &[]json.RawMessage{}, Logprobs: &[]json.RawMessage{}}
}

// head makes an answer with all that is known before it has begun.
func (s Server) head(v *dialect.View) responseOut {
	get := func(name, fallback string) json.RawMessage {
		if raw, ok := v.Object.Get(name); ok && !absent(raw) {
			return raw
		}
		return json.RawMessage(fallback)
	}
	out := responseOut{
		ID: newID("resp_"), Object: "response", Created: s.now().Unix(), Status: "in_progress", Model: v.Model, Output: []*itemOut{},
		Store: string(get("store", "true")) != "false", Previous: get("previous_response_id", "null"), Tier: get("service_tier", `"auto"`),
		echo: echo{
			Instructions: get("instructions", "null"), MaxOutput: get("max_output_tokens", "null"), MaxToolCalls: get("max_tool_calls", "null"),
			Metadata: get("metadata", "{}"), Parallel: get("parallel_tool_calls", "true"), CacheKey: get("prompt_cache_key", "null"),
			Reasoning: get("reasoning", `{"effort":null,"summary":null}`), Safety: get("safety_identifier", "null"),
			Temperature: get("temperature", "1"), Text: get("text", `{"format":{"type":"text"}}`), ToolChoice: get("tool_choice", `"auto"`),
			Tools: get("tools", "[]"), TopLogprobs: get("top_logprobs", "0"), TopP: get("top_p", "1"),
			Truncation: get("truncation", `"disabled"`), User: get("user", "null"),
		},
	}
	if v.Previous != "" {
		out.Previous = quote(v.Previous)
	}
	return out
}

// Whole encodes a complete answer. Of several choices the first is told: the
// language has only one.
func (s Server) Whole(v *dialect.View, res *chat.Response, c dialect.Closing) ([]byte, error) {
	e := s.encoder(v)
	e.Event(nil, chat.Event{Kind: chat.EventStart, ID: res.ID, Model: res.Model, Created: res.Created})
	if res.ServiceTier != "" {
		e.out.Tier = quote(res.ServiceTier)
	}
	if len(res.Choices) > 0 {
		for _, ev := range eventsOf(&res.Choices[0]) {
			e.Event(nil, ev)
		}
	}
	if c.Usage.IsZero() && res.UsageKnown {
		c.Usage = res.Usage
	}
	return e.Response(c), nil
}

// eventsOf tells a choice as a stream would, so that whole and streamed answers
// are made by the same hands.
func eventsOf(ch *chat.Choice) []chat.Event {
	var evs []chat.Event
	calls, thoughts := 0, 0
	for _, p := range ch.Parts {
		switch p.Kind {
		case chat.Text:
			evs = append(evs, chat.Event{Kind: chat.EventText, Text: p.Text})
		case chat.Refusal:
			evs = append(evs, chat.Event{Kind: chat.EventRefusal, Text: p.Text})
		case chat.Thinking:
			evs = append(evs, chat.Event{Kind: chat.EventThinking, Index: thoughts, Text: p.Text, ItemID: p.ID})
			if p.Signature != "" {
				evs = append(evs, chat.Event{Kind: chat.EventSignature, Index: thoughts, Text: p.Signature, SignedBy: p.SignedBy})
			}
			thoughts++
		case chat.RedactedThinking:
			evs = append(evs, chat.Event{Kind: chat.EventRedacted, Index: thoughts, Text: p.Signature, SignedBy: p.SignedBy, ItemID: p.ID})
			thoughts++
		case chat.ToolCallPart:
			evs = append(evs,
				chat.Event{Kind: chat.EventToolCall, Index: calls, ID: p.ToolCall.ID, Name: p.ToolCall.Name},
				chat.Event{Kind: chat.EventToolArgs, Index: calls, Text: p.ToolCall.Arguments})
			if p.Signature != "" {
				evs = append(evs, chat.Event{Kind: chat.EventSignature, Tool: true, Index: calls, Text: p.Signature, SignedBy: p.SignedBy})
			}
			calls++
		case chat.Image, chat.Audio:
			evs = append(evs, chat.Event{Kind: chat.EventMedia, Media: p.Media})
		}
		if p.Annotations != nil {
			evs = append(evs, chat.Event{Kind: chat.EventAnnotation, Raw: p.Annotations})
		}
	}
	if ch.Logprobs != nil {
		evs = append(evs, chat.Event{Kind: chat.EventLogprobs, Raw: ch.Logprobs})
	}
	return append(evs, chat.Event{Kind: chat.EventFinish, Finish: ch.Finish, Native: ch.Native})
}

// settle writes why the answer ended, and what was used.
func (o *responseOut) settle(f chat.Finish, u hub.Usage, now int64) {
	o.Usage = usageFor(u)
	switch f {
	case chat.FinishLength:
		o.Status, o.Incomplete = "incomplete", &incompleteOut{"max_output_tokens"}
	case chat.FinishContentFilter:
		// A refusal that the model worded is an answer; a filter that cut it is not.
		o.Status, o.Incomplete = "incomplete", &incompleteOut{"content_filter"}
		for _, it := range o.Output {
			if it.refuses() {
				o.Status, o.Incomplete = "completed", nil
			}
		}
	default:
		o.Status = "completed"
	}
	if o.Status == "completed" && o.Completed == nil {
		o.Completed = &now
	}
}

// mediaText tells a picture without data, or a sound, as a link: messages of
// this language hold neither.
func mediaText(m *chat.Media) string {
	link := m.URL
	if m.Data != "" {
		link = "data:" + m.MIME + ";base64," + m.Data
	}
	if strings.HasPrefix(m.MIME, "audio/") {
		return "[audio](" + link + ")"
	}
	return "![image](" + link + ")"
}
