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

// part is Part; one of its data fields is set. raw stands for the whole of it.
type part struct {
	Text             string            `json:"text,omitempty"`
	Thought          bool              `json:"thought,omitempty"`
	InlineData       *blob             `json:"inlineData,omitempty"`
	FileData         *fileData         `json:"fileData,omitempty"`
	FunctionCall     *functionCall     `json:"functionCall,omitempty"`
	FunctionResponse *functionResponse `json:"functionResponse,omitempty"`
	ThoughtSignature string            `json:"thoughtSignature,omitempty"`

	raw json.RawMessage
}

// MarshalJSON writes the raw form where there is one.
func (p part) MarshalJSON() ([]byte, error) {
	type plain part
	if p.raw != nil {
		return p.raw, nil
	}
	return encodeJSON(plain(p)), nil
}

// ownPart lists parts that only this language has and that go back as they came.
var ownPart = map[string]bool{"executableCode": true, "codeExecutionResult": true, "toolCall": true, "toolResponse": true}

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
	Parts    []part          `json:"parts,omitempty"`
}

// conversation splits system messages from turns and merges neighbouring turns
// of one role: the API wants every function response of a step in one turn.
func (e *encoder) conversation() (*content, []content, error) {
	var (
		system []part
		turns  []content
	)
	for i, m := range e.req.Messages {
		at := e.req.MessageAt(i)
		parts, err := e.parts(i, m)
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

// parts translates one message. Thinking goes back where a model of Google's
// signed it; other thinking is left out: the API does not ask for it, and other
// vendors' signatures would be refused. Empty texts are left out too, as the API
// refuses them.
func (e *encoder) parts(i int, m chat.Message) ([]part, error) {
	var out []part
	for j, p := range m.Parts {
		here := e.req.PartAt(i, j)
		e.cached(p.Cache)
		if (m.Role == chat.System || m.Role == chat.Developer) && p.Kind != chat.Text {
			return nil, hub.Invalid(here, "Instructions for this model can hold only text.")
		}
		switch p.Kind {
		case chat.Text, chat.Refusal:
			if p.Text != "" {
				out = append(out, part{Text: p.Text, ThoughtSignature: googles(p)})
			}
		case chat.Image, chat.Audio, chat.File:
			media, err := e.media(here, p)
			if err != nil {
				return nil, err
			}
			out = append(out, media)
		case chat.ToolCallPart:
			call, err := e.call(here, p)
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
		case chat.Thinking:
			if signature := googles(p); signature != "" {
				out = append(out, part{Text: p.Text, Thought: true, ThoughtSignature: signature})
			}
		case chat.RedactedThinking:
		default:
			if p.Kind == chat.Raw && ownPart[p.RawType] {
				out = append(out, part{raw: p.RawJSON})
				continue
			}
			return nil, hub.Invalid(here+".type", "Content of type %q is not supported by this model.", p.RawType)
		}
	}
	return out, nil
}

// googles is a part's signature where a model of Google's made it.
func googles(p chat.Part) string {
	if p.SignedBy != chat.SignedGoogle {
		return ""
	}
	return p.Signature
}

// media translates a picture, sound or document. The API has no setting for how
// closely one picture is looked at.
func (e *encoder) media(at string, p chat.Part) (part, error) {
	if p.Media != nil && p.Media.Detail != "" && p.Media.Detail != "auto" {
		e.drop(at + ".detail")
	}
	if p.Media != nil && strings.HasPrefix(p.Media.URL, "http") && !takesURLs(e.target.Model, p.Media.URL) {
		return part{}, hub.Invalid(at+".url", "The model %s cannot fetch URLs; send the data itself.", e.target.Model)
	}
	return mediaPart(at, p)
}

func (e *encoder) call(at string, p chat.Part) (part, error) {
	c := p.ToolCall
	if c == nil || c.Name == "" {
		return part{}, hub.Invalid(at, "A tool call must name its function.")
	}
	args := strings.TrimSpace(c.Arguments)
	if args == "" {
		args = "{}"
	}
	if _, err := wire.Parse([]byte(args)); err != nil {
		return part{}, hub.Invalid(at, "The arguments of the call to %q are not a JSON object: %v.", c.Name, err)
	}
	e.calls[c.ID] = c.Name
	return part{
		FunctionCall:     &functionCall{ID: c.ID, Name: c.Name, Args: json.RawMessage(args)},
		ThoughtSignature: googles(p),
	}, nil
}

// nestable lists the types that may be parts of a function's response.
var nestable = map[string]bool{
	"image/png": true, "image/jpeg": true, "image/webp": true, "application/pdf": true, "text/plain": true,
}

// result translates a tool's answer. From generation 3 on its pictures and
// documents are parts of it (ai.google.dev, "Multimodal function responses");
// for older models, and where only a URL is given, they follow it in the same
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
	response := &functionResponse{ID: r.CallID, Name: name}
	var text strings.Builder
	for k, p := range r.Parts {
		here := fmt.Sprintf("%s.content[%d]", at, k)
		switch p.Kind {
		case chat.Text, chat.Refusal:
			text.WriteString(p.Text)
		case chat.Image, chat.Audio, chat.File:
			media, err := e.media(here, p)
			if err != nil {
				return nil, err
			}
			if media.InlineData != nil && nestable[media.InlineData.MIMEType] && signsCalls(e.target.Model) {
				response.Parts = append(response.Parts, media)
				continue
			}
			out = append(out, media)
		default:
			return nil, hub.Invalid(here+".type", "A tool result can hold only text and media.")
		}
	}
	response.Response = outcome(text.String(), r.IsError)
	out[0].FunctionResponse = response
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
		value = quoted(text)
	}
	key := "result"
	if failed {
		key = "error"
	}
	return encodeJSON(map[string]json.RawMessage{key: value})
}
