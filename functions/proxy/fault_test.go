package proxy_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

const ask = `{"model":%q,"stream":%t,"messages":[{"role":"user","content":"hi"}]}`

func TestFailuresBeforeTheFirstByteGoToTheNextKeyThenTheNextProvider(t *testing.T) {
	t.Parallel()
	for name, bad := range map[string]fakeprovider.Answer{
		"408":            {Status: 408},
		"409":            {Status: 409},
		"429":            {Status: 429, Header: http.Header{"Retry-After": {"7"}}},
		"500":            {Status: 500},
		"503":            {Status: 503},
		"401":            {Status: 401},
		"402":            {Status: 402},
		"torn":           {Break: fakeprovider.Refuse},
		"quota":          {Status: 429, Body: `{"error":{"message":"You exceeded your current quota","type":"insufficient_quota","code":"insufficient_quota"}}`},
		"error in front": {Break: fakeprovider.ErrorFrame, Frames: 1},
	} {
		for _, stream := range []bool{false, true} {
			if name == "error in front" {
				continue // the fake's error frame comes after content
			}
			t.Run(fmt.Sprintf("%s stream=%t", name, stream), func(t *testing.T) {
				t.Parallel()
				h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
				first := h.provider(fakeprovider.OpenAI)
				_, err := h.app.Desk.AddCredential(t.Context(), "test", "openai", "second", 1, fakeprovider.DefaultKey)
				require.NoError(t, err)
				second := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
				h.add("openai", "spare", second.URL+"/v1", fakeprovider.DefaultKey)
				h.rate("openai", "gpt-fake", "3", "15")
				h.rate("spare", "gpt-fake", "30", "150")
				h.grant("10")
				first.Script("gpt-fake", bad, bad)
				res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "gpt-fake", stream))
				require.Equal(t, 200, res.StatusCode, body)
				assert.Equal(t, "spare", res.Header.Get("x-aigne-hub-provider"))
				c := h.lastCall()
				assert.Equal(t, 3, c.Attempts)
				tries, err := h.app.Store.CallAttempts(t.Context(), c.ID)
				require.NoError(t, err)
				require.Len(t, tries, 2)
				assert.NotEqual(t, tries[0].Credential, tries[1].Credential)
				u := second.Reported()
				assert.Equal(t, money.Credits(30000*u[hub.Input]+150000*u[hub.Output]), c.Credits, "only the answer is charged")
			})
		}
	}
}

func TestABadRequestIsNotTriedElsewhere(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	spare := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	h.add("openai", "spare", spare.URL+"/v1", fakeprovider.DefaultKey)
	fake.Script("gpt-fake", fakeprovider.Answer{Status: 400, Body: `{"error":{"message":"temperature is wrong","type":"invalid_request_error","param":"temperature","code":null}}`})
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "gpt-fake", false))
	assert.Equal(t, 400, res.StatusCode)
	e := decode(t, body)["error"].(map[string]any)
	assert.Equal(t, "temperature is wrong", e["message"])
	assert.Equal(t, "temperature", e["param"])
	assert.Empty(t, spare.Requests())
	assert.Equal(t, "false", res.Header.Get("x-should-retry"))
}

func TestOurOwnCredentialTroubleIsNotTheCallers(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	fake.Always("gpt-fake", fakeprovider.Answer{Status: 401, Body: `{"error":{"message":"Incorrect API key provided: sk-fa***6789","type":"invalid_request_error","code":"invalid_api_key"}}`})
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	assert.Equal(t, 502, res.StatusCode)
	assert.Equal(t, "provider_credential", decode(t, body)["error"].(map[string]any)["code"])
	assert.NotContains(t, body, "sk-fa")
	c := h.lastCall()
	assert.Equal(t, hub.StatusFailed, c.Status)
	assert.Equal(t, money.Credits(0), c.Credits)
}

func TestARateLimitedKeyRestsForAsLongAsTheProviderSays(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	fake.Script("gpt-fake", fakeprovider.Answer{Status: 429, Header: http.Header{"Retry-After": {"60"}}})
	for range 2 {
		res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
		assert.Equal(t, 429, res.StatusCode, body)
		assert.NotEmpty(t, res.Header.Get("retry-after"))
	}
	assert.Len(t, fake.Requests(), 1, "the second call does not bother the provider")
}

func TestCredentialsTakeTurnsByWeight(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{Keys: []string{"sk-a", "sk-b"}})
	h.add("openai", "openai", fake.URL+"/v1", "sk-a")
	_, err := h.app.Desk.AddCredential(t.Context(), "test", "openai", "heavy", 300, "sk-b")
	require.NoError(t, err)
	require.NoError(t, h.app.Reload(t.Context()))
	var got []string
	for range 8 {
		res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
		require.Equal(t, 200, res.StatusCode, body)
		got = append(got, strings.TrimPrefix(fake.Last().Header.Get("Authorization"), "Bearer sk-"))
	}
	assert.Equal(t, "b a b b b a b b", strings.Join(got, " "))
}

func TestAStreamThatBreaksEndsAsAnErrorAndIsChargedAsDelivered(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		for _, s := range surfaces {
			for name, how := range map[string]fakeprovider.Break{"cut": fakeprovider.Cut, "no finish": fakeprovider.NoFinish, "error frame": fakeprovider.ErrorFrame, "garbage": fakeprovider.Garbage} {
				t.Run(fmt.Sprintf("%s from %s on %s", name, kind, s.name), func(t *testing.T) {
					t.Parallel()
					h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
					fake := h.provider(kind)
					h.rate(kinds[kind].kind, model, "3", "15")
					h.grant("10")
					fake.Always(model, fakeprovider.Answer{Text: strings.Repeat("word ", 100), Frames: 10, Break: how})
					res, body := h.send(s.path, fmt.Sprintf(s.body, kinds[kind].kind+"/"+model, true, "Say it."))
					require.Equal(t, 200, res.StatusCode)
					if name == "garbage" && (strings.Contains(body, "[DONE]") || strings.Contains(body, "message_stop")) {
						return // a native lane passes bytes it need not understand
					}
					assert.NotContains(t, body, "[DONE]")
					assert.NotContains(t, body, "message_stop")
					switch s.name {
					case "anthropic", "aigne":
						assert.Contains(t, body, "event: error")
					default:
						assert.Contains(t, body, "\ndata: {\"error\":")
					}
					c := h.lastCall()
					if c.Status == hub.StatusSuccess {
						assert.Equal(t, "garbage", name)
						return
					}
					assert.Equal(t, hub.StatusFailed, c.Status)
					assert.NotZero(t, c.Usage[hub.Output], "what was delivered is counted")
					assert.Equal(t, money.Credits(3000*c.Usage[hub.Input]+15000*c.Usage[hub.Output]), c.Credits)
				})
			}
		}
	}
}

func TestLiesAboutUsageNeverOverdraw(t *testing.T) {
	t.Parallel()
	for name, lie := range map[string]fakeprovider.Report{"none": fakeprovider.NoUsage, "twice": fakeprovider.UsageTwice, "zero": fakeprovider.UsageZero,
		"absurd": fakeprovider.UsageAbsurd, "negative": fakeprovider.UsageNegative} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s stream=%t", name, stream), func(t *testing.T) {
				t.Parallel()
				h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
				fake := h.provider(fakeprovider.OpenAI)
				h.rate("openai", "gpt-fake", "3", "15")
				h.grant("10")
				fake.Always("gpt-fake", fakeprovider.Answer{Text: "some words to count here", Report: lie})
				res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", stream))
				require.Equal(t, 200, res.StatusCode, body)
				c := h.lastCall()
				assert.Equal(t, hub.StatusSuccess, c.Status)
				assert.GreaterOrEqual(t, h.account().Available(), money.Credits(0))
				if name == "none" {
					assert.Equal(t, hub.UsageEstimated, c.Source)
					assert.NotZero(t, c.Credits)
				}
			})
		}
	}
}

func TestAClientThatLeaves(t *testing.T) {
	t.Parallel()
	for policy, check := range map[string]func(t *testing.T, h *testHub, fake *fakeprovider.Provider){
		"reported": func(t *testing.T, h *testHub, fake *fakeprovider.Provider) {
			c := h.settledCall()
			assert.Equal(t, hub.StatusAborted, c.Status)
			assert.Equal(t, hub.UsageReported, c.Source)
			assert.Equal(t, fake.Reported(), c.Usage)
			assert.NotZero(t, c.Credits)
			assert.Equal(t, hub.ReportedOnAbort, c.ChargePolicy)
		},
		"delivered": func(t *testing.T, h *testHub, _ *fakeprovider.Provider) {
			c := h.settledCall()
			assert.Equal(t, hub.StatusAborted, c.Status)
			assert.Equal(t, hub.UsageEstimated, c.Source)
			assert.NotZero(t, c.Credits)
			assert.Equal(t, hub.DeliveredOnAbort, c.ChargePolicy)
		},
		"free": func(t *testing.T, h *testHub, _ *fakeprovider.Provider) {
			c := h.settledCall()
			assert.Equal(t, hub.StatusAborted, c.Status)
			assert.Zero(t, c.Credits)
			assert.Equal(t, hub.FreeOnAbort, c.ChargePolicy)
		},
	} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_ON_ABORT": policy})
			fake := h.provider(fakeprovider.OpenAI)
			h.rate("openai", "gpt-fake", "3", "15")
			h.grant("10")
			gate := fakeprovider.NewGate()
			fake.Always("gpt-fake", fakeprovider.Answer{Text: strings.Repeat("word ", 100), Frames: 10, Middle: gate})
			ctx, leave := context.WithCancel(t.Context())
			res, err := h.post(ctx, "/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", true))
			require.NoError(t, err)
			_, err = bufio.NewReader(res.Body).ReadString('\n')
			require.NoError(t, err)
			<-gate.Reached()
			leave()
			_, _ = io.Copy(io.Discard, res.Body)
			<-h.ended // the server has noticed
			defer gate.Release()
			if policy == "reported" { // the others hang up: what the provider would still say is not waited for
				gate.Release()
			}
			check(t, h, fake)
		})
	}
}

func TestAnEmptyWalletGets402BeforeTheProviderIsCalled(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "3", "15")
	for _, s := range surfaces {
		for _, stream := range []bool{false, true} {
			res, body := h.send(s.path, fmt.Sprintf(s.body, "openai/gpt-fake", stream, "hi"))
			assert.Equal(t, 402, res.StatusCode, s.name)
			assert.Equal(t, "false", res.Header.Get("x-should-retry"))
			e := decode(t, body)["error"].(map[string]any)
			if s.name == "anthropic" {
				assert.Equal(t, "billing_error", e["type"])
			} else {
				assert.Equal(t, "NOT_ENOUGH", e["type"], s.name)
			}
		}
	}
	assert.Empty(t, fake.Requests())
}

func TestFiveHundredCallsOnAWalletForFifty(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"hold equals charge": `{"model":"openai/gpt-fake","max_tokens":100,"messages":[{"role":"user","content":"hi"}]}`,
		"loose limits":       `{"model":"openai/gpt-fake","messages":[{"role":"user","content":"hi"}]}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
			fake := h.provider(fakeprovider.OpenAI)
			// The prompt is free, so that the output limit alone makes the hold.
			h.rate("openai", "gpt-fake", "0", "10", func(n *operator.NewRate) { n.MaxOutput = 4000 })
			h.grant("0.05") // 50 × 100 tokens × 0.00001
			fake.Always("gpt-fake", fakeprovider.Answer{Text: fakeprovider.Words(400)})
			var ok, refused, other atomic.Int64
			var wg sync.WaitGroup
			for range 500 {
				wg.Go(func() {
					status, text := h.insist("/v1/chat/completions", body)
					switch status {
					case http.StatusOK:
						ok.Add(1)
					case http.StatusPaymentRequired:
						refused.Add(1)
					default:
						other.Add(1)
						t.Log(status, text)
					}
				})
			}
			wg.Wait()
			assert.Zero(t, other.Load())
			a := h.account()
			assert.Zero(t, a.Held)
			assert.GreaterOrEqual(t, a.Balance, money.Credits(0))
			if name == "hold equals charge" {
				assert.EqualValues(t, 50, ok.Load())
				assert.Zero(t, a.Balance)
			} else {
				assert.Equal(t, money.Credits(50-ok.Load())*money.Credit/1000, a.Balance, "each answer cost its 100 tokens")
			}
			assert.EqualValues(t, 500, ok.Load()+refused.Load())
		})
	}
}

func TestAWalletThatCoversLessLowersTheLimitAndSaysSo(t *testing.T) {
	t.Parallel()
	for _, s := range surfaces {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
			fake := h.provider(fakeprovider.OpenAI)
			h.rate("openai", "gpt-fake", "0", "10", func(n *operator.NewRate) { n.MaxOutput = 100_000 })
			h.grant("0.009") // 900 tokens
			fake.Always("gpt-fake", fakeprovider.Answer{Text: fakeprovider.Words(40_000)})
			res, body := h.send(s.path, fmt.Sprintf(s.body, "openai/gpt-fake", false, "hi"))
			require.Equal(t, 200, res.StatusCode, body)
			assert.Equal(t, "900", res.Header.Get("x-aigne-hub-output-limit"))
			sent := fake.Last().JSON
			limit := sent["max_completion_tokens"]
			if limit == nil {
				limit = sent["max_tokens"]
			}
			assert.EqualValues(t, 900, limit)
			assert.Zero(t, h.account().Balance)
		})
	}
}

func TestAnIdempotencyKeyChargesOnce(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "3", "15")
	h.grant("10")
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false), "Idempotency-Key", "a")
	require.Equal(t, 200, res.StatusCode, body)
	left := h.account().Balance
	res, body = h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false), "Idempotency-Key", "a")
	assert.Equal(t, 409, res.StatusCode, body)
	assert.Contains(t, body, h.lastCall().ID)
	assert.Equal(t, left, h.account().Balance)
}

func TestARevokedKeyAdmitsNothingEvenFromACache(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	require.Equal(t, 200, res.StatusCode, body)
	require.NoError(t, h.app.Desk.RevokeKey(t.Context(), "test", h.lastCall().APIKeyID))
	res, body = h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-fake", false))
	assert.Equal(t, 401, res.StatusCode, body)
	assert.Len(t, fake.Requests(), 1)
}

func TestWithBillingOnAModelWithoutARateIsRefused(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.OpenAI)
	h.grant("10")
	res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "openai/gpt-4.1-nano", false))
	assert.Equal(t, 400, res.StatusCode, body)
	assert.Contains(t, body, "rate set --provider openai --model gpt-4.1-nano")
	res, body = h.send("/v1/chat/completions", fmt.Sprintf(ask, "nothing-known", false))
	assert.Equal(t, 404, res.StatusCode, body)
	assert.Contains(t, body, "GET /v1/models")
	assert.Empty(t, fake.Requests())
}
