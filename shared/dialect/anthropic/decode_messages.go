package anthropic

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// cacheControl is a prompt-cache breakpoint.
type cacheControl struct {
	Type string `json:"type"`
	TTL  string `json:"ttl,omitempty"`
}

func (c *cacheControl) decode(path string) (*chat.Cache, error) {
	if c == nil {
		return nil, nil
	}
	path += ".cache_control"
	if c.Type != "ephemeral" {
		return nil, hub.Invalid(path+".type", "%s.type must be ephemeral.", path)
	}
	switch c.TTL {
	case "", "5m":
		return &chat.Cache{TTL: "5m"}, nil
	case "1h":
		return &chat.Cache{TTL: "1h"}, nil
	}
	return nil, hub.Invalid(path+".ttl", "%s.ttl must be 5m or 1h.", path)
}

// blockIn is a content block of a request.
type blockIn struct {
	Type      string          `json:"type"`
	Text      *string         `json:"text"`
	Source    json.RawMessage `json:"source"`
	Title     string          `json:"title"`
	Context   string          `json:"context"`
	Citations json.RawMessage `json:"citations"`
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Input     json.RawMessage `json:"input"`
	ToolUseID string          `json:"tool_use_id"`
	ToolName  string          `json:"tool_name"` // of a tool_reference
	Content   json.RawMessage `json:"content"`
	IsError   bool            `json:"is_error"`
	Thinking  string          `json:"thinking"`
	Signature string          `json:"signature"`
	Data      string          `json:"data"`
	Cache     *cacheControl   `json:"cache_control"`
}

// billingLine begins a text that Claude Code puts first of its instructions for
// Anthropic's own accounts. It differs from call to call, so that it would keep
// other vendors from caching all that follows.
const billingLine = "x-anthropic-billing-header:"

func decodeSystem(req *chat.Request, raw []byte) ([]chat.Message, error) {
	skipped := 0
	parts, err := decodeContent(raw, "system", "system")
	if len(parts) > 1 && strings.HasPrefix(parts[0].Text, billingLine) {
		parts, skipped = parts[1:], 1
		req.Ignore("system[0]")
	}
	if err != nil || len(parts) == 0 {
		return nil, err
	}
	req.PlaceMessage(0, "system")
	for j := range parts {
		req.PlacePart(0, j, fmt.Sprintf("system[%d]", j+skipped))
	}
	return []chat.Message{{Role: chat.System, Parts: parts}}, nil
}

// decodeMessages reads the turns; before is how many messages of the request stand
// before them.
func decodeMessages(req *chat.Request, raw []byte, before int) ([]chat.Message, error) {
	var list []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	}
	if err := into(raw, "messages", &list); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, hub.Invalid("messages", "messages must hold at least one message.")
	}
	out := make([]chat.Message, 0, len(list))
	for i, m := range list {
		path := fmt.Sprintf("messages[%d]", i)
		if m.Role != "user" && m.Role != "assistant" && m.Role != "system" {
			return nil, hub.Invalid(path+".role", "%s.role must be user, assistant or system.", path)
		}
		parts, err := decodeContent(m.Content, path+".content", m.Role)
		if err != nil {
			return nil, err
		}
		if m.Role == "assistant" {
			parts = callSignatures(parts)
			if bytes.Contains(m.Content, []byte(`"caller"`)) {
				req.Ignore("messages.caller") // who called: Anthropic's bookkeeping of its own tools
			}
		}
		for _, one := range split(chat.Role(m.Role), parts) {
			place(req, before+len(out), path, parts, one.Parts)
			out = append(out, one)
		}
	}
	return out, nil
}

// place notes where a message and its parts stood: all are parts of one turn.
func place(req *chat.Request, n int, path string, turn, parts []chat.Part) {
	req.PlaceMessage(n, path)
	if len(parts) == len(turn) {
		return
	}
	j := 0
	for k := range turn {
		if j < len(parts) && (turn[k].Kind == chat.ToolResultPart) == (parts[j].Kind == chat.ToolResultPart) {
			req.PlacePart(n, j, fmt.Sprintf("%s.content[%d]", path, k))
			j++
		}
	}
}

// split puts the tool results of a user turn into a message of their own before
// the rest, where every language wants them.
func split(role chat.Role, parts []chat.Part) []chat.Message {
	if role != chat.User {
		return []chat.Message{{Role: role, Parts: parts}}
	}
	var results, rest []chat.Part
	for _, p := range parts {
		if p.Kind == chat.ToolResultPart {
			results = append(results, p)
		} else {
			rest = append(rest, p)
		}
	}
	if len(results) == 0 {
		return []chat.Message{{Role: role, Parts: rest}}
	}
	out := []chat.Message{{Role: chat.ToolRole, Parts: results}}
	if len(rest) > 0 {
		out = append(out, chat.Message{Role: role, Parts: rest})
	}
	return out
}

// decodeContent reads a string or an array of blocks. where is the role, or
// "tool_result" for what is inside of one.
func decodeContent(raw json.RawMessage, path, where string) ([]chat.Part, error) {
	if len(raw) > 0 && raw[0] == '"' {
		text := wire.Text(raw)
		if text == "" {
			return nil, nil
		}
		return []chat.Part{{Kind: chat.Text, Text: text}}, nil
	}
	if len(raw) == 0 || raw[0] != '[' {
		return nil, hub.Invalid(path, "%s must be a string or an array of content blocks.", path)
	}
	var list []json.RawMessage
	if err := into(raw, path, &list); err != nil {
		return nil, err
	}
	parts := make([]chat.Part, 0, len(list))
	for i, el := range list {
		got, err := decodeBlock(el, fmt.Sprintf("%s[%d]", path, i), where)
		if err != nil {
			return nil, err
		}
		parts = append(parts, got...)
	}
	return parts, nil
}

func decodeBlock(raw json.RawMessage, path, where string) ([]chat.Part, error) {
	var b blockIn
	if err := into(raw, path, &b); err != nil {
		return nil, err
	}
	if b.Type == "" {
		return nil, hub.Invalid(path+".type", "%s.type is required.", path)
	}
	if !allowed(b.Type, where) {
		return nil, hub.Invalid(path+".type", "%s.type %q is not allowed in %s content.", path, b.Type, where)
	}
	cache, err := b.Cache.decode(path)
	if err != nil {
		return nil, err
	}
	p := chat.Part{Cache: cache}
	switch b.Type {
	case "text":
		if b.Text == nil {
			return nil, hub.Invalid(path+".text", "%s.text is required.", path)
		}
		p.Text = *b.Text
		if where == "assistant" {
			p.Annotations = historic(list(b.Citations))
		}
	case "image":
		p.Kind = chat.Image
		p.Media, err = decodeSource(b.Source, path+".source")
	case "document":
		return decodeDocument(raw, &b, p, path)
	case "tool_use":
		p.Kind = chat.ToolCallPart
		p.ToolCall, err = decodeToolUse(&b, path)
	case "tool_result":
		p.Kind = chat.ToolResultPart
		p.ToolResult, err = decodeToolResult(&b, path)
	case "thinking":
		p.Kind, p.Text = chat.Thinking, b.Thinking
		unseal(&p, b.Signature)
	case "redacted_thinking":
		p.Kind = chat.RedactedThinking
		unseal(&p, b.Data)
	case "tool_reference":
		// Tools that were found are shown to other models from the start.
		p.Text = "The tool " + b.ToolName + " is available."
	default:
		p = chat.Part{Kind: chat.Raw, RawType: b.Type, RawJSON: raw}
	}
	if err != nil {
		return nil, err
	}
	return []chat.Part{p}, nil
}

// allowed reports whether a block type has a meaning where it stands. Types
// that are not known here are left to the provider.
func allowed(kind, where string) bool {
	switch kind {
	case "text":
		return true
	case "image", "document":
		return where == "user" || where == "tool_result"
	case "tool_result":
		return where == "user"
	case "tool_use", "thinking", "redacted_thinking":
		return where == "assistant"
	}
	return where != "system"
}

func decodeToolUse(b *blockIn, path string) (*chat.ToolCall, error) {
	switch {
	case b.ID == "":
		return nil, hub.Invalid(path+".id", "%s.id is required.", path)
	case b.Name == "":
		return nil, hub.Invalid(path+".name", "%s.name is required.", path)
	case len(b.Input) == 0 || b.Input[0] != '{':
		return nil, hub.Invalid(path+".input", "%s.input is required and must be an object.", path)
	}
	return &chat.ToolCall{ID: b.ID, Name: b.Name, Arguments: string(b.Input)}, nil
}

func decodeToolResult(b *blockIn, path string) (*chat.ToolResult, error) {
	if b.ToolUseID == "" {
		return nil, hub.Invalid(path+".tool_use_id", "%s.tool_use_id is required.", path)
	}
	res := &chat.ToolResult{CallID: b.ToolUseID, IsError: b.IsError}
	if len(b.Content) == 0 || string(b.Content) == "null" {
		return res, nil
	}
	var err error
	res.Parts, err = decodeContent(b.Content, path+".content", "tool_result")
	return res, err
}

// sourceIn is the source of an image or a document.
type sourceIn struct {
	Type      string          `json:"type"`
	MediaType string          `json:"media_type"`
	Data      string          `json:"data"`
	URL       string          `json:"url"`
	FileID    string          `json:"file_id"`
	Content   json.RawMessage `json:"content"`
}

func decodeSource(raw json.RawMessage, path string) (*chat.Media, error) {
	if len(raw) == 0 {
		return nil, hub.Invalid(path, "%s is required.", path)
	}
	var s sourceIn
	if err := into(raw, path, &s); err != nil {
		return nil, err
	}
	need := func(field, val string) error {
		if val == "" {
			return hub.Invalid(path+"."+field, "%s.%s is required.", path, field)
		}
		return nil
	}
	switch s.Type {
	case "base64":
		if err := need("media_type", s.MediaType); err != nil {
			return nil, err
		}
		return &chat.Media{MIME: s.MediaType, Data: s.Data}, need("data", s.Data)
	case "url":
		return &chat.Media{URL: s.URL}, need("url", s.URL)
	case "file":
		return &chat.Media{FileID: s.FileID}, need("file_id", s.FileID)
	case "text":
		return &chat.Media{MIME: "text/plain", Data: base64.StdEncoding.EncodeToString([]byte(s.Data))}, need("data", s.Data)
	}
	return nil, hub.Invalid(path+".type", "%s.type %q is not known.", path, s.Type)
}

// decodeDocument reads a document. One whose answer is to cite it, or that is
// made of blocks, keeps its own form: other languages cannot do either. The
// context of a document becomes text before it.
func decodeDocument(raw json.RawMessage, b *blockIn, p chat.Part, path string) ([]chat.Part, error) {
	var cite struct {
		Enabled bool `json:"enabled"`
	}
	if len(b.Citations) > 0 {
		if err := into(b.Citations, path+".citations", &cite); err != nil {
			return nil, err
		}
	}
	if cite.Enabled || wire.Text(wire.Member(b.Source, "type")) == "content" {
		return []chat.Part{{Kind: chat.Raw, RawType: b.Type, RawJSON: raw}}, nil
	}
	var err error
	p.Kind = chat.File
	if p.Media, err = decodeSource(b.Source, path+".source"); err != nil {
		return nil, err
	}
	p.Media.Filename = b.Title
	if p.Media.URL != "" {
		// The API fetches only PDFs by URL.
		p.Media.MIME = "application/pdf"
	}
	if b.Context == "" {
		return []chat.Part{p}, nil
	}
	return []chat.Part{{Kind: chat.Text, Text: b.Context}, p}, nil
}
