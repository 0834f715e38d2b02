package main

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestQuickstartLeadsToTheFirstCall(t *testing.T) {
	t.Parallel()
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Models: []string{"gpt-4.1-nano"}})
	h := newHub(t, "K="+fakeprovider.DefaultKey)
	args := []string{"quickstart", "--kind", "openai", "--base-url", fake.URL + "/v1", "--credential-env", "K"}
	v := decode[quickstartView](h, args...)
	assert.True(t, v.Provider.Created)
	assert.True(t, v.Owner.Created)
	assert.Equal(t, defaultOwner, v.Owner.Email)
	assert.True(t, v.Key.Created)
	assert.Equal(t, "http://127.0.0.1:3030", v.URL)
	assert.Contains(t, v.Curl, "Bearer "+v.Key.Key)

	s := h.serve()
	assert.Empty(t, s.token, "there is an owner")
	body := v.Curl[strings.Index(v.Curl, "-d '")+4 : len(v.Curl)-1]
	status, _, answer, err := s.call(t.Context(), v.Key.Key, body)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status, answer)
	assert.Contains(t, answer, "Hello from gpt-4.1-nano")

	again := decode[quickstartView](h, args...)
	assert.False(t, again.Provider.Created || again.Owner.Created || again.Key.Created, "a repeat makes nothing")
	assert.Equal(t, v.Key.ID, again.Key.ID)
	assert.Empty(t, again.Key.Key)
	assert.Contains(t, h.ok(args...), "aigne-hub key create --user "+defaultOwner)
	assert.Len(t, decode[[]keyView](h, "key", "list"), 1)

	another := decode[quickstartView](h, append(args, "--key-name", "second")...)
	assert.True(t, another.Key.Created, "another name is another key")
	h.ok("key", "revoke", another.Key.ID)
	assert.True(t, decode[quickstartView](h, append(args, "--key-name", "second")...).Key.Created, "a revoked key does not count")
}

func TestQuickstartTakesAVendorsVariable(t *testing.T) {
	t.Parallel()
	h := newHub(t, "ANTHROPIC_API_KEY="+secret, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_PUBLIC_URL=https://hub.example.com/ai")
	out := h.ok("quickstart", "--email", "me@example.com")
	assert.Contains(t, out, "anthropic (anthropic, env): there already")
	assert.Contains(t, out, "me@example.com: made")
	assert.Contains(t, out, "curl https://hub.example.com/ai/v1/chat/completions")
	assert.Contains(t, out, "rate set --provider anthropic", "with billing on, a rate is missing")
	assert.NotContains(t, out, secret)
	assert.Empty(t, decode[[]credentialView](h, "credential", "list"), "the variable's value is not stored")
}

func TestQuickstartSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	h := newHub(t, "K="+secret)
	for _, tt := range []struct {
		name, args, says string
		code             int
	}{
		{"everything", "quickstart", "needs --kind", 2},
		{"a credential", "quickstart --kind openai", "needs a credential", 2},
		{"a known kind", "quickstart --kind x --credential-env K", "no provider kind", 2},
		{"a base URL", "quickstart --kind openai-compatible --credential-env K", "need a base URL", 2},
		{"an address", "quickstart --kind openai --credential-env K --email nobody", "not an e-mail address", 2},
	} {
		o := h.run("", strings.Fields(tt.args)...)
		assert.Equal(t, tt.code, o.code, tt.name)
		assert.Contains(t, o.stderr, tt.says, tt.name)
	}
	h.ok("quickstart", "--kind", "openai", "--credential-env", "K")
	o := h.run("", "quickstart", "--kind", "openai", "--email", "other@example.com")
	assert.Equal(t, 3, o.code)
	o = h.run("", "quickstart", "--kind", "ollama", "--name", "openai")
	assert.Equal(t, 1, o.code, "the name belongs to another kind")

	h.ok("credential", "remove", "--provider", "openai", "--name", "default")
	assert.Equal(t, 1, h.run("", "quickstart", "--kind", "openai").code)
	v := decode[quickstartView](h, "quickstart", "--kind", "openai", "--credential-env", "K")
	assert.False(t, v.Provider.Created)
	assert.Len(t, decode[[]credentialView](h, "credential", "list"), 1, "a provider without one gets its credential")
}
