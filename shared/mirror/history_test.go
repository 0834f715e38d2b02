package mirror_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/mirror"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakepaymentkit"
)

// history is one random story of purchases, ends of grants, calls, reports and
// looks, with faults in between.
type history struct {
	*world
	other *mirror.Mirror // of a second process
	mu    sync.Mutex
	rng   *rand.Rand
	calm  atomic.Bool
	open  []store.Admission
}

func (h *history) n(below int) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.rng.IntN(below)
}

func (h *history) amount() money.Credits { return money.Credits(1 + h.n(3_000_000_000)) }

func (h *history) step() {
	ctx := context.Background()
	switch h.n(12) {
	case 0:
		h.kit.Give("zUser", []string{"paid", "promotional"}[h.n(2)], h.amount(), 0)
	case 1:
		h.end([]string{"voided", "expired"}[h.n(2)])
	case 2, 3, 4:
		a, err := h.admit(h.amount())
		if errors.Is(err, store.ErrInsufficient) {
			_, _ = h.m.Refill(ctx, h.user.AccountID)
			return
		}
		if err == nil {
			h.open = append(h.open, a)
		}
	case 5, 6:
		h.settleOne()
	case 7:
		_ = h.report.Run(ctx)
	case 8:
		_ = h.m.Sync(ctx, h.user.ID)
	case 9:
		var both sync.WaitGroup
		for _, m := range []*mirror.Mirror{h.m, h.other} {
			both.Go(func() { _ = m.Sync(ctx, h.user.ID) })
			both.Go(func() { _, _ = m.Refill(ctx, h.user.AccountID) })
		}
		both.Go(func() { _ = h.report.Run(ctx) })
		both.Wait()
	case 10:
		h.pass(time.Duration(h.n(600)) * time.Second)
	case 11:
		h.kit.Lock()
		h.kit.AutoBuy["zUser"] = h.n(2) == 0
		h.kit.Unlock()
	}
}

func (h *history) settleOne() {
	if len(h.open) == 0 {
		return
	}
	i := h.n(len(h.open))
	a := h.open[i]
	h.open = append(h.open[:i], h.open[i+1:]...)
	h.settle(a, a.Hold*money.Credits(h.n(4))/3)
}

// end ends a grant that still has something.
func (h *history) end(status string) {
	h.kit.Lock()
	var live []string
	for _, g := range h.kit.Grants {
		if g.Status == "granted" {
			live = append(live, g.ID)
		}
	}
	h.kit.Unlock()
	if len(live) > 0 {
		h.kit.End(live[h.n(len(live))], status)
	}
}

func TestRandomHistoriesEndInAgreement(t *testing.T) {
	t.Parallel()
	for seed := range uint64(12) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			h := &history{world: newWorld(t), rng: rand.New(rand.NewPCG(seed, 9))}
			h.kit.Give("zUser", "paid", h.amount(), 0)
			h.sync()
			h.m.HoldLocal = seed%2 == 0
			h.other = h.another()
			h.kit.Break(func(r *http.Request) fakepaymentkit.Fault {
				if h.calm.Load() || h.n(8) > 0 {
					return fakepaymentkit.None
				}
				return []fakepaymentkit.Fault{fakepaymentkit.Lose, fakepaymentkit.Cut, fakepaymentkit.Fail, fakepaymentkit.Busy}[h.n(4)]
			})
			for n := range 120 {
				h.step()
				if n%20 == 0 {
					h.clean()
				}
			}
			h.finish()
		})
	}
}

func (h *history) finish() {
	h.calm.Store(true)
	for len(h.open) > 0 {
		h.settleOne()
	}
	for range 5 {
		h.pass(20 * time.Minute)
		require.NoError(h.t, h.report.Run(context.Background()))
		h.sync()
	}
	_, unconfirmed, err := h.s.Unconfirmed(context.Background(), h.user.ID)
	require.NoError(h.t, err)
	require.False(h.t, unconfirmed)
	h.agree()
	assert.Empty(h.t, h.told, "without any adjustment")
}
