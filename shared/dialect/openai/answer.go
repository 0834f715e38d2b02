package openai

import (
	"bytes"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// head is what a chunk or whole answer says beside its choices, as raw values.
type head struct {
	id, model, created, tier, usage, err []byte
	sources                              []byte // Perplexity's search_results, else its citations
	choices                              int    // how many it holds
}

// choice is one entry of "choices" as raw values, nil where absent or null.
type choice struct {
	index                             int
	content, thinking, refusal        []byte
	details                           []byte
	calls, function                   []byte
	audio, images, annotations, probs []byte
	finish                            []byte // nil unless a non-empty string
	usage                             []byte // Moonshot puts it here
}

// reader reads chunks and whole answers, for the meter and the decoder alike,
// so that the two cannot disagree. It allocates nothing.
type reader struct {
	each  func(*choice)
	ch    choice
	shape template
	// deltas: a choice came in pieces. What comes as a whole beside them
	// (Perplexity, MiniMax) only repeats them.
	deltas bool
}

// read walks over one JSON object and calls each for every choice. ok is false
// when data is no object.
func (r *reader) read(data []byte) (h head, ok bool) {
	c := cursor{b: data}
	if !c.enter('{') {
		return h, false
	}
	for {
		key, more := c.key()
		if !more {
			break
		}
		switch string(key) {
		case "id":
			h.id = c.value()
		case "model":
			h.model = c.value()
		case "created":
			h.created = c.value()
		case "service_tier":
			h.tier = c.value()
		case "usage":
			h.usage = c.value()
		case "x_groq":
			if u := usageIn(c.value()); h.usage == nil {
				h.usage = u
			}
		case "search_results":
			h.sources = some(c.value())
		case "citations":
			if v := some(c.value()); h.sources == nil {
				h.sources = v
			}
		case "error":
			h.err = c.value()
		case "choices":
			h.choices += r.choices(&c)
		default:
			c.value()
		}
	}
	return h, !c.bad
}

func (r *reader) choices(c *cursor) (n int) {
	if !c.enter('[') {
		c.value()
		return 0
	}
	for c.item() {
		if !c.enter('{') {
			c.value()
			continue
		}
		r.ch = choice{}
		r.choice(c)
		if c.bad {
			return n
		}
		n++
		r.each(&r.ch)
	}
	return n
}

// maxChoices bounds the index of a choice; OpenAI allows 128.
const maxChoices = 256

func (r *reader) choice(c *cursor) {
	for {
		key, more := c.key()
		if !more {
			return
		}
		switch string(key) {
		case "index":
			if n, ok := count(c.value()); ok && n < maxChoices {
				r.ch.index = int(n)
			}
		case "delta":
			r.ch.piece()
			r.deltas = true
			r.delta(c)
		case "message":
			if r.deltas {
				c.value()
				continue
			}
			r.delta(c)
		case "finish_reason":
			if v := c.value(); isString(v) {
				r.ch.finish = v
			}
		case "logprobs":
			r.ch.probs = c.value()
		case "usage":
			r.ch.usage = c.value()
		default:
			c.value()
		}
	}
}

func (r *reader) delta(c *cursor) {
	if !c.enter('{') {
		c.value()
		return
	}
	for {
		key, more := c.key()
		if !more {
			return
		}
		switch string(key) {
		case "content":
			r.ch.content = some(c.value())
		case "reasoning_content", "reasoning":
			// Vendors that send both send the same text twice.
			if v := some(c.value()); v != nil {
				r.ch.thinking = v
			}
		case "reasoning_details":
			r.ch.details = some(c.value())
		case "refusal":
			r.ch.refusal = some(c.value())
		case "tool_calls":
			r.ch.calls = some(c.value())
		case "function_call":
			r.ch.function = c.value()
		case "audio":
			r.ch.audio = c.value()
		case "images":
			r.ch.images = some(c.value())
		case "annotations":
			r.ch.annotations = some(c.value())
		default:
			c.value()
		}
	}
}

// some leaves out what is there but empty: "" and [].
func some(raw []byte) []byte {
	if len(raw) == 2 && (raw[0] == '"' || raw[0] == '[') {
		return nil
	}
	return raw
}

// pieces calls f with each raw string of a content value. A value is a string,
// or (Mistral) an array of text and thinking parts, the latter nested arrays.
func pieces(raw []byte, thinking bool, f func(raw []byte, thinking bool)) {
	if len(raw) == 0 {
		return
	}
	if raw[0] != '[' {
		if isString(raw) {
			f(raw, thinking)
		}
		return
	}
	c := cursor{b: raw, i: 1}
	for c.item() {
		part := c.value()
		if c.bad {
			return
		}
		eachMember(part, func(key []byte, in *cursor) {
			v := in.value()
			switch {
			case string(key) == "text" && isString(v):
				f(v, thinking)
			case string(key) == "thinking" && !thinking:
				pieces(v, true, f)
			}
		})
	}
}

// delta of one tool call, as raw values.
type callDelta struct {
	index           int64
	hasIndex        bool
	id, name        []byte
	args, signature []byte
}

// eachCall calls f for every entry of a tool_calls array. d is the caller's
// scratch, so that nothing is allocated here.
func eachCall(raw []byte, d *callDelta, f func(d *callDelta)) {
	c := cursor{b: raw}
	if !c.enter('[') {
		return
	}
	for c.item() {
		if !c.enter('{') {
			c.value()
			continue
		}
		*d = callDelta{}
		d.read(&c)
		if c.bad {
			return
		}
		f(d)
	}
}

func (d *callDelta) read(c *cursor) {
	for {
		key, more := c.key()
		if !more {
			return
		}
		switch string(key) {
		case "index":
			d.index, d.hasIndex = count(c.value())
		case "id":
			d.id = c.value()
		case "function":
			if !c.enter('{') {
				c.value()
				continue
			}
			d.readFunction(c)
		case "extra_content":
			d.signature = signatureIn(c.value())
		default:
			c.value()
		}
	}
}

func (d *callDelta) readFunction(c *cursor) {
	for {
		key, more := c.key()
		if !more {
			return
		}
		switch string(key) {
		case "name":
			d.name = c.value()
		case "arguments":
			d.args = some(c.value())
		default:
			c.value()
		}
	}
}

// signatureIn finds extra_content.google.thought_signature, where Google's
// OpenAI-compatible API keeps what must come back with the call
// (https://ai.google.dev/gemini-api/docs/thought-signatures).
func signatureIn(raw []byte) (sig []byte) {
	if !bytes.Contains(raw, []byte("thought_signature")) {
		return nil
	}
	eachMember(raw, func(key []byte, c *cursor) {
		v := c.value()
		if string(key) != "google" {
			return
		}
		eachMember(v, func(key []byte, c *cursor) {
			if v := c.value(); string(key) == "thought_signature" {
				sig = v
			}
		})
	})
	return sig
}

// callArgs gives a call's arguments as JSON text: a string holding it, or
// (against the documents) the object itself.
func callArgs(raw []byte) string {
	if len(raw) > 0 && raw[0] == '"' {
		return wire.Text(raw)
	}
	return string(raw)
}

func argsLen(raw []byte) int64 {
	if len(raw) > 0 && raw[0] == '"' {
		return wire.TextLen(raw)
	}
	return int64(len(raw))
}
