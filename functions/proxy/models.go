package proxy

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/health"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// model is an item of GET /v1/models: OpenAI's shape
// (platform.openai.com/docs/api-reference/models) and Anthropic's
// (docs.claude.com/en/api/models-list) in one, since both SDKs ask at this path.
type model struct {
	ID          string `json:"id"`
	Object      string `json:"object"`
	Created     int64  `json:"created"`
	OwnedBy     string `json:"owned_by"`
	Type        string `json:"type"`
	DisplayName string `json:"display_name"`
	CreatedAt   string `json:"created_at"`
	// Context and MaxOutput are additions that gateways commonly make; 0 is unknown.
	Context   int64 `json:"context_length,omitempty"`
	MaxOutput int64 `json:"max_output_tokens,omitempty"`
}

// ownName stands for the provider of names that the operator defined.
const ownName = "aigne-hub"

func listed(l routing.Listed) model {
	m := model{ID: l.Name(), Object: "model", OwnedBy: l.Provider.Name, Type: "model", DisplayName: l.Name(),
		CreatedAt: "1970-01-01T00:00:00Z", Context: l.Context}
	if l.LimitKnown {
		m.MaxOutput = l.MaxOutput
	}
	return m
}

func (h *handler) listModels(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if forGoogle(r) {
		return h.listGoogleModels(w, r, c)
	}
	data := []model{}
	seen := map[string]bool{}
	for _, name := range h.Routes().AliasesFor(c.Models, hub.TypeChat) {
		seen[name] = true
		data = append(data, model{ID: name, Object: "model", OwnedBy: ownName, Type: "model", DisplayName: name, CreatedAt: "1970-01-01T00:00:00Z"})
	}
	for _, kind := range hub.CallTypes() {
		for _, l := range h.Routes().ModelsFor(c.Models, kind) {
			if m := listed(l); !seen[m.ID] { // a model may do several kinds of work
				seen[m.ID] = true
				data = append(data, m)
			}
		}
	}
	list := map[string]any{"object": "list", "data": data, "has_more": false, "first_id": nil, "last_id": nil}
	if len(data) > 0 {
		list["first_id"], list["last_id"] = data[0].ID, data[len(data)-1].ID
	}
	return httpkit.WriteJSON(w, http.StatusOK, list)
}

func (h *handler) getModel(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if forGoogle(r) {
		return h.getGoogleModel(w, r, c)
	}
	plan, kind, err := h.planned(c, r.PathValue("id"))
	if err != nil {
		return err
	}
	m := listed(routing.Listed{Target: plan.Targets[0], Type: kind})
	m.ID = r.PathValue("id")
	return httpkit.WriteJSON(w, http.StatusOK, m)
}

// planned plans a call of a model without knowing what kind of work is meant:
// chat, else what the model has a rate for. The error is chat's.
func (h *handler) planned(c hub.Caller, name string) (routing.Plan, hub.CallType, error) {
	routes := h.Routes()
	plan, err := routes.Plan(routing.Request{Model: name, Type: hub.TypeChat, Dialect: dialect.OpenAIChat, Allow: c.Models})
	if err == nil {
		return plan, hub.TypeChat, nil
	}
	for _, kind := range hub.CallTypes() {
		if p, other := routes.Plan(routing.Request{Model: name, Type: kind, Dialect: dialect.OpenAI, Allow: c.Models}); other == nil {
			return p, kind, nil
		}
	}
	return plan, hub.TypeChat, err
}

// aigneModel is an item of GET /api/ai/models: rates are strings.
type aigneModel struct {
	Model        string          `json:"model"`
	Type         string          `json:"type"`
	Provider     string          `json:"provider"`
	ProviderName string          `json:"providerDisplayName"`
	Input        string          `json:"input_credits_per_token"`
	Output       string          `json:"output_credits_per_token"`
	Metadata     json.RawMessage `json:"modelMetadata"`
	Status       *modelStatus    `json:"status"` // null: not known
}

type modelStatus struct {
	Available bool `json:"available"`
}

// statusOf is what is known of a target from all processes.
func (h *handler) statusOf(ctx context.Context, t *routing.Target) *modelStatus {
	known := h.Statuses.Available(ctx, health.Target{Provider: t.Provider.Name, Model: t.Model, Type: t.Type})
	if known == nil {
		return nil
	}
	return &modelStatus{*known}
}

// callTypes maps the words of ?type= to call types; both spellings are taken.
var callTypes = map[string]hub.CallType{
	"": hub.TypeChat, "chat": hub.TypeChat, "image": hub.TypeImage, "embedding": hub.TypeEmbedding, "video": hub.TypeVideo, "audio": hub.TypeAudio,
	string(hub.TypeChat): hub.TypeChat, string(hub.TypeImage): hub.TypeImage, string(hub.TypeAudio): hub.TypeAudio,
	string(hub.TypeModeration): hub.TypeModeration, string(hub.TypeRerank): hub.TypeRerank,
}

func (h *handler) aigneModels(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	out := []aigneModel{}
	if c.UserID == "" && !h.PublicModels {
		return httpkit.WriteJSON(w, http.StatusOK, out)
	}
	kind, ok := callTypes[r.URL.Query().Get("type")]
	if !ok {
		return hub.Invalid("type", "The type must be chat, image, embedding, video, audio, moderation or rerank.")
	}
	if c.UserID != "" { // what the operator calls things is nobody else's business
		for _, name := range h.Routes().AliasesFor(c.Models, kind) {
			m := aigneModel{Model: name, Type: string(kind), Provider: ownName, ProviderName: "AIGNE Hub", Input: "0", Output: "0"}
			// An alias is shown with what its first target costs.
			if plan, err := h.Routes().Plan(routing.Request{Model: name, Type: kind, Dialect: dialect.AIGNE, Allow: c.Models}); err == nil {
				m.price(&plan.Targets[0])
			}
			out = append(out, m)
		}
	}
	for _, l := range h.Routes().ModelsFor(c.Models, kind) {
		m := aigneModel{Model: l.Model, Type: string(kind), Provider: l.Provider.Name, ProviderName: l.Provider.Kind.Title, Input: "0", Output: "0",
			Status: h.statusOf(r.Context(), &l.Target)}
		m.price(&l.Target)
		out = append(out, m)
	}
	return httpkit.WriteJSON(w, http.StatusOK, out)
}

// price fills in what a target costs and can take.
func (m *aigneModel) price(l *routing.Target) {
	if l.Prices != nil {
		if rate, ok := l.Prices.Rate(hub.Input, 0); ok {
			m.Input = rate.String()
		}
		if rate, ok := l.Prices.Rate(hub.Output, 0); ok {
			m.Output = rate.String()
		}
	}
	if l.Context > 0 || l.LimitKnown {
		meta := map[string]int64{}
		if l.Context > 0 {
			meta["maxContextTokens"] = l.Context
		}
		if l.LimitKnown {
			meta["maxOutputTokens"] = l.MaxOutput
		}
		m.Metadata, _ = json.Marshal(meta) // numbers always encode
	}
}

// availability says whether a model could be called; Code is the status that a
// call would be answered with.
type availability struct {
	Available bool   `json:"available"`
	Error     string `json:"error,omitempty"`
	Code      int    `json:"code,omitempty"`
	Link      string `json:"link,omitempty"`
	Type      string `json:"type,omitempty"`
}

// status always answers 200: whether a model could be called now.
func (h *handler) status(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.available(r, c); err != nil {
		e := hub.AsError(err)
		a := availability{Error: e.Message, Code: httpkit.Status(e), Link: e.Link}
		if e.Code == hub.CodeInsufficientCredits {
			a.Type = "NOT_ENOUGH"
		}
		return httpkit.WriteJSON(w, http.StatusOK, a)
	}
	return httpkit.WriteJSON(w, http.StatusOK, availability{Available: true})
}

func (h *handler) available(r *http.Request, c hub.Caller) error {
	if h.Gate.Settings.Billing && c.AccountID != "" {
		if err := h.Gate.Solvent(r.Context(), c.AccountID); err != nil {
			return err
		}
	}
	if name := r.URL.Query().Get("model"); name != "" {
		plan, _, err := h.planned(c, name)
		if err != nil {
			return err
		}
		return h.answering(r.Context(), &plan)
	}
	for _, p := range h.Routes().Providers() {
		if len(p.Credentials) > 0 {
			return nil
		}
	}
	return hub.Errorf(hub.CodeUnavailable, "No providers available.")
}

// answering fails when every target of a plan is known not to answer.
func (h *handler) answering(ctx context.Context, plan *routing.Plan) error {
	for i := range plan.Targets {
		if s := h.statusOf(ctx, &plan.Targets[i]); s == nil || s.Available {
			return nil
		}
	}
	return hub.Errorf(hub.CodeUnavailable, "The model does not answer at the moment.")
}

// hubDID is the identity by which AIGNE clients find the hub (a public constant
// of npm @aigne/aigne-hub).
const hubDID = "z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ"

// discovery tells AIGNE clients where the hub is mounted.
func (h *handler) discovery(w http.ResponseWriter, r *http.Request) error {
	mount := h.MountPoint
	if mount == "" {
		mount = "/"
	}
	body := map[string]any{
		"appName": "AIGNE Hub", "componentId": hubDID, "prefix": mount,
		"componentMountPoints": []map[string]string{{"did": hubDID, "name": "aigne-hub", "mountPoint": mount}},
	}
	if r.URL.Query().Get("type") == "json" {
		return httpkit.WriteJSON(w, http.StatusOK, body)
	}
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	w.Header().Set("content-type", "application/javascript; charset=utf-8")
	_, _ = w.Write([]byte("window.blocklet = " + string(text) + ";\n")) // nobody is left to tell
	return nil
}
