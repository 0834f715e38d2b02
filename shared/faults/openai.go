// Package faults reads and writes the errors of OpenAI's languages, which the
// vendors that copied them spell in a dozen ways: one reader and one writer for
// all dialects of the family. It knows no requests and no answers.
package faults

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// complaint is what an error body says, whichever of the vendors' forms it has.
type complaint struct {
	message, kind, code, param string
	status                     int // given in the body
	filtered                   bool
}

// Read reads the body of a non-2xx answer or, with status 0, an error frame of a
// stream. What a provider says about the operator's own key or quota goes to the
// log (Cause), not to the caller. now is for Retry-After dates; nil: time.Now.
func Read(status int, header http.Header, body []byte, now hub.Now) *hub.Error {
	said := readComplaint(body)
	if status == 0 {
		status = said.status
	}
	class := said.classify(status)
	err := &hub.Error{
		Code: codeFor(class, status), Class: class, Status: status,
		Message: said.message, Param: said.param, Type: said.kind, NativeCode: said.code,
	}
	if err.Message == "" {
		err.Message = "The provider failed without saying why."
		if name := http.StatusText(status); name != "" {
			err.Message = fmt.Sprintf("The provider answered with status %d (%s) and no message.", status, name)
		}
	}
	switch class {
	case hub.ClassCredential:
		err.Cause = fmt.Errorf("%s", err.Message)
		err.Message = "The provider does not accept the credential that this hub holds for it, or its quota is used up. An administrator can mend it."
		err.Param, err.Type, err.NativeCode = "", "", ""
	case hub.ClassRateLimit, hub.ClassRetry:
		err.RetryAfter = retryAfter(header, said.message, clock(now))
	}
	return err
}

func codeFor(class hub.Class, status int) hub.Code {
	switch class {
	case hub.ClassCredential:
		return hub.CodeProviderCredential
	case hub.ClassRateLimit:
		return hub.CodeRateLimited
	case hub.ClassRefused:
		return hub.CodeContentFiltered
	}
	switch status {
	case http.StatusRequestTimeout, http.StatusGatewayTimeout:
		return hub.CodeTimeout
	case http.StatusServiceUnavailable, statusOverloaded:
		return hub.CodeUnavailable
	}
	return hub.CodeUpstream
}

// statusOverloaded is what Anthropic, and who resells it, sends when busy.
const statusOverloaded = 529

// Words that tell one cause from another where the status does not. They are
// looked for in lower case.
var (
	quotaWords = []string{"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "account_deactivated",
		"insufficient balance", "insufficient_balance", "credit balance is too low"}
	keyWords     = []string{"invalid_api_key", "api_key_invalid", "incorrect api key", "invalid api key", "api key not valid", "authentication_error"}
	contentWords = []string{"content violates", "usage guidelines", "safety_check", "failed check"}
	filterCodes  = []string{"content_filter", "content_policy", "responsibleaipolicyviolation", "moderation_blocked"}
	regionWords  = []string{"not available in your region", "not supported in your country", "geographic restriction",
		"region restriction", "unsupported_country_region_territory", "country, region, or territory not supported"}
	temporaryWords = []string{"temporarily blocked", "temporary block", "try again later"}
)

func (s *complaint) classify(status int) hub.Class {
	names := strings.ToLower(s.code + " " + s.kind)
	all := names + " " + strings.ToLower(s.message)
	switch {
	case s.filtered, containsAny(names, filterCodes):
		return hub.ClassRefused
	case status == http.StatusUnauthorized, status == http.StatusPaymentRequired, containsAny(all, quotaWords):
		return hub.ClassCredential
	case status == http.StatusForbidden:
		return classifyForbidden(all)
	case status == http.StatusTooManyRequests:
		return hub.ClassRateLimit
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusConflict, status == http.StatusTooEarly:
		return hub.ClassRetry
	case status >= 400:
		if containsAny(all, keyWords) {
			return hub.ClassCredential
		}
		return hub.ClassRequest
	}
	switch { // an error frame without a status
	case containsAny(names, keyWords):
		return hub.ClassCredential
	case strings.Contains(names, "rate_limit"):
		return hub.ClassRateLimit
	case strings.Contains(names, "invalid_request"):
		return hub.ClassRequest
	}
	return hub.ClassRetry
}

// classifyForbidden: a 403 is about the key unless it says otherwise.
func classifyForbidden(said string) hub.Class {
	switch {
	case containsAny(said, contentWords):
		return hub.ClassRefused
	case containsAny(said, regionWords), containsAny(said, temporaryWords):
		return hub.ClassRetry
	}
	return hub.ClassCredential
}

func containsAny(s string, words []string) bool {
	for _, w := range words {
		if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

// errorBody covers {"error":{…}} (OpenAI, Azure, OpenRouter), {"error":"…"},
// {"message":…} (Mistral), {"detail":…} (FastAPI servers).
type errorBody struct {
	Error   json.RawMessage `json:"error"`
	Message json.RawMessage `json:"message"`
	Detail  json.RawMessage `json:"detail"`
	Type    string          `json:"type"`
	Code    json.RawMessage `json:"code"`
	Param   string          `json:"param"`

	InnerError struct {
		Code string `json:"code"`
	} `json:"innererror"` // Azure
	Metadata struct {
		Reasons []string        `json:"reasons"` // moderation
		Raw     json.RawMessage `json:"raw"`     // what the provider behind it said
	} `json:"metadata"` // OpenRouter
}

func readComplaint(body []byte) complaint {
	text := strings.TrimSpace(string(body))
	if strings.HasPrefix(text, "[") { // Google's OpenAI-compatible API wraps errors in an array
		var many []json.RawMessage
		if json.Unmarshal(body, &many) == nil && len(many) > 0 {
			text = string(many[0])
		}
	}
	if strings.HasPrefix(text, "<") || text == "" {
		return complaint{}
	}
	if !strings.HasPrefix(text, "{") {
		return complaint{message: presentable(text)}
	}
	outer := parseBody([]byte(text))
	said := outer.complaint()
	if len(outer.Error) > 0 && outer.Error[0] == '{' {
		inner := parseBody(outer.Error)
		said = inner.complaint()
	} else if s := unquote(outer.Error); s != "" {
		said.message = presentable(s)
	}
	return said
}

// parseBody reads what fits; members of unexpected types are left out.
func parseBody(raw []byte) (b errorBody) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return b
	}
	b.Error, b.Message, b.Detail, b.Code = members["error"], members["message"], members["detail"], members["code"]
	b.Type, b.Param = unquote(members["type"]), unquote(members["param"])
	_ = json.Unmarshal(members["innererror"], &b.InnerError) // absent or of another form: nothing to learn
	_ = json.Unmarshal(members["metadata"], &b.Metadata)
	return b
}

func (b *errorBody) complaint() complaint {
	said := complaint{kind: b.Type, param: b.Param, code: unquote(b.Code)}
	if n, err := strconv.Atoi(string(b.Code)); err == nil && n >= 400 && n < 600 {
		said.status = n // OpenRouter and Google put the status here
	}
	for _, raw := range []json.RawMessage{b.Message, b.Detail} {
		if said.message == "" && len(raw) > 0 && string(raw) != "null" {
			said.message = presentable(plain(raw))
		}
	}
	if more := presentable(plain(b.Metadata.Raw)); more != "" && len(more) < 500 {
		said.message += ": " + more
	}
	said.filtered = len(b.Metadata.Reasons) > 0 || containsAny(strings.ToLower(b.InnerError.Code), filterCodes)
	return said
}

// plain gives a string's text, other JSON as it stands, null as nothing.
func plain(raw json.RawMessage) string {
	if len(raw) == 0 || string(raw) == "null" {
		return ""
	}
	if raw[0] == '"' {
		return unquote(raw)
	}
	return string(raw)
}

const maxMessage = 2000

// keyLike matches what providers quote of keys in their complaints.
var keyLike = regexp.MustCompile(`\b(?:sk|pk|gsk|xai|key|Bearer|AIza)[-_ ]?[A-Za-z0-9*_-]{12,}`)

// presentable makes a provider's message fit to show: no key, no HTML, bounded.
func presentable(s string) string {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "<") {
		return ""
	}
	if len(s) > maxMessage {
		s = strings.ToValidUTF8(s[:maxMessage], "") + "…"
	}
	return keyLike.ReplaceAllString(s, "***")
}

// maxRetryAfter bounds what a provider may ask for.
const maxRetryAfter = 24 * time.Hour

var tryAgainIn = regexp.MustCompile(`(?i)try again in ((?:[0-9.]+(?:ms|s|m|h))+)`)

// retryAfter reads retry-after-ms, Retry-After (seconds or a date, RFC 9110
// section 10.2.3) or the message's "try again in 6m0s". 0 when none is there.
func retryAfter(h http.Header, message string, now time.Time) time.Duration {
	d := time.Duration(0)
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil {
		d = span(ms / 1000)
	} else if after := h.Get("Retry-After"); after != "" {
		if s, err := strconv.ParseFloat(after, 64); err == nil {
			d = span(s)
		} else if at, err := http.ParseTime(after); err == nil {
			d = at.Sub(now)
		}
	} else if m := tryAgainIn.FindStringSubmatch(message); m != nil {
		d, _ = time.ParseDuration(m[1]) // not a span: unknown
	}
	return min(max(d, 0), maxRetryAfter)
}

func span(seconds float64) time.Duration {
	if !(seconds > 0) { // not a number included
		return 0
	}
	return time.Duration(min(seconds, maxRetryAfter.Seconds()) * float64(time.Second))
}

func clock(now hub.Now) time.Time {
	if now == nil {
		return time.Now()
	}
	return now()
}

// unquote decodes a raw string; anything else gives "".
func unquote(raw json.RawMessage) (s string) {
	if json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}
