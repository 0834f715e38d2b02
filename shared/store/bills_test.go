package store_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func usageRow(day int64, model string, input int64) store.BillRow {
	return store.BillRow{Day: day, Until: day + 86_400_000, Facet: "usage", Model: model, Key: "k", Input: &input}
}

func costRow(day int64, model string, cost int64) store.BillRow {
	return store.BillRow{Day: day, Until: day + 86_400_000, Facet: "cost", Model: model, Key: "k", Cost: &cost}
}

// bill imports rows, a batch each.
func bill(t *testing.T, s *store.Store, rows ...store.BillRow) store.BillImport {
	t.Helper()
	b := store.BillImport{ID: s.NewID(), Provider: "openai", Format: "csv", Zone: "UTC", Actor: "test"}
	require.NoError(t, s.BeginBill(t.Context(), b))
	for _, r := range rows {
		require.NoError(t, s.AddBill(t.Context(), b, []store.BillRow{r}, nil))
	}
	done, err := s.FinishBill(t.Context(), b, false)
	require.NoError(t, err)
	return done
}

func TestALaterBillReplacesWhatItSpeaksOf(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		day := time.Date(2025, 11, 5, 0, 0, 0, 0, time.UTC)
		at := day.UnixMilli()
		rows := func() (out []string) {
			found, err := s.BillRows(t.Context(), store.BillDay{Provider: "openai", From: day})
			require.NoError(t, err)
			for _, r := range found {
				n := r.Input
				if r.Cost != nil {
					n = r.Cost
				}
				out = append(out, fmt.Sprint(r.Facet, " ", r.Model, " ", *n))
				assert.Nil(t, r.Output, "what the bill does not say is not 0")
			}
			return out
		}
		b := bill(t, s, usageRow(at, "a", 3), usageRow(at, "a", 4), usageRow(at, "b", 1), costRow(at, "a", 5))
		assert.Equal(t, []int64{3, 0, 0}, []int64{b.Added, b.Replaced, b.Unchanged}, "lines of one day, model and key are summed")
		assert.Equal(t, []string{"cost a 5", "usage a 7", "usage b 1"}, rows())
		assert.Empty(t, bill(t, s, usageRow(at, "a", 7), costRow(at, "a", 5)).ID, "what is known already leaves no trace")

		open := store.BillImport{ID: s.NewID(), Provider: "openai", Format: "csv", Zone: "UTC", Actor: "test"}
		require.NoError(t, s.BeginBill(t.Context(), open))
		require.NoError(t, s.AddBill(t.Context(), open, []store.BillRow{usageRow(at, "a", 99)}, nil))
		assert.Equal(t, []string{"cost a 5", "usage a 7", "usage b 1"}, rows(), "what is not finished does not count")

		b = bill(t, s, usageRow(at, "a", 8), usageRow(at, "c", 1))
		assert.Equal(t, []int64{1, 1, 0}, []int64{b.Added, b.Replaced, b.Unchanged})
		assert.Equal(t, []string{"cost a 5", "usage a 8", "usage b 1", "usage c 1"}, rows(), "the rest stays")

		require.NoError(t, s.ForgetBills(t.Context(), -time.Hour))
		imports, err := s.BillImports(t.Context(), "", 10)
		require.NoError(t, err)
		assert.Len(t, imports, 2, "an import whose process died is dropped")
		days, err := s.BillDays(t.Context(), "", day, day.AddDate(0, 0, 1), 10)
		require.NoError(t, err)
		assert.Equal(t, []store.BillDay{{Provider: "openai", From: day, Until: day.AddDate(0, 0, 1)}}, days)

		require.NoError(t, s.MapBillKey(t.Context(), "openai", "k", "main", "test"))
		require.NoError(t, s.MapBillKey(t.Context(), "openai", "k", "other", "test"))
		keys, err := s.BillKeys(t.Context(), "openai")
		require.NoError(t, err)
		assert.Equal(t, map[string]string{"k": "other"}, keys)
	})
}

func TestABillCorrectsTheCostOfItsCalls(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 100)
		var ids []string
		for range 3 {
			a := w.admission(10)
			require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
			x := w.settlement(a, 7)
			x.Cost = new(money.Credits(5))
			require.NoError(t, s.Do(t.Context(), s.SettleUnit(x)))
			ids = append(ids, a.CallID)
		}
		open := w.admission(10)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(open)))
		b := store.BillImport{ID: s.NewID(), Provider: "openai", Format: "csv", Zone: "UTC", Actor: "test"}
		require.NoError(t, s.BeginBill(t.Context(), b))
		require.NoError(t, s.AddBill(t.Context(), b, nil, []store.BillCall{{CallID: ids[0], Cost: 6}, {CallID: ids[1], Cost: 5}, {CallID: open.CallID, Cost: 1}, {CallID: "none", Cost: 1}}))
		differ, unknown, err := s.BilledDiffer(t.Context(), b)
		require.NoError(t, err)
		assert.Equal(t, []int64{1, 2}, []int64{differ, unknown})
		for range 2 { // it may be repeated
			require.NoError(t, s.CorrectBilled(t.Context(), b))
		}
		for i, want := range []string{"6 reconciled", "5 reported", "5 reported"} {
			c, err := s.CallByID(t.Context(), ids[i])
			require.NoError(t, err)
			assert.Equal(t, want, fmt.Sprint(int64(*c.Cost), " ", c.Source))
			assert.EqualValues(t, 7, c.Credits)
		}
		bills, err := s.BillsOfCall(t.Context(), ids[0])
		require.NoError(t, err)
		require.Len(t, bills, 1)
		assert.Equal(t, "applied reported 5", fmt.Sprint(bills[0].State, " ", bills[0].SourceBefore, " ", int64(*bills[0].CostBefore)))
		w.requireCleanBooks(t)

		now := time.Now()
		sums, err := s.Recorded(t.Context(), "openai", now.Add(-time.Hour), now.Add(time.Hour))
		require.NoError(t, err)
		require.Len(t, sums, 1)
		assert.Equal(t, store.Recorded{Model: "m", Calls: 3, Input: 30, Output: 15, Cost: 16}, sums[0])
		sums, err = s.Recorded(t.Context(), "openai", now.Add(time.Hour), now.Add(2*time.Hour))
		require.NoError(t, err)
		assert.Empty(t, sums)
		calls, err := s.BilledCalls(t.Context(), store.BilledFilter{Provider: "openai", From: now.Add(-time.Hour), Until: now.Add(time.Hour), Model: "m", After: ids[0], Limit: 10})
		require.NoError(t, err)
		assert.Len(t, calls, 2)
	})
}

func TestEachFallOfAWalletIsWrittenOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		const milli = 1_000_000
		w := newWorld(t, s, 200*milli)
		require.NoError(t, s.SetLowBalance(t.Context(), 100*milli))
		require.NoError(t, s.FillLowBalance(t.Context()))
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				a := w.admission(10 * milli)
				if assert.NoError(t, s.Do(context.Background(), s.AdmitUnit(a))) {
					assert.NoError(t, s.Do(context.Background(), s.SettleUnit(w.settlement(a, 7*milli))))
				}
			})
		}
		all.Wait()
		fallen, err := s.Crossings(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, fallen, 1, "of twenty calls one falls below")
		assert.Equal(t, "low 0.095 0.1 "+w.user.Email, fmt.Sprint(fallen[0].Kind, " ", fallen[0].Balance, " ", fallen[0].Low, " ", fallen[0].Owner))
		require.NoError(t, s.CrossingTold(t.Context(), fallen[0].ID))
		a := w.admission(60 * milli)
		require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
		require.NoError(t, s.Do(t.Context(), s.SettleUnit(w.settlement(a, 60*milli-1))), "nothing of use is left")
		fallen, err = s.Crossings(t.Context(), 10)
		require.NoError(t, err)
		require.Len(t, fallen, 1)
		assert.Equal(t, "empty", fallen[0].Kind)
		mail, err := s.WalletMail(t.Context(), w.user.AccountID)
		require.NoError(t, err)
		assert.Equal(t, []string{w.user.Email}, mail)
		require.NoError(t, s.ChooseNotices(t.Context(), w.user.ID, store.NoticeChoice{Low: new(money.Credits(3))}))
		mail, err = s.WalletMail(t.Context(), w.user.AccountID)
		require.NoError(t, err)
		assert.Empty(t, mail)
		choice, err := s.NoticeChoice(t.Context(), w.user.ID)
		require.NoError(t, err)
		assert.EqualValues(t, 3, *choice.Low)
		w.requireCleanBooks(t)
	})
}

func TestTransactionsGoOnFromAnyPlace(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 1000)
		for range 9 {
			a := w.admission(10)
			require.NoError(t, s.Do(t.Context(), s.AdmitUnit(a)))
			require.NoError(t, s.Do(t.Context(), s.SettleUnit(w.settlement(a, 7))))
		}
		seen := map[string]bool{}
		f := store.TransactionFilter{AccountID: w.user.AccountID, Limit: 4}
		var sum money.Credits
		for {
			page, err := s.Transactions(t.Context(), f)
			require.NoError(t, err)
			for _, x := range page {
				assert.False(t, seen[x.ID], x.ID)
				seen[x.ID], sum = true, sum+x.Change
			}
			if len(page) < f.Limit {
				break
			}
			last := page[len(page)-1]
			f.BeforeAt, f.BeforeID = last.CreatedAt.UnixMilli(), last.ID
		}
		assert.Len(t, seen, 10)
		assert.Equal(t, w.account(t).Balance, sum, "the changes add up to the balance")
		spent, err := s.Spent(t.Context(), w.user.AccountID, store.Span{From: time.Now().Add(-time.Hour)})
		require.NoError(t, err)
		assert.EqualValues(t, 63, spent)
		ops, err := s.CallOperations(t.Context(), "none")
		require.NoError(t, err)
		assert.Empty(t, ops)
		users, err := s.UsersByID(t.Context(), []string{"none", w.user.ID})
		require.NoError(t, err)
		assert.Len(t, users, 1)
	})
}

func TestARateIsFoundAsItWas(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		r := store.Rate{Provider: "openai", Model: "m", Type: hub.TypeChat, Prices: `{"input":"1"}`, Metadata: "{}"}
		first, err := s.SetRate(t.Context(), r, "ann")
		require.NoError(t, err)
		r.Prices = `{"input":"2"}`
		_, err = s.SetRate(t.Context(), r, "bob")
		require.NoError(t, err)
		v, err := s.RateAt(t.Context(), first.ID, 1)
		require.NoError(t, err)
		assert.JSONEq(t, `{"input":"1"}`, v.Prices)
		assert.Equal(t, "ann", v.Actor)
		_, err = s.RateAt(t.Context(), first.ID, 3)
		require.ErrorIs(t, err, store.ErrNotFound)
	})
}
