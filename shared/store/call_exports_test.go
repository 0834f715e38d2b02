package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestExportsWaitInOrderAndAreWrittenOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0)
		now := time.Now().Truncate(time.Millisecond)
		var ids []string
		for range 2 {
			e := store.CallExport{ID: s.NewID(), UserID: w.user.ID, CreatedAt: now, Asked: "{}"}
			require.NoError(t, s.AddCallExport(t.Context(), e, 2))
			ids = append(ids, e.ID)
		}
		more := store.CallExport{ID: s.NewID(), UserID: w.user.ID, CreatedAt: now, Asked: "{}"}
		require.ErrorIs(t, s.AddCallExport(t.Context(), more, 2), store.ErrConflict, "two are enough")
		first, err := s.DueCallExport(t.Context())
		require.NoError(t, err)
		assert.Equal(t, ids[0], first.ID)
		assert.Equal(t, store.ExportWaiting, first.State)
		half := first
		half.State, half.After, half.Rows, half.Sealed, half.KeyID = store.ExportWriting, "01A", 7, "sealed", "k"
		require.NoError(t, s.SaveCallExport(t.Context(), half, ""))
		require.ErrorIs(t, s.SaveCallExport(t.Context(), half, ""), store.ErrNotFound, "somebody else was faster")
		done := half
		done.State, done.After, done.FinishedAt, done.ExpiresAt = store.ExportDone, "", &now, &now
		require.NoError(t, s.SaveCallExport(t.Context(), done, "01A"))
		require.ErrorIs(t, s.SaveCallExport(t.Context(), done, ""), store.ErrNotFound, "it is done")
		got, err := s.CallExport(t.Context(), ids[0])
		require.NoError(t, err)
		assert.EqualValues(t, 7, got.Rows)
		assert.Equal(t, now.UnixMilli(), got.ExpiresAt.UnixMilli())
		require.NoError(t, s.AddCallExport(t.Context(), more, 2))
		list, err := s.CallExports(t.Context(), w.user.ID, "", 2)
		require.NoError(t, err)
		require.Len(t, list, 2)
		assert.Equal(t, more.ID, list[0].ID)
		list, err = s.CallExports(t.Context(), w.user.ID, list[1].ID, 2)
		require.NoError(t, err)
		require.Len(t, list, 1)
		require.NoError(t, s.ForgetCallExports(t.Context(), now.Add(time.Hour)))
		_, err = s.CallExport(t.Context(), ids[0])
		require.ErrorIs(t, err, store.ErrNotFound)
		due, err := s.DueCallExport(t.Context())
		require.NoError(t, err)
		assert.Equal(t, ids[1], due.ID, "what is not written is not forgotten")
	})
}
