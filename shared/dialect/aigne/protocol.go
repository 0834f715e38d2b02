package aigne

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// output is the protocol's chat output, whole or as the json of a delta.
type output struct {
	Model             string          `json:"model,omitempty"`
	Text              *string         `json:"text,omitempty"`
	Thoughts          string          `json:"thoughts,omitempty"`
	JSON              json.RawMessage `json:"json,omitempty"`
	ToolCalls         []protocolCall  `json:"toolCalls,omitempty"`
	Files             []protocolFile  `json:"files,omitempty"`
	Usage             *protocolUsage  `json:"usage,omitempty"`
	ModelWithProvider string          `json:"modelWithProvider,omitempty"`
}

type protocolCall struct {
	ID       string           `json:"id"`
	Type     string           `json:"type"`
	Function protocolFunction `json:"function"`
	Metadata *callMetadata    `json:"metadata,omitempty"`
}

type protocolFunction struct {
	Name      string          `json:"name"`
	Arguments json.RawMessage `json:"arguments"`
}

// callMetadata comes back unchanged with the call in the next turn.
type callMetadata struct {
	ThoughtSignature string        `json:"thoughtSignature,omitempty"`
	Reasoning        []keptThought `json:"reasoning,omitempty"`
}

// protocolFile is the protocol's FileUnion: data in base64, or a URL.
type protocolFile struct {
	Type     string `json:"type"`
	Data     string `json:"data,omitempty"`
	URL      string `json:"url,omitempty"`
	MIMEType string `json:"mimeType,omitempty"`
	Filename string `json:"filename,omitempty"`
}

// protocolUsage counts prompt tokens that were read from or written to a cache
// beside inputTokens, not in it: the parts add up to the prompt.
type protocolUsage struct {
	InputTokens         int64       `json:"inputTokens"`
	OutputTokens        int64       `json:"outputTokens"`
	CacheCreationTokens int64       `json:"cacheCreationInputTokens,omitempty"`
	CacheReadTokens     int64       `json:"cacheReadInputTokens,omitempty"`
	Credits             json.Number `json:"aigneHubCredits,omitempty"`
	ModelCallID         string      `json:"modelCallId,omitempty"`
}

func usageOf(c dialect.Closing) *protocolUsage {
	u := c.Usage
	out := &protocolUsage{
		OutputTokens:        u.Completion(),
		CacheCreationTokens: u[hub.CacheWrite5m] + u[hub.CacheWrite1h],
		CacheReadTokens:     u[hub.CacheRead],
	}
	out.InputTokens = u.Prompt() - out.CacheCreationTokens - out.CacheReadTokens
	if out.Credits = credits(c); out.Credits != "" {
		out.ModelCallID = c.CallID
	}
	return out
}

func (cs calls) protocol(kept []keptThought) []protocolCall {
	out := make([]protocolCall, 0, len(cs))
	for i, c := range cs {
		p := protocolCall{ID: c.id, Type: "function", Function: protocolFunction{Name: c.name, Arguments: c.argsJSON()}}
		if i > 0 {
			kept = nil
		}
		if c.signature != "" || kept != nil {
			p.Metadata = &callMetadata{ThoughtSignature: c.signature, Reasoning: kept}
		}
		out = append(out, p)
	}
	return out
}

func fileOf(m *chat.Media) protocolFile {
	f := protocolFile{Type: "file", Data: m.Data, MIMEType: m.MIME, Filename: m.Filename}
	if m.Data == "" {
		f.Type, f.URL = "url", m.URL
	}
	return f
}

// structured reports whether the caller wants the answer as an object.
func structured(v *dialect.View) bool {
	return v != nil && v.Chat != nil && v.Chat.Format != nil && v.Chat.Format.Kind == "json_schema"
}

// parsed reads a structured answer; models without the feature may wrap it in a
// Markdown fence. What is no JSON stays text.
func parsed(text string) (json.RawMessage, bool) {
	text = strings.TrimSpace(text)
	if rest, ok := strings.CutPrefix(text, "```"); ok {
		if body, ok := strings.CutSuffix(rest, "```"); ok {
			text = strings.TrimSpace(strings.TrimPrefix(body, "json"))
		}
	}
	if text == "" || !json.Valid([]byte(text)) {
		return nil, false
	}
	var compact bytes.Buffer
	if json.Compact(&compact, []byte(text)) != nil {
		return nil, false
	}
	return compact.Bytes(), true
}

// Whole encodes a complete answer. The protocol has one choice and no finish
// reason.
func (Server) Whole(v *dialect.View, res *chat.Response, c dialect.Closing) ([]byte, error) {
	out := output{Model: modelOf(res.Model, c), Usage: usageOf(c)}
	out.closing(c)
	if ch := firstChoice(res); ch != nil {
		parts := ch.Parts
		out.Thoughts = chat.TextOf(parts, chat.Thinking)
		out.ToolCalls = callsOf(parts).protocol(keptThoughts(parts))
		for _, p := range parts {
			if p.Media != nil && (p.Kind == chat.Image || p.Kind == chat.Audio || p.Kind == chat.File) {
				out.Files = append(out.Files, fileOf(p.Media))
			}
		}
		out.say(words(parts), structured(v))
	}
	return encodeJSON(out), nil
}

// words are what an answer says, the transcript of spoken words included: the
// protocol's files have none.
func words(parts []chat.Part) string {
	var all strings.Builder
	for _, p := range parts {
		switch {
		case p.Kind == chat.Text, p.Kind == chat.Refusal:
			all.WriteString(p.Text)
		case p.Media != nil:
			all.WriteString(p.Media.Transcript)
		}
	}
	return all.String()
}

// say puts the answer's words where they belong.
func (o *output) say(text string, structured bool) {
	if structured {
		if value, ok := parsed(text); ok {
			o.JSON = value
			return
		}
	}
	if text != "" || len(o.ToolCalls) == 0 && len(o.Files) == 0 {
		o.Text = &text
	}
}

func (o *output) closing(c dialect.Closing) {
	if c.Provider != "" && c.Model != "" {
		o.ModelWithProvider = c.Provider + "/" + c.Model
	}
}

// Stream starts the encoding of a streamed answer: unnamed events whose
// delta.text is appended and whose delta.json replaces.
func (Server) Stream(v *dialect.View) dialect.Encoder {
	return &protocolStream{structured: structured(v)}
}

type protocolStream struct {
	structured bool
	text       strings.Builder // the structured answer so far
	calls      calls
	media      chat.Collector // pictures and pieces of sound
	thoughts   chat.Collector
	model      string
	finished   bool
}

// Event appends the frames of one event. Tool calls and structured answers are
// sent once, complete, when the answer is finished: clients replace them as a
// whole.
func (e *protocolStream) Event(dst []byte, ev chat.Event) []byte {
	if ev.Choice != 0 {
		return dst
	}
	switch ev.Kind {
	case chat.EventStart:
		if e.model = ev.Model; e.model != "" {
			return appendDelta(dst, output{Model: e.model})
		}
	case chat.EventText, chat.EventRefusal:
		if e.structured {
			e.text.WriteString(ev.Text)
			return dst
		}
		return appendWords(dst, "text", ev.Text)
	case chat.EventRedacted:
		e.thoughts.Add(ev)
	case chat.EventThinking:
		e.thoughts.Add(ev)
		return appendWords(dst, "thoughts", ev.Text)
	case chat.EventToolCall, chat.EventToolArgs:
		e.calls.add(ev)
	case chat.EventSignature:
		if ev.Tool {
			e.calls.add(ev)
		} else {
			e.thoughts.Add(ev)
		}
	case chat.EventMedia:
		if ev.Media != nil {
			e.media.Add(ev)
			return appendWords(dst, "text", ev.Media.Transcript)
		}
	case chat.EventFinish:
		return e.finish(dst)
	}
	return dst
}

func (e *protocolStream) finish(dst []byte) []byte {
	if e.finished {
		return dst
	}
	e.finished = true
	out := output{}
	for _, ch := range e.media.Response().Choices {
		for _, p := range ch.Parts {
			if p.Media.Data != "" || p.Media.URL != "" {
				out.Files = append(out.Files, fileOf(p.Media))
			}
		}
	}
	if len(e.calls) > 0 {
		var kept []keptThought
		if res := e.thoughts.Response(); len(res.Choices) > 0 {
			kept = keptThoughts(res.Choices[0].Parts)
		}
		out.ToolCalls = e.calls.protocol(kept)
	}
	if text := e.text.String(); text != "" {
		if value, ok := parsed(text); ok {
			out.JSON = value
		} else {
			dst = appendWords(dst, "text", text)
		}
	}
	if out.JSON == nil && out.ToolCalls == nil && out.Files == nil {
		return dst
	}
	return appendDelta(dst, out)
}

// Close ends a stream with the settled figures; there is no end marker, which
// clients would try to read as JSON.
func (e *protocolStream) Close(dst []byte, c dialect.Closing) []byte {
	dst = e.finish(dst)
	out := output{Model: modelOf(e.model, c), Usage: usageOf(c)}
	out.closing(c)
	return appendDelta(dst, out)
}

// Fail ends a stream with the protocol's one named event.
func (*protocolStream) Fail(dst []byte, err *hub.Error) []byte {
	return wire.AppendFrame(dst, "error", encodeJSON(errorBody{Message: err.Message, Type: errorType(err)}))
}

// appendDelta appends a frame whose json replaces.
func appendDelta(dst []byte, json output) []byte {
	dst = append(dst, `data: {"delta":{"json":`...)
	return append(append(dst, encodeJSON(json)...), "}}\n\n"...)
}

// appendWords appends a frame whose text is appended.
func appendWords(dst []byte, key, text string) []byte {
	if text == "" {
		return dst
	}
	dst = append(append(append(dst, `data: {"delta":{"text":{"`...), key...), `":`...)
	return append(appendQuoted(dst, text), "}}}\n\n"...)
}
