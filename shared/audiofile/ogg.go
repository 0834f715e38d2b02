package audiofile

import (
	"bytes"
	"encoding/binary"
)

// ogg adds up the packets of a stream (RFC 3533): Opus says in each how long it
// is, of Vorbis each counts as long as the longest.
func ogg(data []byte) (float64, bool) {
	var o oggStream
	for at := 0; at+27 <= len(data); {
		if string(data[at:at+4]) != "OggS" {
			next := bytes.Index(data[at+1:], []byte("OggS"))
			if next < 0 {
				break
			}
			at += 1 + next
			continue
		}
		segments := int(data[at+26])
		body := at + 27 + segments
		if body > len(data) {
			break
		}
		for _, lace := range data[at+27 : body] {
			end := min(body+int(lace), len(data))
			o.segment(data[body:end], lace)
			body = end
		}
		at = body
	}
	return o.seconds, o.known
}

type oggStream struct {
	known   bool
	vorbis  float64 // seconds of its longest packet; 0: Opus
	inside  bool    // the packet has begun in an earlier segment
	seconds float64
}

// segment takes a piece of a packet; one shorter than 255 bytes ends it.
func (o *oggStream) segment(b []byte, lace byte) {
	begins := !o.inside
	o.inside = lace == 255
	if !begins || len(b) == 0 {
		return
	}
	switch {
	case bytes.HasPrefix(b, []byte("OpusHead")):
		o.known, o.vorbis = true, 0
	case bytes.HasPrefix(b, []byte("OpusTags")):
	case bytes.HasPrefix(b, []byte("\x01vorbis")) && len(b) >= 30:
		if rate := binary.LittleEndian.Uint32(b[12:]); rate > 0 {
			o.known, o.vorbis = true, float64(uint64(1)<<(b[28]>>4))/2/float64(rate)
		}
	case o.vorbis > 0 && b[0]&1 == 1: // comments and setup
	case o.vorbis > 0:
		o.seconds += o.vorbis
	case o.known:
		o.seconds += opusPacket(b)
	}
}

// opusPacket is the length of a packet in seconds (RFC 6716, section 3.1).
func opusPacket(b []byte) float64 {
	if len(b) == 0 {
		return 0
	}
	config := b[0] >> 3
	var frame float64
	switch {
	case config < 12:
		frame = [...]float64{.010, .020, .040, .060}[config&3]
	case config < 16:
		frame = [...]float64{.010, .020}[config&1]
	default:
		frame = [...]float64{.0025, .005, .010, .020}[config&3]
	}
	switch b[0] & 3 {
	case 0:
		return frame
	case 1, 2:
		return 2 * frame
	}
	if len(b) < 2 {
		return 0
	}
	const most = .120 // of a packet
	return min(most, float64(b[1]&0x3F)*frame)
}
