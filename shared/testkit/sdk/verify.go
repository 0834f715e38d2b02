package sdk

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

var (
	paris = map[string]any{"city": "Paris"}
	rome  = map[string]any{"city": "Rome"}
)

// VerifyGreetings checks the scenarios of a run whose answers come, directly or
// through a gateway, from a fakeprovider without a script. saysModel is the
// model's name as the fake knows it. Errors are checked by VerifyErrors.
func VerifyGreetings(t testing.TB, results map[string]Result, saysModel string) {
	t.Helper()
	hello := "Hello from " + saysModel + ": "
	texts := map[string]string{
		"whole": hello + "Hi there", "stream": hello + "Hi there", "stream_without_usage": hello + "Hi there",
		"thinking": hello + "Hi there", "image": hello + "What is this?",
	}
	for name, r := range results {
		if !assert.True(t, r.OK, "%s: %+v", name, r.Error) {
			continue
		}
		if want, ok := texts[name]; ok {
			assert.Equal(t, want, r.Text, name)
		}
		switch name {
		case "stream":
			assert.Greater(t, r.Chunks, 2, "a stream comes in pieces")
			assert.NotEmpty(t, r.Usage, name)
		case "whole":
			assert.NotEmpty(t, r.Usage, name)
		case "stream_without_usage":
			assert.Empty(t, r.Usage, "nobody asked for usage")
			assert.Zero(t, r.Empty, "chunks without choices are for usage alone")
		case "tool", "stream_helper":
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
		case "structured", "structured_json_schema":
			assert.Equal(t, paris, r.Value, name)
		case "length":
			assert.Contains(t, []string{"length", "max_tokens"}, r.Finish, name)
			assert.Equal(t, 5, r.Tokens, name)
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
		if name != "stream_helper" {
			assert.Contains(t, r.Text, "20 degrees in", "%s: the second turn repeats the results", name)
		}
	}
}

// VerifyErrors checks that the error scenarios end in the SDK's own classes for
// an unknown model (404) and a wrong key (401).
func VerifyErrors(t testing.TB, results map[string]Result) {
	t.Helper()
	verifyErrors(t, results, map[string]Failure{
		"unknown_model":        {Class: "NotFoundError", Status: 404},
		"unknown_model_stream": {Class: "NotFoundError", Status: 404},
		"wrong_key":            {Class: "AuthenticationError", Status: 401},
	})
}

// VerifyGoogleErrors is VerifyErrors for Google's SDK, which has one class.
// badKey is the status for a wrong key: 400 at Google, 401 at a hub.
func VerifyGoogleErrors(t testing.TB, results map[string]Result, badKey int) {
	t.Helper()
	verifyErrors(t, results, map[string]Failure{
		"unknown_model":        {Class: "ApiError", Status: 404},
		"unknown_model_stream": {Class: "ApiError", Status: 404},
		"wrong_key":            {Class: "ApiError", Status: badKey},
	})
}

func verifyErrors(t testing.TB, results map[string]Result, want map[string]Failure) {
	t.Helper()
	for name, want := range want {
		r := results[name]
		if assert.NotNil(t, r.Error, name) {
			assert.Equal(t, want.Class, r.Error.Class, name)
			assert.Equal(t, want.Status, r.Error.Status, name)
		}
	}
}
