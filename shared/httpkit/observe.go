package httpkit

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"
)

// Observe puts what every request needs around next: the request id (in the
// context and the answer), the logger, the recovery from panics, and one access
// line. Mux does it by itself; a handler that mounts several muxes may do it
// once more around all of them, and only the outermost counts.
//
// A panic is answered with 500 once. When the header is already out the
// connection is aborted (http.ErrAbortHandler), so that a half answer cannot
// pass for a whole one.
func Observe(next http.Handler, d Deps) http.Handler {
	d = d.withDefaults()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		outer := exchangeOf(r.Context())
		if outer != nil && outer.rec != nil {
			next.ServeHTTP(w, r)
			return
		}
		rec := &response{under: w}
		x := &exchange{log: d.Log, rec: rec, errorBody: d.ErrorBody}
		if outer != nil {
			x.id = outer.id
		} else {
			x.id = requestID(r)
		}
		w.Header().Set("X-Request-Id", x.id)
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		start := d.Now()
		abort := guard(next, rec, r, x)
		if rec.status == 0 && !abort {
			// Some transports take a handler that wrote nothing for a broken one.
			rec.WriteHeader(http.StatusOK)
		}
		logAccess(r, rec, x, d.Now().Sub(start), abort)
		if abort {
			panic(http.ErrAbortHandler)
		}
	})
}

// guard serves the request and reports whether the connection must be aborted.
func guard(next http.Handler, w *response, r *http.Request, x *exchange) (abort bool) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		if err, ok := v.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			abort = true
			return
		}
		x.err = fmt.Errorf("panic: %v", v)
		x.stack = debug.Stack()
		abort = answer(w, r, x)
	}()
	next.ServeHTTP(w, r)
	return false
}

// answer writes the error that the exchange holds, or reports that it is too
// late for that and the connection must be aborted.
func answer(w http.ResponseWriter, r *http.Request, x *exchange) (abort bool) {
	if x.rec.status != 0 {
		return true
	}
	WriteError(w, r, x.err, x.errorBody)
	return false
}

// logAccess writes the one line per request. Neither query strings nor headers
// appear: Gemini's clients put their key into the query.
func logAccess(r *http.Request, w *response, x *exchange, took time.Duration, aborted bool) {
	level, status := slog.LevelInfo, w.status
	if x.err != nil && clientGone(r.Context(), x.err) {
		status = StatusClientGone
	} else if status >= 500 || (x.err != nil && aborted) {
		level = slog.LevelError
	}
	// The context that ends with the client must not keep the line from a handler.
	ctx := context.WithoutCancel(r.Context())
	if !x.log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 12)
	attrs = append(attrs,
		slog.String("method", r.Method),
		slog.String("route", x.route),
		slog.Int("status", status),
		slog.Int64("bytes", w.bytes),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
		slog.String("request_id", x.id),
	)
	if x.userID != "" {
		attrs = append(attrs, slog.String("user_id", x.userID))
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	if x.err != nil {
		attrs = append(attrs, slog.String("code", string(asError(x.err).Code)), slog.String("error", x.err.Error()))
	}
	if x.stack != nil {
		attrs = append(attrs, slog.String("stack", string(x.stack)))
	}
	x.log.LogAttrs(ctx, level, "request", attrs...)
}
