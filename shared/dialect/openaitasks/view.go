package openaitasks

import (
	"encoding/json"
	"net/http"
	"slices"
	"sort"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// jsonView reads what all JSON requests share.
func jsonView(r *http.Request, body []byte, kind task.Kind) (*dialect.TaskView, error) {
	o, err := wire.Parse(body)
	if err != nil {
		return nil, hub.Invalid("", "The request body is not a JSON object: %v.", err)
	}
	v := &dialect.TaskView{Request: &task.Request{Kind: kind}, Object: o, Header: r.Header, Bytes: int64(len(body))}
	if raw, ok := o.Get("model"); ok {
		if v.Request.Model, ok = o.String("model"); !ok && string(raw) != "null" {
			return nil, hub.Invalid("model", "model must be a string.")
		}
	}
	if v.Request.User, err = text(o, "user"); err != nil {
		return nil, err
	}
	return v, nil
}

// text reads a string that may be absent or null.
func text(o *wire.Object, name string) (string, error) {
	raw, ok := o.Get(name)
	if !ok || string(raw) == "null" {
		return "", nil
	}
	s, ok := o.String(name)
	if !ok {
		return "", hub.Invalid(name, "%s must be a string.", name)
	}
	return s, nil
}

// positive reads a whole number of at least 1 that may be absent or null.
func positive(o *wire.Object, name string) (*int64, error) {
	raw, ok := o.Get(name)
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 1 {
		return nil, hub.Invalid(name, "%s must be a whole number of at least 1.", name)
	}
	return &n, nil
}

// rest lists the members that are not known, for translation.
func rest(o *wire.Object, known ...string) map[string]json.RawMessage {
	var out map[string]json.RawMessage
	for _, key := range o.Keys() {
		if slices.Contains(known, key) {
			continue
		}
		if out == nil {
			out = map[string]json.RawMessage{}
		}
		out[key], _ = o.Get(key)
	}
	return out
}

// refuseExtra refuses the first parameter that this language does not have.
func refuseExtra(req *task.Request) error {
	names := make([]string, 0, len(req.Extra))
	for name := range req.Extra {
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil
	}
	sort.Strings(names)
	return hub.Invalid(names[0], "%s is not supported by this model's provider.", names[0])
}

func jsonPayload(v any) (dialect.Payload, error) {
	body, err := json.Marshal(v)
	return dialect.Payload{Type: "application/json", Body: body}, err
}
