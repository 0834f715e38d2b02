// Package audiofile says how long a recording is by reading its container. It
// decodes no sound. What it counts is what decoders go by (frames and packets),
// where a container has them: a header's own word on the length may be missing
// or a lie. Formats: WAV (PCM), MP3, FLAC, Ogg (Opus, Vorbis), MP4 and M4A, WebM.
package audiofile

import (
	"bytes"
	"encoding/binary"
	"math"
)

// longest bounds what a header can claim, in seconds: ten days.
const longest = 864_000

// Seconds returns the most seconds, rounded up, that a decoder can make of a
// recording. ok is false for what is no recording of a known format.
func Seconds(data []byte) (n int64, ok bool) {
	s, ok := duration(data)
	if !ok || math.IsNaN(s) || s < 0 {
		return 0, false
	}
	return int64(math.Ceil(min(s, longest) - 1e-9)), true
}

func duration(data []byte) (float64, bool) {
	switch {
	case len(data) < 12:
		return 0, false
	case string(data[:4]) == "RIFF" && string(data[8:12]) == "WAVE":
		return wav(data)
	case string(data[:4]) == "fLaC":
		return flac(data)
	case string(data[:4]) == "OggS":
		return ogg(data)
	case string(data[4:8]) == "ftyp":
		return mp4(data)
	case bytes.HasPrefix(data, []byte{0x1A, 0x45, 0xDF, 0xA3}):
		return webm(data)
	}
	return mp3(data)
}

// BytesPerSecond reads from the beginning of a recording how fast it plays. ok is
// false where the format does not tell.
func BytesPerSecond(head []byte) (rate float64, ok bool) {
	if len(head) >= 12 && string(head[:4]) == "RIFF" && string(head[8:12]) == "WAVE" {
		w, _, ok := wavFormat(head)
		return w, ok
	}
	for at := id3(head); at+4 <= len(head); at++ {
		if f, ok := mp3Frame(head[at:]); ok {
			return float64(f.size) / f.seconds(), true
		}
	}
	return 0, false
}

// wavFormat returns bytes a second and where the samples begin.
func wavFormat(data []byte) (rate float64, at int, ok bool) {
	for at = 12; at+8 <= len(data); {
		size := int(binary.LittleEndian.Uint32(data[at+4:]))
		body := at + 8
		switch string(data[at : at+4]) {
		case "fmt ":
			if body+16 > len(data) {
				return 0, 0, false
			}
			f := data[body:]
			kind, channels := binary.LittleEndian.Uint16(f), binary.LittleEndian.Uint16(f[2:])
			samples, bits := binary.LittleEndian.Uint32(f[4:]), binary.LittleEndian.Uint16(f[14:])
			switch kind {
			case 1, 3, 6, 7, 0xFFFE: // PCM, float, A-law, µ-law, extensible: samples of a fixed size
			default:
				return 0, 0, false
			}
			rate = float64(samples) * float64(channels) * float64(bits) / 8
		case "data":
			return rate, body, rate > 0
		}
		if size < 0 || size > len(data) {
			return 0, 0, false
		}
		at = body + size + size&1
	}
	return 0, 0, false
}

// wav takes all that follows the head of the samples for samples: their count
// is wrong in recordings made as a stream.
func wav(data []byte) (float64, bool) {
	rate, at, ok := wavFormat(data)
	if !ok {
		return 0, false
	}
	return float64(len(data)-at) / rate, true
}

// id3 is where an ID3v2 tag at the beginning ends.
func id3(data []byte) int {
	if len(data) < 10 || string(data[:3]) != "ID3" {
		return 0
	}
	size := int(data[6]&0x7F)<<21 | int(data[7]&0x7F)<<14 | int(data[8]&0x7F)<<7 | int(data[9]&0x7F)
	return min(10+size, len(data))
}

type mpegFrame struct{ size, samples, rate int }

func (f mpegFrame) seconds() float64 { return float64(f.samples) / float64(f.rate) }

// Bit rates in kbit/s by index, for MPEG-1 and for MPEG-2 and 2.5, layers 1 to 3.
var (
	mpeg1Rates = [3][15]int{
		{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
		{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320},
	}
	mpeg2Rates = [3][15]int{
		{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
		{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
	}
	mpegSampleRates = [3]int{44100, 48000, 32000}
)

// mp3Frame reads the header of an MPEG audio frame (ISO 11172-3, 2.4.1.3).
func mp3Frame(b []byte) (f mpegFrame, ok bool) {
	if len(b) < 4 || b[0] != 0xFF || b[1]&0xE0 != 0xE0 {
		return f, false
	}
	version, layer := b[1]>>3&3, 4-int(b[1]>>1&3)
	index, rate, pad := b[2]>>4, b[2]>>2&3, int(b[2]>>1&1)
	if version == 1 || layer == 4 || index == 0 || index == 15 || rate == 3 {
		return f, false
	}
	f.rate, f.samples = mpegSampleRates[rate], 1152
	table := &mpeg1Rates
	switch version {
	case 2:
		table, f.rate = &mpeg2Rates, f.rate/2
	case 0:
		table, f.rate = &mpeg2Rates, f.rate/4
	}
	kbit := table[layer-1][index]
	switch layer {
	case 1:
		f.samples = 384
		f.size = (12*kbit*1000/f.rate + pad) * 4
		return f, true
	case 3:
		if version != 3 {
			f.samples = 576
		}
	}
	f.size = f.samples/8*kbit*1000/f.rate + pad
	return f, true
}

// mp3 adds up frames. Bytes that belong to none are taken for the slowest
// recording there is, so that nothing can hide in them.
func mp3(data []byte) (float64, bool) {
	const slowest = 1000 // bytes a second at 8 kbit/s
	at := id3(data)
	var seconds float64
	var frames, stray int
	for at < len(data) {
		f, ok := mp3Frame(data[at:])
		if !ok || f.size < 4 {
			at++
			stray++
			continue
		}
		seconds += f.seconds()
		frames++
		at += f.size
	}
	const enough = 2 // a single header may be chance
	if frames < enough || stray > len(data)/2 {
		return 0, false
	}
	return seconds + float64(stray)/slowest, true
}
