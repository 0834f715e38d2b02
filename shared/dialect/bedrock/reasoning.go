package bedrock

import (
	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// thinkingConfig is Claude's "thinking".
type thinkingConfig struct {
	Type    string `json:"type"`
	Budget  int64  `json:"budget_tokens,omitempty"`
	Display string `json:"display,omitempty"`
}

// novaReasoning is Nova 2's "reasoningConfig".
type novaReasoning struct {
	Type   string `json:"type"`
	Effort string `json:"maxReasoningEffort,omitempty"`
}

// efforts gives each effort its budget on Claude models that take one (the hub's
// own choice, as for Anthropic's API) and its word on models of three efforts.
var efforts = map[string]struct {
	budget int64
	word   string
}{
	"minimal": {1024, "low"},
	"low":     {2048, "low"},
	"medium":  {8192, "medium"},
	"high":    {16384, "high"},
	"xhigh":   {32768, "high"},
}

// effortFor is the smallest effort whose budget is not below the one asked for.
func effortFor(budget int64) string {
	for _, effort := range []string{"low", "medium", "high"} {
		if budget <= efforts[effort].budget {
			return effort
		}
	}
	return "xhigh"
}

// limit sets maxTokens. Claude is always told one: its default is far below its
// limit.
func (tr *translator) limit() error {
	n := tr.req.MaxOutput
	if n != nil && *n < 1 {
		return tr.Refuse("max_completion_tokens", "it must be at least 1")
	}
	switch {
	case n != nil:
		tr.setLimit(*n)
	case tr.family.claude():
		tr.setLimit(tr.t.MaxOutput)
	case tr.t.LowerTo > 0:
		tr.setLimit(tr.t.LowerTo)
	}
	return nil
}

func (tr *translator) setLimit(n int64) {
	if tr.t.LowerTo > 0 {
		n = min(n, tr.t.LowerTo)
	}
	tr.inference().MaxTokens = &n
}

// thinks reports whether the request turns a Claude model's thinking on: it then
// cannot be made to call a tool.
func (tr *translator) thinks() bool {
	th, ok := tr.out.Additional["thinking"].(*thinkingConfig)
	return ok && th.Type != "disabled"
}

// reasoning translates the wish to think into the model's own parameter. Where a
// model has none the parameter is reported as dropped: an effort is a hint.
func (tr *translator) reasoning() error {
	r := tr.req.Reasoning
	if r == nil || *r == (chat.Reasoning{}) {
		return nil
	}
	send, err := tr.Want("reasoning_effort", true)
	if err != nil || !send {
		return err
	}
	name := tr.reasoningName()
	off := r.Disabled || r.Effort == "none"
	if _, known := efforts[r.Effort]; !known && !off && r.Effort != "" {
		return tr.Refuse(name, "this effort is not known")
	}
	if !off && !r.Adaptive && r.Budget == nil && r.Effort == "" {
		return nil // only how thinking is to be shown was said, not that there be any
	}
	effort := r.Effort
	if r.Budget != nil {
		effort = effortFor(*r.Budget)
	}
	switch {
	case tr.family.claude():
		return tr.claudeThinking(r, off)
	case tr.family.thinkingNova():
		tr.novaThinking(effort, off)
	case tr.family.vendor == "openai" && !off && effort != "":
		tr.add("reasoning_effort", efforts[effort].word)
	default: // models that cannot think, or cannot be kept from it
		tr.Drop(name)
	}
	return nil
}

// novaThinking: at the effort "high" Nova takes no output limit and no sampling
// parameters (Nova 2 guide, "Extended thinking"), so with a limit it is "medium".
func (tr *translator) novaThinking(effort string, off bool) {
	if off {
		tr.add("reasoningConfig", novaReasoning{Type: "disabled"})
		return
	}
	word := efforts[effort].word
	if word == "" {
		word = "medium"
	}
	limited := tr.out.Inference != nil || tr.req.Temperature != nil || tr.req.TopP != nil || tr.req.TopK != nil
	if word == "high" && limited {
		word = "medium"
		tr.Drop(tr.reasoningName())
	}
	tr.add("reasoningConfig", novaReasoning{Type: "enabled", Effort: word})
}

func (tr *translator) claudeThinking(r *chat.Reasoning, off bool) error {
	display := ""
	if r.Hidden {
		display = "omitted"
	}
	switch {
	case off:
		tr.add("thinking", &thinkingConfig{Type: "disabled"})
		return nil
	case r.Budget != nil && *r.Budget < minThinking:
		name := tr.reasoningName()
		return hub.Invalid(name, "%s: the thinking budget of this model must be at least %d tokens.", name, minThinking)
	case r.Adaptive, tr.family.adaptiveOnly():
		effort := r.Effort
		if r.Budget != nil {
			effort = effortFor(*r.Budget)
		}
		if display == "" && tr.family.adaptiveOnly() && !r.Adaptive {
			display = "summarized" // these models leave the text out unless it is asked for
		}
		tr.add("thinking", &thinkingConfig{Type: "adaptive", Display: display})
		if effort == "minimal" {
			effort = "low"
		}
		if effort != "" {
			tr.add("output_config", map[string]string{"effort": effort})
		}
		return nil
	case tr.unsignedLoop():
		tr.Drop(tr.reasoningName())
		return nil
	}
	budget, err := tr.budget(r)
	if err != nil {
		return err
	}
	tr.add("thinking", &thinkingConfig{Type: "enabled", Budget: budget, Display: display})
	return nil
}

// budget fits the thinking budget below maxTokens. An asked-for budget raises
// maxTokens where the caller set none; an effort, which is only a hint, leaves a
// quarter of it for the answer where it can.
func (tr *translator) budget(r *chat.Reasoning) (int64, error) {
	most := *tr.out.Inference.MaxTokens
	var budget int64
	if r.Budget != nil {
		budget = *r.Budget
		if tr.req.MaxOutput == nil && budget >= most {
			const room = 1 << 30 // keeps the sum far from overflow
			tr.setLimit(min(budget, room) + tr.t.MaxOutput)
			most = *tr.out.Inference.MaxTokens
		}
		budget = min(budget, most-1)
	} else {
		budget = min(efforts[r.Effort].budget, max(most-most/4, minThinking), most-1)
	}
	if budget < minThinking {
		name := tr.reasoningName()
		return 0, hub.Invalid(name, "%s: this model thinks with at least %d tokens, and %d output tokens leave no room for that. Raise the output limit or turn reasoning off.",
			name, minThinking, most)
	}
	return budget, nil
}

// reasoningName is the caller's name for reasoning: languages spell it as an
// effort or as a group of settings.
func (tr *translator) reasoningName() string {
	if name, ok := tr.req.Names["reasoning"]; ok {
		return name
	}
	if tr.req.Reasoning != nil && tr.req.Reasoning.Effort != "" {
		return tr.req.ParamName("reasoning_effort")
	}
	return "reasoning"
}

// unsignedLoop reports whether the model is in the middle of calling tools and
// the turn that called them came back without its thinking, as it does from
// clients that know no signatures. Claude's thinking is then off for the request;
// older models refuse it.
func (tr *translator) unsignedLoop() bool {
	n := len(tr.out.Messages)
	if n < 2 || tr.out.Messages[n-1].Content[0].ToolResult == nil {
		return false
	}
	last := tr.out.Messages[n-2]
	return last.Role == "assistant" && last.Content[0].Reasoning == nil
}
