package httpkit

import (
	"context"
	"net/http"
	"time"
)

// AccessLog says which requests get a line in the log.
type AccessLog string

// What is logged of requests.
const (
	AccessAll    AccessLog = "on"     // every request; the zero value means it too
	AccessErrors AccessLog = "errors" // those that failed by the hub's fault or its provider's: 500 and more
	AccessOff    AccessLog = "off"
)

// Watch hears of every request. Its functions are called on the request's way and
// must not wait; each may be nil.
type Watch struct {
	// Begin may return the context that the request goes on with; nil: its own.
	Begin func(r *http.Request, start time.Time) context.Context
	// End gets that context, and what became of the request.
	End func(ctx context.Context, s *Served)
}

// Served is what became of a request. Route is a pattern, never a path; it is "" for
// what no route serves.
type Served struct {
	Method  string
	Route   string
	Status  int // as the client saw it, or StatusClientGone
	Bytes   int64
	Took    time.Duration
	Err     error  // nil: none
	CallID  string // of the model call that it made; "": none
	Aborted bool   // the connection was cut, so that a half answer is not taken for a whole one

	failed bool
}

// NoteCall puts the id of a model call on the request's access line.
func NoteCall(ctx context.Context, id string) {
	if x := exchangeOf(ctx); x != nil {
		x.callID = id
	}
}
