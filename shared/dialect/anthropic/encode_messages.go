package anthropic

import (
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// turn is a message of a translated request. Content holds *block or
// json.RawMessage; results holds the tool results of a user turn until the
// turn is complete, since they must stand before all else.
type turn struct {
	Role    string `json:"role"`
	Content []any  `json:"content"`
	results []any
}

// messages merges consecutive messages of one role, tool results counting as
// the user's.
func (tr *translator) messages() error {
	var turns []turn
	for i, m := range tr.req.Messages {
		path := tr.req.MessageAt(i)
		if m.Name != "" && m.Role != chat.ToolRole {
			tr.Drop("messages.name")
		}
		blocks, results, err := tr.parts(m, i)
		if err != nil {
			return err
		}
		role := "user"
		switch m.Role {
		case chat.System, chat.Developer:
			tr.out.System = append(tr.out.System, blocks...)
			continue
		case chat.Assistant:
			role = "assistant"
		case chat.User, chat.ToolRole:
		default:
			return hub.Invalid(path+".role", "%s.role %q is not known.", path, m.Role)
		}
		if len(blocks)+len(results) == 0 {
			continue
		}
		if n := len(turns); n == 0 || turns[n-1].Role != role {
			turns = append(turns, turn{Role: role})
		}
		last := &turns[len(turns)-1]
		last.Content = append(last.Content, blocks...)
		last.results = append(last.results, results...)
	}
	if len(turns) == 0 {
		name := tr.req.ParamName("messages")
		return hub.Invalid(name, "%s must hold at least one message of a user that is not empty.", name)
	}
	for i := range turns {
		turns[i].Content = slices.Concat(turns[i].results, turns[i].Content)
	}
	tr.out.Messages = turns
	return nil
}

func (tr *translator) parts(m chat.Message, i int) (blocks, results []any, err error) {
	for j, p := range m.Parts {
		at := tr.req.PartAt(i, j)
		if err := placed(m.Role, p.Kind, at); err != nil {
			return nil, nil, err
		}
		b, err := tr.part(p, at)
		if err != nil {
			return nil, nil, err
		}
		switch {
		case b == nil:
		case p.Kind == chat.ToolResultPart:
			results = append(results, b)
		default:
			blocks = append(blocks, b)
		}
	}
	return blocks, results, nil
}

// placed refuses kinds of part that a role cannot hold in this language.
func placed(role chat.Role, kind chat.PartKind, at string) error {
	ok := kind == chat.Text || kind == chat.Raw
	switch role {
	case chat.Assistant:
		ok = ok || kind == chat.ToolCallPart || kind == chat.Thinking || kind == chat.RedactedThinking || kind == chat.Refusal
	case chat.User:
		ok = ok || kind == chat.Image || kind == chat.File || kind == chat.ToolResultPart
	case chat.ToolRole:
		ok = kind == chat.ToolResultPart
	case chat.System, chat.Developer:
		ok = kind == chat.Text
	}
	if ok {
		return nil
	}
	if kind == chat.Audio {
		return hub.Invalid(at, "%s: the provider of this model does not take sound.", at)
	}
	return hub.Invalid(at, "%s: the provider of this model does not take this kind of content from the %s.", at, role)
}

// part translates one part; nil stands for one that says nothing. The result is
// a *block or a json.RawMessage.
func (tr *translator) part(p chat.Part, at string) (any, error) {
	switch p.Kind {
	case chat.Text, chat.Refusal:
		// The API refuses text without a letter.
		if strings.TrimSpace(p.Text) == "" {
			return nil, nil
		}
		return &block{Type: "text", Text: &p.Text, Cache: breakpoint(p.Cache), Citations: ownCitations(p.Annotations)}, nil
	case chat.Image, chat.File:
		b, err := tr.media(p, at)
		if err != nil {
			return nil, err
		}
		b.Cache = breakpoint(p.Cache)
		return b, nil
	case chat.ToolCallPart:
		input, ok := arguments(p.ToolCall.Arguments)
		if !ok {
			at += ".function.arguments"
			return nil, hub.Invalid(at, "%s must be a JSON object.", at)
		}
		id, err := toolID(p.ToolCall.ID, at+".id")
		if err != nil {
			return nil, err
		}
		return &block{Type: "tool_use", ID: id, Name: p.ToolCall.Name, Input: input, Cache: breakpoint(p.Cache)}, nil
	case chat.ToolResultPart:
		return tr.toolResult(p, at)
	case chat.Thinking:
		// Only thinking that Claude signed may come back; without that it is
		// another model's, and the API takes a conversation without it.
		if !forClaude(&p) {
			return nil, nil
		}
		return &block{Type: "thinking", Thinking: &p.Text, Signature: &p.Signature}, nil
	case chat.RedactedThinking:
		if !forClaude(&p) {
			return nil, nil
		}
		return &block{Type: "redacted_thinking", Data: p.Signature}, nil
	case chat.Raw:
		if ownBlock(p.RawType) {
			return p.RawJSON, nil
		}
	}
	return nil, hub.Invalid(at, "%s: the provider of this model does not take content of the type %q.", at, p.RawType)
}

func (tr *translator) toolResult(p chat.Part, at string) (any, error) {
	id, err := toolID(p.ToolResult.CallID, at+".tool_call_id")
	if err != nil {
		return nil, err
	}
	b := &block{Type: "tool_result", ToolUseID: id, IsError: p.ToolResult.IsError, Cache: breakpoint(p.Cache)}
	for k, inner := range p.ToolResult.Parts {
		path := fmt.Sprintf("%s.content[%d]", at, k)
		switch inner.Kind {
		case chat.Text, chat.Image, chat.File, chat.Raw:
		default:
			return nil, hub.Invalid(path, "%s: the provider of this model does not take this kind of content in a tool's result.", path)
		}
		inner.Cache = nil
		got, err := tr.part(inner, path)
		if err != nil {
			return nil, err
		}
		if got != nil {
			b.Content = append(b.Content, got)
		}
	}
	return b, nil
}

// toolID keeps an id that the API accepts (letters, digits, _ and -) and gives
// any other one such a form, the same each time it occurs.
func toolID(id, at string) (string, error) {
	if id == "" {
		return "", hub.Invalid(at, "%s is required.", at)
	}
	fine := true
	clean := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		fine = false
		return '_'
	}, id)
	if fine {
		return id, nil
	}
	h := fnv.New32a()
	_, _ = h.Write([]byte(id))
	return fmt.Sprintf("%s_%08x", clean, h.Sum32()), nil
}

// media translates a picture or a document.
func (tr *translator) media(p chat.Part, at string) (*block, error) {
	m := p.Media
	if m == nil {
		return nil, hub.Invalid(at, "%s holds no data.", at)
	}
	if m.Detail != "" && m.Detail != "auto" {
		tr.Drop("image_url.detail")
	}
	kind, mime := "image", m.MIME
	if p.Kind == chat.File {
		kind = "document"
	}
	if m.Data == "" && strings.HasPrefix(mime, "image/") {
		kind = "image"
	}
	b := &block{Type: kind}
	if kind == "document" {
		b.Title = m.Filename
	}
	switch {
	case m.Data != "":
		if mime == "" {
			mime = sniff(m.Data)
		}
		return tr.inline(b, mime, m.Data, at)
	case m.URL != "":
		b.Source = &source{Type: "url", URL: m.URL}
		return b, nil
	case strings.HasPrefix(m.FileID, "file_"):
		tr.files = true
		b.Source = &source{Type: "file", FileID: m.FileID}
		return b, nil
	}
	return nil, hub.Invalid(at, "%s: a file id of another provider means nothing to the provider of this model; send the data itself.", at)
}

func (tr *translator) inline(b *block, mime, data, at string) (*block, error) {
	mime, _, _ = strings.Cut(mime, ";")
	switch {
	case strings.HasPrefix(mime, "image/"):
		b.Type, b.Title = "image", ""
	case b.Type == "image":
		return nil, hub.Invalid(at, "%s: %q is no image type.", at, mime)
	case strings.HasPrefix(mime, "text/"):
		text, err := base64.StdEncoding.DecodeString(data)
		if err != nil {
			return nil, hub.Invalid(at, "%s: its data is not base64.", at)
		}
		b.Source = &source{Type: "text", MediaType: "text/plain", Data: string(text)}
		return b, nil
	case mime != "application/pdf":
		return nil, hub.Invalid(at, "%s: the provider of this model takes PDF and text files, not %q.", at, mime)
	}
	b.Source = &source{Type: "base64", MediaType: mime, Data: data}
	return b, nil
}

// sniff guesses the type of base64 data from its first bytes.
func sniff(data string) string {
	head, err := base64.StdEncoding.DecodeString(data[:min(len(data), 512)&^3])
	if err != nil {
		return ""
	}
	return http.DetectContentType(head)
}
