package openai

import (
	"bytes"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

var doneMarker = []byte("[DONE]")

// Meter looks at a native answer. It walks over each frame once and decodes
// only usage; content is counted, not copied.
func (c Client) Meter(v *dialect.View, q dialect.Quirks) dialect.Meter {
	m := &meter{client: c, quirks: q, want: 1}
	if v != nil && v.N > 1 {
		m.want = int(min(v.N, maxChoices))
	}
	m.reader.each = m.choice
	m.onCall = m.call
	m.onPiece = m.piece
	return m
}

type meter struct {
	client Client
	quirks dialect.Quirks
	want   int // choices asked for
	reader reader
	report dialect.Report

	open, finished bitset
	now            dialect.Seen // of the frame in hand
	choiceUsage    []byte
	failed         bool

	scratch callDelta
	onCall  func(*callDelta)
	onPiece func([]byte, bool)
}

// Frame looks at one event.
func (m *meter) Frame(frame []byte) dialect.Seen {
	event, data := wire.Data(frame)
	data = bytes.TrimSpace(data)
	m.now = dialect.Seen{}
	switch {
	case len(data) == 0:
	case event == "" && m.known(data):
	case bytes.Equal(data, doneMarker):
		m.now.End = true
		// A vendor may give fewer choices than asked for: no more will come.
		m.want = min(m.want, m.open.size())
	case skippable(event, data):
	default:
		m.look(event, data)
	}
	m.now.Finish = !m.failed && m.complete()
	return m.now
}

// Whole reads a complete body.
func (m *meter) Whole(body []byte) error {
	m.now = dialect.Seen{}
	m.look("", body)
	if m.now.Err != nil {
		return m.now.Err
	}
	return nil
}

// Report tells what was seen so far.
func (m *meter) Report() dialect.Report { return m.report }

// known counts a content chunk of the shape of the one before.
func (m *meter) known(data []byte) bool {
	text, ok := m.reader.shape.match(data)
	if !ok {
		return false
	}
	switch m.reader.shape.kind {
	case holeText, holeThinking:
		m.piece(text, m.reader.shape.kind == holeThinking)
	case holeCall:
		m.now.Content = true
		m.report.TextBytes += argsLen(text)
	}
	return true
}

func (m *meter) look(event string, data []byte) {
	m.choiceUsage = nil
	h, ok := m.reader.read(data)
	if err := m.client.frameError(event, data, h, ok); err != nil {
		m.failed = true
		m.now.Err = err
		return
	}
	m.reader.learn(data, h)
	if m.report.ID == "" {
		m.report.ID = wire.Text(h.id)
	}
	if m.report.Model == "" {
		m.report.Model = wire.Text(h.model)
	}
	if h.tier != nil {
		m.report.Service = wire.Text(h.tier)
	}
	raw := h.usage
	if raw == nil {
		raw = m.choiceUsage
	}
	if raw == nil {
		return
	}
	if u, known := readUsage(raw, m.quirks); known {
		m.report.Usage, m.report.Known = u, true
		m.now.UsageOnly = h.choices == 0
		if m.now.UsageOnly && m.finished.size() > 0 {
			// Usage without choices closes a stream: see the end marker.
			m.want = min(m.want, m.open.size())
		}
	}
}

func (m *meter) choice(ch *choice) {
	m.open.add(ch.index)
	pieces(ch.content, false, m.onPiece)
	pieces(ch.thinking, true, m.onPiece)
	m.piece(ch.refusal, false)
	if ch.calls != nil {
		m.report.Shown, m.now.Content = true, true
		eachCall(ch.calls, &m.scratch, m.onCall)
	}
	if ch.function != nil {
		m.report.Shown, m.now.Content = true, true
		m.function(ch.function)
	}
	if ch.images != nil {
		m.report.Shown, m.now.Content = true, true
	}
	if ch.audio != nil {
		m.report.Shown, m.now.Content = true, true
		m.report.TextBytes += wire.TextLen(audioIn(ch.audio).transcript)
	}
	if ch.usage != nil {
		m.choiceUsage = ch.usage
	}
	if ch.finish != nil && !m.finished.has(ch.index) {
		m.finished.add(ch.index)
		if m.report.Finish == "" || ch.index == 0 {
			m.report.Finish = wire.Text(ch.finish)
		}
	}
}

func (m *meter) piece(raw []byte, thinking bool) {
	if !isString(raw) {
		return
	}
	m.now.Content = m.now.Content || len(raw) > len(`""`) // vendors begin with an empty text
	if bytes.IndexByte(raw, '\\') < 0 {                   // escapes would be counted as text
		m.report.Keep(raw[1 : len(raw)-1])
	}
	if thinking {
		m.report.HideBytes += wire.TextLen(raw)
	} else {
		m.report.TextBytes += wire.TextLen(raw)
	}
}

func (m *meter) call(d *callDelta) { m.report.TextBytes += argsLen(d.args) }

func (m *meter) function(raw []byte) {
	c := cursor{b: raw}
	if c.enter('{') {
		m.scratch = callDelta{}
		m.scratch.readFunction(&c)
		m.call(&m.scratch)
	}
}

// complete: every choice asked for, and every one that was begun, is finished.
func (m *meter) complete() bool {
	n := m.finished.size()
	return n > 0 && n >= m.want && n >= m.open.size()
}

// bitset holds the indexes of choices.
type bitset struct {
	bits [maxChoices / 64]uint64
	n    int
}

func (s *bitset) has(i int) bool { return s.bits[i/64]&(1<<(i%64)) != 0 }
func (s *bitset) size() int      { return s.n }

func (s *bitset) add(i int) {
	if !s.has(i) {
		s.bits[i/64] |= 1 << (i % 64)
		s.n++
	}
}

// skippable events are those that other servers mix in under a name of their
// own, with data that is no JSON object (pings, timings).
func skippable(event string, data []byte) bool {
	return event != "" && event != "message" && event != "error" && data[0] != '{'
}

// frameError finds an error in a frame that was read: an error member, an error
// event, or text that is no answer at all.
func (c Client) frameError(event string, data []byte, h head, ok bool) *hub.Error {
	switch {
	case h.err != nil, event == "error":
		return faults.Read(0, nil, data, c.Now)
	case !ok:
		return &hub.Error{
			Code: hub.CodeUpstream, Class: hub.ClassRetry,
			Message: "The provider sent an answer that cannot be read.",
		}
	}
	return nil
}
