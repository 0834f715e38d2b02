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
	array   *jsonArray // the client wants the events as elements of one; else nil
	onFirst func()     // at the first real byte
	tape    *tape      // of what the client gets, where the cache may want it; else nil

	mu     sync.Mutex
	header bool // the header is out
	first  bool // a real byte is out
	over   bool
	quiet  bool // no more pings
	timer  *time.Timer
	writes int64 // compared by look, so that no write has to read the clock
	seen   int64
	still  bool
	broken atomic.Bool
}

// writeTimeout is how long a client may take to accept bytes.
const writeTimeout = 2 * time.Minute

// newClientStream starts a stream that pings after a silence of every to one
// and a half times every.
func newClientStream(w http.ResponseWriter, every time.Duration, array bool) *clientStream {
	s := &clientStream{w: w, rc: http.NewResponseController(w), every: every}
	if array {
		s.array = &jsonArray{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.allow()
	s.timer = time.AfterFunc(every/2, s.look)
	return s
}

// allow moves the deadline of writes on.
func (s *clientStream) allow() {
	_ = s.rc.SetWriteDeadline(time.Now().Add(writeTimeout)) // not every server has deadlines
}

// look runs twice in every: it moves the deadline on and pings when nothing was
// written since the look before the last.
func (s *clientStream) look() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over || s.quiet || s.broken.Load() {
		return
	}
	s.allow()
	switch {
	case s.writes != s.seen:
		s.still = false
	case !s.still:
		s.still = true
	default:
		s.send(s.ping(), true)
		s.still = false
	}
	s.seen = s.writes
	s.timer.Reset(s.every / 2)
}

// ping is what says nothing: a comment, or white space.
func (s *clientStream) ping() []byte {
	if s.array != nil {
		return []byte("\n")
	}
	return []byte(": ping\n\n")
}

// nudge pings at once: the stream waits for something.
func (s *clientStream) nudge() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over && !s.quiet && !s.broken.Load() {
		s.allow()
		s.send(s.ping(), true)
	}
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
	if s.array != nil {
		p = s.array.elements(p)
	}
	s.put(p, flush)
}

func (s *clientStream) put(p []byte, flush bool) {
	if s.broken.Load() || len(p) == 0 {
		return
	}
	if !s.first {
		s.first = true
		if s.onFirst != nil {
			s.onFirst()
		}
	}
	s.writes++
	s.tape.add(p)
	s.send(p, flush)
}

func (s *clientStream) send(p []byte, flush bool) {
	if !s.header {
		s.header = true
		h := s.w.Header()
		h.Set("content-type", "text/event-stream; charset=utf-8")
		if s.array != nil {
			h.Set("content-type", "application/json; charset=utf-8")
		}
		h.Set("cache-control", "no-cache")
		h.Set("x-accel-buffering", "no")
		s.w.WriteHeader(http.StatusOK)
	}
	if _, err := s.w.Write(p); err != nil {
		s.broken.Store(true)
		return
	}
	if flush {
		_ = s.rc.Flush() // not every server needs it; a broken client shows at the next write
	}
}

// announce sets headers; a ping that sent them meanwhile would crash the process.
func (s *clientStream) announce(set func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set()
}

// closed ends the pings and reports whether the header is out, so that an error
// must go in-band: no ping may send it between the question and the answer.
func (s *clientStream) closed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.quiet = true
	return s.header
}

// failed reports whether the client no longer takes bytes.
func (s *clientStream) failed() bool { return s.broken.Load() }

// end writes the last frames.
func (s *clientStream) end(p []byte) {
	if s.array == nil {
		s.write(p, true)
	} else {
		s.mu.Lock()
		s.put(s.array.end(p), true)
		s.mu.Unlock()
	}
	s.stop()
}

// stop ends the pings and takes the deadline back from the connection, which
// may serve other requests. It is safe to call twice.
func (s *clientStream) stop() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over = true
	s.timer.Stop()
	_ = s.rc.SetWriteDeadline(time.Time{}) // as at the start
}
