package httpkit_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestEveryCodeHasItsStatus(t *testing.T) {
	t.Parallel()
	tests := map[hub.Code]int{
		hub.CodeInvalid: 400, hub.CodeUnauthenticated: 401, hub.CodeInsufficientCredits: 402,
		hub.CodeForbidden: 403, hub.CodeNotFound: 404, hub.CodeModelNotFound: 404,
		hub.CodeMethodNotAllowed: 405, hub.CodeConflict: 409, hub.CodeTooLarge: 413,
		hub.CodeUnsupportedMedia: 415, hub.CodeUpgradeRequired: 426, hub.CodeRateLimited: 429,
		hub.CodeInternal: 500, hub.CodeProviderCredential: 502, hub.CodeUpstream: 502,
		hub.CodeUnavailable: 503, hub.CodeStaleConfig: 503, hub.CodeTimeout: 504,
		hub.CodeContentFiltered: 400, "never heard of": 500,
	}
	for code, want := range tests {
		assert.Equal(t, want, httpkit.Status(fmt.Errorf("wrapped: %w", hub.Errorf(code, "x"))), code)
	}
	assert.Equal(t, 200, httpkit.Status(nil))
	assert.Equal(t, 500, httpkit.Status(errors.New("foreign")))
	assert.Equal(t, 413, httpkit.Status(fmt.Errorf("read: %w", &http.MaxBytesError{Limit: 5})))
}

func TestAProvidersStatusIsKeptUnlessItSpeaksOfOurCredential(t *testing.T) {
	t.Parallel()
	tests := []struct {
		code     hub.Code
		provider int
		want     int
	}{
		{hub.CodeUpstream, 400, 400}, {hub.CodeUpstream, 404, 404}, {hub.CodeUpstream, 422, 422}, {hub.CodeUpstream, 429, 429},
		{hub.CodeUpstream, 401, 502}, {hub.CodeUpstream, 402, 502}, {hub.CodeUpstream, 403, 502},
		{hub.CodeUpstream, 500, 502}, {hub.CodeUpstream, 302, 502}, {hub.CodeUpstream, 0, 502},
		{hub.CodeContentFiltered, 0, 400}, {hub.CodeContentFiltered, 422, 422}, {hub.CodeContentFiltered, 403, 400}, {hub.CodeContentFiltered, 500, 400},
		{hub.CodeProviderCredential, 401, 502}, {hub.CodeRateLimited, 403, 429}, {hub.CodeInvalid, 422, 400},
	}
	for _, tt := range tests {
		err := &hub.Error{Code: tt.code, Status: tt.provider, Message: "x"}
		assert.Equal(t, tt.want, httpkit.Status(err), "%s %d", tt.code, tt.provider)
	}
}

func TestTheErrorBodyHasTheDocumentedShape(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		err  error
		want string
	}{
		{"a bad field", hub.Invalid("model", "model is required."),
			`{"error":{"message":"model is required.","type":"invalid_request_error","code":"invalid_request","param":"model"}}`},
		{"an empty wallet", &hub.Error{Code: hub.CodeInsufficientCredits, Message: "No credits are left.", Link: "https://pay.test/x"},
			`{"error":{"message":"No credits are left. https://pay.test/x","type":"NOT_ENOUGH","code":"insufficient_credits","link":"https://pay.test/x","timestamp":"2026-04-09T12:00:00.007Z"}}`},
		{"a provider's own type", &hub.Error{Code: hub.CodeUpstream, Status: 400, Type: "overloaded", Message: "busy"},
			`{"error":{"message":"busy","type":"overloaded","code":"upstream_error"}}`},
		{"a provider's own code", &hub.Error{Code: hub.CodeUpstream, Status: 400, NativeCode: "context_length_exceeded", Message: "long"},
			`{"error":{"message":"long","type":"invalid_request_error","code":"context_length_exceeded"}}`},
		{"no key", hub.Errorf(hub.CodeUnauthenticated, "who?"), `{"error":{"message":"who?","type":"authentication_error","code":"unauthenticated"}}`},
		{"not allowed", hub.Errorf(hub.CodeForbidden, "no"), `{"error":{"message":"no","type":"permission_error","code":"forbidden"}}`},
		{"too fast", hub.Errorf(hub.CodeRateLimited, "slow"), `{"error":{"message":"slow","type":"rate_limit_error","code":"rate_limited"}}`},
		{"a time-out", hub.Errorf(hub.CodeTimeout, "late"), `{"error":{"message":"late","type":"server_error","code":"upstream_timeout"}}`},
		{"an inner error tells nothing of the inside", errors.New("dial tcp 10.0.0.1: sk-secret"),
			`{"error":{"message":"The hub met an internal error. The request id names it in the log.","type":"server_error","code":"internal"}}`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			h := httpkit.Mux(one(func(http.ResponseWriter, *http.Request) error { return tt.err }), deps(newLogBook()))
			w := do(h, post(""))
			assert.JSONEq(t, tt.want, w.Body.String())
			assert.Equal(t, "application/json", w.Header().Get("Content-Type"))
			assert.Equal(t, httpkit.Status(tt.err), w.Code)
		})
	}
}

func TestRetryHeadersSayWhetherARepeatHelps(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		err        *hub.Error
		retryAfter string
		should     string
	}{
		{"rate limit, rounded up", &hub.Error{Code: hub.CodeRateLimited, RetryAfter: 1200 * time.Millisecond}, "2", ""},
		{"whole seconds stay", &hub.Error{Code: hub.CodeUnavailable, RetryAfter: 3 * time.Second}, "3", ""},
		{"unknown time", &hub.Error{Code: hub.CodeUnavailable}, "1", ""},
		{"a provider's 429", &hub.Error{Code: hub.CodeUpstream, Status: 429, RetryAfter: time.Millisecond}, "1", ""},
		{"no retry-after on other statuses", &hub.Error{Code: hub.CodeTimeout, RetryAfter: time.Second}, "", ""},
		{"bad request", &hub.Error{Code: hub.CodeInvalid}, "", "false"},
		{"no key", &hub.Error{Code: hub.CodeUnauthenticated}, "", "false"},
		{"no credits", &hub.Error{Code: hub.CodeInsufficientCredits}, "", "false"},
		{"forbidden", &hub.Error{Code: hub.CodeForbidden}, "", "false"},
		{"unknown model", &hub.Error{Code: hub.CodeModelNotFound}, "", "false"},
		{"too large", &hub.Error{Code: hub.CodeTooLarge}, "", "false"},
		{"a provider's 422", &hub.Error{Code: hub.CodeUpstream, Status: 422}, "", "false"},
		{"a conflict may end", &hub.Error{Code: hub.CodeConflict}, "", ""},
		{"an inner error", &hub.Error{Code: hub.CodeInternal}, "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			httpkit.WriteError(w, post(""), tt.err, httpkit.JSONError(time.Now))
			assert.Equal(t, tt.retryAfter, w.Header().Get("Retry-After"))
			assert.Equal(t, tt.should, w.Header().Get("X-Should-Retry"))
		})
	}
}

func TestARouteMaySpeakItsOwnErrorLanguage(t *testing.T) {
	t.Parallel()
	routes := one(func(_ http.ResponseWriter, r *http.Request) error {
		if r.URL.Query().Has("panic") {
			panic("boom")
		}
		return hub.Errorf(hub.CodeNotFound, "gone")
	})
	routes[0].ErrorBody = func(err *hub.Error, id string) []byte {
		return fmt.Appendf(nil, `{"type":"error","m":%q,"id":%q}`, err.Message, id)
	}
	h := httpkit.Mux(routes, deps(newLogBook()))
	r := post("")
	r.Header.Set("X-Request-Id", "mine")
	w := do(h, r)
	assert.Equal(t, 404, w.Code)
	assert.JSONEq(t, `{"type":"error","m":"gone","id":"mine"}`, w.Body.String())

	r = httptest.NewRequest(http.MethodPost, "/things/1?panic", nil)
	w = do(h, r)
	assert.Equal(t, 500, w.Code)
	assert.Contains(t, w.Body.String(), `"type":"error"`)
}

func TestAnErrorTakesBackHeadersOfTheAnswerThatFailed(t *testing.T) {
	t.Parallel()
	h := httpkit.Mux(one(func(w http.ResponseWriter, _ *http.Request) error {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", "9999")
		return httpkit.WriteJSON(w, http.StatusOK, math.NaN())
	}), deps(newLogBook()))
	w := do(h, post(""))
	assert.Equal(t, 500, w.Code)
	assert.Empty(t, w.Header().Get("Content-Encoding"))
	assert.NotEqual(t, "9999", w.Header().Get("Content-Length"))
	assert.Equal(t, "internal", errorOf(t, w)["code"])
}

func TestWriteJSONSendsTheWholeValue(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	require.NoError(t, httpkit.WriteJSON(w, http.StatusCreated, map[string]string{"a": "b"}))
	assert.Equal(t, 201, w.Code)
	assert.JSONEq(t, `{"a":"b"}`, w.Body.String())
	assert.Equal(t, "10", w.Header().Get("Content-Length"))
}

func TestAClientThatLeftIsNotAnErrorOfOurs(t *testing.T) {
	t.Parallel()
	book := newLogBook()
	h := httpkit.Mux(one(func(_ http.ResponseWriter, r *http.Request) error {
		return fmt.Errorf("read body: %w", r.Context().Err())
	}), deps(book))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	do(h, post("").WithContext(ctx))
	line := book.only(t)
	assert.InDelta(t, httpkit.StatusClientGone, line["status"], 0)
	assert.Equal(t, "INFO", line["level"])
}
