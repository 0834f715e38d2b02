package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheCommandLineLetsPeopleInAndOut(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_PUBLIC_URL=https://hub.example.com/ai")
	h.ok("user", "create", "boss@example.com", "--role", "owner")
	n := decode[invitationView](h, "user", "invite", "ann@example.com", "--role", "member", "--groups", "team")
	assert.Regexp(t, `^https://hub\.example\.com/ai/sign-in#invitation=[A-Za-z0-9_-]{43}$`, n.Link)
	assert.Equal(t, []string{"team"}, n.Groups)
	list := decode[[]invitationView](h, "user", "invitations")
	require.Len(t, list, 1)
	assert.Empty(t, list[0].Link, "a link is shown once")
	h.ok("user", "revoke-invitation", n.ID)
	assert.Equal(t, 3, h.run("", "user", "revoke-invitation", n.ID).code)
	assert.Equal(t, 2, h.run("", "user", "invite", "ann", "--role", "member").code)

	h.ok("user", "create", "ann@example.com", "--role", "member")
	assert.Equal(t, 1, h.run("", "user", "invite", "ann@example.com", "--role", "member").code, "there is such a user")
	assert.NotNil(t, decode[userView](h, "user", "disable", "ann@example.com").DisabledAt)
	assert.Nil(t, decode[userView](h, "user", "enable", "ann@example.com").DisabledAt)
	assert.EqualValues(t, "guest", decode[userView](h, "user", "set-role", "ann@example.com", "--role", "guest").Role)
	assert.Equal(t, 1, h.run("", "user", "disable", "boss@example.com").code, "the last owner stays")
	assert.Equal(t, 1, h.run("", "user", "set-role", "boss@example.com", "--role", "member").code)
	assert.Equal(t, 3, h.run("", "user", "disable", "nobody@example.com").code)
	assert.Regexp(t, `#reset=`, h.ok("user", "reset-link", "ann@example.com"))
	assert.Empty(t, decode[[]sessionView](h, "user", "sessions", "ann@example.com"))
	h.ok("user", "sign-out", "ann@example.com")
	assert.Equal(t, 3, h.run("", "user", "remove-second-factor", "ann@example.com").code)
}
