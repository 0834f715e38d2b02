package lambdalocal_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/lambdalocal"
)

// app is a running test function with every front end.
type app struct {
	*lambdalocal.Function
	gates  chan gate
	fronts map[string]*httptest.Server
}

// gate is a point that the function has reached; it goes on when pass is called.
type gate struct {
	at   string
	pass func()
}

// start runs the bootstrap twice, as a streaming and as a buffered function, since a
// function is one or the other.
func start(t *testing.T, bootstrap string, cfg lambdalocal.Config, stream bool) *app {
	t.Helper()
	a := &app{gates: make(chan gate), fronts: map[string]*httptest.Server{}}
	ended := make(chan struct{})
	gates := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		leave := make(chan struct{})
		select {
		case a.gates <- gate{r.URL.Query().Get("at"), func() { close(leave) }}:
		case <-ended:
			return
		}
		select {
		case <-leave:
		case <-ended:
		}
	}))
	t.Cleanup(gates.Close)
	cfg.Bootstrap = bootstrap
	cfg.Env = append(cfg.Env, "GATE="+gates.URL)
	if stream {
		cfg.Env = append(cfg.Env, "STREAM=1")
	}
	a.Function = lambdalocal.Start(t, cfg)
	for name, h := range map[string]http.Handler{
		"a streaming Function URL": a.FunctionURL(), "a buffered Function URL": a.FunctionURLBuffered(), "an HTTP API": a.HTTPAPI(),
		"a REST API": a.RESTAPI(), "a load balancer": a.ALB(true), "a load balancer with single values": a.ALB(false),
	} {
		if (name == "a streaming Function URL") != stream {
			continue
		}
		a.fronts[name] = httptest.NewServer(h)
		t.Cleanup(a.fronts[name].Close)
	}
	t.Cleanup(func() { close(ended) }) // first of all, so that nothing waits for a leave
	return a
}

// one returns the only front end of a streaming function.
func (a *app) stream() string { return a.fronts["a streaming Function URL"].URL }

func get(t *testing.T, url string) (*http.Response, string) {
	t.Helper()
	res, err := http.Get(url)
	require.NoError(t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return res, string(b)
}

// at waits until the function is at a gate.
func (a *app) at(t *testing.T, want string) gate {
	t.Helper()
	select {
	case g := <-a.gates:
		require.Equal(t, want, g.at)
		return g
	case <-time.After(20 * time.Second):
		require.FailNow(t, "the function never came to "+want)
	}
	return gate{}
}

// TestBootstrap runs everything over one binary, built once.
func TestBootstrap(t *testing.T) {
	t.Parallel()
	bootstrap := lambdalocal.Build(t, "./testdata/app")
	for name, test := range map[string]func(*testing.T, string){
		"each front end":  testFronts,
		"stream":          testStream,
		"broken stream":   testBrokenStream,
		"freeze":          testFreeze,
		"time-outs":       testTimeouts,
		"exits":           testExits,
		"schedule":        testSchedule,
		"scale out":       testScale,
		"closing":         testClose,
		"large streams":   testLargeStream,
		"too large":       testTooLarge,
		"clients leaving": testClientLeaves,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, bootstrap)
		})
	}
}

func testStream(t *testing.T, bootstrap string) {
	a := start(t, bootstrap, lambdalocal.Config{}, true)
	res, err := http.Get(a.stream() + "/sse")
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	buf := make([]byte, 9)
	for _, frame := range []string{"0", "1", "2"} {
		// The function stands at the gate behind this frame: it has not written the next.
		_, err := io.ReadFull(res.Body, buf)
		require.NoError(t, err)
		assert.Equal(t, "data: "+frame+"\n\n", string(buf))
		a.at(t, "frame"+frame).pass()
	}
	_, err = res.Body.Read(buf)
	assert.ErrorIs(t, err, io.EOF)
}

func testBrokenStream(t *testing.T, bootstrap string) {
	a := start(t, bootstrap, lambdalocal.Config{Max: 1}, true)
	before := pid(t, a.stream())
	res, err := http.Get(a.stream() + "/midpanic")
	require.NoError(t, err)
	defer res.Body.Close()
	assert.Equal(t, http.StatusOK, res.StatusCode)
	b, err := io.ReadAll(res.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF, "the client sees that the stream is not whole")
	assert.Equal(t, "data: 1\n\n", string(b))
	assert.Equal(t, before, pid(t, a.stream()), "the process lives on")
}

// testFreeze shows that the sandbox runs until the handler is over, and stands still after.
func testFreeze(t *testing.T, bootstrap string) {
	a := start(t, bootstrap, lambdalocal.Config{Max: 1}, true)
	res, err := http.Get(a.stream() + "/settle")
	require.NoError(t, err)
	defer res.Body.Close()
	_, err = io.ReadFull(res.Body, make([]byte, len("last byte")))
	require.NoError(t, err)
	a.at(t, "settling").pass() // the client has everything; the process still works
	a.at(t, "settled").pass()
	_, err = io.ReadAll(res.Body)
	require.NoError(t, err)
	process := pid(t, a.stream())
	assert.Eventually(t, func() bool { return state(t, process) == "T" }, 10*time.Second, time.Millisecond, "stopped between invocations")
}

// state returns the process's state letter.
func state(t *testing.T, pid int) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("no /proc here")
	}
	require.NoError(t, err)
	_, rest, _ := strings.Cut(string(b), ") ")
	return rest[:1]
}

func testTimeouts(t *testing.T, bootstrap string) {
	t.Run("a handler that heeds its context still answers", func(t *testing.T) {
		t.Parallel()
		cfg := lambdalocal.Config{Timeout: 6 * time.Second} // a quarter of it is left for the answer
		a, b := start(t, bootstrap, cfg, true), start(t, bootstrap, cfg, false)
		for _, url := range []string{a.stream(), b.fronts["an HTTP API"].URL} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				res, _ := get(t, url+"/slow")
				assert.Equal(t, http.StatusGatewayTimeout, res.StatusCode)
			})
		}
	})
	cfg := lambdalocal.Config{Timeout: 2 * time.Second}
	a, b := start(t, bootstrap, cfg, true), start(t, bootstrap, cfg, false)
	t.Run("one that does not is killed", func(t *testing.T) {
		t.Parallel()
		for _, url := range []string{a.stream(), b.fronts["an HTTP API"].URL} {
			before := pid(t, url)
			res, _ := get(t, url+"/hang")
			assert.Equal(t, http.StatusBadGateway, res.StatusCode)
			assert.Contains(t, res.Header.Get("X-Lambdalocal-Error"), "timed out")
			assert.NotEqual(t, before, pid(t, url))
		}
	})
	t.Run("in the middle of a stream too", func(t *testing.T) {
		t.Parallel()
		res, err := http.Get(a.stream() + "/hang?midway")
		require.NoError(t, err)
		defer res.Body.Close()
		_, err = io.ReadAll(res.Body)
		assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	})
}

func testExits(t *testing.T, bootstrap string) {
	a, b := start(t, bootstrap, lambdalocal.Config{Max: 1}, true), start(t, bootstrap, lambdalocal.Config{Max: 1}, false)
	for _, url := range []string{a.stream(), b.fronts["a REST API"].URL} {
		before := pid(t, url)
		res, _ := get(t, url+"/exit")
		assert.Equal(t, http.StatusBadGateway, res.StatusCode)
		assert.NotEqual(t, before, pid(t, url), "a fresh process")
	}
	res, err := http.Get(a.stream() + "/exit?midway")
	require.NoError(t, err)
	defer res.Body.Close()
	a.at(t, "exit").pass()
	_, err = io.ReadAll(res.Body)
	assert.ErrorIs(t, err, io.ErrUnexpectedEOF)
	pid(t, a.stream())

	_, err = b.Invoke(t.Context(), []byte(`{"version":"2.0","rawPath":"/exit","requestContext":{"http":{"method":"GET"}}}`))
	assert.ErrorIs(t, err, lambdalocal.ErrExit)
}

func testSchedule(t *testing.T, bootstrap string) {
	for _, stream := range []bool{false, true} {
		a := start(t, bootstrap, lambdalocal.Config{Max: 1}, stream)
		for _, at := range []string{"count1", "count2"} { // the same process counts on
			done := make(chan error, 1)
			go func() {
				out, err := a.Invoke(t.Context(), []byte(`{"job":"app.count"}`))
				assert.JSONEq(t, `{"job":"app.count","status":"done"}`, string(out))
				done <- err
			}()
			a.at(t, at).pass()
			require.NoError(t, <-done)
		}
		for job, want := range map[string]string{"app.fail": "no luck", "app.panic": "it panicked", "app.absent": "There is no job"} {
			_, err := a.Invoke(t.Context(), []byte(`{"job":"`+job+`"}`))
			var failed *lambdalocal.FunctionError
			require.ErrorAs(t, err, &failed)
			assert.Contains(t, failed.Message, want)
		}
		_, err := a.Invoke(t.Context(), []byte(`{"Records":[]}`))
		assert.ErrorContains(t, err, "cannot read this event")
		assert.Equal(t, 1, a.Started(), "no failure ends the process")
	}
}

func testScale(t *testing.T, bootstrap string) {
	a := start(t, bootstrap, lambdalocal.Config{Max: 2}, true)
	var open []gate
	for range 2 { // each keeps a process busy
		res, err := http.Get(a.stream() + "/sse")
		require.NoError(t, err)
		t.Cleanup(func() { _ = res.Body.Close() })
		open = append(open, a.at(t, "frame0"))
	}
	res, _ := get(t, a.stream()+"/empty")
	assert.Equal(t, http.StatusTooManyRequests, res.StatusCode)
	for _, g := range open {
		g.pass()
	}
	assert.Equal(t, 2, a.Started())
}

func testClose(t *testing.T, bootstrap string) {
	a := start(t, bootstrap, lambdalocal.Config{}, false)
	failed := make(chan error, 1)
	go func() {
		_, err := a.Invoke(t.Context(), []byte(`{"job":"app.count"}`))
		failed <- err
	}()
	a.at(t, "count1")
	a.Close()
	require.ErrorIs(t, <-failed, lambdalocal.ErrExit)
	_, err := a.Invoke(t.Context(), []byte(`{}`))
	require.ErrorIs(t, err, lambdalocal.ErrClosed)

	_, err = lambdalocal.New(lambdalocal.Config{Bootstrap: "testdata/app/main.go"})
	require.Error(t, err, "not executable")
	f := lambdalocal.Start(t, lambdalocal.Config{Bootstrap: "/bin/false"})
	_, err = f.Invoke(t.Context(), []byte(`{}`))
	require.ErrorIs(t, err, lambdalocal.ErrInit)

	b := start(t, bootstrap, lambdalocal.Config{}, false)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, err := b.Invoke(ctx, []byte(`{"job":"app.count"}`)); failed <- err }()
	b.at(t, "count1")
	cancel()
	require.ErrorIs(t, <-failed, context.Canceled)
}

// testClientLeaves shows that a client's going does not stop the function, as on
// Lambda: it settles what it has begun.
func testClientLeaves(t *testing.T, bootstrap string) {
	a := start(t, bootstrap, lambdalocal.Config{Max: 1}, true)
	before := pid(t, a.stream())
	ctx, leave := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.stream()+"/sse", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	first := a.at(t, "frame0")
	leave()
	_ = res.Body.Close()
	first.pass()
	a.at(t, "frame1").pass()
	last := a.at(t, "frame2")
	res2, _ := get(t, a.stream()+"/empty")
	assert.Equal(t, http.StatusTooManyRequests, res2.StatusCode, "still busy")
	last.pass()
	require.Eventually(t, func() bool {
		res, err := http.Get(a.stream() + "/empty")
		if err != nil {
			return false
		}
		defer res.Body.Close()
		_, err = io.ReadAll(res.Body)
		return err == nil && res.StatusCode == http.StatusOK
	}, 10*time.Second, 10*time.Millisecond)
	assert.Equal(t, before, pid(t, a.stream()))
}
