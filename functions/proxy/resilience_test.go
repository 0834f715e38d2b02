package proxy_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// startsOnly is a provider whose streams begin and then go wrong.
func startsOnly(t *testing.T, end func(w http.ResponseWriter, r *http.Request)) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, ": hello\n\ndata: {\"id\":\"x\",\"object\":\"chat.completion.chunk\",\"model\":\"gpt-fake\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"},\"finish_reason\":null}]}\n\n")
		_ = http.NewResponseController(w).Flush()
		end(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL + "/v1"
}

func TestAStreamThatGoesWrongAfterItsStartFramesIsAskedForElsewhere(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(w http.ResponseWriter, r *http.Request){
		"cut":   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"ended": func(http.ResponseWriter, *http.Request) {},
		"error": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\",\"code\":503}}\n\n")
		},
		"stalls": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_TIMEOUT_FIRST_BYTE": "300ms"})
			h.add("openai", "openai", startsOnly(t, end), fakeprovider.DefaultKey)
			spare := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
			h.add("openai", "spare", spare.URL+"/v1", fakeprovider.DefaultKey)
			h.rate("openai", "gpt-fake", "3", "15")
			h.rate("spare", "gpt-fake", "3", "15")
			began := time.Now()
			res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "gpt-fake", true))
			require.Equal(t, 200, res.StatusCode, body)
			assert.Equal(t, "spare", res.Header.Get("x-aigne-hub-provider"))
			assert.Contains(t, body, "[DONE]")
			assert.NotContains(t, body, `"id":"x"`, "the failed attempt's start frames stay behind")
			assert.Less(t, time.Since(began), 5*time.Second)
			assert.Equal(t, 2, h.lastCall().Attempts)
		})
	}
}

func TestAHedgedCallRecordsWhatItsLoserCost(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_HEDGE": "50ms", "AIGNE_HUB_BILLING": "on"})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		<-r.Context().Done()
	}))
	t.Cleanup(slow.Close)
	h.add("openai", "openai", slow.URL+"/v1", fakeprovider.DefaultKey)
	spare := fakeprovider.Start(t, fakeprovider.Anthropic, fakeprovider.Options{}) // in the other lane
	h.add("anthropic", "spare", spare.URL+"/v1", fakeprovider.DefaultKey)
	cost := func(n *operator.NewRate) { n.Costs = map[hub.Bucket]string{hub.Input: "2", hub.Output: "8"} }
	h.rate("openai", "claude-fake", "3", "15", cost)
	h.rate("spare", "claude-fake", "3", "15", cost)
	h.grant("10")
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "claude-fake", false))
	require.Equal(t, 200, res.StatusCode, body)
	assert.Equal(t, "spare", res.Header.Get("x-aigne-hub-provider"))
	tries, err := h.app.Store.CallAttempts(t.Context(), h.lastCall().ID)
	require.NoError(t, err)
	require.Len(t, tries, 1)
	assert.Equal(t, "given_up", tries[0].Category)
	require.NotNil(t, tries[0].Cost)
	assert.Positive(t, int64(*tries[0].Cost))
}

func TestARefusedCredentialIsDisabledAndReturnsByItself(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	fake.Script("gpt-fake", fakeprovider.Answer{Status: 401})
	res, _ := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	require.Equal(t, 502, res.StatusCode)
	active := func() (bool, string) {
		all, err := h.app.Store.Credentials(t.Context())
		require.NoError(t, err)
		return all[0].Active, all[0].Error
	}
	on, why := active()
	assert.False(t, on)
	assert.Equal(t, "The provider refuses the credential (HTTP 401).", why)
	told, err := h.app.Store.Notifications(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, told, 1)
	assert.Equal(t, "credential.disabled", told[0].Kind)

	require.Eventually(t, func() bool {
		require.NoError(t, h.app.Keeper.Recheck(t.Context()))
		on, _ := active()
		return on
	}, 15*time.Second, 500*time.Millisecond)
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	assert.Equal(t, 200, res.StatusCode, body)
}

func TestEqualPromptCacheKeysGoToEqualCredentials(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Keys: []string{"sk-a", "sk-b"}})
	h.add("openai", "openai", fake.URL+"/v1", "sk-a")
	_, err := h.app.Desk.AddCredential(t.Context(), "test", "openai", "other", 100, "sk-b")
	require.NoError(t, err)
	require.NoError(t, h.app.Reload(t.Context()))
	homes := map[string]bool{}
	for range 4 { // what says nothing of a cache is spread
		_, _ = h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
		homes[fake.Last().Header.Get("Authorization")] = true
	}
	assert.Len(t, homes, 2)
	clear(homes)
	for i := range 8 {
		body := strings.Replace(fmt.Sprintf(ask, "openai/gpt-fake", false), "{", fmt.Sprintf(`{"prompt_cache_key":"conversation %d",`, i), 1)
		seen := map[string]bool{}
		for range 3 {
			res, text := h.send("/v1/chat/completions", body)
			require.Equal(t, 200, res.StatusCode, text)
			seen[fake.Last().Header.Get("Authorization")] = true
			homes[fake.Last().Header.Get("Authorization")] = true
		}
		assert.Len(t, seen, 1)
	}
	assert.Len(t, homes, 2)
}
