package lambdahttp_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/lambdahttp"
)

// call streams h's answer to the Function URL event and checks that the handler is
// over when Close returns.
func call(t *testing.T, h http.HandlerFunc) *events.LambdaFunctionURLStreamingResponse {
	t.Helper()
	return callWith(t, "POST", h)
}

func callWith(t *testing.T, method string, h http.HandlerFunc) *events.LambdaFunctionURLStreamingResponse {
	t.Helper()
	var ev events.LambdaFunctionURLRequest
	require.NoError(t, json.Unmarshal(event(t, "function-url"), &ev))
	ev.RequestContext.HTTP.Method = method
	res, err := lambdahttp.Stream(h, quiet())(t.Context(), &ev)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, res.Close()) })
	return res
}

func TestStreamHandsOnEachWrite(t *testing.T) {
	t.Parallel()
	seen := make(chan struct{})
	res := call(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: 1\n\n")
		<-seen // nothing more until the reader has the first
		_, _ = io.WriteString(w, "data: 2\n\n")
	})
	assert.Equal(t, "text/event-stream", res.Headers["Content-Type"])
	buf := make([]byte, 1000)
	n, err := res.Body.Read(buf)
	require.NoError(t, err)
	assert.Equal(t, "data: 1\n\n", string(buf[:n]))
	close(seen)
	rest, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, "data: 2\n\n", string(rest))
}

func TestStreamFlushSendsTheHeader(t *testing.T) {
	t.Parallel()
	flushed := make(chan struct{})
	res := call(t, func(w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		assert.NoError(t, rc.Flush())
		assert.ErrorIs(t, rc.SetWriteDeadline(time.Now()), http.ErrNotSupported)
		assert.ErrorIs(t, rc.SetReadDeadline(time.Now()), http.ErrNotSupported)
		<-flushed
		_, err := w.Write(nil) // must not wait for a reader
		assert.NoError(t, err)
	})
	close(flushed) // reached while the handler is still running: Flush let the header out
	assert.Equal(t, http.StatusOK, res.StatusCode)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Empty(t, b)
}

func TestStreamEndsOnlyAfterTheHandler(t *testing.T) {
	t.Parallel()
	var settled atomic.Bool
	res := call(t, func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "last byte")
		settled.Store(true)
	})
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	assert.Equal(t, "last byte", string(b))
	assert.True(t, settled.Load())
}

func TestStreamWhoseReaderLeaves(t *testing.T) {
	t.Parallel()
	var settled atomic.Bool
	res := call(t, func(w http.ResponseWriter, r *http.Request) {
		_, err := io.WriteString(w, "first")
		assert.NoError(t, err)
		_, err = io.WriteString(w, "second")
		assert.ErrorIs(t, err, io.ErrClosedPipe)
		<-r.Context().Done()
		assert.ErrorIs(t, r.Context().Err(), context.Canceled)
		settled.Store(true) // settlement under its own context
	})
	n, err := io.ReadFull(res.Body, make([]byte, 5))
	require.NoError(t, err)
	assert.Equal(t, 5, n)
	require.NoError(t, res.Close())
	assert.True(t, settled.Load(), "Close waits for the handler")
}

func TestStreamThatPanicsInTheMiddle(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]any{"a value": "secret detail", "an aborting handler": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			res := call(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "data: 1\n\n")
				panic(p)
			})
			b, err := io.ReadAll(res.Body)
			assert.Equal(t, "data: 1\n\n", string(b))
			require.Error(t, err, "not a clean end")
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestStreamOfAHandlerThatEndsItsGoroutine(t *testing.T) {
	t.Parallel()
	res := call(t, func(http.ResponseWriter, *http.Request) { runtime.Goexit() }) // as a mock that fails would
	assert.Equal(t, http.StatusInternalServerError, res.StatusCode)
}
