package lambdahttp_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/lambdahttp"
)

func TestBinaryBodies(t *testing.T) {
	t.Parallel()
	binary := []byte{0xff, 0x00, 0xfe, 'x'}
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.Equal(t, binary, got)
		_, _ = w.Write(got)
	})
	fields := map[string]any{"body": base64.StdEncoding.EncodeToString(binary), "isBase64Encoded": true}
	for file := range httpKinds() {
		res, err := lambdahttp.Buffered(h, quiet())(t.Context(), edited(t, file, fields))
		require.NoError(t, err)
		a := flatten(t, res)
		assert.True(t, a.encoded, file)
		assert.Equal(t, base64.StdEncoding.EncodeToString(binary), a.body, file)
	}
}

func TestAnswersThatLambdaWouldRefuse(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		file, body string
		ok         bool
	}{
		"nearly 6 MB of text fits":                   {"api-gateway-v2", strings.Repeat("x", 6<<20-1000), true},
		"6 MB of text does not, with its envelope":   {"api-gateway-v2", strings.Repeat("x", 6<<20), false},
		"more than 6 MB does not":                    {"function-url", strings.Repeat("x", 6<<20+1), false},
		"5 MB of binary does not, as base64":         {"api-gateway-v1", strings.Repeat("\xff", 5<<20), false},
		"4 MB of binary does":                        {"api-gateway-v1", strings.Repeat("\xff", 4<<20), true},
		"4 MB of quotes does not, escaped":           {"api-gateway-v1", strings.Repeat(`"`, 4<<20), false},
		"5 MB of angle brackets does, not escaped":   {"api-gateway-v1", strings.Repeat(`<`, 5<<20), true},
		"1 MB does not behind a load balancer":       {"alb", strings.Repeat("x", 1<<20), false},
		"nearly 1 MB does behind a load balancer":    {"alb", strings.Repeat("x", 1<<20-1000), true},
		"2 MB in one write behind a load balancer":   {"alb", strings.Repeat("x", 2<<20), false},
		"700 kB of quotes behind a single-value one": {"alb-single", strings.Repeat(`"`, 700<<10), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/plain")
				_, _ = io.WriteString(w, c.body)
			})
			res, err := lambdahttp.Buffered(h, quiet())(t.Context(), event(t, c.file))
			require.NoError(t, err)
			a := flatten(t, res)
			if c.ok {
				assert.Equal(t, http.StatusOK, a.status)
				return
			}
			assert.Equal(t, http.StatusInternalServerError, a.status)
			assert.Contains(t, a.body, "MB that this endpoint can return")
			assert.Contains(t, a.body, `"code":"internal"`)
		})
	}
}

func TestLoadBalancerAnswers(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for _, c := range []string{"a=1", "b=2", "c=3"} {
			w.Header().Add("Set-Cookie", c)
		}
		w.Header().Add("Vary", "Origin")
		w.Header().Add("Vary", "Accept")
		w.WriteHeader(http.StatusNotFound)
	})
	res, err := lambdahttp.Buffered(h, quiet())(t.Context(), event(t, "alb"))
	require.NoError(t, err)
	multi := res.(events.ALBTargetGroupResponse)
	assert.Equal(t, "404 Not Found", multi.StatusDescription)
	assert.Equal(t, []string{"a=1", "b=2", "c=3"}, multi.MultiValueHeaders["Set-Cookie"])
	assert.Empty(t, multi.Headers)

	res, err = lambdahttp.Buffered(h, quiet())(t.Context(), event(t, "alb-single"))
	require.NoError(t, err)
	single := res.(events.ALBTargetGroupResponse)
	assert.Equal(t, map[string]string{"set-cookie": "a=1", "Set-cookie": "b=2", "sEt-cookie": "c=3", "Vary": "Origin, Accept"}, single.Headers)
	assert.Empty(t, single.MultiValueHeaders)
}

func TestContextEndsBeforeTheSandbox(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ timeout, margin, want time.Duration }{
		"five seconds before, by default":   {time.Minute, 0, 55 * time.Second},
		"the margin before":                 {time.Minute, 10 * time.Second, 50 * time.Second},
		"at most a quarter of what is left": {8 * time.Second, 0, 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				deadline, ok := r.Context().Deadline()
				assert.True(t, ok)
				assert.InDelta(t, c.want.Seconds(), time.Until(deadline).Seconds(), 1)
			})
			ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
			defer cancel()
			for _, stream := range []bool{false, true} {
				res, err := handler(t, h, lambdahttp.Options{Margin: c.margin, Stream: stream})(ctx, event(t, "function-url"))
				require.NoError(t, err)
				flatten(t, res)
			}
		})
	}
}

func TestPanicsAreLoggedOnceAndWithoutTheQuery(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	opts := lambdahttp.Options{Log: slog.New(slog.NewJSONHandler(&out, nil))}
	h := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("boom") })
	_, err := lambdahttp.Buffered(h, opts)(t.Context(), edited(t, "api-gateway-v2", map[string]any{"rawQueryString": "key=sk-secret"}))
	require.NoError(t, err)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), "one line")
	assert.Equal(t, "boom", line["panic"])
	assert.Equal(t, "/v1/models/openai/gpt-4o", line["path"])
	assert.Contains(t, line["stack"], "buffered_test.go")
	assert.NotContains(t, out.String(), "sk-secret")
}

func TestResponseControllerWithoutStreaming(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		rc := http.NewResponseController(w)
		assert.ErrorIs(t, rc.Flush(), http.ErrNotSupported)
		assert.ErrorIs(t, rc.SetWriteDeadline(time.Now()), http.ErrNotSupported)
	})
	_, err := lambdahttp.Buffered(h, quiet())(t.Context(), event(t, "api-gateway-v2"))
	require.NoError(t, err)
}
