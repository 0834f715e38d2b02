package aigne

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func (d *decoder) messages(f *fields) {
	d.named("messages", f, "messages")
	d.req.Names["tool_calls"] = "toolCalls"
	items, at := f.list("messages")
	for i, raw := range items {
		d.message(d.r.parse(item(at, i), raw))
	}
	if len(d.req.Messages) == 0 {
		d.r.fail(at, "must hold at least one message with content")
	}
}

// roles gives each role's canonical one; the protocol calls the model's own
// turns agent.
var roles = map[string]chat.Role{
	"system": chat.System, "developer": chat.Developer, "user": chat.User,
	"agent": chat.Assistant, "assistant": chat.Assistant, "tool": chat.ToolRole,
}

// message reads one message. One that says nothing is left out.
func (d *decoder) message(m *fields) {
	role, ok := roles[m.str("role")]
	if !ok {
		d.r.fail(m.at("role"), "must be system, user, agent, assistant or tool")
		return
	}
	parts := d.content(m)
	switch role {
	case chat.Assistant:
		if thoughts := m.str("reasoningContent"); thoughts != "" {
			parts = append([]chat.Part{{Kind: chat.Thinking, Text: thoughts}}, parts...)
		}
		calls, kept := d.toolCalls(m)
		if kept != nil { // the same thoughts, and signed
			parts = slices.DeleteFunc(parts, func(p chat.Part) bool { return p.Kind == chat.Thinking })
		}
		parts = slices.Concat(kept, parts, calls)
	case chat.ToolRole:
		id := m.str("toolCallId")
		if id == "" {
			d.r.fail(m.at("toolCallId"), "is required in a message of role tool")
		}
		parts = []chat.Part{{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: id, Name: m.str("name"), Parts: parts}}}
	}
	if len(parts) == 0 {
		return
	}
	if c := cacheControl(m); c != nil {
		parts[len(parts)-1].Cache = c
	}
	out := chat.Message{Role: role, Parts: parts}
	if role != chat.ToolRole {
		out.Name = m.str("name")
	}
	d.req.PlaceMessage(len(d.req.Messages), m.path)
	d.req.Messages = append(d.req.Messages, out)
}

func (d *decoder) content(m *fields) []chat.Part {
	raw, at := m.raw("content")
	switch {
	case raw == nil:
		return nil
	case raw[0] == '"':
		if text := m.str("content"); text != "" {
			return []chat.Part{{Kind: chat.Text, Text: text}}
		}
		return nil
	case raw[0] != '[':
		d.r.fail(at, "must be a string or an array of parts")
		return nil
	}
	items, at := m.list("content")
	var parts []chat.Part
	for i, raw := range items {
		p := d.r.parse(item(at, i), raw)
		part, ok := d.part(p)
		if !ok {
			continue
		}
		part.Cache = cacheControl(p)
		parts = append(parts, part)
	}
	return parts
}

// part reads one piece of content; ok is false for an empty text. Paths on the
// hub's own disk, which the original reads, are refused.
func (d *decoder) part(p *fields) (part chat.Part, ok bool) {
	switch kind := p.str("type"); {
	case kind == "text":
		part.Text = p.str("text")
		return part, part.Text != ""
	case kind == "local":
		d.r.fail(p.path, "has the type local: files on the hub cannot be read; send the file's data or a URL")
		return part, false
	case kind == "file" && p.has("file"):
		part.Media = d.openAIFile(p.object("file"))
	case kind == "file":
		part.Media = &chat.Media{Data: p.str("data")}
		d.inline(part.Media, p.at("data"))
	case kind == "url":
		part.Media = d.link(p, "url")
	case kind == "image_url":
		part.Media = d.imageURL(p)
		part.Kind = chat.Image
	case kind == "input_audio":
		part.Media = d.audio(p)
		part.Kind = chat.Audio
	default:
		d.r.fail(p.at("type"), "%q is not known; use text, url or file", kind)
		return part, false
	}
	m := part.Media
	if name := p.str("filename"); name != "" {
		m.Filename = name
	}
	if t := p.str("mimeType"); t != "" {
		m.MIME = t
	}
	if part.Kind == chat.Text {
		part.Kind = mediaKind(m)
	}
	d.opaque = d.opaque || m.Data == ""
	return part, true
}

// link reads a URL; one that holds its own data is taken apart.
func (d *decoder) link(f *fields, name string) *chat.Media {
	m := &chat.Media{URL: f.str(name)}
	if strings.HasPrefix(m.URL, "data:") {
		m.Data, m.URL = m.URL, ""
		d.inline(m, f.at(name))
		return m
	}
	if m.URL == "" {
		d.r.fail(f.at(name), "is required")
	}
	return m
}

// inline takes the data of a data URL out of its wrapping.
func (d *decoder) inline(m *chat.Media, at string) {
	if rest, ok := strings.CutPrefix(m.Data, "data:"); ok {
		head, data, _ := strings.Cut(rest, ",")
		head, encoded := strings.CutSuffix(head, ";base64")
		if !encoded {
			d.r.fail(at, "must be base64: data:<type>;base64,<data>")
		}
		m.MIME, _, _ = strings.Cut(head, ";")
		m.Data = data
	}
	if m.Data == "" {
		d.r.fail(at, "is required")
	}
}

// imageURL reads OpenAI's {image_url: {url, detail}}, imageUrl in camelCase; the
// URL may stand alone.
func (d *decoder) imageURL(p *fields) *chat.Media {
	raw, at := p.raw("imageUrl")
	switch {
	case raw == nil:
		d.r.fail(at, "is required")
		return &chat.Media{}
	case raw[0] == '"':
		return d.link(p, "imageUrl")
	}
	o := d.r.parse(at, raw)
	m := d.link(o, "url")
	m.Detail = o.str("detail")
	return m
}

// audio reads OpenAI's {input_audio: {data, format}}.
func (d *decoder) audio(p *fields) *chat.Media {
	o := p.object("inputAudio")
	if o == nil {
		d.r.fail(p.at("inputAudio"), "is required")
		return &chat.Media{}
	}
	m := &chat.Media{Data: o.str("data")}
	switch format := o.str("format"); format {
	case "mp3":
		m.MIME = "audio/mpeg"
	case "":
		m.MIME = "audio/wav"
	default:
		m.MIME = "audio/" + format
	}
	if m.Data == "" {
		d.r.fail(o.at("data"), "is required")
	}
	return m
}

// openAIFile reads OpenAI's {file: {file_data, filename, file_id}}.
func (d *decoder) openAIFile(o *fields) *chat.Media {
	m := &chat.Media{Data: o.str("fileData"), FileID: o.str("fileId"), Filename: o.str("filename")}
	if m.FileID == "" {
		d.inline(m, o.at("fileData"))
	}
	return m
}

// endings tells the kind of a file by its name's ending.
var endings = map[string]chat.PartKind{
	".jpg": chat.Image, ".jpeg": chat.Image, ".png": chat.Image, ".gif": chat.Image, ".webp": chat.Image,
	".heic": chat.Image, ".heif": chat.Image, ".bmp": chat.Image, ".avif": chat.Image,
	".mp3": chat.Audio, ".wav": chat.Audio, ".ogg": chat.Audio, ".flac": chat.Audio, ".m4a": chat.Audio, ".aac": chat.Audio,
	".pdf": chat.File, ".txt": chat.File, ".md": chat.File, ".csv": chat.File, ".json": chat.File, ".html": chat.File,
	".doc": chat.File, ".docx": chat.File, ".mp4": chat.File, ".mov": chat.File, ".webm": chat.File,
}

// mediaKind tells pictures, sounds and documents apart: by the type, the name,
// the first bytes. A bare URL is a picture, as it is in the original.
func mediaKind(m *chat.Media) chat.PartKind {
	if m.MIME != "" {
		return kindOf(m.MIME)
	}
	for _, name := range []string{m.Filename, m.URL} {
		name, _, _ = strings.Cut(name, "?")
		name, _, _ = strings.Cut(name, "#")
		if kind, ok := endings[strings.ToLower(path.Ext(name))]; ok {
			return kind
		}
	}
	if m.URL != "" {
		return chat.Image
	}
	head, err := base64.StdEncoding.DecodeString(m.Data[:min(len(m.Data), 512)/4*4])
	if err == nil && len(head) > 0 {
		t, _, _ := strings.Cut(http.DetectContentType(head), ";")
		if kind := kindOf(t); kind != chat.File || t == "application/pdf" {
			m.MIME = t
			return kind
		}
	}
	return chat.File
}

func kindOf(mime string) chat.PartKind {
	switch {
	case strings.HasPrefix(mime, "image/"):
		return chat.Image
	case strings.HasPrefix(mime, "audio/"):
		return chat.Audio
	}
	return chat.File
}

func (d *decoder) toolCalls(m *fields) (parts, kept []chat.Part) {
	items, at := m.list("toolCalls")
	for i, raw := range items {
		c := d.r.parse(item(at, i), raw)
		d.mustBeFunction(c)
		fn := c.object("function")
		if fn == nil {
			d.r.fail(c.at("function"), "is required")
			return nil, nil
		}
		call := &chat.ToolCall{ID: c.str("id"), Name: fn.str("name"), Arguments: d.arguments(fn)}
		if call.ID == "" {
			d.r.fail(c.at("id"), "is required")
		}
		if call.Name == "" {
			d.r.fail(fn.at("name"), "is required")
		}
		p := chat.Part{Kind: chat.ToolCallPart, ToolCall: call, Signature: signatureOf(c)}
		if p.Signature != "" {
			p.SignedBy = chat.SignedGoogle // the only one that signs calls
		}
		kept = append(kept, thoughtsOf(c)...)
		parts = append(parts, p)
	}
	return parts, kept
}

// arguments reads an object, or its JSON text.
func (d *decoder) arguments(fn *fields) string {
	raw, at := fn.raw("arguments")
	if raw == nil {
		return "{}"
	}
	text := string(raw)
	if raw[0] == '"' {
		if text = strings.TrimSpace(fn.str("arguments")); text == "" {
			return "{}"
		}
	}
	if _, err := wire.Parse([]byte(text)); err != nil {
		d.r.fail(at, "must be an object, or its JSON text: %v", err)
	}
	return text
}

// signatureOf finds the signature that Gemini wants back with a call: in the
// protocol's metadata, or where Google's OpenAI-compatible endpoint puts it.
func signatureOf(call *fields) string {
	var in struct {
		ThoughtSignature string `json:"thoughtSignature"`
		Google           struct {
			ThoughtSignature string `json:"thought_signature"`
		} `json:"google"`
	}
	for _, name := range []string{"metadata", "extraContent"} {
		raw, _ := call.raw(name)
		// Anything else may stand in these open objects.
		_ = json.Unmarshal(raw, &in)
	}
	if in.ThoughtSignature != "" {
		return in.ThoughtSignature
	}
	return in.Google.ThoughtSignature
}
