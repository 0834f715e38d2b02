// Package proxy carries model traffic: every dialect in, every provider out,
// each call priced, held, relayed and settled. It manages nothing.
package proxy

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/aigne"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/bedrock"
	"github.com/aigne-hub/aigne-hub/shared/dialect/bedrocktasks"
	"github.com/aigne-hub/aigne-hub/shared/dialect/cohere"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openaitasks"
	"github.com/aigne-hub/aigne-hub/shared/dialect/responses"
	"github.com/aigne-hub/aigne-hub/shared/health"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/jobs"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/tokens"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// Deps is what the function needs.
type Deps struct {
	httpkit.Deps // who calls, the clock, the log, the limit of bodies

	Routes   func() *routing.Snapshot
	Gate     *admission.Gate
	Upstream *upstream.Client
	Statuses *health.Statuses                              // what all processes saw of targets
	Store    *store.Store                                  // of answers that can be come back to
	Vault    func(context.Context) (*vault.Keyring, error) // seals them
	// ResponsesTTL is how long they are kept; 0: none are stored.
	ResponsesTTL time.Duration
	Cache        CacheSettings
	// CatchUp reads the configuration again if it has changed and reports whether
	// it had: a name just defined must not be unknown.
	CatchUp      func(context.Context) bool
	Limits       Limits
	PublicModels bool // GET /api/ai/models answers without a key
	MountPoint   string
	PublicURL    string // what links begin with; "" when unknown
	// Low hears of accounts whose calls were refused for want of credits; it must
	// not wait. nil: nobody.
	Low   func(accountID string)
	Fetch *upstream.Fetcher
	Blobs *blob.Keeper
	Jobs  *jobs.Follower
	// TraceID is the trace that a request belongs to, "" for none; nil: none does.
	TraceID func(*http.Request) string
	// Capture keeps bodies; nil: none are.
	Capture *capture.Recorder
	// Halt ends when open calls must be settled at once as delivered: the process
	// is about to be killed. nil: never.
	Halt context.Context
}

// Limits are the times of a call.
type Limits struct {
	Total time.Duration // of a call
	Drain time.Duration // how long a provider is read on after the client left
	Ping  time.Duration // silence on a stream before a comment is sent
	// JobPoll is how often a job is asked after while its caller waits.
	JobPoll time.Duration
}

// DefaultLimits are the limits of money.md §5 and of proxies on the way.
var DefaultLimits = Limits{Total: 15 * time.Minute, Drain: time.Minute, Ping: 15 * time.Second, JobPoll: 3 * time.Second}

const maxDrains = 256

type handler struct {
	Deps
	clients map[dialect.Name]dialect.Client
	workers map[dialect.Name]dialect.TaskClient
	drains  slots
	tokens  tokens.Counter // of what providers did not count
	exact   tokens.Exact   // of prompts whose bytes a wallet does not cover
	hashes  cacheHash
}

// slots counts what may happen at once.
type slots chan struct{}

func (s slots) take() bool {
	select {
	case s <- struct{}{}:
		return true
	default:
		return false
	}
}

func (s slots) give() { <-s }

// New returns the function's handler.
func New(d Deps) http.Handler { return httpkit.Mux(newHandler(d).routes(), d.Deps) }

func newHandler(d Deps) *handler {
	if d.Halt == nil {
		d.Halt = context.Background()
	}
	if d.TraceID == nil {
		d.TraceID = func(*http.Request) string { return "" }
	}
	h := &handler{Deps: d, drains: make(slots, maxDrains), hashes: cacheHash{turn: make(slots, 1)}, clients: map[dialect.Name]dialect.Client{
		dialect.OpenAIChat:  openai.Client{},
		dialect.Anthropic:   anthropic.Client{},
		dialect.Gemini:      gemini.Client{},
		dialect.Bedrock:     bedrock.Client{},
		dialect.Completions: openai.CompletionsClient{Now: d.Now},
		dialect.Responses:   responses.NewClient(openai.Client{Now: d.Now}.Fault),
	}, workers: map[dialect.Name]dialect.TaskClient{
		dialect.OpenAI:  openaitasks.Client{Now: d.Now},
		dialect.Gemini:  gemini.Tasks{},
		dialect.Cohere:  cohere.Client{Now: d.Now},
		dialect.Bedrock: bedrocktasks.Client{Now: d.Now},
	}}
	maps.Copy(h.workers, imageClients(d.Now))
	return h
}

// Routes is the function's route table, for those who compare tables.
func Routes() []httpkit.Route { return httpkit.Describe((&handler{}).routes(), docs()) }

// routes is everything the function serves, and who may call it.
func (h *handler) routes() []httpkit.Route {
	rest, protocol := aigne.RestServer{Now: h.Now}, aigne.Server{Now: h.Now}
	routes := append(h.mediaRoutes(), []httpkit.Route{
		h.chatRoute("/v1/chat/completions", openai.Server{}),
		h.chatRoute("/v1/completions", openai.CompletionsServer{Now: h.Now}),
		h.workRoute("/v1/embeddings", openaitasks.Embeddings{Now: h.Now}),
		h.workRoute("/v1/audio/transcriptions", openaitasks.Transcriptions{Now: h.Now}),
		h.workRoute("/v1/audio/translations", openaitasks.Transcriptions{Now: h.Now, English: true}),
		h.workRoute("/v1/audio/speech", openaitasks.Speech{Now: h.Now}),
		h.workRoute("/v1/moderations", openaitasks.Moderations{Now: h.Now}),
		h.workRoute("/v1/rerank", openaitasks.Rerank{Now: h.Now}),
		h.chatRoute("/v1/messages", anthropic.Server{}),
		{Method: "POST", Pattern: "/v1/messages/count_tokens", Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: h.count(anthropic.Server{}), ErrorBody: anthropic.Server{}.Error},
		h.chatRoute("/api/v2/chat", protocol),
		h.chatRoute("/api/v2/chat/completions", rest),
		h.chatRoute("/api/v2/completions", rest),
		h.workRoute("/api/v2/embeddings", aigne.Embeddings{Now: h.Now}),
		h.workRoute("/api/v2/audio/transcriptions", openaitasks.Transcriptions{Now: h.Now}),
		h.workRoute("/api/v2/audio/speech", openaitasks.Speech{Now: h.Now}),
		h.chatRoute("/api/v1/chat/completions", rest),
		h.chatRoute("/api/v1/completions", rest),
		h.workRoute("/api/v1/embeddings", aigne.Embeddings{Now: h.Now}),
		h.workRoute("/api/v1/audio/transcriptions", openaitasks.Transcriptions{Now: h.Now}),
		h.workRoute("/api/v1/audio/speech", openaitasks.Speech{Now: h.Now}),
		{Method: "GET", Pattern: "/api/v1/status", Who: httpkit.Optional, As: h.status, Scope: hub.ScopeInference, Data: httpkit.Common},
		{Method: "GET", Pattern: "/v1/models", Who: httpkit.AnyUser, As: h.listModels, Scope: hub.ScopeInference, Data: httpkit.Own},
		{Method: "GET", Pattern: "/v1/models/{id...}", Who: httpkit.AnyUser, As: h.getModel, Scope: hub.ScopeInference, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/ai/models", Who: httpkit.Optional, As: h.aigneModels, Scope: hub.ScopeInference, Data: httpkit.Own},
		{Method: "GET", Pattern: "/api/ai/plan", Who: httpkit.AnyUser, As: h.explain, Scope: hub.ScopeInference, Data: httpkit.Own},
		{Method: "POST", Pattern: "/api/ai/probe", Who: httpkit.Admin, As: h.probeNow, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/v2/status", Who: httpkit.Optional, As: h.status, Scope: hub.ScopeInference, Data: httpkit.Common},
		{Method: "GET", Pattern: "/__blocklet__.js", Who: httpkit.Anonymous, Handler: h.discovery, Data: httpkit.Common},
	}...)
	routes = append(routes, h.googleRoutes()...)
	return append(routes, h.responsesRoutes(responses.NewServer(h.Now, openai.Server{Now: h.Now}.Error))...)
}

func (h *handler) chatRoute(pattern string, s dialect.Server) httpkit.Route {
	return httpkit.Route{Method: "POST", Pattern: pattern, Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: h.chat(s), ErrorBody: s.Error}
}

func (h *handler) workRoute(pattern string, s dialect.TaskServer) httpkit.Route {
	return httpkit.Route{Method: "POST", Pattern: pattern, Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: h.work(s), ErrorBody: s.Error}
}

// clientFor returns the client side for a target: the caller's own language
// where the provider speaks it (native), else the provider's best.
func (h *handler) clientFor(t *routing.Target, caller dialect.Name) (c dialect.Client, native bool) {
	if c, ok := h.clients[caller]; ok && t.Provider.Kind.Speaks(caller, t.Model) {
		return c, true
	}
	for _, name := range t.Provider.Kind.Languages(t.Model) {
		if c, ok := h.clients[name]; ok {
			return c, false
		}
	}
	return h.clients[dialect.OpenAIChat], false
}

// readBody reads the whole request first: it may be sent more than once, and a
// body still being read while the answer comes truncates answers in net/http.
func readBody(r *http.Request) ([]byte, error) {
	var body []byte
	var err error
	if n := r.ContentLength; n > 0 && n < 64<<20 {
		body = make([]byte, n)
		_, err = io.ReadFull(r.Body, body)
	} else {
		body, err = io.ReadAll(r.Body)
	}
	if err != nil {
		var e *hub.Error
		if errors.As(err, &e) {
			return nil, e
		}
		return nil, hub.Wrap(hub.CodeInvalid, err, "The request body broke off.")
	}
	return body, nil
}
