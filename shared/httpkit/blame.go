package httpkit

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
)

var textType = reflect.TypeFor[encoding.TextUnmarshaler]()

// blame finds which part of body does not fit t, by trying the parts one by
// one, and returns its JSON path and what that part's type says. It runs only
// after a decoding has failed. The path is "" when no part alone is at fault.
func blame(body []byte, t reflect.Type) (path string, cause error) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(textType) {
		return "", nil
	}
	switch t.Kind() {
	case reflect.Struct:
		var parts map[string]json.RawMessage
		if json.Unmarshal(body, &parts) != nil {
			return "", nil
		}
		for _, f := range reflect.VisibleFields(t) {
			name := jsonName(f)
			raw, ok := parts[name]
			if !ok || !f.IsExported() {
				continue
			}
			if path, cause := blamePart(name, raw, f.Type); path != "" {
				return path, cause
			}
		}
	case reflect.Slice, reflect.Array:
		var parts []json.RawMessage
		if json.Unmarshal(body, &parts) != nil {
			return "", nil
		}
		for i, raw := range parts {
			if path, cause := blamePart("["+strconv.Itoa(i)+"]", raw, t.Elem()); path != "" {
				return path, cause
			}
		}
	}
	return "", nil
}

func blamePart(name string, raw json.RawMessage, t reflect.Type) (string, error) {
	err := json.Unmarshal(raw, reflect.New(t).Interface())
	if err == nil {
		return "", nil
	}
	inner, cause := blame(raw, t)
	switch {
	case inner == "":
		return name, err
	case strings.HasPrefix(inner, "["):
		return name + inner, cause
	}
	return name + "." + inner, cause
}

// jsonName is the name of a struct field in JSON, "-" when it has none.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" {
		return f.Name
	}
	return name
}
