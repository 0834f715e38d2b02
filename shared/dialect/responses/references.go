package responses

import (
	"encoding/json"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// The ids of items that the hub makes tell which answer they are part of, so
// that a reference to one ({"type": "item_reference", "id": …}, which the AI SDK
// sends for whatever it believes to be stored) leads to the stored answer.

// itemID makes the id of the answer's next item.
func (e *encoder) itemID(prefix string) string {
	return prefix + strings.TrimPrefix(e.out.ID, "resp_") + "_" + strconv.Itoa(len(e.out.Output))
}

// ownerOf is the id of the answer that an item with this id can be part of, ""
// when the hub did not make the id.
func ownerOf(itemID string) string {
	_, rest, _ := strings.Cut(itemID, "_")
	i := strings.LastIndexByte(rest, '_')
	if i <= 0 {
		return ""
	}
	return "resp_" + rest[:i]
}

// Resolve puts the items of stored answers where the input refers to them.
// stored finds the caller's own answers, nil when there is none. References that
// lead nowhere stay: where they were made they may be known. changed is false
// when the request can stay as it is.
func Resolve(v *dialect.View, stored func(id string) (*Stored, error)) (body []byte, changed bool, err error) {
	input, _ := v.Object.Get("input")
	var all []json.RawMessage
	answers := map[string]*Stored{} // a conversation refers to many items of few answers
	once := func(id string) (*Stored, error) {
		if s, known := answers[id]; known {
			return s, nil
		}
		s, err := stored(id)
		answers[id] = s
		return s, err
	}
	wire.EachElement(input, func(item []byte) bool {
		id := wire.Text(wire.Member(item, "id"))
		kind := wordOf(wire.Member(item, "type"))
		if owner := ownerOf(id); owner != "" && (kind == "item_reference" || kind == "" && absent(wire.Member(item, "role"))) {
			var found []byte
			if found, err = itemOf(owner, id, once); found != nil {
				item, changed = found, true
			}
		}
		all = append(all, item)
		return err == nil
	})
	if err != nil || !changed {
		return nil, false, err
	}
	o := v.Object.Clone()
	o.Set("input", encodeJSON(all))
	return o.Bytes(), true, nil
}

// itemOf finds an item of a stored answer in the form in which it is sent again.
func itemOf(owner, id string, stored func(id string) (*Stored, error)) (found []byte, err error) {
	s, err := stored(owner)
	if s == nil || err != nil {
		return nil, err
	}
	wire.EachElement(wire.Member(s.Response, "output"), func(item []byte) bool {
		if wire.Text(wire.Member(item, "id")) != id {
			return true
		}
		var o *wire.Object
		if o, err = wire.Parse(item); err == nil {
			found = again(o)
		}
		return false
	})
	return found, err
}

// again is an item of an answer as a part of the next input: ids that only the
// hub knows are left out.
func again(o *wire.Object) []byte {
	if kind, _ := o.String("type"); kind != "reasoning" {
		o.Delete("id")
		o.Delete("status")
	}
	return o.Bytes()
}
