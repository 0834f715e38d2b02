package operator_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// review reviews a catalogue and lists what is proposed, by kind and model.
func (d *desk) review(providers string) map[string]store.Proposal {
	d.t.Helper()
	_, err := d.ReviewCatalogue(d.t.Context(), "boss", "prices.gz", zipped(d.t, providers))
	require.NoError(d.t, err)
	return d.proposed(store.ProposalOpen)
}

func (d *desk) proposed(state string) map[string]store.Proposal {
	d.t.Helper()
	all, err := d.Store.Proposals(d.t.Context(), state, "", 100)
	require.NoError(d.t, err)
	out := map[string]store.Proposal{}
	for _, p := range all {
		out[p.Kind+" "+p.Provider+"/"+p.Model] = p
	}
	return out
}

// obeying makes the desk use the catalogue that the database names.
func (d *desk) obeying() {
	d.Catalogue = func() *pricing.Catalogue {
		digest, err := d.Store.ActiveCatalogue(d.t.Context())
		require.NoError(d.t, err)
		content, err := d.Store.CatalogueContent(d.t.Context(), digest)
		require.NoError(d.t, err)
		c, err := pricing.ReadCatalogue(bytes.NewReader(content), d.Now)
		require.NoError(d.t, err)
		return c
	}
}

const (
	cheap = `{"input":"0.000001","output":"0.00001"}`
	dear  = `{"input":"0.000002","output":"0.00001"}`
)

func TestACatalogueIsAppliedAsAReviewedDifference(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	_, err := d.AddProvider(ctx, "boss", operator.NewProvider{Kind: "openai"})
	require.NoError(t, err)
	d.priced(shelf("openai", "a", cheap, "b", cheap, "same", cheap, "gone", cheap))
	d.set("openai", "a", table("2", "20"), nil)
	d.set("openai", "b", table("2", "20"), map[hub.Bucket]string{hub.Input: "1.5", hub.Output: "10"})
	d.set("openai", "same", table("2", "20"), nil)
	d.set("openai", "gone", table("2", "20"), nil)
	before := d.rates()

	open := d.review(shelf("openai", "a", dear, "b", dear, "same", cheap, "new", cheap))
	require.Len(t, open, 4)
	assert.JSONEq(t, cheap, open["cost openai/a"].Before)
	assert.JSONEq(t, dear, open["cost openai/a"].After)
	assert.JSONEq(t, `{"input":"0.0000015","output":"0.00001"}`, open["cost openai/b"].Before, "the operator's own cost is what counts now")
	assert.Contains(t, open, "new openai/new")
	assert.Contains(t, open, "gone openai/gone")
	assert.Equal(t, before, d.rates(), "a review changes nothing")

	_, err = d.ApplyCatalogue(ctx, "boss", operator.CatalogueChoice{Activate: true})
	assert.Equal(t, "margin", hub.AsError(err).Param, "a new model is not given away")
	for want, c := range map[int]operator.CatalogueChoice{3: {}, 4: {OwnCosts: true}, 2: {SkipNew: true}} {
		c.Activate, c.Margin, c.DryRun = true, "50", true
		dry, err := d.ApplyCatalogue(ctx, "boss", c)
		require.NoError(t, err)
		assert.Len(t, dry, want, "the operator's own cost is left alone unless it is asked for")
	}
	assert.Equal(t, before, d.rates())
	_, err = d.ApplyCatalogue(ctx, "boss", operator.CatalogueChoice{IDs: []string{open["cost openai/b"].ID, open["new openai/new"].ID, open["gone openai/gone"].ID},
		Activate: true, Margin: "50", Reason: "November"})
	require.NoError(t, err)
	d.obeying()
	after := d.rates()
	assert.Equal(t, before["openai/a"], after["openai/a"], "what was not chosen stays as the operator set it")
	assert.JSONEq(t, dear, after["openai/b"].Costs)
	assert.JSONEq(t, `{"input":"0.000003","output":"0.000015"}`, after["openai/b"].Prices)
	assert.JSONEq(t, `{"input":"0.0000015","output":"0.000015"}`, after["openai/new"].Prices)
	assert.Empty(t, after["openai/new"].Costs, "its cost follows the catalogue")
	assert.NotNil(t, after["openai/gone"].Deprecated)
	assert.False(t, after["openai/gone"].Retired)
	done := d.proposed(store.ProposalApplied)["cost openai/b"]
	assert.Equal(t, []string{"boss", "November"}, []string{done.DecidedBy, done.Reason})
	m, ok := d.Catalogue().Lookup("openai", "a")
	require.True(t, ok)
	assert.Equal(t, "0.000002", m.Cost.Buckets[hub.Input].Rate.String(), "the catalogue is in force")
	_, err = d.ApplyCatalogue(ctx, "boss", operator.CatalogueChoice{IDs: []string{done.ID}})
	assert.Equal(t, hub.CodeConflict, hub.AsError(err).Code, "nothing is applied twice")
}

func TestWithoutPuttingItInForceOnlyTheChosenRowsChange(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.priced(shelf("openai", "a", cheap, "b", cheap))
	d.set("openai", "a", table("9", "9"), nil)
	d.set("openai", "b", table("2", "20"), nil)
	_, err := d.Reprice(ctx, "boss", operator.Repricing{Margin: "10", Model: "a"})
	require.NoError(t, err)
	open := d.review(shelf("openai", "a", dear, "b", dear))
	_, err = d.ApplyCatalogue(ctx, "boss", operator.CatalogueChoice{IDs: []string{open["cost openai/a"].ID, open["cost openai/b"].ID}, Margin: operator.KeepMargin})
	require.NoError(t, err)
	after := d.rates()
	assert.JSONEq(t, dear, after["openai/a"].Costs, "the cost is kept with the rate, since the catalogue in force says another")
	assert.JSONEq(t, `{"input":"0.0000022","output":"0.000011"}`, after["openai/a"].Prices, "its margin is kept")
	assert.JSONEq(t, `{"input":"0.000002","output":"0.00002"}`, after["openai/b"].Prices, "a price set by hand is the operator's")
	digest, err := d.Store.ActiveCatalogue(ctx)
	require.NoError(t, err)
	assert.Empty(t, digest)
}

func TestWhatWasDismissedStaysAwayUntilTheCatalogueSaysSomethingElse(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.priced(shelf("openai", "a", cheap))
	d.set("openai", "a", table("2", "20"), nil)
	open := d.review(shelf("openai", "a", dear))
	require.NoError(t, d.DismissProposals(ctx, "boss", []string{open["cost openai/a"].ID}, "we have a contract"))
	assert.Empty(t, d.review(shelf("openai", "a", dear)))
	assert.Empty(t, d.review(shelf("openai", "a", dear, "z", cheap)), "another file that says the same of it")
	const dearer = `{"input":"0.000003","output":"0.00001"}`
	assert.Contains(t, d.review(shelf("openai", "a", dearer)), "cost openai/a")
	assert.Empty(t, d.proposed(store.ProposalDismissed))
	assert.Contains(t, d.review(shelf("openai", "a", dear)), "cost openai/a", "and back again is a change too")
	assert.Empty(t, d.review(shelf("openai", "a", cheap)), "what no longer differs is not proposed")
	err := d.DismissProposals(ctx, "boss", []string{open["cost openai/a"].ID}, "")
	assert.Equal(t, hub.CodeConflict, hub.AsError(err).Code)
}

func TestAVersionsOwnCatalogueIsAdoptedOnceAndProposedLater(t *testing.T) {
	t.Parallel()
	d, ctx := open(t), t.Context()
	d.Notify = &notify.Post{Store: d.Store, Log: d.Log, Now: d.Now}
	d.Catalogue = func() *pricing.Catalogue { return pricing.OpenCatalogue(d.Now) }
	require.NoError(t, d.KeepWatchOnCatalogue(ctx))
	own := pricing.OpenCatalogue(d.Now).Digest()
	digest, err := d.Store.ActiveCatalogue(ctx)
	require.NoError(t, err)
	assert.Equal(t, own, digest, "the first one is in force without a question")

	// Another version's catalogue is in force, as after an upgrade.
	d2 := open(t)
	d2.Notify = &notify.Post{Store: d2.Store, Log: d2.Log, Now: d2.Now}
	d2.priced(shelf("openai", "gpt-4o", dear))
	older, err := d2.ReviewCatalogue(ctx, "boss", "old.gz", zipped(t, shelf("openai", "gpt-4o", dear)))
	require.NoError(t, err)
	require.NoError(t, d2.Store.AdoptCatalogue(ctx, older, "boss"))
	d2.set("openai", "gpt-4o", table("5", "20"), nil)
	for range 2 {
		require.NoError(t, d2.KeepWatchOnCatalogue(ctx))
	}
	digest, err = d2.Store.ActiveCatalogue(ctx)
	require.NoError(t, err)
	assert.Equal(t, older, digest, "an upgrade changes no price by itself")
	assert.Contains(t, d2.proposed(store.ProposalOpen), "cost openai/gpt-4o")
	all, err := d2.Store.Notifications(ctx, "", 10)
	require.NoError(t, err)
	assert.Len(t, all, 1)
	_, err = d2.ReviewCatalogue(ctx, "boss", "bad", []byte("no gzip"))
	assert.Equal(t, "file", hub.AsError(err).Param)
}
