package wire

import (
	"bytes"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// messages reads all messages, copied, until the error that ends them.
func messages(src io.Reader) (all [][]byte, err error) {
	m := NewMessages(src)
	for {
		frame, err := m.Next()
		if err != nil {
			return all, err
		}
		all = append(all, bytes.Clone(frame))
	}
}

// threeMessages are an event, one without headers and payload, and a large one.
func threeMessages() []byte {
	b := AppendMessage(nil, []MessageHeader{{":message-type", "event"}, {":event-type", "contentBlockDelta"}}, []byte(`{"delta":{"text":"é"}}`))
	b = AppendMessage(b, nil, nil)
	return AppendMessage(b, []MessageHeader{{":event-type", ""}}, []byte(strings.Repeat("x", 10_000)))
}

func TestMessagesHoweverTheyArrive(t *testing.T) {
	t.Parallel()
	in := threeMessages()
	want, err := messages(bytes.NewReader(in))
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, want, 3)
	assert.Equal(t, in, bytes.Join(want, nil), "byte for byte")
	first, err := ReadMessage(want[0])
	require.NoError(t, err)
	assert.Equal(t, "contentBlockDelta", first.String(":event-type"))
	assert.Equal(t, "event", first.String(":message-type"))
	assert.Empty(t, first.String("none"))
	assert.JSONEq(t, `{"delta":{"text":"é"}}`, string(first.Payload))
	for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, iotest.DataErrReader} {
		got, err := messages(wrap(bytes.NewReader(in)))
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, want, got)
	}
	small := in[:len(in)-9_000-1_016] // all but the large message
	for cut := range len(small) {
		got, err := messages(io.MultiReader(bytes.NewReader(in[:cut]), bytes.NewReader(in[cut:])))
		require.ErrorIs(t, err, io.EOF)
		require.Equal(t, want, got, "cut at %d", cut)
	}
}

func TestAMessageThatIsCutIsNoEnd(t *testing.T) {
	t.Parallel()
	in := AppendMessage(nil, []MessageHeader{{"a", "b"}}, []byte("{}"))
	for end := 1; end < len(in); end++ {
		_, err := messages(bytes.NewReader(in[:end]))
		require.ErrorIs(t, err, io.ErrUnexpectedEOF, "%d bytes", end)
	}
	broken := errors.New("connection reset")
	m := NewMessages(io.MultiReader(bytes.NewReader(in), iotest.ErrReader(broken)))
	_, err := m.Next()
	require.NoError(t, err)
	for range 3 {
		_, err = m.Next()
		require.ErrorIs(t, err, broken, "the error stays")
	}
}

func TestAnyFlippedBitIsFound(t *testing.T) {
	t.Parallel()
	in := AppendMessage(nil, []MessageHeader{{":event-type", "messageStop"}}, []byte(`{"stopReason":"end_turn"}`))
	for i := range in {
		bad := bytes.Clone(in)
		bad[i] ^= 0x10
		m := NewMessages(bytes.NewReader(bad))
		for range 2 {
			_, err := m.Next()
			require.ErrorIs(t, err, ErrMessageChecksum, "byte %d", i)
		}
	}
}

// prelude makes a prelude with a good checksum and the lengths asked for.
func prelude(total, headers uint32) []byte {
	b := AppendMessage(nil, nil, nil)[:preludeLen]
	put := func(at int, n uint32) {
		b[at], b[at+1], b[at+2], b[at+3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	}
	put(0, total)
	put(4, headers)
	put(8, crc32.ChecksumIEEE(b[:8]))
	return b
}

func TestLengthsThatCannotBeAreRefusedBeforeTheyAreRead(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		total, headers uint32
		want           error
	}{
		{MaxFrame + 1, 0, ErrFrameTooLong},
		{1<<32 - 1, 1<<32 - 1, ErrFrameTooLong},
		{15, 0, ErrMessageLength},
		{0, 0, ErrMessageLength},
		{100, 85, ErrMessageLength},
		{1 << 20, maxMessageHeaders + 1, ErrMessageLength},
	} {
		src := &endless{}
		_, err := NewMessages(io.MultiReader(bytes.NewReader(prelude(tt.total, tt.headers)), src)).Next()
		require.ErrorIs(t, err, tt.want, "%d, %d", tt.total, tt.headers)
		assert.Less(t, src.sent, 1<<20, "nor is much more read")
	}
}

func TestMalformedHeadersAreAnError(t *testing.T) {
	t.Parallel()
	for name, headers := range map[string]string{
		"an empty name":        "\x00\x00",
		"a name beyond them":   "\x09abc\x00",
		"an unknown type":      "\x01a\x0a",
		"no type":              "\x01a",
		"half a length":        "\x01a\x07\x00",
		"a text beyond them":   "\x01a\x07\x00\x09abc",
		"a number beyond them": "\x01a\x05abc",
	} {
		b := prelude(uint32(preludeLen+len(headers)+trailerLen), uint32(len(headers)))
		_, err := ReadMessage(append(append(b, headers...), 0, 0, 0, 0))
		assert.ErrorIs(t, err, ErrMessageHeaders, name)
	}
	_, err := ReadMessage([]byte("short"))
	require.ErrorIs(t, err, ErrMessageLength)
	every := "\x01a\x00\x01b\x01\x01c\x02.\x01d\x03..\x01e\x04....\x01f\x05........\x01g\x06\x00\x01.\x01h\x07\x00\x02hi\x01i\x08........\x01j\x09................"
	b := prelude(uint32(preludeLen+len(every)+trailerLen), uint32(len(every)))
	m, err := ReadMessage(append(append(b, every...), 0, 0, 0, 0))
	require.NoError(t, err, "every type of value")
	assert.Equal(t, "hi", m.String("h"))
	assert.Empty(t, m.String("g"), "a byte array is no text")
	assert.Empty(t, m.Payload)
}

func TestReadyOfMessagesNeverLies(t *testing.T) {
	t.Parallel()
	for _, wrap := range []func(io.Reader) io.Reader{iotest.OneByteReader, iotest.HalfReader, func(r io.Reader) io.Reader { return r }} {
		src := &watched{Reader: wrap(bytes.NewReader(threeMessages()))}
		m := NewMessages(src)
		assert.False(t, m.Ready(), "nothing has been read")
		for ended := false; !ended; {
			ready, before := m.Ready(), src.reads
			_, err := m.Next()
			ended = err != nil
			if ready {
				require.Equal(t, before, src.reads)
				require.NoError(t, err)
			}
		}
	}
}

func TestMessagesAreThoseOfAmazonsOwnCoder(t *testing.T) {
	t.Parallel()
	var theirs bytes.Buffer
	require.NoError(t, eventstream.NewEncoder().Encode(&theirs, eventstream.Message{
		Headers: eventstream.Headers{{Name: ":event-type", Value: eventstream.StringValue("metadata")}, {Name: "n", Value: eventstream.Int32Value(7)}},
		Payload: []byte(`{"usage":{}}`),
	}))
	got, err := messages(&theirs)
	require.ErrorIs(t, err, io.EOF)
	require.Len(t, got, 1)
	m, err := ReadMessage(got[0])
	require.NoError(t, err)
	assert.Equal(t, "metadata", m.String(":event-type"))
	assert.JSONEq(t, `{"usage":{}}`, string(m.Payload))

	ours := AppendMessage(nil, []MessageHeader{{":event-type", "messageStart"}}, []byte("{}"))
	back, err := eventstream.NewDecoder().Decode(bytes.NewReader(ours), nil)
	require.NoError(t, err)
	assert.Equal(t, "messageStart", back.Headers.Get(":event-type").String())
	assert.Equal(t, "{}", string(back.Payload))
}

func FuzzMessages(f *testing.F) {
	f.Add(threeMessages()[:200], uint8(3))
	f.Add(AppendMessage(nil, []MessageHeader{{"a", "b"}}, []byte("{}")), uint8(13))
	f.Fuzz(func(t *testing.T, in []byte, cut uint8) {
		whole, wantErr := messages(bytes.NewReader(in))
		require.True(t, bytes.HasPrefix(in, bytes.Join(whole, nil)))
		at := min(int(cut), len(in))
		parts, err := messages(io.MultiReader(bytes.NewReader(in[:at]), bytes.NewReader(in[at:])))
		require.Equal(t, whole, parts)
		require.Equal(t, wantErr, err)
		for _, frame := range whole {
			if m, err := ReadMessage(frame); err == nil {
				m.String(":event-type")
			}
		}
	})
}
