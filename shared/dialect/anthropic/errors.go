package anthropic

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// statusOfType is the table of the public "Errors" page.
var statusOfType = map[string]int{
	"invalid_request_error": http.StatusBadRequest,
	"authentication_error":  http.StatusUnauthorized,
	"billing_error":         http.StatusPaymentRequired,
	"permission_error":      http.StatusForbidden,
	"not_found_error":       http.StatusNotFound,
	"request_too_large":     http.StatusRequestEntityTooLarge,
	"rate_limit_error":      http.StatusTooManyRequests,
	"api_error":             http.StatusInternalServerError,
	"timeout_error":         http.StatusGatewayTimeout,
	"overloaded_error":      statusOverloaded,
}

// statusOverloaded is the API's own word for "too busy".
const statusOverloaded = 529

// Error encodes an error body. requestID may be "".
func (Server) Error(err *hub.Error, requestID string) []byte { return errorBody(err, requestID) }

func errorBody(err *hub.Error, requestID string) []byte {
	msg := err.Message
	if err.Param != "" && !strings.Contains(msg, err.Param) {
		msg = err.Param + ": " + msg
	}
	if err.Link != "" && !strings.Contains(msg, err.Link) {
		msg += " " + err.Link
	}
	dst := append([]byte(`{"type":"error","error":{"type":`), appendQuoted(nil, errorType(err))...)
	dst = append(appendQuoted(append(dst, `,"message":`...), msg), '}')
	if requestID != "" {
		dst = appendQuoted(append(dst, `,"request_id":`...), requestID)
	}
	return append(dst, '}')
}

func errorType(err *hub.Error) string {
	switch err.Code {
	case hub.CodeInvalid, hub.CodeConflict, hub.CodeUpgradeRequired, hub.CodeMethodNotAllowed,
		hub.CodeUnsupportedMedia, hub.CodeContentFiltered:
		return "invalid_request_error"
	case hub.CodeUnauthenticated:
		return "authentication_error"
	case hub.CodeInsufficientCredits:
		return "billing_error"
	case hub.CodeForbidden:
		return "permission_error"
	case hub.CodeNotFound, hub.CodeModelNotFound:
		return "not_found_error"
	case hub.CodeTooLarge:
		return "request_too_large"
	case hub.CodeRateLimited:
		return "rate_limit_error"
	case hub.CodeTimeout:
		return "timeout_error"
	case hub.CodeUnavailable:
		return "overloaded_error"
	case hub.CodeUpstream:
		return upstreamType(err)
	}
	return "api_error"
}

// upstreamType keeps a provider's own type where it is one of this language.
func upstreamType(err *hub.Error) string {
	if _, ok := statusOfType[err.Type]; ok {
		return err.Type
	}
	switch err.Status {
	case http.StatusServiceUnavailable:
		return "overloaded_error"
	case http.StatusRequestTimeout:
		return "timeout_error"
	}
	for kind, status := range statusOfType {
		if status == err.Status {
			return kind
		}
	}
	if err.Status >= 400 && err.Status < 500 {
		return "invalid_request_error"
	}
	return "api_error"
}

// Words by which the reasons behind one status are told apart, in lower case.
var (
	contentWords   = []string{"content violates", "usage guidelines", "safety_check", "failed check"}
	elsewhereWords = []string{
		"not available in your region", "not supported in your country", "geographic restriction", "region restriction",
		"temporarily blocked", "temporary block", "try again later",
	}
	// A workspace without money or beyond its own limit answers 400.
	creditWords  = []string{"credit balance is too low", "specified api usage limits"}
	blockedWords = []string{"blocked by content filtering policy"}
)

// maxMessage bounds how much of a provider's own words a caller is shown, in
// bytes.
const maxMessage = 2000

// Fault reads a non-2xx answer. Where the hub's own credential is at fault the
// provider's words are only in the cause.
func (Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	kind, msg := readError(body)
	err := classify(status, kind, msg)
	err.RetryAfter = retryAfter(header)
	return err
}

// readError finds type and message in an error body: this language's form, or
// the looser ones of gateways before a provider. HTML and the like have none.
func readError(body []byte) (kind, msg string) {
	var e struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(body, &e) != nil {
		return "", ""
	}
	kind, msg = wire.Text(wire.Member(e.Error, "type")), wire.Text(wire.Member(e.Error, "message"))
	msg = firstOf(msg, wire.Text(e.Error), e.Message)
	if len(msg) > maxMessage {
		msg = strings.ToValidUTF8(msg[:maxMessage], "")
	}
	if !utf8.ValidString(msg) || strings.Contains(msg, "<html") {
		msg = ""
	}
	return kind, msg
}

func classify(status int, kind, msg string) *hub.Error {
	low := strings.ToLower(msg)
	has := func(words []string) bool {
		return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(low, w) })
	}
	err := &hub.Error{Code: hub.CodeUpstream, Status: status, Type: kind, Message: msg, Class: hub.ClassRequest}
	if msg == "" {
		err.Message = "The provider answered with status " + strconv.Itoa(status) + " and gave no reason."
	}
	switch {
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired, has(creditWords):
		return credential(err)
	case has(blockedWords), status == http.StatusForbidden && has(contentWords):
		err.Code, err.Class = hub.CodeContentFiltered, hub.ClassRefused
	case status == http.StatusForbidden && has(elsewhereWords):
		err.Class = hub.ClassRetry
	case status == http.StatusForbidden:
		return credential(err)
	case status == http.StatusTooManyRequests:
		err.Code, err.Class = hub.CodeRateLimited, hub.ClassRateLimit
	case status == http.StatusRequestTimeout, status == http.StatusGatewayTimeout:
		err.Code, err.Class = hub.CodeTimeout, hub.ClassRetry
	case status == http.StatusServiceUnavailable, status == statusOverloaded:
		err.Code, err.Class = hub.CodeUnavailable, hub.ClassRetry
	case status >= 500, status == http.StatusConflict:
		err.Class = hub.ClassRetry
	}
	return err
}

// credential hides the provider's words about the hub's key from callers.
func credential(err *hub.Error) *hub.Error {
	err.Code, err.Class = hub.CodeProviderCredential, hub.ClassCredential
	err.Cause = errors.New(err.Message)
	err.Message = "The provider did not accept the hub's credential or its quota is used up. The hub's operator must mend this."
	return err
}

// streamError reads an error event. Its type stands for the status that an
// answer without streaming would have had.
func streamError(data []byte) *hub.Error {
	kind, msg := readError(data)
	status := statusOfType[kind]
	if status == 0 {
		status = http.StatusBadGateway
	}
	return classify(status, kind, msg)
}

// retryAfter reads how long to wait: milliseconds, seconds, or an HTTP date
// (against the answer's own Date where it has one).
func retryAfter(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("retry-after-ms"), 64); err == nil && ms > 0 {
		return seconds(ms / 1000)
	}
	val := h.Get("retry-after")
	if s, err := strconv.ParseFloat(val, 64); err == nil && s > 0 {
		return seconds(s)
	}
	at, err := http.ParseTime(val)
	if err != nil {
		return 0
	}
	now := time.Now()
	if d, err := http.ParseTime(h.Get("date")); err == nil {
		now = d
	}
	return max(at.Sub(now), 0)
}

// seconds bounds a wait to a day: beyond, the value is no wait but a mistake.
func seconds(s float64) time.Duration {
	const day = 24 * 60 * 60
	return time.Duration(min(s, day) * float64(time.Second))
}
