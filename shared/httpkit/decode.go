package httpkit

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	// maxJSON is the limit of Decode in bytes: no form of the console and no bulk
	// change comes near it.
	maxJSON = 1 << 20
	// maxJSONDepth is how deep a body may nest.
	maxJSONDepth = 64
)

// Decode reads the body as one JSON value of type T, at most 1 MiB, and checks
// its validate tags (validator/v10). Unknown fields, wrong types, values that
// break a rule, data after the value and a Content-Type other than JSON are
// refused; the error names the field by its JSON path. T is a struct; other
// types are decoded without rules.
func Decode[T any](r *http.Request) (T, error) { return DecodeLimit[T](r, maxJSON) }

// DecodeLimit is Decode with a limit in bytes.
func DecodeLimit[T any](r *http.Request, limit int64) (T, error) {
	var v T
	if err := requireJSON(r.Header); err != nil {
		return v, err
	}
	body, err := ReadBody(r, limit)
	if err != nil {
		return v, err
	}
	if err := unmarshalStrict(body, &v); err != nil {
		return v, err
	}
	return v, validateStruct(&v)
}

// ReadBody reads the body whole, at most limit bytes.
func ReadBody(r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(min(r.ContentLength, maxJSON)) + bytes.MinRead)
	}
	_, err := buf.ReadFrom(io.LimitReader(r.Body, limit+1))
	var outer *http.MaxBytesError
	switch {
	case errors.As(err, &outer):
		return nil, tooLarge(outer.Limit)
	case err != nil:
		return nil, hub.Wrap(hub.CodeInvalid, err, "The request body could not be read to its end.")
	case int64(buf.Len()) > limit:
		return nil, tooLarge(limit)
	}
	return buf.Bytes(), nil
}

// requireJSON insists on the type also because a form on a foreign page cannot
// send it.
func requireJSON(h http.Header) error {
	if enc := h.Get("Content-Encoding"); enc != "" && !strings.EqualFold(enc, "identity") {
		return hub.Errorf(hub.CodeUnsupportedMedia, "Send the body without Content-Encoding.")
	}
	media, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || (media != "application/json" && !strings.HasSuffix(media, "+json")) {
		return hub.Errorf(hub.CodeUnsupportedMedia, "Send the body as JSON with the header Content-Type: application/json.")
	}
	return nil
}

func unmarshalStrict(body []byte, v any) error {
	trimmed := bytes.TrimSpace(body)
	switch {
	case len(trimmed) == 0:
		return hub.Errorf(hub.CodeInvalid, "The request body is empty; send a JSON object.")
	case string(trimmed) == "null":
		return hub.Errorf(hub.CodeInvalid, "The request body is null; send a JSON object.")
	case tooDeep(body):
		return hub.Errorf(hub.CodeInvalid, "The request body nests deeper than %d levels.", maxJSONDepth)
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return decodeFault(err, body, reflect.TypeOf(v).Elem())
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return hub.Errorf(hub.CodeInvalid, "There is more data after the JSON value; send exactly one.")
	}
	return nil
}

// tooDeep counts brackets outside of strings.
func tooDeep(body []byte) bool {
	depth, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch c := body[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			if depth++; depth > maxJSONDepth {
				return true
			}
		case c == '}' || c == ']':
			depth--
		}
	}
	return false
}

// decodeFault says in the caller's words what encoding/json found.
func decodeFault(err error, body []byte, t reflect.Type) error {
	var syntax *json.SyntaxError
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return hub.Errorf(hub.CodeInvalid, "The request body is cut-off JSON.")
	case errors.As(err, &syntax):
		return hub.Errorf(hub.CodeInvalid, "The request body is not valid JSON at byte %d.", syntax.Offset)
	case errors.As(err, &wrong):
		return wrongType(wrong, body, t)
	}
	// encoding/json has no type for this error; a test holds its wording.
	if quoted, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		name, unquoteErr := strconv.Unquote(quoted)
		if unquoteErr != nil {
			name = quoted
		}
		return hub.Invalid(name, "There is no field %q here.", shown(name))
	}
	// What is left comes from a type's own UnmarshalText or UnmarshalJSON, which
	// does not know where it stands.
	if path, cause := blame(body, t); path != "" {
		return hub.Invalid(path, "%s: %s.", path, shown(cause.Error()))
	}
	return hub.Errorf(hub.CodeInvalid, "The request body cannot be read: %s.", shown(err.Error()))
}

func wrongType(e *json.UnmarshalTypeError, body []byte, t reflect.Type) error {
	field := e.Field
	if field == "" {
		field, _ = blame(body, t)
	}
	given, _, _ := strings.Cut(e.Value, " ") // "number 1.5" holds what was typed
	wanted := kindName(e.Type)
	if field == "" {
		return hub.Errorf(hub.CodeInvalid, "The request body must be %s, not %s.", wanted, article(given))
	}
	if wanted == "a whole number" && given == "number" {
		return hub.Invalid(field, "%s must be a whole number within its range.", field)
	}
	return hub.Invalid(field, "%s must be %s, not %s.", field, wanted, article(given))
}

func article(kind string) string {
	switch kind {
	case "array", "object":
		return "an " + kind
	case "bool":
		return "true or false"
	}
	return "a " + kind
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.String:
		return "a string"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		// Types that read themselves from text, such as amounts, are integers inside.
		if reflect.PointerTo(t).Implements(textType) {
			return "a string"
		}
		return "a whole number"
	case reflect.Float32, reflect.Float64:
		return "a number"
	case reflect.Slice, reflect.Array:
		return "an array"
	case reflect.Pointer:
		return kindName(t.Elem())
	case reflect.Struct:
		if reflect.PointerTo(t).Implements(textType) {
			return "a string"
		}
	}
	return "an object"
}
