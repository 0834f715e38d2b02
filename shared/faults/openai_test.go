package faults

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestFaultTellsWhatToDo(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status int
		body   string
		class  hub.Class
		code   hub.Code
	}{
		"a bad key":                 {401, `{"error":{"message":"Incorrect API key"}}`, hub.ClassCredential, hub.CodeProviderCredential},
		"no money at the provider":  {402, `{"error":{"message":"Insufficient credits"}}`, hub.ClassCredential, hub.CodeProviderCredential},
		"quota as a rate limit":     {429, `{"error":{"type":"insufficient_quota"}}`, hub.ClassCredential, hub.CodeProviderCredential},
		"a bad key as a 400":        {400, `[{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT"}}]`, hub.ClassCredential, hub.CodeProviderCredential},
		"a 403 about nothing":       {403, ``, hub.ClassCredential, hub.CodeProviderCredential},
		"a 403 about the content":   {403, `{"error":"Content violates usage guidelines. Failed check: SAFETY"}`, hub.ClassRefused, hub.CodeContentFiltered},
		"a 403 about the country":   {403, `{"error":{"code":"unsupported_country_region_territory","message":"Country, region, or territory not supported"}}`, hub.ClassRetry, hub.CodeUpstream},
		"a 403 that will pass":      {403, `{"error":{"message":"temporarily blocked"}}`, hub.ClassRetry, hub.CodeUpstream},
		"a rate limit":              {429, `{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}`, hub.ClassRateLimit, hub.CodeRateLimited},
		"a time-out":                {408, ``, hub.ClassRetry, hub.CodeTimeout},
		"a conflict":                {409, ``, hub.ClassRetry, hub.CodeUpstream},
		"a server error":            {500, `{"error":{"message":"oops"}}`, hub.ClassRetry, hub.CodeUpstream},
		"an overloaded server":      {503, `upstream connect error`, hub.ClassRetry, hub.CodeUnavailable},
		"a gateway's time-out":      {504, `<html>`, hub.ClassRetry, hub.CodeTimeout},
		"a bad request":             {400, `{"error":{"message":"no","param":"top_p"}}`, hub.ClassRequest, hub.CodeUpstream},
		"an unknown model":          {404, `{"message":"no such model","type":"invalid_request_error"}`, hub.ClassRequest, hub.CodeUpstream},
		"a bad field":               {422, `{"detail":[{"msg":"field required"}]}`, hub.ClassRequest, hub.CodeUpstream},
		"a filtered prompt":         {400, `{"error":{"code":"content_filter","message":"filtered"}}`, hub.ClassRefused, hub.CodeContentFiltered},
		"a filtered prompt, inside": {400, `{"error":{"message":"x","innererror":{"code":"ResponsibleAIPolicyViolation"}}}`, hub.ClassRefused, hub.CodeContentFiltered},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Read(tc.status, nil, []byte(tc.body), nil)
			assert.Equal(t, tc.class, err.Class)
			assert.Equal(t, tc.code, err.Code)
			assert.Equal(t, tc.status, err.Status)
			assert.NotEmpty(t, err.Message)
			assert.NotContains(t, err.Message, "<")
		})
	}
}

func TestFaultKeepsTheProvidersWords(t *testing.T) {
	t.Parallel()
	err := Read(400, nil, []byte(`{"error":{"message":"Too long.","type":"invalid_request_error","code":"context_length_exceeded","param":"messages"}}`), nil)
	assert.Equal(t, "Too long.", err.Message)
	assert.Equal(t, "messages", err.Param)
	assert.JSONEq(t, `{"error":{"message":"Too long.","type":"invalid_request_error","code":"context_length_exceeded","param":"messages"}}`,
		string(Body(err, nil)))

	err = Read(502, nil, []byte(`{"error":{"message":"Provider returned error","code":502,"metadata":{"raw":"overheated"}}}`), nil)
	assert.Equal(t, "Provider returned error: overheated", err.Message)
}

func TestFaultShowsNoKey(t *testing.T) {
	t.Parallel()
	err := Read(401, nil, []byte(`{"error":{"message":"Incorrect API key provided: sk-proj-abcdefghijklmnop1234."}}`), nil)
	assert.NotContains(t, err.Message, "sk-")
	assert.NotContains(t, err.Error(), "abcdefghijkl")
	assert.Contains(t, err.Error(), "Incorrect API key")
	err = Read(500, nil, []byte(`Bearer sk-abcdefghijklmnop1234 failed`), nil)
	assert.NotContains(t, err.Error(), "abcdefghijkl")
}

func TestFaultReadsHowLongToWait(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for name, tc := range map[string]struct {
		header, value, message string
		want                   time.Duration
	}{
		"seconds":             {"Retry-After", "3", "", 3 * time.Second},
		"half a second":       {"Retry-After", "0.5", "", 500 * time.Millisecond},
		"milliseconds":        {"Retry-After-Ms", "250", "", 250 * time.Millisecond},
		"a date":              {"Retry-After", "Fri, 02 Jan 2026 03:05:05 GMT", "", time.Minute},
		"a date gone by":      {"Retry-After", "Fri, 02 Jan 2026 03:00:00 GMT", "", 0},
		"a year":              {"Retry-After", "31536000", "", 24 * time.Hour},
		"a negative":          {"Retry-After", "-1", "", 0},
		"no number":           {"Retry-After", "NaN", "", 0},
		"words":               {"", "", "Please try again in 6m0.5s. Visit", 6*time.Minute + 500*time.Millisecond},
		"words, milliseconds": {"", "", "try again in 20ms", 20 * time.Millisecond},
		"nothing":             {"", "", "", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			h.Set(tc.header, tc.value)
			err := Read(429, h, []byte(`{"error":{"message":"`+tc.message+`"}}`), func() time.Time { return now })
			assert.Equal(t, tc.want, err.RetryAfter)
		})
	}
}
