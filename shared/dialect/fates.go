package dialect

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Fates decides what becomes of a request's parameters at a target. Names are
// canonical; callers read their own.
type Fates struct {
	Req     *chat.Request
	Quirks  *Quirks
	Dropped []string // in the caller's words
}

// Drop notes a parameter that is left out, once.
func (f *Fates) Drop(name string) {
	name = f.Req.ParamName(name)
	if !slices.Contains(f.Dropped, name) {
		f.Dropped = append(f.Dropped, name)
	}
}

// Want decides on a parameter that the language can express: whether to send
// it, given what this provider refuses or ignores.
func (f *Fates) Want(name string, set bool) (bool, error) {
	switch {
	case !set:
		return false, nil
	case slices.Contains(f.Quirks.Refuses, name):
		return false, f.Refuse(name, "the provider of this model does not accept it")
	case slices.Contains(f.Quirks.Ignores, name):
		f.Drop(name)
		return false, nil
	}
	return true, nil
}

// Cannot decides on a parameter for which there is no word at the target.
func (f *Fates) Cannot(name string) error {
	if slices.Contains(f.Quirks.Ignores, name) && !slices.Contains(f.Quirks.Refuses, name) {
		f.Drop(name)
		return nil
	}
	return f.Refuse(name, "the provider of this model has nothing like it")
}

// Refuse is the error for a parameter that the target does not take.
func (f *Fates) Refuse(name, why string) error {
	name = f.Req.ParamName(name)
	return hub.Invalid(name, "%s cannot be used with this model: %s.", name, why)
}

// Sampling decides on temperature, top_p and top_k. Thinking allows none of them
// but a top_p of 0.95 or more (platform.claude.com, extended thinking). oneOf:
// the model takes only one of temperature and top_p, so one that is at its
// neutral value gives way.
func (f *Fates) Sampling(thinks, oneOf bool) (temperature, topP, topK bool, err error) {
	r := f.Req
	if temperature, err = f.Want("temperature", r.Temperature != nil); err != nil {
		return false, false, false, err
	}
	if topP, err = f.Want("top_p", r.TopP != nil); err != nil {
		return false, false, false, err
	}
	if topK, err = f.Want("top_k", r.TopK != nil); err != nil {
		return false, false, false, err
	}
	const leastWhileThinking = 0.95
	if thinks {
		if temperature && *r.Temperature != 1 {
			f.Drop("temperature")
		}
		if topK {
			f.Drop("top_k")
		}
		if topP && *r.TopP < leastWhileThinking {
			f.Drop("top_p")
			topP = false
		}
		temperature, topK = false, false
	}
	if oneOf && temperature && topP {
		if *r.TopP == 1 {
			topP = false
		} else if *r.Temperature == 1 {
			temperature = false
		}
	}
	return temperature, topP, topK, nil
}

// ObjectSchema makes sure that a schema says "object", which some APIs demand
// and other languages take for granted.
func ObjectSchema(schema json.RawMessage) (json.RawMessage, error) {
	if len(schema) == 0 || string(schema) == "null" {
		return json.RawMessage(`{"type":"object","properties":{}}`), nil
	}
	o, err := wire.Parse(schema)
	if err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	if !o.Has("type") {
		o.Delete("type")
		o.Set("type", []byte(`"object"`))
		return o.Bytes(), nil
	}
	if kind, _ := o.String("type"); kind != "object" {
		return nil, fmt.Errorf("schema: type %q", kind)
	}
	return schema, nil
}
