package openai

import (
	"bytes"
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// piece is one choice of a chunk or of a whole answer, as raw values.
type piece struct {
	index               int
	text, finish, probs []byte
}

// readCompletion walks over one JSON object and calls each for its choices.
func readCompletion(data []byte, each func(piece)) (h head, ok bool) {
	c := cursor{b: data}
	if !c.enter('{') {
		return h, false
	}
	for {
		key, more := c.key()
		if !more {
			return h, !c.bad
		}
		v := c.value()
		switch string(key) {
		case "id":
			h.id = v
		case "model":
			h.model = v
		case "created":
			h.created = v
		case "usage":
			h.usage = v
		case "error":
			h.err = v
		case "choices":
			in := cursor{b: v}
			for begun := in.enter('['); begun; {
				if !in.item() {
					break
				}
				h.choices++
				each(readPiece(in.value()))
			}
		}
	}
}

func readPiece(raw []byte) (p piece) {
	eachMember(raw, func(key []byte, c *cursor) {
		v := c.value()
		switch string(key) {
		case "index":
			if n, ok := count(v); ok && n < maxChoices {
				p.index = int(n)
			}
		case "text":
			p.text = v
		case "finish_reason":
			if isString(v) {
				p.finish = v
			}
		case "logprobs":
			p.probs = v
		}
	})
	return p
}

// Meter looks at a native answer.
func (c CompletionsClient) Meter(v *dialect.View, q dialect.Quirks) dialect.Meter {
	return &completionMeter{client: Client(c), quirks: q, want: answersTo(v)}
}

type completionMeter struct {
	client         Client
	quirks         dialect.Quirks
	want           int
	report         dialect.Report
	open, finished bitset
	failed         bool
}

// Frame looks at one event.
func (m *completionMeter) Frame(frame []byte) (seen dialect.Seen) {
	event, data := wire.Data(frame)
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0:
	case bytes.Equal(data, doneMarker):
		seen.End = true
		m.want = min(m.want, m.open.size())
	case skippable(event, data):
	default:
		m.look(event, data, &seen)
	}
	n := m.finished.size()
	seen.Finish = !m.failed && n > 0 && n >= m.want && n >= m.open.size()
	return seen
}

// Whole reads a complete body.
func (m *completionMeter) Whole(body []byte) error {
	var seen dialect.Seen
	if m.look("", body, &seen); seen.Err != nil {
		return seen.Err
	}
	return nil
}

// Report tells what was seen so far.
func (m *completionMeter) Report() dialect.Report { return m.report }

func (m *completionMeter) look(event string, data []byte, seen *dialect.Seen) {
	h, ok := readCompletion(data, func(p piece) {
		m.open.add(p.index)
		if isString(p.text) {
			seen.Content = seen.Content || len(p.text) > len(`""`)
			m.report.TextBytes += wire.TextLen(p.text)
		}
		if p.finish != nil && !m.finished.has(p.index) {
			m.finished.add(p.index)
			if m.report.Finish == "" || p.index == 0 {
				m.report.Finish = wire.Text(p.finish)
			}
		}
	})
	if err := m.client.frameError(event, data, h, ok); err != nil {
		m.failed, seen.Err = true, err
		return
	}
	if m.report.ID == "" {
		m.report.ID, m.report.Model = wire.Text(h.id), wire.Text(h.model)
	}
	if u, known := readUsage(h.usage, m.quirks); known {
		m.report.Usage, m.report.Known = u, true
		if seen.UsageOnly = h.choices == 0; seen.UsageOnly && m.finished.size() > 0 {
			m.want = min(m.want, m.open.size())
		}
	}
}

// Decode reads a whole answer.
func (c CompletionsClient) Decode(body []byte, q dialect.Quirks) (*chat.Response, error) {
	d := &completionDecoder{client: Client(c), quirks: q}
	if err := d.look("", bytes.TrimSpace(body)); err != nil {
		return nil, err
	}
	if d.open.size() == 0 {
		return nil, &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Message: "The provider sent an answer without choices."}
	}
	var all chat.Collector
	for _, ev := range d.events {
		all.Add(ev)
	}
	return all.Response(), nil
}

// Decoder reads a streamed answer.
func (c CompletionsClient) Decoder(q dialect.Quirks) dialect.Decoder {
	return &completionDecoder{client: Client(c), quirks: q}
}

type completionDecoder struct {
	client         Client
	quirks         dialect.Quirks
	events         []chat.Event
	open, finished bitset
	started, done  bool
	failed         bool
}

// Frame reads one event. The events are valid until the next call.
func (d *completionDecoder) Frame(frame []byte) ([]chat.Event, error) {
	d.events = d.events[:0]
	event, data := wire.Data(frame)
	data = bytes.TrimSpace(data)
	switch {
	case len(data) == 0, skippable(event, data) && !bytes.Equal(data, doneMarker):
		return nil, nil
	case bytes.Equal(data, doneMarker):
		d.done = true
		return nil, nil
	}
	err := d.look(event, data)
	return d.events, err
}

// End: the end marker was met, or every choice has its finish.
func (d *completionDecoder) End() bool {
	return !d.failed && (d.done || d.open.size() > 0 && d.finished.size() == d.open.size())
}

func (d *completionDecoder) look(event string, data []byte) error {
	var evs []chat.Event
	var h head
	ok := json.Valid(data)
	if ok {
		h, ok = readCompletion(data, func(p piece) { evs = append(evs, d.choice(p)...) })
	}
	if err := d.client.frameError(event, data, h, ok); err != nil {
		d.failed = true
		return err
	}
	if !d.started {
		d.started = true
		created, _ := count(h.created)
		d.events = append(d.events, chat.Event{Kind: chat.EventStart, ID: wire.Text(h.id), Model: wire.Text(h.model), Created: created})
	}
	d.events = append(d.events, evs...)
	if u, known := readUsage(h.usage, d.quirks); known {
		d.events = append(d.events, chat.Event{Kind: chat.EventUsage, Usage: u})
	}
	return nil
}

func (d *completionDecoder) choice(p piece) (evs []chat.Event) {
	d.open.add(p.index)
	if isString(p.text) {
		evs = append(evs, chat.Event{Kind: chat.EventText, Choice: p.index, Text: wire.Text(p.text)})
	}
	if p.finish != nil && !d.finished.has(p.index) {
		d.finished.add(p.index)
		native := wire.Text(p.finish)
		evs = append(evs, chat.Event{Kind: chat.EventFinish, Choice: p.index, Finish: finishFor(native, &openChoice{}), Native: native})
	}
	return evs
}
