package httpkit

import (
	"cmp"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// ErrorBody encodes an error in the words of one surface. The status and all
// headers are the same on every surface and not its business.
type ErrorBody func(err *hub.Error, requestID string) []byte

// timestampLayout is RFC 3339 with milliseconds, UTC.
const timestampLayout = "2006-01-02T15:04:05.000Z"

type errorDetail struct {
	Message   string `json:"message"`
	Type      string `json:"type"`
	Code      string `json:"code"`
	Param     string `json:"param,omitempty"`
	Link      string `json:"link,omitempty"`
	Timestamp string `json:"timestamp,omitempty"`
}

// JSONError is the error body of the OpenAI and AIGNE surfaces and of the admin
// API (platform.openai.com/docs/guides/error-codes): {"error":{"message","type",
// "code","param"?,"link"?,"timestamp"?}}. A provider's own type and code are
// shown where it gave them. An empty wallet has the type
// NOT_ENOUGH, a timestamp, and the link also at the end of its message, which is
// where AIGNE's command line shows it.
func JSONError(now hub.Now) ErrorBody {
	return func(err *hub.Error, _ string) []byte {
		d := errorDetail{
			Message: err.Message, Type: errorType(err), Code: cmp.Or(err.NativeCode, string(err.Code)),
			Param: err.Param, Link: err.Link,
		}
		if err.Code == hub.CodeInsufficientCredits {
			d.Timestamp = now().UTC().Format(timestampLayout)
			if err.Link != "" && !strings.Contains(err.Message, err.Link) {
				d.Message += " " + err.Link
			}
		}
		body, encodeErr := json.Marshal(map[string]errorDetail{"error": d})
		if encodeErr != nil { // strings always encode
			return []byte(`{"error":{"message":"internal error","type":"server_error","code":"internal"}}`)
		}
		return body
	}
}

// errorType is the provider's own type where there is one, else OpenAI's word
// for that kind of error.
func errorType(err *hub.Error) string {
	if err.Code == hub.CodeInsufficientCredits {
		return "NOT_ENOUGH"
	}
	if err.Type != "" {
		return err.Type
	}
	switch statusOf(err) {
	case http.StatusUnauthorized:
		return "authentication_error"
	case http.StatusForbidden:
		return "permission_error"
	case http.StatusTooManyRequests:
		return "rate_limit_error"
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return "server_error"
	default:
		return "invalid_request_error"
	}
}

// WriteError answers with err: status, headers, and the body of the surface. It
// must be called before anything else was written.
func WriteError(w http.ResponseWriter, r *http.Request, err error, body ErrorBody) {
	e := asError(err)
	status := statusOf(e)
	h := w.Header()
	for _, stale := range []string{"Content-Length", "Content-Encoding", "Etag", "Last-Modified", "Cache-Control"} {
		h.Del(stale) // they spoke of the answer that did not come about
	}
	setRetryHeaders(h, status, e.RetryAfter)
	writeBody(w, status, body(e, RequestID(r.Context())))
}

// setRetryHeaders tells clients whether and when a repeat can help. OpenAI's and
// Anthropic's SDKs obey x-should-retry before their own rules.
func setRetryHeaders(h http.Header, status int, after time.Duration) {
	switch status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		seconds := int64((after + time.Second - 1) / time.Second)
		h.Set("Retry-After", strconv.FormatInt(max(seconds, 1), 10))
	case http.StatusUnauthorized:
		h.Set("WWW-Authenticate", "Bearer") // RFC 9110, section 15.5.2
	}
	switch status {
	case 400, 401, 402, 403, 404, 413, 422:
		h.Set("X-Should-Retry", "false")
	}
}

func writeBody(w http.ResponseWriter, status int, body []byte) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	// A write fails only when the client has gone: there is nobody left to tell.
	_, _ = w.Write(body)
}

// WriteJSON answers with v as JSON. Its error means that v does not encode and
// that nothing was written; return it from the handler.
func WriteJSON(w http.ResponseWriter, status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return hub.Wrap(hub.CodeInternal, err, "The answer could not be encoded.")
	}
	writeBody(w, status, append(body, '\n'))
	return nil
}
