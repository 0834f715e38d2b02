package routing

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

// catalogue knows two models of OpenAI's, one of Anthropic's and one of
// OpenRouter's, so that the tests do not hang on what vendors charge today.
func catalogue(t *testing.T) *pricing.Catalogue {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := z.Write([]byte(`{"format":1,"sources":[],"providers":[
		{"id":"openai","kind":"openai","entries":[],"facts":{
			"gpt-4o":{"context":128000,"max_output":16384,"input":["text"],"output":["text"],"cost":{"input":"0.0000025","output":"0.00001","web_searches":"0","tiers":[{"above":1000,"input":"0.000005"}]}},
			"gpt-unpriced":{"context":1000,"max_output":100,"output":["text"]},
			"gpt-painter":{"output":["image"],"cost":{"images":"0.04"}}}},
		{"id":"anthropic","kind":"anthropic","entries":[],"facts":{
			"claude-sonnet-4-5":{"context":200000,"max_output":64000,"output":["text"],"cost":{"input":"0.000003","output":"0.000015"}}}}]}`))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	c, err := pricing.ReadCatalogue(&b, time.Now)
	require.NoError(t, err)
	return c
}

func configured(t *testing.T, kind, name string, keys ...string) *Provider {
	t.Helper()
	k, ok := provider.Find(kind)
	require.True(t, ok, kind)
	p := &Provider{ID: "id-" + name, Name: name, Kind: k}
	for _, key := range keys {
		p.Credentials = append(p.Credentials, Credential{ID: key, Name: key, Weight: 100, Secret: "secret"})
	}
	return p
}

func priced(prov, model, input, output string) *Rate {
	r := &Rate{ID: prov + "/" + model, Version: 1, Provider: prov, Model: model, Type: hub.TypeChat}
	for b, text := range map[hub.Bucket]string{hub.Input: input, hub.Output: output} {
		if rate, err := money.ParsePerMillion(text); err == nil {
			r.Prices.Set(b, rate)
		}
	}
	return r
}

func names(p Plan) []string {
	all := make([]string, len(p.Targets))
	for i := range p.Targets {
		all[i] = p.Targets[i].Name()
	}
	return all
}

func ask(model string) Request {
	return Request{Model: model, Type: hub.TypeChat, Dialect: dialect.OpenAIChat}
}

var free = Settings{DefaultMaxOutput: 4096}

func TestModelNamesLeadToTargets(t *testing.T) {
	t.Parallel()
	all := []*Provider{
		configured(t, provider.OpenAI, "openai", "k"), configured(t, provider.OpenAI, "openai-eu", "k"), configured(t, provider.Anthropic, "anthropic", "k"),
		configured(t, provider.OpenRouter, "openrouter", "k"), configured(t, provider.Poe, "a-poe", "k"), configured(t, provider.OpenAICompatible, "own", "k"),
		configured(t, provider.Ollama, "ollama", "k"),
	}
	rates := []*Rate{priced("own", "house-model", "1", "1"), priced("own", "lab/deep/model", "1", "1"), priced("openrouter", "vendor/only-here", "1", "1")}
	n := NewSnapshot(7, free, catalogue(t), all, rates)
	for _, tt := range []struct {
		name, model string
		dialect     dialect.Name
		want        []string
	}{
		{"provider and model", "openai/gpt-4o", "", []string{"openai/gpt-4o"}},
		{"whatever the provider's case", "OpenAI/gpt-4o", "", []string{"openai/gpt-4o"}},
		{"more slashes belong to the model", "openrouter/anthropic/claude-3.5/beta", "", []string{"openrouter/anthropic/claude-3.5/beta"}},
		{"our own prefix goes", "aignehub/openai/gpt-4o", "", []string{"openai/gpt-4o"}},
		{"our own prefix before a bare name", "aignehub/house-model", "", []string{"own/house-model"}},
		{"a model that nobody has heard of, at a named provider", "own/brand-new", "", []string{"own/brand-new"}},
		{"a bare name by its rate", "house-model", "", []string{"own/house-model"}},
		{"a bare name by what follows the last slash of its rate", "only-here", "", []string{"openrouter/vendor/only-here"}},
		{"a vendor's name by its rate", "lab/deep/model", "", []string{"own/lab/deep/model", "openrouter/lab/deep/model"}},
		{"a vendor's name that is no provider's", "mystery/model", "", []string{"openrouter/mystery/model"}},
		{"a bare name by pattern: direct before resellers, several of one kind by name", "gpt-4o", dialect.OpenAIChat,
			[]string{"openai/gpt-4o", "openai-eu/gpt-4o", "a-poe/gpt-4o", "openrouter/openai/gpt-4o"}},
		{"native first among equals", "claude-sonnet-4-5", dialect.Anthropic,
			[]string{"anthropic/claude-sonnet-4-5", "openrouter/anthropic/claude-sonnet-4.5", "a-poe/claude-sonnet-4-5"}},
		{"but rank goes before language", "claude-sonnet-4-5", dialect.OpenAIChat,
			[]string{"anthropic/claude-sonnet-4-5", "a-poe/claude-sonnet-4-5", "openrouter/anthropic/claude-sonnet-4.5"}},
		{"open weights: the reseller before the own machine", "gpt-oss-20b", dialect.OpenAIChat, []string{"openrouter/openai/gpt-oss-20b", "ollama/gpt-oss-20b"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			plan, err := n.Plan(Request{Model: tt.model, Type: hub.TypeChat, Dialect: tt.dialect})
			require.NoError(t, err)
			assert.Equal(t, tt.want, names(plan))
			assert.Equal(t, tt.model, plan.Requested)
			assert.Equal(t, int64(7), plan.Version)
		})
	}
}

func TestProvidersThatCannotServeAreLeftOutWithTheReason(t *testing.T) {
	t.Parallel()
	n := NewSnapshot(1, free, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai"), configured(t, provider.OpenRouter, "openrouter", "k")}, nil)
	plan, err := n.Plan(ask("gpt-4o"))
	require.NoError(t, err)
	assert.Equal(t, []string{"openrouter/openai/gpt-4o"}, names(plan))
	assert.Equal(t, []Refusal{{"openai/gpt-4o", noCredential}}, plan.Refused)

	_, err = n.Plan(ask("openai/gpt-4o"))
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	assert.Contains(t, err.Error(), "openai/gpt-4o")

	_, err = n.Plan(Request{Model: "openrouter/x", Type: hub.TypeVideo})
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
	assert.Equal(t, "model", hub.AsError(err).Param)

	off := NewSnapshot(2, free, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k")}, []*Rate{priced("gone", "old-model", "1", "1")})
	_, err = off.Plan(ask("old-model"))
	assert.Equal(t, hub.CodeModelNotFound, hub.CodeOf(err), "a disabled provider is not in the snapshot, its rate leads nowhere")
}

func TestUnknownNamesAreAnsweredWithCloseOnes(t *testing.T) {
	t.Parallel()
	n := NewSnapshot(1, free, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k")},
		[]*Rate{priced("openai", "house-mini", "1", "1"), priced("openai", "house-max", "1", "1"), priced("gone", "house-mino", "1", "1"), priced("openai", "vendor/zebra", "1", "1")})
	for model, want := range map[string]string{"house-mimi": "openai/house-mini", "HOUSE-MAXX": "openai/house-max", "zebr": "openai/vendor/zebra"} {
		_, err := n.Plan(ask(model))
		e := hub.AsError(err)
		assert.Equal(t, hub.CodeModelNotFound, e.Code, model)
		assert.Equal(t, "model", e.Param)
		assert.Contains(t, e.Message, "Did you mean "+want)
		assert.Contains(t, e.Message, "GET /v1/models")
		assert.NotContains(t, e.Message, "gone/")
	}
	for _, far := range []string{"entirely-different", strings.Repeat("q", 400)} {
		_, err := n.Plan(ask(far))
		assert.Equal(t, hub.CodeModelNotFound, hub.CodeOf(err))
		assert.NotContains(t, err.Error(), "Did you mean")
	}
	for _, none := range []string{"", "aignehub/"} {
		_, err := n.Plan(ask(none))
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
		assert.Equal(t, "model", hub.AsError(err).Param)
	}
}

func TestWithBillingOnAModelWithoutARateIsRefused(t *testing.T) {
	t.Parallel()
	s := Settings{Billing: true, CreditPrice: "1", DefaultMaxOutput: 4096}
	n := NewSnapshot(1, s, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k")}, []*Rate{priced("openai", "gpt-free", "0", "0")})
	for _, model := range []string{"openai/gpt-4o", "gpt-4o", "gpt-unpriced"} {
		_, err := n.Plan(ask(model))
		e := hub.AsError(err)
		assert.Equal(t, hub.CodeInvalid, e.Code)
		assert.Equal(t, "model", e.Param)
		bare := strings.TrimPrefix(model, "openai/")
		assert.Contains(t, e.Message, "`aigne-hub rate set --provider openai --model "+bare+" --input P --output P`")
	}
	plan, err := n.Plan(ask("openai/gpt-free"))
	require.NoError(t, err, "an explicit 0 is a rate")
	require.NotNil(t, plan.Targets[0].Prices)
	amount, err := plan.Targets[0].Prices.Charge(hub.Usage{hub.Input: 1000, hub.Output: 1000})
	require.NoError(t, err)
	assert.Zero(t, amount)

	s.DefaultMargin = "20"
	_, err = NewSnapshot(1, s, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k")}, nil).Plan(ask("gpt-unpriced"))
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), "an unknown cost is not a cost of 0")
}

func TestOneTargetWithARateIsEnough(t *testing.T) {
	t.Parallel()
	s := Settings{Billing: true, CreditPrice: "1", DefaultMaxOutput: 4096}
	n := NewSnapshot(1, s, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k"), configured(t, provider.OpenRouter, "openrouter", "k")},
		[]*Rate{priced("openrouter", "openai/gpt-4o", "3", "12")})
	plan, err := n.Plan(ask("gpt-4o"))
	require.NoError(t, err)
	assert.Equal(t, []string{"openrouter/openai/gpt-4o"}, names(plan))
	assert.Equal(t, []Refusal{{"openai/gpt-4o", noRate}}, plan.Refused)
}

func TestARetiredRateRefusesWhereTheCatalogueCouldPrice(t *testing.T) {
	t.Parallel()
	s := Settings{Billing: true, CreditPrice: "1", DefaultMargin: "20", DefaultMaxOutput: 4096}
	gone := priced("openai", "gpt-4o", "3", "12")
	gone.Retired = true
	providers := []*Provider{configured(t, provider.OpenAI, "openai", "k"), configured(t, provider.OpenRouter, "openrouter", "k")}
	n := NewSnapshot(1, s, catalogue(t), providers, []*Rate{gone, priced("openrouter", "openai/gpt-4o", "3", "12")})
	_, err := n.Plan(ask("openai/gpt-4o"))
	require.ErrorContains(t, err, retired)
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
	plan, err := n.Plan(ask("gpt-4o"))
	require.NoError(t, err)
	assert.Equal(t, []string{"openrouter/openai/gpt-4o"}, names(plan), "another provider goes on")
	for _, l := range n.Models(hub.TypeChat) {
		assert.NotEqual(t, "openai/gpt-4o", l.Name())
	}
}

func TestTheDefaultMarginPricesExactly(t *testing.T) {
	t.Parallel()
	s := Settings{Billing: true, CreditPrice: "0.03", DefaultMargin: "20", DefaultMaxOutput: 4096}
	n := NewSnapshot(1, s, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k")}, nil)
	plan, err := n.Plan(ask("gpt-4o"))
	require.NoError(t, err)
	target := plan.Targets[0]
	for _, want := range []struct {
		bucket hub.Bucket
		prompt int64
		rate   money.Rate
	}{
		{hub.Input, 0, 100_000_000},     // 2.5 $/M × 1.2 ÷ 0.03
		{hub.Output, 0, 400_000_000},    // 10 $/M × 1.2 ÷ 0.03
		{hub.Input, 1001, 200_000_000},  // the tier is priced too
		{hub.CacheRead, 0, 100_000_000}, // falls back as its cost does
		{hub.WebSearches, 0, 0},         // an explicit 0 stays 0
	} {
		got, ok := target.Prices.Rate(want.bucket, want.prompt)
		require.True(t, ok)
		assert.Equal(t, want.rate, got, "%s above %d", want.bucket, want.prompt)
	}
	assert.True(t, target.Prices.Buckets[hub.WebSearches].Set)
	cost, _ := target.Cost.Rate(hub.Input, 0)
	assert.Equal(t, money.Rate(2_500_000), cost, "the operator's cost stays in dollars")
	assert.Empty(t, target.RateID)

	record, err := plan.JSON()
	require.NoError(t, err)
	assert.JSONEq(t, `{"targets":[{"target":"openai/gpt-4o","prices":{"input":"0.0001","output":"0.0004","web_searches":"0","tiers":[{"above":1000,"input":"0.0002"}]}}]}`,
		record, "what no stored rate has is kept with the call")
}

func TestARateGoesBeforeTheMarginAndTheCatalogue(t *testing.T) {
	t.Parallel()
	own := priced("openai", "gpt-4o", "7", "8")
	own.ID, own.Version = "r1", 4
	cost := pricing.Prices{}
	cost.Set(hub.Input, 1)
	own.Cost = &cost
	n := NewSnapshot(1, Settings{Billing: true, CreditPrice: "1", DefaultMargin: "20"}, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k")}, []*Rate{own})
	plan, err := n.Plan(ask("gpt-4o"))
	require.NoError(t, err)
	target := plan.Targets[0]
	in, _ := target.Prices.Rate(hub.Input, 0)
	assert.Equal(t, money.Rate(7_000_000), in)
	assert.Equal(t, "r1", target.RateID)
	assert.Equal(t, int64(4), target.RateVersion)
	in, _ = target.Cost.Rate(hub.Input, 0)
	assert.Equal(t, money.Rate(1), in)
	record, err := plan.JSON()
	require.NoError(t, err)
	assert.JSONEq(t, `{"targets":[{"target":"openai/gpt-4o","rate_id":"r1","rate_version":4}]}`, record)

	other := priced("openai", "gpt-4o", "7", "8")
	other.Type = hub.TypeEmbedding
	_, err = NewSnapshot(1, Settings{Billing: true, CreditPrice: "1"}, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k")}, []*Rate{other}).Plan(ask("gpt-4o"))
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), "a rate of another kind of call prices nothing here")
}

func TestWithBillingOffNothingIsPriced(t *testing.T) {
	t.Parallel()
	n := NewSnapshot(1, free, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k")}, []*Rate{priced("openai", "gpt-4o", "7", "8")})
	plan, err := n.Plan(ask("gpt-4o"))
	require.NoError(t, err)
	assert.Nil(t, plan.Targets[0].Prices)
	assert.NotNil(t, plan.Targets[0].Cost, "costs are shown all the same")
}

func TestLimitsComeFromTheRateThenTheCatalogueThenTheSetting(t *testing.T) {
	t.Parallel()
	limited := priced("openai", "gpt-4o", "1", "1")
	limited.Context, limited.MaxOutput = 1000, 99
	partly := priced("own", "x", "1", "1")
	partly.MaxOutput = 5
	all := []*Provider{configured(t, provider.OpenAI, "openai", "k"), configured(t, provider.OpenAI, "plain", "k"), configured(t, provider.OpenAICompatible, "own", "k")}
	n := NewSnapshot(1, free, catalogue(t), all, []*Rate{limited, partly})
	for _, tt := range []struct {
		model           string
		context, output int64
		known           bool
	}{
		{"openai/gpt-4o", 1000, 99, true}, {"plain/gpt-4o", 128000, 16384, true}, {"own/unheard-of", 0, 4096, false}, {"own/x", 0, 5, true},
	} {
		plan, err := n.Plan(ask(tt.model))
		require.NoError(t, err)
		got := plan.Targets[0]
		assert.Equal(t, tt.context, got.Context, tt.model)
		assert.Equal(t, tt.output, got.MaxOutput, tt.model)
		assert.Equal(t, tt.known, got.LimitKnown, tt.model)
	}
}

func TestOnlyModelsThatCanBeCalledAreListed(t *testing.T) {
	t.Parallel()
	all := []*Provider{configured(t, provider.OpenAI, "openai", "k"), configured(t, provider.Anthropic, "anthropic"), configured(t, provider.OpenAICompatible, "own", "k")}
	embed := priced("openai", "embedder", "1", "")
	embed.Type = hub.TypeEmbedding
	rates := []*Rate{priced("own", "house-model", "1", "2"), priced("gone", "old", "1", "1"), priced("anthropic", "claude-x", "1", "1"), embed}
	list := func(s Settings) []string {
		var got []string
		for _, m := range NewSnapshot(1, s, catalogue(t), all, rates).Models(hub.TypeChat) {
			assert.Equal(t, hub.TypeChat, m.Type)
			got = append(got, m.Name())
		}
		return got
	}
	assert.Equal(t, []string{"own/house-model"}, list(Settings{Billing: true, CreditPrice: "1"}), "billed: with a rate only")
	assert.Equal(t, []string{"openai/gpt-4o", "own/house-model"}, list(Settings{Billing: true, CreditPrice: "1", DefaultMargin: "10"}), "or with a cost to add the margin to")
	assert.Equal(t, []string{"openai/gpt-4o", "openai/gpt-unpriced", "own/house-model"}, list(free), "not billed: whatever writes text")
	assert.Empty(t, NewSnapshot(1, free, catalogue(t), all, rates).Models(hub.TypeVideo))
}

func TestPlansAreKeptButNotWithoutBound(t *testing.T) {
	t.Parallel()
	n := NewSnapshot(1, free, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k")}, nil)
	for i := range maxPlans + 300 {
		model := fmt.Sprintf("openai/m%d", i)
		for range 2 {
			plan, err := n.Plan(ask(model))
			require.NoError(t, err)
			require.Equal(t, []string{model}, names(plan))
		}
	}
	kept := 0
	n.plans.Range(func(any, any) bool { kept++; return true })
	assert.Equal(t, maxPlans, kept)

	other, err := n.Plan(ask("aignehub/openai/m0"))
	require.NoError(t, err)
	assert.Equal(t, "aignehub/openai/m0", other.Requested, "a kept plan is given under the name asked for")
	for i := range 50 {
		_, err := n.Plan(ask(fmt.Sprintf("nonsense-%d", i)))
		require.Error(t, err)
	}
	after := 0
	n.plans.Range(func(any, any) bool { after++; return true })
	assert.Equal(t, kept, after, "names that nobody serves are not kept")
}

func TestPlansOfOneSnapshotNeverReachAnother(t *testing.T) {
	t.Parallel()
	p := []*Provider{configured(t, provider.OpenAI, "openai", "k")}
	s := Settings{Billing: true, CreditPrice: "1"}
	before := NewSnapshot(1, s, catalogue(t), p, []*Rate{priced("openai", "gpt-4o", "1", "1")})
	old, err := before.Plan(ask("gpt-4o"))
	require.NoError(t, err)
	after := NewSnapshot(2, s, catalogue(t), p, []*Rate{priced("openai", "gpt-4o", "2", "2")})
	plan, err := after.Plan(ask("gpt-4o"))
	require.NoError(t, err)
	assert.Equal(t, int64(2), plan.Version)
	in, _ := plan.Targets[0].Prices.Rate(hub.Input, 0)
	assert.Equal(t, money.Rate(2_000_000), in)
	in, _ = old.Targets[0].Prices.Rate(hub.Input, 0)
	assert.Equal(t, money.Rate(1_000_000), in, "and a plan that was given out stays as it was")
}

func TestPlansForDifferentCallersAreDifferent(t *testing.T) {
	t.Parallel()
	n := NewSnapshot(1, free, catalogue(t), []*Provider{configured(t, provider.OpenRouter, "openrouter", "k"), configured(t, provider.Poe, "a-poe", "k")}, nil)
	for range 2 {
		plan, err := n.Plan(Request{Model: "claude-x", Type: hub.TypeChat, Dialect: dialect.Anthropic})
		require.NoError(t, err)
		assert.Equal(t, "openrouter", plan.Targets[0].Provider.Name)
		plan, err = n.Plan(Request{Model: "claude-x", Type: hub.TypeChat, Dialect: dialect.OpenAIChat})
		require.NoError(t, err)
		assert.Equal(t, "a-poe", plan.Targets[0].Provider.Name)
	}
}

func TestManyCallersPlanAtOnce(t *testing.T) {
	t.Parallel()
	n := NewSnapshot(1, free, catalogue(t), []*Provider{configured(t, provider.OpenAI, "openai", "k"), configured(t, provider.OpenRouter, "openrouter", "k")}, nil)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 200 {
				plan, err := n.Plan(ask(fmt.Sprintf("gpt-%d", (i+j)%20)))
				assert.NoError(t, err)
				assert.Len(t, plan.Targets, 2)
			}
		})
	}
	wg.Wait()
}
