package identity_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// clock is a time that tests move.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

func keyWorld(t *testing.T) (*store.Store, store.User, *identity.Keys, *clock) {
	t.Helper()
	s := open(t)
	user, err := (&identity.Users{Store: s}).Create(t.Context(), "m@example.com", hub.RoleAdmin, "")
	require.NoError(t, err)
	c := &clock{at: time.Now()}
	return s, user, identity.NewKeys(s, c.now, func() int64 { return 1 }, nil), c
}

func TestASecretEndsWithItsGraceAlsoWhereItIsRemembered(t *testing.T) {
	t.Parallel()
	s, user, keys, c := keyWorld(t)
	ctx := t.Context()
	old, row, err := keys.Create(ctx, store.APIKey{UserID: user.ID, Name: "k"})
	require.NoError(t, err)
	_, _, err = keys.Rotate(ctx, row, -time.Second)
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
	_, _, err = keys.Rotate(ctx, row, identity.MaxGrace+1)
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
	next, row, err := keys.Rotate(ctx, row, 10*time.Second)
	require.NoError(t, err)
	assert.NotEqual(t, old, next)
	for key, serial := range map[hub.Secret]int64{old: 1, next: 2} {
		got, err := keys.Caller(ctx, key)
		require.NoError(t, err)
		assert.Equal(t, row.ID, got.KeyID)
		assert.Equal(t, serial, got.KeySerial)
	}
	c.at = c.at.Add(11 * time.Second) // the cache keeps them for longer
	_, err = keys.Caller(ctx, old)
	assert.Equal(t, hub.CodeUnauthenticated, hub.CodeOf(err))
	_, err = identity.NewKeys(s, c.now, func() int64 { return 1 }, nil).Caller(ctx, old)
	assert.Equal(t, hub.CodeUnauthenticated, hub.CodeOf(err), "nor where it is not")
	_, err = keys.Caller(ctx, next)
	assert.NoError(t, err)
}

func TestAKeysEndIsTheEarlierOfItsOwnAndTheGraces(t *testing.T) {
	t.Parallel()
	_, user, keys, c := keyWorld(t)
	ctx := t.Context()
	end := c.at.Add(5 * time.Second)
	old, row, err := keys.Create(ctx, store.APIKey{UserID: user.ID, Name: "k", ExpiresAt: &end})
	require.NoError(t, err)
	_, _, err = keys.Rotate(ctx, row, time.Hour)
	require.NoError(t, err)
	_, err = keys.Caller(ctx, old)
	require.NoError(t, err)
	c.at = c.at.Add(6 * time.Second)
	_, err = keys.Caller(ctx, old)
	assert.Equal(t, hub.CodeUnauthenticated, hub.CodeOf(err))
}

func TestAddressesHaveOneForm(t *testing.T) {
	t.Parallel()
	_, user, keys, _ := keyWorld(t)
	row := store.APIKey{UserID: user.ID, Name: "k", IPs: []string{" 192.0.2.7 ", "10.1.2.3/8", "10.0.0.0/8", "2001:db8::5/32", "::ffff:198.51.100.4"}}
	require.NoError(t, keys.Check(&row))
	assert.Equal(t, []string{"192.0.2.7/32", "10.0.0.0/8", "2001:db8::/32", "198.51.100.4/32"}, row.IPs)
	key, _, err := keys.Create(t.Context(), row)
	require.NoError(t, err)
	for from, want := range map[string]hub.Code{"192.0.2.7": "", "10.255.0.1": "", "2001:db8:1::1": "", "192.0.2.8": hub.CodeForbidden, "2001:db9::": hub.CodeForbidden} {
		_, err := keys.CallerFrom(t.Context(), key, netip.MustParseAddr(from))
		assert.Equal(t, want, hub.CodeOf(err), from)
	}
}

func TestUseIsNotedRarely(t *testing.T) {
	t.Parallel()
	s, user, keys, c := keyWorld(t)
	ctx := t.Context()
	key, row, err := keys.Create(ctx, store.APIKey{UserID: user.ID, Name: "k"})
	require.NoError(t, err)
	used := func() *time.Time {
		k, err := s.KeyByID(ctx, row.ID)
		require.NoError(t, err)
		return k.LastUsedAt
	}
	require.Nil(t, used())
	_, err = keys.Caller(ctx, key)
	require.NoError(t, err)
	require.Eventually(t, func() bool { return used() != nil }, 5*time.Second, 5*time.Millisecond)
	first := *used()
	c.at = c.at.Add(time.Minute) // the key is read again, but the note is young
	_, err = keys.Caller(ctx, key)
	require.NoError(t, err)
	time.Sleep(50 * time.Millisecond)
	assert.Equal(t, first, *used())
	c.at = c.at.Add(5 * time.Minute)
	_, err = keys.Caller(ctx, key)
	require.NoError(t, err)
	assert.Eventually(t, func() bool { return used().After(first) }, 5*time.Second, 5*time.Millisecond)
}

func TestScopesComeWithTheCaller(t *testing.T) {
	t.Parallel()
	_, user, keys, _ := keyWorld(t)
	key, _, err := keys.Create(t.Context(), store.APIKey{UserID: user.ID, Name: "k", Scopes: []hub.Scope{hub.ScopeUsage, hub.ScopeBilling}, Models: []string{"a/*"}})
	require.NoError(t, err)
	c, err := keys.Caller(t.Context(), key)
	require.NoError(t, err)
	assert.Equal(t, []hub.Scope{hub.ScopeUsage, hub.ScopeBilling}, c.Scopes)
	assert.Equal(t, []string{"a/*"}, c.Models)
	assert.Equal(t, hub.RoleAdmin, c.Role)
	for _, bad := range [][]hub.Scope{{}, {"all"}, {hub.ScopeUsage, hub.ScopeUsage}} {
		assert.Error(t, keys.Check(&store.APIKey{Name: "k", Scopes: bad}))
	}
	assert.Error(t, keys.Check(&store.APIKey{Name: "k", AppID: "a"}), "a service key is for inference alone")
}
