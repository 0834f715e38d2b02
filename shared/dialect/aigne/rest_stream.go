package aigne

import (
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// chunk is a chat.completion.chunk of OpenAI that also has the original's
// delta.
type chunk struct {
	ID                string        `json:"id"`
	Object            string        `json:"object"`
	Created           int64         `json:"created"`
	Model             string        `json:"model"`
	Choices           []chunkChoice `json:"choices"`
	Delta             *plainDelta   `json:"delta,omitempty"`
	Usage             *restUsage    `json:"usage,omitempty"`
	ModelWithProvider string        `json:"modelWithProvider,omitempty"`
}

type chunkChoice struct {
	Index        int             `json:"index"`
	Delta        chunkDelta      `json:"delta"`
	Logprobs     json.RawMessage `json:"logprobs"`
	FinishReason *chat.Finish    `json:"finish_reason"`
}

type chunkDelta struct {
	Role        string          `json:"role,omitempty"`
	Content     *string         `json:"content,omitempty"`
	Refusal     string          `json:"refusal,omitempty"`
	Reasoning   string          `json:"reasoning_content,omitempty"`
	ToolCalls   []restCall      `json:"tool_calls,omitempty"`
	Images      []restImage     `json:"images,omitempty"`
	Audio       *restAudio      `json:"audio,omitempty"`
	Annotations json.RawMessage `json:"annotations,omitempty"`
}

// plainDelta is the original's delta: words to append, and the tool calls, once
// and complete in the frame that finishes the first choice (a list that grew
// from frame to frame was counted several times by its clients).
type plainDelta struct {
	Role      string     `json:"role"`
	Content   string     `json:"content"`
	ToolCalls []restCall `json:"toolCalls"`
}

// Stream starts the encoding of a streamed answer. It has no [DONE]: the
// original's clients read every event as JSON.
func (s RestServer) Stream(v *dialect.View) dialect.Encoder {
	return &restStream{server: s, view: v, choices: map[int]*restOpen{}}
}

type restStream struct {
	server  RestServer
	view    *dialect.View
	head    chunk // what every frame has in common
	choices map[int]*restOpen
}

// restOpen is a choice under way.
type restOpen struct {
	calls    calls
	begun    bool // its role was sent
	finished bool
}

func (e *restStream) start(ev chat.Event) {
	e.head = chunk{ID: ev.ID, Object: "chat.completion.chunk", Created: ev.Created, Model: ev.Model}
	if e.head.ID == "" {
		e.head.ID = randomID("chatcmpl-")
	}
	if e.head.Created == 0 {
		e.head.Created = clock(e.server.Now).Unix()
	}
	if e.head.Model == "" && e.view != nil {
		e.head.Model = e.view.Model
	}
}

func (e *restStream) choice(index int) *restOpen {
	if e.choices[index] == nil {
		e.choices[index] = &restOpen{}
	}
	return e.choices[index]
}

// Event appends the frames of one event.
func (e *restStream) Event(dst []byte, ev chat.Event) []byte {
	switch ev.Kind {
	case chat.EventStart:
		e.start(ev)
		return dst
	case chat.EventText:
		return e.frame(dst, chunkChoice{Index: ev.Choice, Delta: chunkDelta{Content: &ev.Text}}, ev.Text)
	case chat.EventRefusal:
		return e.frame(dst, chunkChoice{Index: ev.Choice, Delta: chunkDelta{Refusal: ev.Text}}, ev.Text)
	case chat.EventThinking:
		return e.delta(dst, ev, chunkDelta{Reasoning: ev.Text})
	case chat.EventToolCall, chat.EventToolArgs:
		return e.delta(dst, ev, chunkDelta{ToolCalls: e.call(ev)})
	case chat.EventSignature:
		if ev.Tool {
			return e.delta(dst, ev, chunkDelta{ToolCalls: e.call(ev)})
		}
	case chat.EventMedia:
		if ev.Media != nil && strings.HasPrefix(ev.Media.MIME, "audio/") {
			return e.frame(dst, chunkChoice{Index: ev.Choice, Delta: chunkDelta{Audio: audioOf(ev.Media)}}, ev.Media.Transcript)
		}
		if ev.Media != nil {
			return e.delta(dst, ev, chunkDelta{Images: []restImage{imageOf(ev.Media)}})
		}
	case chat.EventAnnotation:
		if shown := chat.ShownAnnotations(ev.Raw, "url_citation"); shown != nil {
			return e.delta(dst, ev, chunkDelta{Annotations: shown})
		}
	case chat.EventLogprobs:
		return e.frame(dst, chunkChoice{Index: ev.Choice, Logprobs: ev.Raw}, "")
	case chat.EventFinish:
		return e.finish(dst, ev)
	}
	return dst
}

func (e *restStream) delta(dst []byte, ev chat.Event, d chunkDelta) []byte {
	return e.frame(dst, chunkChoice{Index: ev.Choice, Delta: d}, "")
}

// frame appends one chunk. The first of a choice has its role; the original's
// delta shows the words and calls of the first choice only.
func (e *restStream) frame(dst []byte, ch chunkChoice, words string) []byte {
	if e.head.ID == "" {
		e.start(chat.Event{})
	}
	open := e.choice(ch.Index)
	if !open.begun {
		open.begun = true
		ch.Delta.Role = string(chat.Assistant)
	}
	out := e.head
	out.Choices = []chunkChoice{ch}
	out.Delta = &plainDelta{Role: string(chat.Assistant), ToolCalls: []restCall{}}
	if ch.Index == 0 {
		out.Delta.Content = words
		if ch.FinishReason != nil {
			out.Delta.ToolCalls = open.calls.rest()
		}
	}
	return wire.AppendFrame(dst, "", encodeJSON(out))
}

// call notes a piece of a tool call and makes OpenAI's delta of it: id and name
// in a call's first one, its index in each.
func (e *restStream) call(ev chat.Event) []restCall {
	open := e.choice(ev.Choice)
	open.calls.add(ev)
	out := restCall{Index: &ev.Index}
	switch ev.Kind {
	case chat.EventToolCall:
		c := open.calls.at(ev.Index)
		out.ID, out.Type, out.Function.Name = c.id, "function", c.name
	case chat.EventToolArgs:
		out.Function.Arguments = ev.Text
	case chat.EventSignature:
		out.Extra = extraOf(ev.Text)
	}
	return []restCall{out}
}

// finish ends a choice, once. A call that came without arguments gets "{}".
func (e *restStream) finish(dst []byte, ev chat.Event) []byte {
	open := e.choice(ev.Choice)
	if open.finished {
		return dst
	}
	for _, c := range open.calls {
		if len(c.args) == 0 {
			args := chat.Event{Kind: chat.EventToolArgs, Choice: ev.Choice, Index: c.index, Text: "{}"}
			dst = e.delta(dst, args, chunkDelta{ToolCalls: e.call(args)})
		}
	}
	open.finished = true
	finish := ev.Finish
	if finish == "" {
		finish = chat.FinishStop
	}
	return e.frame(dst, chunkChoice{Index: ev.Choice, FinishReason: &finish}, "")
}

// Close ends a stream with a frame of the settled figures.
func (e *restStream) Close(dst []byte, c dialect.Closing) []byte {
	if e.head.ID == "" {
		e.start(chat.Event{})
	}
	out := e.head
	out.Choices, out.Usage = []chunkChoice{}, restUsageOf(c)
	out.Model = modelOf(out.Model, c)
	if c.Provider != "" && c.Model != "" {
		out.ModelWithProvider = c.Provider + "/" + c.Model
	}
	return wire.AppendFrame(dst, "", encodeJSON(out))
}

// Fail ends a stream with a plain data line, which every client takes for a
// failure.
func (e *restStream) Fail(dst []byte, err *hub.Error) []byte {
	return wire.AppendFrame(dst, "", encodeError(e.server.Now, err))
}
