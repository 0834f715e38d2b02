package main

import (
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// insist calls and, like the SDKs, tries again when the hub is too busy to admit.
func (s *served) insist(t *testing.T, key, body string) (status int, answer string) {
	for {
		status, _, answer, err := s.call(t.Context(), key, body)
		if !assert.NoError(t, err) {
			return 0, ""
		}
		if status != http.StatusServiceUnavailable {
			return status, answer
		}
	}
}

// flood sends calls from many clients through all processes and counts those
// that passed and those that a limit refused.
func flood(t *testing.T, hubs []*served, key string, clients, each int) (passed, limited int64) {
	t.Helper()
	var ok, refused atomic.Int64
	var all sync.WaitGroup
	for n := range clients {
		all.Go(func() {
			for i := range each {
				switch status, answer := hubs[(n+i)%len(hubs)].insist(t, key, hello); status {
				case http.StatusOK:
					ok.Add(1)
				case http.StatusTooManyRequests:
					refused.Add(1)
				default:
					assert.Fail(t, "neither answered nor limited", "%d: %s", status, answer)
				}
			}
		})
	}
	all.Wait()
	return ok.Load(), refused.Load()
}

// heldToTheLast proves limits over several processes that share a database.
func heldToTheLast(t *testing.T, h *testHub, processes int) {
	fake, key := h.withProvider()
	var hubs []*served
	for range processes {
		hubs = append(hubs, h.serve())
	}
	const most = 70
	h.ok("limit", "set", "--scope", "user", "--subject", "member@example.com", "--metric", "requests", "--period", "month", "--amount", "70")
	passed, limited := flood(t, hubs, key, 32, 5)
	assert.EqualValues(t, 32*5, passed+limited)
	// A busy server may leave an admission unanswered; what that one took has come
	// back by now.
	require.Eventually(t, func() bool {
		more, _ := flood(t, hubs, key, processes, 1)
		passed += more
		return passed >= most
	}, 20*time.Second, 200*time.Millisecond)
	more, _ := flood(t, hubs, key, 32, 2)
	assert.EqualValues(t, most, passed+more)
	assert.Len(t, fake.Requests(), most)

	// Calls at once: as many as may be wait at the provider, no process lets
	// another one in, and each that ends lets one in.
	limits := decode[[]limitView](h, "limit", "list")
	h.ok("limit", "remove", limits[0].ID)
	h.ok("limit", "set", "--scope", "key", "--metric", "concurrency", "--amount", "6")
	for _, s := range hubs { // each remembers for a moment that the old limit is used up
		require.Eventually(t, func() bool { status, _ := s.insist(t, key, hello); return status == http.StatusOK }, 2*time.Second, 10*time.Millisecond)
	}
	gate := fakeprovider.NewGate()
	fake.Forget()
	fake.Always("gpt-fake", fakeprovider.Answer{Text: "slow", Middle: gate})
	var waiting sync.WaitGroup
	var answered, turned atomic.Int64
	for n := range 40 {
		waiting.Go(func() {
			switch status, _ := hubs[n%processes].insist(t, key, hello); status {
			case http.StatusOK:
				answered.Add(1)
			case http.StatusTooManyRequests:
				turned.Add(1)
			}
		})
	}
	require.Eventually(t, func() bool { return turned.Load() == 34 }, 30*time.Second, 20*time.Millisecond)
	assert.Equal(t, 6, fake.InFlight())
	gate.Release()
	waiting.Wait()
	assert.EqualValues(t, 6, answered.Load())
	h.ok("ledger", "verify")
}

func TestFourProcessesOnOneFileHoldLimitsToTheLastRequest(t *testing.T) {
	t.Parallel()
	heldToTheLast(t, newHub(t, "AIGNE_HUB_LOG_LEVEL=error"), 4)
}

func TestEightProcessesOnOneServerHoldLimitsToTheLastRequest(t *testing.T) {
	t.Parallel()
	url, token := hrana.Start(t)
	h := newHub(t, "AIGNE_HUB_LOG_LEVEL=error", "AIGNE_HUB_DATABASE="+url, "AIGNE_HUB_DATABASE_TOKEN="+token)
	h.ok("migrate")
	heldToTheLast(t, h, 8)
}

func TestTokensAndBudgetsHoldOverProcesses(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_LOG_LEVEL=error", "AIGNE_HUB_BILLING=on")
	fake, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "1000", "--output", "1000")
	h.ok("credits", "grant", "--user", "member@example.com", "--amount", "1000")
	fake.Always("gpt-fake", fakeprovider.Answer{Text: fakeprovider.Words(40)})
	hubs := []*served{h.serve(), h.serve(), h.serve(), h.serve()}
	h.ok("limit", "set", "--scope", "user", "--subject", "member@example.com", "--metric", "credits", "--period", "month", "--amount", "2")
	passed, limited := flood(t, hubs, key, 32, 4)
	assert.Positive(t, passed)
	assert.Positive(t, limited)
	// What was reserved for many at once is free again for one after the other.
	for i := 0; ; i++ {
		if status, _ := hubs[i%len(hubs)].insist(t, key, hello); status == http.StatusTooManyRequests {
			break
		}
	}
	var spent int64
	for _, c := range decode[[]callView](h, "calls", "list", "--limit", "1000") {
		spent += int64(c.Credits)
	}
	assert.LessOrEqual(t, spent, int64(2e9), "never more than the budget")
	assert.Greater(t, spent, int64(17e8), "and nearly all of it")
}

func TestChangesAreEffectiveEverywhereWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_LOG_LEVEL=error")
	_, key := h.withProvider()
	hubs := []*served{h.serve(), h.serve()}
	within := func(what string, done func(s *served) bool) {
		start := time.Now()
		for _, s := range hubs {
			require.Eventually(t, func() bool { return done(s) }, 2*time.Second, 5*time.Millisecond, what)
		}
		t.Logf("%s: everywhere after %s", what, time.Since(start).Round(time.Millisecond))
	}
	smart := strings.Replace(hello, "openai/gpt-fake", "smart", 1)
	h.ok("alias", "set", "smart", "--to", "openai/gpt-fake")
	within("an alias", func(s *served) bool { status, _ := s.insist(t, key, smart); return status == http.StatusOK })
	h.ok("limit", "set", "--scope", "key", "--metric", "requests", "--period", "month", "--amount", "0")
	within("a limit", func(s *served) bool {
		status, _ := s.insist(t, key, hello)
		return status == http.StatusTooManyRequests
	})
	h.ok("limit", "remove", decode[[]limitView](h, "limit", "list")[0].ID)
	within("no limit", func(s *served) bool { status, _ := s.insist(t, key, hello); return status == http.StatusOK })
	h.ok("alias", "remove", "smart")
	within("no alias", func(s *served) bool { status, _ := s.insist(t, key, smart); return status == http.StatusNotFound })
}
