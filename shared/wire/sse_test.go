package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// frames reads all frames, copied, until the error that ends them.
func frames(src io.Reader) (all []string, err error) {
	f := NewFrames(src)
	for {
		frame, err := f.Next()
		if err != nil {
			return all, err
		}
		all = append(all, string(frame))
	}
}

var streams = []struct {
	name, in string
	want     []string
}{
	{"nothing", "", nil},
	{"one", "data: a\n\n", []string{"data: a\n\n"}},
	{"two", "data: a\n\ndata: b\n\n", []string{"data: a\n\n", "data: b\n\n"}},
	{"carriage returns", "data: a\r\n\r\ndata: b\r\n\r\n", []string{"data: a\r\n\r\n", "data: b\r\n\r\n"}},
	{"mixed line ends", "data: a\n\r\ndata: b\r\n\ndata: c\n\n", []string{"data: a\n\r\n", "data: b\r\n\n", "data: c\n\n"}},
	{"a carriage return within a line", "data: a\rb\n\n", []string{"data: a\rb\n\n"}},
	{"a carriage return alone on a line's start", "data: a\n\rb\n\n", []string{"data: a\n\rb\n\n"}},
	{"comments", ": ping\n\n: a\n: b\ndata: x\n\n", []string{": ping\n\n", ": a\n: b\ndata: x\n\n"}},
	{"several data lines", "event: e\nid: 1\ndata: a\ndata: b\n\n", []string{"event: e\nid: 1\ndata: a\ndata: b\n\n"}},
	{"no final blank line", "data: a\n\ndata: b\n", []string{"data: a\n\n", "data: b\n"}},
	{"no final line end", "data: a\n\ndata: [DONE]", []string{"data: a\n\n", "data: [DONE]"}},
	{"a final carriage return", "data: a\n\r", []string{"data: a\n\r"}},
	{"more blank lines than needed go with the next", "data: a\n\n\ndata: b\n\n", []string{"data: a\n\n", "\ndata: b\n\n"}},
	{"half a UTF-8 character", "data: \xe2\x82\n\ndata: \xac\n\n", []string{"data: \xe2\x82\n\n", "data: \xac\n\n"}},
	{"garbage", "<html>\x00\xff", []string{"<html>\x00\xff"}},
	{"200 kB", "data: " + strings.Repeat("x", 200_000) + "\n\ndata: b\n\n", []string{"data: " + strings.Repeat("x", 200_000) + "\n\n", "data: b\n\n"}},
}

func TestFramesHoweverTheyArrive(t *testing.T) {
	t.Parallel()
	for _, s := range streams {
		for how, wrap := range map[string]func(io.Reader) io.Reader{
			"whole":          func(r io.Reader) io.Reader { return r },
			"byte by byte":   iotest.OneByteReader,
			"in halves":      iotest.HalfReader,
			"error with end": iotest.DataErrReader,
		} {
			t.Run(s.name+" "+how, func(t *testing.T) {
				t.Parallel()
				got, err := frames(wrap(strings.NewReader(s.in)))
				require.ErrorIs(t, err, io.EOF)
				require.Equal(t, s.want, got)
			})
		}
	}
}

func TestFramesSplitAtEveryByte(t *testing.T) {
	t.Parallel()
	for _, s := range streams {
		if len(s.in) > 1000 {
			continue
		}
		for cut := range len(s.in) + 1 {
			got, err := frames(io.MultiReader(strings.NewReader(s.in[:cut]), strings.NewReader(s.in[cut:])))
			require.ErrorIs(t, err, io.EOF)
			require.Equal(t, s.want, got, "%s cut at %d", s.name, cut)
		}
	}
}

// watched counts reads.
type watched struct {
	io.Reader
	reads int
}

func (w *watched) Read(p []byte) (int, error) {
	w.reads++
	return w.Reader.Read(p)
}

func TestReadyNeverLies(t *testing.T) {
	t.Parallel()
	for _, s := range streams {
		for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, func(r io.Reader) io.Reader { return r }} {
			src := &watched{Reader: wrap(strings.NewReader(s.in))}
			f := NewFrames(src)
			ended := false
			for !ended {
				ready, before := f.Ready(), src.reads
				_, err := f.Next()
				ended = err != nil
				if ready {
					require.Equal(t, before, src.reads, "%s: it said that nothing need be read", s.name)
					require.NoError(t, err)
				}
			}
			require.False(t, f.Ready())
		}
	}
	whole := NewFrames(strings.NewReader("data: a\n\ndata: b\n\ndata: c"))
	require.False(t, whole.Ready(), "nothing has been read")
	_, err := whole.Next()
	require.NoError(t, err)
	assert.True(t, whole.Ready(), "the second frame is here")
	_, err = whole.Next()
	require.NoError(t, err)
	assert.False(t, whole.Ready(), "of the third only a part")
}

func TestAStreamThatBreaksGivesItsWholeFramesAndThenTheError(t *testing.T) {
	t.Parallel()
	broken := errors.New("connection reset")
	got, err := frames(io.MultiReader(strings.NewReader("data: a\n\ndata: b\n\ndata: half"), iotest.ErrReader(broken)))
	require.ErrorIs(t, err, broken)
	assert.Equal(t, []string{"data: a\n\n", "data: b\n\n"}, got, "half a frame is not passed off as one")
	f := NewFrames(iotest.ErrReader(broken))
	for range 3 {
		_, err = f.Next()
		require.ErrorIs(t, err, broken, "the error stays")
	}
}

// endless is a line without an end, in pieces as a network gives them.
type endless struct{ sent int }

func (e *endless) Read(p []byte) (int, error) {
	n := min(len(p), 64<<10)
	for i := range n {
		p[i] = 'x'
	}
	e.sent += n
	return n, nil
}

func TestAFrameBeyondTheLimitIsRefused(t *testing.T) {
	t.Parallel()
	src := &endless{}
	got, err := frames(io.MultiReader(strings.NewReader("data: first\n\n"), src))
	require.ErrorIs(t, err, ErrFrameTooLong)
	assert.Equal(t, []string{"data: first\n\n"}, got)
	assert.Less(t, src.sent, MaxFrame+(1<<20), "nor is much more read")
}

func TestALargeFrameWithinTheLimitPasses(t *testing.T) {
	t.Parallel()
	const size = MaxFrame - 100
	body := io.MultiReader(strings.NewReader("data: a\n\ndata: "), io.LimitReader(&endless{}, size), strings.NewReader("\n\ndata: b\n\n"))
	f := NewFrames(body)
	for _, want := range []int{9, size + 8, 9} {
		frame, err := f.Next()
		require.NoError(t, err)
		require.Len(t, frame, want)
	}
}

func TestDataOfAFrame(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, frame, event, data string }{
		{"one line", "data: a\n\n", "", "a"},
		{"no blank after the colon", "data:a\n\n", "", "a"},
		{"only one blank is taken", "data:  a \n\n", "", " a "},
		{"with a name", "event: ping\ndata: {}\n\n", "ping", "{}"},
		{"the name last, without a blank", "data: {}\nevent:ping\n\n", "ping", "{}"},
		{"carriage returns", "event: e\r\ndata: a\r\n\r\n", "e", "a"},
		{"several lines", "data: a\ndata: b\ndata:\ndata: c\n\n", "", "a\nb\n\nc"},
		{"an empty first line", "data:\ndata: b\n\n", "", "\nb"},
		{"no final line end", "data: [DONE]", "", "[DONE]"},
		{"other fields", "id: 1\nretry: 5\ndatum: x\ndata: a\n: data: c\n\n", "", "a"},
	} {
		event, data := Data([]byte(tt.frame))
		assert.Equal(t, tt.event, event, tt.name)
		assert.Equal(t, tt.data, string(data), tt.name)
	}
	for _, none := range []string{"", "\n\n", ": ping\n\n", "event: e\n\n", "id: 1\n\n"} {
		_, data := Data([]byte(none))
		assert.Nil(t, data, none)
	}
	_, data := Data([]byte("data:\n\n"))
	assert.NotNil(t, data, "empty data is not no data")
	assert.Empty(t, data)
}

func TestReadingDataLeavesTheFrameAlone(t *testing.T) {
	t.Parallel()
	frame := []byte("data: a\ndata: b\ndata: c\nevent: e\n\n")
	before := string(frame)
	_, data := Data(frame)
	assert.Equal(t, "a\nb\nc", string(data))
	assert.Equal(t, before, string(frame))
}

func TestAppendedFramesAreReadBack(t *testing.T) {
	t.Parallel()
	out := AppendFrame(AppendFrame([]byte(": x\n\n"), "", []byte(`{"a":1}`)), "done", []byte("[DONE]"))
	assert.Equal(t, ": x\n\ndata: {\"a\":1}\n\nevent: done\ndata: [DONE]\n\n", string(out))
	got, err := frames(bytes.NewReader(out))
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, got, 3)
	event, data := Data([]byte(got[2]))
	assert.Equal(t, "done", event)
	assert.Equal(t, "[DONE]", string(data))
}

func FuzzFrames(f *testing.F) {
	for _, s := range streams {
		if len(s.in) < 1000 {
			f.Add([]byte(s.in), uint8(3))
		}
	}
	f.Fuzz(func(t *testing.T, in []byte, cut uint8) {
		whole, err := frames(bytes.NewReader(in))
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, string(in), strings.Join(whole, ""))
		parts, err := frames(iotest.OneByteReader(bytes.NewReader(in)))
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, whole, parts)
		at := min(int(cut), len(in))
		parts, _ = frames(io.MultiReader(bytes.NewReader(in[:at]), bytes.NewReader(in[at:])))
		require.Equal(t, whole, parts)
		for i, frame := range whole {
			if i < len(whole)-1 {
				require.True(t, strings.HasSuffix(frame, "\n\n") || strings.HasSuffix(frame, "\n\r\n"), "%q", frame)
			}
			Data([]byte(frame))
		}
	})
}

func BenchmarkFrames(b *testing.B) {
	var in []byte
	for i := range 1000 {
		in = AppendFrame(in, "", fmt.Appendf(nil, `{"id":"chatcmpl-1","choices":[{"index":0,"delta":{"content":"word %d "},"finish_reason":null}]}`, i))
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		f := NewFrames(bytes.NewReader(in))
		n := 0
		for {
			frame, err := f.Next()
			if err != nil {
				break
			}
			if _, data := Data(frame); len(data) > 0 {
				n++
			}
		}
		if n != 1000 {
			b.Fatal(n)
		}
	}
}
