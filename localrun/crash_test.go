package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

const (
	crashClients = 16
	// A kill comes at a random moment between these, after the clients began.
	crashEarliest, crashLatest = 300 * time.Millisecond, 1500 * time.Millisecond
)

// crashRounds is how often the hub is killed: 3 times, or
// AIGNE_HUB_TEST_CRASH_ROUNDS.
func crashRounds(t *testing.T) int {
	raw := os.Getenv("AIGNE_HUB_TEST_CRASH_ROUNDS")
	if raw == "" {
		return 3
	}
	n, err := strconv.Atoi(raw)
	require.NoError(t, err, "AIGNE_HUB_TEST_CRASH_ROUNDS")
	return n
}

// promises are the answers that clients saw to their end: what each must have
// been charged, by the id of its call.
type promises struct {
	mu   sync.Mutex
	owed map[string]money.Credits
	late map[string]bool // of them, those that had been settled as interrupted
}

func (p *promises) add(id string, credits money.Credits) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.owed[id] = credits
}

// addLate adds an answer whose call had been settled as interrupted meanwhile.
func (p *promises) addLate(id string, credits money.Credits) {
	p.add(id, credits)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.late = map[string]bool{id: true}
}

// TestCrashCampaign kills a hub under load, again and again, and asks after
// each restart whether the books balance and every answer that a client saw
// complete is on record, successful and charged exactly. An administrator gives,
// takes and moves credits meanwhile, and sends again what was under way.
func TestCrashCampaign(t *testing.T) {
	h := newHub(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_LOG_LEVEL=error")
	fake, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "1.000001", "--output", "2.7")
	h.ok("credits", "grant", "--user", "member@example.com", "--amount", "1000")
	h.ok("user", "create", "--email", "admin@example.com", "--role", "admin")
	admin := strings.TrimSpace(h.ok("key", "create", "--user", "admin@example.com", "--name", "test"))
	h.ok("wallet", "create", "--name", "Team")
	acts := &moves{}
	fake.Handle("gpt-fake", func(r fakeprovider.Request) fakeprovider.Answer {
		return fakeprovider.Answer{Text: fakeprovider.Words(20 + len(r.Body)%200), Frames: 12}
	})
	seen := &promises{owed: map[string]money.Credits{}}
	rounds := crashRounds(t)
	for round := range rounds {
		s := h.serve()
		ctx, cancel := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for n := range crashClients {
			clients.Go(func() { keepCalling(ctx, t, s, key, n, seen) })
		}
		clients.Go(func() { acts.keepMoving(ctx, t, s, admin) })
		<-time.After(crashEarliest + rand.N(crashLatest-crashEarliest))
		s.kill()
		cancel()
		clients.Wait()
		fake.Forget()
		s = h.serve()
		acts.repeat(t, s, admin)
		checkPromises(t, h, seen, acts.effect)
		s.kill()
		require.False(t, t.Failed(), "after kill %d of %d", round+1, rounds)
	}
	require.NotEmpty(t, seen.owed, "no client saw an answer: nothing was proved")
	t.Logf("%d kills, %d complete answers, all on record and charged exactly; %d moves of credits, each done once", rounds, len(seen.owed), len(acts.all))
}

// keepCalling sends one call after the other, whole and streamed in turn, until
// the hub is gone.
func keepCalling(ctx context.Context, t *testing.T, s *served, key string, n int, seen *promises) {
	for i := n; ctx.Err() == nil; i++ {
		text := strings.Repeat("word ", 1+i%40)
		stream := i%2 == 0
		body := fmt.Sprintf(`{"model":"openai/gpt-fake","max_tokens":200,"messages":[{"role":"user","content":"%s"}]}`, text)
		if stream {
			body = strings.Replace(body, "{", `{"stream":true,"stream_options":{"include_usage":true},`, 1)
		}
		status, header, answer, err := s.call(ctx, key, body)
		if err != nil {
			return // the hub is gone, or was while the answer came
		}
		if !assert.Equal(t, http.StatusOK, status, answer) {
			return
		}
		// A stream is whole only with its closing mark; a connection that broke
		// off without an error is not.
		if stream && !strings.HasSuffix(strings.TrimSpace(answer), "data: [DONE]") {
			continue
		}
		credits, ok := owed(answer, stream)
		if !assert.True(t, ok, "a complete answer tells its usage: %s", answer) {
			return
		}
		seen.add(header.Get("x-aigne-hub-call-id"), credits)
	}
}

// owed prices the usage that an answer tells: 1.000001 and 2.7 dollars a
// million, at a dollar a credit, rounded half up to a nano-credit.
func owed(answer string, stream bool) (money.Credits, bool) {
	documents := []string{answer}
	if stream {
		documents = strings.Split(answer, "data: ")
	}
	for _, d := range documents {
		var v struct {
			Usage *struct {
				Prompt     int64 `json:"prompt_tokens"`
				Completion int64 `json:"completion_tokens"`
			} `json:"usage"`
		}
		if err := json.NewDecoder(strings.NewReader(d)).Decode(&v); err != nil || v.Usage == nil {
			continue
		}
		const inputPico, outputPico = 1_000_001, 2_700_000
		pico := v.Usage.Prompt*inputPico + v.Usage.Completion*outputPico
		return money.Credits((pico + 500) / 1000), true
	}
	return 0, false
}

func checkPromises(t *testing.T, h *testHub, seen *promises, moved money.Credits) {
	t.Helper()
	o := h.run("", "ledger", "verify", "--all")
	require.Equal(t, 0, o.code, o.stdout+o.stderr)
	calls := decode[[]callView](h, "calls", "list", "--limit", "1000000")
	var charged money.Credits
	byID := make(map[string]callView, len(calls))
	for _, c := range calls {
		byID[c.ID] = c
		charged += c.Credits
	}
	for id, credits := range seen.owed {
		c, known := byID[id]
		require.True(t, known, "call %s reached its client and is not on record", id)
		require.Equal(t, "success", string(c.Status), "call %s", id)
		require.Equal(t, credits, c.Credits, "call %s", id)
	}
	balance := decode[balanceView](h, "credits", "balance", "member@example.com").Balance
	require.Equal(t, 1000*money.Credit-charged+moved, balance, "what the calls and the moves say is what became of the wallet")
}
