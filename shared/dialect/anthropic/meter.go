package anthropic

import (
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Meter looks at a native answer. Usage is reported as known once the provider
// told output_tokens at the end: message_start's is a placeholder, though its
// input figures are in the report from then on.
func (Client) Meter(*dialect.View, dialect.Quirks) dialect.Meter { return &meter{} }

type meter struct {
	tally      tally
	text, hide int64
	model, id  string
	finish     string
	shown      bool
}

// Frame looks at one event.
func (m *meter) Frame(frame []byte) dialect.Seen {
	seen := dialect.Seen{Finish: m.finish != ""}
	data := dataOf(frame)
	if d := deltaOf(data); d != nil {
		seen.Content = m.delta(d)
		return seen
	}
	switch string(wire.Member(data, "type")) {
	case `"content_block_delta"`:
		seen.Content = m.delta(wire.Member(data, "delta"))
	case `"content_block_start"`:
		seen.Content = m.block(wire.Member(data, "content_block"))
	case `"message_start"`:
		msg := wire.Member(data, "message")
		m.id, m.model = wire.Text(wire.Member(msg, "id")), wire.Text(wire.Member(msg, "model"))
		m.tally.add(wire.Member(msg, "usage"), false)
	case `"message_delta"`:
		m.tally.add(wire.Member(data, "usage"), true)
		if native := wire.Text(wire.Member(wire.Member(data, "delta"), "stop_reason")); native != "" && m.finish == "" {
			m.finish, seen.Finish = native, true
		}
	case `"message_stop"`:
		seen.End = true
	case `"error"`:
		seen.Err = streamError(data)
	}
	return seen
}

// delta counts a piece of a block and tells whether callers see it.
func (m *meter) delta(d []byte) bool {
	switch string(wire.Member(d, "type")) {
	case `"text_delta"`:
		n := wire.TextLen(wire.Member(d, "text"))
		m.text += n
		return n > 0
	case `"input_json_delta"`:
		n := wire.TextLen(wire.Member(d, "partial_json"))
		m.text += n
		return n > 0
	case `"thinking_delta"`:
		n := wire.TextLen(wire.Member(d, "thinking"))
		m.hide += n
		return n > 0
	case `"citations_delta"`:
		return true
	}
	return false
}

// block counts a block that is complete or begins.
func (m *meter) block(b []byte) bool {
	switch string(wire.Member(b, "type")) {
	case `"text"`:
		n := wire.TextLen(wire.Member(b, "text"))
		m.text += n
		return n > 0
	case `"thinking"`:
		n := wire.TextLen(wire.Member(b, "thinking"))
		m.hide += n
		return n > 0
	case `"tool_use"`, `"server_tool_use"`:
		if input := wire.Member(b, "input"); len(input) > len("{}") {
			m.text += int64(len(input))
		}
		m.shown = true
		return true
	case `"redacted_thinking"`:
		return true
	}
	// Results of the provider's tools, and what is not known.
	m.shown = m.shown || len(b) > 0
	return len(b) > 0
}

// Whole reads a complete body.
func (m *meter) Whole(body []byte) error {
	a, err := readAnswer(body)
	if err != nil {
		return err
	}
	m.id, m.model = a.ID, a.Model
	if a.StopReason != nil {
		m.finish = *a.StopReason
	}
	for _, b := range a.Content {
		m.block(b)
	}
	m.tally.add(a.Usage, true)
	return nil
}

// Report tells what is known so far.
func (m *meter) Report() dialect.Report {
	return dialect.Report{
		Usage: m.tally.usage(), Known: m.tally.final, TextBytes: m.text, HideBytes: m.hide, Shown: m.shown,
		Model: m.model, ID: m.id, Finish: m.finish, Service: m.tally.service,
	}
}
