package proxy

import (
	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/tokens"
)

// leastFrame is how many bytes a message has beside its text, at least:
// {"role":"x","content":""}. Providers add fewer tokens of their own to each.
const leastFrame = 24

// countedBound is the bound of a prompt whose texts are counted as every target
// counts them; all else of it stays a token a byte. 0: somewhere it is not known
// how texts are counted.
func (h *handler) countedBound(s dialect.Server, v *dialect.View, plan *routing.Plan) int64 {
	encodings := encodingsOf(plan)
	if encodings == nil {
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
		counted += h.countedText(encodings, text)
	}
	if rest < leastFrame*int64(1+len(c.Messages)) {
		return 0 // the texts are not those of the body
	}
	return counted + rest
}

// encodingsOf are the vocabularies by which the targets of a plan count, nil where
// one of them is not known.
func encodingsOf(plan *routing.Plan) map[tokens.Encoding]bool {
	encodings := map[tokens.Encoding]bool{}
	for i := range plan.Targets {
		t := &plan.Targets[i]
		e := tokens.EncodingOf(t.Model)
		if t.Provider.Kind.ID != provider.OpenAI || e == tokens.Unknown {
			return nil
		}
		encodings[e] = true
	}
	return encodings
}

func (h *handler) countedText(encodings map[tokens.Encoding]bool, text string) (most int64) {
	for e := range encodings {
		most = max(most, h.exact.Bound(e, text))
	}
	return most
}

// countedInputs does the same for what is to be embedded.
func (h *handler) countedInputs(in *task.Embed, plan *routing.Plan) (n int64) {
	encodings := encodingsOf(plan)
	if in == nil || encodings == nil {
		return 0
	}
	const special = 8 // tokens that models put around each input
	for i := range in.Inputs {
		n += special + int64(len(in.Inputs[i].Tokens)) + h.countedText(encodings, in.Inputs[i].Text)
	}
	return n
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
