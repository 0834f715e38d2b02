package proxy_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestALockedDatabaseRefusesCallsAndRecoversByItself(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "3", "15")
	h.grant("10")
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	require.Equal(t, http.StatusOK, res.StatusCode, body)

	other, err := store.Open(t.Context(), store.Options{URL: h.app.Config.Database})
	require.NoError(t, err)
	defer other.Close()
	locked, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- other.Tx(context.Background(), func(context.Context, *store.Tx) error {
			close(locked)
			<-release
			return nil
		})
	}()
	<-locked
	res, body = h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	assert.Equal(t, http.StatusServiceUnavailable, res.StatusCode, body)
	assert.NotEmpty(t, res.Header.Get("retry-after"))
	assert.Len(t, fake.Requests(), 1, "nothing is served unrecorded")
	close(release)
	require.NoError(t, <-done)
	require.Eventually(t, func() bool {
		res, _ := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
		return res.StatusCode == http.StatusOK
	}, 20*time.Second, 10*time.Millisecond)
	require.Eventually(t, func() bool { return h.account().Held == 0 }, 20*time.Second, 10*time.Millisecond)
}

func TestAStreamThatComesByteByByteArrivesAsItWasSent(t *testing.T) {
	t.Parallel()
	const stream = ": comment\n\ndata: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"grüß \\\"usage\\\" dich\"},\"finish_reason\":null}],\"odd\":1e2}\r\n\r\n" +
		"data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n"
	const usage = "data: {\"id\":\"x\",\"choices\":[],\"usage\":{\"prompt_tokens\":7,\"completion_tokens\":3,\"total_tokens\":10}}\n\n"
	const end = "data: [DONE]\n\n"
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, b := range []byte(stream + usage + end) {
			_, _ = w.Write([]byte{b})
			_ = http.NewResponseController(w).Flush()
		}
	}))
	defer provider.Close()
	h := start(t, nil)
	h.add("openai-compatible", "lab", provider.URL, "sk-any")
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "lab/m", true))
	require.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, stream+end, body, "unchanged, but for the usage frame that nobody asked for")
	c := h.lastCall()
	assert.Equal(t, hub.Usage{hub.Input: 7, hub.Output: 3}, c.Usage)

	_, body = h.send("/v1/chat/completions", strings.Replace(fmt.Sprintf(ask, "lab/m", true), `"stream":true`, `"stream":true,"stream_options":{"include_usage":true}`, 1))
	assert.Equal(t, stream+usage+end, body)
}
