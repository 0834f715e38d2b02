package upstream

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// lenient leaves attempts all the time they need.
func lenient() Settings {
	return Settings{Connect: 5 * time.Second, FirstByte: 20 * time.Second, Idle: 20 * time.Second, Total: time.Minute, Attempts: 3, Cooldown: time.Minute}
}

// world is some providers and what reached them.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	seen    []string // "provider key"
	headers []http.Header
	conns   map[net.Conn]bool
	call    Call
}

// newWorld makes providers p0, p1, …, each with its keys. Answer says what a
// key gets: a status, and a body.
func newWorld(t *testing.T, keys [][]string, answer func(key string) (int, string)) *world {
	t.Helper()
	w := &world{t: t, conns: map[net.Conn]bool{}}
	for i, names := range keys {
		p := &routing.Provider{Name: "p" + string(rune('0'+i)), Kind: provider.Kind{Auth: provider.Bearer}}
		srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			key := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer secret-")
			w.mu.Lock()
			w.seen = append(w.seen, p.Name+" "+key)
			w.headers = append(w.headers, r.Header.Clone())
			w.mu.Unlock()
			status, body := answer(key)
			if status == 0 {
				panic(http.ErrAbortHandler)
			}
			rw.Header().Set("Location", "http://169.254.169.254/latest")
			rw.WriteHeader(status)
			_, _ = io.WriteString(rw, body)
		}))
		srv.Config.ConnState = func(c net.Conn, _ http.ConnState) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.conns[c] = true
		}
		srv.Start()
		t.Cleanup(srv.Close)
		p.BaseURL = srv.URL
		for _, name := range names {
			p.Credentials = append(p.Credentials, routing.Credential{ID: p.Name + name, Name: name, Weight: 1, Secret: hub.Secret("secret-" + name)})
		}
		w.call.Plan.Targets = append(w.call.Plan.Targets, routing.Target{Provider: p, Model: "m"})
	}
	w.call.Prepare = func(*routing.Target) (Request, error) {
		return Request{Path: "/chat?x=1", Body: []byte(`{"a":1}`)}, nil
	}
	w.call.Fault = func(_ *routing.Target, status int, _ http.Header, body []byte) *hub.Error {
		e := &hub.Error{Code: hub.CodeUpstream, Status: status, Message: string(body), Class: hub.ClassRequest}
		switch status {
		case http.StatusTooManyRequests:
			e.Class, e.RetryAfter = hub.ClassRateLimit, 30*time.Second
		case http.StatusUnauthorized, http.StatusPaymentRequired:
			e.Class = hub.ClassCredential
		case http.StatusInternalServerError:
			e.Class = hub.ClassRetry
		case http.StatusUnavailableForLegalReasons:
			e.Class = hub.ClassRefused
		}
		return e
	}
	return w
}

func (w *world) client(s Settings) *Client {
	c := New(s, time.Now)
	w.t.Cleanup(c.Close)
	return c
}

func status(all map[string]int) func(string) (int, string) {
	return func(key string) (int, string) {
		if s, ok := all[key]; ok {
			return s, "words of the provider"
		}
		return http.StatusOK, "answer of " + key
	}
}

func body(t *testing.T, a *Answer) string {
	t.Helper()
	b, err := io.ReadAll(a.Body)
	require.NoError(t, err)
	require.NoError(t, a.Body.Close())
	return string(b)
}

func TestAFailedAttemptGoesToTheNextKeyAndThenToTheNextTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a", "b"}, {"c"}}, status(map[string]int{"a": 500, "b": 401}))
	got, trace, err := w.client(lenient()).Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of c", body(t, got))
	assert.Equal(t, []string{"p0 a", "p0 b", "p1 c"}, w.seen)
	assert.Equal(t, "p1", got.Target.Provider.Name)
	assert.Equal(t, "c", got.Credential.Name)
	assert.Equal(t, 3, trace.Tries)
	assert.Same(t, got.Target, trace.Last)
	assert.Equal(t, "c", trace.LastKey.Name)
	require.Len(t, trace.Attempts, 2)
	assert.Equal(t, []int{500, 401}, []int{trace.Attempts[0].HTTPStatus, trace.Attempts[1].HTTPStatus})
	assert.Equal(t, []string{"a", "b"}, []string{trace.Attempts[0].Credential, trace.Attempts[1].Credential})
}

func TestTheNumberOfAttemptsIsLimited(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a", "b"}, {"c", "d"}}, status(map[string]int{"a": 500, "b": 500, "c": 500, "d": 500}))
	s := lenient()
	s.Attempts = 3
	_, trace, err := w.client(s).Do(t.Context(), w.call)
	require.Error(t, err)
	assert.Len(t, w.seen, 3)
	assert.Equal(t, 3, trace.Tries)
	assert.Equal(t, 500, hub.AsError(err).Status)
}

func TestFaultsOfTheRequestAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, code := range []int{400, 404, 422, 451} {
		w := newWorld(t, [][]string{{"a", "b"}, {"c"}}, status(map[string]int{"a": code}))
		c := w.client(lenient())
		_, trace, err := c.Do(t.Context(), w.call)
		require.Error(t, err)
		assert.Equal(t, []string{"p0 a"}, w.seen, code)
		assert.Equal(t, "words of the provider", hub.AsError(err).Message, "4xx keep their message")
		assert.Len(t, trace.Attempts, 1)
		assert.Len(t, c.pool.order(w.call.Plan.Targets, ""), 3, "and the key does not rest")
	}
}

func TestARedirectIsNeverFollowed(t *testing.T) {
	t.Parallel()
	for _, code := range []int{301, 302, 307, 308} {
		w := newWorld(t, [][]string{{"a"}, {"b"}}, status(map[string]int{"a": code}))
		got, trace, err := w.client(lenient()).Do(t.Context(), w.call)
		require.NoError(t, err)
		assert.Equal(t, "answer of b", body(t, got))
		require.Len(t, trace.Attempts, 1)
		assert.Contains(t, trace.Attempts[0].Error, "redirect")
		assert.NotContains(t, trace.Attempts[0].Error, "169.254", "where it points to is not told")
	}
}

func TestAProviderThatCutsTheConnectionIsAnotherAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}, {"b"}}, status(map[string]int{"a": 0}))
	got, trace, err := w.client(lenient()).Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of b", body(t, got))
	assert.Equal(t, "The provider p0 cannot be reached.", trace.Attempts[0].Error)
	assert.Equal(t, http.StatusBadGateway, trace.Attempts[0].HTTPStatus)
}

func TestAProviderThatIsNotThereIsNamedWithoutItsAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}}, nil)
	p := w.call.Plan.Targets[0].Provider
	for _, base := range []string{"http://127.0.0.1:1", "http://user:hunter2@127.0.0.1:1/v1", "http://bad host/hunter2", "http://127.0.0.1:1/%zz?key=hunter2"} {
		p.BaseURL = base
		_, trace, err := w.client(lenient()).Do(t.Context(), w.call)
		require.Error(t, err)
		e := hub.AsError(err)
		assert.Equal(t, "The provider p0 cannot be reached.", e.Message)
		assert.NotContains(t, e.Message+trace.Attempts[0].Error, "127.0.0.1")
		assert.NotContains(t, e.Message+trace.Attempts[0].Error, "hunter2")
		assert.NotContains(t, e.Error(), "secret-a")
	}
}

func TestOurCredentialReplacesTheCallers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}}, status(nil))
	w.call.Prepare = func(*routing.Target) (Request, error) {
		return Request{Path: "/chat?key=callers&x=1", Body: []byte("{}"), Header: http.Header{
			"Authorization": {"Bearer callers"}, "X-Api-Key": {"callers"}, "X-Goog-Api-Key": {"callers"}, "Cookie": {"callers"},
			"User-Agent": {"callers"}, "Anthropic-Beta": {"kept"}, "x-api-key": {"callers"},
		}}, nil
	}
	got, _, err := w.client(lenient()).Do(t.Context(), w.call)
	require.NoError(t, err)
	body(t, got)
	h := w.headers[0]
	assert.Equal(t, []string{"Bearer secret-a"}, h.Values("Authorization"))
	assert.Equal(t, "kept", h.Get("Anthropic-Beta"))
	assert.Equal(t, "aigne-hub", h.Get("User-Agent"))
	assert.Equal(t, "application/json", h.Get("Content-Type"))
	for name, values := range h {
		assert.NotContains(t, strings.Join(values, " "), "callers", name)
	}
	assert.Empty(t, h.Get("Accept-Encoding"), "answers are relayed as they come, so none is asked for compressed")
}

func TestPreparedHeadersAreNotChanged(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a", "b"}}, status(map[string]int{"a": 500}))
	prepared := 0
	header := http.Header{"Authorization": {"Bearer callers"}, "X-Extra": {"1"}}
	w.call.Prepare = func(*routing.Target) (Request, error) {
		prepared++
		return Request{Path: "/chat", Body: []byte("{}"), Header: header}, nil
	}
	got, _, err := w.client(lenient()).Do(t.Context(), w.call)
	require.NoError(t, err)
	body(t, got)
	assert.Equal(t, 1, prepared, "one encoding a target")
	assert.Equal(t, http.Header{"Authorization": {"Bearer callers"}, "X-Extra": {"1"}}, header)
}

func TestWhatConcernsOurOwnCredentialIsToldInOurWords(t *testing.T) {
	t.Parallel()
	for _, code := range []int{401, 402} {
		w := newWorld(t, [][]string{{"a"}}, status(map[string]int{"a": code}))
		_, _, err := w.client(lenient()).Do(t.Context(), w.call)
		e := hub.AsError(err)
		assert.Equal(t, hub.CodeProviderCredential, e.Code, "402 always means the caller's wallet, so it is not passed on")
		assert.NotContains(t, e.Message, "words of the provider")
	}
}

func TestARateLimitedKeyIsLeftInPeaceAcrossCalls(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a", "b"}}, status(map[string]int{"a": 429}))
	c := w.client(lenient())
	for range 3 {
		got, _, err := c.Do(t.Context(), w.call)
		require.NoError(t, err)
		assert.Equal(t, "answer of b", body(t, got))
	}
	assert.Equal(t, []string{"p0 a", "p0 b", "p0 b", "p0 b"}, w.seen)
}

func TestWhenAllKeysAreSentAwayTheCallerIsToldForHowLong(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}, {"b"}}, status(map[string]int{"a": 429, "b": 429}))
	c := w.client(lenient())
	_, _, err := c.Do(t.Context(), w.call)
	assert.Equal(t, http.StatusTooManyRequests, hub.AsError(err).Status, "the provider's own words the first time")
	_, trace, err := c.Do(t.Context(), w.call)
	e := hub.AsError(err)
	assert.Equal(t, hub.CodeRateLimited, e.Code)
	assert.InDelta(t, 30*time.Second, e.RetryAfter, float64(5*time.Second))
	assert.Zero(t, trace.Tries)
	assert.Nil(t, trace.Last)
	assert.Len(t, w.seen, 2, "nobody was asked again")
}

func TestARequestThatOneTargetCannotExpressGoesToAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}, {"b"}}, status(nil))
	w.call.Prepare = func(t *routing.Target) (Request, error) {
		if t.Provider.Name == "p0" {
			return Request{}, hub.Invalid("seed", "p0 has no seed.")
		}
		return Request{Path: "/chat"}, nil
	}
	c := w.client(lenient())
	got, trace, err := c.Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of b", body(t, got))
	assert.Equal(t, 1, trace.Tries)

	for _, prepare := range []error{hub.Invalid("seed", "Nobody has a seed."), hub.Errorf(hub.CodeInternal, "broken")} {
		w.call.Prepare = func(*routing.Target) (Request, error) { return Request{}, prepare }
		_, trace, err = c.Do(t.Context(), w.call)
		require.ErrorIs(t, err, prepare)
		assert.Zero(t, trace.Tries)
	}
}

func TestAnAnswerThatIsNotAcceptedIsAnotherAttempt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}, {"b"}}, status(nil))
	w.call.Accept = func(a *Answer) *hub.Error {
		if a.Credential.Name == "a" {
			return &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Message: "overloaded within a 200"}
		}
		return nil
	}
	got, trace, err := w.client(lenient()).Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of b", body(t, got))
	assert.Equal(t, "overloaded within a 200", trace.Attempts[0].Error)
}

func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}}, status(nil))
	c := w.client(lenient())
	for range 5 {
		got, _, err := c.Do(t.Context(), w.call)
		require.NoError(t, err)
		assert.Equal(t, "answer of a", body(t, got))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	assert.Len(t, w.conns, 1)
}

func TestACallerWhoLeavesEndsTheAttemptAndBlamesNoKey(t *testing.T) {
	t.Parallel()
	ctx, leave := context.WithCancel(t.Context())
	w := newWorld(t, [][]string{{"a", "b"}}, func(string) (int, string) { leave(); return 0, "" })
	c := w.client(lenient())
	_, _, err := c.Do(ctx, w.call)
	require.Error(t, err)
	assert.Len(t, w.seen, 1)
	assert.Len(t, c.pool.order(w.call.Plan.Targets, ""), 2)
	for _, s := range c.pool.state {
		assert.Zero(t, s.whole.until, "the caller's leaving says nothing of a key")
	}
}

func TestErrorBodiesAreReadToALimit(t *testing.T) {
	t.Parallel()
	w := newWorld(t, [][]string{{"a"}}, func(string) (int, string) { return 400, strings.Repeat("x", 2*maxErrorBody) })
	_, _, err := w.client(lenient()).Do(t.Context(), w.call)
	assert.Len(t, hub.AsError(err).Message, maxErrorBody)
}

func TestAProviderThatDoesNotAnswerInTimeIsAnotherAttempt(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	w := newWorld(t, [][]string{{"a"}, {"b"}}, func(key string) (int, string) {
		if key == "a" {
			<-stop
		}
		return http.StatusOK, "answer of " + key
	})
	t.Cleanup(func() { close(stop) })
	s := lenient()
	s.FirstByte = 300 * time.Millisecond
	got, trace, err := w.client(s).Do(t.Context(), w.call)
	require.NoError(t, err)
	assert.Equal(t, "answer of b", body(t, got))
	assert.Equal(t, http.StatusGatewayTimeout, trace.Attempts[0].HTTPStatus)
	assert.Equal(t, string(hub.CodeTimeout), trace.Attempts[0].Category)
}

func TestTheWholeCallHasALimitToo(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	w := newWorld(t, [][]string{{"a"}, {"b"}}, func(string) (int, string) { <-stop; return http.StatusOK, "" })
	t.Cleanup(func() { close(stop) })
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	_, trace, err := w.client(lenient()).Do(ctx, w.call)
	assert.Equal(t, hub.CodeTimeout, hub.CodeOf(err))
	assert.Equal(t, 1, trace.Tries, "there is no time for another")
}
