package wire

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

// The parts of a message of Amazon's event stream, application/vnd.amazon.eventstream
// ("Event stream encoding" in the AWS documentation), in bytes: a prelude of
// two lengths and their checksum, headers, payload, and a checksum of it all.
const (
	preludeLen = 12
	trailerLen = 4
	// maxMessageHeaders is the format's own limit.
	maxMessageHeaders = 128 << 10
)

// What can be wrong with a message. The stream cannot be read on after any.
var (
	ErrMessageLength   = errors.New("event stream: impossible length")
	ErrMessageChecksum = errors.New("event stream: wrong checksum")
	ErrMessageHeaders  = errors.New("event stream: malformed headers")
)

// Messages reads Amazon's event stream message by message, both checksums
// verified. A message has at most MaxFrame bytes.
type Messages struct {
	src io.Reader
	buf []byte
	pos int // start of what has not been handed out
	err error
}

// NewMessages reads messages from src.
func NewMessages(src io.Reader) *Messages {
	return &Messages{src: src, buf: make([]byte, 0, 4<<10)}
}

// Next returns the next message whole, valid until the next call. A stream that
// ends inside a message gives io.ErrUnexpectedEOF; errors stay.
func (m *Messages) Next() ([]byte, error) {
	for {
		n, err := messageLen(m.buf[m.pos:])
		if err == nil && n > 0 && len(m.buf)-m.pos >= n {
			frame := m.buf[m.pos : m.pos+n]
			if crc32.ChecksumIEEE(frame[:n-trailerLen]) == binary.BigEndian.Uint32(frame[n-trailerLen:]) {
				m.pos += n
				return frame, nil
			}
			err = ErrMessageChecksum
		}
		if err != nil {
			m.src, m.err = nil, err
			m.buf, m.pos = nil, 0
		}
		if m.err != nil {
			if errors.Is(m.err, io.EOF) && m.pos < len(m.buf) {
				return nil, io.ErrUnexpectedEOF
			}
			return nil, m.err
		}
		m.fill()
	}
}

// Ready reports whether Next would return a message without reading.
func (m *Messages) Ready() bool {
	n, err := messageLen(m.buf[m.pos:])
	return err == nil && n > 0 && len(m.buf)-m.pos >= n
}

// fill reads some more. The buffer grows with what came, not with what a
// length promises.
func (m *Messages) fill() {
	const room = 2 << 10 // worth a read
	if m.pos > 0 && (m.pos == len(m.buf) || cap(m.buf)-len(m.buf) < room) {
		n := copy(m.buf, m.buf[m.pos:])
		m.buf, m.pos = m.buf[:n], 0
	}
	if cap(m.buf)-len(m.buf) < room {
		m.buf = append(make([]byte, 0, 2*cap(m.buf)), m.buf...)
	}
	n, err := m.src.Read(m.buf[len(m.buf):cap(m.buf)])
	m.buf = m.buf[:len(m.buf)+n]
	m.err = err
}

// messageLen reads the prelude: how long the message is, 0 when too little of
// it has come.
func messageLen(b []byte) (int, error) {
	if len(b) < preludeLen {
		return 0, nil
	}
	if crc32.ChecksumIEEE(b[:8]) != binary.BigEndian.Uint32(b[8:]) {
		return 0, ErrMessageChecksum
	}
	total, headers := int64(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint32(b[4:]))
	if total > MaxFrame {
		return 0, ErrFrameTooLong
	}
	if headers > maxMessageHeaders || total < preludeLen+headers+trailerLen {
		return 0, ErrMessageLength
	}
	return int(total), nil
}

// Message is one message of an event stream. Its slices are parts of the frame.
type Message struct {
	headers []byte
	Payload []byte
}

// ReadMessage takes a frame of Messages apart.
func ReadMessage(frame []byte) (Message, error) {
	n, err := messageLen(frame)
	if err != nil {
		return Message{}, err
	}
	if n == 0 || n != len(frame) {
		return Message{}, ErrMessageLength
	}
	end := preludeLen + int(binary.BigEndian.Uint32(frame[4:]))
	m := Message{headers: frame[preludeLen:end], Payload: frame[end : n-trailerLen]}
	for rest := m.headers; len(rest) > 0; {
		_, _, next, ok := header(rest)
		if !ok {
			return Message{}, ErrMessageHeaders
		}
		rest = next
	}
	return m, nil
}

// String returns a header that is a text, "" when there is none of the name.
func (m Message) String(name string) string {
	for rest := m.headers; len(rest) > 0; {
		key, value, next, ok := header(rest)
		if !ok {
			return ""
		}
		if string(key) == name {
			return string(value)
		}
		rest = next
	}
	return ""
}

// valueLens is how long the values of the fixed types are: true, false, byte,
// short, integer, long; byte array (6) and text (7) tell their own length;
// timestamp, uuid.
var valueLens = [10]int{0, 0, 1, 2, 4, 8, -1, -1, 8, 16}

const textValue = 7

// header reads the first header of b. value is nil for all but texts.
func header(b []byte) (key, value, rest []byte, ok bool) {
	n := int(b[0])
	if n == 0 || len(b) < 1+n+1 || int(b[1+n]) >= len(valueLens) {
		return nil, nil, nil, false
	}
	key, kind, b := b[1:1+n], b[1+n], b[1+n+1:]
	size := valueLens[kind]
	if size < 0 {
		if len(b) < 2 {
			return nil, nil, nil, false
		}
		size, b = int(binary.BigEndian.Uint16(b)), b[2:]
	}
	if len(b) < size {
		return nil, nil, nil, false
	}
	if kind == textValue {
		value = b[:size]
	}
	return key, value, b[size:], true
}

// MessageHeader is a header that is a text: a name of 1 to 255 bytes and a value
// of at most 65,535.
type MessageHeader struct{ Name, Value string }

// AppendMessage appends one message.
func AppendMessage(dst []byte, headers []MessageHeader, payload []byte) []byte {
	start := len(dst)
	dst = append(dst, make([]byte, preludeLen)...)
	for _, h := range headers {
		dst = append(append(append(dst, byte(len(h.Name))), h.Name...), textValue)
		dst = append(binary.BigEndian.AppendUint16(dst, uint16(len(h.Value))), h.Value...) //nolint:gosec // bounded, see MessageHeader
	}
	size := len(dst) - start - preludeLen
	dst = append(dst, payload...)
	head := dst[start:]
	binary.BigEndian.PutUint32(head, uint32(len(head)+trailerLen)) //nolint:gosec // see MaxFrame
	binary.BigEndian.PutUint32(head[4:], uint32(size))             //nolint:gosec // see MaxFrame
	binary.BigEndian.PutUint32(head[8:], crc32.ChecksumIEEE(head[:8]))
	return binary.BigEndian.AppendUint32(dst, crc32.ChecksumIEEE(head))
}
