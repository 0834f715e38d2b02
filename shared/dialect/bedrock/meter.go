package bedrock

import (
	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Meter looks at an answer. No call is native, so it need not be faster than
// decoding.
func (c Client) Meter(_ *dialect.View, q dialect.Quirks) dialect.Meter {
	return &meter{decoder: c.Decoder(q)}
}

type meter struct {
	decoder dialect.Decoder
	report  dialect.Report
}

// Frame looks at one message.
func (m *meter) Frame(frame []byte) dialect.Seen {
	events, err := m.decoder.Frame(frame)
	var seen dialect.Seen
	for _, ev := range events {
		switch ev.Kind {
		case chat.EventText, chat.EventToolArgs:
			m.report.TextBytes += int64(len(ev.Text))
			seen.Content = true
		case chat.EventThinking:
			m.report.HideBytes += int64(len(ev.Text))
			seen.Content = true
		case chat.EventToolCall, chat.EventRedacted, chat.EventMedia:
			seen.Content = true
		case chat.EventFinish:
			m.report.Finish = ev.Native
		case chat.EventUsage:
			m.report.Usage, m.report.Known = ev.Usage, true
			seen.UsageOnly, seen.End = len(events) == 1, true
		}
	}
	if err != nil {
		seen.Err = hub.AsError(err)
	}
	seen.Finish = m.report.Finish != ""
	return seen
}

// Whole reads a complete body.
func (m *meter) Whole(body []byte) error {
	res, err := Client{}.Decode(body, dialect.Quirks{})
	if err != nil {
		return err
	}
	m.report.Usage, m.report.Known, m.report.Finish = res.Usage, res.UsageKnown, res.Choices[0].Native
	m.report.Service = res.ServiceTier
	for _, p := range res.Choices[0].Parts {
		switch p.Kind {
		case chat.Thinking:
			m.report.HideBytes += int64(len(p.Text))
		case chat.ToolCallPart:
			m.report.TextBytes += int64(len(p.ToolCall.Arguments))
		default:
			m.report.TextBytes += int64(len(p.Text))
		}
	}
	return nil
}

// Report tells what is known so far.
func (m *meter) Report() dialect.Report { return m.report }
