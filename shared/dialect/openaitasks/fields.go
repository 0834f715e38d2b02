package openaitasks

import (
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// fields reads the parameters of a body, a JSON object or a form alike, and
// keeps the first fault.
type fields struct {
	object *wire.Object
	form   *wire.Form
	fault  error
}

func (f *fields) fail(param, format string, args ...any) {
	if f.fault == nil {
		f.fault = hub.Invalid(param, format, args...)
	}
}

// raw is a parameter's text, "" when absent or null; quoted says whether it may
// be read as a string.
func (f *fields) raw(name string) (text string, quoted bool) {
	if f.form != nil {
		text, _, err := f.form.Value(name)
		if err != nil {
			f.fail(name, "%v.", err)
		}
		return text, true
	}
	raw, ok := f.object.Get(name)
	if !ok || string(raw) == "null" {
		return "", true
	}
	if s, ok := f.object.String(name); ok {
		return s, true
	}
	return string(raw), false
}

func (f *fields) text(name string) string {
	s, quoted := f.raw(name)
	if !quoted {
		f.fail(name, "%s must be a string.", name)
	}
	return s
}

// whole reads a number between least and most, which forms write as text.
func (f *fields) whole(name string, least, most int64) *int64 {
	s, quoted := f.raw(name)
	if s == "" && quoted {
		return nil
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n < least || n > most || (quoted && f.form == nil) {
		f.fail(name, "%s must be a whole number from %d to %d.", name, least, most)
		return nil
	}
	return &n
}

func (f *fields) flag(name string) bool {
	s, quoted := f.raw(name)
	switch {
	case s == "true" && (f.form != nil || !quoted):
		return true
	case s == "" || s == "false":
		return false
	}
	f.fail(name, "%s must be true or false.", name)
	return false
}

// rest lists the parameters that are not known, for translation.
func (f *fields) rest(known ...string) map[string]json.RawMessage {
	if f.form == nil {
		return rest(f.object, known...)
	}
	out := map[string]json.RawMessage{}
	for i := range f.form.Parts {
		if p := &f.form.Parts[i]; !slices.Contains(known, p.Name) {
			out[p.Name] = wire.Quote(string(p.Data))
		}
	}
	return out
}

// pictures reads what an edit works from: uploads, or in JSON the list "images"
// and "mask", each {"image_url"} or {"file_id"}.
func (f *fields) pictures() (inputs []task.File, mask *task.File) {
	if f.form != nil {
		for _, p := range f.form.Values("image") {
			inputs = append(inputs, upload(p))
		}
		for _, p := range f.form.Values("mask") {
			m := upload(p)
			mask = &m
		}
		return inputs, mask
	}
	for _, name := range []string{"images", "image"} {
		raw, ok := f.object.Get(name)
		if !ok || string(raw) == "null" {
			continue
		}
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil {
			list = []json.RawMessage{raw}
		}
		for i, item := range list {
			inputs = append(inputs, f.reference(fmt.Sprintf("%s[%d]", name, i), item))
		}
	}
	if raw, ok := f.object.Get("mask"); ok && string(raw) != "null" {
		m := f.reference("mask", raw)
		mask = &m
	}
	return inputs, mask
}

func upload(p *wire.FormPart) task.File {
	return task.File{Name: p.Filename, MIME: p.Type(), Data: p.Data}
}

// reference reads {"image_url":…}, {"file_id":…} or a plain URL.
func (f *fields) reference(at string, raw json.RawMessage) task.File {
	var link string
	var ref struct {
		URL string `json:"image_url"`
		ID  string `json:"file_id"`
	}
	if json.Unmarshal(raw, &link) != nil && json.Unmarshal(raw, &ref) != nil {
		f.fail(at, "%s must be an object with image_url or file_id.", at)
		return task.File{}
	}
	if ref.ID != "" {
		return task.File{ID: ref.ID}
	}
	file, ok := task.ReadLink(link + ref.URL)
	if !ok {
		f.fail(at, "%s must be a URL, or a data URL in base64.", at)
	}
	return file
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
