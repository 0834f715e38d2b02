package gemini

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// statusCodes are the HTTP status and google.rpc.Code of the hub's codes. There
// is no code of Google's for an empty wallet; FAILED_PRECONDITION is what it
// says where billing is not set up.
var statusCodes = map[hub.Code]struct {
	http int
	word string
}{
	hub.CodeInvalid:             {http.StatusBadRequest, "INVALID_ARGUMENT"},
	hub.CodeUnauthenticated:     {http.StatusUnauthorized, "UNAUTHENTICATED"},
	hub.CodeInsufficientCredits: {http.StatusPaymentRequired, "FAILED_PRECONDITION"},
	hub.CodeForbidden:           {http.StatusForbidden, "PERMISSION_DENIED"},
	hub.CodeNotFound:            {http.StatusNotFound, "NOT_FOUND"},
	hub.CodeModelNotFound:       {http.StatusNotFound, "NOT_FOUND"},
	hub.CodeMethodNotAllowed:    {http.StatusMethodNotAllowed, "UNIMPLEMENTED"},
	hub.CodeConflict:            {http.StatusConflict, "ABORTED"},
	hub.CodeTooLarge:            {http.StatusRequestEntityTooLarge, "INVALID_ARGUMENT"},
	hub.CodeUnsupportedMedia:    {http.StatusUnsupportedMediaType, "INVALID_ARGUMENT"},
	hub.CodeUpgradeRequired:     {http.StatusUpgradeRequired, "FAILED_PRECONDITION"},
	hub.CodeRateLimited:         {http.StatusTooManyRequests, "RESOURCE_EXHAUSTED"},
	hub.CodeInternal:            {http.StatusInternalServerError, "INTERNAL"},
	hub.CodeProviderCredential:  {http.StatusBadGateway, "UNAVAILABLE"},
	hub.CodeUpstream:            {http.StatusBadGateway, "UNAVAILABLE"},
	hub.CodeUnavailable:         {http.StatusServiceUnavailable, "UNAVAILABLE"},
	hub.CodeStaleConfig:         {http.StatusServiceUnavailable, "UNAVAILABLE"},
	hub.CodeTimeout:             {http.StatusGatewayTimeout, "DEADLINE_EXCEEDED"},
	hub.CodeContentFiltered:     {http.StatusBadRequest, "INVALID_ARGUMENT"},
}

// ownWords are the words of google.rpc.Code that a provider may have said itself
// of a request that is at fault.
var ownWords = map[string]bool{
	"INVALID_ARGUMENT": true, "FAILED_PRECONDITION": true, "OUT_OF_RANGE": true, "NOT_FOUND": true, "ALREADY_EXISTS": true,
	"ABORTED": true, "RESOURCE_EXHAUSTED": true, "UNIMPLEMENTED": true, "CANCELLED": true,
}

// statusWords are the words of statuses that a provider gave.
var statusWords = map[int]string{
	http.StatusNotFound: "NOT_FOUND", http.StatusConflict: "ABORTED",
	http.StatusRequestTimeout: "DEADLINE_EXCEEDED", http.StatusTooManyRequests: "RESOURCE_EXHAUSTED",
}

type errorOut struct {
	Error errorDetail `json:"error"`
}

type errorDetail struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Status  string `json:"status"`
	Details []any  `json:"details,omitempty"`
}

type badRequest struct {
	Type       string      `json:"@type"`
	Violations []violation `json:"fieldViolations"`
}

type violation struct {
	Field       string `json:"field"`
	Description string `json:"description"`
}

type retryInfo struct {
	Type  string `json:"@type"`
	Delay string `json:"retryDelay"`
}

// Error encodes an error as google.rpc.Status. The field at fault and the time
// to wait are told in the details that the API has for them.
func (Server) Error(err *hub.Error, _ string) []byte {
	s, ok := statusCodes[err.Code]
	if !ok {
		s = statusCodes[hub.CodeInternal]
	}
	// The provider's own 4xx is kept, except those that would blame the caller
	// for the operator's credential.
	if err.Code == hub.CodeUpstream || err.Code == hub.CodeContentFiltered {
		switch n := err.Status; {
		case n == http.StatusUnauthorized, n == http.StatusPaymentRequired, n == http.StatusForbidden:
		case n >= 400 && n < 500:
			s.http, s.word = n, "INVALID_ARGUMENT"
			if word, ok := statusWords[n]; ok {
				s.word = word
			}
			if ownWords[err.Type] {
				s.word = err.Type
			}
		}
	}
	out := errorDetail{Code: s.http, Message: err.Message, Status: s.word}
	if err.Link != "" && !strings.Contains(out.Message, err.Link) {
		out.Message += " " + err.Link
	}
	if err.Param != "" {
		out.Details = append(out.Details, badRequest{"type.googleapis.com/google.rpc.BadRequest", []violation{{err.Param, err.Message}}})
	}
	if err.RetryAfter > 0 {
		delay := strconv.FormatFloat(err.RetryAfter.Seconds(), 'f', -1, 64) + "s"
		out.Details = append(out.Details, retryInfo{"type.googleapis.com/google.rpc.RetryInfo", delay})
	}
	return encodeJSON(errorOut{out})
}
