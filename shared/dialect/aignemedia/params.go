// Package aignemedia is the server side of AIGNE's surfaces for pictures and
// films: /api/v2/image and /api/v2/video of the model protocol, which npm
// @aigne/aigne-hub speaks, and the older REST /image/generations. No provider
// speaks these languages: they are always translated.
package aignemedia

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"unicode"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// params are a request's parameters by their canonical names, which are OpenAI's;
// callers write camelCase or snake_case.
type params struct {
	values map[string]json.RawMessage
	names  map[string]string // the caller's own
	fault  error
}

func newParams() *params {
	return &params{values: map[string]json.RawMessage{}, names: map[string]string{}}
}

// aliases are AIGNE's words for what OpenAI calls otherwise.
var aliases = map[string]string{"safety_filter_level": "safety_level", "duration": "seconds", "duration_seconds": "seconds",
	"number_of_images": "n"}

// add takes the members of an object in. What was there before wins; null is
// absent. The same field in two spellings must not differ: one of them could be
// priced and the other served.
func (p *params) add(path string, o *wire.Object) {
	here := map[string]bool{}
	for _, key := range o.Keys() {
		raw, _ := o.Get(key)
		if string(raw) == "null" {
			continue
		}
		name := snake(key)
		if alias, ok := aliases[name]; ok {
			name = alias
		}
		if old, ok := p.values[name]; ok {
			if here[name] && string(old) != string(raw) {
				p.fail(path+key, "%s and %s are the same field with different values; send one of them.", path+key, p.names[name])
			}
			continue
		}
		here[name] = true
		p.values[name], p.names[name] = raw, path+key
	}
}

func snake(camel string) string {
	var b strings.Builder
	for i, c := range camel {
		if unicode.IsUpper(c) {
			if i > 0 {
				b.WriteByte('_')
			}
			c = unicode.ToLower(c)
		}
		b.WriteRune(c)
	}
	return b.String()
}

func (p *params) fail(name, format string, args ...any) {
	if p.fault == nil {
		p.fault = hub.Invalid(name, format, args...)
	}
}

// name is the caller's for a parameter.
func (p *params) name(canonical string) string {
	if n, ok := p.names[canonical]; ok {
		return n
	}
	return canonical
}

// take returns a parameter and forgets it, so that what stays is foreign.
func (p *params) take(name string) json.RawMessage {
	raw := p.values[name]
	delete(p.values, name)
	return raw
}

func (p *params) text(name string) string {
	raw := p.take(name)
	var s string
	if raw != nil && json.Unmarshal(raw, &s) != nil {
		p.fail(p.name(name), "%s must be a string.", p.name(name))
	}
	return s
}

// whole reads a number between least and most, also from text: the video
// protocol writes seconds so.
func (p *params) whole(name string, least, most int64) *int64 {
	raw := p.take(name)
	text := strings.Trim(string(raw), `"`)
	if text == "" {
		return nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > most {
		p.fail(p.name(name), "%s must be a whole number from %d to %d.", p.name(name), least, most)
		return nil
	}
	return &n
}

func (p *params) flag(name string) *bool {
	switch raw := p.take(name); string(raw) {
	case "", `""`:
	case "true":
		return new(true)
	case "false":
		return new(false)
	default:
		p.fail(p.name(name), "%s must be true or false.", p.name(name))
	}
	return nil
}

// files reads one FileUnion or a list of them; a plain string is a URL, a data
// URL or base64.
func (p *params) files(name string) []task.File {
	raw := p.take(name)
	if raw == nil {
		return nil
	}
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil {
		list = []json.RawMessage{raw}
	}
	files := make([]task.File, len(list))
	for i, item := range list {
		files[i] = p.file(fmt.Sprintf("%s[%d]", p.name(name), i), item)
	}
	return files
}

func (p *params) file(at string, raw json.RawMessage) task.File {
	var link string
	if json.Unmarshal(raw, &link) == nil {
		if !strings.Contains(link, ":") {
			return p.inline(at, link, "")
		}
		f, ok := task.ReadLink(link)
		if !ok {
			p.fail(at, "%s must be a URL, or a data URL in base64.", at)
		}
		return f
	}
	var u struct {
		Type     string `json:"type"`
		URL      string `json:"url"`
		Data     string `json:"data"`
		MIME     string `json:"mimeType"`
		Filename string `json:"filename"`
	}
	if json.Unmarshal(raw, &u) != nil {
		p.fail(at, "%s must be a file: {type, url} or {type, data}.", at)
		return task.File{}
	}
	var f task.File
	switch u.Type {
	case "url":
		ok := false
		if f, ok = task.ReadLink(u.URL); !ok {
			p.fail(at+".url", "%s.url must be a URL, or a data URL in base64.", at)
		}
	case "file":
		f = p.inline(at+".data", u.Data, u.MIME)
	case "local":
		p.fail(at+".type", "%s.type local is refused: the hub reads no files of its own; send the data or a URL.", at)
	default:
		p.fail(at+".type", "%s.type must be url or file.", at)
	}
	f.Name = u.Filename
	if f.MIME == "" {
		f.MIME = u.MIME
	}
	return f
}

func (p *params) inline(at, text, mime string) task.File {
	if f, ok := task.ReadLink(text); ok && f.URL == "" {
		return f
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(data) == 0 {
		p.fail(at, "%s must be base64.", at)
	}
	return task.File{MIME: mime, Data: data}
}

// wantsURL reads outputFileType and response_format.
func (p *params) wantsURL() bool {
	out, format := p.text("output_file_type"), p.text("response_format")
	switch out {
	case "", "file", "url":
	case "local":
		p.fail(p.name("output_file_type"), "%s local is refused: nobody but the hub could read the file; ask for file or url.", p.name("output_file_type"))
	default:
		p.fail(p.name("output_file_type"), "%s must be file or url.", p.name("output_file_type"))
	}
	switch format {
	case "b64_json":
		return false
	case "", "url":
	default:
		p.fail(p.name("response_format"), "%s must be url or b64_json.", p.name("response_format"))
	}
	return out == "url" || format == "url"
}

// view begins a request of a kind from a body.
func view(r *http.Request, body []byte, kind task.Kind) (*dialect.TaskView, *wire.Object, error) {
	o, err := wire.Parse(body)
	if err != nil {
		return nil, nil, hub.Invalid("", "The request body is not a JSON object: %v.", err)
	}
	v := &dialect.TaskView{Request: &task.Request{Kind: kind}, Object: o, Header: r.Header, Bytes: int64(len(body))}
	return v, o, nil
}

// protocol reads the body of the model protocol: input, and modelOptions in it.
func protocol(o *wire.Object) (*params, string) {
	p := newParams()
	model, _ := o.String("model")
	raw, ok := o.Get("input")
	if !ok {
		p.fail("input", "The request has no input.")
		return p, model
	}
	input, err := wire.Parse(raw)
	if err != nil {
		p.fail("input", "input must be an object: %v.", err)
		return p, model
	}
	p.add("input.", input)
	if raw := p.take("model_options"); raw != nil {
		options, err := wire.Parse(raw)
		if err != nil {
			p.fail("input.modelOptions", "input.modelOptions must be an object: %v.", err)
			return p, model
		}
		p.add("input.modelOptions.", options)
	}
	if own := p.text("model"); model == "" {
		model = own
	}
	p.take("prefer_input_file_type") // how files are sent on is decided by what the target takes
	return p, model
}

// done finishes a request: what nobody took is foreign.
func (p *params) done(r *task.Request) error {
	r.User = p.text("user")
	r.Names = p.names
	if len(p.values) > 0 {
		r.Extra = p.values
	}
	return p.fault
}
