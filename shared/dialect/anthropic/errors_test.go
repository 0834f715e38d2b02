package anthropic

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err  *hub.Error
		kind string
	}{
		{hub.Errorf(hub.CodeInvalid, "m"), "invalid_request_error"},
		{hub.Errorf(hub.CodeUnauthenticated, "m"), "authentication_error"},
		{hub.Errorf(hub.CodeInsufficientCredits, "m"), "billing_error"},
		{hub.Errorf(hub.CodeForbidden, "m"), "permission_error"},
		{hub.Errorf(hub.CodeNotFound, "m"), "not_found_error"},
		{hub.Errorf(hub.CodeModelNotFound, "m"), "not_found_error"},
		{hub.Errorf(hub.CodeTooLarge, "m"), "request_too_large"},
		{hub.Errorf(hub.CodeRateLimited, "m"), "rate_limit_error"},
		{hub.Errorf(hub.CodeTimeout, "m"), "timeout_error"},
		{hub.Errorf(hub.CodeUnavailable, "m"), "overloaded_error"},
		{hub.Errorf(hub.CodeInternal, "m"), "api_error"},
		{hub.Errorf(hub.CodeProviderCredential, "m"), "api_error"},
		{hub.Errorf(hub.CodeContentFiltered, "m"), "invalid_request_error"},
		{&hub.Error{Code: hub.CodeUpstream, Message: "m", Status: 529}, "overloaded_error"},
		{&hub.Error{Code: hub.CodeUpstream, Message: "m", Status: 503}, "overloaded_error"},
		{&hub.Error{Code: hub.CodeUpstream, Message: "m", Status: 429}, "rate_limit_error"},
		{&hub.Error{Code: hub.CodeUpstream, Message: "m", Status: 422}, "invalid_request_error"},
		{&hub.Error{Code: hub.CodeUpstream, Message: "m", Status: 502}, "api_error"},
		{&hub.Error{Code: hub.CodeUpstream, Message: "m", Status: 400, Type: "not_found_error"}, "not_found_error"},
		{&hub.Error{Code: hub.CodeUpstream, Message: "m", Status: 400, Type: "server_error"}, "invalid_request_error"},
	} {
		assert.JSONEq(t, `{"type":"error","error":{"type":"`+c.kind+`","message":"m"},"request_id":"req-1"}`,
			string(Server{}.Error(c.err, "req-1")), "%s %d", c.err.Code, c.err.Status)
	}
}

func TestErrorBodiesNameTheFieldAndTheLink(t *testing.T) {
	t.Parallel()
	err := hub.Invalid("max_tokens", "It is required.")
	err.Link = "https://hub.example/credits"
	err.Cause = assert.AnError
	assert.JSONEq(t, `{"type":"error","error":{"type":"invalid_request_error","message":"max_tokens: It is required. https://hub.example/credits"}}`,
		string(Server{}.Error(err, "")))
}

func TestFaultsHaveTheirClass(t *testing.T) {
	t.Parallel()
	body := func(kind, msg string) string {
		return `{"type":"error","error":{"type":"` + kind + `","message":"` + msg + `"},"request_id":"req_1"}`
	}
	for name, c := range map[string]struct {
		status int
		body   string
		code   hub.Code
		class  hub.Class
		shows  string
	}{
		"a bad key is the operator's affair":     {401, body("authentication_error", "invalid x-api-key"), hub.CodeProviderCredential, hub.ClassCredential, "hub's operator"},
		"an unpaid bill":                         {402, body("billing_error", "pay"), hub.CodeProviderCredential, hub.ClassCredential, "hub's operator"},
		"a key without the permission":           {403, body("permission_error", "no access to model"), hub.CodeProviderCredential, hub.ClassCredential, "hub's operator"},
		"an empty balance":                       {400, body("invalid_request_error", "Your credit balance is too low to go on."), hub.CodeProviderCredential, hub.ClassCredential, "hub's operator"},
		"a workspace's own limit":                {400, body("invalid_request_error", "You have reached your specified API usage limits."), hub.CodeProviderCredential, hub.ClassCredential, "hub's operator"},
		"forbidden content":                      {403, body("permission_error", "The content violates the rules"), hub.CodeContentFiltered, hub.ClassRefused, "violates"},
		"a filtered output":                      {400, body("invalid_request_error", "Output blocked by content filtering policy"), hub.CodeContentFiltered, hub.ClassRefused, "blocked"},
		"a region":                               {403, body("permission_error", "This is not available in your region"), hub.CodeUpstream, hub.ClassRetry, "region"},
		"a temporary block":                      {403, body("permission_error", "Please try again later"), hub.CodeUpstream, hub.ClassRetry, "later"},
		"a bad request":                          {400, body("invalid_request_error", "max_tokens: too big"), hub.CodeUpstream, hub.ClassRequest, "max_tokens: too big"},
		"an unknown model":                       {404, body("not_found_error", "model: x"), hub.CodeUpstream, hub.ClassRequest, "model: x"},
		"a body too large":                       {413, body("request_too_large", "too large"), hub.CodeUpstream, hub.ClassRequest, "too large"},
		"a rate limit":                           {429, body("rate_limit_error", "slow down"), hub.CodeRateLimited, hub.ClassRateLimit, "slow down"},
		"an overload":                            {529, body("overloaded_error", "Overloaded"), hub.CodeUnavailable, hub.ClassRetry, "Overloaded"},
		"an inner error":                         {500, body("api_error", "oops"), hub.CodeUpstream, hub.ClassRetry, "oops"},
		"a time-out of the provider":             {408, ``, hub.CodeTimeout, hub.ClassRetry, "408"},
		"a page of HTML":                         {502, `<html><body>Bad gateway</body></html>`, hub.CodeUpstream, hub.ClassRetry, "502"},
		"HTML inside of JSON":                    {502, `{"message":"<html>no</html>"}`, hub.CodeUpstream, hub.ClassRetry, "502"},
		"a gateway's message":                    {400, `{"message":"no such route"}`, hub.CodeUpstream, hub.ClassRequest, "no such route"},
		"an error that is a string":              {400, `{"error":"no such route"}`, hub.CodeUpstream, hub.ClassRequest, "no such route"},
		"nothing at all":                         {500, ``, hub.CodeUpstream, hub.ClassRetry, "500"},
		"JSON that is no object":                 {500, `[]`, hub.CodeUpstream, hub.ClassRetry, "500"},
		"a conflict, which another try may mend": {409, ``, hub.CodeUpstream, hub.ClassRetry, "409"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Client{}.Fault(c.status, http.Header{}, []byte(c.body))
			assert.Equal(t, c.code, err.Code)
			assert.Equal(t, c.class, err.Class)
			assert.Equal(t, c.status, err.Status)
			assert.Contains(t, err.Message, c.shows)
			assert.NotContains(t, err.Message, "<html")
			if c.class == hub.ClassCredential {
				assert.NotContains(t, err.Message, "x-api-key")
				assert.Error(t, err.Cause, "the log has the provider's words")
			}
		})
	}
}

func TestFaultsSayWhenToComeBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header map[string]string
		want   time.Duration
	}{
		"seconds":                   {map[string]string{"Retry-After": "3"}, 3 * time.Second},
		"milliseconds come first":   {map[string]string{"Retry-After": "3", "Retry-After-Ms": "1500"}, 1500 * time.Millisecond},
		"a date":                    {map[string]string{"Retry-After": "Wed, 21 Oct 2026 07:28:10 GMT", "Date": "Wed, 21 Oct 2026 07:28:00 GMT"}, 10 * time.Second},
		"a date that has passed":    {map[string]string{"Retry-After": "Wed, 21 Oct 2015 07:28:10 GMT"}, 0},
		"more than a day":           {map[string]string{"Retry-After": "1e300"}, 24 * time.Hour},
		"nonsense":                  {map[string]string{"Retry-After": "soon"}, 0},
		"a negative number":         {map[string]string{"Retry-After": "-5"}, 0},
		"what is no number at all ": {map[string]string{"Retry-After": "NaN"}, 0},
		"nothing":                   {nil, 0},
	} {
		h := http.Header{}
		for k, v := range c.header {
			h.Set(k, v)
		}
		assert.Equal(t, c.want, Client{}.Fault(429, h, nil).RetryAfter, name)
	}
}

func TestStreamErrorsHaveTheirClass(t *testing.T) {
	t.Parallel()
	for kind, class := range map[string]hub.Class{
		"overloaded_error": hub.ClassRetry, "api_error": hub.ClassRetry, "timeout_error": hub.ClassRetry, "unheard_of": hub.ClassRetry,
		"rate_limit_error": hub.ClassRateLimit, "invalid_request_error": hub.ClassRequest, "authentication_error": hub.ClassCredential,
	} {
		frame := []byte("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"" + kind + "\",\"message\":\"m\"}}\n\n")
		_, err := Client{}.Decoder(noQuirks).Frame(frame)
		assert.Equal(t, class, hub.AsError(err).Class, kind)
		assert.Equal(t, class, Client{}.Meter(nil, noQuirks).Frame(frame).Err.Class, kind)
	}
}
