package anthropic

import (
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// effortBudget is how many thinking tokens an effort stands for, on models that
// take a budget. They are the hub's own choice: the budget doubles twice a step
// up to what the public "Extended thinking" page calls worth while (32k).
func effortBudget(effort string) (int64, bool) {
	switch effort {
	case "minimal":
		return 1024, true
	case "low":
		return 2048, true
	case "medium":
		return 8192, true
	case "high":
		return 16384, true
	case "xhigh":
		return 32768, true
	}
	return 0, false
}

// budgetEffort is the way back, for models that take only an effort: the
// smallest effort whose budget is not below the one asked for.
func budgetEffort(budget int64) string {
	for _, effort := range []string{"low", "medium", "high"} {
		if most, _ := effortBudget(effort); budget <= most {
			return effort
		}
	}
	return "xhigh"
}

// adaptiveOnly reports whether a Claude model takes no thinking budget: Opus
// 4.7 and every later one, says the public "Adaptive thinking" page. Names look
// like claude-opus-4-7, claude-3-7-sonnet-20250219 or claude-sonnet-5; other
// vendors' models of this language take budgets.
func adaptiveOnly(model string) bool {
	_, name, ok := strings.Cut(model[strings.LastIndexByte(model, '/')+1:], "claude")
	if !ok {
		return false
	}
	var version []int
	for _, part := range strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune("-.@:_", r) }) {
		n, digits := 0, len(part) > 0 && len(part) <= 2
		for _, c := range part {
			digits = digits && c >= '0' && c <= '9'
			n = n*10 + int(c-'0')
		}
		if digits && len(version) < 2 {
			version = append(version, n)
		} else if len(version) > 0 {
			break
		}
	}
	switch len(version) {
	case 0:
		return false
	case 1:
		return version[0] >= 5
	}
	return version[0] >= 5 || version[0] == 4 && version[1] >= 7
}

// thinks reports whether the request turns thinking on.
func (tr *translator) thinks() bool {
	return tr.out.Thinking != nil && tr.out.Thinking.Type != "disabled"
}

// reasoning decides on thinking and, with it, on max_tokens, which contains it.
func (tr *translator) reasoning() error {
	if m := tr.req.MaxOutput; m != nil && *m < 1 {
		return tr.Refuse("max_completion_tokens", "it must be at least 1")
	}
	tr.out.MaxTokens = tr.t.MaxOutput
	if tr.req.MaxOutput != nil {
		tr.out.MaxTokens = *tr.req.MaxOutput
	}
	tr.lower()
	r := tr.req.Reasoning
	if r == nil || *r == (chat.Reasoning{}) {
		return nil
	}
	send, err := tr.Want("reasoning_effort", true)
	if err != nil || !send {
		return err
	}
	display := ""
	if r.Hidden {
		display = "omitted"
	}
	switch {
	case r.Disabled || r.Effort == "none":
		tr.out.Thinking = &thinkingOut{Type: "disabled"}
		return nil
	case r.Adaptive:
		return tr.adaptive(r.Effort, display)
	case r.Budget == nil && r.Effort == "":
		// Only how thinking is to be shown was said, not that there be any.
		return nil
	case adaptiveOnly(tr.t.Model):
		effort := r.Effort
		if r.Budget != nil {
			if *r.Budget < minThinking {
				return tr.smallBudget()
			}
			effort = budgetEffort(*r.Budget)
		}
		// These models leave the text of their thinking out unless it is asked for.
		return tr.adaptive(effort, firstOf(display, "summarized"))
	case tr.unsignedLoop():
		tr.Drop(tr.reasoningName())
		return nil
	}
	budget, err := tr.budget(r)
	if err != nil {
		return err
	}
	tr.out.Thinking = &thinkingOut{Type: "enabled", Budget: budget, Display: display}
	return nil
}

func (tr *translator) lower() {
	if tr.t.LowerTo > 0 {
		tr.out.MaxTokens = min(tr.out.MaxTokens, tr.t.LowerTo)
	}
}

func (tr *translator) adaptive(effort, display string) error {
	tr.out.Thinking = &thinkingOut{Type: "adaptive", Display: display}
	switch effort {
	case "":
		return nil
	case "minimal":
		effort = "low"
	case "low", "medium", "high", "xhigh":
	default:
		return tr.Refuse(tr.reasoningName(), "this effort is not known")
	}
	tr.out.OutputConfig = &outputConfig{Effort: effort}
	return nil
}

// budget fits the thinking budget below max_tokens. An asked-for budget raises
// max_tokens where the caller set none; an effort, which is only a hint, leaves
// a quarter of max_tokens for the answer where it can.
func (tr *translator) budget(r *chat.Reasoning) (int64, error) {
	if r.Budget != nil {
		budget := *r.Budget
		if budget < minThinking {
			return 0, tr.smallBudget()
		}
		if tr.req.MaxOutput == nil && budget >= tr.out.MaxTokens {
			const room = 1 << 40 // keeps the sum far from overflow
			tr.out.MaxTokens = min(budget, room) + tr.t.MaxOutput
			tr.lower()
		}
		return tr.fit(min(budget, tr.out.MaxTokens-1))
	}
	budget, ok := effortBudget(r.Effort)
	if !ok {
		return 0, tr.Refuse(tr.reasoningName(), "this effort is not known")
	}
	room := tr.out.MaxTokens - tr.out.MaxTokens/4
	return tr.fit(min(budget, max(room, minThinking), tr.out.MaxTokens-1))
}

func (tr *translator) fit(budget int64) (int64, error) {
	if budget < minThinking {
		name := tr.reasoningName()
		return 0, hub.Invalid(name, "%s: this model thinks with at least %d tokens, and %d output tokens leave no room for that. Raise the output limit or turn reasoning off.",
			name, minThinking, tr.out.MaxTokens)
	}
	return budget, nil
}

func (tr *translator) smallBudget() error {
	name := tr.reasoningName()
	return hub.Invalid(name, "%s: the thinking budget of this model must be at least %d tokens.", name, minThinking)
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
// clients that know no signatures. The API documents that thinking is then off
// for the request; older models refuse it.
func (tr *translator) unsignedLoop() bool {
	if n := len(tr.out.Messages); n < 2 || len(tr.out.Messages[n-1].results) == 0 {
		return false
	}
	last := tr.out.Messages[len(tr.out.Messages)-2]
	if last.Role != "assistant" || len(last.Content) == 0 {
		return false
	}
	b, ok := last.Content[0].(*block)
	return ok && b.Type != "thinking" && b.Type != "redacted_thinking"
}
