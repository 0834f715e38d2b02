package outbox_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

// history is one random story of calls, reporters that die, answers that are lost,
// outages, restarts and operators; and what it must come to.
type history struct {
	*world
	rng    *rand.Rand
	mu     sync.Mutex // of rng, which faults and crashes use as well
	owed   map[string]money.Credits
	swept  []store.Admission // calls that a correction may follow
	sweptU []store.User
	calm   atomic.Bool
	deaths int
}

func (h *history) n(below int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rng.IntN(below)
}

func newHistory(t *testing.T, seed uint64, url, token string) *history {
	h := &history{world: newWorld(t, url, token, 3), rng: rand.New(rand.NewPCG(seed, 5)), owed: map[string]money.Credits{}}
	h.kit.Slow, h.kit.Refuses = 2*time.Millisecond, seed%2 == 0
	h.kit.Break(func(r *http.Request) fakepaymentkit.Fault {
		if h.calm.Load() || r.Method != http.MethodPost || h.n(3) > 0 {
			return fakepaymentkit.None
		}
		return []fakepaymentkit.Fault{fakepaymentkit.Lose, fakepaymentkit.Lose, fakepaymentkit.Cut, fakepaymentkit.Fail, fakepaymentkit.Late,
			fakepaymentkit.Busy, fakepaymentkit.Deny, fakepaymentkit.Twice}[h.n(8)]
	})
	h.crash = func(string) bool {
		if h.calm.Load() || h.n(6) > 0 {
			return false
		}
		h.mu.Lock()
		h.deaths++
		h.mu.Unlock()
		return true
	}
	return h
}

// amount favours the edges: nothing, the smallest, and plain ones.
func (h *history) amount() money.Credits {
	switch h.n(5) {
	case 0:
		return 0
	case 1:
		return 1
	}
	return money.Credits(1 + h.n(1_000_000_000))
}

func (h *history) step() {
	ctx := context.Background()
	u := h.users[h.n(len(h.users))]
	app := []string{"", "zApp1", "zApp2"}[h.n(3)]
	switch h.n(10) {
	case 0, 1, 2, 3:
		amount := h.amount()
		h.charge(u, app, amount)
		h.owed[u.DID] += amount
	case 4: // swept with what was delivered; the owner's correction comes later
		a := h.admit(u, app, 2*money.Credit)
		x := h.settlement(u, a, h.amount())
		x.Status = hub.StatusInterrupted
		require.NoError(h.t, h.s.Do(ctx, h.s.SettleUnit(x)))
		h.owed[u.DID] += x.Amount
		h.swept, h.sweptU = append(h.swept, a), append(h.sweptU, u)
	case 5:
		h.correct()
	case 6, 7:
		_ = h.run(h.reporter())
	case 8:
		var both sync.WaitGroup
		a, b := h.reporter(), h.reporter()
		a.Tell, b.Tell = nil, nil
		both.Go(func() { _ = h.run(a) })
		both.Go(func() { _ = h.run(b) })
		both.Wait()
	case 9:
		h.meanwhile()
	}
}

func (h *history) correct() {
	if len(h.swept) == 0 {
		return
	}
	i := h.n(len(h.swept))
	a, u := h.swept[i], h.sweptU[i]
	before, err := h.s.Charged(context.Background(), a.CallID)
	require.NoError(h.t, err)
	_ = h.s.Do(context.Background(), h.s.CorrectUnit(h.settlement(u, a, before+h.amount()))) // a second one changes nothing
	after, err := h.s.Charged(context.Background(), a.CallID)
	require.NoError(h.t, err)
	h.owed[u.DID] += after - before
}

// meanwhile is what happens beside: time, a restart, a death between batching and
// sending, an operator who has a dead batch sent again.
func (h *history) meanwhile() {
	ctx := context.Background()
	switch h.n(4) {
	case 0:
		h.clock.pass(time.Duration(h.n(1200)) * time.Second)
	case 1:
		require.NoError(h.t, h.s.Close())
		h.s = h.open()
	case 2:
		pending, err := h.s.PendingUsage(ctx, 100)
		require.NoError(h.t, err)
		for _, p := range pending {
			require.NoError(h.t, h.s.Do(ctx, h.s.BatchUnit(p)))
		}
	case 3:
		dead, err := h.s.Batches(ctx, store.BatchDead, "", 1)
		require.NoError(h.t, err)
		for _, b := range dead {
			require.NoError(h.t, h.s.ReviveBatch(ctx, b.ID))
		}
	}
}

// end lets everything arrive and holds the two sides against each other.
func (h *history) end() {
	h.calm.Store(true)
	ctx := context.Background()
	for range 50 {
		dead, err := h.s.Batches(ctx, store.BatchDead, "", 1000)
		require.NoError(h.t, err)
		for _, b := range dead {
			require.NoError(h.t, h.s.ReviveBatch(ctx, b.ID))
		}
		h.clock.pass(20 * time.Minute)
		require.NoError(h.t, h.run(h.reporter()))
		if h.outbox() == (store.Outbox{}) {
			break
		}
	}
	require.Equal(h.t, store.Outbox{}, h.outbox(), "nothing is left behind")
	for _, u := range h.users {
		assert.Equal(h.t, h.owed[u.DID], h.kit.Reported(u.DID), "what Payment Kit counts is what was charged")
		c, err := h.s.CustomerOf(ctx, u.ID)
		require.NoError(h.t, err)
		counted := -c.Expected
		assert.Equal(h.t, h.owed[u.DID], counted, "and what the hub believes that it counts")
	}
	assert.Empty(h.t, h.kit.Bad)
	violations, _, err := h.s.VerifyLedger(ctx, true)
	require.NoError(h.t, err)
	assert.Empty(h.t, violations)
}

func TestRandomHistoriesReportEachCreditOnce(t *testing.T) {
	t.Parallel()
	deaths := 0
	t.Cleanup(func() { assert.Greater(t, deaths, 10, "reporters died") })
	for seed := range uint64(16) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			h := newHistory(t, seed, file(t), "")
			for range 80 {
				h.step()
			}
			h.end()
			deaths += h.deaths
		})
	}
}

func TestRandomHistoriesReportEachCreditOnceOnAServer(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2) {
		t.Run(fmt.Sprint("seed ", 100+seed), func(t *testing.T) {
			url, token := hrana.Start(t)
			h := newHistory(t, 100+seed, url, token)
			for range 60 {
				h.step()
			}
			h.end()
		})
	}
}
