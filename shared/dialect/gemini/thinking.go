package gemini

import (
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// thinkingConfig is ThinkingConfig. Budget and level exclude each other.
type thinkingConfig struct {
	IncludeThoughts bool   `json:"includeThoughts,omitempty"`
	ThinkingBudget  *int64 `json:"thinkingBudget,omitempty"`
	ThinkingLevel   string `json:"thinkingLevel,omitempty"`
}

// thinker says how a model's thinking is controlled (ai.google.dev, "Gemini
// thinking"): by level from generation 3 on, by a token budget in 2.5, not at
// all before and in models that make pictures or speech.
type thinker struct {
	levels   []string // ascending; nil: no levels
	min, max int64    // budget range in tokens; max 0: no budget
	canStop  bool     // a budget of 0 switches thinking off
	unknown  bool     // the model's name does not tell
}

func (t thinker) none() bool { return t.levels == nil && t.max == 0 }

// generation reads the version out of a model's name; the aliases that follow
// the newest model count as 3, whose levels all later models take.
func generation(model string) (major, minor int, rest string, ok bool) {
	name := strings.ToLower(model[strings.LastIndexByte(model, '/')+1:])
	name, ok = strings.CutPrefix(name, "gemini-")
	if !ok {
		return 0, 0, "", false
	}
	version, rest, _ := strings.Cut(name, "-")
	whole, frac, _ := strings.Cut(version, ".")
	major, err := strconv.Atoi(whole)
	if err != nil {
		return 3, 99, name, strings.HasSuffix(name, "-latest")
	}
	minor, _ = strconv.Atoi(frac)
	return major, minor, rest, true
}

func thinkerOf(model string) thinker {
	major, minor, rest, ok := generation(model)
	if !ok {
		return thinker{unknown: true}
	}
	for _, other := range []string{"image", "tts", "audio", "live", "embedding"} {
		if strings.Contains(rest, other) {
			return thinker{}
		}
	}
	switch {
	case major >= 3:
		return thinker{levels: levelsOf(major, minor, rest)}
	case major == 2 && minor == 5 && strings.HasPrefix(rest, "pro"):
		return thinker{min: 128, max: 32768}
	case major == 2 && minor == 5 && strings.HasPrefix(rest, "flash-lite"):
		return thinker{min: 512, max: 24576, canStop: true}
	case major == 2 && minor == 5 && strings.HasPrefix(rest, "flash"):
		return thinker{min: 1, max: 24576, canStop: true}
	}
	return thinker{}
}

func levelsOf(major, minor int, rest string) []string {
	switch {
	case major == 3 && minor == 0 && strings.HasPrefix(rest, "pro"):
		return []string{"low", "high"}
	case major == 3 && minor <= 5 && strings.HasPrefix(rest, "flash"):
		return []string{"minimal", "low", "medium", "high"}
	}
	return []string{"low", "medium", "high"}
}

// efforts gives each effort its place among the levels and its budget, the
// latter as Google's own OpenAI-compatible endpoint translates it.
var efforts = map[string]struct {
	level  string
	budget int64
}{
	"minimal": {"minimal", 1024},
	"low":     {"low", 1024},
	"medium":  {"medium", 8192},
	"high":    {"high", 24576},
	"xhigh":   {"high", 32768},
}

var levelOrder = []string{"minimal", "low", "medium", "high"}

// level returns the model's own level that is nearest above want.
func (t thinker) level(want string) string {
	reached := false
	for _, l := range levelOrder {
		reached = reached || l == want
		if !reached {
			continue
		}
		for _, have := range t.levels {
			if have == l {
				return l
			}
		}
	}
	return t.levels[len(t.levels)-1]
}

func (t thinker) clamp(budget int64) int64 { return min(max(budget, t.min), t.max) }

func levelFor(budget int64) string {
	switch {
	case budget <= 1024:
		return "low"
	case budget <= 8192:
		return "medium"
	}
	return "high"
}

// thinking translates the wish to think. Models that cannot think, and models
// that cannot stop thinking when told to, report the parameter as dropped (the
// latter think as little as they can).
func (e *encoder) thinking(g *generationConfig) error {
	r := e.req.Reasoning
	if r == nil {
		return nil
	}
	t, param := thinkerOf(e.target.Model), e.reasoningName()
	if r.Disabled || r.Effort == "none" || r.Budget != nil && *r.Budget == 0 {
		e.stopThinking(g, t, param)
		return nil
	}
	effort, known := efforts[r.Effort]
	if r.Effort != "" && !known {
		return hub.Invalid(param, "%s %q is not known; use none, minimal, low, medium, high or xhigh.", param, r.Effort)
	}
	if t.none() {
		e.drop(param)
		return nil
	}
	c := &thinkingConfig{IncludeThoughts: !r.Hidden}
	g.ThinkingConfig = c
	switch {
	case r.Budget != nil && *r.Budget > 0 && t.levels != nil:
		c.ThinkingLevel = t.level(levelFor(*r.Budget))
	case r.Budget != nil && *r.Budget > 0:
		c.ThinkingBudget = new(t.clamp(*r.Budget))
	case r.Effort != "" && t.levels != nil:
		c.ThinkingLevel = t.level(effort.level)
	case r.Effort != "":
		c.ThinkingBudget = new(t.fit(effort.budget, g.MaxOutputTokens))
	case t.levels == nil:
		c.ThinkingBudget = new(int64(dynamicBudget))
	}
	return nil
}

// reasoningName is the caller's name for the wish to think: languages spell it
// as an effort or as a group of settings.
func (e *encoder) reasoningName() string {
	if name, ok := e.req.Names["reasoning"]; ok {
		return name
	}
	return e.req.ParamName("reasoning_effort")
}

// dynamicBudget lets a 2.5 model decide how much to think.
const dynamicBudget = -1

// fit keeps a budget that the caller did not name below half the output limit:
// the limit counts thinking too, and an answer is wanted as well.
func (t thinker) fit(budget int64, limit *int64) int64 {
	if limit != nil && budget > *limit/2 {
		budget = *limit / 2
	}
	return t.clamp(budget)
}

func (e *encoder) stopThinking(g *generationConfig, t thinker, param string) {
	switch {
	case t.unknown:
		e.drop(param)
	case t.none():
	case t.canStop:
		g.ThinkingConfig = &thinkingConfig{ThinkingBudget: new(int64(0))}
	case t.levels != nil:
		g.ThinkingConfig = &thinkingConfig{ThinkingLevel: t.levels[0]}
		e.drop(param)
	default:
		g.ThinkingConfig = &thinkingConfig{ThinkingBudget: new(t.min)}
		e.drop(param)
	}
}

// signsCalls reports whether the model refuses a function call in its history
// that has no thought signature.
func signsCalls(model string) bool {
	major, _, _, ok := generation(model)
	return ok && major >= 3
}

// validates reports whether the model can be held to the schemas of functions
// that it may or may not call (mode VALIDATED).
func validates(model string) bool {
	major, minor, _, ok := generation(model)
	return ok && (major >= 3 || major == 2 && minor >= 5)
}

// unsigned is the value that Google documents for calls that another model
// made: it takes the place of a signature and is not checked.
const unsigned = "skip_thought_signature_validator"

// signCalls marks the first of a step's calls when none of them is signed.
func signCalls(parts []part) {
	first := -1
	for i := range parts {
		if parts[i].FunctionCall == nil {
			continue
		}
		if parts[i].ThoughtSignature != "" {
			return
		}
		if first < 0 {
			first = i
		}
	}
	if first >= 0 {
		parts[first].ThoughtSignature = unsigned
	}
}
