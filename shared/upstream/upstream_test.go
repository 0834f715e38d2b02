package upstream

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

const testKey = "sk-a-secret-of-the-operator"

// call plans one call to a server of the test.
func call(t *testing.T, serve http.HandlerFunc) Call {
	t.Helper()
	srv := httptest.NewServer(serve)
	t.Cleanup(srv.Close)
	p := &routing.Provider{Name: "p", BaseURL: srv.URL, Kind: provider.Kind{Auth: provider.Bearer},
		Credentials: []routing.Credential{{ID: "c", Name: "main", Secret: testKey}}}
	return Call{
		Plan:    routing.Plan{Targets: []routing.Target{{Provider: p, Model: "m"}}},
		Prepare: func(*routing.Target) (Request, error) { return Request{Path: "/chat", Body: []byte("{}")}, nil },
		Fault: func(_ *routing.Target, status int, _ http.Header, body []byte) *hub.Error {
			return &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRequest, Status: status, Message: string(body)}
		},
	}
}

func settings() Settings {
	return Settings{Connect: time.Second, FirstByte: 200 * time.Millisecond, Idle: 200 * time.Millisecond, Total: 5 * time.Second, Attempts: 1}
}

// dribble answers at once and then sends a byte every 50 ms, n times.
func dribble(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		for range n {
			_, _ = w.Write([]byte(" "))
			_ = http.NewResponseController(w).Flush()
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func TestAWholeAnswerThatKeepsComingIsNotCutByTheFirstByteTimeout(t *testing.T) {
	t.Parallel()
	c := call(t, dribble(10))
	c.Whole = true
	var n int
	c.Accept = func(a *Answer) *hub.Error {
		body, err := io.ReadAll(a.Body)
		n = len(body)
		if err != nil {
			return hub.AsError(err)
		}
		return nil
	}
	a, _, err := New(settings(), time.Now).Do(t.Context(), c)
	require.NoError(t, err)
	a.Body.Close()
	assert.Equal(t, 10, n)
}

func TestAStreamWithoutAFirstFrameIsCutByTheFirstByteTimeout(t *testing.T) {
	t.Parallel()
	c := call(t, dribble(40))
	c.Accept = func(a *Answer) *hub.Error {
		if _, err := io.ReadAll(a.Body); err != nil {
			return &hub.Error{Code: hub.CodeTimeout, Class: hub.ClassRetry, Cause: err}
		}
		return nil
	}
	_, _, err := New(settings(), time.Now).Do(t.Context(), c)
	assert.True(t, TimedOut(err), err)
}

func TestAReaderThatTakesItsTimeIsNoIdleProvider(t *testing.T) {
	t.Parallel()
	a, _, err := New(settings(), time.Now).Do(t.Context(), call(t, dribble(3)))
	require.NoError(t, err)
	defer a.Body.Close()
	one := make([]byte, 1)
	_, err = a.Body.Read(one)
	require.NoError(t, err)
	time.Sleep(700 * time.Millisecond) // a slow client is being written to
	_, err = io.ReadAll(a.Body)
	assert.NoError(t, err)
}

func TestAProviderThatFallsSilentIsCut(t *testing.T) {
	t.Parallel()
	c := call(t, func(w http.ResponseWriter, r *http.Request) {
		_, _ = w.Write([]byte("a"))
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	a, _, err := New(settings(), time.Now).Do(t.Context(), c)
	require.NoError(t, err)
	defer a.Body.Close()
	_, err = io.ReadAll(a.Body)
	assert.True(t, TimedOut(err), err)
}

func TestTheEndOfAllTimeIsATimeoutToo(t *testing.T) {
	t.Parallel()
	c := call(t, dribble(40))
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	a, _, err := New(settings(), time.Now).Do(ctx, c)
	require.NoError(t, err)
	defer a.Body.Close()
	_, err = io.ReadAll(a.Body)
	assert.True(t, TimedOut(err), err)
}

func TestAProviderThatEchoesItsKeyTellsNobody(t *testing.T) {
	t.Parallel()
	c := call(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte("bad header: " + r.Header.Get("Authorization")))
	})
	_, trace, err := New(settings(), time.Now).Do(t.Context(), c)
	require.Error(t, err)
	assert.NotContains(t, err.Error(), testKey)
	assert.Equal(t, "bad header: Bearer ***", hub.AsError(err).Message)
	assert.NotContains(t, trace.Attempts[0].Error, testKey)
}

func TestAPoolThatForgetsStaysUsable(t *testing.T) {
	t.Parallel()
	p := newPool(time.Now)
	for i := range maxStates - 2 {
		p.of(strconv.Itoa(i))
	}
	target := routing.Target{Provider: &routing.Provider{Name: "p"}}
	for id, weight := range map[string]int64{"a": 1, "b": 1, "c": 9} {
		target.Provider.Credentials = append(target.Provider.Credentials, routing.Credential{ID: id, Weight: weight})
	}
	slices.SortFunc(target.Provider.Credentials, func(a, b routing.Credential) int { return strings.Compare(a.ID, b.ID) })
	assert.NotPanics(t, func() { assert.Len(t, p.order([]routing.Target{target}, ""), 3) })
}
