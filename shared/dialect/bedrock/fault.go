package bedrock

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// statusOf is the status that an exception has outside a stream ("Errors" of
// ConverseStream, and "Common errors" of the API reference).
var statusOf = map[string]int{
	"ValidationException":           http.StatusBadRequest,
	"AccessDeniedException":         http.StatusForbidden,
	"ResourceNotFoundException":     http.StatusNotFound,
	"ModelTimeoutException":         http.StatusRequestTimeout,
	"ModelErrorException":           http.StatusFailedDependency,
	"ModelStreamErrorException":     http.StatusFailedDependency,
	"ThrottlingException":           http.StatusTooManyRequests,
	"ModelNotReadyException":        http.StatusTooManyRequests,
	"ServiceQuotaExceededException": http.StatusBadRequest,
	"InternalServerException":       http.StatusInternalServerError,
	"ServiceUnavailableException":   http.StatusServiceUnavailable,
}

// Words that tell reasons apart which share a type, in lower case.
var (
	// A new or suspended account is told so by a ValidationException.
	accountWords = []string{"operation not allowed", "not authorized to perform"}
	blockedWords = []string{"content filtering policy"}
)

// maxMessage bounds how much of a provider's own words a caller is shown, in
// bytes.
const maxMessage = 2000

// Fault reads a non-2xx answer. Where the hub's own credential is at fault the
// provider's words are only in the cause.
func (Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	var e struct {
		Type    string `json:"__type"`
		Message string `json:"message"` // "Message" too, from the gateway before the service
	}
	_ = json.Unmarshal(body, &e) // what is no JSON says nothing
	kind := header.Get("X-Amzn-Errortype")
	if kind == "" {
		kind = e.Type[strings.LastIndexByte(e.Type, '#')+1:]
	}
	kind, _, _ = strings.Cut(kind, ":")
	err := classify(status, kind, e.Message)
	if s, convErr := strconv.ParseFloat(header.Get("Retry-After"), 64); convErr == nil && s > 0 {
		err.RetryAfter = time.Duration(min(s, 24*3600) * float64(time.Second))
	}
	return err
}

// streamFault reads an exception within a stream, whose type begins with a small
// letter.
func streamFault(kind string, payload []byte) *hub.Error {
	var e struct {
		Message string `json:"message"`
	}
	_ = json.Unmarshal(payload, &e) // what is no JSON says nothing
	return streamError(kind, e.Message)
}

func streamError(kind, message string) *hub.Error {
	if first, size := utf8.DecodeRuneInString(kind); size > 0 {
		kind = string(unicode.ToUpper(first)) + kind[size:]
	}
	status := statusOf[kind]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	return classify(status, kind, message)
}

func classify(status int, kind, msg string) *hub.Error {
	if len(msg) > maxMessage {
		msg = strings.ToValidUTF8(msg[:maxMessage], "")
	}
	if msg == "" || strings.Contains(msg, "<html") {
		msg = "The provider answered with status " + strconv.Itoa(status) + " and gave no reason."
		if kind != "" {
			msg = "The provider answered " + kind + " and gave no reason."
		}
	}
	low := strings.ToLower(msg)
	has := func(words []string) bool {
		for _, w := range words {
			if strings.Contains(low, w) {
				return true
			}
		}
		return false
	}
	err := &hub.Error{Code: hub.CodeUpstream, Status: status, Type: kind, Message: msg, Class: hub.ClassRequest}
	switch {
	case has(blockedWords):
		err.Code, err.Class = hub.CodeContentFiltered, hub.ClassRefused
	case has(accountWords), status == http.StatusUnauthorized, status == http.StatusForbidden:
		return credential(err)
	case kind == "ModelNotReadyException":
		err.Code, err.Class = hub.CodeUnavailable, hub.ClassRetry
	case kind == "ServiceQuotaExceededException", status == http.StatusTooManyRequests:
		err.Code, err.Class = hub.CodeRateLimited, hub.ClassRateLimit
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		err.Code, err.Class = hub.CodeTimeout, hub.ClassRetry
	case status == http.StatusServiceUnavailable:
		err.Code, err.Class = hub.CodeUnavailable, hub.ClassRetry
	case status >= http.StatusInternalServerError, status == http.StatusFailedDependency, status == http.StatusConflict:
		err.Class = hub.ClassRetry
	case strings.HasPrefix(kind, "ExpiredToken"), kind == "UnrecognizedClientException", kind == "IncompleteSignature",
		kind == "InvalidSignatureException", kind == "MissingAuthenticationTokenException":
		return credential(err) // other services of Amazon answer 400
	}
	return err
}

// credential hides the provider's words about the hub's key from callers.
func credential(err *hub.Error) *hub.Error {
	err.Code, err.Class = hub.CodeProviderCredential, hub.ClassCredential
	err.Cause = errors.New(err.Message)
	err.Message = "The provider did not accept the hub's credential, or it may not use this model. The hub's operator must mend this."
	return err
}
