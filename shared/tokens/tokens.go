// Package tokens counts the tokens of texts whose provider did not say how many
// they have. It counts with the vocabulary cl100k_base of OpenAI's embedding
// models, which is exact for those and within some ten percent for most other
// models' Latin text; what it counts is an estimate wherever it is used.
package tokens

import (
	"sync"
	"unicode/utf8"

	"github.com/tiktoken-go/tokenizer/codec"
)

const (
	// chunk is the most text that is split at once, in bytes: merging takes time
	// that grows with the square of an unbroken run.
	chunk = 4 << 10
	// most is how much of a text is counted; of a longer one, evenly spread chunks
	// stand for the rest.
	most = 1 << 20
	// plain is the number of bytes that stand for a token where counting failed.
	plain = 4
)

// Counter counts tokens. The zero value is ready; the vocabulary (some 3 MB of
// memory) is loaded when something is counted for the first time. It is safe for
// use by many goroutines.
type Counter struct {
	once  sync.Once
	codec *codec.Codec
}

// Count returns the number of tokens of a text. It takes about 100 ms for a
// megabyte, and no longer for more.
func (c *Counter) Count(text string) int64 {
	if text == "" {
		return 0
	}
	c.once.Do(func() { c.codec = codec.NewCl100kBase() })
	every := 1
	if len(text) > most {
		every = (len(text) + most - 1) / most
	}
	var tokens, counted int64
	for i, rest := 0, text; rest != ""; i++ {
		piece := head(rest)
		rest = rest[len(piece):]
		if i%every != 0 {
			continue
		}
		counted += int64(len(piece))
		tokens += c.piece(piece)
	}
	if counted == int64(len(text)) {
		return tokens
	}
	return (tokens*int64(len(text)) + counted - 1) / counted
}

// Scale estimates the tokens of a text of so many bytes that reads like sample.
func (c *Counter) Scale(bytes int64, sample string) int64 {
	n := int64(len(sample))
	switch {
	case bytes <= 0:
		return 0
	case n == 0:
		return (bytes + plain - 1) / plain
	}
	return (c.Count(sample)*bytes + n - 1) / n
}

func (c *Counter) piece(text string) int64 {
	n, err := c.codec.Count(text)
	if err != nil {
		return int64(len(text)+plain-1) / plain
	}
	return int64(n)
}

// head is the first chunk of a text, ended where a character ends and, where one
// is near, before a space.
func head(text string) string {
	if len(text) <= chunk {
		return text
	}
	end := chunk
	for end > chunk-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	const near = 64
	for i := end; i > end-near; i-- {
		if text[i] == ' ' {
			return text[:i]
		}
	}
	return text[:end]
}
