package proxy

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/responses"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/upstream"
)

// responsesRoutes are OpenAI's Responses API
// (https://platform.openai.com/docs/api-reference/responses).
func (h *handler) responsesRoutes(s responses.Server) []httpkit.Route {
	const base = "/v1/responses"
	route := func(method, path string, as httpkit.CallerHandler) httpkit.Route {
		return httpkit.Route{Method: method, Pattern: base + path, Who: httpkit.AnyUser, Scope: hub.ScopeInference, Data: httpkit.Own, As: as, ErrorBody: s.Error}
	}
	return []httpkit.Route{
		route("POST", "", h.createResponse(s)),
		route("GET", "", noWebSocket),
		route("GET", "/{id}", h.getResponse),
		route("DELETE", "/{id}", h.deleteResponse),
		route("GET", "/{id}/input_items", h.inputItems),
		route("POST", "/{id}/cancel", h.cancelResponse),
		route("POST", "/input_tokens", h.inputTokens(s)),
		route("POST", "/compact", h.compact(s)),
	}
}

// noWebSocket tells clients that would rather have a WebSocket to use POST:
// Codex falls back at once on 426, after many tries on anything else.
func noWebSocket(_ http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		return hub.Errorf(hub.CodeUpgradeRequired, "There is no WebSocket here: send POST /v1/responses.")
	}
	return hub.Errorf(hub.CodeNotFound, "There is no list of responses: ask for one by its id, or send POST for a new one.")
}

func (h *handler) createResponse(s responses.Server) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
		body, err := readBody(r)
		if err != nil {
			return err
		}
		view, how, err := h.readResponse(r, s, caller, body)
		if err != nil {
			return err
		}
		how.body = body
		if raw, ok := view.Object.Get("store"); !ok || string(raw) != "false" {
			if how.keep = h.ResponsesTTL > 0; !how.keep { // nor shall the provider store it
				if view, err = unstored(r, s, view); err != nil {
					return err
				}
			}
		}
		return h.call(w, r, caller, s, view, how)
	}
}

// readResponse reads a request and what it goes on from.
func (h *handler) readResponse(r *http.Request, s responses.Server, caller hub.Caller, body []byte) (*dialect.View, way, error) {
	view, err := s.View(r, body)
	if err != nil {
		return nil, way{}, err
	}
	o := view.Object
	if o.Bool("background") {
		return nil, way{}, hub.Invalid("background", "background is not taken: the hub could not tell what such an answer costs.")
	}
	if o.Has("conversation") {
		return nil, way{}, hub.Invalid("conversation", "conversation is not taken: use previous_response_id, or send the whole input.")
	}
	how := way{}
	if view, err = h.recall(r, s, caller, view); err != nil {
		return nil, way{}, err
	}
	previous, given := o.String("previous_response_id")
	if !given {
		if o.Has("previous_response_id") {
			return nil, way{}, hub.Invalid("previous_response_id", "previous_response_id must be a string.")
		}
		return view, how, nil
	}
	view, how.narrow, err = h.resume(r, s, caller, view, previous)
	return view, how, err
}

// unstored is the same request with "store": false, so that the answer says so
// too.
func unstored(r *http.Request, s responses.Server, v *dialect.View) (*dialect.View, error) {
	o := v.Object.Clone()
	o.Set("store", []byte("false"))
	changed, err := s.View(r, o.Bytes())
	if err == nil {
		changed.Previous = v.Previous
	}
	return changed, err
}

// recall puts items of the caller's stored answers where the input refers to them.
func (h *handler) recall(r *http.Request, s responses.Server, caller hub.Caller, v *dialect.View) (*dialect.View, error) {
	body, changed, err := responses.Resolve(v, func(id string) (*responses.Stored, error) {
		row, err := h.stored(r.Context(), caller, id)
		switch {
		case hub.CodeOf(err) == hub.CodeNotFound:
			return nil, nil
		case err != nil:
			return nil, err
		case row.Sealed == "":
			return nil, nil // the provider has it
		}
		kept, err := h.open(r.Context(), &row)
		if err != nil {
			return nil, hub.Wrap(hub.CodeInternal, err, "The stored response cannot be read.")
		}
		return &kept, nil
	})
	if err != nil || !changed {
		return v, err
	}
	return s.View(r, body)
}

// resume goes on from a stored answer: where the provider has it, the call goes
// there; where the hub has it, the conversation is put before the new input.
func (h *handler) resume(r *http.Request, s responses.Server, caller hub.Caller, v *dialect.View, id string) (*dialect.View, func(*routing.Plan) error, error) {
	row, err := h.stored(r.Context(), caller, id)
	if hub.CodeOf(err) == hub.CodeNotFound {
		e := hub.Invalid("previous_response_id", "Previous response with id '%s' not found.", id)
		e.NativeCode = "previous_response_not_found"
		return nil, nil, e
	}
	if err != nil {
		return nil, nil, err
	}
	if row.Sealed == "" {
		elsewhere := hub.Invalid("previous_response_id",
			"The previous response is stored at the provider %s under a key that cannot serve %s. Name a model of that provider, or send the whole input.", row.Provider, v.Model)
		return v, onlyAt(row.Provider, routing.Credential{ID: row.CredentialID, Name: row.Credential}, elsewhere), nil
	}
	kept, err := h.open(r.Context(), &row)
	if err != nil {
		return nil, nil, hub.Wrap(hub.CodeInternal, err, "The previous response cannot be read.")
	}
	body, err := kept.Continue(v)
	if err != nil {
		return nil, nil, err
	}
	next, err := s.View(r, body)
	if err != nil {
		return nil, nil, err
	}
	next.Previous = id
	return next, nil, nil
}

// forward asks the provider that stores an answer.
func (h *handler) forward(ctx context.Context, row *store.StoredResponse, method, path string, query url.Values) ([]byte, error) {
	at := "/responses/" + url.PathEscape(row.ID) + path
	if len(query) > 0 {
		at += "?" + query.Encode()
	}
	key := routing.Credential{ID: row.CredentialID, Name: row.Credential}
	for _, p := range h.Routes().Providers() {
		if p.Name != row.Provider {
			continue
		}
		for _, c := range p.Credentials {
			if sameKey(c, key) {
				body, _, err := h.Upstream.Forward(ctx, method, p, c, upstream.Request{Path: at}, h.clients[dialect.Responses].Fault)
				return body, err
			}
		}
	}
	return nil, hub.Errorf(hub.CodeNotFound, "The response %s is stored at the provider %s under a key that is no longer in use here.", row.ID, row.Provider)
}

func (h *handler) getResponse(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
	row, err := h.stored(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	query := r.URL.Query()
	if query.Get("stream") == "true" {
		return hub.Invalid("stream", "stream is not taken: only answers made in the background can be streamed again.")
	}
	if row.Sealed == "" {
		body, err := h.forward(r.Context(), &row, http.MethodGet, "", query)
		return writeRaw(w, body, err)
	}
	kept, err := h.open(r.Context(), &row)
	return writeRaw(w, kept.Response, err)
}

// deleteResponse forgets an answer here and where it is stored. One that the
// provider no longer has is forgotten all the same.
func (h *handler) deleteResponse(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
	row, err := h.stored(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	body, err := json.Marshal(map[string]any{"id": row.ID, "object": "response", "deleted": true})
	if row.Sealed == "" {
		body, err = h.forward(r.Context(), &row, http.MethodDelete, "", nil)
		if e := hub.AsError(err); err != nil && e.Status != http.StatusNotFound && e.Code != hub.CodeNotFound {
			return err
		}
	}
	if gone := h.Store.DeleteResponse(r.Context(), caller.UserID, row.ID); gone != nil {
		return hub.Wrap(hub.CodeUnavailable, gone, "The response could not be deleted. Try again.")
	}
	return writeRaw(w, body, err)
}

func (h *handler) inputItems(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
	row, err := h.stored(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	query := r.URL.Query()
	if row.Sealed == "" {
		body, err := h.forward(r.Context(), &row, http.MethodGet, "/input_items", query)
		return writeRaw(w, body, err)
	}
	limit := 20
	if given := query.Get("limit"); given != "" {
		const most = 100
		if limit, err = strconv.Atoi(given); err != nil || limit < 1 || limit > most {
			return hub.Invalid("limit", "limit must be between 1 and %d.", most)
		}
	}
	kept, err := h.open(r.Context(), &row)
	if err != nil {
		return err
	}
	list, err := kept.Items(query.Get("after"), limit, query.Get("order") == "asc")
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, list)
}

// cancelResponse is for answers made in the background, of which the hub has
// none; a provider may say so in its own words.
func (h *handler) cancelResponse(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
	row, err := h.stored(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	if row.Sealed != "" {
		return hub.Invalid("", "Only responses that are made in the background can be cancelled.")
	}
	body, err := h.forward(r.Context(), &row, http.MethodPost, "/cancel", nil)
	return writeRaw(w, body, err)
}

// inputTokens counts the tokens of a request: at the provider, where it speaks
// the language, which costs nothing; else by an estimate that says so in
// x-aigne-hub-usage-source.
func (h *handler) inputTokens(s responses.Server) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
		body, err := readBody(r)
		if err != nil {
			return err
		}
		view, how, err := h.readResponse(r, s, caller, body)
		if err != nil {
			return err
		}
		if err := h.Gate.Recognize(r.Context(), caller); err != nil {
			return err
		}
		plan, err := h.Routes().Plan(routing.Request{Model: view.Model, Type: hub.TypeChat, Dialect: s.Name(), Allow: caller.Models})
		if err == nil {
			plan, err = how.narrowed(plan)
		}
		if err != nil {
			return err
		}
		native, err := way{narrow: onlyNative(s.Name(), hub.Errorf(hub.CodeNotFound, "Nobody counts."))}.narrowed(plan)
		if err != nil {
			tokens := (textBytes(view.Object.Raw()) + bytesPerToken - 1) / bytesPerToken
			w.Header().Set("x-aigne-hub-usage-source", string(hub.UsageEstimated))
			return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"object": "response.input_tokens", "input_tokens": tokens})
		}
		native.Targets = slices.Clone(native.Targets) // the plan is shared
		for i := range native.Targets {
			native.Targets[i].Type = "" // a vendor that cannot count may serve the model well
		}
		return h.countAt(w, r, view, native)
	}
}

func (h *handler) countAt(w http.ResponseWriter, r *http.Request, v *dialect.View, plan routing.Plan) error {
	client := h.clients[dialect.Responses]
	answer, _, err := h.Upstream.Do(r.Context(), upstream.Call{
		Plan: plan, Whole: true,
		Prepare: func(t *routing.Target) (upstream.Request, error) {
			enc, err := client.Splice(v, dialect.Target{Model: t.Model, Quirks: t.Provider.Kind.Quirks, Stream: v.Stream})
			return upstream.Request{Path: "/responses/input_tokens", Body: enc.Body, Header: enc.Header}, err
		},
		Fault: func(_ *routing.Target, status int, header http.Header, body []byte) *hub.Error {
			return client.Fault(status, header, body)
		},
	})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := readAnswer(answer.Body, answer.Header)
	if err != nil {
		return brokenAnswer(err)
	}
	return writeRaw(w, body, nil)
}

// compact makes a long conversation short. It is a call of the model like any
// other, so it is charged; only providers that speak the language have it.
func (h *handler) compact(s responses.Server) httpkit.CallerHandler {
	return func(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
		body, err := readBody(r)
		if err != nil {
			return err
		}
		view, err := s.View(r, body)
		if err != nil {
			return err
		}
		if view.Stream {
			return hub.Invalid("stream", "stream is not taken here.")
		}
		none := hub.Errorf(hub.CodeNotFound, "The model %s has no way to compact a conversation.", view.Model)
		how := way{path: "/responses/compact", narrow: onlyNative(s.Name(), none), body: body}
		if previous, ok := view.Object.String("previous_response_id"); ok {
			var at func(*routing.Plan) error
			if view, at, err = h.resume(r, s, caller, view, previous); err != nil {
				return err
			}
			if native := how.narrow; at != nil {
				how.narrow = func(p *routing.Plan) error {
					if err := at(p); err != nil {
						return err
					}
					return native(p)
				}
			}
		}
		return h.call(w, r, caller, s, view, how)
	}
}

// writeRaw answers with JSON as it is.
func writeRaw(w http.ResponseWriter, body []byte, err error) error {
	if err != nil {
		return err
	}
	w.Header().Set("content-type", "application/json")
	w.Header().Set("content-length", strconv.Itoa(len(body)))
	_, _ = w.Write(body) // a client that left misses nothing but this
	return nil
}
