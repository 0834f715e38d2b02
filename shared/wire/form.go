package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"strings"
)

// maxFormParts bounds the parts of a form: each costs memory beyond its bytes.
const maxFormParts = 1000

// Form is a multipart/form-data body (RFC 7578) in its order, that can be sent
// on with single values changed.
type Form struct {
	Parts    []FormPart
	boundary string
}

// FormPart is one field or file of a form.
type FormPart struct {
	Name     string
	Filename string // "" for a plain field
	Header   textproto.MIMEHeader
	Data     []byte
}

// IsFile reports whether the part is an uploaded file.
func (p *FormPart) IsFile() bool { return p.Filename != "" || p.Header.Get("Content-Type") != "" }

// Type is the part's media type without parameters, "" when it names none.
func (p *FormPart) Type() string {
	kind, _, err := mime.ParseMediaType(p.Header.Get("Content-Type"))
	if err != nil {
		return ""
	}
	return kind
}

// ParseForm reads a form. Data is copied, since parts may be kept. Errors say
// what is wrong with the body.
func ParseForm(contentType string, body []byte) (*Form, error) {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil || kind != "multipart/form-data" {
		return nil, errors.New("the body must be multipart/form-data")
	}
	boundary := params["boundary"]
	if boundary == "" {
		return nil, errors.New("the multipart boundary is missing")
	}
	f := &Form{boundary: boundary}
	reader := multipart.NewReader(bytes.NewReader(body), boundary)
	for {
		part, err := reader.NextRawPart()
		if errors.Is(err, io.EOF) {
			if len(f.Parts) == 0 {
				return nil, errors.New("the form is empty")
			}
			return f, nil
		}
		if err != nil {
			return nil, fmt.Errorf("the form is malformed: %w", err)
		}
		if len(f.Parts) == maxFormParts {
			return nil, fmt.Errorf("the form has more than %d parts", maxFormParts)
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, fmt.Errorf("the form is malformed: %w", err)
		}
		if part.FormName() == "" {
			return nil, errors.New("a part of the form has no name")
		}
		f.Parts = append(f.Parts, FormPart{Name: part.FormName(), Filename: part.FileName(), Header: part.Header, Data: data})
	}
}

// NewForm makes an empty form.
func NewForm() *Form {
	return &Form{boundary: multipart.NewWriter(io.Discard).Boundary()}
}

// Values returns the parts of one name; clients write lists as "name[]" too.
func (f *Form) Values(name string) []*FormPart {
	var found []*FormPart
	for i := range f.Parts {
		if n := f.Parts[i].Name; n == name || n == name+"[]" {
			found = append(found, &f.Parts[i])
		}
	}
	return found
}

// Value returns the text of the only plain field of a name. ok is false when
// there is none; a repeated one is an error.
func (f *Form) Value(name string) (text string, ok bool, err error) {
	found := f.Values(name)
	if len(found) > 1 {
		return "", false, fmt.Errorf("%s is there %d times", name, len(found))
	}
	if len(found) == 0 {
		return "", false, nil
	}
	return string(found[0].Data), true, nil
}

// Set gives a plain field a value, in its place when it is there, else at the end.
func (f *Form) Set(name, value string) {
	for i := range f.Parts {
		if f.Parts[i].Name == name {
			f.Parts[i].Data = []byte(value)
			return
		}
	}
	f.Add(name, value)
}

// Add appends a plain field.
func (f *Form) Add(name, value string) {
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="`+escapeQuotes(name)+`"`)
	f.Parts = append(f.Parts, FormPart{Name: name, Header: h, Data: []byte(value)})
}

// AddFile appends a file.
func (f *Form) AddFile(name, filename, contentType string, data []byte) {
	h := textproto.MIMEHeader{}
	h.Set("Content-Disposition", `form-data; name="`+escapeQuotes(name)+`"; filename="`+escapeQuotes(filename)+`"`)
	if contentType != "" {
		h.Set("Content-Type", contentType)
	}
	f.Parts = append(f.Parts, FormPart{Name: name, Filename: filename, Header: h, Data: data})
}

// Delete removes the parts of a name.
func (f *Form) Delete(name string) {
	kept := f.Parts[:0]
	for _, p := range f.Parts {
		if p.Name != name {
			kept = append(kept, p)
		}
	}
	f.Parts = kept
}

// Clone copies the list of parts; their data is shared and must not be changed
// in place.
func (f *Form) Clone() *Form {
	return &Form{Parts: append([]FormPart(nil), f.Parts...), boundary: f.boundary}
}

// ContentType is the header that goes with Bytes.
func (f *Form) ContentType() string {
	return mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": f.boundary})
}

// Bytes writes the form.
func (f *Form) Bytes() ([]byte, error) {
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	if err := w.SetBoundary(f.boundary); err != nil {
		return nil, err
	}
	for i := range f.Parts {
		part, err := w.CreatePart(f.Parts[i].Header)
		if err != nil {
			return nil, err
		}
		if _, err := part.Write(f.Parts[i].Data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// escapeQuotes writes a name as browsers do (WHATWG HTML, multipart/form-data).
func escapeQuotes(s string) string {
	return strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace(s)
}
