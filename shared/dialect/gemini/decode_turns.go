package gemini

import "github.com/aigne-hub/aigne-hub/shared/chat"

// say adds a part to the turn that is being read. Answers to calls are a turn of
// their own here. Turns of the model that follow each other are one: callers who
// collect a stream send back each of its pieces as a content.
func (d *requestDecoder) say(turn, at string, who chat.Role, p chat.Part, fresh bool) {
	n := len(d.req.Messages)
	if n == 0 || d.req.Messages[n-1].Role != who || fresh && who == chat.User {
		d.req.PlaceMessage(n, turn)
		d.req.PlacePart(n, 0, at)
		d.req.Messages = append(d.req.Messages, chat.Message{Role: who, Parts: []chat.Part{p}})
		return
	}
	m := &d.req.Messages[n-1]
	// A signature alone is that of the piece before it.
	if (fresh || p.Text == "" && p.Signature != "") && continues(&m.Parts[len(m.Parts)-1], p) {
		return
	}
	d.req.PlacePart(n-1, len(m.Parts), at)
	m.Parts = append(m.Parts, p)
}

// continues adds a piece of text or of thinking to the piece before it, whose
// signature comes last.
func continues(last *chat.Part, p chat.Part) bool {
	if last.Kind != p.Kind || last.Signature != "" || p.Kind != chat.Text && p.Kind != chat.Thinking {
		return false
	}
	last.Text += p.Text
	last.Signature, last.SignedBy, last.ID = p.Signature, p.SignedBy, p.ID
	return true
}
