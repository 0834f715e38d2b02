package proxy_test

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func (h *testHub) limit(scope, subject, metric, period, amount string) {
	h.t.Helper()
	_, err := h.app.Desk.SetLimit(h.t.Context(), "test", operator.NewLimit{Scope: scope, Subject: subject, Metric: metric, Period: period, Amount: amount})
	require.NoError(h.t, err)
	require.NoError(h.t, h.app.Reload(h.t.Context()))
}

const hi = `{"model":"openai/gpt-fake","messages":[{"role":"user","content":"Hi"}]}`

func TestALimitOfRequestsIsHeldToTheLastOne(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	h.limit("user", h.email, "requests", "day", "5")
	var passed, limited atomic.Int64
	var all sync.WaitGroup
	for range 30 {
		all.Go(func() {
			switch status, _ := h.insist("/v1/chat/completions", hi); status {
			case http.StatusOK:
				passed.Add(1)
			case http.StatusTooManyRequests:
				limited.Add(1)
			}
		})
	}
	all.Wait()
	assert.EqualValues(t, 5, passed.Load())
	assert.EqualValues(t, 25, limited.Load())
	assert.Len(t, fake.Requests(), 5)
	res, body := h.send("/v1/chat/completions", hi)
	assert.Equal(t, http.StatusTooManyRequests, res.StatusCode)
	assert.NotEmpty(t, res.Header.Get("Retry-After"))
	assert.Contains(t, body, "5 requests a day")
	assert.Contains(t, body, "rate_limit_exceeded")
}

func TestCallersAreToldWhatIsLeft(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.OpenAI)
	h.limit("key", "*", "requests", "hour", "10")
	h.limit("model", "openai/gpt-fake", "tokens", "day", "100000")
	h.limit("model", "openai/other", "requests", "minute", "1")
	res, _ := h.send("/v1/chat/completions", hi)
	require.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, "10", res.Header.Get("x-ratelimit-limit-requests"))
	assert.Equal(t, "9", res.Header.Get("x-ratelimit-remaining-requests"))
	assert.NotEmpty(t, res.Header.Get("x-ratelimit-reset-requests"))
	assert.Equal(t, "100000", res.Header.Get("x-ratelimit-limit-tokens"))
}

func TestABudgetLowersAnswersBeforeItRefusesThem(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "0", "1000") // 0.001 a token
	h.grant("100")
	h.limit("user", h.email, "credits", "month", "1")
	res, _ := h.send("/v1/chat/completions", hi)
	require.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, "1000", res.Header.Get("x-aigne-hub-output-limit"), "what the budget covers")
	for range 200 {
		if res, _ = h.send("/v1/chat/completions", hi); res.StatusCode != http.StatusOK {
			break
		}
	}
	res, body := h.send("/v1/chat/completions", hi)
	assert.Equal(t, http.StatusTooManyRequests, res.StatusCode)
	assert.Contains(t, body, "budget")
	assert.LessOrEqual(t, int64(99e9), int64(h.account().Balance), "never more than the budget was spent")
}

func TestCallsAtOnceAreLimited(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	h.limit("key", "*", "concurrency", "", "2")
	gate := fakeprovider.NewGate()
	fake.Always("gpt-fake", fakeprovider.Answer{Text: "slow", Middle: gate})
	var all sync.WaitGroup
	for range 2 {
		all.Go(func() { status, _ := h.insist("/v1/chat/completions", hi); assert.Equal(t, 200, status) })
	}
	require.Eventually(t, func() bool { return fake.InFlight() == 2 }, 10*time.Second, 10*time.Millisecond)
	res, body := h.send("/v1/chat/completions", hi)
	assert.Equal(t, http.StatusTooManyRequests, res.StatusCode)
	assert.Contains(t, body, "2 calls at once")
	gate.Release()
	all.Wait()
	fake.Reset()
	res, _ = h.send("/v1/chat/completions", hi)
	assert.Equal(t, http.StatusOK, res.StatusCode)
}
