package main

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

func TestKeysAreRestrictedShownChangedAndRotated(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.ok("user", "create", "--email", "ann@example.com", "--role", "member")
	made := decode[newKeyView](h, "key", "create", "--user", "ann@example.com", "--name", "ci", "--models", "openai/*, fast", "--ips", "192.0.2.7",
		"--scopes", "inference,usage", "--rpm", "60", "--budget-day", "1.5", "--budget-week", "5")
	show := func() operator.KeyDetail { return decode[operator.KeyDetail](h, "key", "show", made.ID) }
	v := show()
	assert.Equal(t, []string{"openai/*", "fast"}, v.Models)
	assert.Equal(t, []string{"192.0.2.7/32"}, v.IPs)
	assert.Equal(t, []hub.Scope{hub.ScopeInference, hub.ScopeUsage}, v.Scopes)
	assert.Len(t, v.Limits, 3)
	text := h.ok("key", "show", made.ID)
	assert.Contains(t, text, "models openai/*,fast; ips 192.0.2.7/32; scopes inference,usage")
	assert.Contains(t, text, "1.5 credits a day, 0 used")
	assert.NotContains(t, text, made.Key)

	h.ok("key", "edit", made.ID, "--models", "none", "--ips", "none", "--scopes", "none", "--rpm", "none", "--budget-day", "none", "--budget-week", "7", "--name", "build", "--expires", "24h")
	v = show()
	assert.Equal(t, "build", v.Name)
	assert.Nil(t, v.Models)
	assert.Nil(t, v.IPs)
	assert.Nil(t, v.Scopes)
	require.Len(t, v.Limits, 1)
	assert.Equal(t, "7", v.Limits[0].Amount)
	require.NotNil(t, v.ExpiresAt)
	h.ok("key", "edit", made.ID, "--expires", "never")
	assert.Nil(t, show().ExpiresAt)

	next := strings.TrimSpace(h.ok("key", "rotate", made.ID, "--grace", "24h"))
	assert.True(t, strings.HasPrefix(next, "sk-hub-"))
	assert.NotEqual(t, made.Key, next)
	v = show()
	require.NotNil(t, v.Old)
	assert.WithinDuration(t, time.Now().Add(24*time.Hour), v.Old.Until, time.Minute)
	assert.True(t, strings.HasSuffix(made.Key, v.Old.Hint))
	h.ok("key", "rotate", made.ID)
	assert.Nil(t, show().Old, "without a grace nothing stays good")

	for _, bad := range [][]string{
		{"key", "create", "--user", "ann@example.com", "--name", "x", "--scopes", "all"},
		{"key", "create", "--user", "ann@example.com", "--name", "x", "--models", ""},
		{"key", "edit", made.ID, "--ips", "intranet"}, {"key", "edit", made.ID, "--rpm", "many"}, {"key", "rotate", made.ID, "--grace", "soon"},
		{"key", "rotate", made.ID, "--grace", "9999h"}, {"key", "show", made.ID, "--days", "32"},
	} {
		h.fails(2, bad...)
	}
	h.fails(3, "key", "show", "none")
	h.fails(3, "key", "rotate", "none")
	h.fails(3, "key", "create", "--user", "ann@example.com", "--name", "x", "--app", "nobody")
}

func TestApplicationsAreNamedAndHaveServiceKeys(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	const id = "zNKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b48"
	h.ok("user", "create", "--email", "ann@example.com", "--role", "member")
	assert.Contains(t, h.ok("app", "set", id, "--name", "Shop", "--url", "https://shop.example.com"), "is called Shop")
	made := decode[newKeyView](h, "key", "create", "--user", "ann@example.com", "--name", "svc", "--app", id)
	v := decode[operator.KeyDetail](h, "key", "show", made.ID)
	assert.Equal(t, id, v.App)
	assert.Equal(t, []hub.Scope{hub.ScopeInference}, v.Scopes)
	all := decode[[]listedApp](h, "app", "list")
	require.Len(t, all, 1)
	assert.Equal(t, "Shop", all[0].Name)
	assert.Contains(t, h.ok("app", "list"), "https://shop.example.com")
	h.fails(2, "app", "set", id, "--logo", "javascript:alert(1)")
	h.fails(2, "app", "set", id, "--public-key", "00")
	h.fails(2, "key", "create", "--user", "ann@example.com", "--name", "x", "--app", id, "--scopes", "admin")
}

// fails carries out a command that must end with an exit code.
func (h *testHub) fails(code int, args ...string) {
	h.t.Helper()
	o := h.run("", args...)
	assert.Equal(h.t, code, o.code, "%v: %s%s", args, o.stdout, o.stderr)
}
