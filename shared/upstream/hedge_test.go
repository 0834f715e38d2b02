package upstream

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// hedged is a world whose keys answer after a while, each by its own script.
func hedged(t *testing.T, answers map[string]func() (int, string)) (*world, *Client) {
	t.Helper()
	w := newWorld(t, [][]string{{"a"}, {"b"}, {"c"}}, func(key string) (int, string) { return answers[key]() })
	w.call.Hedge, w.call.Whole = true, true
	s := lenient()
	s.Hedge = 50 * time.Millisecond
	return w, w.client(s)
}

func at(d time.Duration, status int, text string) func() (int, string) {
	return func() (int, string) { time.Sleep(d); return status, text }
}

func TestASilentProviderIsOvertakenByTheNext(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	w, c := hedged(t, map[string]func() (int, string){
		"a": func() (int, string) { <-stop; return 200, "late" }, "b": at(0, 200, "answer of b"), "c": at(0, 200, "no"),
	})
	t.Cleanup(func() { close(stop) })
	a, trace, err := c.Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of b", body(t, a))
	assert.Equal(t, 2, trace.Tries)
	assert.Equal(t, "p1", trace.Last.Provider.Name)
	require.Len(t, trace.Attempts, 1)
	assert.Equal(t, GivenUp, trace.Attempts[0].Category)
	assert.Equal(t, "p0", trace.Attempts[0].Provider)
	assert.Same(t, &w.call.Plan.Targets[0], trace.GivenUp)
	assert.Len(t, c.pool.order(w.call.Plan.Targets, ""), 3)
	assert.Equal(t, "p0a", c.pool.order(w.call.Plan.Targets, "")[0].credential.ID, "being slow once is no failure")
}

func TestTheFirstMayStillWinTheRace(t *testing.T) {
	t.Parallel()
	w, c := hedged(t, map[string]func() (int, string){
		"a": at(150*time.Millisecond, 200, "answer of a"), "b": at(5*time.Second, 200, "late"), "c": at(0, 200, "no"),
	})
	a, trace, err := c.Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of a", body(t, a))
	assert.Equal(t, "p0", trace.Last.Provider.Name, "who answered, not who was asked last")
	assert.Equal(t, "p1", trace.GivenUp.Provider.Name)
}

func TestAQuickAnswerCostsNoSecondQuestion(t *testing.T) {
	t.Parallel()
	w, c := hedged(t, map[string]func() (int, string){"a": at(0, 200, "answer of a")})
	a, trace, err := c.Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of a", body(t, a))
	assert.Len(t, w.seen, 1)
	assert.Nil(t, trace.GivenUp)
}

func TestFailuresWithinARaceGoOn(t *testing.T) {
	t.Parallel()
	w, c := hedged(t, map[string]func() (int, string){
		"a": at(100*time.Millisecond, 500, ""), "b": at(100*time.Millisecond, 500, ""), "c": at(0, 200, "answer of c"),
	})
	a, trace, err := c.Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of c", body(t, a))
	assert.Equal(t, 3, trace.Tries)
	assert.Len(t, trace.Attempts, 2)
	assert.Nil(t, trace.GivenUp)
}

func TestABadRequestEndsTheRace(t *testing.T) {
	t.Parallel()
	w, c := hedged(t, map[string]func() (int, string){
		"a": at(5*time.Second, 200, "late"), "b": at(0, 400, "wrong"), "c": at(0, 200, "no"),
	})
	began := time.Now()
	_, trace, err := c.Do(t.Context(), w.call)
	require.Error(t, err)
	assert.Equal(t, "wrong", hub.AsError(err).Message)
	assert.Less(t, time.Since(began), 4*time.Second)
	assert.Equal(t, 2, trace.Tries)
	assert.Len(t, trace.Attempts, 2)
}

func TestARaceGivesKeysBackAndCountsItsAttempts(t *testing.T) {
	t.Parallel()
	w, c := hedged(t, map[string]func() (int, string){
		"a": at(200*time.Millisecond, 200, "late"), "b": at(0, 200, "answer of b"), "c": at(0, 200, "no"),
	})
	for i := range w.call.Plan.Targets {
		w.call.Plan.Targets[i].Provider.Credentials[0].MaxConcurrent = 1
	}
	for range 3 {
		a, _, err := c.Do(t.Context(), w.call)
		require.NoError(t, err)
		assert.Equal(t, "answer of b", body(t, a))
	}
	c.settings.Attempts = 1
	a, trace, err := c.Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "late", body(t, a), "there was no attempt left for another")
	assert.Equal(t, 1, trace.Tries)
}

func TestARacersAnswerKeepsItsOwnState(t *testing.T) {
	t.Parallel()
	w, c := hedged(t, map[string]func() (int, string){
		"a": at(80*time.Millisecond, 200, "answer of a"), "b": at(30*time.Millisecond, 200, "answer of b"), "c": at(0, 200, "no"),
	})
	var accepted atomic.Int32
	w.call.Accept = func(a *Answer) *hub.Error {
		accepted.Add(1)
		text := make([]byte, 100)
		n, _ := a.Body.Read(text)
		a.Taken = string(text[:n])
		return nil
	}
	for range 10 {
		a, _, err := c.Do(t.Context(), w.call)
		require.NoError(t, err)
		assert.Equal(t, "answer of "+a.Credential.Name, a.Taken)
		a.Body.Close()
	}
	assert.GreaterOrEqual(t, accepted.Load(), int32(10))
}
