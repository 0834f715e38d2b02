package admin

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (h *handler) catalogueRoutes(admin administered) []httpkit.Route {
	const catalogue = "/api/admin/catalogue"
	return []httpkit.Route{
		admin("GET", catalogue, h.showCatalogue),
		admin("GET", catalogue+"/models", h.catalogueModels),
		admin("POST", catalogue+"/review", h.reviewCatalogue),
		admin("GET", catalogue+"/proposals", h.listProposals),
		admin("POST", catalogue+"/apply", h.applyCatalogue),
		admin("POST", catalogue+"/dismiss", h.dismissProposals),
	}
}

// keptCatalogue is a catalogue that was in force or is under review.
type keptCatalogue struct {
	Digest    string     `json:"digest"`
	Origin    string     `json:"origin"`
	Actor     string     `json:"actor"`
	CreatedAt time.Time  `json:"created_at"`
	ActiveAt  *time.Time `json:"active_at"` // when it was last put in force; null: never
	ActiveBy  string     `json:"active_by"`
}

// showCatalogue tells which catalogue is in force and what it was made from.
func (h *handler) showCatalogue(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	files, err := h.Store.CatalogueFiles(r.Context())
	if err != nil {
		return err
	}
	kept := make([]keptCatalogue, len(files))
	for i, f := range files {
		kept[i] = keptCatalogue(f)
	}
	c := h.Desk.Catalogue()
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"in_force": c.Digest(), "embedded": pricing.OpenCatalogue(h.Now).Digest(), "sources": c.Sources(), "kept": kept})
}

// catalogueModel is what the catalogue knows of a model; limits of 0 are unknown.
type catalogueModel struct {
	Model            string      `json:"model"`
	CostUSD          *pricesView `json:"cost_usd"` // null: unknown
	Context          int64       `json:"context"`
	MaxOutput        int64       `json:"max_output"`
	InputModalities  []string    `json:"input_modalities" openapi:"null"`
	OutputModalities []string    `json:"output_modalities" openapi:"null"`
	Reasoning        *bool       `json:"reasoning"`
	Tools            *bool       `json:"tools"`
}

// catalogueModels lists what the catalogue knows of a kind of provider: ?kind=,
// ?model= for one, paged by ?page=.
func (h *handler) catalogueModels(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	kind, model := r.URL.Query().Get("kind"), r.URL.Query().Get("model")
	if kind == "" {
		return hub.Invalid("kind", "kind must be a kind of provider, such as openai.")
	}
	var models []pricing.Model
	if model == "" {
		models = h.Desk.Catalogue().Models(kind)
	} else if m, ok := h.Desk.Catalogue().Lookup(kind, model); ok {
		models = append(models, m)
	}
	data := []catalogueModel{}
	for i := paging.Offset(); i < min(len(models), paging.Offset()+paging.Size); i++ {
		m := &models[i]
		v := catalogueModel{Model: m.ID, Context: m.Context, MaxOutput: m.MaxOutput, InputModalities: m.InputModalities, OutputModalities: m.OutputModalities,
			Reasoning: m.Reasoning, Tools: m.Tools}
		if !m.Cost.Empty() {
			v.CostUSD = showPrices(&m.Cost)
		}
		data = append(data, v)
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data, "total": len(models)})
}

// reviewCatalogue compares a catalogue with the hub. The body is a file as
// infra/catalogue writes it; without one it is the catalogue of this version.
// ?name= is how the file is called in the history.
func (h *handler) reviewCatalogue(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if kind := r.Header.Get("Content-Type"); r.ContentLength != 0 && kind != "application/gzip" && kind != "application/octet-stream" {
		return hub.Errorf(hub.CodeUnsupportedMedia, "Send the gzipped file with the header Content-Type: application/gzip, or no body for the catalogue of this version.")
	}
	body, err := httpkit.ReadBody(r, operator.MaxCatalogueFile)
	if err != nil {
		return err
	}
	name := r.URL.Query().Get("name")
	if name == "" {
		name = "upload"
	}
	digest, err := h.Desk.ReviewCatalogue(r.Context(), c.Email, name, body)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"digest": digest, "in_force": h.Desk.Catalogue().Digest() == digest})
}

// proposalView is one thing that a catalogue says differently; costs are dollars.
type proposalView struct {
	ID        string       `json:"id"`
	Digest    string       `json:"digest"`
	Kind      string       `json:"kind"` // cost, new, gone
	Provider  string       `json:"provider"`
	Model     string       `json:"model"`
	Type      hub.CallType `json:"type"`
	Before    *pricesView  `json:"before"` // null: none
	After     *pricesView  `json:"after"`
	State     string       `json:"state"`
	DecidedBy string       `json:"decided_by"`
	DecidedAt *time.Time   `json:"decided_at"`
	Reason    string       `json:"reason"`
	CreatedAt time.Time    `json:"created_at"`
}

func viewProposal(p store.Proposal) (proposalView, error) {
	v := proposalView{ID: p.ID, Digest: p.Digest, Kind: p.Kind, Provider: p.Provider, Model: p.Model, Type: p.Type, State: p.State, DecidedBy: p.DecidedBy,
		DecidedAt: p.DecidedAt, Reason: p.Reason, CreatedAt: p.CreatedAt}
	for _, side := range []struct {
		text string
		into **pricesView
	}{{p.Before, &v.Before}, {p.After, &v.After}} {
		if side.text == "" {
			continue
		}
		var prices pricing.Prices
		if err := json.Unmarshal([]byte(side.text), &prices); err != nil {
			return v, fmt.Errorf("proposal %s: %w", p.ID, err)
		}
		*side.into = showPrices(&prices)
	}
	return v, nil
}

// listProposals lists proposals: ?state=open (unless given), applied, dismissed or
// superseded, paged by ?cursor=. The last three are the history.
func (h *handler) listProposals(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	state := r.URL.Query().Get("state")
	switch state {
	case "":
		state = store.ProposalOpen
	case store.ProposalOpen, store.ProposalApplied, store.ProposalDismissed, store.ProposalSuperseded:
	default:
		return hub.Invalid("state", "state must be open, applied, dismissed or superseded.")
	}
	rows, err := h.Store.Proposals(r.Context(), state, after, size+1)
	if err != nil {
		return err
	}
	views := make([]proposalView, len(rows))
	for i, p := range rows {
		if views[i], err = viewProposal(p); err != nil {
			return err
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(views, size, func(v proposalView) string { return v.ID }, func(v proposalView) proposalView { return v }))
}

type catalogueChoice struct {
	IDs         []string `json:"ids"` // open proposals
	All         bool     `json:"all"` // every open one, in place of ids, but for
	SkipNew     bool     `json:"skip_new"`
	OwnCosts    bool     `json:"own_costs"` // costs kept with rates, changed only with this or by id
	Digest      string   `json:"digest"`
	Activate    bool     `json:"activate"`     // put the catalogue in force
	Margin      string   `json:"margin"`       // percent, or "keep"; "": prices stay
	CreditPrice string   `json:"credit_price"` // dollars per credit; "": the hub's
	Reason      string   `json:"reason"`
	DryRun      bool     `json:"dry_run"`
}

// appliedView is what came of a proposal, in credits.
type appliedView struct {
	Proposal proposalView `json:"proposal"`
	Old      *pricesView  `json:"old"` // null: the prices stay, or there were none
	New      *pricesView  `json:"new"`
	Skipped  string       `json:"skipped,omitempty"`
}

// applyCatalogue carries out proposals, and puts the catalogue in force if asked.
func (h *handler) applyCatalogue(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[catalogueChoice](r)
	if err != nil {
		return err
	}
	if in.All == (len(in.IDs) > 0) && (in.All || !in.Activate) {
		return hub.Invalid("ids", "Name the proposals in ids, or say all.")
	}
	done, err := h.Desk.ApplyCatalogue(r.Context(), c.Email, operator.CatalogueChoice{IDs: in.IDs, None: !in.All && len(in.IDs) == 0, SkipNew: in.SkipNew, OwnCosts: in.OwnCosts, Digest: in.Digest, Activate: in.Activate,
		Margin: in.Margin, CreditPrice: in.CreditPrice, Reason: in.Reason, DryRun: in.DryRun})
	if err != nil {
		return err
	}
	data := make([]appliedView, len(done))
	for i, d := range done {
		if data[i].Proposal, err = viewProposal(d.Proposal); err != nil {
			return err
		}
		data[i].Skipped = d.Skipped
		if d.Old != nil {
			data[i].Old = showPrices(d.Old)
		}
		if d.New != nil {
			data[i].New = showPrices(d.New)
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"dry_run": in.DryRun, "applied": data})
}

type dismissal struct {
	IDs    []string `json:"ids" validate:"required,min=1"`
	Reason string   `json:"reason"`
}

// dismissProposals says no to proposals.
func (h *handler) dismissProposals(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[dismissal](r)
	if err != nil {
		return err
	}
	if err := h.Desk.DismissProposals(r.Context(), c.Email, in.IDs, in.Reason); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"dismissed": len(in.IDs)})
}
