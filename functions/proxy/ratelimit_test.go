package proxy_test

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
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

func TestARefusedCallerIsToldTheLimitToo(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	h.limit("key", "*", "requests", "hour", "1")
	before, err := h.app.Store.Calls(t.Context(), store.CallFilter{})
	require.NoError(t, err)
	require.Empty(t, before)
	h.send("/v1/chat/completions", hi)
	for range 3 { // asked of the database, then known
		res, _ := h.send("/v1/chat/completions", hi)
		require.Equal(t, http.StatusTooManyRequests, res.StatusCode)
		assert.Equal(t, "1", res.Header.Get("x-ratelimit-limit-requests"))
		assert.Equal(t, "0", res.Header.Get("x-ratelimit-remaining-requests"))
		assert.NotEmpty(t, res.Header.Get("x-ratelimit-reset-requests"))
		assert.NotEmpty(t, res.Header.Get("Retry-After"))
	}
	assert.Len(t, fake.Requests(), 1)
	calls, err := h.app.Store.Calls(t.Context(), store.CallFilter{})
	require.NoError(t, err)
	assert.Len(t, calls, 1, "a refused request is no call")
	assert.Contains(t, h.logs.String(), "1 requests a hour", "but it is in the log")
}

func TestLimitsBindAliasesWhateverTheirSpelling(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	h.alias("Smart", routing.Rule{Steps: []routing.Step{step("openai/gpt-fake")}})
	h.limit("model", "smart", "requests", "day", "2")
	passed := 0
	for _, name := range []string{"smart", "SMART", "aignehub/smart", "Smart"} {
		res, _ := h.send("/v1/chat/completions", strings.Replace(hi, "openai/gpt-fake", name, 1))
		if res.StatusCode == http.StatusOK {
			passed++
		}
	}
	assert.Equal(t, 2, passed)
	res, _ := h.send("/v1/chat/completions", hi)
	assert.Equal(t, http.StatusOK, res.StatusCode, "the model itself has no limit")
	assert.Len(t, fake.Requests(), 3)
}

func TestLimitsBindWorkBesideChat(t *testing.T) {
	t.Parallel()
	const embed = `{"model":"openai/text-embedding-fake","input":"hello world"}`
	for name, c := range map[string]struct{ scope, metric, period, amount, says string }{
		"requests of a key":    {"key", "requests", "day", "2", "requests"},
		"tokens of a user":     {"user", "tokens", "day", "40", "tokens"},
		"a user's budget":      {"user", "credits", "month", "0.05", "budget"},
		"requests of an app":   {"app", "requests", "day", "2", "requests"},
		"tokens of a model":    {"model", "tokens", "day", "40", "tokens"},
		"calls at once, of no": {"key", "concurrency", "", "0", "at once"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
			fake := h.provider(fakeprovider.OpenAI)
			h.rate("openai", "text-embedding-fake", "1000", "0", func(n *operator.NewRate) {
				n.Type, n.Prices = hub.TypeEmbedding, map[hub.Bucket]string{hub.Input: "1000"}
			})
			h.grant("100")
			h.limit(c.scope, "*", c.metric, c.period, c.amount)
			var last string
			for range 50 {
				res, body := h.send("/v1/embeddings", embed, "x-aigne-hub-client-did", "app-1")
				if last = body; res.StatusCode != http.StatusOK {
					require.Equal(t, http.StatusTooManyRequests, res.StatusCode, body)
					break
				}
			}
			assert.Contains(t, last, c.says)
			assert.Less(t, len(fake.Requests()), 50)
			if c.amount == "2" {
				assert.Len(t, fake.Requests(), 2)
			}
			if c.scope == "app" {
				res, _ := h.send("/v1/embeddings", embed, "x-aigne-hub-client-did", "app-2")
				assert.Equal(t, http.StatusOK, res.StatusCode, "each app by itself")
			}
		})
	}
}
