package responses

import (
	"encoding/json"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Stored is an answer that can be come back to: itself, and the items of the
// whole conversation that led to it.
type Stored struct {
	Response json.RawMessage   `json:"response"`
	Input    []json.RawMessage `json:"input"`
}

// Keep makes what is stored of an answer to the request v. Every item of the
// input gets an id and the long form, as the listing of items shows them.
func Keep(v *dialect.View, response []byte) (Stored, error) {
	s := Stored{Response: response, Input: []json.RawMessage{}}
	raw, _ := v.Object.Get("input")
	if len(raw) > 0 && raw[0] == '"' {
		raw = encodeJSON([]any{map[string]json.RawMessage{"role": json.RawMessage(`"user"`), "content": raw}})
	}
	var items []json.RawMessage
	if !absent(raw) {
		if err := json.Unmarshal(raw, &items); err != nil {
			return s, hub.Invalid("input", "input must be a string or an array of items.")
		}
	}
	for _, one := range items {
		item, err := complete(one)
		if err != nil {
			return s, err
		}
		s.Input = append(s.Input, item)
	}
	return s, nil
}

// idPrefixes are those of the ids of items.
var idPrefixes = map[string]string{
	"message": "msg_", "reasoning": "rs_", "function_call": "fc_", "function_call_output": "fco_",
	"custom_tool_call": "ctc_", "custom_tool_call_output": "ctco_",
}

// complete gives an item of an input what a stored one has.
func complete(raw json.RawMessage) (json.RawMessage, error) {
	o, err := wire.Parse(raw)
	if err != nil {
		return nil, hub.Invalid("input", "input holds an item that is not an object: %v.", err)
	}
	kind, _ := o.String("type")
	if kind == "" {
		kind = "message"
		o.Set("type", []byte(`"message"`))
	}
	if content, _ := o.Get("content"); kind == "message" && len(content) > 0 && content[0] == '"' {
		part := "input_text"
		if role, _ := o.String("role"); role == "assistant" {
			part = "output_text"
		}
		o.Set("content", encodeJSON([]any{map[string]any{"type": part, "text": content}}))
	}
	if kind == "message" && !o.Has("status") {
		o.Set("status", []byte(`"completed"`))
	}
	if id, _ := o.String("id"); id == "" {
		o.Delete("id")
		o.Set("id", quote(newID(firstOf(idPrefixes[kind], "item_"))))
	}
	return o.Bytes(), nil
}

// Continue makes the request that goes on from the stored answer: its whole
// conversation, then what v adds. Instructions are not carried over, as the API
// has it. Ids that only the hub knows are left out.
func (s Stored) Continue(v *dialect.View) ([]byte, error) {
	input, _ := v.Object.Get("input")
	next, err := Keep(v, nil)
	if err != nil {
		return nil, err
	}
	if absent(input) {
		next.Input = nil
	}
	var output []json.RawMessage
	if err := json.Unmarshal(wire.Member(s.Response, "output"), &output); err != nil {
		return nil, hub.Wrap(hub.CodeInternal, err, "The stored response cannot be read.")
	}
	all := make([]json.RawMessage, 0, len(s.Input)+len(output)+len(next.Input))
	for _, item := range slices.Concat(s.Input, output, next.Input) {
		o, err := wire.Parse(item)
		if err != nil {
			return nil, hub.Wrap(hub.CodeInternal, err, "The stored response cannot be read.")
		}
		if kind, _ := o.String("type"); kind == "image_generation_call" {
			continue // a picture that was made cannot be sent again
		}
		all = append(all, again(o))
	}
	o := v.Object.Clone()
	o.Delete("previous_response_id")
	o.Set("input", encodeJSON(all))
	return o.Bytes(), nil
}

// ItemList is a page of the items of a conversation.
type ItemList struct {
	Object  string            `json:"object"`
	Data    []json.RawMessage `json:"data"`
	FirstID *string           `json:"first_id"`
	LastID  *string           `json:"last_id"`
	HasMore bool              `json:"has_more"`
}

// Items lists the input: limit items behind the one called after ("" for the
// first page), the newest first unless ascending.
func (s Stored) Items(after string, limit int, ascending bool) (ItemList, error) {
	items := slices.Clone(s.Input)
	if !ascending {
		slices.Reverse(items)
	}
	idOf := func(raw json.RawMessage) string { return wire.Text(wire.Member(raw, "id")) }
	if after != "" {
		at := slices.IndexFunc(items, func(raw json.RawMessage) bool { return idOf(raw) == after })
		if at < 0 {
			return ItemList{}, hub.Invalid("after", "There is no item %s in this response.", after)
		}
		items = items[at+1:]
	}
	l := ItemList{Object: "list", Data: items[:min(limit, len(items))], HasMore: len(items) > limit}
	if n := len(l.Data); n > 0 {
		l.FirstID, l.LastID = new(idOf(l.Data[0])), new(idOf(l.Data[n-1]))
	}
	return l, nil
}
