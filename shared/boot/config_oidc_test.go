package boot_test

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
)

func TestIdentityProvidersAreSetUpWhollyOrNotAtAll(t *testing.T) {
	t.Parallel()
	const issuer, more, at = "AIGNE_HUB_OIDC_ISSUER", "AIGNE_HUB_OIDC_MORE", "AIGNE_HUB_PUBLIC_URL"
	whole := map[string]string{
		at: "https://x.test", issuer: "https://login.test", "AIGNE_HUB_OIDC_CLIENT_ID": "hub", "AIGNE_HUB_OIDC_CLIENT_SECRET": "s", "AIGNE_HUB_OIDC_LABEL": "Login",
		"AIGNE_HUB_OIDC_SCOPES": "openid groups", "AIGNE_HUB_OIDC_GROUPS_CLAIM": "roles", "AIGNE_HUB_OIDC_ROLE_MAP": "a=b=admin, *=member",
		"AIGNE_HUB_OIDC_ALLOWED_DOMAINS": "X.test, @y.test", "AIGNE_HUB_OIDC_PROVISION": "on", "AIGNE_HUB_OIDC_TRUST_EMAIL": "on",
		more: `[{"name":"corp","issuer":"http://127.0.0.1:9","client_id":"h"}]`,
	}
	c, err := load(whole, nil)
	require.NoError(t, err)
	assert.Equal(t, []identity.Provider{
		{Name: "sso", Label: "Login", Issuer: "https://login.test", ClientID: "hub", ClientSecret: "s", Scopes: []string{"openid", "groups"}, GroupsClaim: "roles",
			Roles: []identity.RoleRule{{Group: "a=b", Role: hub.RoleAdmin}, {Group: "*", Role: hub.RoleMember}}, Domains: []string{"x.test", "y.test"}, Provision: true, TrustEmail: true},
		{Name: "corp", Label: "corp", Issuer: "http://127.0.0.1:9", ClientID: "h", Scopes: []string{"openid", "email", "profile"}, GroupsClaim: "groups"},
	}, c.Door.Providers)
	for name, c := range map[string]struct{ change, blamed, value string }{
		"nowhere to come back to":        {at, issuer, ""},
		"no client":                      {"AIGNE_HUB_OIDC_CLIENT_ID", issuer, ""},
		"a client without a provider":    {issuer, issuer, ""},
		"a name with a slash":            {"AIGNE_HUB_OIDC_NAME", issuer, "a/b"},
		"no openid":                      {"AIGNE_HUB_OIDC_SCOPES", issuer, "email"},
		"a role that is none":            {"AIGNE_HUB_OIDC_ROLE_MAP", issuer, "a=king"},
		"a rule that is none":            {"AIGNE_HUB_OIDC_ROLE_MAP", issuer, "admins"},
		"plain HTTP across the network":  {issuer, issuer, "http://login.test"},
		"a password in the issuer":       {issuer, issuer, "https://me:hush@login.test"},
		"two providers of one name":      {more, more, `[{"name":"sso","issuer":"https://other.test","client_id":"h"}]`},
		"two providers with one issuer":  {more, more, `[{"name":"two","issuer":"https://login.test","client_id":"h"}]`},
		"a further one without a client": {more, more, `[{"name":"two","issuer":"https://two.test"}]`},
	} {
		set := maps.Clone(whole)
		set[c.change] = c.value
		_, err := load(set, nil)
		require.Error(t, err, name)
		assert.Equal(t, c.blamed, hub.AsError(err).Param, name)
		assert.NotContains(t, err.Error(), "hush", name)
	}
}
