package gemini

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func (d *requestDecoder) system(f fields) error {
	if !f.has("systemInstruction") {
		return nil
	}
	path := f.where("systemInstruction")
	if f.raw("systemInstruction")[0] == '"' { // taken by the API although not documented
		text, err := f.text("systemInstruction")
		d.req.Messages = append(d.req.Messages, chat.Message{Role: chat.System, Parts: []chat.Part{{Text: text}}})
		return err
	}
	c, err := readFields(path, f.raw("systemInstruction"))
	if err != nil {
		return err
	}
	all, err := c.list("parts")
	if err != nil {
		return err
	}
	m := chat.Message{Role: chat.System}
	for i, raw := range all {
		p, err := d.part(element(c.where("parts"), i), raw)
		if err != nil {
			return err
		}
		m.Parts = append(m.Parts, p)
	}
	if len(m.Parts) > 0 {
		d.req.PlaceMessage(len(d.req.Messages), path)
		d.req.Messages = append(d.req.Messages, m)
	}
	return nil
}

func (d *requestDecoder) contents(f fields) error {
	all, err := f.list("contents")
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return hub.Invalid(f.where("contents"), "%s must hold at least one content.", f.where("contents"))
	}
	for i, raw := range all {
		if err := d.content(element(f.where("contents"), i), raw); err != nil {
			return err
		}
	}
	return nil
}

func (d *requestDecoder) content(path string, raw json.RawMessage) error {
	c, err := readFields(path, raw)
	if err != nil {
		return err
	}
	role, err := c.text("role")
	if err != nil {
		return err
	}
	speaker := chat.User
	switch role {
	case "", "user", "function":
	case "model":
		speaker = chat.Assistant
	default:
		return hub.Invalid(c.where("role"), "%s must be user or model.", c.where("role"))
	}
	all, err := c.list("parts")
	if err != nil {
		return err
	}
	fresh := true
	for i, raw := range all {
		p, err := d.part(element(c.where("parts"), i), raw)
		if err != nil {
			return err
		}
		who := speaker
		switch {
		case p.Kind == chat.Text && p.Text == "":
			continue // says nothing; others refuse it
		case p.Kind == chat.ToolCallPart && speaker != chat.Assistant, p.Kind == chat.ToolResultPart && speaker == chat.Assistant:
			at := element(c.where("parts"), i)
			return hub.Invalid(at, "%s does not belong into a turn of the role %q.", at, role)
		case p.Kind == chat.ToolResultPart:
			who = chat.ToolRole
		}
		d.say(path, element(c.where("parts"), i), who, p, fresh)
		fresh = false
	}
	return nil
}

// payloads are the members of which a part has exactly one.
var payloads = []string{"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
	"toolCall", "toolResponse", "audioTranscription"}

func (d *requestDecoder) part(path string, raw json.RawMessage) (p chat.Part, err error) {
	f, err := readFields(path, raw)
	if err != nil {
		return p, err
	}
	kind := ""
	for _, name := range f.names {
		switch {
		case slices.Contains(payloads, name):
			if kind != "" {
				return p, hub.Invalid(path, "%s must hold one of %s and %s.", path, kind, name)
			}
			kind = name
		case name == "thought", name == "thoughtSignature", name == "mediaResolution":
		default:
			d.extra(f.where(name), f.raw(name))
		}
	}
	signature, err := f.text("thoughtSignature")
	if err != nil {
		return p, err
	}
	var signed chat.Part
	how := unwrap(signature, &signed)
	thought, err := f.truth("thought")
	if err != nil {
		return p, err
	}
	if p, err = d.payload(f, kind); err != nil {
		return p, err
	}
	if thought && p.Kind == chat.Text {
		p.Kind = chat.Thinking
	}
	if signature != "" {
		p.Signature, p.SignedBy, p.ID = signed.Signature, signed.SignedBy, signed.ID
	}
	if how == markRedacted {
		p.Kind, p.Text = chat.RedactedThinking, ""
	}
	return p, d.resolution(f, p)
}

func (d *requestDecoder) payload(f fields, kind string) (p chat.Part, err error) {
	switch kind {
	case "text":
		p.Text, err = f.text(kind)
	case "inlineData", "fileData":
		p, err = media(f, kind)
	case "functionCall":
		p, err = d.call(f)
	case "functionResponse":
		p, err = d.response(f)
	case "":
		// A part of a signature alone is how streams end.
		if !f.has("thoughtSignature") {
			err = hub.Invalid(f.path, "%s must hold text, data, a call or a response.", f.path)
		}
	default:
		own := append(append(append([]byte("{"), quoted(kind)...), ':'), f.raw(kind)...)
		p = chat.Part{Kind: chat.Raw, RawType: kind, RawJSON: append(own, '}')}
	}
	return p, err
}

// resolution reads how closely a picture is to be looked at, for which OpenAI's
// word is detail.
func (d *requestDecoder) resolution(f fields, p chat.Part) error {
	if !f.has("mediaResolution") {
		return nil
	}
	r, err := f.object("mediaResolution")
	if err != nil {
		return err
	}
	level, err := r.text("level")
	if err != nil {
		return err
	}
	switch level {
	case "MEDIA_RESOLUTION_LOW":
		level = "low"
	case "MEDIA_RESOLUTION_HIGH", "MEDIA_RESOLUTION_ULTRA_HIGH":
		level = "high"
	case "MEDIA_RESOLUTION_MEDIUM", "MEDIA_RESOLUTION_UNSPECIFIED":
		level = "auto"
	default:
		d.extra(f.where("mediaResolution"), f.raw("mediaResolution"))
		return nil
	}
	if p.Media != nil && p.Kind == chat.Image {
		p.Media.Detail = level
	}
	return nil
}

// ownFiles begins the addresses of files at Google: they are ids, which nobody
// else can read.
const ownFiles = "https://generativelanguage.googleapis.com/"

func media(f fields, kind string) (p chat.Part, err error) {
	in, err := f.object(kind)
	if err != nil {
		return p, err
	}
	m := chat.Media{}
	if m.MIME, err = in.text("mimeType"); err != nil {
		return p, err
	}
	if m.Filename, err = in.text("displayName"); err != nil {
		return p, err
	}
	p = chat.Part{Kind: kindOf(m.MIME), Media: &m}
	if kind == "inlineData" {
		if m.Data, err = in.text("data"); err == nil && (m.Data == "" || m.MIME == "") {
			err = hub.Invalid(in.path, "%s must hold mimeType and data.", in.path)
		}
		m.Data = strings.NewReplacer("-", "+", "_", "/").Replace(m.Data) // bytes in JSON may be of either alphabet
		return p, err
	}
	uri, err := in.text("fileUri")
	switch {
	case err != nil:
	case uri == "":
		err = hub.Invalid(in.at("fileUri"), "%s is required.", in.at("fileUri"))
	case strings.HasPrefix(uri, ownFiles), !strings.HasPrefix(uri, "https://") && !strings.HasPrefix(uri, "http://"):
		m.FileID = uri
	default:
		m.URL = uri
	}
	return p, err
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

// call reads a function call. The API does not demand ids: calls without one get
// theirs by their place, so that the same history gives the same ids.
func (d *requestDecoder) call(f fields) (p chat.Part, err error) {
	in, err := f.object("functionCall")
	if err != nil {
		return p, err
	}
	call := &chat.ToolCall{Arguments: "{}"}
	if call.Name, err = in.text("name"); err == nil && call.Name == "" {
		err = hub.Invalid(in.at("name"), "%s is required.", in.at("name"))
	}
	if err != nil {
		return p, err
	}
	if call.ID, err = in.text("id"); err != nil {
		return p, err
	}
	if call.ID == "" {
		d.made++
		call.ID = fmt.Sprintf("call_%d", d.made)
	}
	if in.has("args") {
		if _, err := parse(in.where("args"), in.raw("args")); err != nil {
			return p, err
		}
		call.Arguments = compact(in.raw("args"))
	}
	d.calls[call.Name] = append(d.calls[call.Name], call.ID)
	return chat.Part{Kind: chat.ToolCallPart, ToolCall: call}, nil
}

// compact takes the white space out of JSON that was read before.
func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	_ = json.Compact(&b, raw)
	return b.String()
}

// response reads what a function gave. Without an id it answers the oldest open
// call of its name.
func (d *requestDecoder) response(f fields) (p chat.Part, err error) {
	in, err := f.object("functionResponse")
	if err != nil {
		return p, err
	}
	r := &chat.ToolResult{}
	if r.Name, err = in.text("name"); err != nil {
		return p, err
	}
	if r.CallID, err = in.text("id"); err != nil {
		return p, err
	}
	open := d.calls[r.Name]
	switch i := slices.Index(open, r.CallID); {
	case r.CallID == "" && len(open) == 0:
		return p, hub.Invalid(in.path, "%s answers no earlier call of %q.", in.path, r.Name)
	case r.CallID == "":
		r.CallID, d.calls[r.Name] = open[0], open[1:]
	case i >= 0:
		d.calls[r.Name] = slices.Delete(slices.Clone(open), i, i+1)
	}
	for _, name := range in.names {
		switch name {
		case "id", "name", "response", "parts":
		default:
			d.extra(in.where(name), in.raw(name))
		}
	}
	text, failed, err := said(in)
	if err != nil {
		return p, err
	}
	if r.IsError = failed; text != "" {
		r.Parts = append(r.Parts, chat.Part{Text: text})
	}
	return chat.Part{Kind: chat.ToolResultPart, ToolResult: r}, d.responseMedia(in, r)
}

// said undoes outcome: "result" (or "output") and "error" alone are keys for
// what is no object.
func said(in fields) (text string, failed bool, err error) {
	if !in.has("response") {
		return "", false, nil
	}
	o, err := parse(in.where("response"), in.raw("response"))
	if err != nil {
		return "", false, err
	}
	if keys := o.Keys(); len(keys) == 1 {
		switch key := keys[0]; key {
		case "result", "output", "error":
			if s, ok := o.String(key); ok {
				return s, key == "error", nil
			}
			if key == "error" {
				raw, _ := o.Get(key)
				return compact(raw), true, nil
			}
		}
	}
	return compact(in.raw("response")), false, nil
}

func (d *requestDecoder) responseMedia(in fields, r *chat.ToolResult) error {
	all, err := in.list("parts")
	if err != nil {
		return err
	}
	for i, raw := range all {
		p, err := d.part(element(in.where("parts"), i), raw)
		if err != nil {
			return err
		}
		if p.Media == nil {
			return hub.Invalid(element(in.where("parts"), i), "%s must hold inlineData or fileData.", element(in.where("parts"), i))
		}
		r.Parts = append(r.Parts, p)
	}
	return nil
}
