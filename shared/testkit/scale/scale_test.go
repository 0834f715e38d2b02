package scale_test

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/scale"
)

func TestAFilledDatabaseIsRightAndAlwaysTheSame(t *testing.T) {
	t.Parallel()
	const calls = 3000
	until := time.Now().UTC().Truncate(time.Hour)
	var first []store.Call
	for range 2 {
		o := scale.Options{File: filepath.Join(t.TempDir(), "hub.db"), Calls: calls, Users: 50, Seed: 3, Ledger: true, Until: until}
		p, err := scale.Fill(t.Context(), o)
		require.NoError(t, err)
		assert.Equal(t, p, scale.Describe(o))
		h, err := scale.OpenHub(t.Context(), o.File, p)
		require.NoError(t, err)
		defer func() { assert.NoError(t, h.Close(context.Background())) }()
		n, err := h.Store.CallCount(t.Context(), "", until.Add(time.Hour), 2*calls)
		require.NoError(t, err)
		assert.EqualValues(t, calls, n)
		report, err := h.Book.VerifyAll(t.Context())
		require.NoError(t, err)
		assert.Empty(t, report.Violations)
		page, err := h.Store.Calls(t.Context(), store.CallFilter{Limit: 100})
		require.NoError(t, err)
		if first == nil {
			first = page
		}
		assert.Equal(t, first, page)

		all := scale.Queries()
		for i := range all {
			all[i].Rounds = 3
		}
		results, err := scale.Measure(t.Context(), h, all)
		require.NoError(t, err)
		var out bytes.Buffer
		require.NoError(t, scale.Print(&out, results))
		assert.Contains(t, out.String(), "calls: newest page, own")
	}
}
