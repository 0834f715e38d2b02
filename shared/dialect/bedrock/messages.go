package bedrock

import (
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// messages merges consecutive messages of one role, tool results counting as
// the user's, and makes the system prompt of system and developer messages
// wherever they stand.
func (tr *translator) messages() error {
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
		n := len(tr.out.Messages)
		if n == 0 && role == "assistant" {
			return hub.Invalid(path, "%s: the provider of this model wants the user to speak first.", path)
		}
		if n == 0 || tr.out.Messages[n-1].Role != role {
			tr.out.Messages = append(tr.out.Messages, turn{Role: role})
		}
		last := &tr.out.Messages[len(tr.out.Messages)-1]
		last.Content = append(last.Content, blocks...)
		last.results = append(last.results, results...)
	}
	if len(tr.out.Messages) == 0 {
		name := tr.req.ParamName("messages")
		return hub.Invalid(name, "%s must hold at least one message of a user that is not empty.", name)
	}
	return tr.complete()
}

// complete puts tool results first and checks what the API demands of a turn
// with documents: a text beside them.
func (tr *translator) complete() error {
	for i := range tr.out.Messages {
		t := &tr.out.Messages[i]
		if slices.ContainsFunc(t.Content, func(b block) bool { return b.Document != nil }) &&
			!slices.ContainsFunc(t.Content, func(b block) bool { return b.Text != nil }) {
			name := tr.req.ParamName("messages")
			return hub.Invalid(name, "%s: the provider of this model takes a document only together with a text in the same message.", name)
		}
		t.Content = slices.Concat(t.results, t.Content)
	}
	return nil
}

func (tr *translator) parts(m chat.Message, i int) (blocks, results []block, err error) {
	for j, p := range m.Parts {
		at := tr.req.PartAt(i, j)
		if err := placed(m.Role, p.Kind, at); err != nil {
			return nil, nil, err
		}
		b, err := tr.part(p, at)
		if err != nil {
			return nil, nil, err
		}
		to := &blocks
		if p.Kind == chat.ToolResultPart {
			to = &results
		}
		if b != nil {
			*to = append(*to, *b)
		}
		// A point with nothing before it is an error of its own.
		if point := tr.cached(p.Cache); point != nil && len(*to) > 0 {
			*to = append(*to, block{CachePoint: point})
		}
	}
	return blocks, results, nil
}

// placed refuses kinds of part that a role cannot hold in this language.
func placed(role chat.Role, kind chat.PartKind, at string) error {
	ok := kind == chat.Text
	switch role {
	case chat.Assistant:
		ok = ok || kind == chat.ToolCallPart || kind == chat.Thinking || kind == chat.RedactedThinking || kind == chat.Refusal
	case chat.User:
		ok = ok || kind == chat.Image || kind == chat.File || kind == chat.Audio || kind == chat.ToolResultPart
	case chat.ToolRole:
		ok = kind == chat.ToolResultPart
	}
	if !ok {
		return hub.Invalid(at, "%s: the provider of this model does not take this kind of content from the %s.", at, role)
	}
	return nil
}

// part translates one part; nil stands for one that says nothing.
func (tr *translator) part(p chat.Part, at string) (*block, error) {
	switch p.Kind {
	case chat.Text, chat.Refusal:
		// The API refuses blank text.
		if strings.TrimSpace(p.Text) == "" {
			return nil, nil
		}
		return &block{Text: &p.Text}, nil
	case chat.Image, chat.File, chat.Audio:
		return tr.media(p, at)
	case chat.ToolCallPart:
		return tr.toolUse(p.ToolCall, at)
	case chat.ToolResultPart:
		return tr.toolResult(p.ToolResult, at)
	case chat.Thinking, chat.RedactedThinking:
		return tr.thought(p), nil
	}
	return nil, hub.Invalid(at, "%s: the provider of this model does not take content of the type %q.", at, p.RawType)
}

// thought sends thinking back to the vendor that signed it. Without it the API
// takes a conversation too; with another vendor's it does not.
func (tr *translator) thought(p chat.Part) *block {
	if !tr.family.claude() || p.Signature == "" || p.SignedBy != "" && p.SignedBy != chat.SignedAnthropic {
		return nil
	}
	if p.Kind == chat.RedactedThinking {
		return &block{Reasoning: &reasoning{Redacted: p.Signature}}
	}
	return &block{Reasoning: &reasoning{Text: &reasoningText{Text: p.Text, Signature: p.Signature}}}
}

func (tr *translator) toolUse(c *chat.ToolCall, at string) (*block, error) {
	input := json.RawMessage(strings.TrimSpace(c.Arguments))
	if len(input) == 0 {
		input = json.RawMessage("{}")
	}
	if _, err := wire.Parse(input); err != nil {
		at += ".function.arguments"
		return nil, hub.Invalid(at, "%s must be a JSON object.", at)
	}
	id, err := toolID(c.ID, at+".id")
	if err != nil {
		return nil, err
	}
	return &block{ToolUse: &toolUse{ID: id, Name: c.Name, Input: input}}, nil
}

func (tr *translator) toolResult(r *chat.ToolResult, at string) (*block, error) {
	id, err := toolID(r.CallID, at+".tool_call_id")
	if err != nil {
		return nil, err
	}
	out := &toolResult{ID: id, Content: []block{}}
	for k, inner := range r.Parts {
		path := fmt.Sprintf("%s.content[%d]", at, k)
		switch inner.Kind {
		case chat.Text, chat.Image, chat.File:
		default:
			return nil, hub.Invalid(path, "%s: the provider of this model does not take this kind of content in a tool's result.", path)
		}
		b, err := tr.part(inner, path)
		if err != nil {
			return nil, err
		}
		if b != nil {
			out.Content = append(out.Content, *b)
		}
	}
	if len(out.Content) == 0 {
		out.Content = []block{{JSON: json.RawMessage("{}")}} // content is required, and no text may be blank
	}
	switch {
	case !r.IsError:
	case tr.family.claude() || tr.family.nova():
		out.Status = "error"
	default: // documented as unknown to other models; the result's text says it too
		tr.Drop("messages.is_error")
	}
	return &block{ToolResult: out}, nil
}

// maxToolID is how long an id may be.
const maxToolID = 64

// toolID keeps an id that the API accepts (letters, digits, _ and -, at most 64)
// and gives any other one such a form, the same each time it occurs.
func toolID(id, at string) (string, error) {
	if id == "" {
		return "", hub.Invalid(at, "%s is required.", at)
	}
	clean := strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, id)
	if clean == id && len(id) <= maxToolID {
		return id, nil
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(id))
	const sum = 17 // _ and 16 digits
	return fmt.Sprintf("%s_%016x", clean[:min(len(clean), maxToolID-sum)], h.Sum64()), nil
}
