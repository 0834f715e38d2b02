package responses

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// freeformField is the one argument of a function that stands for a freeform
// ("custom") tool: its input.
const freeformField = "input"

const (
	namespaceGap = "__"
	maxName      = 64 // characters that every vendor takes in a function's name
)

// flatName is the name under which a tool of a namespace is offered to models
// whose language has no namespaces. It depends on nothing but the two names, so
// that every turn of a conversation has the same.
func flatName(namespace, name string) string {
	if namespace == "" {
		return name
	}
	flat := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return '_'
	}, namespace+namespaceGap+name)
	if len(flat) <= maxName && flat == namespace+namespaceGap+name {
		return flat
	}
	sum := sha256.Sum256([]byte(namespace + "\x00" + name))
	const mark = 9 // an underscore and eight digits
	return flat[:min(len(flat), maxName-mark)] + "_" + hex.EncodeToString(sum[:4])
}

// tool is how a caller knows a function.
type tool struct {
	namespace, name string
	custom          bool
}

// toolNames maps the names that models are given to the caller's own tools.
func toolNames(o *wire.Object) map[string]tool {
	raw, _ := o.Get("tools")
	names := map[string]tool{}
	wire.EachElement(raw, func(one []byte) bool {
		note(names, "", one)
		return true
	})
	return names
}

func note(names map[string]tool, namespace string, one []byte) {
	name := wire.Text(wire.Member(one, "name"))
	switch kind := wordOf(wire.Member(one, "type")); kind {
	case "namespace":
		if namespace != "" {
			return // they do not nest
		}
		wire.EachElement(wire.Member(one, "tools"), func(inner []byte) bool {
			note(names, name, inner)
			return true
		})
	case "function", "custom":
		names[flatName(namespace, name)] = tool{namespace, name, kind == "custom"}
	}
}
