package audiofile_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/audiofile"
)

// wav makes seconds of silence; claimed is what its head says of the size.
func wav(seconds int, claimed uint32) []byte {
	const rate = 16_000
	var b bytes.Buffer
	b.WriteString("RIFF\xff\xff\xff\xffWAVEfmt ")
	for _, v := range []any{uint32(16), uint16(1), uint16(1), uint32(rate), uint32(1), uint16(2), uint16(16)} {
		_ = binary.Write(&b, binary.LittleEndian, v)
	}
	b.WriteString("data")
	_ = binary.Write(&b, binary.LittleEndian, claimed)
	b.Write(make([]byte, seconds*rate*2))
	return b.Bytes()
}

// mp3 makes frames of 128 kbit/s at 44.1 kHz: 26.12 ms in 417 bytes.
func mp3(frames int) []byte {
	frame := make([]byte, 417)
	copy(frame, []byte{0xFF, 0xFB, 0x90, 0x00})
	return bytes.Repeat(frame, frames)
}

func tagged(data []byte) []byte {
	tag := append([]byte("ID3\x04\x00\x00\x00\x00\x01\x00"), bytes.Repeat([]byte{0xFF, 0xFB, 0x90, 0x00}, 32)...)
	return append(tag, data...)
}

// flac makes frames of 4096 samples at 16 kHz; claimed is the head's total.
func flac(frames int, claimed uint32) []byte {
	var b bytes.Buffer
	b.WriteString("fLaC\x80\x00\x00\x22")
	info := make([]byte, 34)
	binary.BigEndian.PutUint32(info[10:], 16_000<<12)
	binary.BigEndian.PutUint32(info[14:], claimed)
	b.Write(info)
	for i := range frames {
		head := []byte{0xFF, 0xF8, 0xC0, 0x00, byte(i & 0x7F)}
		b.Write(append(head, crc8(head)))
		b.Write(make([]byte, 6))
	}
	return b.Bytes()
}

func crc8(b []byte) (crc byte) {
	for _, c := range b {
		crc ^= c
		for range 8 {
			carry := crc&0x80 != 0
			crc <<= 1
			if carry {
				crc ^= 7
			}
		}
	}
	return crc
}

func page(packets ...[]byte) []byte {
	head := append([]byte("OggS"), make([]byte, 22)...)
	head = append(head, byte(len(packets)))
	var body []byte
	for _, p := range packets {
		head = append(head, byte(len(p)))
		body = append(body, p...)
	}
	return append(head, body...)
}

// opus makes packets of 20 ms, one byte each: silence.
func opus(packets int) []byte {
	out := page([]byte("OpusHead\x01\x01\x00\x00\x80\xbb\x00\x00\x00\x00\x00"))
	out = append(out, page([]byte("OpusTags\x00\x00\x00\x00\x00\x00\x00\x00"))...)
	for range packets {
		out = append(out, page([]byte{1 << 3})...)
	}
	return out
}

func vorbis(packets int) []byte {
	head := append([]byte("\x01vorbis\x00\x00\x00\x00\x01\x80\x3e\x00\x00"), make([]byte, 12)...)
	head = append(head, 0xB8, 1) // blocks of 256 and 2048 samples
	out := page(head)
	for range packets {
		out = append(out, page([]byte{0, 1, 2})...)
	}
	return out
}

func box(kind string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	out := binary.BigEndian.AppendUint32(nil, uint32(len(body)+8))
	return append(append(out, kind...), body...)
}

func u32(values ...uint32) (out []byte) {
	for _, v := range values {
		out = binary.BigEndian.AppendUint32(out, v)
	}
	return out
}

// m4a makes a film of AAC frames at 16 kHz whose heads claim a length.
func m4a(frames, claimed uint32) []byte {
	entry := append(u32(36, 0x6D703461), make([]byte, 24)...)
	entry = append(entry, u32(16_000<<16)...)
	stbl := box("stbl", box("stsd", u32(0, 1), entry), box("stts", u32(0, 1, frames, 1)))
	mdia := box("mdia", box("mdhd", u32(0, 0, 0, 16_000, claimed*16_000, 0)), box("minf", stbl))
	return append(box("ftyp", []byte("M4A \x00\x00\x00\x00")), box("moov", box("mvhd", u32(0, 0, 0, 1000, claimed*1000)), box("trak", mdia))...)
}

func element(id []byte, body []byte) []byte {
	out := append(append([]byte{}, id...), 0x08)
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	return append(out, body...)
}

func webm(claimed float64, blocks int) []byte {
	duration := binary.BigEndian.AppendUint64(nil, math.Float64bits(claimed*1000))
	segment := element([]byte{0x15, 0x49, 0xA9, 0x66}, element([]byte{0x44, 0x89}, duration))
	for i := range blocks {
		cluster := element([]byte{0xE7}, u32(uint32(i)*1000))
		cluster = append(cluster, element([]byte{0xA3}, []byte{0x81, 0, 0, 0x80, 1 << 3})...)
		segment = append(segment, element([]byte{0x1F, 0x43, 0xB6, 0x75}, cluster)...)
	}
	out := append([]byte{0x1A, 0x45, 0xDF, 0xA3, 0x80}, 0x18, 0x53, 0x80, 0x67, 0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF) // of unknown size
	return append(out, segment...)
}

func TestARecordingIsAsLongAsADecoderWouldSay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		data []byte
		want int64
	}{
		"wav":                                   {wav(7, 7*32_000), 7},
		"wav made as a stream":                  {wav(7, 0xFFFFFFFF), 7},
		"wav that claims to be empty":           {wav(7, 0), 7},
		"mp3":                                   {mp3(383), 11}, // 10.004 s
		"mp3 behind a tag full of false frames": {tagged(mp3(383)), 11},
		"flac":                                  {flac(40, 40*4096), 11}, // 10.24 s
		"flac that claims nothing":              {flac(40, 0), 11},
		"flac that claims more":                 {flac(40, 16_000*60), 60},
		"opus, hardly any bytes":                {opus(500), 10},
		"vorbis, each packet as long as they get": {vorbis(100), 7}, // 100 × 1024 ÷ 16000
		"m4a":                     {m4a(157, 10), 11},
		"m4a that claims nothing": {m4a(1563, 0), 101},
		"webm":                    {webm(12, 3), 12},
		"webm of a browser":       {webm(0, 30), 30},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, ok := audiofile.Seconds(tt.data)
			assert.True(t, ok)
			assert.Equal(t, tt.want, got)
		})
	}
}

func TestWhatIsNoRecordingIsNotGuessed(t *testing.T) {
	t.Parallel()
	for name, data := range map[string][]byte{
		"nothing": nil, "text": []byte("this is no recording at all, is it?"),
		"a wav of ADPCM":      bytes.Replace(wav(1, 1), []byte{16, 0, 0, 0, 1, 0}, []byte{16, 0, 0, 0, 2, 0}, 1),
		"one frame by chance": append([]byte{0xFF, 0xFB, 0x90, 0x00}, bytes.Repeat([]byte("x"), 5000)...),
	} {
		_, ok := audiofile.Seconds(data)
		assert.False(t, ok, name)
	}
}

func TestBytesPerSecondIsReadFromTheBeginning(t *testing.T) {
	t.Parallel()
	rate, ok := audiofile.BytesPerSecond(mp3(1))
	assert.True(t, ok)
	assert.InEpsilon(t, 16_000, rate, 0.01)
	rate, ok = audiofile.BytesPerSecond(wav(1, 0)[:60])
	assert.True(t, ok)
	assert.InEpsilon(t, 32_000, rate, 0.01)
	_, ok = audiofile.BytesPerSecond([]byte("OggS..."))
	assert.False(t, ok)
}

func FuzzSeconds(f *testing.F) {
	for _, seed := range [][]byte{wav(1, 1), mp3(3), flac(3, 0), opus(3), vorbis(3), m4a(3, 1), webm(1, 3)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		n, ok := audiofile.Seconds(data)
		if ok && (n < 0 || n > 864_000) {
			t.Fatalf("%d seconds", n)
		}
		audiofile.BytesPerSecond(data)
	})
}
