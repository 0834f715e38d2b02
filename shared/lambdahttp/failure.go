package lambdahttp

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// failure is an error answer of the adapter itself, in the shape that the hub's
// HTTP surfaces use. Everything else a client sees is the handler's.
type failure struct {
	status  int
	kind    string
	code    hub.Code
	message string
}

func badBody() *failure   { return badRequest("The body is not valid base64.") }
func badMethod() *failure { return badRequest("The request method is not valid.") }
func badPath() *failure   { return badRequest("The request path is not valid.") }

func badRequest(message string) *failure {
	return &failure{status: http.StatusBadRequest, kind: "invalid_request_error", code: hub.CodeInvalid, message: message}
}

func internal() *failure {
	return &failure{status: http.StatusInternalServerError, kind: "server_error", code: hub.CodeInternal, message: hub.AsError(nil).Message}
}

func tooLarge(limit int) *failure {
	f := internal()
	f.message = "The answer is larger than the " + strconv.Itoa(limit>>20) + " MB that this endpoint can return. Ask for less, page by page, or use the export."
	return f
}

// fill replaces what headers the handler had set and returns the body to send.
func (f *failure) fill(h http.Header) []byte {
	body, _ := json.Marshal(map[string]any{"error": map[string]any{"message": f.message, "type": f.kind, "code": f.code}}) // strings only
	clear(h)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	return body
}

// write answers with the failure.
func (f *failure) write(w http.ResponseWriter) {
	body := f.fill(w.Header())
	w.WriteHeader(f.status)
	_, _ = w.Write(body) // the client may be gone; there is nobody else to tell
}

// serve calls the handler and reports whether it returned. A panic is logged here,
// once, and goes no further: the runtime would end the process for it.
func serve(h http.Handler, w http.ResponseWriter, r *http.Request, log *slog.Logger) (returned bool) {
	defer func() {
		switch p := recover(); p {
		case nil:
		case http.ErrAbortHandler: // a handler's way to break an answer off; not news
		default:
			log.ErrorContext(r.Context(), "handler panicked", "panic", p, "method", r.Method, "path", r.URL.Path, "stack", string(debug.Stack()))
		}
	}()
	h.ServeHTTP(w, r)
	return true
}

// bodyless reports whether an answer to method with this status has no body.
func bodyless(method string, status int) bool {
	return method == http.MethodHead || status == http.StatusNoContent || status == http.StatusNotModified
}

// hopByHop reports whether a header speaks of the connection, which is the front
// end's: it must not reach Lambda, whose front ends refuse or repeat it.
func hopByHop(name string) bool {
	switch name {
	case "Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Trailer", "Upgrade":
		return true
	}
	return false
}
