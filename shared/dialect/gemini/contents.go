package gemini

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// content is Content: one turn.
type content struct {
	Role  string `json:"role,omitempty"`
	Parts []part `json:"parts"`
}

// part is Part; one of its data fields is set.
type part struct {
	Text             string            `json:"text,omitempty"`
	InlineData       *blob             `json:"inlineData,omitempty"`
	FileData         *fileData         `json:"fileData,omitempty"`
	FunctionCall     *functionCall     `json:"functionCall,omitempty"`
	FunctionResponse *functionResponse `json:"functionResponse,omitempty"`
	ThoughtSignature string            `json:"thoughtSignature,omitempty"`
}

type blob struct {
	MIMEType string `json:"mimeType"`
	Data     string `json:"data"`
}

type fileData struct {
	MIMEType string `json:"mimeType,omitempty"`
	FileURI  string `json:"fileUri"`
}

type functionCall struct {
	ID   string          `json:"id,omitempty"`
	Name string          `json:"name"`
	Args json.RawMessage `json:"args"`
}

type functionResponse struct {
	ID       string          `json:"id,omitempty"`
	Name     string          `json:"name"`
	Response json.RawMessage `json:"response"`
}

// conversation splits system messages from turns and merges neighbouring turns
// of one role: the API wants every function response of a step in one turn.
func (e *encoder) conversation() (*content, []content, error) {
	var (
		system []part
		turns  []content
	)
	for i, m := range e.req.Messages {
		at := fmt.Sprintf("%s[%d]", e.req.ParamName("messages"), i)
		parts, err := e.parts(at, m)
		if err != nil {
			return nil, nil, err
		}
		switch m.Role {
		case chat.System, chat.Developer:
			system = append(system, parts...)
		case chat.User, chat.ToolRole:
			turns = appendTurn(turns, "user", parts)
		case chat.Assistant:
			if signsCalls(e.target.Model) {
				signCalls(parts)
			}
			turns = appendTurn(turns, "model", parts)
		default:
			return nil, nil, hub.Invalid(at+".role", "The role %q is not known.", m.Role)
		}
	}
	if len(turns) == 0 && len(system) > 0 {
		// The API refuses a request without contents; instructions alone are
		// then what the user says.
		return nil, []content{{Role: "user", Parts: system}}, nil
	}
	if len(turns) == 0 {
		name := e.req.ParamName("messages")
		return nil, nil, hub.Invalid(name, "%s must hold at least one message with content.", name)
	}
	if len(system) == 0 {
		return nil, turns, nil
	}
	return &content{Parts: system}, turns, nil
}

func appendTurn(turns []content, role string, parts []part) []content {
	if len(parts) == 0 {
		return turns
	}
	if n := len(turns); n > 0 && turns[n-1].Role == role {
		turns[n-1].Parts = append(turns[n-1].Parts, parts...)
		return turns
	}
	return append(turns, content{Role: role, Parts: parts})
}

// parts translates one message. Thinking is left out: the API wants back
// signatures of calls only, and another vendor's would be refused. Empty texts
// are left out too, as the API refuses them.
func (e *encoder) parts(at string, m chat.Message) ([]part, error) {
	var out []part
	for j, p := range m.Parts {
		here := fmt.Sprintf("%s.content[%d]", at, j)
		if (m.Role == chat.System || m.Role == chat.Developer) && p.Kind != chat.Text {
			return nil, hub.Invalid(here, "Instructions for this model can hold only text.")
		}
		switch p.Kind {
		case chat.Text, chat.Refusal:
			if p.Text != "" {
				out = append(out, part{Text: p.Text})
			}
		case chat.Image, chat.Audio, chat.File:
			media, err := mediaPart(here, p)
			if err != nil {
				return nil, err
			}
			out = append(out, media)
		case chat.ToolCallPart:
			call, err := e.call(at, p)
			if err != nil {
				return nil, err
			}
			out = append(out, call)
		case chat.ToolResultPart:
			results, err := e.result(here, p.ToolResult)
			if err != nil {
				return nil, err
			}
			out = append(out, results...)
		case chat.Thinking, chat.RedactedThinking:
		default:
			return nil, hub.Invalid(here+".type", "Content of type %q is not supported by this model.", p.RawType)
		}
	}
	return out, nil
}

func (e *encoder) call(at string, p chat.Part) (part, error) {
	c := p.ToolCall
	if c == nil || c.Name == "" {
		return part{}, hub.Invalid(at+".tool_calls", "A tool call must name its function.")
	}
	args := strings.TrimSpace(c.Arguments)
	if args == "" {
		args = "{}"
	}
	if _, err := wire.Parse([]byte(args)); err != nil {
		return part{}, hub.Invalid(at+".tool_calls", "The arguments of the call to %q are not a JSON object: %v.", c.Name, err)
	}
	e.calls[c.ID] = c.Name
	return part{
		FunctionCall:     &functionCall{ID: c.ID, Name: c.Name, Args: json.RawMessage(args)},
		ThoughtSignature: p.Signature,
	}, nil
}

// result translates a tool's answer; pictures in it follow as parts of the same
// turn.
func (e *encoder) result(at string, r *chat.ToolResult) ([]part, error) {
	if r == nil {
		return nil, hub.Invalid(at, "A tool result is empty.")
	}
	name, ok := e.calls[r.CallID]
	if !ok {
		name = r.Name
	}
	if name == "" {
		return nil, hub.Invalid(at+".tool_call_id", "No earlier tool call has the id %q.", r.CallID)
	}
	out := []part{{}}
	var text strings.Builder
	for k, p := range r.Parts {
		here := fmt.Sprintf("%s.content[%d]", at, k)
		switch p.Kind {
		case chat.Text, chat.Refusal:
			text.WriteString(p.Text)
		case chat.Image, chat.Audio, chat.File:
			media, err := mediaPart(here, p)
			if err != nil {
				return nil, err
			}
			out = append(out, media)
		default:
			return nil, hub.Invalid(here+".type", "A tool result can hold only text and media.")
		}
	}
	out[0].FunctionResponse = &functionResponse{ID: r.CallID, Name: name, Response: outcome(text.String(), r.IsError)}
	return out, nil
}

// outcome makes the object that the API wants as a function's response. It
// documents "result" and "error" as the keys for what is no object.
func outcome(text string, failed bool) json.RawMessage {
	_, err := wire.Parse([]byte(text))
	object := err == nil
	if object && !failed {
		return json.RawMessage(text)
	}
	value := json.RawMessage(text)
	if !object {
		// A string always has a JSON form.
		value, _ = json.Marshal(text)
	}
	key := "result"
	if failed {
		key = "error"
	}
	out, _ := json.Marshal(map[string]json.RawMessage{key: value})
	return out
}
