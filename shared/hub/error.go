package hub

import (
	"errors"
	"fmt"
	"time"
)

// Code says what went wrong in words that a program can act on. Only httpkit
// turns a code into an HTTP status.
type Code string

// The codes.
const (
	CodeInvalid             Code = "invalid_request"        // 400: the request is wrong; Param names the field
	CodeUnauthenticated     Code = "unauthenticated"        // 401
	CodeInsufficientCredits Code = "insufficient_credits"   // 402: the caller's wallet, never anything else
	CodeForbidden           Code = "forbidden"              // 403
	CodeNotFound            Code = "not_found"              // 404
	CodeModelNotFound       Code = "model_not_found"        // 404
	CodeConflict            Code = "conflict"               // 409
	CodeTooLarge            Code = "request_too_large"      // 413
	CodeUpgradeRequired     Code = "upgrade_required"       // 426
	CodeRateLimited         Code = "rate_limited"           // 429
	CodeInternal            Code = "internal"               // 500
	CodeProviderCredential  Code = "provider_credential"    // 502: our key or quota at the provider
	CodeUpstream            Code = "upstream_error"         // the provider's own 4xx status, else 502
	CodeUnavailable         Code = "unavailable"            // 503
	CodeTimeout             Code = "upstream_timeout"       // 504
	CodeContentFiltered     Code = "content_policy"         // the provider refused the content
	CodeStaleConfig         Code = "stale_config"           // internal: reload the snapshot and retry
	CodeMethodNotAllowed    Code = "method_not_allowed"     // 405
	CodeUnsupportedMedia    Code = "unsupported_media_type" // 415
)

// Class says what to do about a provider's failure.
type Class int

// The classes. ClassNone marks an error that is not a provider's.
const (
	ClassNone       Class = iota
	ClassRetry            // another key or another target may do better
	ClassRateLimit        // the key must rest; RetryAfter says how long, if known
	ClassCredential       // the key is bad, blocked or out of quota
	ClassRequest          // the request is wrong everywhere; stop
	ClassRefused          // the content was refused; stop
)

// Error is the one error type of the hub.
type Error struct {
	Code    Code
	Message string // for the user: says what to do, holds no secret
	Param   string // the field at fault, if one is
	Cause   error  // for the log

	Class      Class         // how a provider's failure is to be treated
	Status     int           // the provider's HTTP status, 0 when the error is ours
	Type       string        // the provider's own error type, shown as it came
	NativeCode string        // the provider's own error code, shown as it came where the request is at fault
	RetryAfter time.Duration // 0: unknown
	Link       string        // where credits can be bought
}

// Error returns the message and, for the log, its cause.
func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Cause)
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Errorf makes an Error with a code and a message for the user.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid makes the error for a bad field.
func Invalid(param, format string, args ...any) *Error {
	return &Error{Code: CodeInvalid, Param: param, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error with a cause that only the log sees.
func Wrap(code Code, cause error, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...), Cause: cause}
}

// AsError returns err as an *Error; anything else becomes CodeInternal with a
// message that tells nothing about the inside.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Message: "The hub met an internal error. The request id names it in the log.", Cause: err}
}

// CodeOf returns the code of err, CodeInternal for foreign errors, "" for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	return AsError(err).Code
}
