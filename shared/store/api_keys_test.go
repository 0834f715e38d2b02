package store_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// eachPair runs a test with two processes' stores of one database.
func eachPair(t *testing.T, test func(t *testing.T, here, there *store.Store)) {
	t.Helper()
	t.Run("embedded file", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "hub.db")
		test(t, openFile(t, path), openFile(t, path))
	})
	t.Run("libSQL server", func(t *testing.T) {
		t.Parallel()
		url, token := hrana.Start(t)
		o := store.Options{URL: url, Token: hub.Secret(token)}
		test(t, openStore(t, o), openStore(t, o))
	})
}

// admit tries a call with a secret of the world's key, by the newest
// configuration: what is stale is another matter.
func (w *world) admit(t *testing.T, s *store.Store, serial int64) error {
	t.Helper()
	a := w.admission(0)
	var err error
	a.ConfigVersion, err = s.ConfigVersion(t.Context())
	require.NoError(t, err)
	a.Caller.KeySerial = serial
	return s.Do(t.Context(), s.AdmitUnit(a))
}

func TestARevokedKeyAdmitsNothingInAnyProcess(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, here, there *store.Store) {
		w := newWorld(t, here, 100)
		require.NoError(t, w.admit(t, here, 1))
		require.NoError(t, w.admit(t, there, 1))
		require.NoError(t, there.RevokeKey(t.Context(), w.key.ID))
		require.ErrorIs(t, w.admit(t, here, 1), store.ErrKeyGone)
		require.ErrorIs(t, w.admit(t, there, 1), store.ErrKeyGone)
	})
}

func TestASecretAdmitsUntilItsGraceIsOver(t *testing.T) {
	t.Parallel()
	eachPair(t, func(t *testing.T, here, there *store.Store) {
		ctx := t.Context()
		w := newWorld(t, here, 100)
		require.NoError(t, there.RotateKey(ctx, w.key, "second", "cond", time.Now().Add(time.Hour)))
		require.ErrorIs(t, here.RotateKey(ctx, w.key, "another", "last", time.Now()), store.ErrNotFound, "it was rotated meanwhile")
		require.NoError(t, w.admit(t, here, 1), "the old secret, in its grace")
		require.NoError(t, w.admit(t, there, 2), "the new one")
		require.ErrorIs(t, w.admit(t, here, 3), store.ErrKeyGone, "one that there is not yet")
		require.ErrorIs(t, w.admit(t, here, 0), store.ErrKeyGone, "and one that there never was")

		k, u, err := here.KeyByHash(ctx, "second")
		require.NoError(t, err)
		assert.False(t, k.Old("second"))
		assert.Equal(t, w.user.ID, u.ID)
		k, _, err = here.KeyByHash(ctx, w.key.Hash)
		require.NoError(t, err)
		assert.True(t, k.Old(w.key.Hash))
		assert.Equal(t, w.key.ID, k.ID)
		assert.Equal(t, int64(2), k.Serial)

		require.NoError(t, here.RotateKey(ctx, k, "third", "hird", time.Now()))
		require.ErrorIs(t, w.admit(t, there, 1), store.ErrKeyGone, "a second rotation ends what the first left good")
		require.ErrorIs(t, w.admit(t, there, 2), store.ErrKeyGone, "and without a grace the secret before")
		require.NoError(t, w.admit(t, there, 3))
		_, _, err = there.KeyByHash(ctx, w.key.Hash)
		require.ErrorIs(t, err, store.ErrNotFound)

		require.NoError(t, here.TouchKey(ctx, k.ID, 2))
		k, err = there.KeyByID(ctx, k.ID)
		require.NoError(t, err)
		assert.NotNil(t, k.LastUsedAt)
		assert.NotNil(t, k.OldUsedAt)
	})
}

func TestRestrictionsOfKeysAreKept(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		w := newWorld(t, s, 100)
		require.NoError(t, s.SetApp(ctx, store.App{ID: "app", Source: store.AppOperator}))
		k, err := s.CreateKey(ctx, store.APIKey{UserID: w.user.ID, Name: "bound", Hash: "h", Models: []string{"openai/*"}, IPs: []string{"10.0.0.0/8"},
			Scopes: []hub.Scope{hub.ScopeInference}, AppID: "app"})
		require.NoError(t, err)
		got, err := s.KeyByID(ctx, k.ID)
		require.NoError(t, err)
		assert.WithinDuration(t, k.CreatedAt, got.CreatedAt, time.Millisecond)
		got.CreatedAt = k.CreatedAt
		assert.Equal(t, k, got)
		before, err := s.ConfigVersion(ctx)
		require.NoError(t, err)
		old := got
		got.Models, got.IPs, got.Scopes, got.Name = nil, nil, nil, "free"
		require.NoError(t, s.ChangeKey(ctx, old, got))
		require.ErrorIs(t, s.ChangeKey(ctx, old, old), store.ErrNotFound, "who read it before does not undo the change")
		after, err := s.ConfigVersion(ctx)
		require.NoError(t, err)
		assert.Greater(t, after, before, "every process hears of it")
		free, err := s.KeyByID(ctx, k.ID)
		require.NoError(t, err)
		assert.Nil(t, free.Models)
		assert.Nil(t, free.IPs)
		assert.Nil(t, free.Scopes)
		of, err := s.KeysOfApp(ctx, "app")
		require.NoError(t, err)
		require.Len(t, of, 1)
		_, err = s.CreateKey(ctx, store.APIKey{UserID: w.user.ID, Name: "x", Hash: "h2", AppID: "nobody"})
		require.ErrorIs(t, err, store.ErrConflict)
		require.NoError(t, s.RevokeKey(ctx, k.ID))
		require.ErrorIs(t, s.ChangeKey(ctx, got, got), store.ErrNotFound)
		require.ErrorIs(t, s.RotateKey(ctx, got, "h3", "", time.Now()), store.ErrNotFound)
	})
}
