package openai

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

type messageOut struct {
	Role             string    `json:"role"`
	Content          any       `json:"content"` // string, []partOut or null
	Name             string    `json:"name,omitempty"`
	Refusal          string    `json:"refusal,omitempty"`
	ReasoningContent string    `json:"reasoning_content,omitempty"`
	Reasoning        string    `json:"reasoning,omitempty"`
	Details          []detail  `json:"reasoning_details,omitempty"`
	ToolCalls        []callOut `json:"tool_calls,omitempty"`
	ToolCallID       string    `json:"tool_call_id,omitempty"`
	Audio            *idOut    `json:"audio,omitempty"`
}

type idOut struct {
	ID string `json:"id"`
}

type partOut struct {
	Type     string    `json:"type"`
	Text     *string   `json:"text,omitempty"`
	Refusal  *string   `json:"refusal,omitempty"`
	Image    *imageOut `json:"image_url,omitempty"`
	Audio    *audioOut `json:"input_audio,omitempty"`
	File     *fileOut  `json:"file,omitempty"`
	Thinking []partOut `json:"thinking,omitempty"` // Mistral
}

type imageOut struct {
	URL    string `json:"url"`
	Detail string `json:"detail,omitempty"`
}

type audioOut struct {
	Data   string `json:"data"`
	Format string `json:"format"`
}

type fileOut struct {
	ID   string `json:"file_id,omitempty"`
	Data string `json:"file_data,omitempty"`
	Name string `json:"filename,omitempty"`
}

type callOut struct {
	ID       string          `json:"id"`
	Type     string          `json:"type"`
	Function callFunctionOut `json:"function"`
}

type callFunctionOut struct {
	Name      string `json:"name"`
	Arguments string `json:"arguments"`
}

func (e *encoder) messages() error {
	out := make([]messageOut, 0, len(e.req.Messages))
	for i := range e.req.Messages {
		m := &e.req.Messages[i]
		at := e.req.MessageAt(i)
		err := e.named(at, m)
		if err != nil {
			return err
		}
		switch m.Role {
		case chat.System, chat.Developer:
			out, err = e.instruction(out, at, m)
		case chat.User:
			out, err = e.user(out, at, m)
		case chat.Assistant:
			out, err = e.assistant(out, at, m)
		case chat.ToolRole:
			out, err = e.results(out, at, m)
		default:
			err = hub.Invalid(at+".role", "The role %q is not known to the model %q.", m.Role, e.req.Model)
		}
		if err != nil {
			return err
		}
	}
	if e.schema() == schemaByWords {
		out = e.withSchema(out)
	}
	e.set("messages", out)
	return nil
}

func (e *encoder) cannot(at, what string) error {
	return hub.Invalid(at, "%s: the model %q cannot be sent %s.", at, e.req.Model, what)
}

func (e *encoder) instruction(out []messageOut, at string, m *chat.Message) ([]messageOut, error) {
	role := string(m.Role)
	if e.quirks.NoDeveloper {
		role = string(chat.System)
	}
	parts, err := e.parts(at, m.Parts)
	for _, p := range parts {
		if p.Type != "text" && err == nil {
			err = e.cannot(at, "anything but text in a system message")
		}
	}
	return append(out, messageOut{Role: role, Name: m.Name, Content: contentOf(parts)}), err
}

func (e *encoder) user(out []messageOut, at string, m *chat.Message) ([]messageOut, error) {
	parts, err := e.parts(at, m.Parts)
	return append(out, messageOut{Role: string(chat.User), Name: m.Name, Content: contentOf(parts)}), err
}

// contentOf is a plain string where there is one text: every vendor reads that.
func contentOf(parts []partOut) any {
	switch {
	case len(parts) == 0:
		return ""
	case len(parts) == 1 && parts[0].Type == "text":
		return *parts[0].Text
	}
	return parts
}

func (e *encoder) parts(at string, parts []chat.Part) ([]partOut, error) {
	out := make([]partOut, 0, len(parts))
	for i := range parts {
		p, err := e.part(at, &parts[i])
		if err != nil {
			return nil, err
		}
		out = append(out, p)
	}
	return out, nil
}

func (e *encoder) part(at string, p *chat.Part) (partOut, error) {
	if p.Cache != nil {
		e.drop("cache_control") // prompts are cached without being asked
	}
	if p.Annotations != nil {
		e.drop("messages.annotations") // of an earlier answer; there is no field for them
	}
	switch p.Kind {
	case chat.Text:
		return partOut{Type: "text", Text: &p.Text}, nil
	case chat.Refusal:
		return partOut{Type: "refusal", Refusal: &p.Text}, nil
	case chat.Image, chat.Audio, chat.File:
		if p.Media != nil {
			return e.media(at, p.Kind, p.Media)
		}
	case chat.Raw:
		return partOut{}, e.cannot(at, fmt.Sprintf("a block of type %q", p.RawType))
	}
	return partOut{}, e.cannot(at, "a part of this kind in a message of this role")
}

func (e *encoder) media(at string, kind chat.PartKind, m *chat.Media) (partOut, error) {
	switch {
	case kind == chat.Image && m.Data != "":
		return partOut{Type: "image_url", Image: &imageOut{dataURL(m, "image/png"), m.Detail}}, nil
	case kind == chat.Image && m.URL != "":
		return partOut{Type: "image_url", Image: &imageOut{m.URL, m.Detail}}, nil
	case kind == chat.Image:
		return partOut{}, e.cannot(at, "an image by a file id")
	case kind == chat.Audio && m.Data != "":
		return partOut{Type: "input_audio", Audio: &audioOut{m.Data, audioFormat(m.MIME)}}, nil
	case kind == chat.Audio:
		return partOut{}, e.cannot(at, "sound that is not in the request itself")
	case m.FileID != "":
		return partOut{Type: "file", File: &fileOut{ID: m.FileID, Name: m.Filename}}, nil
	case m.Data == "":
		return partOut{}, e.cannot(at, "a document by its URL")
	}
	if strings.HasPrefix(m.MIME, "text/") {
		if text, err := base64.StdEncoding.DecodeString(m.Data); err == nil {
			s := string(text) // plain text documents are text to this language
			return partOut{Type: "text", Text: &s}, nil
		}
	}
	name := m.Filename
	if name == "" {
		name = "document" // required beside file_data
	}
	return partOut{Type: "file", File: &fileOut{Data: dataURL(m, "application/pdf"), Name: name}}, nil
}

// maxCallID is how long OpenAI lets the id of a tool call be.
const maxCallID = 40

// callID shortens an id of another language, the same way wherever it stands.
func callID(id string) string {
	if len(id) <= maxCallID {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(sum[:16])
}

func (e *encoder) assistant(out []messageOut, at string, m *chat.Message) ([]messageOut, error) {
	msg := messageOut{Role: string(chat.Assistant), Name: m.Name}
	var visible []partOut
	var thought strings.Builder
	for i := range m.Parts {
		switch p := &m.Parts[i]; p.Kind {
		case chat.Thinking:
			thought.WriteString(p.Text)
		case chat.RedactedThinking: // readable by its own provider only
		case chat.ToolCallPart:
			args := p.ToolCall.Arguments
			if args == "" {
				args = "{}"
			}
			msg.ToolCalls = append(msg.ToolCalls, callOut{callID(p.ToolCall.ID), "function", callFunctionOut{p.ToolCall.Name, args}})
		case chat.Image, chat.File:
			return nil, e.cannot(at, "pictures or documents in an assistant's message")
		case chat.Audio:
			if p.Media == nil || p.Media.FileID == "" {
				return nil, e.cannot(at, "sound in an assistant's message but by its id")
			}
			msg.Audio = &idOut{p.Media.FileID}
		default:
			one, err := e.part(at, p)
			if err != nil {
				return nil, err
			}
			visible = append(visible, one)
		}
	}
	if e.quirks.ReasoningDetails {
		// They hold the text too.
		if msg.Details = detailsOf(acceptable(m.Parts, e.target.Model), true); msg.Details != nil {
			thought.Reset()
		}
	}
	switch e.quirks.ReasoningField {
	case "reasoning_content":
		msg.ReasoningContent = thought.String()
	case "reasoning":
		msg.Reasoning = thought.String()
	case dialect.ThinkingParts:
		if text := thought.String(); text != "" {
			visible = append([]partOut{{Type: "thinking", Thinking: []partOut{{Type: "text", Text: &text}}}}, visible...)
		}
	}
	switch {
	case len(visible) == 1 && visible[0].Type == "refusal":
		msg.Refusal = *visible[0].Refusal
	case len(visible) > 0 || len(msg.ToolCalls) == 0 && msg.Audio == nil:
		msg.Content = contentOf(visible)
	}
	return append(out, msg), nil
}

// results are one message each. Tool messages hold text only, so pictures and
// documents follow in a user message that says whose they are.
func (e *encoder) results(out []messageOut, at string, m *chat.Message) ([]messageOut, error) {
	var attached []partOut
	for i := range m.Parts {
		r := m.Parts[i].ToolResult
		if m.Parts[i].Kind != chat.ToolResultPart || r == nil {
			return nil, e.cannot(at, "anything but tool results in a tool's message")
		}
		if r.IsError {
			e.drop("is_error") // the text says so; there is no field for it
		}
		if m.Parts[i].Cache != nil {
			e.drop("cache_control")
		}
		parts, err := e.parts(at, r.Parts)
		if err != nil {
			return nil, err
		}
		var texts, others []partOut
		for _, p := range parts {
			if p.Type == "text" {
				texts = append(texts, p)
			} else {
				others = append(others, p)
			}
		}
		if len(others) > 0 {
			note := fmt.Sprintf("Attached to the result of tool call %s:", r.CallID)
			attached = append(append(attached, partOut{Type: "text", Text: &note}), others...)
			if len(texts) == 0 {
				see := "The result is attached to the next message."
				texts = []partOut{{Type: "text", Text: &see}}
			}
		}
		out = append(out, messageOut{Role: string(chat.ToolRole), ToolCallID: callID(r.CallID), Content: contentOf(texts)})
	}
	if len(attached) > 0 {
		out = append(out, messageOut{Role: string(chat.User), Content: attached})
	}
	return out, nil
}
