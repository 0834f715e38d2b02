package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/operator"
)

func TestOAuthClientsFromRegistrationToRemoval(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	made := decode[madeClient](h, "oauth-client", "create", "Paint Shop", "--redirects", "https://app.example.com/done,http://127.0.0.1/done", "--scopes", "inference,usage")
	assert.Regexp(t, `^sec-hub-[A-Za-z0-9_-]{43}$`, made.Secret)
	assert.True(t, made.Confidential)
	assert.Equal(t, "cli", made.Actor)
	out := h.ok("oauth-client", "create", "--name", "Editor", "--public", "--device")
	assert.Regexp(t, `^client_id [0-9A-Z]{26}\n$`, out, "a public client has no secret")
	list := decode[[]operator.ClientView](h, "oauth-client", "list")
	require.Len(t, list, 2)
	assert.Equal(t, []string{"https://app.example.com/done", "http://127.0.0.1/done"}, list[0].Redirects)
	assert.NotContains(t, h.ok("oauth-client", "list", "--json"), made.Secret)

	changed := decode[operator.ClientView](h, "oauth-client", "edit", made.ID, "--name", "Paint Shop 2", "--device")
	assert.Equal(t, []any{"Paint Shop 2", true, 2}, []any{changed.Name, changed.Device, len(changed.Redirects)}, "what is not named stays")
	next := strings.TrimSpace(h.ok("oauth-client", "rotate-secret", made.ID))
	assert.Regexp(t, `^sec-hub-`, next)
	assert.NotEqual(t, made.Secret, next)
	assert.Equal(t, exitFailed, h.run("", "oauth-client", "rotate-secret", list[1].ID).code, "a public client has none")
	h.ok("oauth-client", "remove", made.ID)
	assert.Equal(t, exitNotFound, h.run("", "oauth-client", "remove", made.ID).code)
	assert.Equal(t, exitUsage, h.run("", "oauth-client", "create", "X", "--redirects", "http://evil.example/").code)
	assert.Equal(t, exitUsage, h.run("", "oauth-client", "create", "X").code, "neither an address nor the device flow")
	assert.Equal(t, "[]\n", h.ok("connection", "list", "--json"))
	assert.Equal(t, exitNotFound, h.run("", "connection", "revoke", "nothing").code)
	assert.Equal(t, exitNotFound, h.run("", "connection", "list", "--user", "nobody@example.com").code)
}
