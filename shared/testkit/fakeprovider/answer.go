package fakeprovider

import (
	"net/http"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// ToolCall is a call that the fake makes.
type ToolCall struct {
	ID        string // "" makes one
	Name      string
	Arguments string // JSON text; "" means {}
}

// Answer is what a fake says, in no provider's words. The zero value is an
// empty text. Texts beyond the caller's output limit are cut there and end with
// the provider's word for "length".
type Answer struct {
	Text      string
	Reasoning string // thinking; OpenAI: in Options.ReasoningField
	ToolCalls []ToolCall
	Refusal   string // the model refuses: OpenAI's refusal, Anthropic's stop_reason, Gemini's SAFETY
	Length    bool   // ends because of the output limit whatever its length
	Frames    int    // pieces that a streamed text is cut into; 0 means 4

	// Usage replaces the counted usage. Buckets that the provider's wire cannot
	// tell apart are added up (see Request.Usage).
	Usage *hub.Usage
	// Cached and CacheWritten move that many counted prompt tokens into the
	// cache buckets; at most all of them.
	Cached, CacheWritten int64
	Report               Report
	IgnoreLimit          bool // answer at full length whatever the caller's limit

	// Status other than 0 answers an error: Body, or the provider's own body for
	// that status when it is empty, with Header.
	Status int
	Body   string
	Header http.Header

	Before *Gate // waits here before the status line
	Middle *Gate // waits here in the middle of the body
	Break  Break // what goes wrong on the way
}

// Report says how usage is reported.
type Report int

// The ways of reporting usage.
const (
	Truthful      Report = iota
	NoUsage              // not at all
	UsageTwice           // the same figures two times
	UsageZero            // zeroes
	UsageAbsurd          // AbsurdTokens in and out
	UsageNegative        // -5 in and out
)

// AbsurdTokens is the count of an absurd report: far beyond any context, and
// large enough to overflow careless sums.
const AbsurdTokens = 1 << 61

// Break says what goes wrong on the way.
type Break int

// The faults.
const (
	Intact     Break = iota
	Refuse           // the connection is torn before any answer
	Cut              // the connection is torn in the middle
	NoDone           // no end marker ([DONE], message_stop); Gemini has none
	NoFinish         // ends in order, but without finish signal, usage and end marker
	ErrorFrame       // an error event in the middle of the stream; whole answers become status 500
	Garbage          // a frame of broken JSON in the middle; whole answers are no JSON
	HugeFrame        // one frame of more than 200 kB (its text counts)
	SplitUTF8        // a write ends inside a character; the whole is good
	BadUTF8          // a frame holds half a character
)

// hugeText is how many bytes HugeFrame adds to the text.
const hugeText = 200 << 10

// Gate holds a fake until the test lets it go on. A gate that is never released
// holds for ever; the fake then ends when its caller leaves.
type Gate struct {
	once    sync.Once
	open    chan struct{}
	reached chan struct{}
}

// NewGate makes a closed gate.
func NewGate() *Gate {
	return &Gate{open: make(chan struct{}), reached: make(chan struct{}, 1024)}
}

// Release lets through who waits and who comes later.
func (g *Gate) Release() { g.once.Do(func() { close(g.open) }) }

// Reached gives a value for each request that has arrived at the gate.
func (g *Gate) Reached() <-chan struct{} { return g.reached }

// pass waits at the gate; false means that the caller left.
func (g *Gate) pass(leave <-chan struct{}) bool {
	if g == nil {
		return true
	}
	select {
	case g.reached <- struct{}{}:
	default:
	}
	select {
	case <-g.open:
		return true
	case <-leave:
		return false
	}
}

// Tokens is how the fakes count: a token for every four bytes begun.
func Tokens(bytes int) int64 { return int64(bytes+3) / 4 }

// Words returns a text of exactly n bytes made of short English words.
func Words(n int) string {
	const lorem = "the quick brown fox jumps over the lazy dog and then it sleeps in the warm sun "
	return strings.Repeat(lorem, n/len(lorem)+1)[:n]
}

// reply is an Answer fitted to a request.
type reply struct {
	Answer
	id      string
	created int64
	usage   hub.Usage
	shown   hub.Usage // what the report says, lies included
	known   bool
	pieces  []string
}

// fit applies the caller's limit, counts usage and cuts the text into pieces.
func fit(a Answer, t *turn, lang language, id string) *reply {
	if a.Break == HugeFrame {
		a.Text += Words(hugeText)
	}
	if t.limit > 0 && !a.IgnoreLimit && Tokens(len(a.Text)) > t.limit && len(a.ToolCalls) == 0 {
		a.Text, a.Length = cutAt(a.Text, int(t.limit)*4), true
	}
	for i := range a.ToolCalls {
		if a.ToolCalls[i].Arguments == "" {
			a.ToolCalls[i].Arguments = "{}"
		}
	}
	r := &reply{Answer: a, id: id, created: 1767225600, known: a.Report != NoUsage}
	r.usage = lang.reports(counted(a, t))
	r.shown = r.usage
	switch a.Report {
	case UsageZero:
		r.shown = hub.Usage{}
	case UsageAbsurd:
		r.shown = hub.Usage{hub.Input: AbsurdTokens, hub.Output: AbsurdTokens}
	case UsageNegative:
		r.shown = hub.Usage{hub.Input: -5, hub.Output: -5}
	}
	r.pieces = pieces(a)
	return r
}

func counted(a Answer, t *turn) hub.Usage {
	if a.Usage != nil {
		return *a.Usage
	}
	visible := len(a.Text) + len(a.Refusal)
	for _, c := range a.ToolCalls {
		visible += len(c.Name) + len(c.Arguments)
	}
	prompt := Tokens(t.promptBytes)
	read := min(a.Cached, prompt)
	written := min(a.CacheWritten, prompt-read)
	return hub.Usage{
		hub.Input:        prompt - read - written,
		hub.CacheRead:    read,
		hub.CacheWrite5m: written,
		hub.Output:       Tokens(visible) * int64(t.n),
		hub.Reasoning:    Tokens(len(a.Reasoning)) * int64(t.n),
	}
}

func pieces(a Answer) []string {
	if a.Text == "" {
		return nil
	}
	n := a.Frames
	if n <= 0 {
		n = 4
	}
	body := a.Text
	if a.Break == HugeFrame {
		body = strings.TrimSuffix(body, Words(hugeText))
	}
	var out []string
	for ; n > 1 && len(body) > 1; n-- {
		head := cutAt(body, max(1, len(body)/n))
		if head == "" {
			break
		}
		out, body = append(out, head), body[len(head):]
	}
	if body != "" {
		out = append(out, body)
	}
	if a.Break == HugeFrame && strings.HasSuffix(a.Text, Words(hugeText)) {
		out = append(out, Words(hugeText))
	}
	return out
}

// cutAt returns the longest start of s with at most n bytes and whole characters;
// at least one character.
func cutAt(s string, n int) string {
	if n >= len(s) {
		return s
	}
	end := n
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	if end == 0 {
		_, end = utf8.DecodeRuneInString(s)
	}
	return s[:end]
}
