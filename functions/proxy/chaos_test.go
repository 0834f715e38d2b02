package proxy_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

const (
	chaosClients = 64
	chaosCalls   = 10 // per client and trouble, unless AIGNE_HUB_TEST_CHAOS says more
	// chaosCampaign calls per client and trouble are so many that a stream under
	// way at each streaming client whenever a trouble begins is under 0.1 %.
	chaosCampaign = 200
	chaosFirst    = 500 * time.Millisecond
)

// trouble is one way for a provider to be bad.
type trouble struct {
	name  string
	say   func(n int64) fakeprovider.Answer
	begun bool // streams may have begun before it shows, and then cannot go elsewhere
}

func troubles() []trouble {
	never := fakeprovider.NewGate() // its requests end when the hub gives them up
	always := func(a fakeprovider.Answer) func(int64) fakeprovider.Answer {
		return func(int64) fakeprovider.Answer { return a }
	}
	return []trouble{
		{name: "refuses connections", say: always(fakeprovider.Answer{Break: fakeprovider.Refuse})},
		{name: "is silent before the header", say: always(fakeprovider.Answer{Before: never})},
		{name: "429 storm", say: always(fakeprovider.Answer{Status: 429, Header: http.Header{"Retry-After": {"1"}}})},
		{name: "bursts of 5xx", say: func(n int64) fakeprovider.Answer {
			if n/8%2 == 0 {
				return fakeprovider.Answer{Status: 500 + int(n%4)}
			}
			return fakeprovider.Answer{Text: "burst over"}
		}},
		{name: "key refused", say: always(fakeprovider.Answer{Status: 401})},
		{name: "slow bytes", say: func(int64) fakeprovider.Answer {
			g := fakeprovider.NewGate()
			time.AfterFunc(100*time.Millisecond, g.Release)
			return fakeprovider.Answer{Text: "slow but good", Middle: g}
		}},
		{name: "connection cut in the middle", say: always(fakeprovider.Answer{Text: fakeprovider.Words(80), Break: fakeprovider.Cut}), begun: true},
		{name: "silent in the middle", say: always(fakeprovider.Answer{Text: fakeprovider.Words(80), Middle: never}), begun: true},
		{name: "garbage frame", say: always(fakeprovider.Answer{Text: fakeprovider.Words(80), Break: fakeprovider.Garbage}), begun: true},
	}
}

// movable is a clock that runs and can be set forward.
type movable struct{ ahead atomic.Int64 }

func (m *movable) now() time.Time           { return time.Now().Add(time.Duration(m.ahead.Load())) }
func (m *movable) forward(by time.Duration) { m.ahead.Add(int64(by)) }

// tally counts how the calls of one trouble ended for their callers.
type tally struct {
	good, broken, failed atomic.Int64
	slowest              atomic.Int64
	mu                   sync.Mutex
	examples             []string
}

func (y *tally) fail(text string) {
	y.failed.Add(1)
	y.mu.Lock()
	defer y.mu.Unlock()
	if len(y.examples) < 5 {
		y.examples = append(y.examples, text)
	}
}

func TestCallersDoNotNoticeABadProviderBesideAHealthyOne(t *testing.T) {
	t.Parallel()
	clock := &movable{}
	h := startAt(t, map[string]string{
		"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_TIMEOUT_FIRST_BYTE": chaosFirst.String(), "AIGNE_HUB_TIMEOUT_IDLE": "1s",
	}, clock.now)
	bad := h.provider(fakeprovider.OpenAI)
	good := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	h.add("openai", "spare", good.URL+"/v1", fakeprovider.DefaultKey)
	h.rate("openai", "gpt-fake", "3", "15")
	h.rate("spare", "gpt-fake", "3", "15")
	h.grant("1000")
	each := chaosCalls
	if more := os.Getenv("AIGNE_HUB_TEST_CHAOS"); more != "" {
		var err error
		each, err = strconv.Atoi(more)
		require.NoError(t, err)
	}
	var answered, asked int64
	for _, trouble := range troubles() {
		var n atomic.Int64
		bad.Handle("gpt-fake", func(fakeprovider.Request) fakeprovider.Answer { return trouble.say(n.Add(1)) })
		y := h.storm(each)
		answered, asked = answered+y.good.Load(), asked+int64(chaosClients*each)
		t.Logf("%s: %d of %d answered, %d streams broke off, %d failed; the bad one was asked %d times; the slowest call took %v", trouble.name,
			y.good.Load(), chaosClients*each, y.broken.Load(), y.failed.Load(), n.Load(), time.Duration(y.slowest.Load()).Round(time.Millisecond))
		assert.Zero(t, y.failed.Load(), "%s: %v", trouble.name, y.examples)
		if !trouble.begun {
			assert.Zero(t, y.broken.Load(), trouble.name)
		}
		// What broke off is what was under way before the breaker knew.
		assert.LessOrEqual(t, y.broken.Load(), int64(2*chaosClients), trouble.name)
		bad.Reset()
		calls := chaosClients*each + h.recovery(clock, bad)
		h.chargedOnce(calls, y.broken.Load(), trouble.begun, bad, good)
	}
	t.Logf("%d of %d answered in full: %.3f %%", answered, asked, 100*float64(answered)/float64(asked))
	if each >= chaosCampaign { // with fewer the streams under way when trouble begins weigh too much
		assert.GreaterOrEqual(t, float64(answered), 0.999*float64(asked))
	}
	a := h.account()
	assert.Zero(t, a.Held)
	assert.Zero(t, a.Debt)
}

// storm has many clients call at once, half of them streaming.
func (h *testHub) storm(each int) *tally {
	y := &tally{}
	var wg sync.WaitGroup
	for client := range chaosClients {
		wg.Go(func() {
			for i := range each {
				h.once(y, (client+i)%2 == 0)
			}
		})
	}
	wg.Wait()
	return y
}

func (h *testHub) once(y *tally, stream bool) {
	began := time.Now()
	status, text := h.one(fmt.Sprintf(ask, "gpt-fake", stream))
	took := int64(time.Since(began))
	for was := y.slowest.Load(); took > was && !y.slowest.CompareAndSwap(was, took); was = y.slowest.Load() {
	}
	switch {
	case status != http.StatusOK:
		y.fail(fmt.Sprint(status, " ", text))
	case !stream && strings.Contains(text, `"finish_reason":"stop"`), stream && strings.HasSuffix(text, "data: [DONE]\n\n") && !strings.Contains(text, `"error"`):
		y.good.Add(1)
	case stream && strings.Contains(text, `"content"`) && strings.Contains(text, `"error"`):
		y.broken.Add(1) // and the caller was told
	default:
		y.fail(text)
	}
}

func (h *testHub) one(body string) (status int, text string) {
	res, err := h.post(context.Background(), "/v1/chat/completions", body)
	if err != nil {
		return 0, err.Error()
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return 0, err.Error()
	}
	return res.StatusCode, string(b)
}

// recovery lets time pass until the provider that was bad serves again, and
// returns how many calls that took.
func (h *testHub) recovery(clock *movable, bad *fakeprovider.Provider) (calls int) {
	h.t.Helper()
	before := len(bad.Requests())
	for range 20 {
		clock.forward(2 * time.Minute)
		require.NoError(h.t, h.app.Keeper.Recheck(h.t.Context()))
		require.NoError(h.t, h.app.Reload(h.t.Context()))
		for range 4 {
			res, body := h.send("/v1/chat/completions", fmt.Sprintf(ask, "gpt-fake", false))
			require.Equal(h.t, http.StatusOK, res.StatusCode, body)
			if calls++; res.Header.Get("x-aigne-hub-provider") == "openai" && len(bad.Requests()) > before {
				return calls
			}
		}
	}
	require.Fail(h.t, "the provider does not come back")
	return 0
}

// chargedOnce compares the newest calls with what was asked and answered.
// tainted: the bad one reported usage for answers that nobody got.
func (h *testHub) chargedOnce(calls int, broken int64, tainted bool, bad, good *fakeprovider.Provider) {
	h.t.Helper()
	price := func(p *fakeprovider.Provider) money.Credits {
		u := p.Reported()
		p.Forget()
		return money.Credits(3000*u[hub.Input] + 15000*u[hub.Output])
	}
	byBad, byGood := price(bad), price(good)
	var list []store.Call
	for before := ""; len(list) < calls; before = list[len(list)-1].ID {
		more, err := h.app.Store.Calls(h.t.Context(), store.CallFilter{Before: before, Limit: 1000})
		require.NoError(h.t, err)
		require.NotEmpty(h.t, more, "calls are missing on record")
		list = append(list, more...)
	}
	sum, failed := map[string]money.Credits{}, int64(0)
	seen := map[string]bool{}
	for _, c := range list[:calls] {
		assert.False(h.t, seen[c.RequestID], "a request is on record twice")
		seen[c.RequestID] = true
		if c.Status == hub.StatusSuccess {
			sum[c.Provider] += c.Credits
			continue
		}
		failed++
		assert.Equal(h.t, "openai", c.Provider)
	}
	assert.Equal(h.t, broken, failed, "only what broke off is no success")
	assert.Equal(h.t, byGood, sum["spare"], "each answer is charged once")
	if !tainted {
		assert.Equal(h.t, byBad, sum["openai"], "each answer is charged once")
	}
}
