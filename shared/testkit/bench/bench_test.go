package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func upstream(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- serveFakeup(ctx, l) }()
	t.Cleanup(func() { stop(); assert.NoError(t, <-done) })
	return "http://" + l.Addr().String()
}

func floorOf(t *testing.T, up string) string {
	t.Helper()
	h, err := newFloor(up)
	require.NoError(t, err)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestTheHistogramIsExactToOnePercent(t *testing.T) {
	t.Parallel()
	var h, other histogram
	for i := 1; i <= 10_000; i++ {
		h.add(time.Duration(i) * time.Microsecond)
		other.add(time.Duration(i) * time.Millisecond)
	}
	assert.InEpsilon(t, float64(5*time.Millisecond), float64(h.quantile(0.5)), 0.01)
	assert.InEpsilon(t, float64(9900*time.Microsecond), float64(h.quantile(0.99)), 0.01)
	assert.Equal(t, 10*time.Millisecond, h.max)
	h.merge(&other)
	assert.InEpsilon(t, float64(9900*time.Millisecond), float64(h.quantile(0.995)), 0.02)
	assert.Equal(t, 10*time.Second, h.max)
	assert.Zero(t, (&histogram{}).quantile(0.5))
	var huge histogram
	huge.add(20 * time.Hour)
	huge.add(-1)
	assert.Equal(t, 20*time.Hour, huge.max)
}

func TestTheFakeUpstreamAnswersRealClients(t *testing.T) {
	t.Parallel()
	for name, address := range map[string]string{"direct": upstream(t), "through the floor": floorOf(t, upstream(t))} {
		post := func(j Job) (http.Header, string) {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, address+"/v1/chat/completions", strings.NewReader(j.body()))
			require.NoError(t, err, name)
			res, err := http.DefaultClient.Do(req)
			require.NoError(t, err, name)
			defer res.Body.Close()
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err, name)
			require.Equal(t, 200, res.StatusCode)
			return res.Header, string(body)
		}
		_, body := post(Job{Prompt: 100_000})
		var whole struct {
			Usage map[string]any `json:"usage"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &whole), name)
		assert.NotEmpty(t, whole.Usage, name)

		header, body := post(Job{Frames: 50})
		assert.Equal(t, "text/event-stream", header.Get("Content-Type"), name)
		assert.Equal(t, 54, strings.Count(body, "data: "), name)
		assert.True(t, strings.HasSuffix(body, "data: [DONE]\n\n"), name)
		_, body = post(Job{Frames: 3, Every: time.Millisecond})
		assert.Equal(t, 7, strings.Count(body, "data: "), name)
		for _, line := range strings.Split(body, "\n") {
			if data, ok := strings.CutPrefix(line, "data: "); ok && data != "[DONE]" {
				assert.True(t, json.Valid([]byte(data)), data)
			}
		}
	}
}

func TestClosedLoopsCountWhatTheyGet(t *testing.T) {
	t.Parallel()
	up := upstream(t)
	for name, j := range map[string]Job{
		"whole answers": {Conns: 4, Prompt: 1 << 10},
		"long prompts":  {Conns: 1, Prompt: 4 << 20},
		"streams":       {Conns: 4, Frames: 200},
		"paced streams": {Conns: 4, Frames: 3, Every: time.Millisecond, Wait: time.Millisecond},
	} {
		j.URL, j.Time = floorOf(t, up), 100*time.Millisecond
		r, err := run(t.Context(), j)
		require.NoError(t, err, name)
		assert.Zero(t, r.Errors, "%s: %s", name, r.LastError)
		assert.Positive(t, r.Requests, name)
		assert.Positive(t, r.Whole.P50, name)
		assert.LessOrEqual(t, r.First.P50, r.Whole.P99, name)
		if j.Frames > 0 {
			assert.Equal(t, r.Requests*int64(j.Frames+4), r.Frames, name)
		}
		if j.Every > 0 {
			assert.Positive(t, r.Transit.P50, name)
			assert.GreaterOrEqual(t, r.First.P50, 1.0, "the upstream waits a millisecond")
		}
	}
}

func TestOpenLoopsKeepTheirRateAndCountTheWaiting(t *testing.T) {
	t.Parallel()
	j := Job{URL: upstream(t), Conns: 8, Rate: 200, Time: 400 * time.Millisecond, Prompt: 100}
	r, err := run(t.Context(), j)
	require.NoError(t, err)
	assert.Zero(t, r.Errors, r.LastError)
	assert.InDelta(t, 80, r.Requests, 2)

	j.Conns, j.Wait = 1, 20*time.Millisecond // one connection serves 50 a second
	r, err = run(t.Context(), j)
	require.NoError(t, err)
	assert.Greater(t, r.Whole.P99, 500.0, "requests that were due long ago")
}

func TestErrorsAndShortAnswersAreCounted(t *testing.T) {
	t.Parallel()
	bad := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if strings.Contains(string(body), `"stream":true`) {
			w.Header().Set("Content-Type", "text/event-stream")
			fmt.Fprint(w, "data: {}\n\n")
			_ = http.NewResponseController(w).Flush()
			return
		}
		http.Error(w, `{"error":"no"}`, http.StatusServiceUnavailable)
	}))
	t.Cleanup(bad.Close)
	for _, c := range []struct {
		frames int
		want   string
	}{{0, "status 503"}, {5, errShort.Error()}} {
		r, err := run(t.Context(), Job{URL: bad.URL, Conns: 1, Time: 30 * time.Millisecond, Frames: c.frames})
		require.NoError(t, err)
		assert.Equal(t, r.Requests, r.Errors)
		assert.Contains(t, r.LastError, c.want)
	}
}

func TestLoadAndServersStayOnLoopback(t *testing.T) {
	t.Parallel()
	_, err := run(t.Context(), Job{URL: "http://192.0.2.1", Conns: 1})
	require.ErrorContains(t, err, "loopback")
	for _, part := range []string{"fakeup", "floor"} {
		require.ErrorContains(t, dispatch(t.Context(), []string{part, "-listen", "0.0.0.0:0"}, io.Discard), "loopback")
	}
}

func TestAProcessIsReadFromProc(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := dispatch(t.Context(), []string{"cpu", fmt.Sprint(os.Getpid())}, &out); err != nil {
		t.Skipf("no /proc here: %v", err)
	}
	var p Process
	require.NoError(t, json.Unmarshal(out.Bytes(), &p))
	assert.Greater(t, p.RSS, int64(1000))
	assert.GreaterOrEqual(t, p.Peak, p.RSS/2)
	assert.Error(t, dispatch(t.Context(), []string{"cpu", "0"}, &out))
	assert.Error(t, dispatch(t.Context(), []string{"nothing"}, &out))
}
