package httpkit

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/oklog/ulid/v2"
)

type exchangeKey struct{}

// exchange is what one request gathers for its access line. id and log never
// change; the rest belongs to the goroutine that serves the request.
type exchange struct {
	id  string
	log *slog.Logger
	rec *response // nil until Observe has seen the request

	route     string // the pattern, never the path: paths and queries hold what callers typed
	userID    string
	keyID     string
	callID    string
	errorBody ErrorBody
	err       error
	stack     []byte
}

func exchangeOf(ctx context.Context) *exchange {
	x, _ := ctx.Value(exchangeKey{}).(*exchange)
	return x
}

// NewContext returns a context that carries a request id and a logger, for work
// that no HTTP request started.
func NewContext(ctx context.Context, requestID string, log *slog.Logger) context.Context {
	return context.WithValue(ctx, exchangeKey{}, &exchange{id: requestID, log: log})
}

// RequestID returns the id of the request, "" outside of one.
func RequestID(ctx context.Context) string {
	if x := exchangeOf(ctx); x != nil {
		return x.id
	}
	return ""
}

// Log returns a logger whose lines name the request; outside of a request, the
// default logger.
func Log(ctx context.Context) *slog.Logger {
	x := exchangeOf(ctx)
	if x == nil {
		return slog.Default()
	}
	return x.log.With("request_id", x.id)
}

// NoteError puts err on the request's access line without changing the answer:
// for streams that told their client in-band. It must be called by the goroutine
// that serves the request; the first error stays.
func NoteError(ctx context.Context, err error) {
	if x := exchangeOf(ctx); x != nil && x.err == nil {
		x.err = err
	}
}

const maxRequestID = 128

// requestID takes the caller's id when it is sane, else makes one.
func requestID(r *http.Request) string {
	if id := r.Header.Get("X-Request-Id"); saneRequestID(id) {
		return id
	}
	return ulid.Make().String()
}

// saneRequestID: an id goes into logs, headers and SQL of other systems too.
func saneRequestID(id string) bool {
	if id == "" || len(id) > maxRequestID {
		return false
	}
	for i := range len(id) {
		switch c := id[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}
