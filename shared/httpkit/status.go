package httpkit

import (
	"context"
	"errors"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// StatusClientGone is what the access log shows for a request whose client left
// before an answer; nobody receives it.
const StatusClientGone = 499

// statuses is the one place where a code becomes a status. The two codes that
// may carry a provider's own status are treated in Status.
var statuses = map[hub.Code]int{
	hub.CodeInvalid:             http.StatusBadRequest,
	hub.CodeUnauthenticated:     http.StatusUnauthorized,
	hub.CodeInsufficientCredits: http.StatusPaymentRequired,
	hub.CodeForbidden:           http.StatusForbidden,
	hub.CodeNotFound:            http.StatusNotFound,
	hub.CodeModelNotFound:       http.StatusNotFound,
	hub.CodeMethodNotAllowed:    http.StatusMethodNotAllowed,
	hub.CodeConflict:            http.StatusConflict,
	hub.CodeTooLarge:            http.StatusRequestEntityTooLarge,
	hub.CodeUnsupportedMedia:    http.StatusUnsupportedMediaType,
	hub.CodeUpgradeRequired:     http.StatusUpgradeRequired,
	hub.CodeRateLimited:         http.StatusTooManyRequests,
	hub.CodeInternal:            http.StatusInternalServerError,
	hub.CodeProviderCredential:  http.StatusBadGateway,
	hub.CodeUpstream:            http.StatusBadGateway,
	hub.CodeUnavailable:         http.StatusServiceUnavailable,
	hub.CodeStaleConfig:         http.StatusServiceUnavailable,
	hub.CodeTimeout:             http.StatusGatewayTimeout,
	hub.CodeContentFiltered:     http.StatusBadRequest,
}

// Status returns the HTTP status that answers err: 200 for nil, 500 for errors
// without a known code. A provider's own 4xx status is kept for upstream_error
// and content_policy, except 401, 402 and 403: those would blame the caller for
// the operator's credential or quota.
func Status(err error) int {
	if err == nil {
		return http.StatusOK
	}
	return statusOf(asError(err))
}

func statusOf(e *hub.Error) int {
	if e.Code == hub.CodeUpstream || e.Code == hub.CodeContentFiltered {
		switch s := e.Status; {
		case s == http.StatusUnauthorized, s == http.StatusPaymentRequired, s == http.StatusForbidden:
		case s >= 400 && s < 500:
			return s
		}
	}
	if s, ok := statuses[e.Code]; ok {
		return s
	}
	return http.StatusInternalServerError
}

// asError turns what net/http says about the body into the hub's words and
// leaves the rest to hub.AsError.
func asError(err error) *hub.Error {
	var e *hub.Error
	if errors.As(err, &e) {
		return e
	}
	var limit *http.MaxBytesError
	if errors.As(err, &limit) {
		return tooLarge(limit.Limit)
	}
	return hub.AsError(err)
}

func tooLarge(limit int64) *hub.Error {
	return hub.Errorf(hub.CodeTooLarge, "The request body is larger than the limit of %d bytes.", limit)
}

// clientGone reports whether err is no more than the client's leaving.
func clientGone(ctx context.Context, err error) bool {
	return errors.Is(err, context.Canceled) && errors.Is(ctx.Err(), context.Canceled)
}
