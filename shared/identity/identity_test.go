package identity_test

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func open(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")})
	require.NoError(t, err)
	_, err = s.Migrate(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestASetupTokenMakesOneOwnerOnce(t *testing.T) {
	t.Parallel()
	u := identity.Users{Store: open(t)}
	old, err := u.NewSetupToken(t.Context())
	require.NoError(t, err)
	token, err := u.NewSetupToken(t.Context())
	require.NoError(t, err)

	_, err = u.SetUp(t.Context(), old, "a@example.com", "long enough password")
	assert.Equal(t, hub.CodeForbidden, hub.CodeOf(err), "an older token is void")
	owner, err := u.SetUp(t.Context(), token, "a@example.com", "long enough password")
	require.NoError(t, err)
	assert.Equal(t, hub.RoleOwner, owner.Role)
	_, err = u.SetUp(t.Context(), token, "b@example.com", "long enough password")
	assert.Equal(t, hub.CodeForbidden, hub.CodeOf(err), "a token is used once")
	_, err = u.NewSetupToken(t.Context())
	assert.ErrorIs(t, err, identity.ErrHasOwner)
}

func TestAKeyNamesItsCallerUntilItIsRevoked(t *testing.T) {
	t.Parallel()
	s := open(t)
	u := identity.Users{Store: s}
	user, err := u.Create(t.Context(), "m@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	var version atomic.Int64
	keys := identity.NewKeys(s, time.Now, version.Load, nil)
	key, row, err := keys.Create(t.Context(), store.APIKey{UserID: user.ID, Name: "laptop"})
	require.NoError(t, err)
	assert.Equal(t, "***", key.String())

	for _, header := range []string{"Authorization", "x-api-key", "x-goog-api-key"} {
		r := httptest.NewRequest(http.MethodGet, "/v1/models", nil)
		v := key.Reveal()
		if header == "Authorization" {
			v = "Bearer " + v
		}
		r.Header.Set(header, v)
		r.Header.Set("x-aigne-hub-client-did", " %40aigne%2Fcli:laptop ")
		c, err := keys.Require(r)
		require.NoError(t, err, header)
		assert.Equal(t, user.ID, c.UserID)
		assert.Equal(t, user.AccountID, c.AccountID)
		assert.Equal(t, "@aigne/cli:laptop", c.AppID)
	}
	r := httptest.NewRequest(http.MethodGet, "/v1beta/models?alt=sse&key="+key.Reveal(), nil)
	_, err = keys.Require(r)
	require.NoError(t, err)
	assert.Equal(t, "/v1beta/models?alt=sse", r.RequestURI, "the key leaves the URL")

	require.NoError(t, s.RevokeKey(t.Context(), row.ID))
	version.Add(1)
	r.Header.Set("x-api-key", key.Reveal())
	_, err = keys.Require(r)
	assert.Equal(t, hub.CodeUnauthenticated, hub.CodeOf(err))
}

func TestBadCredentialsAreRefused(t *testing.T) {
	t.Parallel()
	keys := identity.NewKeys(open(t), time.Now, func() int64 { return 0 }, nil)
	for name, headers := range map[string]map[string]string{
		"no key":           {},
		"unknown key":      {"x-api-key": identity.NewKey().Reveal()},
		"foreign key":      {"Authorization": "Bearer sk-other"},
		"basic auth":       {"Authorization": "Basic abc"},
		"two unequal keys": {"x-api-key": "sk-hub-a", "Authorization": "Bearer sk-hub-b"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		for k, v := range headers {
			r.Header.Set(k, v)
		}
		_, err := keys.Require(r)
		assert.Equal(t, hub.CodeUnauthenticated, hub.CodeOf(err), name)
	}
}

func TestPasswordsAreCheckedByTheirHash(t *testing.T) {
	t.Parallel()
	hash, err := identity.HashPassword("correct horse battery")
	require.NoError(t, err)
	assert.True(t, identity.CheckPassword(hash, "correct horse battery"))
	assert.False(t, identity.CheckPassword(hash, "incorrect horse battery"))
	assert.False(t, identity.CheckPassword("", "correct horse battery"))
	_, err = identity.HashPassword("short")
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
}
