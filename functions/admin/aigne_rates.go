package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/health"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The rates as AIGNE Hub's console and scripts know them, below /api/ai-providers
// and its alias /api/ai: per unit, credits and dollars as decimal strings. They
// show the prices of the base; tiers, variants and further buckets stay as they
// are through every change made here.
func (h *handler) aigneRateRoutes(admin administered) []httpkit.Route {
	user := func(method, pattern string, as httpkit.CallerHandler) httpkit.Route {
		return httpkit.Route{Method: method, Pattern: pattern, Who: httpkit.AnyUser, As: as, Scope: hub.ScopeInference, Data: httpkit.AdminsSeeMore}
	}
	var out []httpkit.Route
	for _, root := range []string{"/api/ai-providers", "/api/ai"} {
		out = append(out,
			user("GET", root+"/{provider}/model-rates", h.aigneProviderRates),
			admin("POST", root+"/{provider}/model-rates", h.aigneAddRate),
			admin("PUT", root+"/{provider}/model-rates/{rate}", h.aigneEditRate),
			admin("DELETE", root+"/{provider}/model-rates/{rate}", h.aigneRemoveRate),
			user("GET", root+"/model-rates", h.aigneRates),
			admin("POST", root+"/model-rates", h.aigneAddRates),
			user("GET", root+"/chat/models", h.aigneChatModels),
			admin("POST", root+"/bulk-rate-update", h.aigneBulkUpdate),
			admin("POST", root+"/trigger-rate-check", h.aigneRateCheck),
		)
	}
	return out
}

// aigneCosts are dollars per unit.
type aigneCosts struct {
	Input  string `json:"input"`
	Output string `json:"output"`
}

// aigneCaching are credits per token.
type aigneCaching struct {
	Read  string `json:"readRate,omitempty"`
	Write string `json:"writeRate,omitempty"`
}

// aigneRate is a rate in the original's form.
type aigneRate struct {
	ID               string          `json:"id"`
	ProviderID       string          `json:"providerId"`
	Provider         *aigneProvider  `json:"provider,omitempty"`
	Model            string          `json:"model"`
	Display          string          `json:"modelDisplay"`
	Description      string          `json:"description"`
	Type             hub.CallType    `json:"type"`
	InputRate        string          `json:"inputRate"`
	OutputRate       string          `json:"outputRate"`
	UnitCosts        *aigneCosts     `json:"unitCosts"` // null: the catalogue's, or nobody's business
	Caching          *aigneCaching   `json:"caching"`
	Metadata         json.RawMessage `json:"modelMetadata"`
	Deprecated       bool            `json:"deprecated"`
	DeprecatedAt     *time.Time      `json:"deprecatedAt"`
	DeprecatedReason string          `json:"deprecatedReason,omitempty"`
	UpdatedAt        time.Time       `json:"updatedAt"`
	Status           *aigneStatus    `json:"status"` // null: not known
}

type aigneProvider struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

type aigneStatus struct {
	Available bool      `json:"available"`
	Error     string    `json:"error,omitempty"`
	CheckedAt time.Time `json:"lastChecked"`
}

// outputBucket is what the original's outputRate counts: tokens, pictures or
// seconds of film.
func outputBucket(kind hub.CallType, p *pricing.Prices) hub.Bucket {
	switch {
	case kind == hub.TypeImage && (p == nil || p.Buckets[hub.Images].Set || !p.Buckets[hub.OutputImage].Set):
		return hub.Images
	case kind == hub.TypeImage:
		return hub.OutputImage
	case kind == hub.TypeVideo:
		return hub.Seconds
	}
	return hub.Output
}

// priceOf is what stands in a bucket, "0" for nothing.
func priceOf(p *pricing.Prices, b hub.Bucket) string {
	if rate, ok := p.Rate(b, 0); ok {
		return rate.String()
	}
	return "0"
}

// displayOf is the name for people: the last part of the model's, in words.
func displayOf(model string) string {
	words := strings.Fields(strings.ReplaceAll(path.Base(model), "-", " "))
	for i, w := range words {
		words[i] = strings.ToUpper(w[:1]) + w[1:]
	}
	return strings.Join(words, " ")
}

// viewAigne shows a rate; what it costs the operator is for admins.
func viewAigne(row store.Rate, p aigneProvider, admin bool) (aigneRate, error) {
	v := aigneRate{ID: row.ID, ProviderID: p.ID, Model: row.Model, Type: row.Type, Metadata: json.RawMessage("null"), Deprecated: row.Deprecated != nil,
		DeprecatedAt: row.Deprecated, DeprecatedReason: row.DeprecatedReason, UpdatedAt: row.Effective}
	var prices pricing.Prices
	if err := json.Unmarshal([]byte(row.Prices), &prices); err != nil {
		return v, fmt.Errorf("prices of %s/%s: %w", row.Provider, row.Model, err)
	}
	v.InputRate, v.OutputRate = priceOf(&prices, hub.Input), priceOf(&prices, outputBucket(row.Type, &prices))
	if read, write := prices.Buckets[hub.CacheRead], prices.Buckets[hub.CacheWrite5m]; read.Set || write.Set {
		v.Caching = &aigneCaching{}
		if read.Set {
			v.Caching.Read = read.Rate.String()
		}
		if write.Set {
			v.Caching.Write = write.Rate.String()
		}
	}
	if row.Costs != "" && admin {
		var costs pricing.Prices
		if err := json.Unmarshal([]byte(row.Costs), &costs); err != nil {
			return v, fmt.Errorf("costs of %s/%s: %w", row.Provider, row.Model, err)
		}
		v.UnitCosts = &aigneCosts{Input: priceOf(&costs, hub.Input), Output: priceOf(&costs, outputBucket(row.Type, &costs))}
	}
	var m routing.RateMetadata
	if err := json.Unmarshal([]byte(row.Metadata), &m); err != nil {
		return v, fmt.Errorf("metadata of %s/%s: %w", row.Provider, row.Model, err)
	}
	v.Display, v.Description = m.Display, m.Description
	if v.Display == "" {
		v.Display = displayOf(row.Model)
	}
	switch {
	case m.Client != nil:
		v.Metadata = m.Client
	case m.MaxOutput > 0:
		v.Metadata = json.RawMessage(fmt.Sprintf(`{"maxTokens":%d}`, m.MaxOutput))
	}
	return v, nil
}

// aigneProviders are the providers by name; those of the environment have their
// name as id.
func (h *handler) aigneProviders(r *http.Request) (map[string]aigneProvider, error) {
	out := map[string]aigneProvider{}
	for _, p := range h.Routes().Providers() {
		out[p.Name] = aigneProvider{ID: p.Name, Name: p.Name, DisplayName: p.Kind.Title}
	}
	stored, err := h.Store.Providers(r.Context())
	for _, p := range stored {
		v := aigneProvider{ID: p.ID, Name: p.Name, DisplayName: p.DisplayName}
		if v.DisplayName == "" {
			v.DisplayName = p.Name
		}
		out[p.Name] = v
	}
	return out, err
}

// aigneProvider finds the provider in the path, by id or name.
func (h *handler) aigneProvider(r *http.Request, id string) (aigneProvider, error) {
	all, err := h.aigneProviders(r)
	if err != nil {
		return aigneProvider{}, err
	}
	for _, p := range all {
		if p.ID == id || p.Name == id {
			return p, nil
		}
	}
	return aigneProvider{}, hub.Errorf(hub.CodeNotFound, "There is no provider %.100s.", id)
}

// aigneProviderRates lists the rates of a provider by model and type.
func (h *handler) aigneProviderRates(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	p, err := h.aigneProvider(r, r.PathValue("provider"))
	if err != nil {
		return err
	}
	all, err := h.Store.Rates(r.Context())
	if err != nil {
		return err
	}
	out := []aigneRate{}
	for _, row := range all {
		if row.Provider != p.Name || (row.Deprecated != nil && r.URL.Query().Get("includeDeprecated") != "true") {
			continue
		}
		v, err := viewAigne(row, p, c.All)
		if err != nil {
			return err
		}
		out = append(out, v)
	}
	return httpkit.WriteJSON(w, http.StatusOK, out)
}

// aigneRates lists rates with their providers and states, the newest first:
// ?page=, ?pageSize=, ?providerId= (several by comma), ?model= (a part of it),
// ?q=model:gpt, ?o=asc|desc, ?includeDeprecated=true.
func (h *handler) aigneRates(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	keep, err := h.aigneFilter(r)
	if err != nil {
		return err
	}
	providers, err := h.aigneProviders(r)
	if err != nil {
		return err
	}
	all, err := h.Store.Rates(r.Context())
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(row store.Rate) bool { return !keep(row, providers[row.Provider]) })
	// Ids are ordered by the time they were made.
	slices.SortFunc(all, func(a, b store.Rate) int { return strings.Compare(b.ID, a.ID) })
	if r.URL.Query().Get("o") == "asc" {
		slices.Reverse(all)
	}
	statuses, err := h.aigneStatuses(r)
	if err != nil {
		return err
	}
	out := []aigneRate{}
	for i := paging.Offset(); i < min(len(all), paging.Offset()+paging.Size); i++ {
		row := all[i]
		p, known := providers[row.Provider]
		if !known {
			p = aigneProvider{ID: row.Provider, Name: row.Provider, DisplayName: row.Provider}
		}
		v, err := viewAigne(row, p, c.All)
		if err != nil {
			return err
		}
		v.Provider, v.Status = &p, statuses[row.Provider+"/"+row.Model+" "+string(row.Type)]
		out = append(out, v)
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"count": len(all), "list": out, "paging": map[string]int{"page": paging.Page, "pageSize": paging.Size}})
}

// aigneFilter reads what a list is to hold.
func (h *handler) aigneFilter(r *http.Request) (func(store.Rate, aigneProvider) bool, error) {
	q := r.URL.Query()
	if o := q.Get("o"); o != "" && o != "asc" && o != "desc" {
		return nil, hub.Invalid("o", "o must be asc or desc.")
	}
	model, deprecated := strings.ToLower(q.Get("model")), q.Get("includeDeprecated") == "true"
	var ids []string
	if q.Get("providerId") != "" {
		ids = strings.Split(q.Get("providerId"), ",")
	}
	kind := ""
	for _, pair := range strings.Fields(q.Get("q")) {
		key, value, _ := strings.Cut(pair, ":")
		switch key {
		case "model":
			model = strings.ToLower(value)
		case "providerId", "provider":
			ids = append(ids, value)
		case "type":
			kind = value
		default:
			return nil, hub.Invalid("q", "q knows model, provider, providerId and type, not %.40q.", key)
		}
	}
	return func(row store.Rate, p aigneProvider) bool {
		return (deprecated || row.Deprecated == nil) && strings.Contains(strings.ToLower(row.Model), model) && (kind == "" || string(row.Type) == kind) &&
			(len(ids) == 0 || slices.Contains(ids, row.Provider) || slices.Contains(ids, p.ID))
	}, nil
}

// aigneStatuses is what is known of all targets, read at once.
func (h *handler) aigneStatuses(r *http.Request) (map[string]*aigneStatus, error) {
	all, err := h.Store.ModelStatuses(r.Context())
	out := make(map[string]*aigneStatus, len(all))
	for _, m := range all {
		known := health.Known(m, h.Now())
		if known == nil {
			continue
		}
		v := &aigneStatus{Available: *known, CheckedAt: m.CheckedAt}
		if !*known {
			v.Error = m.Error
		}
		out[m.Provider+"/"+m.Model+" "+string(m.Type)] = v
	}
	return out, err
}

// aigneTypes are the words of ?type=.
var aigneTypes = map[string]hub.CallType{
	"": hub.TypeChat, "chat": hub.TypeChat, "image_generation": hub.TypeImage, "image": hub.TypeImage, "embedding": hub.TypeEmbedding, "video": hub.TypeVideo,
	string(hub.TypeChat): hub.TypeChat, string(hub.TypeImage): hub.TypeImage, string(hub.TypeAudio): hub.TypeAudio, "audio": hub.TypeAudio,
	string(hub.TypeModeration): hub.TypeModeration, string(hub.TypeRerank): hub.TypeRerank,
}

type aigneModelRate struct {
	ID          string         `json:"id"` // "" where the price is the catalogue's with the default margin
	Type        hub.CallType   `json:"type"`
	InputRate   string         `json:"inputRate"`
	OutputRate  string         `json:"outputRate"`
	Provider    *aigneProvider `json:"provider"`
	Description string         `json:"description"`
}

type aigneChatModel struct {
	Model       string           `json:"model"`
	Display     string           `json:"modelDisplay"`
	Description string           `json:"description"`
	Rates       []aigneModelRate `json:"rates"`
	Providers   []aigneProvider  `json:"providers"` // each once
}

// aigneChatModels lists the models that can be called, each once, with what it
// costs at each provider: ?type=.
func (h *handler) aigneChatModels(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	kind, known := aigneTypes[r.URL.Query().Get("type")]
	if !known {
		return hub.Invalid("type", "The type must be chat, image, embedding, video, audio, moderation or rerank.")
	}
	providers, err := h.aigneProviders(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.Rates(r.Context())
	if err != nil {
		return err
	}
	meta := map[string]routing.RateMetadata{}
	for _, row := range rows {
		var m routing.RateMetadata
		if err := json.Unmarshal([]byte(row.Metadata), &m); err != nil {
			return fmt.Errorf("metadata of %s/%s: %w", row.Provider, row.Model, err)
		}
		meta[row.ID] = m
	}
	out, at := []aigneChatModel{}, map[string]int{}
	for _, l := range h.Routes().ModelsFor(c.Models, kind) {
		i, there := at[l.Model]
		if !there {
			i = len(out)
			at[l.Model] = i
			out = append(out, aigneChatModel{Model: l.Model, Display: displayOf(l.Model), Rates: []aigneModelRate{}, Providers: []aigneProvider{}})
		}
		m, p := meta[l.RateID], providers[l.Provider.Name]
		rate := aigneModelRate{ID: l.RateID, Type: kind, InputRate: "0", OutputRate: "0", Provider: &p, Description: m.Description}
		if l.Prices != nil {
			rate.InputRate, rate.OutputRate = priceOf(l.Prices, hub.Input), priceOf(l.Prices, outputBucket(kind, l.Prices))
		}
		v := &out[i]
		if v.Description == "" {
			v.Description = m.Description
		}
		if m.Display != "" {
			v.Display = m.Display
		}
		v.Rates, v.Providers = append(v.Rates, rate), append(v.Providers, p)
	}
	return httpkit.WriteJSON(w, http.StatusOK, out)
}
