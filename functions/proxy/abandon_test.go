package proxy_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// panicking is a connection whose writes blow up, as any defect below might.
type panicking struct{ http.ResponseWriter }

func (panicking) Write([]byte) (int, error) { panic(http.ErrAbortHandler) }

func TestADefectOfTheHubLeavesNoHoldBehind(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "3", "15")
	h.grant("10")
	func() {
		defer func() { _ = recover() }()
		r := httptest.NewRequest(http.MethodPost, "/v1/chat/completions", bytes.NewReader(fmt.Appendf(nil, ask, "openai/gpt-fake", true)))
		r.Header.Set("Authorization", "Bearer "+h.key.Reveal())
		proxy.Wire(h.app).ServeHTTP(panicking{httptest.NewRecorder()}, r)
	}()
	assert.Equal(t, hub.StatusFailed, h.lastCall().Status)
	assert.Zero(t, h.account().Held)
}

// TestPingsAndHeadersDoNotMeet is for the race detector: a ping sends the
// header while the answer's own are being set.
func TestPingsAndHeadersDoNotMeet(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.OpenAI)
	a := h.app
	srv := httptest.NewServer(proxy.New(proxy.Deps{Deps: a.HTTP(), Routes: a.Routes, Gate: a.Gate, Upstream: a.Upstream, Halt: a.Halting(),
		Limits: proxy.Limits{Total: time.Minute, Drain: time.Second, Ping: 2 * time.Millisecond}}))
	defer srv.Close()
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			r, err := http.NewRequest(http.MethodPost, srv.URL+"/v1/chat/completions", bytes.NewReader(fmt.Appendf(nil, ask, "openai/gpt-fake", true)))
			if !assert.NoError(t, err) {
				return
			}
			r.Header.Set("Authorization", "Bearer "+h.key.Reveal())
			res, err := http.DefaultClient.Do(r)
			if !assert.NoError(t, err) {
				return
			}
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			assert.NoError(t, err)
			assert.Contains(t, string(body), "[DONE]")
		})
	}
	wg.Wait()
	require.Equal(t, hub.StatusSuccess, h.lastCall().Status)
}
