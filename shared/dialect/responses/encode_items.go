package responses

import (
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

type messageItem struct {
	Type    string `json:"type"`
	Role    string `json:"role"`
	Content []any  `json:"content"`
}

type callItem struct {
	Type      string `json:"type"`
	CallID    string `json:"call_id"`
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

type outputItem struct {
	Type   string `json:"type"`
	CallID string `json:"call_id"`
	Output any    `json:"output"`
}

type reasoningItem struct {
	Type      string    `json:"type"`
	ID        string    `json:"id"`
	Summary   []textOut `json:"summary"`
	Encrypted string    `json:"encrypted_content"`
}

type textOut struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

type refusalOut struct {
	Type    string `json:"type"`
	Refusal string `json:"refusal"`
}

type imageOut struct {
	Type   string `json:"type"`
	URL    string `json:"image_url,omitempty"`
	FileID string `json:"file_id,omitempty"`
	Detail string `json:"detail,omitempty"`
}

type fileOut struct {
	Type   string `json:"type"`
	FileID string `json:"file_id,omitempty"`
	URL    string `json:"file_url,omitempty"`
	Data   string `json:"file_data,omitempty"`
	Name   string `json:"filename,omitempty"`
}

func (e *translator) input() error {
	e.out.Input = []any{}
	for i := range e.req.Messages {
		m := &e.req.Messages[i]
		at := e.req.MessageAt(i)
		if m.Name != "" && m.Role != chat.ToolRole {
			e.drop("messages.name")
		}
		var err error
		switch m.Role {
		case chat.System, chat.Developer, chat.User:
			err = e.turn(at, m)
		case chat.Assistant:
			err = e.assistant(at, m)
		case chat.ToolRole:
			err = e.results(at, m)
		default:
			err = hub.Invalid(at+".role", "The role %q is not known to the model %q.", m.Role, e.req.Model)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *translator) cannot(at, what string) error {
	return hub.Invalid(at, "%s: the model %q cannot be sent %s.", at, e.req.Model, what)
}

func (e *translator) turn(at string, m *chat.Message) error {
	parts, err := e.parts(at, m.Parts)
	if err != nil {
		return err
	}
	e.out.Input = append(e.out.Input, messageItem{"message", string(m.Role), parts})
	return nil
}

func (e *translator) parts(at string, parts []chat.Part) ([]any, error) {
	out := make([]any, 0, len(parts))
	for i := range parts {
		p := &parts[i]
		if p.Cache != nil {
			e.drop("cache_control")
		}
		switch {
		case p.Kind == chat.Text:
			out = append(out, textOut{"input_text", p.Text})
		case p.Kind == chat.Image && p.Media != nil:
			out = append(out, imageItem(p.Media))
		case p.Kind == chat.File && p.Media != nil:
			out = append(out, fileItem(p.Media))
		case p.Kind == chat.Audio:
			return nil, e.cannot(at, "sound")
		case p.Kind == chat.Raw:
			return nil, e.cannot(at, fmt.Sprintf("a block of type %q", p.RawType))
		default:
			return nil, e.cannot(at, "a part of this kind in a message of this role")
		}
	}
	return out, nil
}

func imageItem(m *chat.Media) imageOut {
	out := imageOut{Type: "input_image", Detail: firstOf(m.Detail, "auto")}
	switch {
	case m.Data != "":
		out.URL = "data:" + firstOf(m.MIME, "image/png") + ";base64," + m.Data
	case m.URL != "":
		out.URL = m.URL
	default:
		out.FileID = m.FileID
	}
	return out
}

func fileItem(m *chat.Media) fileOut {
	out := fileOut{Type: "input_file", FileID: m.FileID, Name: m.Filename}
	switch {
	case m.Data != "":
		out.FileID = ""
		out.Data = "data:" + firstOf(m.MIME, "application/pdf") + ";base64," + m.Data
		out.Name = firstOf(m.Filename, "document") // required beside file_data
	case m.URL != "":
		out.URL, out.FileID, out.Name = m.URL, "", ""
	case m.FileID != "":
		out.Name = ""
	}
	return out
}

// assistant gives each thought and call an item of its own, and what was said
// between them a message.
func (e *translator) assistant(at string, m *chat.Message) error {
	var said []any
	flush := func() {
		if len(said) > 0 {
			e.out.Input = append(e.out.Input, messageItem{"message", "assistant", said})
			said = nil
		}
	}
	for i := range m.Parts {
		p := &m.Parts[i]
		if p.Cache != nil {
			e.drop("cache_control")
		}
		switch p.Kind {
		case chat.Text:
			said = append(said, textOut{"output_text", p.Text})
		case chat.Refusal:
			said = append(said, refusalOut{"refusal", p.Text})
		case chat.Thinking:
			flush()
			e.thought(p)
		case chat.RedactedThinking: // OpenAI's: a sealed thought that came without its summary
			flush()
			e.thought(p)
		case chat.ToolCallPart:
			flush()
			e.out.Input = append(e.out.Input, callItem{"function_call", p.ToolCall.ID, p.ToolCall.Name, firstOf(p.ToolCall.Arguments, "{}")})
		default:
			return e.cannot(at, "anything but text, thoughts and calls in an assistant's message")
		}
	}
	flush()
	return nil
}

// thought sends back what OpenAI has sealed. Other thoughts it would refuse.
func (e *translator) thought(p *chat.Part) {
	if p.Signature == "" || p.SignedBy != chat.SignedOpenAI {
		return
	}
	item := reasoningItem{Type: "reasoning", ID: thoughtID(p.ID, newID("rs_")), Summary: []textOut{}, Encrypted: p.Signature}
	if p.Text != "" {
		item.Summary = append(item.Summary, textOut{"summary_text", p.Text})
	}
	e.out.Input = append(e.out.Input, item)
}

func (e *translator) results(at string, m *chat.Message) error {
	for i := range m.Parts {
		r := m.Parts[i].ToolResult
		if m.Parts[i].Kind != chat.ToolResultPart || r == nil {
			return e.cannot(at, "anything but tool results in a tool's message")
		}
		if r.IsError {
			e.drop("is_error") // the text says so; there is no field for it
		}
		if m.Parts[i].Cache != nil {
			e.drop("cache_control")
		}
		parts, err := e.parts(at, r.Parts)
		if err != nil {
			return err
		}
		var output any = parts
		if text, ok := onlyText(r.Parts); ok {
			output = text
		}
		e.out.Input = append(e.out.Input, outputItem{"function_call_output", r.CallID, output})
	}
	return nil
}

func onlyText(parts []chat.Part) (string, bool) {
	if len(parts) > 1 || len(parts) == 1 && parts[0].Kind != chat.Text {
		return "", false
	}
	return chat.TextOf(parts, chat.Text), true
}
