package blocklet_test

import (
	"crypto/ed25519"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
)

func TestDIDsAreReadAndNameTheirDomains(t *testing.T) {
	t.Parallel()
	// The pair was seen on a running Blocklet Server.
	did, ok := blocklet.ParseDID("zNKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b48")
	require.True(t, ok)
	assert.Equal(t, "bbqaquwn7yijt5oye4kjdgi2ha3qkcns3m42g5ulhxu", did.Domain())
	with, ok := blocklet.ParseDID("did:abt:zNKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b48")
	assert.True(t, ok)
	assert.Equal(t, did, with)
	for _, bad := range []string{"", "z", "zNKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b49", "NKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b48", "zNKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b4", "z0OIl", "example.com"} {
		_, ok := blocklet.ParseDID(bad)
		assert.False(t, ok, bad)
	}
}

func TestADIDBelongsToOneKey(t *testing.T) {
	t.Parallel()
	mine := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize)).Public().(ed25519.PublicKey)
	other := ed25519.NewKeyFromSeed([]byte("another seed of thirty-two bytes")).Public().(ed25519.PublicKey)
	for _, role := range []blocklet.Role{blocklet.RoleAccount, blocklet.RoleApplication} {
		did, ok := blocklet.ParseDID(blocklet.Address(mine, role))
		require.True(t, ok)
		assert.True(t, did.Of(mine))
		assert.False(t, did.Of(other))
	}
}
