package observe_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/observe"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// ended is a stream that was settled.
func ended() *admission.Ended {
	ttfb, cost := 120*time.Millisecond, money.Credit/1000
	return &admission.Ended{
		Request: &admission.Request{Stream: true}, Start: time.Now(), Outcome: &admission.Outcome{TTFB: &ttfb, Tries: 1}, Charged: money.Credit / 500,
		Settlement: &store.Settlement{Provider: "openai", Model: "gpt", Type: hub.TypeChat, Status: hub.StatusSuccess, Duration: 2 * time.Second,
			Usage: hub.Usage{hub.Input: 900, hub.CacheRead: 100, hub.Output: 300}, Cost: &cost},
	}
}

func TestCountingACallAndItsRequestAllocatesNothing(t *testing.T) {
	t.Parallel()
	s := observe.New(time.Now, "test", nil)
	e, x := ended(), &httpkit.Served{Route: "POST /v1/chat/completions", Status: 200, Took: time.Second}
	watch := s.Watch()
	assert.Zero(t, testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			watch.Begin(nil, time.Time{})
			s.Ended(b.Context(), e)
			watch.End(b.Context(), x)
		}
	}).AllocsPerOp())
}

func BenchmarkACallIsCounted(b *testing.B) {
	s := observe.New(time.Now, "test", nil)
	e, x := ended(), &httpkit.Served{Route: "POST /v1/chat/completions", Status: 200, Took: time.Second}
	watch := s.Watch()
	b.ReportAllocs()
	for b.Loop() {
		watch.Begin(nil, time.Time{})
		s.Ended(context.Background(), e)
		watch.End(context.Background(), x)
	}
}
