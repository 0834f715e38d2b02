package fakeprovider

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"unicode/utf8"
)

// answer says what the script or the model itself has to say.
func (p *Provider) answer(w http.ResponseWriter, r *http.Request, rec *Request, t *turn) {
	a, number := p.next(rec, t)
	leave := r.Context().Done()
	if !a.Before.pass(leave) {
		p.update(func() { rec.Left = true })
		return
	}
	if a.Break == Refuse {
		panic(http.ErrAbortHandler) // net/http's way of tearing a connection
	}
	if a.Status != 0 {
		p.refuse(w, rec, p.scripted(a, t))
		return
	}
	if !t.stream && a.Break == ErrorFrame {
		p.refuse(w, rec, t.lang.failure(http.StatusInternalServerError, ""))
		return
	}
	reply := fit(a, t, t.lang, fmt.Sprintf("%06d", number))
	known := reply.known && p.reaches(a.Break, t)
	p.update(func() {
		rec.Status, rec.Text, rec.Usage, rec.Known = http.StatusOK, reply.Text, reply.shown, known
	})
	e := &emitter{w: w, flush: http.NewResponseController(w), leave: leave}
	if t.stream {
		p.emitStream(e, t, reply)
	} else {
		p.emitWhole(e, t, reply)
	}
	if e.gone {
		p.update(func() { rec.Left, rec.Known = true, false })
	}
	if e.tear {
		panic(http.ErrAbortHandler)
	}
}

// reaches reports whether the usage report is sent at all.
func (p *Provider) reaches(b Break, t *turn) bool {
	if !t.stream {
		return b != Cut && b != Garbage
	}
	return b != Cut && b != ErrorFrame && b != NoFinish && (t.includeUsage || p.kind != OpenAI)
}

// scripted is the error that an answer asks for.
func (p *Provider) scripted(a Answer, t *turn) *fixed {
	f := t.lang.failure(a.Status, "")
	if a.Body != "" {
		f.body = []byte(a.Body)
	}
	header := http.Header{}
	for _, h := range []http.Header{f.header, a.Header} {
		for name, values := range h {
			header[name] = values
		}
	}
	f.header = header
	return f
}

type emitter struct {
	w     http.ResponseWriter
	flush *http.ResponseController
	leave <-chan struct{}
	gone  bool // the caller left
	tear  bool // tear the connection
}

// send writes and flushes; it reports whether the caller is still there.
func (e *emitter) send(b []byte) bool {
	if e.gone {
		return false
	}
	select {
	case <-e.leave:
		e.gone = true
		return false
	default:
	}
	if _, err := e.w.Write(b); err != nil {
		e.gone = true
		return false
	}
	_ = e.flush.Flush() // a writer that cannot flush sends later, which is no fault
	return true
}

func (e *emitter) pass(g *Gate) bool {
	if !g.pass(e.leave) {
		e.gone = true
	}
	return !e.gone
}

func (p *Provider) emitWhole(e *emitter, t *turn, a *reply) {
	body := t.lang.whole(t, a)
	header := e.w.Header()
	header.Set("Content-Type", "application/json")
	switch a.Break {
	case Garbage:
		header.Set("Content-Type", "text/html")
		body = []byte("<html><body>It works!</body></html>")
	case BadUTF8:
		body = damage(body)
	}
	half := len(body) / 2
	if a.Break == SplitUTF8 {
		half = insideCharacter(body, half)
	}
	header.Set("Content-Length", strconv.Itoa(len(body)))
	if a.Middle == nil && a.Break != Cut && a.Break != SplitUTF8 {
		e.send(body)
		return
	}
	if !e.send(body[:half]) || !e.pass(a.Middle) {
		return
	}
	if a.Break == Cut {
		e.tear = true
		return
	}
	e.send(body[half:])
}

func (p *Provider) emitStream(e *emitter, t *turn, a *reply) {
	switch {
	case t.array:
		e.w.Header().Set("Content-Type", "application/json")
	case p.kind == Bedrock:
		e.w.Header().Set("Content-Type", "application/vnd.amazon.eventstream")
	default:
		e.w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		e.w.Header().Set("Cache-Control", "no-cache")
	}
	frames := t.lang.stream(t, a)
	middle := middleOf(frames)
	for i, f := range frames {
		if i == middle && (!e.pass(a.Middle) || !p.breakHere(e, t, a, f)) {
			return
		}
		switch {
		case a.Break == NoDone && f.kind == done,
			a.Break == NoFinish && f.kind >= finish:
			continue
		case a.Break == BadUTF8 && i == middle:
			f.data = damage(f.data)
		case a.Break == SplitUTF8 && f.kind == content:
			at := insideCharacter(f.data, len(f.data)/2)
			if !e.send(f.data[:at]) {
				return
			}
			f.data = f.data[at:]
		}
		if !e.send(f.data) {
			return
		}
	}
}

// breakHere does what goes wrong in the middle; false ends the stream.
func (p *Provider) breakHere(e *emitter, t *turn, a *reply, f frame) bool {
	switch a.Break {
	case Cut:
		e.send(f.data[:len(f.data)/2])
		e.tear = true
		return false
	case ErrorFrame:
		e.send(t.lang.failureFrame())
		return false
	case Garbage:
		return e.send(append(slices.Clone(f.data[:2*len(f.data)/3]), "\n\n"...))
	}
	return true
}

// middleOf returns the index of the content frame in the middle, or the first
// closing frame of an answer without content.
func middleOf(frames []frame) int {
	var contents []int
	for i, f := range frames {
		if f.kind == content {
			contents = append(contents, i)
		}
	}
	if len(contents) == 0 {
		return min(1, len(frames)-1)
	}
	return contents[len(contents)/2]
}

// damage puts half of a two-byte character behind the last ASCII letter that
// stands before a closing quote.
func damage(b []byte) []byte {
	for i := len(b) - 1; i > 0; i-- {
		if b[i] == '"' && b[i-1] >= 'a' && b[i-1] <= 'z' {
			return append(append(append([]byte{}, b[:i]...), 0xC3), b[i:]...)
		}
	}
	return append(append([]byte{}, b...), 0xC3)
}

// insideCharacter returns a place between the bytes of a character near at, or
// at itself where all is ASCII.
func insideCharacter(b []byte, at int) int {
	for d := range len(b) {
		for _, i := range []int{at + d, at - d} {
			if i > 0 && i < len(b) && !utf8.RuneStart(b[i]) {
				return i
			}
		}
	}
	return at
}
