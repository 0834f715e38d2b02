package operator_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// zipped is a catalogue file with these providers.
func zipped(t *testing.T, providers string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(`{"format":1,"sources":[],"providers":[` + providers + `]}`))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// shelf is a provider of a catalogue, with models and their costs.
func shelf(kind string, costs ...string) string {
	text := `{"id":"` + kind + `","kind":"` + kind + `","entries":[`
	for i := 0; i+1 < len(costs); i += 2 {
		if i > 0 {
			text += ","
		}
		text += `{"id":"` + costs[i] + `","match":{"equals":"` + costs[i] + `"},"prices":[{"cost":` + costs[i+1] + `}]}`
	}
	return text + `],"facts":{}}`
}

// priced gives the desk a catalogue.
func (d *desk) priced(providers string) {
	d.t.Helper()
	c, err := pricing.ReadCatalogue(bytes.NewReader(zipped(d.t, providers)), d.Now)
	require.NoError(d.t, err)
	d.Catalogue = func() *pricing.Catalogue { return c }
}

func (d *desk) rates() map[string]store.Rate {
	d.t.Helper()
	all, err := d.Store.Rates(d.t.Context())
	require.NoError(d.t, err)
	out := map[string]store.Rate{}
	for _, r := range all {
		out[r.Provider+"/"+r.Model] = r
	}
	return out
}

func (d *desk) set(provider, model string, prices, costs map[hub.Bucket]string) store.Rate {
	d.t.Helper()
	row, err := d.SetRate(d.t.Context(), "boss", operator.NewRate{Provider: provider, Model: model, Prices: prices, Costs: costs})
	require.NoError(d.t, err)
	return row
}

func table(input, output string) map[hub.Bucket]string {
	return map[hub.Bucket]string{hub.Input: input, hub.Output: output}
}

func TestARateIsMadeAtAllProvidersOrAtNone(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.set("two", "m", table("1", "2"), nil)
	_, err := d.CreateRates(ctx, "boss", operator.NewRate{Model: "m", Prices: table("3", "4")}, []string{"one", "two", "three"})
	require.ErrorContains(t, err, "two/m")
	assert.NotContains(t, err.Error(), "one/m", "only what conflicts is named")
	assert.Len(t, d.rates(), 1, "nothing was made")
	rows, err := d.CreateRates(ctx, "boss", operator.NewRate{Model: "m", Prices: table("3", "4"), Reason: "more of it"}, []string{"one", "three"})
	require.NoError(t, err)
	assert.Len(t, rows, 2)
	_, err = d.CreateRates(ctx, "boss", operator.NewRate{Model: "x", Prices: table("3", "4")}, []string{"one", "one"})
	d.refused(t, err, hub.CodeInvalid, "providers", 3)
	history, err := d.Store.RateHistory(ctx, store.RateHistoryQuery{Provider: "one", Model: "m", Limit: 10})
	require.NoError(t, err)
	require.Len(t, history, 1)
	assert.Equal(t, []string{"create", "boss", "more of it"}, []string{history[0].Change, history[0].Actor, history[0].Reason})
}

func TestARateInUseIsNotRemovedUnlessByForce(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	row := d.set("openai", "gpt", table("1", "2"), nil)
	alias := routing.Alias{Name: "smart", Rules: []routing.Rule{{Steps: []routing.Step{{Targets: []routing.Weighted{{Model: "openai/gpt"}}}}}}}
	require.NoError(t, d.SetAlias(ctx, "boss", alias))
	_, err := d.RemoveRate(ctx, "boss", row.ID, "", false)
	require.ErrorContains(t, err, "smart, rule 1")
	assert.Len(t, d.rates(), 1)
	deps, err := d.RemoveRate(ctx, "boss", row.ID, "no longer sold", true)
	require.NoError(t, err)
	assert.Equal(t, []string{"smart, rule 1"}, deps.Aliases)
	assert.Empty(t, d.rates())
	history, err := d.Store.RateHistory(ctx, store.RateHistoryQuery{Provider: "openai", Model: "gpt", Limit: 10})
	require.NoError(t, err)
	require.Len(t, history, 2, "what was charged once can be explained for ever")
	assert.Equal(t, "remove", history[0].Change)
	_, err = d.RemoveRate(ctx, "boss", row.ID, "", true)
	assert.Equal(t, hub.CodeNotFound, hub.AsError(err).Code)
}

func TestRepricingIsExactInEveryPlaceAndShownBefore(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.CreditPrice = "0.03"
	d.priced(shelf("openai",
		"gpt", `{"input":"0.000001","cache_read":"0.0000001","output":"0.000010000001","tiers":[{"above":200000,"input":"0.000002"}]}`,
		"dall", `{"variants":[{"bucket":"images","quality":"hd","size":"1024x1024","rate":"0.08"}]}`,
		"gpt-image", `{"input":"0.000005","output_image":"0.00004"}`))
	d.set("openai", "gpt", map[hub.Bucket]string{hub.Input: "9", hub.Output: "9", hub.WebSearches: "30000"}, nil)
	d.set("openai", "own", table("9", "9"), map[hub.Bucket]string{hub.Input: "2", hub.Output: "4"})
	d.set("openai", "unknown", table("9", "9"), nil)
	_, err := d.SetRate(ctx, "boss", operator.NewRate{Provider: "openai", Model: "dall", Type: hub.TypeImage, Prices: map[hub.Bucket]string{hub.Images: "100000"}})
	require.NoError(t, err)
	_, err = d.SetRate(ctx, "boss", operator.NewRate{Provider: "openai", Model: "gpt-image", Type: hub.TypeImage, Prices: map[hub.Bucket]string{hub.Images: "100000"}})
	require.NoError(t, err)
	before := d.rates()

	out, err := d.Reprice(ctx, "boss", operator.Repricing{Margin: "12.5", DryRun: true})
	require.NoError(t, err)
	require.Len(t, out, 5)
	assert.Equal(t, before, d.rates(), "a dry run changes nothing")

	out, err = d.Reprice(ctx, "boss", operator.Repricing{Margin: "12.5", Reason: "new year"})
	require.NoError(t, err)
	skipped := map[string]string{}
	for _, p := range out {
		skipped[p.Row.Model] = p.Skipped
	}
	assert.Equal(t, "no cost is known", skipped["unknown"])
	assert.Contains(t, skipped["gpt-image"], "another measure", "a picture is not charged twice")
	after := d.rates()
	assert.JSONEq(t, `{"input":"0.0000375","cache_read":"0.00000375","output":"0.000375000038","web_searches":"1",
		"tiers":[{"above":200000,"input":"0.000075"}]}`, after["openai/gpt"].Prices, "half up to the pico-credit; a fee without a cost stays")
	assert.JSONEq(t, `{"input":"0.000075","output":"0.00015"}`, after["openai/own"].Prices)
	assert.JSONEq(t, `{"variants":[{"bucket":"images","quality":"hd","size":"1024x1024","rate":"3"}]}`, after["openai/dall"].Prices)
	assert.Equal(t, before["openai/unknown"], after["openai/unknown"])
	assert.Equal(t, "12.5", after["openai/own"].Margin)

	out, err = d.Reprice(ctx, "boss", operator.Repricing{Margin: "12.5"})
	require.NoError(t, err)
	for _, p := range out {
		assert.NotEmpty(t, p.Skipped, "again changes nothing: %s", p.Row.Model)
	}
	for margin, creditPrice := range map[string]string{"": "", "-1": "", "1e3": "", "a": "", "1/2": ""} {
		_, err = d.Reprice(ctx, "boss", operator.Repricing{Margin: margin, CreditPrice: creditPrice})
		assert.Equal(t, "margin", hub.AsError(err).Param, margin)
	}
	_, err = d.Reprice(ctx, "boss", operator.Repricing{Margin: "1", CreditPrice: "1e999999999"})
	assert.Equal(t, "credit_price", hub.AsError(err).Param)
}

func TestAnEditThatSawAnOldVersionIsRefused(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	row := d.set("openai", "gpt", table("1", "2"), nil)
	name := "The Model"
	edited, err := d.EditRate(ctx, "boss", row.ID, operator.RateEdit{Display: &name, Expect: 1})
	require.NoError(t, err)
	assert.Equal(t, row.Prices, edited.Prices)
	assert.JSONEq(t, `{"display":"The Model"}`, edited.Metadata)
	_, err = d.EditRate(ctx, "boss", row.ID, operator.RateEdit{Display: &name, Expect: 1})
	assert.Equal(t, hub.CodeConflict, hub.AsError(err).Code)
}

func TestACheckTellsAMarginFromALoss(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	const cost = `{"input":"0.000001","cache_write_5m":"0.00000125","output":"0.00001"}`
	d.priced(shelf("openai", "healthy", cost, "low", cost, "cache", cost, "old", cost, "margin", cost))
	d.set("openai", "healthy", map[hub.Bucket]string{hub.Input: "5", hub.Output: "50", hub.CacheWrite5m: "6.25"}, nil)
	d.set("openai", "low", map[hub.Bucket]string{hub.Input: "2", hub.Output: "9.999999", hub.CacheWrite5m: "3"}, nil)
	d.set("openai", "cache", table("1.2", "12"), nil)
	d.set("openai", "old", map[hub.Bucket]string{hub.Input: "5", hub.Output: "50"}, map[hub.Bucket]string{hub.Input: "0.5", hub.Output: "10", hub.CacheWrite5m: "1.25"})
	d.set("openai", "margin", table("1", "1"), nil)
	_, err := d.Reprice(ctx, "boss", operator.Repricing{Margin: "20", Model: "margin"})
	require.NoError(t, err)

	check := func() map[string][]string {
		found, err := d.CheckRates(ctx, operator.DefaultTolerance)
		require.NoError(t, err)
		out := map[string][]string{}
		for _, f := range found {
			for _, p := range f.Places {
				out[f.Kind+" "+f.Rate.Model] = append(out[f.Kind+" "+f.Rate.Model], p.Place)
			}
		}
		return out
	}
	assert.Equal(t, map[string][]string{"below_cost low": {"output"}, "below_cost cache": {"cache_write_5m"}, "cost_drift old": {"input"}}, check())

	d.priced(shelf("openai", "healthy", cost, "margin", `{"input":"0.0000011","cache_write_5m":"0.00000125","output":"0.00001"}`))
	assert.Equal(t, map[string][]string{"margin_drift margin": {"input"}}, check(), "the cost rose, and the price has no longer the margin it was set with")
	d.CreditPrice = "0.5"
	assert.Contains(t, check(), "below_cost margin", "a credit is worth half, so the price is")
}

func TestOperatorsAreToldOnceOfWhatAChangeBrought(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.Notify = &notify.Post{Store: d.Store, Log: d.Log, Now: d.Now}
	d.priced(shelf("openai", "a", `{"input":"0.000002","output":"0.00001"}`, "b", `{"input":"0.000002","output":"0.00001"}`))
	d.set("openai", "a", table("1", "50"), nil)
	told := func() int {
		t.Helper()
		require.NoError(t, d.WatchRates(ctx))
		all, err := d.Store.Notifications(ctx, "", 100)
		require.NoError(t, err)
		return len(all)
	}
	assert.Equal(t, 1, told())
	assert.Equal(t, 1, told(), "nothing changed")
	d.set("openai", "b", table("1", "50"), nil)
	assert.Equal(t, 2, told())
	all, err := d.Store.Notifications(ctx, "", 1)
	require.NoError(t, err)
	assert.Equal(t, "rate.below_cost", all[0].Kind)
	assert.Contains(t, all[0].Body, "input 1 instead of 2 per million")
}

func TestPricesHoldFromTheirTime(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.set("openai", "gpt", table("1", "2"), nil)
	later := time.Now().Add(300 * time.Millisecond)
	row, err := d.SetRate(ctx, "boss", operator.NewRate{Provider: "openai", Model: "gpt", Prices: table("5", "6"), From: &later, Reason: "as announced"})
	require.NoError(t, err)
	assert.WithinDuration(t, later, row.Effective, time.Millisecond)
	require.NoError(t, d.TurnRates(ctx))
	assert.Equal(t, int64(1), d.rates()["openai/gpt"].Version, "not yet")
	plans, err := d.Store.RatePlans(ctx, time.Time{}, "", 10)
	require.NoError(t, err)
	require.Len(t, plans, 1)
	require.Eventually(t, func() bool {
		require.NoError(t, d.TurnRates(ctx))
		return d.rates()["openai/gpt"].Version == 2
	}, 5*time.Second, 20*time.Millisecond)
	assert.JSONEq(t, `{"input":"0.000005","output":"0.000006"}`, d.rates()["openai/gpt"].Prices)
	history, err := d.Store.RateHistory(ctx, store.RateHistoryQuery{Limit: 1})
	require.NoError(t, err)
	assert.Equal(t, []string{"planned", "boss", "as announced"}, []string{history[0].Change, history[0].Actor, history[0].Reason})
	far := time.Now().AddDate(20, 0, 0)
	_, err = d.SetRate(ctx, "boss", operator.NewRate{Provider: "openai", Model: "gpt", Prices: table("5", "6"), From: &far})
	assert.Equal(t, "effective_from", hub.AsError(err).Param)
}

func TestADeprecatedRateIsRefusedFromItsDate(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	row := d.set("openai", "gpt", table("1", "2"), nil)
	soon := time.Now().Add(200 * time.Millisecond)
	row, err := d.DeprecateRate(ctx, "boss", row.ID, "use gpt-2", &soon)
	require.NoError(t, err)
	assert.NotNil(t, row.Deprecated)
	assert.False(t, row.Retired, "calls go on until then")
	require.Eventually(t, func() bool {
		require.NoError(t, d.TurnRates(ctx))
		return d.rates()["openai/gpt"].Retired
	}, 5*time.Second, 20*time.Millisecond)
	row, err = d.RestoreRate(ctx, "boss", row.ID, "")
	require.NoError(t, err)
	assert.Nil(t, row.Deprecated)
	assert.False(t, row.Retired)
}

func TestCostsAreSynchronisedWithAndWithoutPrices(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	p, err := d.AddProvider(ctx, "boss", operator.NewProvider{Kind: "openai", Name: "vendor"})
	require.NoError(t, err)
	d.set("vendor", "dated", table("9", "9"), map[hub.Bucket]string{hub.Input: "1", hub.CacheRead: "0.1", hub.Output: "2"})
	d.set("vendor", "rest", table("9", "9"), nil)
	cost := func(input, output string) (out pricing.Prices) {
		require.NoError(t, json.Unmarshal([]byte(`{"input":"`+input+`","output":"`+output+`"}`), &out))
		return out
	}
	sync := operator.CostSync{Updates: []operator.CostUpdate{
		{Provider: p.ID, Model: "dated-2026-01-02", Costs: cost("0.000003", "0.000002")},
		{Provider: "vendor", Model: "fresh", Costs: cost("0.000001", "0.000002"), New: true},
		{Provider: "vendor", Model: "nobody", Costs: cost("0.000001", "0.000002")},
	}, Margin: "100", DeprecateRest: true, DryRun: true}
	before := d.rates()
	dry, err := d.SyncCosts(ctx, "boss", sync)
	require.NoError(t, err)
	assert.Equal(t, before, d.rates())
	sync.DryRun = false
	done, err := d.SyncCosts(ctx, "boss", sync)
	require.NoError(t, err)
	for _, s := range []operator.CostSynced{dry, done} {
		assert.Equal(t, []int{1, 0, 1, 1, 1}, []int{len(s.Updated), len(s.Unchanged), len(s.Created), len(s.Deprecated), len(s.Unmatched)})
	}
	after := d.rates()
	assert.JSONEq(t, `{"input":"0.000003","cache_read":"0.0000001","output":"0.000002"}`, after["vendor/dated"].Costs, "what was not said stays")
	assert.JSONEq(t, `{"input":"0.000006","cache_read":"0.0000002","output":"0.000004"}`, after["vendor/dated"].Prices)
	assert.JSONEq(t, `{"input":"0.000002","output":"0.000004"}`, after["vendor/fresh"].Prices)
	assert.NotNil(t, after["vendor/rest"].Deprecated)
	again, err := d.SyncCosts(ctx, "boss", sync)
	require.NoError(t, err)
	assert.Len(t, again.Unchanged, 2)
	require.ErrorIs(t, &store.RateConflictError{}, store.ErrConflict)
}
