package responses

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Meter looks at a native answer. Of deltas only the length is taken; events
// that hold the whole answer are decoded.
func (c Client) Meter(*dialect.View, dialect.Quirks) dialect.Meter { return &meter{client: c} }

type meter struct {
	client Client
	report dialect.Report
}

// Frame looks at one event.
func (m *meter) Frame(frame []byte) (seen dialect.Seen) {
	event, data := wire.Data(frame)
	if len(data) == 0 {
		return seen
	}
	if event == "" {
		event = wordOf(wire.Member(data, "type"))
	}
	switch event {
	case "response.output_text.delta", "response.refusal.delta", "response.function_call_arguments.delta",
		"response.custom_tool_call_input.delta", "response.mcp_call_arguments.delta", "response.code_interpreter_call_code.delta":
		seen.Content = true
		m.report.TextBytes += wire.TextLen(wire.Member(data, "delta"))
	case "response.reasoning_summary_text.delta", "response.reasoning_text.delta":
		seen.Content = true
		m.report.HideBytes += wire.TextLen(wire.Member(data, "delta"))
	case "response.output_item.added":
		seen.Content = true
		m.shows(wordOf(wire.Member(wire.Member(data, "item"), "type")))
	case "response.created", "response.in_progress", "response.queued":
		m.head(wire.Member(data, "response"))
	case "response.completed", "response.incomplete":
		seen.Finish, seen.End = true, true
		seen.Err = m.answer(wire.Member(data, "response"))
	case "response.failed":
		m.usage(wire.Member(data, "response"))
		seen.Err = m.client.broken(data)
	case "error":
		seen.Err = m.client.broken(data)
	case "":
		if !absent(wire.Member(data, "error")) { // a plain error body, as gateways send it
			seen.Err = m.client.broken(data)
		}
	}
	return seen
}

// Whole reads a complete body.
func (m *meter) Whole(body []byte) error {
	if err := m.answer(body); err != nil {
		return err
	}
	return nil
}

// Report tells what was seen so far.
func (m *meter) Report() dialect.Report { return m.report }

func (m *meter) head(raw []byte) {
	if m.report.ID == "" {
		m.report.ID = wordOf(wire.Member(raw, "id"))
		m.report.Model = wire.Text(wire.Member(raw, "model"))
	}
}

func (m *meter) usage(raw []byte) {
	var r responseIn
	if json.Unmarshal(raw, &r) != nil {
		return
	}
	if u, known := r.Usage.buckets(r.searches()); known {
		m.report.Usage, m.report.Known = u, true
	}
}

// answer reads the whole answer, which ends a stream or is the body.
func (m *meter) answer(raw []byte) *hub.Error {
	m.head(raw)
	var r responseIn
	if err := json.Unmarshal(raw, &r); err != nil {
		return unreadable()
	}
	if err := m.client.failed(&r, raw); err != nil {
		return err
	}
	m.report.Finish, m.report.Service = r.native(), wire.Text(wire.Member(raw, "service_tier"))
	if u, known := r.Usage.buckets(r.searches()); known {
		m.report.Usage, m.report.Known = u, true
	}
	if m.report.TextBytes+m.report.HideBytes > 0 {
		return nil // counted as it streamed
	}
	for i := range r.Output {
		m.item(&r.Output[i])
	}
	return nil
}

// shows notes an item that is more than words.
func (m *meter) shows(kind string) {
	m.report.Shown = m.report.Shown || (kind != "" && kind != "message" && kind != "reasoning")
}

func (m *meter) item(it *itemIn) {
	m.shows(it.Type)
	m.report.TextBytes += int64(len(it.Arguments) + len(it.Input))
	for _, p := range it.parts() {
		m.report.TextBytes += int64(len(p.Text) + len(p.Refusal))
	}
	m.report.HideBytes += int64(len(it.thought()))
}

func unreadable() *hub.Error {
	return &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Message: "The provider sent an answer that cannot be read."}
}
