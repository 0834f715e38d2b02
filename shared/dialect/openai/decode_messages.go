package openai

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

type messageIn struct {
	Role    string          `json:"role"`
	Name    string          `json:"name"`
	Content json.RawMessage `json:"content"`
	Refusal *string         `json:"refusal"`

	ReasoningContent string `json:"reasoning_content"`
	Reasoning        string `json:"reasoning"`

	Details json.RawMessage `json:"reasoning_details"`
	Images  json.RawMessage `json:"images"` // made by the model, as OpenRouter gives them

	ToolCalls    []json.RawMessage `json:"tool_calls"`
	FunctionCall *struct {
		Name      string `json:"name"`
		Arguments string `json:"arguments"`
	} `json:"function_call"`
	ToolCallID string `json:"tool_call_id"`
	Audio      *struct {
		ID string `json:"id"`
	} `json:"audio"`
}

func (d *requestDecoder) messages(raw json.RawMessage) error {
	var all []json.RawMessage
	if err := dialect.ReadParam("messages", raw, &all, "an array of messages"); err != nil {
		return err
	}
	if len(all) == 0 {
		return hub.Invalid("messages", "messages must hold at least one message.")
	}
	d.callNames, d.lastCall = map[string]string{}, map[string]string{}
	for i, one := range all {
		at := fmt.Sprintf("messages[%d]", i)
		var in messageIn
		if len(one) == 0 || one[0] != '{' || json.Unmarshal(one, &in) != nil {
			return badMessage(at, one)
		}
		if err := d.unknown(at, one); err != nil {
			return err
		}
		if err := d.message(at, &in); err != nil {
			return err
		}
	}
	return nil
}

// badMessage names the field of a message that has the wrong type.
func badMessage(at string, raw json.RawMessage) error {
	var in messageIn
	err := json.Unmarshal(raw, &in)
	if te, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && te.Field != "" {
		at += "." + te.Field
	}
	return hub.Invalid(at, "%s is not of the form that the chat completions API describes.", at)
}

func (d *requestDecoder) message(at string, in *messageIn) error {
	switch in.Role {
	case "system", "developer", "user":
		parts, err := content(at+".content", in.Content)
		if err != nil {
			return err
		}
		if in.Content == nil || string(in.Content) == "null" {
			return hub.Invalid(at+".content", "%s.content must be a string or an array of parts.", at)
		}
		d.add(at, chat.Message{Role: chat.Role(in.Role), Name: in.Name, Parts: parts})
	case "assistant":
		return d.assistant(at, in)
	case "tool":
		if in.ToolCallID == "" {
			return hub.Invalid(at+".tool_call_id", "%s.tool_call_id must name the call it answers.", at)
		}
		return d.result(at, in, in.ToolCallID, d.callNames[in.ToolCallID])
	case "function":
		id, ok := d.lastCall[in.Name]
		if !ok {
			return hub.Invalid(at+".name", "%s.name names no function called before.", at)
		}
		return d.result(at, in, id, in.Name)
	default:
		return hub.Invalid(at+".role", "%s.role must be system, developer, user, assistant or tool, not %q.", at, in.Role)
	}
	return nil
}

// add adds a message that stands at a path of the caller's.
func (d *requestDecoder) add(at string, m chat.Message) {
	d.req.PlaceMessage(len(d.req.Messages), at)
	d.req.Messages = append(d.req.Messages, m)
}

// result adds a tool result. Results that follow each other are one turn.
func (d *requestDecoder) result(at string, in *messageIn, id, name string) error {
	parts, err := content(at+".content", in.Content)
	if err != nil {
		return err
	}
	part := chat.Part{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: id, Name: name, Parts: parts}}
	if n := len(d.req.Messages); n > 0 && d.req.Messages[n-1].Role == chat.ToolRole {
		d.req.PlacePart(n-1, len(d.req.Messages[n-1].Parts), at)
		d.req.Messages[n-1].Parts = append(d.req.Messages[n-1].Parts, part)
		return nil
	}
	d.req.PlacePart(len(d.req.Messages), 0, at)
	d.add(at, chat.Message{Role: chat.ToolRole, Parts: []chat.Part{part}})
	return nil
}

func (d *requestDecoder) assistant(at string, in *messageIn) error {
	m := chat.Message{Role: chat.Assistant, Name: in.Name}
	m.Parts = thoughts(firstOf(in.ReasoningContent, in.Reasoning), readDetails(in.Details))
	parts, err := content(at+".content", in.Content)
	if err != nil {
		return err
	}
	m.Parts = append(m.Parts, parts...)
	if in.Refusal != nil && *in.Refusal != "" {
		m.Parts = append(m.Parts, chat.Part{Kind: chat.Refusal, Text: *in.Refusal})
	}
	if in.Images != nil {
		pictures, err := content(at+".images", in.Images)
		if err != nil {
			return err
		}
		m.Parts = append(m.Parts, pictures...)
	}
	if in.Audio != nil {
		m.Parts = append(m.Parts, chat.Part{Kind: chat.Audio, Media: &chat.Media{FileID: in.Audio.ID}})
	}
	for i, raw := range in.ToolCalls {
		part, err := d.toolCall(fmt.Sprintf("%s.tool_calls[%d]", at, i), raw)
		if err != nil {
			return err
		}
		m.Parts = append(m.Parts, part)
	}
	if f := in.FunctionCall; f != nil {
		part, err := d.functionCall(at+".function_call", f.Name, f.Arguments)
		if err != nil {
			return err
		}
		m.Parts = append(m.Parts, part)
	}
	m.Parts = signCalls(m.Parts)
	d.add(at, m)
	return nil
}

func (d *requestDecoder) toolCall(at string, raw json.RawMessage) (chat.Part, error) {
	var in struct {
		ID       string `json:"id"`
		Type     string `json:"type"`
		Function *struct {
			Name      string `json:"name"`
			Arguments string `json:"arguments"`
		} `json:"function"`
		Extra json.RawMessage `json:"extra_content"`
	}
	if err := dialect.ReadParam(at, raw, &in, "an object with id, type and function, whose arguments are a string"); err != nil {
		return chat.Part{}, err
	}
	switch {
	case in.ID == "":
		return chat.Part{}, hub.Invalid(at+".id", "%s.id must be given.", at)
	case in.Type != "" && in.Type != "function":
		return chat.Part{}, hub.Invalid(at+".type", "A tool call of type %q cannot be translated to the model asked for.", in.Type)
	case in.Function == nil || in.Function.Name == "":
		return chat.Part{}, hub.Invalid(at+".function.name", "%s.function.name must name the function.", at)
	}
	args, err := arguments(at+".function.arguments", in.Function.Arguments)
	if err != nil {
		return chat.Part{}, err
	}
	d.callNames[in.ID] = in.Function.Name
	p := chat.Part{
		Kind:      chat.ToolCallPart,
		ToolCall:  &chat.ToolCall{ID: in.ID, Name: in.Function.Name, Arguments: args},
		Signature: wire.Text(signatureIn(in.Extra)),
	}
	if p.Signature != "" {
		p.SignedBy = chat.SignedGoogle
	}
	return p, nil
}

// functionCall gives the call of a legacy message an id, which other languages
// need.
func (d *requestDecoder) functionCall(at, name, args string) (chat.Part, error) {
	if name == "" {
		return chat.Part{}, hub.Invalid(at+".name", "%s.name must name the function.", at)
	}
	args, err := arguments(at+".arguments", args)
	if err != nil {
		return chat.Part{}, err
	}
	d.legacy++
	id := fmt.Sprintf("call_function_%d", d.legacy)
	d.lastCall[name] = id
	return chat.Part{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: id, Name: name, Arguments: args}}, nil
}

func arguments(at, args string) (string, error) {
	text := strings.TrimSpace(args)
	if text == "" {
		return "{}", nil
	}
	if text[0] != '{' || !json.Valid([]byte(text)) {
		return "", hub.Invalid(at, "%s must be the JSON text of an object.", at)
	}
	return args, nil
}

// content reads a message's content: a string, an array of parts, or nothing.
func content(at string, raw json.RawMessage) ([]chat.Part, error) {
	switch {
	case len(raw) == 0 || string(raw) == "null":
		return nil, nil
	case raw[0] == '"':
		if text := wire.Text(raw); text != "" {
			return []chat.Part{{Kind: chat.Text, Text: text}}, nil
		}
		return nil, nil
	case raw[0] != '[':
		return nil, hub.Invalid(at, "%s must be a string or an array of parts.", at)
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

type partIn struct {
	Type    string          `json:"type"`
	Text    string          `json:"text"`
	Refusal string          `json:"refusal"`
	Image   json.RawMessage `json:"image_url"`
	Audio   *struct {
		Data   string `json:"data"`
		Format string `json:"format"`
	} `json:"input_audio"`
	File *struct {
		ID   string `json:"file_id"`
		Data string `json:"file_data"`
		Name string `json:"filename"`
	} `json:"file"`
	Cache *cacheControl `json:"cache_control"`
}

func part(at string, raw json.RawMessage) (p chat.Part, err error) {
	var in partIn
	if err := dialect.ReadParam(at, raw, &in, "an object with a type"); err != nil {
		return p, err
	}
	p.Cache = in.Cache.cache()
	switch in.Type {
	case "text":
		p.Kind, p.Text = chat.Text, in.Text
	case "refusal":
		p.Kind, p.Text = chat.Refusal, in.Refusal
	case "image_url":
		p.Kind = chat.Image
		p.Media, err = imageIn(at+".image_url", in.Image)
	case "input_audio":
		if in.Audio == nil || in.Audio.Data == "" {
			return p, hub.Invalid(at+".input_audio.data", "%s.input_audio must have data and format.", at)
		}
		p.Kind, p.Media = chat.Audio, &chat.Media{MIME: audioMIME(in.Audio.Format), Data: in.Audio.Data}
	case "file":
		p.Kind = chat.File
		if in.File == nil || in.File.ID == "" && in.File.Data == "" {
			return p, hub.Invalid(at+".file", "%s.file must have file_data or file_id.", at)
		}
		p.Media = &chat.Media{FileID: in.File.ID}
		if in.File.Data != "" {
			p.Media, err = linked(at+".file.file_data", in.File.Data)
			if err != nil && !strings.Contains(in.File.Data, ":") { // no URL: base64 as it stands
				p.Media, err = &chat.Media{Data: in.File.Data}, nil
			}
			if err != nil {
				return p, err
			}
		}
		p.Media.Filename = in.File.Name
	default:
		return p, hub.Invalid(at+".type", "%s.type must be text, image_url, input_audio, file or refusal, not %q.", at, in.Type)
	}
	return p, err
}

func imageIn(at string, raw json.RawMessage) (*chat.Media, error) {
	if len(raw) > 0 && raw[0] == '"' { // some clients leave the object out
		return linked(at, wire.Text(raw))
	}
	var in struct {
		URL    string `json:"url"`
		Detail string `json:"detail"`
	}
	if json.Unmarshal(raw, &in) != nil || in.URL == "" {
		return nil, hub.Invalid(at+".url", "%s.url must be an http, https or data URL.", at)
	}
	m, err := linked(at+".url", in.URL)
	if err == nil {
		m.Detail = in.Detail
	}
	return m, err
}

// linked reads a URL. Only the web and the URL itself may hold content: never a
// file of this machine.
func linked(at, link string) (*chat.Media, error) {
	if _, inline := cutScheme(link, "data:"); !inline && !isHTTP(link) {
		return nil, hub.Invalid(at, "%s must be an http, https or data URL.", at)
	}
	return mediaAt(link), nil
}

func audioMIME(format string) string {
	switch format {
	case "mp3":
		return "audio/mpeg"
	case "":
		return "audio/wav"
	}
	return "audio/" + format
}

func audioFormat(mime string) string {
	switch mime {
	case "audio/mpeg":
		return "mp3"
	case "", "audio/x-wav", "audio/wave", "audio/vnd.wave":
		return "wav"
	}
	return strings.TrimPrefix(mime, "audio/")
}
