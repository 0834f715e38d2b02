package proxy

import (
	"bytes"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// jsonArray turns server-sent events into the elements of one JSON array, which
// is how Google's API streams to callers who did not ask for events.
type jsonArray struct{ begun bool }

// elements is what the frames in p become. Comments are left out.
func (a *jsonArray) elements(p []byte) []byte {
	var out []byte
	frames := wire.NewFrames(bytes.NewReader(p))
	for {
		frame, err := frames.Next()
		if err != nil { // the end: a reader of bytes has no other errors
			return out
		}
		_, data := wire.Data(frame)
		if len(bytes.TrimSpace(data)) == 0 {
			continue
		}
		lead := ",\r\n"
		if !a.begun {
			a.begun, lead = true, "["
		}
		out = append(append(out, lead...), data...)
	}
}

// end closes the array.
func (a *jsonArray) end(p []byte) []byte {
	out := a.elements(p)
	if !a.begun {
		out = append(out, '[')
	}
	return append(out, "]\r\n"...)
}
