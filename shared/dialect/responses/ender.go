package responses

import (
	"encoding/json"
	"slices"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Ender ends a native stream: its last event repeats the whole answer, so all of
// it is kept.
func (s Server) Ender(v *dialect.View) dialect.Ender {
	return &ender{server: s, view: v, items: map[int]*itemSeen{}}
}

type ender struct {
	server Server
	view   *dialect.View
	head   json.RawMessage // the answer as it was announced
	seq    int64           // of the next event
	items  map[int]*itemSeen
}

// itemSeen is an output item, with what came of it so far.
type itemSeen struct {
	raw   json.RawMessage // as announced, or complete
	done  bool
	parts []*partSeen
	args  []byte // of a call
}

type partSeen struct {
	raw         json.RawMessage
	done        bool
	text        []byte
	annotations []json.RawMessage
}

// Saw takes an event in. Members whose name the encoder writes are read as they
// stand in https://platform.openai.com/docs/api-reference/responses-streaming.
func (e *ender) Saw(frame []byte) {
	event, data := wire.Data(frame)
	if len(data) == 0 {
		return
	}
	if event == "" {
		event = wordOf(wire.Member(data, "type"))
	}
	if n, err := strconv.ParseInt(string(wire.Member(data, "sequence_number")), 10, 64); err == nil {
		e.seq = n + 1
	}
	switch event {
	case "response.created", "response.in_progress":
		e.head = slices.Clone(wire.Member(data, "response"))
	case "response.output_item.added", "response.output_item.done":
		it := e.item(data)
		it.raw, it.done = slices.Clone(wire.Member(data, "item")), event == "response.output_item.done"
	case "response.content_part.added", "response.content_part.done":
		p := e.part(data)
		p.raw, p.done = slices.Clone(wire.Member(data, "part")), event == "response.content_part.done"
	case "response.output_text.delta", "response.refusal.delta":
		p := e.part(data)
		p.text = append(p.text, wire.Text(wire.Member(data, "delta"))...)
	case "response.output_text.annotation.added":
		p := e.part(data)
		p.annotations = append(p.annotations, slices.Clone(wire.Member(data, "annotation")))
	case "response.function_call_arguments.delta", "response.custom_tool_call_input.delta", "response.mcp_call_arguments.delta":
		it := e.item(data)
		it.args = append(it.args, wire.Text(wire.Member(data, "delta"))...)
	}
}

// mostItems bounds what is kept of a provider's word for an index.
const mostItems = 10_000

func index(data []byte, name string) int {
	n, err := strconv.Atoi(string(wire.Member(data, name)))
	if err != nil || n < 0 || n > mostItems {
		return 0
	}
	return n
}

func (e *ender) item(data []byte) *itemSeen {
	at := index(data, "output_index")
	if e.items[at] == nil {
		e.items[at] = &itemSeen{}
	}
	return e.items[at]
}

func (e *ender) part(data []byte) *partSeen {
	it, at := e.item(data), index(data, "content_index")
	for len(it.parts) <= at {
		it.parts = append(it.parts, &partSeen{})
	}
	return it.parts[at]
}

// End closes what is open, as incomplete, and ends the answer as one that reached
// max_output_tokens. It says that the provider does not store it: a provider that
// was stopped may not.
func (e *ender) End(dst []byte, c dialect.Closing) []byte {
	places := make([]int, 0, len(e.items))
	for at := range e.items {
		places = append(places, at)
	}
	slices.Sort(places)
	output := make([]any, 0, len(places))
	for _, at := range places {
		var item any
		dst, item = e.close(dst, at, e.items[at])
		output = append(output, item)
	}
	out := e.server.head(e.view)
	out.Model = firstOf(out.Model, c.Model)
	out.settle(chat.FinishLength, c.Usage, e.server.now().Unix())
	response := members(e.head)
	if len(response) == 0 {
		response = members(encodeJSON(out))
	}
	response["status"], response["incomplete_details"] = out.Status, out.Incomplete
	response["usage"], response["output"], response["store"] = out.Usage, output, false
	return e.frame(dst, "response.incomplete", map[string]any{"response": response})
}

// close appends the last events of an item, and returns the item as it ended.
func (e *ender) close(dst []byte, at int, it *itemSeen) ([]byte, any) {
	if it.done {
		return dst, it.raw
	}
	item := members(it.raw)
	id := item["id"]
	place := func(more ...any) map[string]any {
		fields := map[string]any{"item_id": id, "output_index": at}
		for i := 0; i+1 < len(more); i += 2 {
			fields[more[i].(string)] = more[i+1]
		}
		return fields
	}
	switch wire.Text(wire.Member(it.raw, "type")) {
	case "message":
		content := make([]any, 0, len(it.parts))
		for i, p := range it.parts {
			var part any = p.raw
			if !p.done {
				full, field, kind := p.complete()
				said := place("content_index", i, field, string(p.text))
				if field == "text" {
					said["logprobs"] = []any{}
				}
				dst = e.frame(dst, kind, said)
				dst = e.frame(dst, "response.content_part.done", place("content_index", i, "part", full))
				part = full
			}
			content = append(content, part)
		}
		item["content"] = content
	case "function_call":
		item["arguments"] = string(it.args)
		dst = e.frame(dst, "response.function_call_arguments.done", place("name", item["name"], "arguments", string(it.args)))
	case "custom_tool_call":
		item["input"] = string(it.args)
		dst = e.frame(dst, "response.custom_tool_call_input.done", place("input", string(it.args)))
	}
	if item["status"] != nil {
		item["status"] = "incomplete"
	}
	return e.frame(dst, "response.output_item.done", map[string]any{"output_index": at, "item": item}), item
}

// complete is the part with its text, the field of the text, and the event by
// which it ends.
func (p *partSeen) complete() (part map[string]any, field, kind string) {
	part, field, kind = members(p.raw), "text", "response.output_text.done"
	if wire.Text(wire.Member(p.raw, "type")) == "refusal" {
		field, kind = "refusal", "response.refusal.done"
	}
	part[field] = string(p.text)
	if len(p.annotations) > 0 {
		part["annotations"] = p.annotations
	}
	return part, field, kind
}

// members reads an object so that what is not understood stays as it is.
func members(raw []byte) map[string]any {
	var in map[string]json.RawMessage
	_ = json.Unmarshal(raw, &in) // what is no object has no members
	out := make(map[string]any, len(in)+4)
	for k, v := range in {
		out[k] = v
	}
	return out
}

func (e *ender) frame(dst []byte, kind string, fields map[string]any) []byte {
	enc := encoder{seq: e.seq}
	dst = enc.frame(dst, kind, fields)
	e.seq = enc.seq
	return dst
}
