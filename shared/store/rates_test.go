package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func rateOf(provider, prices string) store.Rate {
	return store.Rate{Provider: provider, Model: "m", Type: hub.TypeChat, Prices: prices, Metadata: "{}"}
}

func change(r store.Rate, name string, expect int64) store.RateChange {
	return store.RateChange{Rate: r, Change: name, Expect: expect, Actor: "boss", Reason: "because"}
}

func TestRatesChangeTogetherOrNotAtAll(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		version, err := s.ConfigVersion(ctx)
		require.NoError(t, err)
		made, err := s.ChangeRates(ctx, []store.RateChange{change(rateOf("a", `{"input":"1"}`), store.RateCreate, 0), change(rateOf("b", `{"input":"1"}`), store.RateSet, 0)})
		require.NoError(t, err)
		require.Len(t, made, 2)
		next, err := s.ConfigVersion(ctx)
		require.NoError(t, err)
		assert.Equal(t, version+1, next, "every process reloads")

		_, err = s.ChangeRates(ctx, []store.RateChange{change(rateOf("c", `{"input":"9"}`), store.RateSet, 0), change(rateOf("a", `{"input":"9"}`), store.RateCreate, 0),
			change(rateOf("b", `{"input":"9"}`), store.RateReprice, 7), change(rateOf("d", `{"input":"9"}`), store.RateRemove, 1)})
		var conflict *store.RateConflictError
		require.ErrorAs(t, err, &conflict)
		assert.Equal(t, store.RateConflictError{There: []string{"a/m"}, Changed: []string{"b/m"}, Missing: []string{"d/m"}}, *conflict)

		full := rateOf("b", `{"input":"2"}`)
		at := time.UnixMilli(1_800_000_000_000).UTC()
		full.Costs, full.Margin, full.CreditPrice, full.Deprecated, full.DeprecatedReason, full.RefusedFrom = `{"input":"0.5"}`, "12.5", "0.03", &at, "old", &at
		_, err = s.ChangeRates(ctx, []store.RateChange{change(full, store.RateDeprecate, 1), change(rateOf("a", `{"input":"1"}`), store.RateRemove, 1)})
		require.NoError(t, err)
		all, err := s.Rates(ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)
		full.ID, full.Version, full.Effective = made[1].ID, 2, all[0].Effective
		assert.Equal(t, full, all[0])

		var seen []string
		q := store.RateHistoryQuery{Limit: 1}
		for {
			page, err := s.RateHistory(ctx, q)
			require.NoError(t, err)
			if len(page) == 0 {
				break
			}
			seen = append(seen, page[0].Provider+" "+page[0].Change)
			q.Before = &page[0]
		}
		assert.ElementsMatch(t, []string{"a create", "b set", "b deprecate", "a remove"}, seen)
		assert.Len(t, seen, 4)
	})
}

func TestProposalsAreDecidedOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		content := []byte{0x1f, 0x8b, 0, 0xff}
		require.NoError(t, s.KeepCatalogue(ctx, store.CatalogueFile{Digest: "d1", Origin: "file", Actor: "boss"}, content))
		got, err := s.CatalogueContent(ctx, "d1")
		require.NoError(t, err)
		assert.Equal(t, content, got)
		row := store.Proposal{Kind: "cost", Provider: "a", Model: "m", Type: hub.TypeChat, ValueHash: "h1", After: `{"input":"1"}`}
		require.NoError(t, s.Propose(ctx, "d1", []store.Proposal{row}))
		require.NoError(t, s.Propose(ctx, "d1", []store.Proposal{row}))
		open, err := s.Proposals(ctx, store.ProposalOpen, "", 10)
		require.NoError(t, err)
		require.Len(t, open, 1)
		decide := store.Decision{IDs: []string{open[0].ID}, State: store.ProposalApplied, Actor: "boss", Reason: "why not", Activate: "d1",
			Changes: []store.RateChange{change(rateOf("a", `{"input":"1"}`), store.RateSync, 0)}}
		require.NoError(t, s.Decide(ctx, decide))
		require.ErrorIs(t, s.Decide(ctx, decide), store.ErrConflict)
		all, err := s.Rates(ctx)
		require.NoError(t, err)
		require.Len(t, all, 1)
		assert.Equal(t, int64(1), all[0].Version, "the second decision left no trace")
		c, err := s.LoadConfig(ctx)
		require.NoError(t, err)
		assert.Equal(t, "d1", c.Catalogue)
		require.ErrorIs(t, s.AdoptCatalogue(ctx, "d1", "x"), store.ErrNotFound, "one is in force")
	})
}

func TestPlannedRatesComeInTheOrderOfTheirTimes(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		past := time.Now().Add(-time.Hour)
		for i, prices := range []string{`{"input":"1"}`, `{"input":"2"}`, `{"input":"3"}`} {
			_, err := s.PlanRate(ctx, store.RatePlan{Rate: rateOf("a", prices), From: past.Add(time.Duration(i) * time.Minute), Actor: "boss"})
			require.NoError(t, err)
		}
		_, err := s.PlanRate(ctx, store.RatePlan{Rate: rateOf("a", `{"input":"4"}`), From: past.Add(24 * time.Hour), Actor: "boss"})
		require.NoError(t, err)
		applied, err := s.ApplyRatePlans(ctx)
		require.NoError(t, err)
		require.Len(t, applied, 1)
		assert.JSONEq(t, `{"input":"3"}`, applied[0].Prices)
		left, err := s.RatePlans(ctx, time.Time{}, "", 10)
		require.NoError(t, err)
		require.Len(t, left, 1)
		require.NoError(t, s.DropRatePlan(ctx, left[0].ID))
		require.ErrorIs(t, s.DropRatePlan(ctx, left[0].ID), store.ErrNotFound)
	})
}
