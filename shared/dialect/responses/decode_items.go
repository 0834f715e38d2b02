package responses

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// input reads a plain text or the items of a conversation. What an assistant
// thought, said and called between two turns of others is one message.
func (d *requestDecoder) input(raw json.RawMessage) error {
	if raw[0] == '"' {
		d.append("input", chat.User, chat.Part{Kind: chat.Text, Text: wire.Text(raw)})
		return nil
	}
	var all []json.RawMessage
	if err := dialect.ReadParam("input", raw, &all, "a string or an array of items"); err != nil {
		return err
	}
	d.calls, d.signed = map[string]string{}, map[string]signature{}
	for i, one := range all {
		at := fmt.Sprintf("input[%d]", i)
		var in itemIn
		if len(one) == 0 || one[0] != '{' || json.Unmarshal(one, &in) != nil {
			return hub.Invalid(at, "%s is not of the form that the Responses API describes.", at)
		}
		if err := d.item(at, &in); err != nil {
			return err
		}
	}
	d.sign()
	return nil
}

// append adds the parts of an item to the last message where it is of the same
// speaker and such messages are one turn; else it begins one.
func (d *requestDecoder) append(at string, role chat.Role, parts ...chat.Part) {
	n, before := len(d.req.Messages), 0
	merged := n > 0 && d.req.Messages[n-1].Role == role && (role == chat.Assistant || role == chat.ToolRole)
	if merged {
		n--
		before = len(d.req.Messages[n].Parts)
	} else {
		d.req.PlaceMessage(n, at)
	}
	for j := range parts {
		where := at
		switch parts[j].Kind {
		case chat.ToolCallPart, chat.ToolResultPart, chat.Thinking, chat.RedactedThinking: // items of their own
		default:
			where = fmt.Sprintf("%s.content[%d]", at, j)
		}
		d.req.PlacePart(n, before+j, where)
	}
	if merged {
		d.req.Messages[n].Parts = append(d.req.Messages[n].Parts, parts...)
		return
	}
	d.req.Messages = append(d.req.Messages, chat.Message{Role: role, Parts: parts})
}

func (d *requestDecoder) item(at string, in *itemIn) error {
	switch in.Type {
	case "", "message":
		return d.message(at, in)
	case "function_call", "custom_tool_call":
		return d.call(at, in)
	case "function_call_output", "custom_tool_call_output":
		return d.output(at, in)
	case "reasoning":
		d.thought(at, in)
		return nil
	case "item_reference":
		return hub.Invalid(at, "%s refers to a stored item, which the model asked for cannot see; send the item itself.", at)
	}
	return hub.Invalid(at+".type", "%s.type: an item of type %q works only where the model itself speaks the Responses API.", at, in.Type)
}

func (d *requestDecoder) message(at string, in *itemIn) error {
	role := chat.Role(in.Role)
	switch role {
	case chat.System, chat.Developer, chat.User, chat.Assistant:
	default:
		return hub.Invalid(at+".role", "%s.role must be user, assistant, system or developer, not %q.", at, in.Role)
	}
	parts, err := content(at+".content", in.Content)
	if err != nil {
		return err
	}
	if len(parts) > 0 {
		d.append(at, role, parts...)
	}
	return nil
}

func (d *requestDecoder) call(at string, in *itemIn) error {
	switch {
	case in.CallID == "":
		return hub.Invalid(at+".call_id", "%s.call_id must be given.", at)
	case in.Name == "":
		return hub.Invalid(at+".name", "%s.name must name the tool.", at)
	}
	name := flatName(in.Namespace, in.Name)
	args := in.Arguments
	if in.Type == "custom_tool_call" {
		args = freeform(in.Input)
	} else if text := strings.TrimSpace(args); text == "" {
		args = "{}"
	} else if text[0] != '{' || !json.Valid([]byte(text)) {
		return hub.Invalid(at+".arguments", "%s.arguments must be the JSON text of an object.", at)
	}
	d.calls[in.CallID] = name
	d.append(at, chat.Assistant, chat.Part{Kind: chat.ToolCallPart, ID: in.ID, ToolCall: &chat.ToolCall{ID: in.CallID, Name: name, Arguments: args}})
	return nil
}

func (d *requestDecoder) output(at string, in *itemIn) error {
	if in.CallID == "" {
		return hub.Invalid(at+".call_id", "%s.call_id must name the call it answers.", at)
	}
	if absent(in.Output) {
		return hub.Invalid(at+".output", "%s.output must be a string or an array of parts.", at)
	}
	parts, err := content(at+".output", in.Output)
	if err != nil {
		return err
	}
	d.append(at, chat.ToolRole, chat.Part{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{
		CallID: in.CallID, Name: d.calls[in.CallID], Parts: parts,
	}})
	return nil
}

// thought reads a reasoning item. One without anything in it, which OpenAI
// sends where thoughts are kept to itself, says nothing.
func (d *requestDecoder) thought(at string, in *itemIn) {
	text, sig := in.thought(), unseal(in.Encrypted)
	switch {
	case in.Encrypted != "" && sig.kind == signedCall:
		d.signed[sig.call] = sig
	case in.Encrypted != "" && sig.kind == signedRedacted:
		d.append(at, chat.Assistant, chat.Part{Kind: chat.RedactedThinking, ID: in.ID, Signature: sig.text, SignedBy: sig.vendor})
	case in.Encrypted != "":
		d.append(at, chat.Assistant, chat.Part{Kind: chat.Thinking, ID: in.ID, Text: text, Signature: sig.text, SignedBy: sig.vendor})
	case text != "":
		d.append(at, chat.Assistant, chat.Part{Kind: chat.Thinking, ID: in.ID, Text: text})
	}
}

// sign gives calls the signatures that travelled beside them.
func (d *requestDecoder) sign() {
	for i := range d.req.Messages {
		for j := range d.req.Messages[i].Parts {
			p := &d.req.Messages[i].Parts[j]
			if p.Kind != chat.ToolCallPart {
				continue
			}
			if sig, ok := d.signed[p.ToolCall.ID]; ok {
				p.Signature, p.SignedBy = sig.text, sig.vendor
			}
		}
	}
}

// content reads a text or an array of parts.
func content(at string, raw json.RawMessage) ([]chat.Part, error) {
	switch {
	case absent(raw):
		return nil, nil
	case raw[0] == '"':
		if text := wire.Text(raw); text != "" {
			return []chat.Part{{Kind: chat.Text, Text: text}}, nil
		}
		return nil, nil
	}
	var all []json.RawMessage
	if err := dialect.ReadParam(at, raw, &all, "a string or an array of parts"); err != nil {
		return nil, err
	}
	parts := make([]chat.Part, 0, len(all))
	for i, one := range all {
		p, err := part(fmt.Sprintf("%s[%d]", at, i), one)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

func part(at string, raw json.RawMessage) (p chat.Part, err error) {
	var in partIn
	if err := dialect.ReadParam(at, raw, &in, "an object with a type"); err != nil {
		return p, err
	}
	switch in.Type {
	case "input_text", "output_text", "text", "summary_text", "reasoning_text":
		p.Kind, p.Text = chat.Text, in.Text
		if notes := chatAnnotations(in.Annotations); notes != nil {
			p.Annotations = notes
		}
	case "refusal":
		p.Kind, p.Text = chat.Refusal, in.Refusal
	case "input_image":
		p.Kind = chat.Image
		p.Media, err = media(at, "image_url", in.ImageURL, in.FileID)
		if p.Media != nil {
			p.Media.Detail = in.Detail
		}
	case "input_file":
		p.Kind = chat.File
		where, link := "file_url", in.FileURL
		if in.FileData != "" {
			where, link = "file_data", in.FileData
			if !strings.Contains(link, ":") { // base64 as it stands
				link = "data:;base64," + link
			}
		}
		p.Media, err = media(at, where, link, in.FileID)
		if p.Media != nil {
			p.Media.Filename = in.Filename
		}
	case "input_audio":
		if in.Audio == nil || in.Audio.Data == "" {
			return p, hub.Invalid(at+".input_audio.data", "%s.input_audio must have data and format.", at)
		}
		mime := "audio/" + firstOf(in.Audio.Format, "wav")
		if in.Audio.Format == "mp3" {
			mime = "audio/mpeg"
		}
		p.Kind, p.Media = chat.Audio, &chat.Media{MIME: mime, Data: in.Audio.Data}
	default:
		return p, hub.Invalid(at+".type", "%s.type must be input_text, input_image, input_file, output_text or refusal, not %q.", at, in.Type)
	}
	return p, err
}

// media reads a reference. Only the web and the URL itself may hold content:
// never a file of this machine.
func media(at, field, link, fileID string) (*chat.Media, error) {
	if link == "" {
		if fileID == "" {
			return nil, hub.Invalid(at+"."+field, "%s must have a %s or a file_id.", at, field)
		}
		return &chat.Media{FileID: fileID}, nil
	}
	lower := strings.ToLower(link[:min(len(link), len("https://"))])
	switch {
	case strings.HasPrefix(lower, "data:"):
		return inlineMedia(link[len("data:"):]), nil
	case strings.HasPrefix(lower, "http://"), strings.HasPrefix(lower, "https://"):
		return &chat.Media{URL: link}, nil
	}
	return nil, hub.Invalid(at+"."+field, "%s.%s must be an http, https or data URL.", at, field)
}

// inlineMedia reads what follows the scheme of a data URL (RFC 2397).
func inlineMedia(rest string) *chat.Media {
	head, data, _ := strings.Cut(rest, ",")
	mime, params, _ := strings.Cut(head, ";")
	if params == "base64" || strings.HasSuffix(params, ";base64") {
		return &chat.Media{MIME: mime, Data: data}
	}
	if plain, err := url.PathUnescape(data); err == nil {
		data = plain
	}
	return &chat.Media{MIME: firstOf(mime, "text/plain"), Data: base64.StdEncoding.EncodeToString([]byte(data))}
}
