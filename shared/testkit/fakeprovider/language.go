package fakeprovider

import (
	"encoding/json"
	"math"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// fixed is a complete answer: an error or a small document.
type fixed struct {
	status int
	body   []byte
	header http.Header
}

// turn is what a fake must know of a request that it accepts.
type turn struct {
	model        string
	stream       bool
	array        bool  // Gemini without alt=sse: a stream as one JSON array
	includeUsage bool  // OpenAI: stream_options.include_usage
	n            int   // answers asked for, at least 1
	limit        int64 // output tokens at most, 0 when not said

	promptBytes int    // of all message texts
	lastText    string // text of the last message
	lastIsUser  bool   // the last message has a user's text

	tools    []string // function names, in order
	toolsOff bool     // the caller forbids calls
	forced   string   // the function that must be called, "*" for any
	oneTool  bool     // the caller forbids parallel calls
	schema   map[string]any
	thinking bool

	lang    language // in which it is answered
	store   bool     // Responses: the answer can be come back to
	sealed  bool     // Responses: thoughts come with encrypted content
	key     string   // Responses: under which it is stored
	items   []any    // Responses: the whole conversation
	request object   // Responses: the body
}

// addText counts a text of the conversation and remembers the last message's.
func (t *turn) addText(text string) { t.promptBytes += len(text) }

// language is one provider's wire format.
type language interface {
	// authorize returns the refusal of a request without a good credential.
	authorize(r *http.Request, keys []string) *fixed
	// simple answers what is not a chat request (model lists, unknown paths).
	simple(r *http.Request, body map[string]any, models []string) (*fixed, bool)
	// read checks a chat request as the provider does.
	read(r *http.Request, body map[string]any, serves func(string) bool) (*turn, *fixed)
	// reports folds usage into the buckets that this wire can tell apart.
	reports(u hub.Usage) hub.Usage
	// whole renders a complete answer.
	whole(t *turn, a *reply) []byte
	// stream renders a streamed answer.
	stream(t *turn, a *reply) []frame
	// failure renders an error.
	failure(status int, message string) *fixed
	// failureFrame renders an error in the middle of a stream.
	failureFrame() []byte
}

// frameKind says what a frame of a stream is for.
type frameKind int

const (
	opening frameKind = iota
	content
	finish // says why the answer ended
	usage  // carries usage and nothing else
	done   // the language's end marker
)

type frame struct {
	kind frameKind
	data []byte
}

type object = map[string]any

func text(v any) string {
	s, _ := v.(string)
	return s
}

func list(v any) []any {
	l, _ := v.([]any)
	return l
}

func dict(v any) object {
	m, _ := v.(object)
	return m
}

// integer returns a JSON number without a fraction.
func integer(v any) (int64, bool) {
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) || math.Abs(f) > 1<<53 {
		return 0, false
	}
	return int64(f), true
}

// encode marshals what is made of maps, slices and texts, which cannot fail.
func encode(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		return []byte("null")
	}
	return b
}

func sse(event string, data []byte) []byte {
	var out []byte
	if event != "" {
		out = append(append(append(out, "event: "...), event...), '\n')
	}
	return append(append(append(out, "data: "...), data...), '\n', '\n')
}

// firstUnknown returns a member of m that known does not list.
func firstUnknown(m object, known map[string]bool) (string, bool) {
	first := ""
	for name := range m {
		if !known[name] && (first == "" || name < first) {
			first = name
		}
	}
	return first, first != ""
}

func set(names ...string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, n := range names {
		m[n] = true
	}
	return m
}
