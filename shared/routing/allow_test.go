package routing

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

func TestPatternsOfModels(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pattern, provider, model string
		want                     bool
	}{
		{"openai/*", "openai", "gpt-4o", true},
		{"openai/*", "OpenAI", "GPT-4o", true},
		{"openai/*", "azure", "gpt-4o", false},
		{"openai/*", "openrouter", "openai/gpt-4o", true},
		{"openai/gpt-4o", "openai", "gpt-4o-mini", false},
		{"openai/gpt-4o", "openai", " gpt-4o ", true},
		{"gpt-4o", "azure", "gpt-4o", true},
		{"claude-*", "openrouter", "anthropic/claude-sonnet-4-5", true},
		{"claude-*", "openrouter", "evil/not-claude-sonnet", false},
		{"*", "x", "y/z", true},
		{"*mini", "openai", "gpt-4o-mini", true},
		{"*mini", "openai", "gpt-4o-mini-2", false},
		{"a*b*c", "x", "aXbXbc", true},
		{"a*b*c", "x", "aXbXb", false},
		{"openai", "openai", "gpt-4o", false},
		{"openai/", "openai", "gpt-4o", false},
	}
	for _, tt := range tests {
		assert.Equal(t, tt.want, Allow{tt.pattern}.Target(&Target{Provider: &Provider{Name: tt.provider}, Model: tt.model}),
			"%s for %s/%s", tt.pattern, tt.provider, tt.model)
	}
	assert.True(t, Allow(nil).Target(&Target{Provider: &Provider{}}))
	assert.False(t, Allow{}.Target(&Target{Provider: &Provider{}, Model: "m"}), "an empty list is not the same as none")
}

func TestAPatternMadeToBeSlowIsNot(t *testing.T) {
	t.Parallel()
	start := time.Now()
	for range 100 {
		assert.False(t, matches(strings.Repeat("a*", 100)+"b", strings.Repeat("a", 200)))
	}
	assert.Less(t, time.Since(start), time.Second)
}

func TestBadListsOfModelsAreRefused(t *testing.T) {
	t.Parallel()
	for _, bad := range []Allow{{""}, {"a b"}, {"a", "a"}, {strings.Repeat("x", 201)}, make(Allow, 101)} {
		assert.Error(t, bad.Check())
	}
	assert.NoError(t, Allow{"openai/*", "fast"}.Check())
}

func allowWorld(t *testing.T) *Snapshot {
	t.Helper()
	openai, ok := provider.Find("openai")
	require.True(t, ok)
	anthropic, ok := provider.Find("anthropic")
	require.True(t, ok)
	key := []Credential{{ID: "c"}}
	rates := []*Rate{
		{ID: "1", Provider: "openai", Model: "gpt-4o", Type: hub.TypeChat}, {ID: "2", Provider: "openai", Model: "gpt-4o-mini", Type: hub.TypeChat},
		{ID: "3", Provider: "anthropic", Model: "claude-haiku-4-5", Type: hub.TypeChat}, {ID: "4", Provider: "openai", Model: "text-embedding-3-small", Type: hub.TypeEmbedding},
	}
	step := func(models ...string) Step {
		var s Step
		for _, m := range models {
			s.Targets = append(s.Targets, Weighted{Model: m})
		}
		return s
	}
	return NewSnapshot(1, Settings{Billing: true, CreditPrice: "1", DefaultMaxOutput: 4096}, pricing.OpenCatalogue(time.Now),
		[]*Provider{{Name: "openai", Kind: openai, Credentials: key}, {Name: "anthropic", Kind: anthropic, Credentials: key}}, rates).
		WithAliases([]*Alias{
			{Name: "fast", Rules: []Rule{{Steps: []Step{step("openai/gpt-4o-mini"), step("anthropic/claude-haiku-4-5")}}}},
			{Name: "deep", Rules: []Rule{{Steps: []Step{step("anthropic/claude-haiku-4-5")}}}},
		}, nil)
}

func TestAModelThatIsNotAllowedIsAsIfItWereNotThere(t *testing.T) {
	t.Parallel()
	n := allowWorld(t)
	plan := func(allow Allow, model, prefer string) ([]string, error) {
		p, err := n.Plan(Request{Model: model, Type: hub.TypeChat, Allow: allow, Traits: Traits{Prefer: prefer}})
		var names []string
		for i := range p.Targets {
			names = append(names, p.Targets[i].Name())
		}
		return names, err
	}
	tests := []struct {
		name          string
		allow         Allow
		model, prefer string
		want          []string
		code          hub.Code
	}{
		{"without a list everything is", nil, "openai/gpt-4o", "", []string{"openai/gpt-4o"}, ""},
		{"what is listed is", Allow{"openai/*"}, "openai/gpt-4o", "", []string{"openai/gpt-4o"}, ""},
		{"by its bare name too", Allow{"openai/*"}, "gpt-4o", "", []string{"openai/gpt-4o"}, ""},
		{"another provider's is not", Allow{"openai/*"}, "anthropic/claude-haiku-4-5", "", nil, hub.CodeModelNotFound},
		{"nor in another spelling", Allow{"openai/gpt-4o-mini"}, "aignehub/OpenAI/GPT-4o", "", nil, hub.CodeModelNotFound},
		{"an alias that is listed leads wherever it leads", Allow{"fast"}, "fast", "", []string{"openai/gpt-4o-mini", "anthropic/claude-haiku-4-5"}, ""},
		{"but its models are not there by themselves", Allow{"fast"}, "openai/gpt-4o-mini", "", nil, hub.CodeModelNotFound},
		{"an alias that is not leads to what is listed only", Allow{"openai/*"}, "fast", "", []string{"openai/gpt-4o-mini"}, ""},
		{"or is not there", Allow{"openai/*"}, "deep", "", nil, hub.CodeModelNotFound},
		{"a wish leads no further", Allow{"openai/*"}, "fast", "anthropic", nil, hub.CodeInvalid},
		{"a wish within the list", Allow{"openai/*"}, "gpt-4o", "openai", []string{"openai/gpt-4o"}, ""},
		{"an empty list allows nothing", Allow{}, "openai/gpt-4o", "", nil, hub.CodeModelNotFound},
	}
	for range 2 { // the second time from the plans made before
		for _, tt := range tests {
			got, err := plan(tt.allow, tt.model, tt.prefer)
			assert.Equal(t, tt.code, hub.CodeOf(err), tt.name)
			if tt.code == "" {
				assert.Equal(t, tt.want, got, tt.name)
			}
		}
	}
	_, err := plan(Allow{"openai/*"}, "laude-haiku-4-5", "")
	assert.NotContains(t, err.Error(), "claude-haiku-4-5", "what is close but not allowed is not named")
	_, err = plan(nil, "laude-haiku-4-5", "")
	assert.Contains(t, err.Error(), "claude-haiku-4-5")
}

func TestListsHoldWhatIsAllowed(t *testing.T) {
	t.Parallel()
	n := allowWorld(t)
	names := func(allow Allow) (out []string) {
		for _, l := range n.ModelsFor(allow, hub.TypeChat) {
			out = append(out, l.Name())
		}
		return append(out, n.AliasesFor(allow, hub.TypeChat)...)
	}
	assert.Equal(t, []string{"anthropic/claude-haiku-4-5", "openai/gpt-4o", "openai/gpt-4o-mini", "deep", "fast"}, names(nil))
	assert.Equal(t, []string{"openai/gpt-4o", "openai/gpt-4o-mini", "fast"}, names(Allow{"openai/*"}))
	assert.Equal(t, []string{"deep"}, names(Allow{"deep"}))
	assert.Empty(t, names(Allow{"nothing"}))
}
