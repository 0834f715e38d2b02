package fakeprovider

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// MediaKind names a vendor of pictures and films that is played.
type MediaKind string

// The vendors.
const (
	OpenAIMedia   MediaKind = "openai"
	GoogleMedia   MediaKind = "google"
	IdeogramMedia MediaKind = "ideogram"
	ArkMedia      MediaKind = "doubao"
	XAIMedia      MediaKind = "xai"
	// These make pictures in conversations; Poe only links them.
	OpenRouterMedia MediaKind = "openrouter"
	PoeMedia        MediaKind = "poe"
	// BedrockMedia is InvokeModel, signed.
	BedrockMedia MediaKind = "bedrock"
)

// MediaOptions change a fake. The zero value is usable.
type MediaOptions struct {
	Keys  []string // accepted credentials; nil means DefaultKey
	Polls int      // how often a film is still being made when it is asked after
}

// Media is a vendor of pictures and films. Like Provider it is strict: unknown
// members, wrong types and what the vendor does not make are refused in its own
// error shape.
type Media struct {
	URL string // scheme, host and port

	kind MediaKind
	opts MediaOptions

	mu       sync.Mutex
	requests []Request
	films    map[string]*fakeFilm
	failures []int  // statuses of the next requests that make something
	fault    string // films that are created fail with these words
	hold     bool   // films stay in the making
	gate     chan struct{}
	arrived  chan struct{}
}

// fakeFilm is a film in the making.
type fakeFilm struct {
	id, model, size string
	seconds         int64
	polls           int // still to come before it is done
	fault           string
	gone            bool
}

// StartMedia makes a fake and serves it on a loopback port until the test ends.
func StartMedia(t testing.TB, kind MediaKind, o MediaOptions) *Media {
	t.Helper()
	m := NewMedia(kind, o)
	m.URL = serve(t, m.ServeHTTP)
	return m
}

// NewMedia makes a fake for a server of the test's own, whose origin has to be
// set as its URL before it is asked.
func NewMedia(kind MediaKind, o MediaOptions) *Media {
	if o.Keys == nil {
		o.Keys = []string{DefaultKey}
	}
	return &Media{kind: kind, opts: o, films: map[string]*fakeFilm{}}
}

// Base is the base URL to configure.
func (m *Media) Base() string {
	switch m.kind {
	case GoogleMedia:
		return m.URL + "/v1beta"
	case IdeogramMedia, BedrockMedia:
		return m.URL
	case OpenRouterMedia:
		return m.URL + "/api/v1"
	case ArkMedia:
		return m.URL + "/api/v3"
	}
	return m.URL + "/v1"
}

// Requests returns copies of what has arrived so far, in order.
func (m *Media) Requests() []Request {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.requests)
}

// Fail answers the next requests that make something with these statuses.
func (m *Media) Fail(statuses ...int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failures = append(m.failures, statuses...)
}

// FailFilms lets films that are created from now on fail with these words.
func (m *Media) FailFilms(words string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fault = words
}

// HoldFilms keeps films in the making until it is called with false.
func (m *Media) HoldFilms(hold bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hold = hold
}

// HoldAnswers keeps requests that make something waiting until release is
// called; arrived gets a value for each.
func (m *Media) HoldAnswers() (arrived <-chan struct{}, release func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	const most = 64
	m.gate, m.arrived = make(chan struct{}), make(chan struct{}, most)
	gate := m.gate
	return m.arrived, sync.OnceFunc(func() { close(gate) })
}

// wait holds a request as HoldAnswers says.
func (m *Media) wait(r *http.Request) {
	m.mu.Lock()
	gate, arrived := m.gate, m.arrived
	m.mu.Unlock()
	if gate == nil || r.Method != http.MethodPost {
		return
	}
	arrived <- struct{}{}
	select {
	case <-gate:
	case <-r.Context().Done():
	}
}

// LoseFilms forgets every film.
func (m *Media) LoseFilms() {
	m.mu.Lock()
	defer m.mu.Unlock()
	clear(m.films)
}

// ServeHTTP answers one request.
func (m *Media) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody))
	if err != nil {
		return // the caller left
	}
	rec := Request{Method: r.Method, Path: r.URL.Path, Query: r.URL.Query(), Header: r.Header.Clone(), Body: body, Done: true}
	if json.Unmarshal(body, &rec.JSON) != nil {
		rec.JSON = nil
	}
	m.wait(r)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests = append(m.requests, rec)
	if !m.public(r) && !m.known(w, r, body) {
		return
	}
	if r.Method == http.MethodPost && len(m.failures) > 0 {
		status := m.failures[0]
		m.failures = m.failures[1:]
		m.say(w, status, "server_error", "told to fail")
		return
	}
	serve := map[MediaKind]func(http.ResponseWriter, *http.Request, *Request){
		OpenAIMedia: m.openAI, GoogleMedia: m.google, IdeogramMedia: m.ideogram, ArkMedia: m.ark, XAIMedia: m.xai,
		OpenRouterMedia: m.openRouter, PoeMedia: m.poe, BedrockMedia: m.bedrock,
	}
	serve[m.kind](w, r, &rec)
}

// public are files that want no key.
func (m *Media) public(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/public/") }

// known tells whether a request has a credential, and answers one that has none.
func (m *Media) known(w http.ResponseWriter, r *http.Request, body []byte) bool {
	if m.kind == BedrockMedia {
		wrong := Signed(r, body, "bedrock", m.opts.Keys, time.Now())
		if wrong != "" {
			m.say(w, http.StatusForbidden, "InvalidSignatureException", wrong)
		}
		return wrong == ""
	}
	ok := slices.Contains(m.opts.Keys, m.key(r))
	if !ok {
		m.say(w, http.StatusUnauthorized, "invalid_api_key", "Incorrect API key provided.")
	}
	return ok
}

func (m *Media) key(r *http.Request) string {
	switch m.kind {
	case GoogleMedia:
		return r.Header.Get("X-Goog-Api-Key")
	case IdeogramMedia:
		return r.Header.Get("Api-Key")
	}
	return bearer(r)
}

// say answers with an error in the vendor's shape.
func (m *Media) say(w http.ResponseWriter, status int, code, message string) {
	body := map[string]any{"error": map[string]any{"message": message, "type": "invalid_request_error", "param": nil, "code": code}}
	switch m.kind {
	case GoogleMedia:
		body = map[string]any{"error": map[string]any{"code": status, "message": message, "status": "INVALID_ARGUMENT"}}
	case IdeogramMedia:
		body = map[string]any{"detail": message}
	case XAIMedia:
		body = map[string]any{"code": code, "error": message}
	case OpenRouterMedia:
		body = map[string]any{"error": map[string]any{"message": message, "code": status}}
	case BedrockMedia:
		w.Header().Set("X-Amzn-Errortype", code)
		body = map[string]any{"message": message}
	}
	m.send(w, status, body)
}

func (m *Media) send(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // the caller may have left, which is its own affair
}

// only refuses members that a vendor does not know and tells whether it did.
func (m *Media) only(w http.ResponseWriter, o map[string]any, known ...string) bool {
	if o == nil {
		m.say(w, http.StatusBadRequest, "invalid_json", "The body is no JSON object.")
		return false
	}
	for name := range o {
		if !slices.Contains(known, name) {
			m.say(w, http.StatusBadRequest, "unknown_parameter", "Unknown parameter: '"+name+"'.")
			return false
		}
	}
	return true
}

// Picture is the PNG that every fake answers with.
func Picture() []byte {
	img := image.NewRGBA(image.Rect(0, 0, 2, 2))
	img.Set(0, 0, color.RGBA{R: 200, A: 255})
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		panic(err) // of a broken encoder only
	}
	return buf.Bytes()
}

// Film is the film that every fake answers with.
func Film() []byte { return []byte("\x00\x00\x00\x18ftypmp42 a very short film indeed") }

func picture64() string { return base64.StdEncoding.EncodeToString(Picture()) }

// film makes a film, to be asked after.
func (m *Media) film(id, model, size string, seconds int64) *fakeFilm {
	f := &fakeFilm{id: id, model: model, size: size, seconds: seconds, polls: m.opts.Polls, fault: m.fault}
	m.films[id] = f
	return f
}

// poll counts one look at a film and reports whether it is done.
func (m *Media) poll(f *fakeFilm) bool {
	if m.hold {
		return false
	}
	if f.polls > 0 {
		f.polls--
		return false
	}
	return true
}

// file serves what lies below /public/ and other places of files.
func file(w http.ResponseWriter, r *http.Request, kind string, data []byte) {
	w.Header().Set("Content-Type", kind)
	http.ServeContent(w, r, "", timeZero, bytes.NewReader(data))
}
