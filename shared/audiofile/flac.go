package audiofile

import "encoding/binary"

// flac adds up the blocks of the frames (RFC 9639, section 9): the total in the
// head is optional.
func flac(data []byte) (float64, bool) {
	const streamInfo = 8 + 18
	if len(data) < streamInfo || data[4]&0x7F != 0 {
		return 0, false
	}
	rate := float64(binary.BigEndian.Uint32(data[18:]) >> 12)
	if rate == 0 {
		return 0, false
	}
	total := uint64(data[21]&0x0F)<<32 | uint64(binary.BigEndian.Uint32(data[22:]))
	at := 4
	for last := false; !last; {
		if at+4 > len(data) {
			return float64(total) / rate, true
		}
		last = data[at]&0x80 != 0
		at += 4 + int(data[at+1])<<16 + int(data[at+2])<<8 + int(data[at+3])
	}
	var samples uint64
	for ; at+6 <= len(data); at++ {
		if n, size := flacFrame(data[at:]); n > 0 {
			samples += n
			at += size - 1
		}
	}
	return float64(max(total, samples)) / rate, true
}

// flacFrame reads the head of a frame, 0 when there is none.
func flacFrame(b []byte) (samples uint64, size int) {
	if b[0] != 0xFF || b[1]&0xFC != 0xF8 {
		return 0, 0
	}
	block, rate := b[2]>>4, b[2]&0x0F
	if block == 0 || rate == 15 {
		return 0, 0
	}
	at := 4 + codedNumber(b[4])
	if at == 4 {
		return 0, 0
	}
	take := func(n int) (v uint64, ok bool) {
		if at+n > len(b) {
			return 0, false
		}
		for range n {
			v = v<<8 | uint64(b[at])
			at++
		}
		return v, true
	}
	ok := true
	switch {
	case block == 1:
		samples = 192
	case block <= 5:
		samples = 576 << (block - 2)
	case block <= 7:
		samples, ok = take(int(block) - 5)
		samples++
	default:
		samples = 256 << (block - 8)
	}
	if ok && rate >= 12 {
		_, ok = take([...]int{1, 2, 2}[rate-12])
	}
	if !ok || at >= len(b) || crc8(b[:at]) != b[at] {
		return 0, 0
	}
	return samples, at + 1
}

// codedNumber is the length of a number coded like UTF-8, 0 when it is none.
func codedNumber(first byte) int {
	switch {
	case first < 0x80:
		return 1
	case first < 0xC0 || first == 0xFF:
		return 0
	}
	n := 0
	for mask := byte(0x80); first&mask != 0; mask >>= 1 {
		n++
	}
	return n
}

func crc8(b []byte) (crc byte) {
	for _, c := range b {
		crc ^= c
		for range 8 {
			if crc&0x80 != 0 {
				crc = crc<<1 ^ 0x07
			} else {
				crc <<= 1
			}
		}
	}
	return crc
}
