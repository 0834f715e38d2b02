package fakeprovider

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// script is what a model is told to answer.
type script struct {
	queue  []Answer
	always func(Request) Answer
}

// Script queues answers for a model, one a request; when the queue is empty the
// model answers as it would without. The model "" stands for every model that
// has nothing queued of its own.
func (p *Provider) Script(model string, answers ...Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.scriptOf(model)
	s.queue = append(s.queue, answers...)
}

// Always makes a model give one answer whenever its queue is empty.
func (p *Provider) Always(model string, a Answer) {
	p.Handle(model, func(Request) Answer { return a })
}

// Handle makes a model ask f whenever its queue is empty. f may be called from
// many goroutines.
func (p *Provider) Handle(model string, f func(Request) Answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.scriptOf(model).always = f
}

// Reset forgets all scripts.
func (p *Provider) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	clear(p.scripts)
}

func (p *Provider) scriptOf(model string) *script {
	s := p.scripts[model]
	if s == nil {
		s = &script{}
		p.scripts[model] = s
	}
	return s
}

// next returns what to answer and the number of the answer.
func (p *Provider) next(rec *Request, t *turn) (Answer, int) {
	p.mu.Lock()
	p.answers++
	number, request := p.answers, *rec
	var always func(Request) Answer
	for _, name := range []string{t.model, ""} {
		s := p.scripts[name]
		if s == nil || always != nil {
			continue
		}
		if len(s.queue) > 0 {
			a := s.queue[0]
			s.queue = s.queue[1:]
			p.mu.Unlock()
			return a, number
		}
		always = s.always
	}
	p.mu.Unlock()
	if always != nil {
		return always(request), number
	}
	return byItself(t), number
}

var wantsTool = regexp.MustCompile(`use tool ([A-Za-z0-9_.:-]+)`)

// byItself is the answer of a model without a script: a greeting that repeats
// the last text; a call of tool NAME when a user says "use tool NAME" and of the
// first tool, two times at once, for "use tools twice"; an example of the schema
// when one is asked for; a thought when thinking is on; and for "please stall" it
// stops in the middle until the caller leaves.
func byItself(t *turn) Answer {
	var a Answer
	if strings.Contains(t.lastText, "please stall") {
		a.Middle = NewGate()
	}
	if t.thinking {
		a.Reasoning = "The caller wants an answer to: " + t.lastText
	}
	if calls := callsFor(t); len(calls) > 0 {
		a.ToolCalls = calls
		return a
	}
	if t.schema != nil {
		a.Text = string(encode(example(t.schema, 0)))
		return a
	}
	a.Text = fmt.Sprintf("Hello from %s: %s", t.model, t.lastText)
	return a
}

func callsFor(t *turn) []ToolCall {
	if len(t.tools) == 0 || t.toolsOff {
		return nil
	}
	const paris, rome = `{"city":"Paris"}`, `{"city":"Rome"}`
	if t.lastIsUser && strings.Contains(t.lastText, "use tools twice") {
		calls := []ToolCall{{Name: t.tools[0], Arguments: paris}, {Name: t.tools[0], Arguments: rome}}
		if t.oneTool {
			calls = calls[:1]
		}
		return calls
	}
	if m := wantsTool.FindStringSubmatch(t.lastText); t.lastIsUser && m != nil && slices.Contains(t.tools, m[1]) {
		return []ToolCall{{Name: m[1], Arguments: paris}}
	}
	switch t.forced {
	case "":
		return nil
	case "*":
		return []ToolCall{{Name: t.tools[0], Arguments: paris}}
	}
	return []ToolCall{{Name: t.forced, Arguments: paris}}
}

// example makes a value that a JSON schema accepts, for the plain schemas that
// tests use: the first enum or const, required members only where given.
func example(schema object, depth int) any {
	if c, ok := schema["const"]; ok {
		return c
	}
	if e := list(schema["enum"]); len(e) > 0 {
		return e[0]
	}
	if alternatives := list(schema["anyOf"]); len(alternatives) > 0 && depth < 8 {
		return example(dict(alternatives[0]), depth+1)
	}
	kind := text(schema["type"])
	if kinds := list(schema["type"]); len(kinds) > 0 {
		kind = text(kinds[0])
	}
	switch strings.ToLower(kind) {
	case "object":
		out := object{}
		if depth < 8 {
			for name, sub := range dict(schema["properties"]) {
				out[name] = example(dict(sub), depth+1)
			}
		}
		return out
	case "array":
		if item := dict(schema["items"]); item != nil && depth < 8 {
			return []any{example(item, depth+1)}
		}
		return []any{}
	case "integer", "number":
		if low, ok := schema["minimum"]; ok {
			return low
		}
		return 1
	case "boolean":
		return true
	case "null":
		return nil
	}
	return "Paris"
}
