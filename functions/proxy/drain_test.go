package proxy

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestHowLongAProviderIsReadOnAfterItsClientLeft(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		left    time.Duration // that the surroundings give the request; 0: any time
		drain   time.Duration
		readsOn bool
		taken   int // of one slot
		goesOn  bool
	}{
		"for a while":                          {0, time.Hour, true, 0, true},
		"no longer than the drain":             {0, 20 * time.Millisecond, true, 0, false},
		"not against the policy":               {0, time.Hour, false, 0, false},
		"not beside too many others":           {0, time.Hour, true, 1, false},
		"no longer than leaves time to settle": {settleTime + 20*time.Millisecond, time.Hour, true, 0, false},
		"not once the time is up":              {time.Nanosecond, time.Hour, true, 0, false},
		"within the time there is":             {time.Hour, time.Hour, true, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &handler{Deps: Deps{Limits: Limits{Drain: tt.drain}}, drains: make(slots, 1)}
			for range tt.taken {
				h.drains.take()
			}
			client := t.Context()
			if tt.left > 0 {
				var stop context.CancelFunc
				client, stop = context.WithTimeout(client, tt.left)
				defer stop()
			}
			upstream, cancel := context.WithCancel(t.Context())
			defer cancel()
			h.clientLeft(client, upstream, cancel, tt.readsOn)
			select {
			case <-upstream.Done():
				assert.False(t, tt.goesOn)
			case <-time.After(500 * time.Millisecond):
				assert.True(t, tt.goesOn)
			}
			cancel()
			assert.Eventually(t, func() bool { return len(h.drains) == tt.taken }, time.Second, time.Millisecond, "the slot is given back")
		})
	}
}
