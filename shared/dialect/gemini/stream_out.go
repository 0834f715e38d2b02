package gemini

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Stream starts a streamed answer: one response message an event, each in a
// frame "data: {json}" closed by CR LF CR LF, and no end marker. Function calls
// leave whole, as the API sends them. The last frame tells why each candidate
// ended and what the call used. View.Array makes no difference here: whoever
// writes the frames out unpacks them.
func (Server) Stream(v *dialect.View) dialect.Encoder {
	return &streamEncoder{id: rand.Text(), model: v.Model}
}

type streamEncoder struct {
	id, model string
	choices   []*choiceOut // in the order they began
}

// choiceOut is what must be known of a candidate until the stream ends.
type choiceOut struct {
	index       int
	calls       []*pendingCall // not sent yet
	text        strings.Builder
	annotations json.RawMessage
	finish      chat.Finish
	native      string
	malformed   bool
	refused     bool
	said        bool
}

type pendingCall struct {
	index         int
	id, name      string
	args          strings.Builder
	signature, by string
}

// Event appends what one event becomes.
func (e *streamEncoder) Event(dst []byte, ev chat.Event) []byte {
	switch ev.Kind {
	case chat.EventStart:
		if ev.ID != "" {
			e.id = ev.ID
		}
		if ev.Model != "" {
			e.model = ev.Model
		}
		return dst
	case chat.EventUsage:
		return dst // Close sends the settled figures
	}
	ch := e.choice(ev.Choice)
	switch ev.Kind {
	case chat.EventFinish:
		ch.finish, ch.native = ev.Finish, ev.Native
		return e.flush(dst, ch)
	case chat.EventAnnotation:
		ch.annotations = ev.Raw
		return dst
	case chat.EventLogprobs:
		if l := logprobsFor(ev.Raw); l != nil {
			return e.frame(dst, answerOut{Candidates: []candidateOut{{Content: nothing(), Index: ch.index, LogprobsResult: l}}})
		}
		return dst
	case chat.EventToolCall:
		return e.begin(dst, ch, ev)
	case chat.EventToolArgs:
		if c := ch.call(ev.Index); c != nil {
			c.args.WriteString(ev.Text)
		}
		return dst
	case chat.EventSignature:
		if ev.Tool {
			if c := ch.call(ev.Index); c != nil {
				c.signature, c.by = c.signature+ev.Text, ev.SignedBy
			}
			return dst
		}
	}
	return e.content(dst, ch, ev)
}

// content sends what is to be seen at once.
func (e *streamEncoder) content(dst []byte, ch *choiceOut, ev chat.Event) []byte {
	p := chat.Part{Text: ev.Text, SignedBy: ev.SignedBy, Media: ev.Media}
	switch ev.Kind {
	case chat.EventText, chat.EventRefusal:
		ch.text.WriteString(ev.Text)
		ch.refused = ch.refused || ev.Kind == chat.EventRefusal
	case chat.EventThinking:
		p.Kind = chat.Thinking
	case chat.EventSignature:
		p = chat.Part{Kind: chat.Thinking, Signature: ev.Text, SignedBy: ev.SignedBy, ID: ev.ItemID}
	case chat.EventRedacted:
		p = chat.Part{Kind: chat.RedactedThinking, Signature: ev.Text, SignedBy: ev.SignedBy, ID: ev.ItemID}
	case chat.EventMedia:
		p.Kind = chat.File // whatever it is, its type says so
	default:
		return dst
	}
	if parts := partFor(p); len(parts) > 0 && (p.Kind != chat.Thinking || p.Text != "" || p.Signature != "") {
		ch.said = true
		dst = e.parts(e.flush(dst, ch), ch, parts)
	}
	return dst
}

func (e *streamEncoder) choice(index int) *choiceOut {
	for _, ch := range e.choices {
		if ch.index == index {
			return ch
		}
	}
	ch := &choiceOut{index: index}
	e.choices = append(e.choices, ch)
	return ch
}

func (ch *choiceOut) call(index int) *pendingCall {
	i := slices.IndexFunc(ch.calls, func(c *pendingCall) bool { return c.index == index })
	if i < 0 {
		return nil // it left already; what still comes cannot belong to it
	}
	return ch.calls[i]
}

// begin notes a call. Those before it leave once their arguments are whole.
func (e *streamEncoder) begin(dst []byte, ch *choiceOut, ev chat.Event) []byte {
	for len(ch.calls) > 0 && json.Valid([]byte(ch.calls[0].args.String())) {
		dst = e.send(dst, ch, ch.calls[0])
		ch.calls = ch.calls[1:]
	}
	ch.calls = append(ch.calls, &pendingCall{index: ev.Index, id: ev.ID, name: ev.Name})
	return dst
}

// flush sends the calls that are pending.
func (e *streamEncoder) flush(dst []byte, ch *choiceOut) []byte {
	for _, c := range ch.calls {
		dst = e.send(dst, ch, c)
	}
	ch.calls = nil
	return dst
}

func (e *streamEncoder) send(dst []byte, ch *choiceOut, c *pendingCall) []byte {
	args := c.args.String()
	if strings.TrimSpace(args) == "" {
		args = "{}"
	}
	ch.said = true
	if !object(args) {
		ch.malformed = true
		return dst
	}
	return e.parts(dst, ch, partFor(chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: c.id, Name: c.name, Arguments: args},
		Signature: c.signature, SignedBy: c.by}))
}

func (e *streamEncoder) parts(dst []byte, ch *choiceOut, parts []json.RawMessage) []byte {
	return e.frame(dst, answerOut{Candidates: []candidateOut{{Content: partsOut(parts), Index: ch.index}}})
}

func (e *streamEncoder) frame(dst []byte, a answerOut) []byte {
	a.ResponseID, a.ModelVersion = e.id, e.model
	return appendFrame(dst, encodeJSON(a))
}

func appendFrame(dst, data []byte) []byte {
	return append(append(append(dst, "data: "...), data...), "\r\n\r\n"...)
}

// nothing is a content without words. The API's own SDK takes a stream with a
// frame without content for broken and forgets the whole answer.
func nothing() *contentOut { return partsOut(one(textOut{})) }

// Close ends a stream with the settled usage.
func (e *streamEncoder) Close(dst []byte, c dialect.Closing) []byte {
	last := answerOut{UsageMetadata: usageFor(c.Usage)}
	for _, ch := range e.choices {
		dst = e.flush(dst, ch)
		if len(e.choices) == 1 && !ch.said && ch.finish == chat.FinishContentFilter {
			last.PromptFeedback = &feedbackOut{blockWord(ch.native)}
			break
		}
		end := candidateOut{Index: ch.index, FinishReason: finishWord(ch.finish, ch.native), Content: nothing(),
			Grounding: groundingFor(ch.annotations, ch.text.String())}
		switch {
		case ch.malformed && ch.finish != chat.FinishLength:
			end.FinishReason = malformedCall
		case ch.refused && ch.finish == chat.FinishStop:
			end.FinishReason = refusedWord
		}
		last.Candidates = append(last.Candidates, end)
	}
	return e.frame(dst, last)
}

// Fail ends a stream with an error in the place of a response.
func (e *streamEncoder) Fail(dst []byte, err *hub.Error) []byte {
	return appendFrame(dst, bytes.TrimSpace(Server{}.Error(err, "")))
}
