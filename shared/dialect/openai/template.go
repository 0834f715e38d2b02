package openai

import "bytes"

// template is the shape of the last content chunk: almost all chunks of a
// stream differ from the one before in a single string (and in OpenAI's random
// "obfuscation" padding). A chunk that equals the template byte for byte around
// that string has the same meaning, so it need not be walked again.
type template struct {
	known  bool
	kind   hole
	choice int
	call   callDelta // kind holeCall: which call; its slices are nil

	prefix []byte // up to the string
	middle []byte // after it; up to the padding's opening quote where padded
	padded bool
	tail   []byte // after the padding
}

// hole says what the string of a template is.
type hole byte

const (
	holeText hole = iota
	holeThinking
	holeCall // a piece of a call's arguments
)

var padding = []byte(`"obfuscation":"`)

// match gives the string, quotes included, of a chunk of this shape.
func (t *template) match(data []byte) ([]byte, bool) {
	if !t.known || !bytes.HasPrefix(data, t.prefix) {
		return nil, false
	}
	c := cursor{b: data, i: len(t.prefix)}
	if c.peek() != '"' || !c.skipString() {
		return nil, false
	}
	text, rest := data[len(t.prefix):c.i], data[c.i:]
	if !t.padded {
		return text, bytes.Equal(rest, t.middle)
	}
	if !bytes.HasPrefix(rest, t.middle) {
		return nil, false
	}
	c = cursor{b: rest, i: len(t.middle) - 1}
	return text, c.skipString() && bytes.Equal(rest[c.i:], t.tail)
}

// learn takes the shape of a chunk that was read, if it holds one string of
// content and nothing else that means something.
func (r *reader) learn(data []byte, h head) {
	r.shape.known = false
	ch := &r.ch
	if h.choices != 1 || h.usage != nil || h.err != nil || ch.finish != nil || ch.usage != nil || ch.details != nil ||
		ch.refusal != nil || ch.function != nil || ch.audio != nil || ch.images != nil || ch.annotations != nil || ch.probs != nil {
		return
	}
	var text []byte
	t := &r.shape
	switch {
	case ch.content != nil && ch.thinking == nil && ch.calls == nil:
		text, t.kind = ch.content, holeText
	case ch.thinking != nil && ch.content == nil && ch.calls == nil:
		text, t.kind = ch.thinking, holeThinking
	case ch.calls != nil && ch.content == nil && ch.thinking == nil:
		text, t.kind = r.onlyArguments(), holeCall
	}
	if !isString(text) {
		return
	}
	t.choice = ch.index
	// text is a part of data that reaches to the same end of the same array, so
	// their capacities tell where it begins.
	at := cap(data) - cap(text)
	rest := data[at+len(text):]
	t.prefix = append(t.prefix[:0], data[:at]...)
	t.padded = false
	if i := bytes.Index(rest, padding); i >= 0 {
		c := cursor{b: rest, i: i + len(padding) - 1}
		if t.padded = c.skipString(); t.padded {
			t.tail = append(t.tail[:0], rest[c.i:]...)
			rest = rest[:i+len(padding)]
		}
	}
	t.middle = append(t.middle[:0], rest...)
	t.known = true
}

// onlyArguments gives the argument piece of a chunk that continues one call,
// and notes in the shape which call it is.
func (r *reader) onlyArguments() []byte {
	c := cursor{b: r.ch.calls}
	var d callDelta
	if !c.enter('[') || !c.item() || !c.enter('{') {
		return nil
	}
	d.read(&c)
	if c.bad || c.item() || c.bad || d.id != nil || d.name != nil || d.signature != nil {
		return nil
	}
	r.shape.call = callDelta{index: d.index, hasIndex: d.hasIndex}
	return d.args
}
