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
		start := d.Now()
		if d.Watch.Begin != nil {
			if ctx := d.Watch.Begin(r, start); ctx != nil {
				r = r.WithContext(ctx)
			}
		}
		r = r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x))
		abort := guard(next, rec, r, x)
		if rec.status == 0 && !abort {
			// Some transports take a handler that wrote nothing for a broken one.
			rec.WriteHeader(http.StatusOK)
		}
		took := d.Now().Sub(start)
		s := served(r, rec, x, took, abort)
		if d.Access == AccessAll || (d.Access == AccessErrors && s.failed) {
			logAccess(r, x, &s)
		}
		if d.Watch.End != nil {
			d.Watch.End(r.Context(), &s)
		}
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

// served is the outcome of a request, as its client saw it.
func served(r *http.Request, w *response, x *exchange, took time.Duration, aborted bool) Served {
	s := Served{Method: r.Method, Route: x.route, Status: w.status, Bytes: w.bytes, Took: took, Err: x.err, CallID: x.callID, Aborted: aborted}
	if x.err != nil && clientGone(r.Context(), x.err) {
		s.Status = StatusClientGone
	} else {
		s.failed = s.Status >= 500 || (x.err != nil && aborted)
	}
	return s
}

// logAccess writes the one line per request. Neither query strings nor headers
// appear: Gemini's clients put their key into the query.
func logAccess(r *http.Request, x *exchange, s *Served) {
	level := slog.LevelInfo
	if s.failed {
		level = slog.LevelError
	}
	// The context that ends with the client must not keep the line from a handler.
	ctx := context.WithoutCancel(r.Context())
	if !x.log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 14)
	attrs = append(attrs,
		slog.String("method", s.Method),
		slog.String("route", s.Route),
		slog.Int("status", s.Status),
		slog.Int64("bytes", s.Bytes),
		slog.Float64("duration_ms", float64(s.Took.Microseconds())/1000),
		slog.String("request_id", x.id),
	)
	for _, a := range [...]struct{ key, value string }{{"call_id", x.callID}, {"user_id", x.userID}, {"key_id", x.keyID}} {
		if a.value != "" {
			attrs = append(attrs, slog.String(a.key, a.value))
		}
	}
	if s.Aborted {
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
