package capture

import (
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Take is one call that is being kept. It belongs to the goroutine that serves the
// call; a nil Take keeps nothing.
type Take struct {
	r        *Recorder
	rule     *store.CaptureRule
	callID   string
	userID   string
	at       time.Time
	reserved int64 // of the recorder's memory
	shed     bool  // there was no room

	request, response taken
	status            int
	header            http.Header
}

// taken is a body as it went over the wire, or its beginning.
type taken struct {
	kind string
	body []byte
	size int64
}

// Request keeps the body of the request. It must not change any more.
func (t *Take) Request(kind string, body []byte) {
	if t == nil || t.rule.Parts == Response {
		return
	}
	if !t.reserve(len(body)) {
		return
	}
	t.request = taken{kind, body, int64(len(body))}
}

func (t *Take) reserve(n int) bool {
	if t.shed || !t.r.room(int64(n)) {
		t.shed = true
		return false
	}
	t.reserved += int64(n)
	return true
}

// Writer returns a writer that keeps what goes through it to the client.
func (t *Take) Writer(w http.ResponseWriter) http.ResponseWriter {
	if t == nil {
		return w
	}
	t.header = w.Header()
	return &tee{ResponseWriter: w, t: t}
}

// tee keeps what a client gets. http.ResponseController finds the writer behind it.
type tee struct {
	http.ResponseWriter
	t *Take
}

// Unwrap serves http.ResponseController.
func (w *tee) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the header.
func (w *tee) WriteHeader(status int) {
	if w.t.status == 0 && status >= http.StatusOK {
		w.t.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write sends part of the body.
func (w *tee) Write(p []byte) (int, error) {
	n, err := w.ResponseWriter.Write(p)
	w.t.delivered(p[:n])
	return n, err
}

// rawMost is how much of an answer is taken for what is kept of it: redaction
// makes bodies shorter, pictures above all.
func (t *Take) rawMost() int { return max(8*t.r.settings.Body, 1<<20) }

func (t *Take) delivered(p []byte) {
	if t.status == 0 {
		t.status = http.StatusOK
	}
	b := &t.response
	b.size += int64(len(p))
	if t.rule.Parts == Request || t.shed {
		return
	}
	if left := t.rawMost() - len(b.body); len(p) > left {
		p = p[:left]
	}
	if len(p) == 0 {
		return
	}
	if need := len(b.body) + len(p) - cap(b.body); need > 0 {
		// Twice as much, so that a stream of small pieces is not copied for each.
		grow := max(need, min(cap(b.body), t.rawMost()-cap(b.body)), 1<<10)
		if !t.reserve(grow) {
			return
		}
		bigger := make([]byte, len(b.body), cap(b.body)+grow)
		copy(bigger, b.body)
		b.body = bigger
	}
	b.body = append(b.body, p...)
}

// Refused notes an answer that the caller's own writer did not see: an error that
// is written for the handler.
func (t *Take) Refused(status int, kind string, body []byte) {
	if t == nil || t.status != 0 {
		return
	}
	t.status = status
	t.delivered(body)
	t.response.kind = kind
}

// Answered reports whether the client was sent anything.
func (t *Take) Answered() bool { return t == nil || t.status != 0 }

// Done hands the call over to be stored. It never waits.
func (t *Take) Done() {
	if t == nil {
		return
	}
	if t.response.kind == "" && t.header != nil {
		t.response.kind = t.header.Get("Content-Type")
	}
	t.header = nil // it belongs to the connection
	if t.shed {
		t.r.drop(t)
		return
	}
	t.r.put(t)
}

// textual reports whether a body is text that can be read and redacted.
func textual(kind string) bool {
	kind, _, _ = mime.ParseMediaType(kind)
	switch {
	case kind == "", strings.HasPrefix(kind, "text/"), strings.HasSuffix(kind, "+json"), strings.HasSuffix(kind, "+xml"):
		return true
	}
	switch kind {
	case "application/json", "application/x-ndjson", "application/x-www-form-urlencoded", "application/xml", "application/x-subrip":
		return true
	}
	return false
}
