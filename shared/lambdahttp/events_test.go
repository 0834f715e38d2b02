package lambdahttp_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/lambdahttp"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

func event(t testing.TB, name string) json.RawMessage {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "lambda", name+".json"))
	require.NoError(t, err)
	return b
}

// edited returns an event with top-level fields replaced.
func edited(t testing.TB, name string, fields map[string]any) json.RawMessage {
	t.Helper()
	var ev map[string]any
	require.NoError(t, json.Unmarshal(event(t, name), &ev))
	for k, v := range fields {
		ev[k] = v
	}
	b, err := json.Marshal(ev)
	require.NoError(t, err)
	return b
}

func quiet() lambdahttp.Options {
	return lambdahttp.Options{Log: slog.New(slog.DiscardHandler)}
}

func handler(t testing.TB, h http.Handler, opts lambdahttp.Options, jobs ...schedule.Job) func(context.Context, json.RawMessage) (any, error) {
	t.Helper()
	if opts.Log == nil {
		opts.Log = quiet().Log
	}
	handle, err := lambdahttp.Handler(h, jobs, opts)
	require.NoError(t, err)
	return handle
}

// answer is any kind's answer, flattened.
type answer struct {
	status  int
	header  http.Header
	body    string
	encoded bool
}

func flatten(t testing.TB, res any) answer {
	t.Helper()
	a := answer{header: http.Header{}}
	single := func(h map[string]string) {
		for k, v := range h {
			a.header.Add(k, v)
		}
	}
	multi := func(h map[string][]string) {
		for k, vs := range h {
			a.header[http.CanonicalHeaderKey(k)] = vs
		}
	}
	switch r := res.(type) {
	case events.APIGatewayV2HTTPResponse:
		single(r.Headers)
		a.header["Set-Cookie"] = r.Cookies
		a.status, a.body, a.encoded = r.StatusCode, r.Body, r.IsBase64Encoded
	case events.APIGatewayProxyResponse:
		multi(r.MultiValueHeaders)
		a.status, a.body, a.encoded = r.StatusCode, r.Body, r.IsBase64Encoded
	case events.ALBTargetGroupResponse:
		multi(r.MultiValueHeaders)
		single(r.Headers)
		a.status, a.body, a.encoded = r.StatusCode, r.Body, r.IsBase64Encoded
	case *events.LambdaFunctionURLStreamingResponse:
		single(r.Headers)
		a.header["Set-Cookie"] = r.Cookies
		a.status = r.StatusCode
		b, err := io.ReadAll(r.Body)
		require.NoError(t, err)
		require.NoError(t, r.Close())
		a.body = string(b)
	default:
		require.Failf(t, "unexpected answer", "%T", res)
	}
	return a
}

// httpKinds are the event files of every kind that carries a request, and whether
// the function that gets it streams.
func httpKinds() map[string]bool {
	return map[string]bool{"function-url": false, "api-gateway-v2": false, "api-gateway-v1": false, "alb": false, "alb-single": false}
}

// eachKind runs check for every kind of event, Function URLs in both modes.
func eachKind(t *testing.T, h http.Handler, check func(t *testing.T, file string, a answer)) {
	t.Helper()
	for file := range httpKinds() {
		t.Run("buffered "+file, func(t *testing.T) {
			t.Parallel()
			res, err := handler(t, h, quiet())(t.Context(), event(t, file))
			require.NoError(t, err)
			check(t, file, flatten(t, res))
		})
	}
	t.Run("streamed function-url", func(t *testing.T) {
		t.Parallel()
		res, err := handler(t, h, lambdahttp.Options{Stream: true})(t.Context(), event(t, "function-url"))
		require.NoError(t, err)
		check(t, "function-url", flatten(t, res))
	})
}

func TestEveryKindGivesTheSameRequest(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.JSONEq(t, `{"greet":"hello"}`, string(body))
		assert.EqualValues(t, len(body), r.ContentLength)
		assert.Equal(t, "POST", r.Method)
		assert.Equal(t, "/v1/models/openai/gpt-4o", r.URL.Path)
		assert.Equal(t, "/v1/models/openai%2Fgpt-4o", r.URL.EscapedPath(), "an encoded slash stays one")
		assert.Empty(t, r.URL.Scheme+r.URL.Host, "as a server's request")
		assert.Contains(t, r.RequestURI, "/v1/models/openai%2Fgpt-4o?")
		assert.Equal(t, "x y", r.URL.Query().Get("b"))
		assert.Contains(t, []string{"u1.lambda-url.eu-central-1.on.aws", "hub.example.com"}, r.Host)
		assert.Equal(t, "203.0.113.9:0", r.RemoteAddr)
		assert.Equal(t, []string{`{"a":1, "b":[1,2]}`}, r.Header["X-Config"], "a comma inside a value stays")
		assert.Equal(t, []string{"text/html, application/json;q=0.9"}, r.Header["Accept"])
		assert.NotContains(t, r.Header, "Host")
		assert.Equal(t, []string{"session=s1; theme=dark"}, r.Header["Cookie"])
		theme, err := r.Cookie("theme")
		assert.NoError(t, err)
		assert.Equal(t, "dark", theme.Value)
		_, limited := r.Context().Deadline()
		assert.False(t, limited, "no deadline came in, none goes on")
		w.Header().Set("X-Values", r.URL.Query()["a"][0])
		w.Header().Add("Set-Cookie", "one=1; Path=/")
		w.Header().Add("Set-Cookie", "two=2; Path=/")
		w.Header().Set("Connection", "keep-alive")
		w.WriteHeader(http.StatusContinue) // informational: dropped
		w.WriteHeader(http.StatusCreated)
		w.WriteHeader(http.StatusTeapot) // too late
		_, _ = io.WriteString(w, "made")
	})
	eachKind(t, h, func(t *testing.T, file string, a answer) {
		assert.Equal(t, http.StatusCreated, a.status)
		assert.Equal(t, "made", a.body)
		assert.Equal(t, map[bool]string{true: "2", false: "1"}[file == "alb-single"], a.header.Get("X-Values"))
		assert.ElementsMatch(t, []string{"one=1; Path=/", "two=2; Path=/"}, a.header.Values("Set-Cookie"))
		assert.NotContains(t, a.header, "Connection")
	})
}

func TestEmptyHandlerIs200(t *testing.T) {
	t.Parallel()
	eachKind(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), func(t *testing.T, _ string, a answer) {
		assert.Equal(t, http.StatusOK, a.status)
		assert.Empty(t, a.body)
	})
}

func TestPanicIsA500WithoutDetail(t *testing.T) {
	t.Parallel()
	for name, p := range map[string]any{"a value": "secret detail", "an aborting handler": http.ErrAbortHandler} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("X-Half", "done")
				w.Header().Set("Content-Encoding", "gzip")
				panic(p)
			})
			eachKind(t, h, func(t *testing.T, _ string, a answer) {
				assert.Equal(t, http.StatusInternalServerError, a.status)
				assert.JSONEq(t, `{"error":{"message":"The hub met an internal error. The request id names it in the log.","type":"server_error","code":"internal"}}`, a.body)
				assert.Equal(t, "application/json", a.header.Get("Content-Type"))
				assert.NotContains(t, a.header, "X-Half")
				assert.NotContains(t, a.header, "Content-Encoding")
			})
		})
	}
}

func TestBodyRules(t *testing.T) {
	t.Parallel()
	t.Run("204 has no body", func(t *testing.T) {
		t.Parallel()
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusNoContent)
			_, err := io.WriteString(w, "x")
			assert.ErrorIs(t, err, http.ErrBodyNotAllowed)
		})
		eachKind(t, h, func(t *testing.T, _ string, a answer) {
			assert.Equal(t, http.StatusNoContent, a.status)
			assert.Empty(t, a.body)
		})
	})
	t.Run("the content type is found as net/http finds it", func(t *testing.T) {
		t.Parallel()
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
		eachKind(t, h, func(t *testing.T, _ string, a answer) {
			assert.Equal(t, "text/html; charset=utf-8", a.header.Get("Content-Type"))
		})
	})
	t.Run("headers set after the status are ignored", func(t *testing.T) {
		t.Parallel()
		h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusOK)
			w.Header().Set("X-Late", "1")
		})
		eachKind(t, h, func(t *testing.T, _ string, a answer) { assert.NotContains(t, a.header, "X-Late") })
	})
}

func TestRequestsThatAFrontEndMangled(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ path, want, uri string }{
		"decoded percent":       {"/a%zz", "/a%zz", "/a%25zz"},
		"decoded question mark": {"/a?b", "/a?b", "/a%3Fb"},
		"a space and an umlaut": {"/ü b", "/ü b", "/%C3%BC%20b"},
		"no slash":              {"a", "/a", "/a"},
		"two slashes":           {"//evil.example/x", "//evil.example/x", "//evil.example/x"},
		"a line break":          {"/a\r\nb", "/a\r\nb", "/a%0D%0Ab"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, c.want, r.URL.Path)
				assert.Equal(t, c.uri, r.RequestURI)
				w.WriteHeader(http.StatusAccepted)
			})
			for file := range httpKinds() {
				fields := map[string]any{
					"rawPath": c.path, "path": c.path, "rawQueryString": "", "queryStringParameters": nil, "multiValueQueryStringParameters": nil,
				}
				for _, stream := range []bool{false, true} {
					res, err := handler(t, h, lambdahttp.Options{Stream: stream})(t.Context(), edited(t, file, fields))
					require.NoError(t, err, file)
					assert.Equal(t, http.StatusAccepted, flatten(t, res).status, file)
				}
			}
		})
	}
}

func TestBadRequestsAreTheCallersFault(t *testing.T) {
	t.Parallel()
	never := http.HandlerFunc(func(http.ResponseWriter, *http.Request) { assert.Fail(t, "the handler must not be called") })
	context := func(t *testing.T, file string) any {
		var ev map[string]any
		require.NoError(t, json.Unmarshal(event(t, file), &ev))
		rc := ev["requestContext"].(map[string]any)
		if h, ok := rc["http"].(map[string]any); ok {
			h["method"] = "BAD METHOD"
		}
		return rc
	}
	for file := range httpKinds() {
		for _, stream := range []bool{false, true} {
			res, err := handler(t, never, lambdahttp.Options{Stream: stream})(t.Context(), edited(t, file, map[string]any{"body": "%%%", "isBase64Encoded": true}))
			require.NoError(t, err, file)
			a := flatten(t, res)
			assert.Equal(t, http.StatusBadRequest, a.status, file)
			assert.JSONEq(t, `{"error":{"message":"The body is not valid base64.","type":"invalid_request_error","code":"invalid_request"}}`, a.body)

			res, err = handler(t, never, lambdahttp.Options{Stream: stream})(t.Context(),
				edited(t, file, map[string]any{"httpMethod": "BAD METHOD", "requestContext": context(t, file)}))
			require.NoError(t, err, file)
			assert.Equal(t, http.StatusBadRequest, flatten(t, res).status, file)
		}
	}
}

func TestOtherEvents(t *testing.T) {
	t.Parallel()
	h := http.NotFoundHandler()
	for name, raw := range map[string]string{
		"nothing known":       `{"Records":[]}`,
		"an authorizer's":     `{"version":"2.0","type":"REQUEST","routeArn":"arn:x","requestContext":{"http":{"method":"GET"}}}`,
		"a wrong type inside": `{"httpMethod":"GET","requestContext":7}`,
		"not an object":       `"hello"`,
	} {
		t.Run(name+" is an error", func(t *testing.T) {
			t.Parallel()
			_, err := handler(t, h, quiet())(t.Context(), json.RawMessage(raw))
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			_, err = lambdahttp.Buffered(h, quiet())(t.Context(), json.RawMessage(raw))
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
		})
	}
	t.Run("the option takes them", func(t *testing.T) {
		t.Parallel()
		opts := lambdahttp.Options{Other: func(_ context.Context, raw json.RawMessage) (any, error) { return string(raw), nil }}
		res, err := handler(t, h, opts)(t.Context(), json.RawMessage(`{"type":"TOKEN"}`))
		require.NoError(t, err)
		assert.Equal(t, any(`{"type":"TOKEN"}`), res)
	})
	t.Run("a schedule is not HTTP", func(t *testing.T) {
		t.Parallel()
		_, err := lambdahttp.Buffered(h, quiet())(t.Context(), event(t, "schedule"))
		assert.Error(t, err)
	})
}

func TestScheduleEvents(t *testing.T) {
	t.Parallel()
	for _, raw := range []json.RawMessage{
		event(t, "schedule"), event(t, "scheduled-event"),
		json.RawMessage(`{"detail-type":"Scheduled Event","detail":{},"input":{"job":"test.count"}}`),
	} {
		ran := 0
		handle := handler(t, http.NotFoundHandler(), quiet(), schedule.Job{Name: "test.count", Run: func(ctx context.Context) error {
			deadline, ok := ctx.Deadline()
			assert.True(t, ok)
			assert.Less(t, time.Until(deadline), time.Minute)
			ran++
			return nil
		}})
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		res, err := handle(ctx, raw)
		cancel()
		require.NoError(t, err)
		assert.Equal(t, 1, ran)
		b, err := json.Marshal(res)
		require.NoError(t, err)
		assert.JSONEq(t, `{"job":"test.count","status":"done"}`, string(b))
	}
	t.Run("an unknown job is an error", func(t *testing.T) {
		t.Parallel()
		_, err := handler(t, http.NotFoundHandler(), quiet())(t.Context(), event(t, "schedule"))
		assert.Equal(t, hub.CodeNotFound, hub.CodeOf(err))
		_, err = handler(t, http.NotFoundHandler(), quiet())(t.Context(), json.RawMessage(`{"detail-type":"Scheduled Event"}`))
		assert.Equal(t, hub.CodeNotFound, hub.CodeOf(err))
	})
	t.Run("a job that runs elsewhere is left alone", func(t *testing.T) {
		t.Parallel()
		opts := quiet()
		opts.Lease = func(context.Context, string, time.Duration) (func(), bool, error) { return nil, false, nil }
		res, err := handler(t, http.NotFoundHandler(), opts, schedule.Job{Name: "test.count", Run: func(context.Context) error { panic("must not run") }})(t.Context(), event(t, "schedule"))
		require.NoError(t, err)
		b, err := json.Marshal(res)
		require.NoError(t, err)
		assert.JSONEq(t, `{"job":"test.count","status":"busy"}`, string(b))
	})
	t.Run("a failing or panicking job fails the event", func(t *testing.T) {
		t.Parallel()
		_, err := handler(t, http.NotFoundHandler(), quiet(), schedule.Job{Name: "test.count", Run: func(context.Context) error { panic("boom") }})(t.Context(), event(t, "schedule"))
		assert.ErrorContains(t, err, "test.count")
	})
	t.Run("a bad job list is refused at once", func(t *testing.T) {
		t.Parallel()
		_, err := lambdahttp.Handler(http.NotFoundHandler(), []schedule.Job{{}}, quiet())
		assert.Error(t, err)
	})
}
