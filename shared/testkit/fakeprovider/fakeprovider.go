// Package fakeprovider plays model providers for tests: OpenAI's chat and legacy
// completions, its Responses and its work beside chat, Anthropic messages,
// Gemini's generateContent and embeddings, Bedrock's Converse, and the fronts
// that clouds put before the first three. The fakes are strict: they refuse,
// with the provider's own error shape, what the real one refuses. They
// can be told what to answer and how to misbehave, they record what they were
// asked, and they say exactly what usage they reported. They are no models and
// know no other endpoints; for load use testkit/bench.
package fakeprovider

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Kind names the provider that is played.
type Kind string

// The kinds.
const (
	OpenAI    Kind = "openai"
	Anthropic Kind = "anthropic"
	Gemini    Kind = "gemini"
	Bedrock   Kind = "bedrock"
)

// DefaultKey is the credential that a fake accepts unless Options name others.
const DefaultKey = "sk-fake-0123456789"

// maxBody bounds a request, as the providers do (Anthropic: 32 MB).
const maxBody = 32 << 20

var defaultModels = map[Kind][]string{
	OpenAI:    {"gpt-fake", "gpt-fake-mini"},
	Anthropic: {"claude-fake", "claude-fake-mini"},
	Gemini:    {"gemini-fake", "gemini-fake-mini"},
	Bedrock:   {"us.anthropic.claude-fake-4-5-v1:0", "us.amazon.nova-fake-v1:0"},
}

// Options change a fake. The zero value is usable.
type Options struct {
	Keys   []string // accepted credentials; nil means DefaultKey
	Models []string // served models beside the scripted ones; nil means <prefix>-fake and <prefix>-fake-mini
	// ReasoningField is where OpenAI-shaped answers put thinking text: the default
	// "reasoning_content", or "reasoning".
	ReasoningField string
	// Vendor makes an OpenAI-shaped fake refuse what a vendor with such quirks
	// refuses; nil is OpenAI itself.
	Vendor *dialect.Quirks
}

// Request is one request as it arrived, and what became of it.
type Request struct {
	Method string
	Path   string
	Query  url.Values
	Header http.Header
	Body   []byte
	JSON   map[string]any // the decoded body; nil when it is no JSON object

	Model  string // "" when the request was refused before its model was known
	Stream bool
	Status int       // what was answered; 0 while nothing has been
	Usage  hub.Usage // what the answer's usage report says, in disjoint buckets
	// Known: a complete usage report is part of the answer. Anthropic's first
	// event tells the prompt's usage even of streams that break off.
	Known bool
	Text  string // the text of the answer
	Left  bool   // the caller left before the answer was complete
	Done  bool   // the exchange is over
}

// Provider is one fake. It is an http.Handler; its methods may be called at any
// time from any goroutine.
type Provider struct {
	URL string // set by Start: scheme, host and port; the endpoints lie below /v1 or /v1beta

	kind      Kind
	opts      Options
	lang      language
	responses *responsesAPI // of OpenAI, beside chat completions

	mu       sync.Mutex
	scripts  map[string]*script
	requests []*Request
	inFlight int
	peak     int
	answers  int // given so far; numbers the ids
}

// New makes a fake of a kind. It panics for an unknown kind, which only a faulty
// test can name.
func New(kind Kind, o Options) *Provider {
	if o.Keys == nil {
		o.Keys = []string{DefaultKey}
	}
	if o.Models == nil {
		o.Models = defaultModels[kind]
	}
	if o.ReasoningField == "" {
		o.ReasoningField = "reasoning_content"
	}
	p := &Provider{kind: kind, opts: o, scripts: map[string]*script{}}
	switch kind {
	case OpenAI:
		chat := openAI{reasoningField: o.ReasoningField}
		if o.Vendor != nil {
			chat.vendor = &vendor{*o.Vendor}
		}
		p.lang, p.responses = chat, &responsesAPI{openAI: chat, stored: map[string]*storedResponse{}}
	case Anthropic:
		p.lang = anthropic{}
	case Gemini:
		p.lang = gemini{}
	case Bedrock:
		p.lang = bedrock{}
	default:
		panic("fakeprovider: unknown kind " + string(kind))
	}
	return p
}

// Start makes a fake and serves it on a loopback port until the test ends.
func Start(t testing.TB, kind Kind, o Options) *Provider {
	t.Helper()
	p := New(kind, o)
	server := httptest.NewServer(p)
	t.Cleanup(func() {
		server.CloseClientConnections() // handlers that hold a stream end with their connection
		server.Close()
	})
	p.URL = server.URL
	return p
}

// Requests returns copies of what has arrived so far, in order.
func (p *Provider) Requests() []Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]Request, len(p.requests))
	for i, r := range p.requests {
		out[i] = *r
	}
	return out
}

// Last returns the newest request, the zero value when there is none.
func (p *Provider) Last() Request {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.requests) == 0 {
		return Request{}
	}
	return *p.requests[len(p.requests)-1]
}

// InFlight returns how many requests are being answered now.
func (p *Provider) InFlight() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.inFlight
}

// Peak returns the largest number of requests that were answered at once.
func (p *Provider) Peak() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.peak
}

// Reported sums the usage of all answers that carry a usage report.
func (p *Provider) Reported() hub.Usage {
	p.mu.Lock()
	defer p.mu.Unlock()
	var sum hub.Usage
	for _, r := range p.requests {
		if r.Known {
			for i := range sum {
				sum[i] += r.Usage[i]
			}
		}
	}
	return sum
}

// Forget drops the recorded requests and the peak.
func (p *Provider) Forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests, p.peak = nil, p.inFlight
}

// ServeHTTP answers one request.
func (p *Provider) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	rec := &Request{
		Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: body,
	}
	p.begin(rec)
	defer p.end(rec)
	if err != nil {
		p.update(func() { rec.Left = true })
		return
	}
	lang := p.langFor(r.URL.Path)
	if json.Unmarshal(body, &rec.JSON) != nil {
		rec.JSON = nil
	}
	if len(body) > maxBody {
		p.refuse(w, rec, lang.failure(http.StatusRequestEntityTooLarge, "Request exceeds the maximum size"))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body)) // signatures are over it
	if f := lang.authorize(r, p.opts.Keys); f != nil {
		p.refuse(w, rec, f)
		return
	}
	if do := p.errandOf(r); do != nil {
		p.work(w, r, rec, do)
		return
	}
	if out, ok := lang.simple(r, rec.JSON, p.models()); ok {
		p.refuse(w, rec, out)
		return
	}
	t, f := lang.read(r, rec.JSON, p.serves)
	if f != nil {
		p.refuse(w, rec, f)
		return
	}
	t.lang = lang
	p.update(func() { rec.Model, rec.Stream = t.model, t.stream })
	p.answer(w, r, rec, t)
}

func (p *Provider) begin(rec *Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = append(p.requests, rec)
	p.inFlight++
	p.peak = max(p.peak, p.inFlight)
}

func (p *Provider) end(rec *Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	rec.Done = true
	p.inFlight--
}

func (p *Provider) update(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
}

func (p *Provider) models() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := slices.Clone(p.opts.Models)
	for name := range p.scripts {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func (p *Provider) serves(model string) bool { return slices.Contains(p.models(), model) }

// langFor is the language of a path.
func (p *Provider) langFor(path string) language {
	if p.responses != nil && (path == responsesPath || strings.HasPrefix(path, responsesPath+"/")) {
		return p.responses
	}
	if p.kind == OpenAI && path == completionsPath {
		return completionsAPI{}
	}
	return p.lang
}

// refuse sends a complete answer, which for most callers is an error.
func (p *Provider) refuse(w http.ResponseWriter, rec *Request, f *fixed) {
	p.update(func() { rec.Status = f.status })
	for name, values := range f.header {
		w.Header()[http.CanonicalHeaderKey(name)] = values
	}
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", "application/json")
	}
	w.WriteHeader(f.status)
	_, _ = w.Write(f.body) // the caller may have left, which is its own affair
}

// bearer returns the token of an Authorization header, "" without one.
func bearer(r *http.Request) string {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return ""
	}
	return strings.TrimSpace(token)
}
