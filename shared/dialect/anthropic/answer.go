package anthropic

import (
	"bytes"
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// usageOut is usage in this language's meaning: input_tokens leaves out what
// was read from or written to a cache, output_tokens contains thinking.
type usageOut struct {
	Input         int64          `json:"input_tokens"`
	CacheWrite    int64          `json:"cache_creation_input_tokens"`
	CacheRead     int64          `json:"cache_read_input_tokens"`
	CacheCreation *cacheSplit    `json:"cache_creation,omitempty"`
	Output        int64          `json:"output_tokens"`
	Details       *outputDetails `json:"output_tokens_details,omitempty"`
	ServerTools   *serverToolUse `json:"server_tool_use,omitempty"`
	Tier          string         `json:"service_tier,omitempty"`
}

type cacheSplit struct {
	FiveMinutes int64 `json:"ephemeral_5m_input_tokens"`
	OneHour     int64 `json:"ephemeral_1h_input_tokens"`
}

type outputDetails struct {
	Thinking int64 `json:"thinking_tokens"`
}

type serverToolUse struct {
	WebSearches int64 `json:"web_search_requests"`
}

func usageFor(u hub.Usage) usageOut {
	writes := u[hub.CacheWrite5m] + u[hub.CacheWrite1h]
	out := usageOut{
		Input:      u.Prompt() - u[hub.CacheRead] - writes,
		CacheWrite: writes,
		CacheRead:  u[hub.CacheRead],
		Output:     u.Completion(),
	}
	if writes > 0 {
		out.CacheCreation = &cacheSplit{u[hub.CacheWrite5m], u[hub.CacheWrite1h]}
	}
	if u[hub.Reasoning] > 0 {
		out.Details = &outputDetails{u[hub.Reasoning]}
	}
	if u[hub.WebSearches] > 0 {
		out.ServerTools = &serverToolUse{u[hub.WebSearches]}
	}
	return out
}

// message is a whole answer, and the head of a streamed one.
type message struct {
	ID           string   `json:"id"`
	Type         string   `json:"type"`
	Role         string   `json:"role"`
	Model        string   `json:"model"`
	Content      []block  `json:"content"`
	StopReason   *string  `json:"stop_reason"`
	StopSequence *string  `json:"stop_sequence"`
	Usage        usageOut `json:"usage"`
}

// block is a content block of an answer or of a translated request.
type block struct {
	Type      string          `json:"type"`
	Text      *string         `json:"text,omitempty"`
	Thinking  *string         `json:"thinking,omitempty"`
	Signature *string         `json:"signature,omitempty"`
	Data      string          `json:"data,omitempty"`
	ID        string          `json:"id,omitempty"`
	Name      string          `json:"name,omitempty"`
	Input     json.RawMessage `json:"input,omitempty"`
	ToolUseID string          `json:"tool_use_id,omitempty"`
	Content   []any           `json:"content,omitempty"`
	IsError   bool            `json:"is_error,omitempty"`
	Source    *source         `json:"source,omitempty"`
	Title     string          `json:"title,omitempty"`
	Cache     *cacheControl   `json:"cache_control,omitempty"`

	Citations []json.RawMessage `json:"citations,omitempty"`
}

type source struct {
	Type      string `json:"type"`
	MediaType string `json:"media_type,omitempty"`
	Data      string `json:"data,omitempty"`
	URL       string `json:"url,omitempty"`
	FileID    string `json:"file_id,omitempty"`
}

// Whole encodes a complete answer. Of several choices the first is told: the
// language has only one. Tool arguments that are no JSON object are an error,
// but where the answer was cut short: there the unfinished call is left out.
func (Server) Whole(v *dialect.View, res *chat.Response, c dialect.Closing) ([]byte, error) {
	msg := message{
		ID: messageID(res.ID), Type: "message", Role: "assistant",
		Model: firstOf(res.Model, c.Model, v.Model), Content: []block{}, Usage: usageFor(c.Usage),
	}
	msg.Usage.Tier = tierOut(res.ServiceTier)
	stop := stopReason(chat.FinishStop, "", "", false)
	if len(res.Choices) > 0 {
		ch := &res.Choices[0]
		called := false
		for _, p := range ch.Parts {
			if p.Kind == chat.Thinking && hidden(v) {
				if p.Text = ""; p.Signature == "" {
					continue
				}
			}
			b, err := answerBlock(p)
			if err != nil && ch.Finish == chat.FinishLength {
				continue
			}
			if err != nil {
				return nil, err
			}
			if b == nil {
				continue
			}
			called = called || b.Type == "tool_use"
			msg.Content = append(msg.Content, *b)
			if p.Kind == chat.ToolCallPart && p.Signature != "" {
				msg.Content = append(msg.Content, block{Type: "redacted_thinking", Data: chat.Seal(p.SignedBy, p.ToolCall.ID, p.Signature)})
			}
		}
		stop = stopReason(ch.Finish, ch.Native, ch.StopSequence, called)
		if stop == "stop_sequence" {
			msg.StopSequence = &ch.StopSequence
		}
	}
	msg.StopReason = &stop
	out, err := marshal(msg)
	if err != nil {
		return nil, hub.Wrap(hub.CodeInternal, err, "The answer could not be written.")
	}
	return out, nil
}

// hidden reports whether the caller wants no text of thinking (display
// "omitted"); its signature is shown as ever.
func hidden(v *dialect.View) bool {
	return v != nil && v.Chat != nil && v.Chat.Reasoning != nil && v.Chat.Reasoning.Hidden
}

func answerBlock(p chat.Part) (*block, error) {
	switch p.Kind {
	case chat.Text, chat.Refusal:
		if p.Text == "" {
			return nil, nil
		}
		return &block{Type: "text", Text: &p.Text, Citations: citations(p.Annotations)}, nil
	case chat.Thinking:
		signature := sealed(p.SignedBy, p.ID, p.Signature)
		return &block{Type: "thinking", Thinking: &p.Text, Signature: &signature}, nil
	case chat.RedactedThinking:
		return &block{Type: "redacted_thinking", Data: sealed(p.SignedBy, p.ID, p.Signature)}, nil
	case chat.ToolCallPart:
		input, ok := arguments(p.ToolCall.Arguments)
		if !ok {
			return nil, &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry,
				Message: "The model called the tool " + p.ToolCall.Name + " with arguments that are not a JSON object. Try again."}
		}
		return &block{Type: "tool_use", ID: p.ToolCall.ID, Name: p.ToolCall.Name, Input: input}, nil
	case chat.Image, chat.Audio:
		text := mediaText(p.Media)
		return &block{Type: "text", Text: &text}, nil
	}
	return nil, nil
}

// arguments returns the JSON object of a call; nothing stands for an empty one.
func arguments(s string) (json.RawMessage, bool) {
	raw := bytes.TrimSpace([]byte(s))
	if len(raw) == 0 {
		return json.RawMessage("{}"), true
	}
	return raw, raw[0] == '{' && json.Valid(raw)
}

// mediaText tells a produced picture or sound as a link in text, since answers
// of this language hold neither.
func mediaText(m *chat.Media) string {
	if m == nil {
		return ""
	}
	url := m.URL
	if m.Data != "" {
		url = "data:" + m.MIME + ";base64," + m.Data
	}
	if bytes.HasPrefix([]byte(m.MIME), []byte("audio/")) {
		if url == "" {
			return m.Transcript // a piece of a stream without sound
		}
		return m.Transcript + "[audio](" + url + ")"
	}
	return "![image](" + url + ")"
}

func tierOut(tier string) string {
	switch tier {
	case "default":
		return "standard"
	case "priority", "standard", "batch":
		return tier
	}
	return ""
}

func firstOf(names ...string) string {
	for _, n := range names {
		if n != "" {
			return n
		}
	}
	return ""
}
