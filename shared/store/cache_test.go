package store_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestAnswersAreKeptWithinTheirRoomAndTime(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		w := newWorld(t, s, 0)
		ctx := t.Context()
		answer := func(key string, size int) store.CachedAnswer {
			return store.CachedAnswer{UserID: w.user.ID, Key: key, CallID: "call", Sealed: strings.Repeat("x", size), KeyID: "k"}
		}
		taken := func() int64 {
			n, err := s.KeptBytes(ctx)
			require.NoError(t, err)
			return n
		}
		require.NoError(t, s.KeepAnswer(ctx, answer("a", 400), time.Hour, 1000))
		require.NoError(t, s.KeepAnswer(ctx, answer("b", 500), 2*time.Hour, 1000))
		require.ErrorIs(t, s.KeepAnswer(ctx, answer("c", 101), time.Hour, 1000), store.ErrNotFound, "there is no room")
		require.NoError(t, s.KeepAnswer(ctx, answer("b", 100), 2*time.Hour, 1000), "one is replaced")
		assert.EqualValues(t, 500, taken())
		got, err := s.KeptAnswer(ctx, w.user.ID, "b")
		require.NoError(t, err)
		assert.Len(t, got.Sealed, 100)
		_, err = s.KeptAnswer(ctx, "another user", "b")
		require.ErrorIs(t, err, store.ErrNotFound)

		require.NoError(t, s.KeepAnswer(ctx, answer("short", 10), time.Millisecond, 1000))
		require.Eventually(t, func() bool {
			_, err := s.KeptAnswer(ctx, w.user.ID, "short")
			return err != nil
		}, 5*time.Second, 5*time.Millisecond)
		require.NoError(t, s.ForgetAnswers(ctx, 1000))
		assert.EqualValues(t, 500, taken(), "what has ended is deleted")
		require.NoError(t, s.ForgetAnswers(ctx, 450))
		assert.LessOrEqual(t, taken(), int64(450), "and for room what ends next")
	})
}

func TestASettingIsMadeOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		for _, v := range []string{"first", "second"} {
			got, err := s.AddSetting(t.Context(), "name", v)
			require.NoError(t, err)
			assert.Equal(t, "first", got)
		}
	})
}
