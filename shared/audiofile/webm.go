package audiofile

import (
	"encoding/binary"
	"math"
)

// The elements of Matroska (RFC 9559) that tell the time.
const (
	ebmlSegment     = 0x18538067
	ebmlInfo        = 0x1549A966
	ebmlScale       = 0x2AD7B1
	ebmlDuration    = 0x4489
	ebmlCluster     = 0x1F43B675
	ebmlTimestamp   = 0xE7
	ebmlSimpleBlock = 0xA3
	ebmlBlockGroup  = 0xA0
	ebmlBlock       = 0xA1
)

// webm takes the longest of the head's word, the last block's time and the Opus
// packets' own lengths: recordings of browsers have no length in their head.
func webm(data []byte) (float64, bool) {
	m := matroska{scale: 1e-3}
	m.elements(data, 0)
	seconds := max(m.duration*m.scale, m.packets)
	if m.blocks > 0 {
		const lastBlock = 1 // second that may follow the last block's time
		seconds = max(seconds, m.last*m.scale+lastBlock)
	}
	return seconds, seconds > 0
}

type matroska struct {
	scale    float64 // seconds of a tick
	duration float64 // ticks
	cluster  float64 // ticks where it begins
	last     float64 // ticks of the latest block
	packets  float64 // seconds, read as Opus
	blocks   int
}

func (m *matroska) elements(data []byte, depth int) {
	const deepest = 6
	for len(data) > 0 && depth < deepest {
		id, n := vint(data, false)
		if n == 0 {
			return
		}
		size, k := vint(data[n:], true)
		if k == 0 {
			return
		}
		body := data[n+k:]
		if size < uint64(len(body)) { // an unknown size is larger than any
			body = body[:size]
		}
		m.element(id, body, depth)
		data = data[n+k+len(body):]
	}
}

func (m *matroska) element(id uint64, b []byte, depth int) {
	switch id {
	case ebmlSegment, ebmlInfo, ebmlCluster, ebmlBlockGroup:
		m.elements(b, depth+1)
	case ebmlScale:
		if ns := number(b); ns > 0 {
			m.scale = float64(ns) / 1e9
		}
	case ebmlDuration:
		switch len(b) {
		case 4:
			m.duration = float64(math.Float32frombits(binary.BigEndian.Uint32(b)))
		case 8:
			m.duration = math.Float64frombits(binary.BigEndian.Uint64(b))
		}
	case ebmlTimestamp:
		m.cluster = float64(number(b))
	case ebmlSimpleBlock, ebmlBlock:
		_, n := vint(b, true)
		if n == 0 || len(b) < n+3 {
			return
		}
		m.blocks++
		m.last = max(m.last, m.cluster+float64(int16(binary.BigEndian.Uint16(b[n:]))))
		m.packets += opusPacket(b[n+3:])
	}
}

func number(b []byte) (n uint64) {
	for _, c := range b[:min(8, len(b))] {
		n = n<<8 | uint64(c)
	}
	return n
}

// vint reads a number of variable length (RFC 8794, section 4); n is 0 when
// there is none. A size of only ones is unknown and becomes the largest number.
func vint(b []byte, size bool) (v uint64, n int) {
	if len(b) == 0 || b[0] == 0 {
		return 0, 0
	}
	n = 1
	for mask := byte(0x80); b[0]&mask == 0; mask >>= 1 {
		n++
	}
	if n > len(b) {
		return 0, 0
	}
	v = number(b[:n])
	if size {
		ones := uint64(1)<<(7*n) - 1
		if v &= ones; v == ones {
			v = math.MaxUint64
		}
	}
	return v, n
}
