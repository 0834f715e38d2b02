package openai

import (
	"encoding/json"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

type textCompletion struct {
	ID      string       `json:"id"`
	Object  string       `json:"object"`
	Created int64        `json:"created"`
	Model   string       `json:"model"`
	Choices []textChoice `json:"choices"`
	Usage   *usageOut    `json:"usage,omitempty"`
}

type textChoice struct {
	Text     string     `json:"text"`
	Index    int        `json:"index"`
	Logprobs *textProbs `json:"logprobs"`
	Finish   *string    `json:"finish_reason"`
}

// textProbs is the form that token probabilities have in this API.
type textProbs struct {
	Tokens []string             `json:"tokens"`
	Probs  []float64            `json:"token_logprobs"`
	Top    []map[string]float64 `json:"top_logprobs"`
	Offset []int                `json:"text_offset"`
}

// Whole encodes a complete answer. Thoughts have no place in it.
func (s CompletionsServer) Whole(v *dialect.View, res *chat.Response, c dialect.Closing) ([]byte, error) {
	out := textCompletion{ID: res.ID, Object: "text_completion", Created: res.Created, Model: res.Model, Choices: []textChoice{}}
	s.complete(&out, v)
	usage := c.Usage
	if usage.IsZero() && res.UsageKnown {
		usage = res.Usage
	}
	out.Usage = new(usageFor(usage))
	for i := range res.Choices {
		ch := &res.Choices[i]
		out.Choices = append(out.Choices, textChoice{
			Text: chat.TextOf(ch.Parts, chat.Text) + chat.TextOf(ch.Parts, chat.Refusal), Index: ch.Index,
			Logprobs: probsFor(ch.Logprobs), Finish: new(completionFinish(ch.Finish)),
		})
	}
	return encodeJSON(out), nil
}

// complete fills in what the provider left out.
func (s CompletionsServer) complete(out *textCompletion, v *dialect.View) {
	if out.ID == "" {
		out.ID = randomID("cmpl-")
	}
	if out.Created == 0 {
		out.Created = clock(s.Now).Unix()
	}
	if out.Model == "" {
		out.Model = v.Model
	}
}

// completionFinish is the word for an end; calls of tools cannot be.
func completionFinish(f chat.Finish) string {
	switch f {
	case chat.FinishLength, chat.FinishContentFilter:
		return string(f)
	}
	return string(chat.FinishStop)
}

// probsFor rewrites the probabilities of chat completions, nil when there are
// none.
func probsFor(raw json.RawMessage) *textProbs {
	var in struct {
		Content []struct {
			Token   string  `json:"token"`
			Logprob float64 `json:"logprob"`
			Top     []struct {
				Token   string  `json:"token"`
				Logprob float64 `json:"logprob"`
			} `json:"top_logprobs"`
		} `json:"content"`
	}
	if len(raw) == 0 || json.Unmarshal(raw, &in) != nil || len(in.Content) == 0 {
		return nil
	}
	out := &textProbs{}
	offset := 0
	for _, t := range in.Content {
		top := map[string]float64{}
		for _, other := range t.Top {
			top[other.Token] = other.Logprob
		}
		out.Tokens = append(out.Tokens, t.Token)
		out.Probs = append(out.Probs, t.Logprob)
		out.Top = append(out.Top, top)
		out.Offset = append(out.Offset, offset)
		offset += len(t.Token)
	}
	return out
}

// Stream starts the encoding of a streamed answer.
func (s CompletionsServer) Stream(v *dialect.View) dialect.Encoder {
	return &textEncoder{server: s, view: v}
}

// textEncoder writes text_completion chunks under one id.
type textEncoder struct {
	server CompletionsServer
	view   *dialect.View
	prefix []byte
	ended  bitset
}

func (e *textEncoder) start(ev chat.Event) {
	if e.prefix != nil {
		return
	}
	out := textCompletion{ID: ev.ID, Created: ev.Created, Model: ev.Model}
	e.server.complete(&out, e.view)
	b := appendQuoted([]byte(`data: {"id":`), out.ID)
	b = strconv.AppendInt(append(b, `,"object":"text_completion","created":`...), out.Created, 10)
	b = appendQuoted(append(b, `,"model":`...), out.Model)
	b = append(b, `,"choices":[`...)
	e.prefix = b
}

// Event appends the chunks of one event.
func (e *textEncoder) Event(dst []byte, ev chat.Event) []byte {
	switch ev.Kind {
	case chat.EventStart:
		e.start(ev)
	case chat.EventText, chat.EventRefusal:
		if ev.Text != "" {
			return e.chunk(dst, textChoice{Text: ev.Text, Index: ev.Choice})
		}
	case chat.EventLogprobs:
		return e.chunk(dst, textChoice{Index: ev.Choice, Logprobs: probsFor(ev.Raw)})
	case chat.EventFinish:
		if i := min(ev.Choice, maxChoices-1); !e.ended.has(i) {
			e.ended.add(i)
			return e.chunk(dst, textChoice{Index: ev.Choice, Finish: new(completionFinish(ev.Finish))})
		}
	}
	return dst
}

func (e *textEncoder) chunk(dst []byte, c textChoice) []byte {
	e.start(chat.Event{})
	dst = append(append(dst, e.prefix...), encodeJSON(c)...)
	return append(dst, "]}\n\n"...)
}

// Close ends a stream: the usage chunk for those who asked, then the marker.
func (e *textEncoder) Close(dst []byte, c dialect.Closing) []byte {
	if e.view.WantsUsage {
		e.start(chat.Event{})
		dst = append(append(dst, e.prefix...), `],"usage":`...)
		dst = append(append(dst, encodeJSON(usageFor(c.Usage))...), "}\n\n"...)
	}
	return append(dst, "data: [DONE]\n\n"...)
}

// Fail ends a stream with a plain data line and no marker.
func (e *textEncoder) Fail(dst []byte, err *hub.Error) []byte {
	return wire.AppendFrame(dst, "", e.server.Error(err, ""))
}
