package archive_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/reconcile"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestBillsAreSetAgainstArchivedCallsToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	day := time.Date(2026, 6, 3, 0, 0, 0, 0, time.UTC)
	for i := range 12 {
		w.call(day.Add(time.Duration(i)*time.Hour), true, 9)
	}
	book := &reconcile.Book{Store: w.Store, Now: w.clock.now, Archives: w.keeper}
	_, err := book.Import(t.Context(), strings.NewReader("date,model,requests,cost\n2026-06-03,m,12,0.5\n"),
		reconcile.Options{Provider: "openai", Format: reconcile.CSV, Actor: "test", Columns: map[reconcile.Column]string{
			"date": "date", "model": "model", "requests": "requests", "cost": "cost"}})
	require.NoError(t, err)
	query := reconcile.Query{Provider: "openai", From: day, Until: day.AddDate(0, 0, 1)}
	before, err := book.Report(t.Context(), query)
	require.NoError(t, err)
	require.Len(t, before.Drifts, 1)
	require.EqualValues(t, 12, *before.Drifts[0].Recorded.Requests)
	filter := store.BilledFilter{Provider: "openai", From: day, Until: day.AddDate(0, 0, 1), Limit: 5}
	list, err := book.Calls(t.Context(), filter)
	require.NoError(t, err)
	require.Len(t, list, 5)

	w.run(w.keeper)
	assert.Empty(t, w.history(nil))
	after, err := book.Report(t.Context(), query)
	require.NoError(t, err)
	assert.Equal(t, before, after)
	again, err := book.Calls(t.Context(), filter)
	require.NoError(t, err)
	assert.Equal(t, list, again)
}
