package fakeprovider

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const soon = 5 * time.Second

func get(t *testing.T, p *Provider, path string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+path, nil)
	require.NoError(t, err)
	req.Header = withKey(p.kind, DefaultKey)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res.StatusCode, string(body)
}

func TestErrorsCarryStatusBodyAndHeaders(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		for _, status := range []int{400, 401, 403, 404, 429, 500, 503, 529} {
			p.Script("", Answer{Status: status, Header: http.Header{"Retry-After": {"7"}}})
			res, err := post(t, p, endpoint(p.kind, false), withKey(p.kind, DefaultKey), hello(p.kind, false))
			require.NoError(t, err)
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			require.NoError(t, err)
			assert.Equal(t, status, res.StatusCode)
			assert.Equal(t, "7", res.Header.Get("Retry-After"))
			assert.NotEmpty(t, dig(decode(t, string(body)), "error", "message"))
		}
		p.Script("", Answer{Status: 502, Body: "<html>bad gateway</html>", Header: http.Header{"Content-Type": {"text/html"}}})
		status, body := ask(t, p, false, hello(p.kind, false))
		assert.Equal(t, 502, status)
		assert.Equal(t, "<html>bad gateway</html>", body)
		assert.False(t, p.Last().Known)
	})
}

func TestAnthropicsOverloadedErrorHasItsOwnType(t *testing.T) {
	t.Parallel()
	p := Start(t, Anthropic, Options{})
	p.Script("", Answer{Status: 529})
	_, body := ask(t, p, false, hello(Anthropic, false))
	assert.Equal(t, "overloaded_error", dig(decode(t, body), "error", "type"))
}

func TestAGateHoldsTheAnswerUntilItIsReleased(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		before, middle := NewGate(), NewGate()
		p.Script("", Answer{Text: Words(100), Before: before, Middle: middle})
		done := make(chan string, 1)
		go func() {
			_, body := ask(t, p, true, hello(p.kind, true)) //nolint:testifylint // a failure shows as a test that hangs
			done <- body
		}()
		<-before.Reached()
		assert.Equal(t, 1, p.InFlight())
		assert.Zero(t, p.Last().Status)
		before.Release()
		<-middle.Reached()
		assert.Equal(t, 200, p.Last().Status)
		middle.Release()
		assert.Equal(t, Words(100), streamed(t, p.kind, <-done))
		assert.Eventually(t, func() bool { return p.InFlight() == 0 }, soon, time.Millisecond)
		assert.Equal(t, 1, p.Peak())
	})
}

func TestAHeldStreamEndsWhenItsCallerLeaves(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		for _, gates := range []Answer{{Before: NewGate()}, {Text: Words(100), Middle: NewGate()}} {
			p.Script("", gates)
			ctx, leave := context.WithCancel(t.Context())
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL+endpoint(p.kind, true), strings.NewReader(hello(p.kind, true)))
			require.NoError(t, err)
			req.Header = withKey(p.kind, DefaultKey)
			done := make(chan struct{})
			go func() {
				defer close(done)
				if res, err := http.DefaultClient.Do(req); err == nil {
					_, _ = io.ReadAll(res.Body)
					res.Body.Close()
				}
			}()
			for _, g := range []*Gate{gates.Before, gates.Middle} {
				if g != nil {
					<-g.Reached()
				}
			}
			leave()
			<-done
			assert.Eventually(t, func() bool { return p.Last().Done }, soon, time.Millisecond)
			assert.True(t, p.Last().Left)
			assert.False(t, p.Last().Known)
		}
	})
}

func TestConcurrentRequestsAreCounted(t *testing.T) {
	t.Parallel()
	p := Start(t, OpenAI, Options{})
	gate := NewGate()
	p.Always("", Answer{Before: gate})
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() { ask(t, p, false, hello(OpenAI, false)) })
	}
	for range 5 {
		<-gate.Reached()
	}
	assert.Equal(t, 5, p.InFlight())
	gate.Release()
	wg.Wait()
	assert.Equal(t, 5, p.Peak())
}

// broken reads an answer that may end early.
func broken(t *testing.T, p *Provider, stream bool, b Break) (status int, body string, err error) {
	t.Helper()
	p.Script("", Answer{Text: "Grüße aus dem Süden, " + Words(60) + "tschüß", Break: b})
	res, err := post(t, p, endpoint(p.kind, stream), withKey(p.kind, DefaultKey), hello(p.kind, stream))
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	all, err := io.ReadAll(res.Body)
	return res.StatusCode, string(all), err
}

func TestATornConnectionIsSeenAsSuch(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		for _, stream := range []bool{false, true} {
			_, _, err := broken(t, p, stream, Refuse)
			require.Error(t, err)
			status, body, err := broken(t, p, stream, Cut)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Equal(t, 200, status)
			assert.Contains(t, body, "Gr")
			assert.False(t, p.Last().Known)
		}
	})
}

func TestAStreamMayLackItsEnd(t *testing.T) {
	t.Parallel()
	end := map[Kind]string{OpenAI: "[DONE]", Anthropic: "message_stop"}
	finish := map[Kind]string{OpenAI: `"finish_reason":"stop"`, Anthropic: "end_turn", Gemini: "STOP"}
	kinds(t, func(t *testing.T, p *Provider) {
		_, body, err := broken(t, p, true, NoDone)
		require.NoError(t, err)
		assert.Contains(t, body, finish[p.kind])
		if end[p.kind] != "" {
			assert.NotContains(t, body, end[p.kind])
		}
		_, body, err = broken(t, p, true, NoFinish)
		require.NoError(t, err)
		assert.NotContains(t, body, finish[p.kind])
		assert.False(t, p.Last().Known)
		_, body, err = broken(t, p, false, NoFinish)
		require.NoError(t, err)
		assert.NotContains(t, body, finish[p.kind])
	})
}

func TestErrorsGarbageAndOddBytesInTheMiddle(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		_, body, err := broken(t, p, true, ErrorFrame)
		require.NoError(t, err)
		all := events(body)
		assert.NotEmpty(t, dig(decode(t, all[len(all)-1]), "error", "message"))
		status, _, err := broken(t, p, false, ErrorFrame)
		require.NoError(t, err)
		assert.Equal(t, 500, status)

		_, body, err = broken(t, p, true, Garbage)
		require.NoError(t, err)
		bad := 0
		for _, e := range events(body) {
			if e != "[DONE]" && !json.Valid([]byte(e)) {
				bad++
			}
		}
		assert.Equal(t, 1, bad)
		_, body, err = broken(t, p, false, Garbage)
		require.NoError(t, err)
		assert.False(t, json.Valid([]byte(body)))

		for _, stream := range []bool{false, true} {
			_, body, err = broken(t, p, stream, BadUTF8)
			require.NoError(t, err)
			assert.False(t, utf8.ValidString(body))
			_, body, err = broken(t, p, stream, SplitUTF8)
			require.NoError(t, err)
			assert.True(t, utf8.ValidString(body))
			assert.Contains(t, body, "tsch")
		}
	})
}

func TestAHugeFrameIsOneFrame(t *testing.T) {
	t.Parallel()
	kinds(t, func(t *testing.T, p *Provider) {
		p.Script("", Answer{Text: "small", Break: HugeFrame, IgnoreLimit: true})
		_, body := ask(t, p, true, hello(p.kind, true))
		longest := 0
		for _, e := range events(body) {
			longest = max(longest, len(e))
		}
		assert.Greater(t, longest, 200<<10)
		assert.Equal(t, "small"+Words(hugeText), streamed(t, p.kind, body))
	})
}

func TestSplitWritesEndInsideACharacter(t *testing.T) {
	t.Parallel()
	b := []byte(`{"content":"Grüße"}`)
	at := insideCharacter(b, len(b)/2)
	assert.False(t, utf8.Valid(b[:at]))
	assert.Equal(t, 3, insideCharacter([]byte("plain"), 3))
}

func TestGeminiStreamsAreAnArrayWithoutAltSSE(t *testing.T) {
	t.Parallel()
	p := Start(t, Gemini, Options{})
	res, err := post(t, p, "/v1beta/models/gemini-fake:streamGenerateContent", withKey(Gemini, DefaultKey), hello(Gemini, true))
	require.NoError(t, err)
	defer res.Body.Close()
	var all []any
	require.NoError(t, json.NewDecoder(res.Body).Decode(&all))
	assert.Greater(t, len(all), 2)
}
