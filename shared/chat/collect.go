package chat

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
)

// Collector builds a whole Response from events, for callers and tests that
// need the sum of a stream.
type Collector struct {
	res   Response
	tools map[[2]int]int // (choice, tool index) → part
	think map[[2]int]int // (choice, thinking index) → part
}

// Add takes in one event.
func (c *Collector) Add(ev Event) {
	switch ev.Kind {
	case EventStart:
		c.res.ID, c.res.Model, c.res.Created = ev.ID, ev.Model, ev.Created
		return
	case EventUsage:
		c.res.Usage, c.res.UsageKnown = ev.Usage, true
		return
	}
	ch := c.choice(ev.Choice)
	switch ev.Kind {
	case EventText:
		ch.appendText(Text, ev.Text)
	case EventRefusal:
		ch.appendText(Refusal, ev.Text)
	case EventThinking:
		p := c.thinking(ch, ev)
		p.Text += ev.Text
	case EventSignature:
		if ev.Tool {
			if i, ok := c.tools[[2]int{ev.Choice, ev.Index}]; ok {
				ch.Parts[i].Signature += ev.Text
				ch.Parts[i].SignedBy = ev.SignedBy
			}
			return
		}
		p := c.thinking(ch, ev)
		p.Signature += ev.Text
		p.SignedBy = ev.SignedBy
	case EventRedacted:
		ch.Parts = append(ch.Parts, Part{Kind: RedactedThinking, Signature: ev.Text, SignedBy: ev.SignedBy, ID: ev.ItemID})
	case EventToolCall:
		if c.tools == nil {
			c.tools = map[[2]int]int{}
		}
		c.tools[[2]int{ev.Choice, ev.Index}] = len(ch.Parts)
		ch.Parts = append(ch.Parts, Part{Kind: ToolCallPart, ID: ev.ItemID, ToolCall: &ToolCall{ID: ev.ID, Name: ev.Name}})
	case EventToolArgs:
		if i, ok := c.tools[[2]int{ev.Choice, ev.Index}]; ok {
			ch.Parts[i].ToolCall.Arguments += ev.Text
		}
	case EventMedia:
		ch.appendMedia(ev.Media)
	case EventAnnotation:
		ch.annotate(ev.Raw)
	case EventLogprobs:
		ch.Logprobs = joinLogprobs(ch.Logprobs, ev.Raw)
	case EventFinish:
		ch.Finish, ch.Native, ch.StopSequence = ev.Finish, ev.Native, ev.StopSequence
	}
}

// Response returns what was collected so far. Tool calls without arguments get
// "{}".
func (c *Collector) Response() *Response {
	res := c.res
	res.Choices = slices.Clone(res.Choices)
	for i := range res.Choices {
		ch := &res.Choices[i]
		ch.Parts = slices.Clone(ch.Parts)
		for j, p := range ch.Parts {
			if p.Kind == ToolCallPart {
				call := *p.ToolCall
				if call.Arguments == "" {
					call.Arguments = "{}"
				}
				ch.Parts[j].ToolCall = &call
			}
		}
	}
	return &res
}

func (c *Collector) choice(index int) *Choice {
	for i := range c.res.Choices {
		if c.res.Choices[i].Index == index {
			return &c.res.Choices[i]
		}
	}
	c.res.Choices = append(c.res.Choices, Choice{Index: index})
	return &c.res.Choices[len(c.res.Choices)-1]
}

func (c *Collector) thinking(ch *Choice, ev Event) *Part {
	key := [2]int{ev.Choice, ev.Index}
	i, ok := c.think[key]
	if !ok {
		if c.think == nil {
			c.think = map[[2]int]int{}
		}
		i = len(ch.Parts)
		c.think[key] = i
		ch.Parts = append(ch.Parts, Part{Kind: Thinking})
	}
	if ev.ItemID != "" {
		ch.Parts[i].ID = ev.ItemID
	}
	return &ch.Parts[i]
}

func (ch *Choice) appendText(kind PartKind, text string) {
	if n := len(ch.Parts); n > 0 && ch.Parts[n-1].Kind == kind {
		ch.Parts[n-1].Text += text
		return
	}
	ch.Parts = append(ch.Parts, Part{Kind: kind, Text: text})
}

// annotate gives annotations to the last text, or to the last part where there
// is no text.
func (ch *Choice) annotate(raw json.RawMessage) {
	at := len(ch.Parts) - 1
	for i := at; i >= 0; i-- {
		if ch.Parts[i].Kind == Text {
			at = i
			break
		}
	}
	if at >= 0 {
		ch.Parts[at].Annotations = JoinArrays(ch.Parts[at].Annotations, raw)
	}
}

// joinLogprobs adds the log-probabilities of a stream's chunk to those before:
// OpenAI's object of arrays. What has another form replaces.
func joinLogprobs(before, more json.RawMessage) json.RawMessage {
	var a, b struct {
		Content json.RawMessage `json:"content"`
		Refusal json.RawMessage `json:"refusal"`
	}
	if before == nil || json.Unmarshal(before, &a) != nil || json.Unmarshal(more, &b) != nil {
		return more
	}
	a.Content, a.Refusal = JoinArrays(a.Content, b.Content), JoinArrays(a.Refusal, b.Refusal)
	joined, err := json.Marshal(a)
	if err != nil {
		return more
	}
	return joined
}

// appendMedia takes in a picture, or a piece of sound.
func (ch *Choice) appendMedia(m *Media) {
	kind := Image
	if m != nil && strings.HasPrefix(m.MIME, "audio/") {
		kind = Audio
	}
	n := len(ch.Parts)
	if kind == Audio && n > 0 && ch.Parts[n-1].Kind == Audio && ch.Parts[n-1].Media.MIME == m.MIME &&
		(m.FileID == "" || m.FileID == ch.Parts[n-1].Media.FileID) {
		whole := *ch.Parts[n-1].Media
		whole.Data = joinBase64(whole.Data, m.Data)
		whole.Transcript += m.Transcript
		whole.ExpiresAt = max(whole.ExpiresAt, m.ExpiresAt)
		ch.Parts[n-1].Media = &whole
		return
	}
	ch.Parts = append(ch.Parts, Part{Kind: kind, Media: m})
}

// joinBase64 joins two pieces that were encoded apart. Only padding in the
// middle makes that more than putting them together.
func joinBase64(a, b string) string {
	if !strings.HasSuffix(a, "=") || b == "" {
		return a + b
	}
	first, err1 := base64.StdEncoding.DecodeString(a)
	second, err2 := base64.StdEncoding.DecodeString(b)
	if err1 != nil || err2 != nil {
		return a + b
	}
	return base64.StdEncoding.EncodeToString(append(first, second...))
}

// JoinArrays puts the elements of two JSON arrays into one. Either may be nil;
// what is no array is left out.
func JoinArrays(a, b json.RawMessage) json.RawMessage {
	a, b = bytes.TrimSpace(a), bytes.TrimSpace(b)
	array := func(raw []byte) bool { return len(raw) > 1 && raw[0] == '[' && raw[len(raw)-1] == ']' }
	empty := func(raw []byte) bool { return len(bytes.TrimSpace(raw[1:len(raw)-1])) == 0 }
	switch {
	case !array(b):
		return a
	case !array(a) || empty(a):
		return b
	case empty(b):
		return a
	}
	return slices.Concat(a[:len(a)-1], []byte{','}, b[1:])
}

// TextOf joins the parts of one kind.
func TextOf(parts []Part, kind PartKind) string {
	var s string
	for _, p := range parts {
		if p.Kind == kind {
			s += p.Text
		}
	}
	return s
}

// ToolCalls lists the calls among parts.
func ToolCalls(parts []Part) []*ToolCall {
	var calls []*ToolCall
	for _, p := range parts {
		if p.Kind == ToolCallPart {
			calls = append(calls, p.ToolCall)
		}
	}
	return calls
}
