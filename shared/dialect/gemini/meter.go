package gemini

import (
	"bytes"
	"math/bits"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Meter reads a native answer in place.
func (Client) Meter(v *dialect.View, _ dialect.Quirks) dialect.Meter {
	m := &meter{choices: 1}
	if v != nil && v.N > 1 {
		m.choices = int(min(v.N, maxChoices))
	}
	return m
}

// maxChoices bounds the candidates told apart; the API gives at most 8.
const maxChoices = 64

type meter struct {
	choices  int
	finished uint64 // a bit for each candidate that ended
	searches searches
	tokens   tokens
	report   dialect.Report
}

// keep makes a string of the wire anew only when it changed: every frame
// repeats it.
func keep(s *string, b []byte) {
	if b != nil && string(b) != *s {
		*s = string(b)
	}
}

// Report returns what is known so far.
func (m *meter) Report() dialect.Report { return m.report }

// Whole reads a complete body.
func (m *meter) Whole(body []byte) error {
	if _, ok := m.read(body); !ok {
		return &hub.Error{
			Code: hub.CodeUpstream, Class: hub.ClassRetry,
			Message: "The provider sent an answer that cannot be read.",
		}
	}
	return nil
}

// Frame looks at one frame.
func (m *meter) Frame(frame []byte) dialect.Seen {
	_, data := wire.Data(frame)
	if len(data) == 0 {
		return dialect.Seen{}
	}
	seen, _ := m.read(data)
	return seen
}

func (m *meter) read(data []byte) (seen dialect.Seen, ok bool) {
	c := cursor{b: data}
	if c.peek() != '{' {
		return seen, false
	}
	c.i++
	var usage, candidates bool
	for first := true; c.next('}', first); first = false {
		switch string(c.key()) {
		case "candidates":
			candidates = m.candidates(&c, &seen)
		case "promptFeedback":
			m.feedback(&c)
		case "usageMetadata":
			if t, ok := readTokens(&c); ok {
				usage, m.tokens, m.report.Service = true, t, t.tier
			}
		case "modelVersion":
			keep(&m.report.Model, c.str())
		case "responseId":
			keep(&m.report.ID, c.str())
		case "error":
			c.skip()
			seen.Err = streamFault(data)
		default:
			c.skip()
		}
	}
	m.report.Known = m.report.Known || usage
	m.report.Usage = m.tokens.usage()
	m.report.Usage[hub.WebSearches] = m.searches.total()
	seen.Finish = bits.OnesCount64(m.finished) >= m.choices
	seen.UsageOnly = usage && !candidates
	return seen, !c.bad
}

// candidates reports whether there was one with anything in it.
func (m *meter) candidates(c *cursor, seen *dialect.Seen) (some bool) {
	if !c.open('[') {
		return false
	}
	for first := true; c.next(']', first); first = false {
		if !c.open('{') {
			continue
		}
		some = true
		m.candidate(c, seen)
	}
	return some
}

func (m *meter) candidate(c *cursor, seen *dialect.Seen) {
	var index, queries int64
	finished := false
	for first := true; c.next('}', first); first = false {
		switch string(c.key()) {
		case "index":
			index = c.number()
		case "content":
			m.content(c, seen)
		case "finishReason":
			if r := c.str(); len(r) > 0 && string(r) != noReason {
				finished = true
				m.finish(r)
			}
		case "groundingMetadata":
			queries = readQueries(c)
		default:
			c.skip()
		}
	}
	m.searches.see(index, queries)
	if finished {
		m.finished |= 1 << min(index, maxChoices-1)
	}
}

// finish keeps the first native finish word.
func (m *meter) finish(word []byte) {
	if m.report.Finish == "" {
		m.report.Finish = string(word)
	}
}

// feedback reads promptFeedback: a blocked prompt has no candidates and ends
// the answer.
func (m *meter) feedback(c *cursor) {
	if !c.open('{') {
		return
	}
	for first := true; c.next('}', first); first = false {
		if string(c.key()) != "blockReason" {
			c.skip()
			continue
		}
		if r := c.str(); len(r) > 0 {
			m.finish(r)
			m.finished = 1<<maxChoices - 1
		}
	}
}

func readQueries(c *cursor) (n int64) {
	if !c.open('{') {
		return 0
	}
	for first := true; c.next('}', first); first = false {
		if string(c.key()) != "webSearchQueries" || c.peek() != '[' {
			c.skip()
			continue
		}
		c.i++
		for first := true; c.next(']', first); first = false {
			c.skip()
			n++
		}
	}
	return n
}

func (m *meter) content(c *cursor, seen *dialect.Seen) {
	if !c.open('{') {
		return
	}
	for first := true; c.next('}', first); first = false {
		if string(c.key()) != "parts" || c.peek() != '[' {
			c.skip()
			continue
		}
		c.i++
		for first := true; c.next(']', first); first = false {
			m.part(c, seen)
		}
	}
}

func (m *meter) part(c *cursor, seen *dialect.Seen) {
	if !c.open('{') {
		return
	}
	var text, call int64
	thought, media, used := false, false, false
	for first := true; c.next('}', first); first = false {
		switch string(c.key()) {
		case "text":
			text = wire.InsideLen(c.str())
		case "thought":
			thought = c.truth()
		case "functionCall":
			call = readCall(c)
			seen.Content, used = true, true
		case "inlineData", "fileData", "executableCode", "codeExecutionResult":
			media = len(bytes.TrimSpace(c.raw())) > len("{}")
		default:
			c.skip()
		}
	}
	if thought {
		m.report.HideBytes += text
	} else {
		m.report.TextBytes += text + call
	}
	m.report.Shown = m.report.Shown || used || media
	seen.Content = seen.Content || text > 0 || media
}

// readCall counts the bytes of a function call's arguments.
func readCall(c *cursor) (n int64) {
	if !c.open('{') {
		return 0
	}
	for first := true; c.next('}', first); first = false {
		if string(c.key()) == "args" {
			n = int64(len(c.raw()))
			continue
		}
		c.skip()
	}
	return n
}
