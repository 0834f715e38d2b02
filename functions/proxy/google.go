package proxy

import (
	"encoding/base64"
	"net/http"
	"sort"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// googleRoutes are the paths of Google's API. Its SDKs call them below /v1beta
// and, from @google/genai 3 on, below /v1. GET /v1/models is shared with the
// other SDKs, see forGoogle. @ai-sdk/google leaves "models/" out before a name
// with a slash in it.
func (h *handler) googleRoutes() []httpkit.Route {
	errorBody := gemini.Server{}.Error
	call := h.googleCall(h.googleMethods())
	return []httpkit.Route{
		{Method: "POST", Pattern: "/v1beta/models/{call...}", Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: call, ErrorBody: errorBody},
		{Method: "POST", Pattern: "/v1beta/{call...}", Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: call, ErrorBody: errorBody},
		{Method: "POST", Pattern: "/v1/models/{call...}", Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: call, ErrorBody: errorBody},
		{Method: "GET", Pattern: "/v1beta/models", Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: h.listGoogleModels, ErrorBody: errorBody},
		{Method: "GET", Pattern: "/v1beta/models/{id...}", Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: h.getGoogleModel, ErrorBody: errorBody},
	}
}

// googleMethods are the methods of a model, by the word after the colon:
// POST /v1beta/models/{model}:{method}. A method that is served is one line here.
func (h *handler) googleMethods() map[string]httpkit.CallerHandler {
	chat := h.chat(gemini.Server{})
	return map[string]httpkit.CallerHandler{
		gemini.Generate:       chat,
		gemini.StreamGenerate: chat,
		gemini.CountTokens:    h.count(gemini.Server{}),
		gemini.Embed:          h.work(gemini.EmbedServer{}),
		gemini.EmbedBatch:     h.work(gemini.EmbedServer{}),
	}
}

// googleCall finds the handler of a method: patterns of http.ServeMux cannot
// tell what follows a colon, and a model's name may hold slashes.
func (h *handler) googleCall(methods map[string]httpkit.CallerHandler) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
		model, method := gemini.Method(r.PathValue("call"))
		serve, ok := methods[method]
		if !ok || model == "" {
			return hub.Errorf(hub.CodeNotFound, "There is no method %q of a model here. Call /v1beta/models/{model}:%s.", method, gemini.Generate)
		}
		return serve(w, r, c)
	}
}

// forGoogle reports whether a request for models comes from Google's SDKs or
// somebody who calls like them: the path is the same as OpenAI's.
func forGoogle(r *http.Request) bool {
	q := r.URL.Query()
	return r.Header.Get("x-goog-api-key") != "" || r.Header.Get("x-goog-api-client") != "" || q.Has("pageSize") || q.Has("pageToken")
}

// googleModel is Model of Google's API (ai.google.dev/api/models).
type googleModel struct {
	Name        string   `json:"name"`
	BaseID      string   `json:"baseModelId"`
	Version     string   `json:"version"`
	DisplayName string   `json:"displayName"`
	InputLimit  int64    `json:"inputTokenLimit,omitempty"` // omitted when unknown
	OutputLimit int64    `json:"outputTokenLimit,omitempty"`
	Methods     []string `json:"supportedGenerationMethods"`
}

// methodsOf are the methods that models of a type can be called with.
var methodsOf = map[hub.CallType][]string{
	hub.TypeChat:      {gemini.Generate, gemini.StreamGenerate, gemini.CountTokens},
	hub.TypeEmbedding: {gemini.Embed, gemini.EmbedBatch},
}

func googleModelOf(l routing.Listed, name string) googleModel {
	m := googleModel{Name: "models/" + name, BaseID: name, Version: "1", DisplayName: name, InputLimit: l.Context, Methods: methodsOf[l.Type]}
	if l.LimitKnown {
		m.OutputLimit = l.MaxOutput
	}
	return m
}

// The sizes of a page of models, as Google's API has them.
const (
	googlePage    = 50
	googlePageMax = 1000
)

// listGoogleModels lists the models that can be called, page by page. The token
// names the last model of the page before.
func (h *handler) listGoogleModels(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q := r.URL.Query()
	size := googlePage
	if raw := q.Get("pageSize"); raw != "" {
		n, err := strconv.Atoi(raw)
		if err != nil || n < 0 {
			return hub.Invalid("pageSize", "pageSize must be a number from 0 to %d.", googlePageMax)
		}
		if n > 0 {
			size = min(n, googlePageMax)
		}
	}
	after, err := base64.RawURLEncoding.DecodeString(q.Get("pageToken"))
	if err != nil {
		return hub.Invalid("pageToken", "pageToken is not one that this hub gave.")
	}
	all := h.googleModels(c.Models)
	from := sort.Search(len(all), func(i int) bool { return all[i].BaseID > string(after) })
	page := struct {
		Models []googleModel `json:"models"`
		Next   string        `json:"nextPageToken,omitempty"`
	}{Models: []googleModel{}}
	for _, l := range all[from:] {
		if len(page.Models) == size {
			last := strings.TrimPrefix(page.Models[size-1].Name, "models/")
			page.Next = base64.RawURLEncoding.EncodeToString([]byte(last))
			break
		}
		page.Models = append(page.Models, l)
	}
	return httpkit.WriteJSON(w, http.StatusOK, page)
}

// googleModels are all models and aliases that a caller may use, by name.
func (h *handler) googleModels(allow routing.Allow) []googleModel {
	var all []googleModel
	for _, l := range h.Routes().ModelsFor(allow, hub.TypeChat) {
		all = append(all, googleModelOf(l, l.Name()))
	}
	for _, name := range h.Routes().AliasesFor(allow, hub.TypeChat) {
		all = append(all, googleModelOf(routing.Listed{Type: hub.TypeChat}, name))
	}
	sort.Slice(all, func(i, j int) bool { return all[i].BaseID < all[j].BaseID })
	return all
}

func (h *handler) getGoogleModel(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	name := strings.TrimPrefix(r.PathValue("id"), "models/")
	plan, err := h.Routes().Plan(routing.Request{Model: name, Type: hub.TypeChat, Dialect: dialect.Gemini, Allow: c.Models})
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, googleModelOf(routing.Listed{Target: plan.Targets[0], Type: hub.TypeChat}, name))
}
