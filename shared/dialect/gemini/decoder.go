package gemini

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Decoder reads the frames of a streamGenerateContent?alt=sse answer.
func (Client) Decoder(dialect.Quirks) dialect.Decoder { return &decoder{} }

type decoder struct {
	started  bool
	id       string // what generated call ids are made from
	choices  map[int64]*choiceState
	reported bool // usage was reported
	usage    hub.Usage
	tokens   tokens
	searches searches
	tier     string // OpenAI's word for the service tier
	events   []chat.Event
}

type choiceState struct {
	text     strings.Builder
	cited    json.RawMessage // annotations not sent yet
	calls    int
	thoughts int  // thinking parts begun
	thinking bool // the last part was a thought
	signed   bool // the last thinking part has its signature
	finished bool
}

// Frame returns the events of one frame. The slice is used again by the next
// call.
func (d *decoder) Frame(frame []byte) ([]chat.Event, error) {
	_, data := wire.Data(frame)
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, nil
	}
	return d.read(data)
}

// End reports whether every candidate seen has its finish reason, or the prompt
// was blocked: the language has no end marker.
func (d *decoder) End() bool {
	for _, ch := range d.choices {
		if !ch.finished {
			return false
		}
	}
	return len(d.choices) > 0
}

func (d *decoder) read(data []byte) ([]chat.Event, error) {
	var a answer
	if err := json.Unmarshal(data, &a); err != nil {
		return nil, &hub.Error{
			Code: hub.CodeUpstream, Class: hub.ClassRetry, Cause: err,
			Message: "The provider sent an answer that cannot be read.",
		}
	}
	if present(a.Error) {
		return nil, streamFault(data)
	}
	d.events = d.events[:0]
	d.start(&a)
	for i := range a.Candidates {
		d.candidate(&a.Candidates[i])
	}
	if reason := a.PromptFeedback.BlockReason; reason != "" && len(a.Candidates) == 0 {
		d.finish(0, chat.FinishContentFilter, reason)
	}
	d.count(a.UsageMetadata)
	return d.events, nil
}

func (d *decoder) start(a *answer) {
	if d.started {
		return
	}
	d.started = true
	if d.id = a.ResponseID; d.id == "" {
		d.id = rand.Text()
	}
	ev := chat.Event{Kind: chat.EventStart, ID: a.ResponseID, Model: a.ModelVersion}
	if at, err := time.Parse(time.RFC3339Nano, a.CreateTime); err == nil {
		ev.Created = at.Unix()
	}
	d.emit(ev)
}

func (d *decoder) emit(ev chat.Event) { d.events = append(d.events, ev) }

func (d *decoder) choice(index int64) *choiceState {
	ch, ok := d.choices[index]
	if !ok {
		if d.choices == nil {
			d.choices = map[int64]*choiceState{}
		}
		ch = &choiceState{}
		d.choices[index] = ch
	}
	return ch
}

func (d *decoder) candidate(c *candidate) {
	ch := d.choice(c.Index)
	for i := range c.Content.Parts {
		d.part(int(c.Index), ch, &c.Content.Parts[i])
	}
	if c.LogprobsResult != nil && len(c.LogprobsResult.ChosenCandidates) > 0 {
		d.emit(chat.Event{Kind: chat.EventLogprobs, Choice: int(c.Index), Raw: c.LogprobsResult.openAI()})
	}
	d.searches.see(c.Index, int64(len(c.GroundingMetadata.WebSearchQueries)))
	// Later frames repeat what earlier ones said; the last word is at the finish.
	if cited := c.GroundingMetadata.annotations(c.CitationMetadata, ch.text.String()); cited != nil {
		ch.cited = cited
	}
	if ch.finished {
		d.cite(int(c.Index), ch)
	}
	if c.FinishReason != "" && c.FinishReason != noReason {
		d.finish(c.Index, finishOf(c.FinishReason, ch.calls > 0), c.FinishReason)
	}
}

func (d *decoder) finish(index int64, finish chat.Finish, native string) {
	ch := d.choice(index)
	if ch.finished {
		return
	}
	ch.finished = true
	d.cite(int(index), ch)
	d.emit(chat.Event{Kind: chat.EventFinish, Choice: int(index), Finish: finish, Native: native})
}

func (d *decoder) cite(choice int, ch *choiceState) {
	if ch.cited != nil {
		d.emit(chat.Event{Kind: chat.EventAnnotation, Choice: choice, Raw: ch.cited})
		ch.cited = nil
	}
}

func (d *decoder) part(choice int, ch *choiceState, p *answerPart) {
	if p.Thought {
		d.thought(choice, ch, p)
		return
	}
	switch {
	case p.FunctionCall != nil:
		d.call(choice, ch, p)
	case p.InlineData != nil && p.InlineData.Data != "":
		ch.thinking = false
		d.emit(chat.Event{Kind: chat.EventMedia, Choice: choice,
			Media: &chat.Media{MIME: p.InlineData.MIMEType, Data: p.InlineData.Data}})
	case p.FileData != nil && p.FileData.FileURI != "":
		ch.thinking = false
		d.emit(chat.Event{Kind: chat.EventMedia, Choice: choice,
			Media: &chat.Media{MIME: p.FileData.MIMEType, URL: p.FileData.FileURI}})
	default:
		if text := p.text(); text != "" {
			ch.thinking = false
			ch.text.WriteString(text)
			d.emit(chat.Event{Kind: chat.EventText, Choice: choice, Text: text})
		}
		d.signature(choice, ch, p.ThoughtSignature)
	}
}

// thought passes on thinking as text; drafts of pictures among the thoughts are
// nothing that another dialect could show.
func (d *decoder) thought(choice int, ch *choiceState, p *answerPart) {
	if p.Text == "" && p.ThoughtSignature == "" {
		return
	}
	var signed chat.Part
	if unwrap(p.ThoughtSignature, &signed) == markRedacted {
		ch.thinking = false
		d.emit(chat.Event{Kind: chat.EventRedacted, Choice: choice, Text: signed.Signature, SignedBy: signed.SignedBy, ItemID: signed.ID})
		return
	}
	if !ch.thinking || ch.signed && p.Text != "" {
		ch.thinking, ch.signed = true, false
		ch.thoughts++
	}
	if p.Text != "" {
		d.emit(chat.Event{Kind: chat.EventThinking, Choice: choice, Index: ch.thoughts - 1, Text: p.Text, SignedBy: chat.SignedGoogle})
	}
	d.signature(choice, ch, p.ThoughtSignature)
}

// signature gives a signature that is not a call's to the last thinking part:
// only there other dialects have a place for one. Without a thinking part it is
// left out; the API asks back only for those of calls.
func (d *decoder) signature(choice int, ch *choiceState, signature string) {
	if signature == "" || ch.thoughts == 0 || ch.signed {
		return
	}
	ch.signed = true
	var signed chat.Part
	unwrap(signature, &signed)
	d.emit(chat.Event{Kind: chat.EventSignature, Choice: choice, Index: ch.thoughts - 1,
		Text: signed.Signature, SignedBy: signed.SignedBy, ItemID: signed.ID})
}

func (d *decoder) call(choice int, ch *choiceState, p *answerPart) {
	ch.thinking = false
	args := "{}"
	if present(p.FunctionCall.Args) {
		args = compact(p.FunctionCall.Args)
	}
	if p.FunctionCall.Name == formatTool { // the forced way to a structured answer
		ch.text.WriteString(args)
		d.emit(chat.Event{Kind: chat.EventText, Choice: choice, Text: args})
		return
	}
	index, id := ch.calls, p.FunctionCall.ID
	ch.calls++
	if id == "" {
		id = callID(d.id, int64(choice), index)
	}
	d.emit(chat.Event{Kind: chat.EventToolCall, Choice: choice, Index: index, ID: id, Name: p.FunctionCall.Name})
	if p.ThoughtSignature != "" {
		var signed chat.Part
		unwrap(p.ThoughtSignature, &signed)
		d.emit(chat.Event{Kind: chat.EventSignature, Choice: choice, Index: index, Tool: true, Text: signed.Signature, SignedBy: signed.SignedBy})
	}
	d.emit(chat.Event{Kind: chat.EventToolArgs, Choice: choice, Index: index, Text: args})
}

// count reports usage when it is first known and when it changed.
func (d *decoder) count(raw json.RawMessage) {
	before, first := d.usage, false
	if present(raw) {
		if t, ok := readTokens(&cursor{b: raw}); ok {
			d.tokens = t
			first, d.reported = !d.reported, true
			if t.tier != "" {
				d.tier = tiers[t.tier]
			}
		}
	}
	d.usage = d.tokens.usage()
	d.usage[hub.WebSearches] = d.searches.total()
	if first || d.reported && d.usage != before {
		d.emit(chat.Event{Kind: chat.EventUsage, Usage: d.usage})
	}
}
