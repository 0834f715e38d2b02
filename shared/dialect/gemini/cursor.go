package gemini

import "bytes"

// cursor walks over JSON bytes in place: it visits the members it is asked for,
// steps over the rest and builds nothing. It checks only the syntax it needs;
// whatever the bytes are it moves forward and ends.
type cursor struct {
	b   []byte
	i   int
	bad bool // the bytes are not JSON; nothing more is visited
}

func (c *cursor) fail() {
	c.bad = true
	c.i = len(c.b)
}

// peek returns the next byte that is not white space, 0 at the end.
func (c *cursor) peek() byte {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ' ', '\t', '\r', '\n':
			c.i++
		default:
			return c.b[c.i]
		}
	}
	return 0
}

// open enters an object or array. Values of another type are stepped over.
func (c *cursor) open(bracket byte) bool {
	if c.peek() != bracket {
		c.skip()
		return false
	}
	c.i++
	return true
}

// next reports whether another member or element follows, before the closing
// bracket. first is true for the first one, which no comma precedes.
func (c *cursor) next(closing byte, first bool) bool {
	switch b := c.peek(); {
	case b == closing:
		c.i++
		return false
	case b == ',' && !first:
		c.i++
		return !c.bad
	case b == 0 || !first:
		c.fail()
		return false
	}
	return !c.bad
}

// key reads a member's name and its colon.
func (c *cursor) key() []byte {
	k := c.str()
	if c.peek() != ':' {
		c.fail()
		return nil
	}
	c.i++
	return k
}

// str returns the inside of a string, escapes as they stand; nil when the value
// is no string, which is then stepped over.
func (c *cursor) str() []byte {
	if c.peek() != '"' {
		c.skip()
		return nil
	}
	start := c.i + 1
	for i := start; ; {
		q := bytes.IndexByte(c.b[i:], '"')
		if q < 0 {
			c.fail()
			return nil
		}
		end := i + q
		slashes := 0
		for end-1-slashes >= start && c.b[end-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			c.i = end + 1
			return c.b[start:end]
		}
		i = end + 1
	}
}

// skip steps over one value.
func (c *cursor) skip() {
	depth := 0
	for {
		switch c.peek() {
		case 0:
			c.fail()
			return
		case '"':
			c.str()
		case '{', '[':
			depth++
			c.i++
		case '}', ']':
			if depth == 0 {
				c.fail()
				return
			}
			depth--
			c.i++
		case ',', ':':
			if depth == 0 {
				c.fail()
				return
			}
			c.i++
			continue
		default:
			c.literal()
		}
		if depth == 0 || c.bad {
			return
		}
	}
}

// literal steps over a number, true, false or null.
func (c *cursor) literal() {
	for c.i < len(c.b) {
		switch c.b[c.i] {
		case ',', ']', '}', ':', ' ', '\t', '\r', '\n', '"', '{', '[':
			return
		}
		c.i++
	}
}

// raw returns the next value as it stands.
func (c *cursor) raw() []byte {
	c.peek()
	start := c.i
	c.skip()
	if c.bad {
		return nil
	}
	return c.b[start:c.i]
}

// maxCount bounds a count that a provider reports, so that sums of counts do
// not overflow.
const maxCount = 1 << 50

// number reads a count: its whole part, 0 for anything negative or no number,
// at most maxCount. The API writes 64-bit integers as strings.
func (c *cursor) number() int64 {
	raw := bytes.Trim(c.raw(), `"`)
	var n int64
	for _, d := range raw {
		if d < '0' || d > '9' {
			break
		}
		if n = n*10 + int64(d-'0'); n > maxCount {
			return maxCount
		}
	}
	return n
}

// truth reads a boolean.
func (c *cursor) truth() bool { return string(c.raw()) == "true" }
