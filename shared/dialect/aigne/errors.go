package aigne

import "github.com/aigne-hub/aigne-hub/shared/hub"

// notEnough is the type by which AIGNE's clients know an empty wallet.
const notEnough = "NOT_ENOUGH"

// timestamp has milliseconds, as JavaScript writes dates.
const timestamp = "2006-01-02T15:04:05.000Z"

type errorBody struct {
	Message   string `json:"message"`
	Type      string `json:"type"`
	Code      string `json:"code,omitempty"`
	Param     string `json:"param,omitempty"`
	Link      string `json:"link,omitempty"`
	Timestamp string `json:"timestamp,omitempty"`
}

// errorTypes are the words shown where a provider gave none of its own.
var errorTypes = map[hub.Code]string{
	hub.CodeInvalid: "invalid_request_error", hub.CodeNotFound: "invalid_request_error",
	hub.CodeModelNotFound: "invalid_request_error", hub.CodeConflict: "invalid_request_error",
	hub.CodeTooLarge: "invalid_request_error", hub.CodeUpgradeRequired: "invalid_request_error",
	hub.CodeMethodNotAllowed: "invalid_request_error", hub.CodeUnsupportedMedia: "invalid_request_error",
	hub.CodeContentFiltered: "invalid_request_error",
	hub.CodeUnauthenticated: "authentication_error", hub.CodeForbidden: "permission_error",
	hub.CodeRateLimited: "rate_limit_error", hub.CodeTimeout: "timeout_error",
}

func errorType(err *hub.Error) string {
	switch {
	case err.Code == hub.CodeInsufficientCredits:
		return notEnough
	case err.Type != "":
		return err.Type
	case errorTypes[err.Code] != "":
		return errorTypes[err.Code]
	}
	return "server_error"
}

// encodeError makes {"error": {message, type, code, …}}, the one form from which
// every client takes its message. The request id travels in a header.
func encodeError(now hub.Now, err *hub.Error) []byte {
	body := errorBody{Message: err.Message, Type: errorType(err), Code: string(err.Code), Param: err.Param, Link: err.Link}
	switch {
	case err.Code == hub.CodeInsufficientCredits:
		body.Timestamp = clock(now).UTC().Format(timestamp)
	case err.NativeCode != "":
		body.Code = err.NativeCode
	}
	return encodeJSON(map[string]errorBody{"error": body})
}

// Error encodes an error body.
func (s Server) Error(err *hub.Error, _ string) []byte { return encodeError(s.Now, err) }

// Error encodes an error body.
func (s RestServer) Error(err *hub.Error, _ string) []byte { return encodeError(s.Now, err) }
