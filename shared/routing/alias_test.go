package routing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

func aliased(t *testing.T, measured func(string) Measured, aliases ...*Alias) *Snapshot {
	t.Helper()
	eu := configured(t, provider.OpenAICompatible, "eu", "k")
	eu.Region = "eu"
	all := []*Provider{
		configured(t, provider.OpenAI, "openai", "k"), configured(t, provider.Anthropic, "anthropic", "k"), eu,
		configured(t, provider.OpenAICompatible, "none"),
	}
	return NewSnapshot(1, free, catalogue(t), all, nil).WithAliases(aliases, measured)
}

func one(models ...string) Step {
	var s Step
	for _, m := range models {
		s.Targets = append(s.Targets, Weighted{Model: m})
	}
	return s
}

func with(model string, traits Traits) Request {
	r := ask(model)
	r.Traits = traits
	return r
}

func TestTheFirstRuleThatHoldsDecides(t *testing.T) {
	t.Parallel()
	n := aliased(t, nil, &Alias{Name: "smart", Rules: []Rule{
		{When: When{Needs: []Need{NeedVision}, Groups: []string{"beta", "admin"}}, Steps: []Step{one("eu/sees")}},
		{When: When{MinTokens: 1000, MaxTokens: 2000}, Steps: []Step{one("eu/long")}},
		{When: When{Tags: []string{"x"}}, Steps: []Step{one("eu/tagged")}},
		{When: When{Regions: []string{"eu"}}, Steps: []Step{one("eu/near")}},
		{Steps: []Step{one("openai/gpt-4o"), one("anthropic/claude-sonnet-4-5", "none/m")}},
	}})
	for name, tt := range map[string]struct {
		traits Traits
		want   []string
		why    string
	}{
		"a need and a group":        {Traits{Needs: []Need{NeedTools, NeedVision}, Groups: []string{"admin"}}, []string{"eu/sees"}, "alias smart, rule 1"},
		"a need without its group":  {Traits{Needs: []Need{NeedVision}}, []string{"anthropic/claude-sonnet-4-5"}, "alias smart, rule 5"},
		"a size":                    {Traits{Tokens: 1500}, []string{"eu/long"}, "alias smart, rule 2"},
		"a size beyond":             {Traits{Tokens: 2001}, []string{"openai/gpt-4o", "anthropic/claude-sonnet-4-5"}, "alias smart, rule 5"},
		"a tag":                     {Traits{Tags: []string{"y", "x"}}, []string{"eu/tagged"}, "alias smart, rule 3"},
		"a region":                  {Traits{Region: "eu"}, []string{"eu/near"}, "alias smart, rule 4"},
		"larger than the first fit": {Traits{Tokens: 150_000}, []string{"anthropic/claude-sonnet-4-5"}, "alias smart, rule 5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := n.Plan(with("Smart", tt.traits))
			require.NoError(t, err)
			assert.Equal(t, tt.want, names(p))
			assert.Equal(t, tt.why, p.Why)
			record, err := p.JSON()
			require.NoError(t, err)
			assert.Contains(t, record, tt.why, "the reason is kept with the call")
		})
	}
	p, err := n.Plan(with("aignehub/smart", Traits{}))
	require.NoError(t, err)
	assert.Equal(t, []Refusal{{"none/m", noCredential}}, p.Refused)
}

func TestWeightsAreKeptAndStickyStringsStay(t *testing.T) {
	t.Parallel()
	n := aliased(t, nil, &Alias{Name: "ab", Rules: []Rule{{Steps: []Step{{Targets: []Weighted{{"eu/a", 90}, {"eu/b", 10}}}}}}})
	first := map[string]int{}
	for i := range 1000 {
		p, err := n.Plan(with("ab", Traits{Draw: uint64(i)}))
		require.NoError(t, err)
		require.Len(t, p.Targets, 2, "the other one is the fallback")
		first[p.Targets[0].Name()]++
	}
	assert.Equal(t, map[string]int{"eu/a": 900, "eu/b": 100}, first)
	seen := map[string]bool{}
	for i := range 50 {
		p, err := n.Plan(with("ab", Traits{Sticky: "conversation 7", Draw: uint64(i)}))
		require.NoError(t, err)
		seen[p.Targets[0].Name()] = true
	}
	assert.Len(t, seen, 1)
}

func TestPoliciesOrderByWhatIsKnown(t *testing.T) {
	t.Parallel()
	measured := func(target string) Measured {
		switch target {
		case "openai/gpt-4o":
			return Measured{TTFB: 900 * time.Millisecond, Success: 1}
		case "anthropic/claude-sonnet-4-5":
			return Measured{TTFB: 200 * time.Millisecond, Success: 1}
		case "eu/broken":
			return Measured{TTFB: time.Millisecond, Success: 0.1}
		}
		return Measured{Success: 1}
	}
	rule := func(p Policy) *Alias {
		return &Alias{Name: string(p), Rules: []Rule{{Policy: p, Steps: []Step{one("eu/broken", "openai/gpt-4o", "anthropic/claude-sonnet-4-5")}}}}
	}
	n := aliased(t, measured, rule(Fast), rule(Cheap), rule(LongContext), rule(Coding))
	for policy, want := range map[string][]string{
		"fast":         {"anthropic/claude-sonnet-4-5", "openai/gpt-4o", "eu/broken"},
		"cheap":        {"openai/gpt-4o", "anthropic/claude-sonnet-4-5", "eu/broken"},
		"long-context": {"anthropic/claude-sonnet-4-5", "openai/gpt-4o", "eu/broken"},
		"coding":       {"anthropic/claude-sonnet-4-5", "openai/gpt-4o", "eu/broken"},
	} {
		p, err := n.Plan(with(policy, Traits{}))
		require.NoError(t, err)
		assert.Equal(t, want, names(p), policy)
	}
}

func TestACallersWishReordersButNeverLeads(t *testing.T) {
	t.Parallel()
	n := aliased(t, nil, &Alias{Name: "all", Rules: []Rule{{Steps: []Step{one("openai/gpt-4o"), one("anthropic/claude-sonnet-4-5"), one("eu/m")}}}})
	p, err := n.Plan(with("all", Traits{Prefer: "eu, anthropic/claude-sonnet-4-5"}))
	require.NoError(t, err)
	assert.Equal(t, []string{"eu/m", "anthropic/claude-sonnet-4-5", "openai/gpt-4o"}, names(p))
	assert.Contains(t, p.Why, "asked for eu")
	p, err = n.Plan(with("all", Traits{Prefer: "Cheap"}))
	require.NoError(t, err)
	assert.Equal(t, "openai/gpt-4o", p.Targets[0].Name())
	for _, wish := range []string{"openrouter", "eu/other", "fastest", "openai,none"} {
		_, err = n.Plan(with("all", Traits{Prefer: wish}))
		require.Equal(t, hub.CodeInvalid, hub.CodeOf(err), wish)
		assert.Equal(t, "route", hub.AsError(err).Param)
	}
	p, err = n.Plan(with("openai/gpt-4o", Traits{Prefer: "openai"}))
	require.NoError(t, err)
	assert.Equal(t, []string{"openai/gpt-4o"}, names(p))
	_, err = n.Plan(with("openai/gpt-4o", Traits{Prefer: "anthropic"}))
	require.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
}

func TestAnAliasWithoutAWayOutSaysSo(t *testing.T) {
	t.Parallel()
	n := aliased(t, nil, &Alias{Name: "dead", Rules: []Rule{{Steps: []Step{one("none/m")}}}},
		&Alias{Name: "picky", Rules: []Rule{{When: When{Tags: []string{"x"}}, Steps: []Step{one("eu/m")}}}})
	_, err := n.Plan(ask("dead"))
	require.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	_, err = n.Plan(ask("picky"))
	require.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
	assert.Equal(t, []string{"picky"}, n.Aliases(hub.TypeChat), "what leads nowhere is not listed")
}

func TestAliasesThatAreRefused(t *testing.T) {
	t.Parallel()
	isAlias := func(name string) bool { return name == "other" }
	good := Rule{Steps: []Step{one("eu/m")}}
	for param, a := range map[string]Alias{
		"name":                                {Name: "with blank ", Rules: []Rule{good}},
		"rules":                               {Name: "a"},
		"rules[0].policy":                     {Name: "a", Rules: []Rule{{Policy: "best", Steps: good.Steps}}},
		"rules[0].when.needs":                 {Name: "a", Rules: []Rule{{When: When{Needs: []Need{"love"}}, Steps: good.Steps}}},
		"rules[0].when":                       {Name: "a", Rules: []Rule{{When: When{MinTokens: -1}, Steps: good.Steps}}},
		"rules[1].steps":                      {Name: "a", Rules: []Rule{good, {}}},
		"rules[0].steps[0].targets":           {Name: "a", Rules: []Rule{{Steps: []Step{{}}}}},
		"rules[0].steps[0].targets[1].model":  {Name: "a", Rules: []Rule{{Steps: []Step{one("eu/m", "other")}}}},
		"rules[0].steps[0].targets[0].weight": {Name: "a", Rules: []Rule{{Steps: []Step{{Targets: []Weighted{{"eu/m", -1}}}}}}},
	} {
		err := a.Check(isAlias)
		require.Equal(t, hub.CodeInvalid, hub.CodeOf(err), param)
		assert.Equal(t, param, hub.AsError(err).Param)
	}
	a := Alias{Name: "ok", Rules: []Rule{good}}
	require.NoError(t, a.Check(isAlias))
}
