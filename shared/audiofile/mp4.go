package audiofile

import "encoding/binary"

// mp4 takes the longest of what the film's head, the tracks' heads, the tables
// of their samples and the fragments say (ISO 14496-12).
func mp4(data []byte) (float64, bool) {
	m := mp4Film{samples: 1024}
	m.boxes(data, 0)
	return m.longest(), m.found
}

type mp4Film struct {
	found     bool
	header    float64 // seconds by the heads
	table     float64 // seconds by the tables
	scale     float64 // of the track that is being read, per second
	count     float64 // samples in fragments
	samples   float64 // of sound in one sample of the file: an AAC frame
	rate      float64
	delta     float64 // default length of a sample in fragments
	fragments float64 // seconds by the fragments
}

func (m *mp4Film) longest() float64 {
	fragments := m.fragments
	if m.rate > 0 {
		fragments = max(fragments, m.count*m.samples/m.rate)
	}
	return max(m.header, m.table, fragments)
}

// boxes reads what lies beside each other.
func (m *mp4Film) boxes(data []byte, depth int) {
	const deepest = 8
	for len(data) >= 8 && depth < deepest {
		size, head := uint64(binary.BigEndian.Uint32(data)), 8
		switch size {
		case 0:
			size = uint64(len(data))
		case 1:
			if len(data) < 16 {
				return
			}
			size, head = binary.BigEndian.Uint64(data[8:]), 16
		}
		if size < uint64(head) {
			return
		}
		end := int(min(size, uint64(len(data))))
		m.box(string(data[4:8]), data[head:end], depth)
		data = data[end:]
	}
}

func (m *mp4Film) box(kind string, b []byte, depth int) {
	switch kind {
	case "moov", "trak", "mdia", "minf", "stbl", "moof", "traf", "mvex":
		m.boxes(b, depth+1)
	case "mvhd", "mdhd":
		m.head(b, kind == "mdhd")
	case "stsd":
		const rateAt = 8 + 8 + 24 // version and count, the entry's box, its sample rate in 16.16
		if len(b) >= rateAt+4 {
			m.rate = max(m.rate, float64(binary.BigEndian.Uint32(b[rateAt:])>>16))
		}
	case "stts":
		m.times(b)
	case "trun":
		if len(b) >= 8 {
			m.count += float64(binary.BigEndian.Uint32(b[4:]))
			if m.scale > 0 {
				m.fragments += float64(binary.BigEndian.Uint32(b[4:])) * m.delta / m.scale
			}
		}
	case "trex":
		if len(b) >= 16 {
			m.delta = float64(binary.BigEndian.Uint32(b[12:]))
		}
	}
}

func (m *mp4Film) head(b []byte, track bool) {
	var scale, length float64
	switch {
	case len(b) >= 20 && b[0] == 0:
		scale, length = float64(binary.BigEndian.Uint32(b[12:])), float64(binary.BigEndian.Uint32(b[16:]))
		if length == 0xFFFFFFFF {
			length = 0 // not known
		}
	case len(b) >= 32 && b[0] == 1:
		scale, length = float64(binary.BigEndian.Uint32(b[20:])), float64(binary.BigEndian.Uint64(b[24:]))
		if length >= 1<<63 {
			length = 0
		}
	}
	if scale == 0 {
		return
	}
	m.found = true
	m.header = max(m.header, length/scale)
	if track {
		m.scale = scale
	}
}

// times reads the table of the samples' lengths.
func (m *mp4Film) times(b []byte) {
	if len(b) < 8 || m.scale == 0 {
		return
	}
	var ticks, count float64
	for rest := b[8:]; len(rest) >= 8; rest = rest[8:] {
		n := float64(binary.BigEndian.Uint32(rest))
		count += n
		ticks += n * float64(binary.BigEndian.Uint32(rest[4:]))
	}
	m.table = max(m.table, ticks/m.scale)
	if m.rate > 0 {
		m.table = max(m.table, count*m.samples/m.rate)
	}
}
