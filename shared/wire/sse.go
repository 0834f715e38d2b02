package wire

import (
	"bytes"
	"errors"
	"io"
)

// MaxFrame bounds one server-sent event: real ones are a few hundred bytes, a
// picture in one can be megabytes.
const MaxFrame = 32 << 20

// ErrFrameTooLong is returned for an event beyond MaxFrame.
var ErrFrameTooLong = errors.New("event exceeds 32 MiB")

// Frames reads server-sent events (WHATWG HTML, section 9.2) frame by frame,
// each with its closing blank line, byte for byte. CR LF, LF, comments and
// several data lines are accepted.
type Frames struct {
	src     io.Reader
	buf     []byte
	pos     int // start of what has not been handed out
	scanned int // up to here there is no frame end
	err     error
}

// NewFrames reads frames from src.
func NewFrames(src io.Reader) *Frames {
	return &Frames{src: src, buf: make([]byte, 0, 4<<10)}
}

// Next returns the next frame, valid until the next call. At the end of the
// stream a last frame without its blank line is returned first, then io.EOF.
func (f *Frames) Next() ([]byte, error) {
	for {
		if end := frameEnd(f.buf, f.pos, &f.scanned); end > 0 {
			frame := f.buf[f.pos:end]
			f.pos, f.scanned = end, end
			return frame, nil
		}
		if f.err != nil {
			if f.pos < len(f.buf) && errors.Is(f.err, io.EOF) {
				frame := f.buf[f.pos:]
				f.pos = len(f.buf)
				return frame, nil
			}
			return nil, f.err
		}
		if err := f.fill(); err != nil {
			return nil, err
		}
	}
}

// Ready reports whether Next would return without reading: whether flushing
// can wait.
func (f *Frames) Ready() bool {
	return frameEnd(f.buf, f.pos, &f.scanned) > 0
}

func (f *Frames) fill() error {
	if len(f.buf)-f.pos > MaxFrame {
		return ErrFrameTooLong
	}
	const room = 2 << 10 // worth a read
	if f.pos == len(f.buf) {
		f.buf, f.scanned, f.pos = f.buf[:0], 0, 0
	}
	if f.pos > 0 && cap(f.buf)-len(f.buf) < room {
		n := copy(f.buf, f.buf[f.pos:])
		f.buf, f.scanned, f.pos = f.buf[:n], f.scanned-f.pos, 0
	}
	if cap(f.buf)-len(f.buf) < room {
		f.buf = append(make([]byte, 0, 2*cap(f.buf)), f.buf...)
	}
	n, err := f.src.Read(f.buf[len(f.buf):cap(f.buf)])
	f.buf = f.buf[:len(f.buf)+n]
	f.err = err
	return nil
}

// frameEnd finds the end of the first frame at or after pos: the byte after a
// blank line. scanned remembers how far it has looked.
func frameEnd(b []byte, pos int, scanned *int) int {
	i := max(*scanned, pos)
	for {
		nl := bytes.IndexByte(b[i:], '\n')
		if nl < 0 {
			*scanned = len(b) // not i: a long line is not looked through again
			return 0
		}
		next := i + nl + 1
		switch {
		case next < len(b) && b[next] == '\n':
			return next + 1
		case next+1 < len(b) && b[next] == '\r' && b[next+1] == '\n':
			return next + 2
		case next >= len(b) || (b[next] == '\r' && next+1 >= len(b)):
			*scanned = i + nl
			return 0
		}
		i = next
	}
}

// Data returns the event name and the joined data of a frame. The data of an
// event with one data line is a part of frame itself; comments have none.
func Data(frame []byte) (event string, data []byte) {
	several := false
	for len(frame) > 0 {
		line := frame
		if nl := bytes.IndexByte(frame, '\n'); nl >= 0 {
			line, frame = frame[:nl], frame[nl+1:]
		} else {
			frame = nil
		}
		line = bytes.TrimSuffix(line, []byte("\r"))
		if v, ok := bytes.CutPrefix(line, []byte("data:")); ok {
			v = bytes.TrimPrefix(v, []byte(" "))
			switch {
			case data == nil:
				data = v
			case !several:
				several = true
				data = append(append(append([]byte{}, data...), '\n'), v...)
			default:
				data = append(append(data, '\n'), v...)
			}
		} else if v, ok := bytes.CutPrefix(line, []byte("event:")); ok {
			event = string(bytes.TrimPrefix(v, []byte(" ")))
		}
	}
	return event, data
}

// AppendFrame appends one event with a single data line. An empty event name
// is left out.
func AppendFrame(dst []byte, event string, data []byte) []byte {
	if event != "" {
		dst = append(append(append(dst, "event: "...), event...), '\n')
	}
	return append(append(append(dst, "data: "...), data...), '\n', '\n')
}

// FrameReader cuts a stream into frames.
type FrameReader interface {
	// Next returns the next frame, valid until the next call, and io.EOF at the end.
	Next() ([]byte, error)
	// Ready reports whether Next would return without reading.
	Ready() bool
}
