package tokens

import (
	"strings"
	"sync"

	"github.com/tiktoken-go/tokenizer/codec"
)

// Encoding is a vocabulary by which a model's provider counts.
type Encoding int

// The vocabularies of OpenAI's models. Unknown is none of them.
const (
	Unknown Encoding = iota
	CL100K
	O200K
)

// EncodingOf tells by which vocabulary OpenAI counts the text of a model, by
// the table of its own library (github.com/openai/tiktoken, tiktoken/model.py).
func EncodingOf(model string) Encoding {
	for _, m := range [...]struct {
		prefix string
		is     Encoding
	}{
		{"gpt-4o", O200K}, {"gpt-4.1", O200K}, {"gpt-4.5", O200K}, {"gpt-5", O200K}, {"chatgpt-4o", O200K},
		{"o1", O200K}, {"o3", O200K}, {"o4-mini", O200K},
		{"gpt-4-", CL100K}, {"gpt-3.5-turbo-", CL100K}, {"text-embedding-ada-002", CL100K}, {"text-embedding-3-", CL100K},
	} {
		if strings.HasPrefix(model, m.prefix) {
			return m.is
		}
	}
	if model == "gpt-4" || model == "gpt-3.5-turbo" {
		return CL100K
	}
	return Unknown
}

// Exact counts tokens as a provider does that has the vocabulary. The zero value
// is ready; a vocabulary (5 to 20 MB of memory) is loaded when it is first needed.
// It is safe for use by many goroutines.
type Exact struct {
	once   [3]sync.Once
	codecs [3]*codec.Codec
}

// mostExact bounds the work: what is beyond counts a token for each byte.
const mostExact = 4 << 20

// Bound is the number of a text's tokens, or more where counting would take too
// long: a token for each byte of a run of 4 KiB without a space between letters,
// and of what is beyond 4 MiB. It is never less. For Unknown it is the bytes.
func (x *Exact) Bound(e Encoding, text string) int64 {
	if e == Unknown || text == "" {
		return int64(len(text))
	}
	x.once[e].Do(func() {
		if e == CL100K {
			x.codecs[e] = codec.NewCl100kBase()
		} else {
			x.codecs[e] = codec.NewO200kBase()
		}
	})
	var n int64
	if len(text) > mostExact {
		end := seam(text, mostExact)
		n, text = int64(len(text)-end), text[:end]
	}
	for text != "" {
		end := len(text)
		if end > chunk {
			if end = seam(text, chunk); end == 0 {
				end = nextSeam(text, chunk)
				n += int64(end)
				text = text[end:]
				continue
			}
		}
		n += x.count(e, text[:end])
		text = text[end:]
	}
	return n
}

func (x *Exact) count(e Encoding, text string) int64 {
	n, err := x.codecs[e].Count(text)
	if err != nil {
		return int64(len(text))
	}
	return int64(n)
}

// seam is the last place up to end at which a text can be cut without changing
// what its tokens are, 0 where there is none: before a single space between two
// letters, where both vocabularies' patterns begin a word whatever comes before.
func seam(text string, end int) int {
	for i := min(end, len(text)-2); i > 0; i-- {
		if isSeam(text, i) {
			return i
		}
	}
	return 0
}

// nextSeam is the first such place from start on, else the end of the text.
func nextSeam(text string, start int) int {
	for i := max(1, start); i+1 < len(text); i++ {
		if isSeam(text, i) {
			return i
		}
	}
	return len(text)
}

func isSeam(text string, i int) bool {
	return text[i] == ' ' && letter(text[i-1]) && letter(text[i+1])
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
