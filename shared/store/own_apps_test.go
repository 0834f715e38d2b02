package store_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestAnAppIsItsOwnersUntilItIsReleased(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann, bob := newMember(t, s, "ann@example.com"), newMember(t, s, "bob@example.com")
		require.NoError(t, s.RegisterApp(ctx, store.App{ID: "app-1", Name: "One", OwnerID: ann.ID}, 1))
		require.ErrorIs(t, s.RegisterApp(ctx, store.App{ID: "app-2", Name: "Two", OwnerID: ann.ID}, 1), store.ErrConflict, "one is the most")
		require.NoError(t, s.RegisterApp(ctx, store.App{ID: "app-3", Name: "Three", OwnerID: bob.ID}, 1), "of each user")
		a, err := s.AppByID(ctx, "app-1")
		require.NoError(t, err)
		assert.Equal(t, ann.ID, a.OwnerID)

		own, err := s.CreateKey(ctx, store.APIKey{UserID: ann.ID, Name: "svc", Hash: "h1", AppID: "app-1"})
		require.NoError(t, err)
		other, err := s.CreateKey(ctx, store.APIKey{UserID: bob.ID, Name: "svc", Hash: "h2", AppID: "app-1"})
		require.NoError(t, err)
		ids, err := s.AppsOfUser(ctx, bob.ID, 10)
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{"app-1", "app-3"}, ids, "registered, or answered for")
		keys, err := s.OwnKeysOfApp(ctx, "app-1", ann.ID)
		require.NoError(t, err)
		assert.Len(t, keys, 1)

		require.ErrorIs(t, s.ReleaseApp(ctx, "app-1", bob.ID), store.ErrNotFound, "it is not bob's")
		require.NoError(t, s.ReleaseApp(ctx, "app-1", ann.ID))
		require.ErrorIs(t, s.ReleaseApp(ctx, "app-1", ann.ID), store.ErrNotFound)
		for id, revoked := range map[string]bool{own.ID: true, other.ID: false} {
			k, err := s.KeyByID(ctx, id)
			require.NoError(t, err)
			assert.Equal(t, revoked, k.RevokedAt != nil)
		}
		found, err := s.AppsByID(ctx, []string{"app-1", "nobody's", "app-3"})
		require.NoError(t, err)
		require.Len(t, found, 2)
		assert.Equal(t, "One", found[0].Name, "its name stays for what was used through it")
	})
}
