package proxy

import (
	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/tokens"
)

// leastFrame is how many bytes a message has beside its text, at least:
// {"role":"x","content":""}. Providers add fewer tokens of their own to each.
const leastFrame = 24

// countedBound is the bound of a prompt whose texts are counted as every target
// counts them; all else of it stays a token a byte. 0: somewhere it is not known
// how texts are counted.
func (h *handler) countedBound(s dialect.Server, v *dialect.View, plan *routing.Plan) int64 {
	encodings := map[tokens.Encoding]bool{}
	for i := range plan.Targets {
		t := &plan.Targets[i]
		if t.Provider.Kind.ID != provider.OpenAI {
			return 0
		}
		encodings[tokens.EncodingOf(t.Model)] = true
	}
	if encodings[tokens.Unknown] || len(encodings) == 0 {
		return 0
	}
	c := v.Chat
	if c == nil {
		var err error
		if c, err = s.Decode(v); err != nil {
			return 0
		}
	}
	var texts []string
	for i := range c.Messages {
		texts = textsOf(texts, c.Messages[i].Parts)
	}
	rest, counted := promptBound(v), int64(0)
	for _, text := range texts {
		rest -= int64(len(text)) // as JSON it has no fewer bytes
		var most int64
		for e := range encodings {
			most = max(most, h.exact.Bound(e, text))
		}
		counted += most
	}
	if rest < leastFrame*int64(1+len(c.Messages)) {
		return 0 // the texts are not those of the body
	}
	return counted + rest
}

func textsOf(texts []string, parts []chat.Part) []string {
	for i := range parts {
		if parts[i].Kind == chat.Text {
			texts = append(texts, parts[i].Text)
		}
		if r := parts[i].ToolResult; r != nil {
			texts = textsOf(texts, r.Parts)
		}
	}
	return texts
}
