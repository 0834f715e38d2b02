package openai

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// messageMembers are those of a message that have a meaning in every language.
var messageMembers = map[string]bool{
	"role": true, "name": true, "content": true, "refusal": true, "reasoning_content": true, "reasoning": true, "reasoning_details": true,
	"tool_calls": true, "function_call": true, "tool_call_id": true, "audio": true, "images": true,
}

// continued are members with which vendors let a model go on with the last
// message (DeepSeek, Mistral: prefix; Moonshot, Qwen: partial).
var continued = map[string]bool{"prefix": true, "partial": true}

// unknown decides on members of a message that cannot be translated: what would
// change the answer is refused; what clients copy from an earlier answer or
// vendors add for themselves is left out and told.
func (d *requestDecoder) unknown(at string, raw json.RawMessage) (err error) {
	eachMember(raw, func(key []byte, c *cursor) {
		v := c.value()
		name := string(key)
		switch {
		case messageMembers[name], len(some(v)) == 0, string(v) == "false", string(v) == "{}":
		case continued[name]:
			err = hub.Invalid(at+"."+name, "%s.%s: the model asked for cannot be made to go on with a message.", at, name)
		default:
			d.req.Ignore("messages." + name)
		}
	})
	return err
}
