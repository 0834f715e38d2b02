package gemini

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// apiError is google.rpc.Status as the API writes it in JSON.
type apiError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []struct {
		Type       string `json:"@type"`
		Reason     string `json:"reason"`     // google.rpc.ErrorInfo
		RetryDelay string `json:"retryDelay"` // google.rpc.RetryInfo: seconds with an "s"
	} `json:"details"`
}

// Fault reads a non-2xx answer. Streaming calls are answered with the error in
// an array.
func (Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	e, ok := readError(body)
	if !ok {
		e = apiError{Message: fmt.Sprintf("The provider answered with status %d.", status)}
	}
	return e.fault(status, header)
}

// streamFault reads an error object inside an answer.
func streamFault(data []byte) *hub.Error {
	e, ok := readError(data)
	if !ok {
		e = apiError{Message: "The provider ended its answer with an error."}
	}
	if e.Code < 400 || e.Code > 599 {
		e.Code = http.StatusInternalServerError
	}
	return e.fault(e.Code, nil)
}

func readError(body []byte) (apiError, bool) {
	var wrapped struct {
		Error *apiError `json:"error"`
	}
	if json.Unmarshal(body, &wrapped) != nil {
		var list []json.RawMessage
		if json.Unmarshal(body, &list) != nil || len(list) == 0 || json.Unmarshal(list[0], &wrapped) != nil {
			return apiError{}, false
		}
	}
	if wrapped.Error == nil || wrapped.Error.Message == "" && wrapped.Error.Status == "" {
		return apiError{}, false
	}
	if wrapped.Error.Message == "" {
		wrapped.Error.Message = "The provider answered " + wrapped.Error.Status + "."
	}
	return *wrapped.Error, true
}

func (e apiError) fault(status int, header http.Header) *hub.Error {
	said := clean(e.Message)
	err := &hub.Error{Code: hub.CodeUpstream, Message: said, Status: status, Type: e.Status, Class: e.class(status)}
	switch err.Class {
	case hub.ClassCredential:
		err.Code, err.Cause = hub.CodeProviderCredential, errors.New(said)
		err.Message = "The provider refused the hub's credential. The operator has to look at it."
	case hub.ClassRateLimit:
		err.Code, err.Cause = hub.CodeRateLimited, errors.New(said)
		err.Message = "The provider limits the rate of requests to this model. Try again later."
		err.RetryAfter = e.retryAfter(header)
	case hub.ClassRefused:
		err.Code = hub.CodeContentFiltered
	case hub.ClassRetry:
		err.RetryAfter = e.retryAfter(header)
	}
	return err
}

// class decides by status first and by words only where Google uses one status
// for several things.
func (e apiError) class(status int) hub.Class {
	switch {
	case status == http.StatusTooManyRequests:
		return hub.ClassRateLimit
	case e.says("prohibited content", "content policy", "safety policies", "safety filters"):
		return hub.ClassRefused
	case e.says("location is not supported", "not available in your country"):
		return hub.ClassRequest
	case e.aboutKey():
		return hub.ClassCredential
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired:
		return hub.ClassCredential
	case status == http.StatusForbidden:
		// A file or tuned model of somebody else's is named by the caller.
		if e.says("access the file", "access tuned model") {
			return hub.ClassRequest
		}
		return hub.ClassCredential
	case status >= 500, status == http.StatusRequestTimeout, status == 499:
		return hub.ClassRetry
	}
	return hub.ClassRequest
}

func (e apiError) says(words ...string) bool {
	message := strings.ToLower(e.Message)
	for _, w := range words {
		if strings.Contains(message, w) {
			return true
		}
	}
	return false
}

// keyReasons are reasons of google.rpc.ErrorInfo (google/api/error_reason.proto)
// that blame the credential or its project, whatever the status.
var keyReasons = map[string]bool{
	"SERVICE_DISABLED": true, "BILLING_DISABLED": true, "CONSUMER_SUSPENDED": true, "CONSUMER_INVALID": true,
	"ACCESS_TOKEN_EXPIRED": true, "ACCESS_TOKEN_SCOPE_INSUFFICIENT": true, "ACCESS_TOKEN_TYPE_UNSUPPORTED": true,
	"ACCOUNT_STATE_INVALID": true, "CREDENTIALS_MISSING": true, "USER_PROJECT_DENIED": true,
}

func (e apiError) aboutKey() bool {
	for _, d := range e.Details {
		if strings.HasPrefix(d.Reason, "API_KEY_") || keyReasons[d.Reason] {
			return true
		}
	}
	return e.says("api key not valid", "api key expired")
}

// maxRetryAfter bounds how long a provider can make a key rest.
const maxRetryAfter = 24 * time.Hour

func (e apiError) retryAfter(header http.Header) time.Duration {
	var wait time.Duration
	if s, err := strconv.Atoi(header.Get("Retry-After")); err == nil {
		wait = time.Duration(min(s, int(maxRetryAfter/time.Second))) * time.Second
	}
	for _, d := range e.Details {
		if delay, err := time.ParseDuration(d.RetryDelay); err == nil {
			wait = max(wait, delay)
		}
	}
	return min(max(wait, 0), maxRetryAfter)
}

// secrets matches what a message could give away: Google names the key in some
// errors about it.
var secrets = regexp.MustCompile(`AIza[0-9A-Za-z_-]{8,}|AQ\.[0-9A-Za-z_-]{8,}|ya29\.[0-9A-Za-z._-]{8,}|(?i:api_key:|[?&]key=)[^\s'"&]+`)

// maxMessage bounds the words taken over from a provider, in bytes.
const maxMessage = 2000

func clean(message string) string {
	message = secrets.ReplaceAllString(message, "***")
	if len(message) > maxMessage {
		message = strings.ToValidUTF8(message[:maxMessage], "") + "…"
	}
	return message
}
