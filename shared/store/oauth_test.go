package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// once runs fn many times at once and says how often it did what it does; every
// other time must be store.ErrNotFound.
func once(t *testing.T, fn func() error) int {
	t.Helper()
	var done atomic.Int64
	var wg sync.WaitGroup
	for range 10 {
		wg.Go(func() {
			err := fn()
			if err == nil {
				done.Add(1)
				return
			}
			assert.ErrorIs(t, err, store.ErrNotFound)
		})
	}
	wg.Wait()
	return int(done.Load())
}

// newConnection makes a connection of a user to a client.
func newConnection(t *testing.T, s *store.Store, u store.User, c store.OAuthClient, name string) store.Connection {
	t.Helper()
	key, err := s.CreateKey(t.Context(), store.APIKey{UserID: u.ID, Name: name, Hash: "hash " + name, Hint: "hint", Scopes: []hub.Scope{hub.ScopeInference}})
	require.NoError(t, err)
	until := time.Now().Add(time.Hour)
	n, err := s.CreateConnection(t.Context(), store.Connection{ID: s.NewID(), UserID: u.ID, ClientID: c.ID, Name: name, KeyID: key.ID, Scopes: key.Scopes,
		Family: "family " + name, Turn: "turn 1", RefreshUntil: &until}, "")
	require.NoError(t, err)
	return n
}

func newClient(t *testing.T, s *store.Store) store.OAuthClient {
	t.Helper()
	c, err := s.CreateOAuthClient(t.Context(), store.OAuthClient{Name: "App", Redirects: []string{"https://a.example/"}, Scopes: []hub.Scope{hub.ScopeInference}, Source: store.ClientOperator})
	require.NoError(t, err)
	return c
}

func TestACodeIsSpentOnceAndAReplayKeepsWhatItGaveFromComingAbout(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		u, c := newMember(t, s, "a@example.com"), newClient(t, s)
		for _, name := range []string{"one", "two", "late"} {
			life := time.Minute
			if name == "late" {
				life = -time.Minute
			}
			require.NoError(t, s.CreateOAuthCode(t.Context(), store.OAuthCode{Hash: name, ClientID: c.ID, UserID: u.ID, Terms: "{}", ExpiresAt: time.Now().Add(life), ConnectionID: s.NewID()}))
		}
		assert.Equal(t, 1, once(t, func() error { return s.UseOAuthCode(context.Background(), "one") }))
		require.ErrorIs(t, s.UseOAuthCode(t.Context(), "late"), store.ErrNotFound)
		require.ErrorIs(t, s.ReplayOAuthCode(t.Context(), "two"), store.ErrNotFound, "it was not used yet")
		require.NoError(t, s.ReplayOAuthCode(t.Context(), "one"))
		key, err := s.CreateKey(t.Context(), store.APIKey{UserID: u.ID, Name: "k", Hash: "h"})
		require.NoError(t, err)
		n := store.Connection{ID: s.NewID(), UserID: u.ID, ClientID: c.ID, Name: "App", KeyID: key.ID, Scopes: []hub.Scope{hub.ScopeInference}}
		_, err = s.CreateConnection(t.Context(), n, "one")
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = s.ConnectionByID(t.Context(), n.ID)
		require.ErrorIs(t, err, store.ErrNotFound)
		_, err = s.CreateConnection(t.Context(), n, "two")
		require.NoError(t, err)
		c, err = s.OAuthClientByID(t.Context(), c.ID)
		require.NoError(t, err)
		assert.NotNil(t, c.UsedAt)
	})
}

func TestARefreshTokenIsUsedOnceByWhoeverIsFirst(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		u, c := newMember(t, s, "a@example.com"), newClient(t, s)
		n := newConnection(t, s, u, c, "one")
		var i atomic.Int64
		next := func(n store.Connection) error {
			text := string(rune('a' + i.Add(1)))
			return s.RefreshConnection(context.Background(), n, store.Refreshed{Turn: "turn " + text, Until: time.Now().Add(time.Hour), KeyHash: "key " + text, KeyHint: text,
				KeyExpires: time.Now().Add(time.Hour), Grace: time.Now().Add(time.Minute)})
		}
		assert.Equal(t, 1, once(t, func() error { return next(n) }))
		key, err := s.KeyByID(t.Context(), n.KeyID)
		require.NoError(t, err)
		assert.Equal(t, []any{int64(2), "hash one"}, []any{key.Serial, key.OldHash})

		n, err = s.ConnectionByFamily(t.Context(), n.Family)
		require.NoError(t, err)
		require.NoError(t, s.SetUserDisabled(t.Context(), u.ID, true))
		require.ErrorIs(t, next(n), store.ErrNotFound, "a disabled user's")
		require.NoError(t, s.SetUserDisabled(t.Context(), u.ID, false))
		require.NoError(t, s.RevokeKey(t.Context(), n.KeyID))
		require.ErrorIs(t, next(n), store.ErrNotFound, "its key was revoked by itself")
		same, err := s.ConnectionByID(t.Context(), n.ID)
		require.NoError(t, err)
		assert.Equal(t, n.Turn, same.Turn, "nothing has changed")
		assert.NotNil(t, same.RevokedAt)
	})
}

func TestAConnectionEndsWithItsKeyAndItsClient(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		u, c, other := newMember(t, s, "a@example.com"), newClient(t, s), newClient(t, s)
		one, two, three := newConnection(t, s, u, c, "one"), newConnection(t, s, u, c, "two"), newConnection(t, s, u, other, "three")
		last, err := s.LastConnection(t.Context(), u.ID, c.ID)
		require.NoError(t, err)
		assert.Equal(t, two.ID, last.ID)
		require.NoError(t, s.RevokeConnection(t.Context(), one.ID))
		require.ErrorIs(t, s.RevokeConnection(t.Context(), "nothing"), store.ErrNotFound)
		ended := func(n store.Connection) bool {
			key, err := s.KeyByID(t.Context(), n.KeyID)
			require.NoError(t, err)
			return key.RevokedAt != nil
		}
		assert.Equal(t, []bool{true, false, false}, []bool{ended(one), ended(two), ended(three)})
		require.NoError(t, s.RemoveOAuthClient(t.Context(), c.ID))
		require.ErrorIs(t, s.RemoveOAuthClient(t.Context(), c.ID), store.ErrNotFound)
		require.ErrorIs(t, s.ChangeOAuthClient(t.Context(), c), store.ErrNotFound)
		assert.Equal(t, []bool{true, true, false}, []bool{ended(one), ended(two), ended(three)})
		all, err := s.Connections(t.Context(), u.ID, one.ID, 10)
		require.NoError(t, err)
		require.Len(t, all, 2)
		assert.Equal(t, "a@example.com", all[0].Email)
		all, err = s.AllConnections(t.Context(), "", 2)
		require.NoError(t, err)
		assert.Len(t, all, 2)
	})
}

func TestAUserHasABoundedNumberOfConnectionsToAClient(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		u, c, other := newMember(t, s, "a@example.com"), newClient(t, s), newClient(t, s)
		first, kept := newConnection(t, s, u, c, "first"), newConnection(t, s, u, other, "kept")
		for i := range 50 {
			newConnection(t, s, u, c, fmt.Sprint(i))
		}
		first, err := s.ConnectionByID(t.Context(), first.ID)
		require.NoError(t, err)
		assert.NotNil(t, first.RevokedAt)
		key, err := s.KeyByID(t.Context(), first.KeyID)
		require.NoError(t, err)
		assert.NotNil(t, key.RevokedAt)
		kept, err = s.ConnectionByID(t.Context(), kept.ID)
		require.NoError(t, err)
		assert.Nil(t, kept.RevokedAt)
		all, err := s.Connections(t.Context(), u.ID, "", 100)
		require.NoError(t, err)
		live := 0
		for _, n := range all {
			if n.RevokedAt == nil {
				live++
			}
		}
		assert.Equal(t, 51, live)
	})
}

func TestADeviceAndACommandLineAreAnsweredOnce(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		require.NoError(t, s.CreateDevice(t.Context(), store.Device{Hash: "d", UserCode: "u", ClientID: "c", Scopes: []hub.Scope{hub.ScopeUsage}, ExpiresAt: time.Now().Add(time.Minute)}, time.Hour))
		_, fast, err := s.PollDevice(t.Context(), "d", time.Second)
		require.NoError(t, err)
		assert.False(t, fast, "the first question is never too early")
		_, fast, err = s.PollDevice(t.Context(), "d", time.Second)
		require.NoError(t, err)
		assert.True(t, fast)
		_, _, err = s.PollDevice(t.Context(), "x", time.Second)
		require.ErrorIs(t, err, store.ErrNotFound)
		require.ErrorIs(t, s.FinishDevice(t.Context(), "d"), store.ErrNotFound, "nobody said yes")
		assert.Equal(t, 1, once(t, func() error { return s.DecideDevice(context.Background(), "d", store.DeviceApproved, "user", "{}") }))
		_, err = s.DeviceByUserCode(t.Context(), "u")
		require.ErrorIs(t, err, store.ErrNotFound)
		assert.Equal(t, 1, once(t, func() error { return s.FinishDevice(context.Background(), "d") }))

		n := store.ConnectSession{Hash: "s", ExpiresAt: time.Now().Add(time.Minute)}
		require.NoError(t, s.CreateConnectSession(t.Context(), n))
		require.ErrorIs(t, s.HandConnectSession(t.Context(), n), store.ErrNotFound, "nobody said yes")
		assert.Equal(t, 1, once(t, func() error { return s.DecideConnectSession(context.Background(), "s", store.ConnectTaken) }))
		n.KeyID, n.Sealed = "key", "sealed"
		require.NoError(t, s.HandConnectSession(t.Context(), n))
		got, err := s.ConnectSessionByHash(t.Context(), "s")
		require.NoError(t, err)
		assert.Equal(t, []string{store.ConnectApproved, "key", "sealed"}, []string{got.State, got.KeyID, got.Sealed})
		assert.Equal(t, 1, once(t, func() error { return s.EndConnectSession(context.Background(), "s") }))
	})
}

func TestClientsThatNobodyUsesGoAfterAMonth(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, s *store.Store) {
		make := func(source string) store.OAuthClient {
			c, err := s.CreateOAuthClient(t.Context(), store.OAuthClient{Name: source, Scopes: []hub.Scope{hub.ScopeInference}, Source: source})
			require.NoError(t, err)
			return c
		}
		registered, old, used := make(store.ClientOperator), make(store.ClientDynamic), make(store.ClientDynamic)
		newConnection(t, s, newMember(t, s, "a@example.com"), used, "one")
		require.NoError(t, s.Tx(t.Context(), func(ctx context.Context, tx *store.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE oauth_clients SET created_at = created_at - ?", (31 * 24 * time.Hour).Milliseconds())
			return err
		}))
		make(store.ClientDynamic)
		for _, c := range []store.OAuthClient{registered, old, used} {
			_, err := s.OAuthClientByID(t.Context(), c.ID)
			assert.Equal(t, c.ID == old.ID, errors.Is(err, store.ErrNotFound), c.Name)
		}
	})
}
