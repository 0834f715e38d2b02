package faults

import (
	"bytes"
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

type errorOut struct {
	Message   string  `json:"message"`
	Type      string  `json:"type"`
	Code      string  `json:"code"`
	Param     *string `json:"param"`
	Link      string  `json:"link,omitempty"`
	Timestamp string  `json:"timestamp,omitempty"`
}

// errorTypes are OpenAI's words (https://platform.openai.com/docs/guides/error-codes);
// an empty wallet has the word that AIGNE's clients act on.
var errorTypes = map[hub.Code]string{
	hub.CodeInvalid:             "invalid_request_error",
	hub.CodeUnauthenticated:     "authentication_error",
	hub.CodeInsufficientCredits: "NOT_ENOUGH",
	hub.CodeForbidden:           "permission_error",
	hub.CodeNotFound:            "invalid_request_error",
	hub.CodeModelNotFound:       "invalid_request_error",
	hub.CodeConflict:            "invalid_request_error",
	hub.CodeTooLarge:            "invalid_request_error",
	hub.CodeUpgradeRequired:     "invalid_request_error",
	hub.CodeMethodNotAllowed:    "invalid_request_error",
	hub.CodeUnsupportedMedia:    "invalid_request_error",
	hub.CodeRateLimited:         "rate_limit_error",
	hub.CodeContentFiltered:     "invalid_request_error",
	hub.CodeTimeout:             "timeout_error",
}

// Body encodes an error as OpenAI and the AIGNE hub spell it. now dates what has a
// date; nil: time.Now.
func Body(err *hub.Error, now hub.Now) []byte {
	out := errorOut{Message: err.Message, Type: err.Type, Code: string(err.Code), Link: err.Link}
	if out.Type == "" {
		out.Type = errorTypes[err.Code]
	}
	if out.Type == "" {
		out.Type = "server_error"
	}
	if err.NativeCode != "" {
		out.Code = err.NativeCode
	}
	if err.Param != "" {
		out.Param = &err.Param
	}
	if err.Code == hub.CodeInsufficientCredits {
		out.Type, out.Code = errorTypes[err.Code], string(err.Code)
		out.Timestamp = clock(now).UTC().Format("2006-01-02T15:04:05.000Z")
	}
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(map[string]errorOut{"error": out}) // of strings only: it cannot fail
	return bytes.TrimRight(body.Bytes(), "\n")
}
