package openai

import (
	"bytes"
	"math"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// cursor walks over JSON text in place, allocating nothing. It is lenient: text
// that is no JSON ends the walk with bad set or is stepped over, but never
// panics and never loops.
type cursor struct {
	b   []byte
	i   int
	bad bool
}

func (c *cursor) space() {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\n', '\t', '\r':
			c.i++
		default:
			return
		}
	}
}

func (c *cursor) peek() byte {
	if c.i < len(c.b) {
		return c.b[c.i]
	}
	return 0
}

func (c *cursor) fail() bool {
	c.bad, c.i = true, len(c.b)
	return false
}

// enter steps into an object or array; without one here it stays and says no.
func (c *cursor) enter(bracket byte) bool {
	c.space()
	if c.peek() != bracket {
		return false
	}
	c.i++
	return true
}

// key gives the next member's name, false at the object's end. The value must
// be stepped over before the next call.
func (c *cursor) key() ([]byte, bool) {
	c.space()
	if c.peek() == ',' {
		c.i++
		c.space()
	}
	if c.peek() == '}' {
		c.i++
		return nil, false
	}
	start := c.i
	if c.peek() != '"' || !c.skipString() {
		return nil, c.fail()
	}
	key := c.b[start+1 : c.i-1]
	if bytes.IndexByte(key, '\\') >= 0 {
		key = []byte(wire.Text(c.b[start:c.i]))
	}
	c.space()
	if c.peek() != ':' {
		return nil, c.fail()
	}
	c.i++
	c.space()
	return key, true
}

// item reports whether the array has another element, and stands before it.
func (c *cursor) item() bool {
	c.space()
	if c.peek() == ',' {
		c.i++
		c.space()
	}
	switch c.peek() {
	case ']':
		c.i++
		return false
	case 0:
		return c.fail()
	}
	return true
}

// skipString steps over the string that begins here.
func (c *cursor) skipString() bool {
	first := c.i + 1
	for from := first; ; {
		q := bytes.IndexByte(c.b[from:], '"')
		if q < 0 {
			return c.fail()
		}
		end := from + q
		k := end
		for k > first && c.b[k-1] == '\\' {
			k--
		}
		if (end-k)%2 == 0 {
			c.i = end + 1
			return true
		}
		from = end + 1
	}
}

// value steps over the value that begins here and returns it, nil for null.
func (c *cursor) value() []byte {
	start := c.i
	switch c.peek() {
	case '"':
		c.skipString()
	case '{', '[':
		c.skipNested()
	case 0, ',', ':', '}', ']':
		c.fail()
	default:
		for c.i < len(c.b) {
			switch c.b[c.i] {
			case ',', '}', ']', ' ', '\n', '\t', '\r':
				return notNull(c.b[start:c.i])
			}
			c.i++
		}
	}
	if c.bad {
		return nil
	}
	return notNull(c.b[start:c.i])
}

func notNull(raw []byte) []byte {
	if len(raw) == 4 && raw[0] == 'n' {
		return nil
	}
	return raw
}

func (c *cursor) skipNested() {
	depth := 0
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case '"':
			if !c.skipString() {
				return
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				c.i++
				return
			}
		}
		c.i++
	}
	c.fail()
}

// isString reports whether a raw value is a string with something in it.
func isString(raw []byte) bool { return len(raw) > 2 && raw[0] == '"' }

// maxCount bounds every number read from a provider, so that sums never
// overflow.
const maxCount = 1 << 50

// count reads a raw number as a count: whole, not negative, at most maxCount.
func count(raw []byte) (n int64, ok bool) {
	if len(raw) == 0 || raw[0] == '"' {
		return 0, false
	}
	for _, ch := range raw {
		if ch < '0' || ch > '9' || n > maxCount {
			f, err := strconv.ParseFloat(string(raw), 64)
			if err != nil || math.IsNaN(f) {
				return 0, false
			}
			return int64(min(max(f, 0), maxCount)), true
		}
		n = n*10 + int64(ch-'0')
	}
	return min(n, maxCount), true
}
