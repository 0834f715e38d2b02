package proxy

import (
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// clientStream writes server-sent events to the client. While nothing else is
// to be said it says ": ping", also before the provider's first byte. A failed
// write is remembered; later ones do nothing.
type clientStream struct {
	w       http.ResponseWriter
	rc      *http.ResponseController
	every   time.Duration
	onFirst func() // at the first real byte

	mu       sync.Mutex
	header   bool // the header is out
	first    bool // a real byte is out
	over     bool
	timer    *time.Timer
	deadline time.Time
	broken   atomic.Bool
}

// writeTimeout is how long a client may take to accept bytes.
const writeTimeout = 2 * time.Minute

func newClientStream(w http.ResponseWriter, every time.Duration) *clientStream {
	s := &clientStream{w: w, rc: http.NewResponseController(w), every: every}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timer = time.AfterFunc(every, s.ping)
	return s
}

func (s *clientStream) ping() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.broken.Load() {
		return
	}
	s.send([]byte(": ping\n\n"), true)
	s.timer.Reset(s.every)
}

// maxScratch is the largest buffer that a stream keeps for its next frames.
const maxScratch = 128 << 10

// scratch makes a buffer for the next frames of one that was written.
func (*clientStream) scratch(used []byte) []byte {
	if cap(used) > maxScratch {
		return nil
	}
	return used[:0]
}

// write sends frames.
func (s *clientStream) write(p []byte, flush bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken.Load() || len(p) == 0 {
		return
	}
	if !s.first {
		s.first = true
		if s.onFirst != nil {
			s.onFirst()
		}
	}
	s.send(p, flush)
	if flush {
		s.timer.Reset(s.every)
	}
}

func (s *clientStream) send(p []byte, flush bool) {
	if !s.header {
		s.header = true
		h := s.w.Header()
		h.Set("content-type", "text/event-stream; charset=utf-8")
		h.Set("cache-control", "no-cache")
		h.Set("x-accel-buffering", "no")
		s.w.WriteHeader(http.StatusOK)
	}
	// The deadline is moved on rarely: setting it costs as much as a small write.
	if now := time.Now(); s.deadline.Sub(now) < writeTimeout/2 {
		s.deadline = now.Add(writeTimeout)
		_ = s.rc.SetWriteDeadline(s.deadline) // not every server has deadlines
	}
	if _, err := s.w.Write(p); err != nil {
		s.broken.Store(true)
		return
	}
	if flush {
		_ = s.rc.Flush() // not every server needs it; a broken client shows at the next write
	}
}

// begun reports whether the header is out, so that errors go in-band.
func (s *clientStream) begun() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.header
}

// failed reports whether the client no longer takes bytes.
func (s *clientStream) failed() bool { return s.broken.Load() }

// end writes the last frames.
func (s *clientStream) end(p []byte) {
	s.write(p, true)
	s.stop()
}

// stop ends the pings and takes the deadline back from the connection, which
// may serve other requests. It is safe to call twice.
func (s *clientStream) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.over = true
	s.timer.Stop()
	if !s.deadline.IsZero() {
		_ = s.rc.SetWriteDeadline(time.Time{})
		s.deadline = time.Time{}
	}
}
