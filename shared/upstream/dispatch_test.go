package upstream

import (
	"context"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

func TestTheOnlyKeyIsTriedOnceMoreALittleLater(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		status int
		after  time.Duration // of the provider's Retry-After
		keys   [][]string
		asked  int
	}{
		{"after a failure", 500, 0, [][]string{{"a"}}, 2},
		{"after a short rate limit", 429, time.Second, [][]string{{"a"}}, 2},
		{"not after a long one", 429, time.Minute, [][]string{{"a"}}, 1},
		{"not after a refusal", 401, 0, [][]string{{"a"}}, 1},
		{"not after a bad request", 400, 0, [][]string{{"a"}}, 1},
		{"not when there is another key", 500, 0, [][]string{{"a", "b"}}, 2},
		{"not when there is another target", 500, 0, [][]string{{"a"}, {"b"}}, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tt.keys, func(string) (int, string) { return tt.status, "no" })
			fault := w.call.Fault
			w.call.Fault = func(target *routing.Target, status int, h http.Header, body []byte) *hub.Error {
				e := fault(target, status, h, body)
				e.RetryAfter = tt.after
				return e
			}
			began := time.Now()
			_, trace, err := w.client(lenient()).Do(t.Context(), w.call)
			require.Error(t, err)
			assert.Len(t, w.seen, tt.asked)
			assert.Equal(t, tt.asked, trace.Tries)
			if len(tt.keys) == 1 && len(tt.keys[0]) == 1 && tt.asked == 2 {
				assert.GreaterOrEqual(t, time.Since(began), max(againAfter, tt.after))
			}
		})
	}
}

func TestNoAttemptIsBegunAfterTheBudget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a", "b", "c"}}, func(string) (int, string) { time.Sleep(60 * time.Millisecond); return 500, "" })
	s := lenient()
	s.Budget = 90 * time.Millisecond
	_, trace, err := w.client(s).Do(t.Context(), w.call)
	require.Error(t, err)
	assert.Equal(t, 2, trace.Tries)
}

func TestFullKeysArePassedOverAndAllFullIsARateLimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}}, status(nil))
	w.call.Plan.Targets[0].Provider.Credentials[0].MaxConcurrent = 1
	c := w.client(lenient())
	first, _, err := c.Do(t.Context(), w.call)
	require.NoError(t, err)
	_, trace, err := c.Do(t.Context(), w.call)
	e := hub.AsError(err)
	assert.Equal(t, hub.CodeRateLimited, e.Code)
	assert.NotZero(t, e.RetryAfter)
	assert.Zero(t, trace.Tries)
	require.NoError(t, first.Body.Close())
	require.NoError(t, first.Body.Close(), "twice is harmless")
	for range 3 { // each gives its place back, also after failures
		next, _, err := c.Do(t.Context(), w.call)
		require.NoError(t, err)
		assert.Equal(t, "answer of a", body(t, next))
	}
	w.call.Fault = func(*routing.Target, int, http.Header, []byte) *hub.Error { return nil }
	w.call.Accept = func(*Answer) *hub.Error { return &hub.Error{Class: hub.ClassRequest, Code: hub.CodeUpstream} }
	for range 3 {
		_, trace, err = c.Do(t.Context(), w.call)
		require.Error(t, err)
		assert.Equal(t, 1, trace.Tries)
	}
}

func TestARefusedKeyIsHandedOverToBeDisabled(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a", "b"}}, status(map[string]int{"a": 401, "b": 402}))
	w.call.Plan.Targets[0].Provider.Credentials = append(w.call.Plan.Targets[0].Provider.Credentials,
		routing.Credential{Name: "env", Weight: 1, Secret: "secret-env"})
	w.call.Plan.Targets[0].Provider.Credentials[0].Weight = 3
	w.call.Plan.Targets[0].Provider.Credentials[1].Weight = 2
	var got []Refusal
	s := lenient()
	s.Refused = func(_ context.Context, r Refusal) { got = append(got, r) }
	a, trace, err := w.client(s).Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of env", body(t, a))
	assert.Equal(t, 3, trace.Tries)
	assert.Equal(t, []Refusal{
		{Provider: "p0", CredentialID: "p0a", Credential: "a", Status: 401, Reason: "The provider refuses the credential (HTTP 401)."},
		{Provider: "p0", CredentialID: "p0b", Credential: "b", Status: 402, Reason: "The credential's quota at the provider is used up (HTTP 402)."},
	}, got)
}

func TestNeitherKeysOfTheEnvironmentNorRefusedContentDisableAnything(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}, {"b"}}, status(map[string]int{"a": 401, "b": 451}))
	w.call.Plan.Targets[0].Provider.Credentials[0].ID = ""
	s := lenient()
	s.Refused = func(context.Context, Refusal) { t.Error("disabled") }
	_, trace, err := w.client(s).Do(t.Context(), w.call)
	require.Error(t, err)
	assert.Equal(t, 2, trace.Tries)
}

func TestEveryAttemptThatTellsSomethingOfItsTargetIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a", "b"}, {"c"}}, status(map[string]int{"a": 500, "b": 429}))
	var got []string
	s := lenient()
	s.Seen = func(target *routing.Target, ttfb time.Duration, fault *hub.Error) {
		word := "ok"
		if fault != nil {
			word = "bad " + string(fault.Code)
		} else {
			assert.NotZero(t, ttfb)
		}
		got = append(got, target.Name()+" "+word)
	}
	a, _, err := w.client(s).Do(t.Context(), w.call)
	require.NoError(t, err)
	a.Broke(&hub.Error{Code: hub.CodeTimeout, Class: hub.ClassRetry})
	body(t, a)
	assert.Equal(t, []string{"p0/m bad upstream_error", "p0/m bad upstream_error", "p1/m ok", "p1/m bad upstream_timeout"}, got)
}

func TestATargetThatKeepsFailingIsAskedLastAndFoundAgain(t *testing.T) {
	t.Parallel()
	var down atomic.Bool
	down.Store(true)
	w := newWorld(t, [][]string{{"a"}, {"b"}}, func(key string) (int, string) {
		if key == "a" && down.Load() {
			return 500, ""
		}
		return 200, "answer of " + key
	})
	clock := &ticking{}
	s := lenient()
	s.Cooldown = 0 // only the breaker
	c := New(s, clock.now)
	t.Cleanup(c.Close)
	ask := func() string {
		a, _, err := c.Do(t.Context(), w.call)
		require.NoError(t, err)
		return body(t, a)
	}
	for range breakStreak + 5 {
		assert.Equal(t, "answer of b", ask())
	}
	count := func() (n int) {
		for _, s := range w.seen {
			if s == "p0 a" {
				n++
			}
		}
		return n
	}
	assert.Equal(t, breakStreak, count(), "then it is left alone")
	clock.move(breakWait)
	assert.Equal(t, "answer of b", ask())
	assert.Equal(t, breakStreak+1, count(), "one call finds out")
	assert.Equal(t, "answer of b", ask())
	assert.Equal(t, breakStreak+1, count())
	down.Store(false)
	clock.move(2 * breakWait)
	assert.Equal(t, "answer of a", ask())
	assert.Equal(t, "answer of a", ask())
}

func TestAnOpenTargetIsStillAskedWhenNobodyElseIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}}, status(nil))
	c := w.client(lenient())
	for range breakStreak {
		c.breaker.record(&w.call.Plan.Targets[0], false, false)
	}
	a, _, err := c.Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of a", body(t, a))
}

// ticking is a clock that several goroutines may read.
type ticking struct {
	mu sync.Mutex
	d  time.Duration
}

func (c *ticking) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Unix(1_800_000_000, 0).Add(c.d)
}

func (c *ticking) move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.d += d
}

func TestATargetsOwnTimeoutsGoBeforeTheSettings(t *testing.T) {
	t.Parallel()
	stall := func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body) // else the server does not notice who leaves
		<-r.Context().Done()
	}
	begin := func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		_, _ = w.Write([]byte("a"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	}
	for _, tt := range []struct {
		name  string
		serve http.HandlerFunc
		own   routing.Timeouts
	}{
		{"first byte", stall, routing.Timeouts{FirstByte: routing.Span(50 * time.Millisecond)}},
		{"idle", begin, routing.Timeouts{Idle: routing.Span(50 * time.Millisecond)}},
		{"total", begin, routing.Timeouts{Total: routing.Span(50 * time.Millisecond)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := call(t, tt.serve)
			c.Plan.Targets[0].Timeouts = tt.own
			client := New(Settings{Connect: time.Second, FirstByte: time.Minute, Idle: time.Minute, Attempts: 1}, time.Now)
			t.Cleanup(client.Close)
			began := time.Now()
			a, _, err := client.Do(t.Context(), c)
			if err == nil {
				_, err = io.ReadAll(a.Body)
				a.Body.Close()
				assert.True(t, TimedOut(err), err)
			} else {
				assert.Equal(t, hub.CodeTimeout, hub.CodeOf(err))
			}
			assert.Less(t, time.Since(began), 10*time.Second)
		})
	}
}

func TestAStreamThatHardlyComesIsCut(t *testing.T) {
	t.Parallel()
	for rate, cut := range map[int64]bool{0: false, 1: false, 1000: true} {
		c := call(t, dribble(16)) // 20 bytes a second
		s := settings()
		s.SlowRate = rate
		client := New(s, time.Now)
		t.Cleanup(client.Close)
		a, _, err := client.Do(t.Context(), c)
		require.NoError(t, err)
		_, err = io.ReadAll(a.Body)
		assert.Equal(t, cut, TimedOut(err), "rate %d: %v", rate, err)
		a.Body.Close()
	}
}
