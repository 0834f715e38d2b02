package bedrock

import (
	"encoding/json"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// answer is the body of Converse's answer. It names neither the model nor itself.
type answer struct {
	Output *struct {
		Message *struct {
			Content []block `json:"content"`
		} `json:"message"`
	} `json:"output"`
	StopReason string      `json:"stopReason"`
	Usage      *tokenUsage `json:"usage"`
	Fields     modelFields `json:"additionalModelResponseFields"`
	Tier       *tier       `json:"serviceTier"`
}

// modelFields is what was asked for by additionalModelResponseFieldPaths.
type modelFields struct {
	StopSequence string
}

// UnmarshalJSON reads the fields that are known; a model may put any value here.
func (f *modelFields) UnmarshalJSON(raw []byte) error {
	var fields map[string]json.RawMessage
	if json.Unmarshal(raw, &fields) == nil {
		_ = json.Unmarshal(fields["stop_sequence"], &f.StopSequence) // null or absent: none was met
	}
	return nil
}

// tokenUsage: inputTokens leaves out what was read from or written to a cache,
// outputTokens contains thinking.
type tokenUsage struct {
	Input      int64 `json:"inputTokens"`
	Output     int64 `json:"outputTokens"`
	CacheRead  int64 `json:"cacheReadInputTokens"`
	CacheWrite int64 `json:"cacheWriteInputTokens"`
	Details    []struct {
		TTL   string `json:"ttl"`
		Input int64  `json:"inputTokens"`
	} `json:"cacheDetails"`
}

// bounded keeps a count of a lying provider from overflowing a sum.
func bounded(n int64) int64 { return min(max(n, 0), 1<<40) }

// usage returns the disjoint buckets. Cache writes without a split by lifetime
// count as those of five minutes, the default.
func (u *tokenUsage) usage() hub.Usage {
	var hour int64
	for _, d := range u.Details {
		if d.TTL == "1h" {
			hour = bounded(hour + bounded(d.Input))
		}
	}
	write := bounded(u.CacheWrite)
	hour = min(hour, write)
	return hub.Usage{
		hub.Input: bounded(u.Input), hub.Output: bounded(u.Output), hub.CacheRead: bounded(u.CacheRead),
		hub.CacheWrite5m: write - hour, hub.CacheWrite1h: hour,
	}
}

// badAnswer says that a provider's bytes make no sense; another may do better.
func badAnswer(cause error) *hub.Error {
	return &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Status: http.StatusBadGateway, Cause: cause,
		Message: "The provider's answer could not be read. Try again."}
}

// Decode reads a whole answer. Blocks of tools that Bedrock runs itself are
// passed over: a translated request cannot have asked for them.
func (Client) Decode(body []byte, _ dialect.Quirks) (*chat.Response, error) {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return nil, badAnswer(err)
	}
	if a.Output == nil || a.Output.Message == nil || a.StopReason == "" {
		return nil, badAnswer(nil)
	}
	ch := chat.Choice{Native: a.StopReason, StopSequence: a.Fields.StopSequence}
	called, formatted := false, false
	for i := range a.Output.Message.Content {
		b := &a.Output.Message.Content[i]
		if b.ToolUse != nil && b.ToolUse.Name == formatTool {
			formatted = true
			ch.Parts = append(ch.Parts, chat.Part{Kind: chat.Text, Text: arguments(b.ToolUse.Input)})
			continue
		}
		if p, ok := b.part(); ok {
			called = called || p.Kind == chat.ToolCallPart
			ch.Parts = append(ch.Parts, p)
		}
	}
	ch.Finish = answerFinish(ch.Native, called, formatted)
	res := &chat.Response{Choices: []chat.Choice{ch}}
	if a.Tier != nil {
		res.ServiceTier = a.Tier.Type
	}
	if a.Usage != nil {
		res.Usage, res.UsageKnown = a.Usage.usage(), true
	}
	return res, nil
}

func arguments(input json.RawMessage) string {
	if len(input) == 0 || string(input) == "null" {
		return "{}"
	}
	return string(input)
}

// part reads a block of an answer; false for those that say nothing to a caller.
// Only Claude signs its thinking here.
func (b *block) part() (chat.Part, bool) {
	switch {
	case b.Text != nil:
		return chat.Part{Kind: chat.Text, Text: *b.Text}, true
	case b.Citations != nil:
		p := chat.Part{Kind: chat.Text}
		for _, c := range b.Citations.Content {
			p.Text += c.Text
		}
		return p, true
	case b.ToolUse != nil && b.ToolUse.Type != "server_tool_use":
		call := &chat.ToolCall{ID: b.ToolUse.ID, Name: b.ToolUse.Name, Arguments: arguments(b.ToolUse.Input)}
		return chat.Part{Kind: chat.ToolCallPart, ToolCall: call}, true
	case b.Image != nil && b.Image.Source.Bytes != "":
		return chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "image/" + b.Image.Format, Data: b.Image.Source.Bytes}}, true
	case b.Reasoning != nil && b.Reasoning.Text != nil:
		t := b.Reasoning.Text
		p := chat.Part{Kind: chat.Thinking, Text: t.Text, Signature: t.Signature}
		if t.Signature != "" {
			p.SignedBy = chat.SignedAnthropic
		}
		return p, true
	case b.Reasoning != nil && b.Reasoning.Redacted != "":
		return chat.Part{Kind: chat.RedactedThinking, Signature: b.Reasoning.Redacted, SignedBy: chat.SignedAnthropic}, true
	}
	return chat.Part{}, false
}
