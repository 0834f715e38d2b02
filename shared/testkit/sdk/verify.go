package sdk

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

var (
	paris = map[string]any{"city": "Paris"}
	rome  = map[string]any{"city": "Rome"}
)

// VerifyGreetings checks the scenarios of a run whose answers come, directly or
// through a gateway, from a fakeprovider without a script. saysModel is the
// model's name as the fake knows it. What is before a "/" in a scenario's name says
// which way it was asked for, not what. Errors are checked by VerifyErrors.
func VerifyGreetings(t testing.TB, results map[string]Result, saysModel string) {
	t.Helper()
	hello := "Hello from " + saysModel + ": "
	texts := map[string]string{
		"whole": hello + "Hi there", "stream": hello + "Hi there", "stream_without_usage": hello + "Hi there",
		"thinking": hello + "Hi there", "stream_thinking": hello + "Hi there", "image": hello + "What is this?", "conversation": hello + "And again",
	}
	for name, r := range results {
		if !assert.True(t, r.OK, "%s: %+v", name, r.Error) {
			continue
		}
		what := name[strings.LastIndex(name, "/")+1:]
		if want, ok := texts[what]; ok {
			assert.Equal(t, want, r.Text, name)
		}
		switch what {
		case "stream":
			assert.Greater(t, r.Chunks, 2, "a stream comes in pieces")
			assert.NotEmpty(t, r.Usage, name)
		case "whole":
			assert.NotEmpty(t, r.Usage, name)
		case "stream_without_usage":
			assert.Empty(t, r.Usage, "nobody asked for usage")
			assert.Zero(t, r.Empty, "chunks without choices are for usage alone")
		case "tool", "stream_tools", "thinking_tool", "stream_helper":
			verifyCalls(t, name, r, paris)
		case "chat":
			assert.GreaterOrEqual(t, r.Chunks, 6, "the SDK takes every answer for whole and keeps it")
			verifyCalls(t, name, r, paris, rome)
		case "parallel_tools":
			verifyCalls(t, name, r, paris, rome)
		case "run_tools":
			assert.Contains(t, r.Text, "20 degrees in Paris", name)
		case "forced_tool":
			if assert.Len(t, r.Calls, 1, name) {
				assert.Equal(t, paris, r.Calls[0].Arguments, name)
			}
		case "structured", "structured_json_schema", "structured_by_tool":
			assert.Equal(t, paris, r.Value, name)
		case "length":
			assert.Contains(t, []string{"length", "max_tokens", "max_output_tokens"}, r.Finish, name)
			assert.Contains(t, []int{5, 16}, r.Tokens, "%s: the limits that the scripts ask for", name)
		case "abort":
			assert.True(t, r.Aborted, name)
		}
	}
}

func verifyCalls(t testing.TB, name string, r Result, arguments ...map[string]any) {
	t.Helper()
	if !assert.Len(t, r.Calls, len(arguments), name) {
		return
	}
	for i, want := range arguments {
		assert.Equal(t, "get_weather", r.Calls[i].Name, name)
		assert.Equal(t, want, r.Calls[i].Arguments, name)
		assert.NotEmpty(t, r.Calls[i].ID, name)
		if !strings.HasSuffix(name, "stream_helper") {
			assert.Contains(t, r.Text, "20 degrees in", "%s: the second turn repeats the results", name)
		}
	}
}

// errorClasses are what each SDK raises for an unknown model (404) and a wrong key
// (401).
var errorClasses = map[string]struct{ notFound, unauthenticated string }{
	OpenAI:    {"NotFoundError", "AuthenticationError"},
	Anthropic: {"NotFoundError", "AuthenticationError"},
	LangChain: {"NotFoundError", "AuthenticationError"},
	Vercel:    {"APICallError", "APICallError"},
	Work:      {"NotFoundError", "AuthenticationError"},
	Media:     {"NotFoundError", "AuthenticationError"},
	Responses: {"NotFoundError", "AuthenticationError"},
	Gemini:    {"ApiError", "ApiError"},
}

// VerifyErrors checks that the error scenarios of a script end in its SDK's own
// classes, with the status, and that no SDK takes them for worth a retry.
func VerifyErrors(t testing.TB, script string, results map[string]Result) {
	t.Helper()
	verifyErrors(t, script, results, http.StatusUnauthorized)
}

// VerifyGoogleErrors is VerifyErrors for Google's SDK. badKey is the status for a
// wrong key: 400 at Google, 401 at a hub.
func VerifyGoogleErrors(t testing.TB, results map[string]Result, badKey int) {
	t.Helper()
	verifyErrors(t, Gemini, results, badKey)
}

func verifyErrors(t testing.TB, script string, results map[string]Result, badKey int) {
	t.Helper()
	classes, failed := errorClasses[script], 0
	for name, r := range results {
		class, status := classes.notFound, http.StatusNotFound
		switch what := name[strings.LastIndex(name, "/")+1:]; {
		case strings.HasPrefix(what, "unknown_"):
		case what == "wrong_key":
			class, status = classes.unauthenticated, badKey
		default:
			continue
		}
		failed++
		if assert.NotNil(t, r.Error, name) {
			assert.Equal(t, class, r.Error.Class, name)
			assert.Equal(t, status, r.Error.Status, name)
			assert.NotEmpty(t, r.Error.Message, name)
			assert.False(t, r.Error.Retryable != nil && *r.Error.Retryable, name)
		}
	}
	assert.GreaterOrEqual(t, failed, 3, "the run has no error scenarios")
}
