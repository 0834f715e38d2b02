package gemini

import "encoding/json"

type logprobsResult struct {
	TopCandidates []struct {
		Candidates []tokenLogprob `json:"candidates"`
	} `json:"topCandidates"`
	ChosenCandidates []tokenLogprob `json:"chosenCandidates"`
}

type tokenLogprob struct {
	Token          string          `json:"token"`
	LogProbability json.RawMessage `json:"logProbability"`
}

// openAILogprob is a token in OpenAI's logprobs object, which is the canonical
// form.
type openAILogprob struct {
	Token   string           `json:"token"`
	Logprob json.RawMessage  `json:"logprob"`
	Bytes   []int            `json:"bytes"`
	Top     *[]openAILogprob `json:"top_logprobs,omitempty"`
}

func (t tokenLogprob) openAI() openAILogprob {
	o := openAILogprob{Token: t.Token, Logprob: t.LogProbability, Bytes: []int{}}
	if len(o.Logprob) == 0 {
		o.Logprob = json.RawMessage("0")
	}
	for i := range len(t.Token) {
		o.Bytes = append(o.Bytes, int(t.Token[i]))
	}
	return o
}

func (l *logprobsResult) openAI() json.RawMessage {
	content := make([]openAILogprob, 0, len(l.ChosenCandidates))
	for i, chosen := range l.ChosenCandidates {
		token := chosen.openAI()
		top := []openAILogprob{}
		if i < len(l.TopCandidates) {
			for _, c := range l.TopCandidates[i].Candidates {
				top = append(top, c.openAI())
			}
		}
		token.Top = &top
		content = append(content, token)
	}
	out, err := json.Marshal(map[string]any{"content": content, "refusal": nil})
	if err != nil {
		return nil
	}
	return out
}

type logprobsOut struct {
	TopCandidates    []topOut       `json:"topCandidates,omitempty"`
	ChosenCandidates []tokenLogprob `json:"chosenCandidates"`
}

type topOut struct {
	Candidates []tokenLogprob `json:"candidates"`
}

// logprobsFor is the way back, nil when there are none.
func logprobsFor(raw json.RawMessage) *logprobsOut {
	var in struct {
		Content []openAILogprob `json:"content"`
	}
	if !present(raw) || json.Unmarshal(raw, &in) != nil || len(in.Content) == 0 {
		return nil
	}
	var out logprobsOut
	for _, token := range in.Content {
		out.ChosenCandidates = append(out.ChosenCandidates, tokenLogprob{token.Token, token.Logprob})
		top := topOut{Candidates: []tokenLogprob{}}
		if token.Top != nil {
			for _, t := range *token.Top {
				top.Candidates = append(top.Candidates, tokenLogprob{t.Token, t.Logprob})
			}
		}
		out.TopCandidates = append(out.TopCandidates, top)
	}
	return &out
}
