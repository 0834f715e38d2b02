package usage

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func isNotFound(err error) bool { return errors.Is(err, store.ErrNotFound) }

// rangeView is the span that was counted.
type rangeView struct {
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Timezone string    `json:"timezone"`
	// UTCDays: the range begins before the oldest 15-minute sums, so that it is
	// counted in days of UTC.
	UTCDays bool `json:"utc_days"`
	// CompleteFrom: sums of calls before it are still being made.
	CompleteFrom *time.Time `json:"complete_from,omitempty"`
}

func viewRange(x rollup.Range) rangeView {
	v := rangeView{From: x.From, To: x.Until, Timezone: x.Zone.String(), UTCDays: x.UTCDays}
	if x.CompleteFrom.After(x.From) {
		v.CompleteFrom = &x.CompleteFrom
	}
	return v
}

type summaryView struct {
	rangeView
	rollup.Figures
	// Previous is the span of the same length right before; null where it was not asked for.
	Previous *rollup.Figures `json:"previous"`
	// Change is by what share each has grown since; null where there was nothing before.
	Change *changeView `json:"change"`
}

type changeView struct {
	Calls       *float64 `json:"calls"`
	Credits     *float64 `json:"credits"`
	Tokens      *float64 `json:"tokens"`
	SuccessRate *float64 `json:"success_rate"` // in points from -1 to 1
}

// summary sums up a range, compared with the one before unless ?compare=none.
func (h *handler) summary(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q, err := h.question(r, c)
	if err != nil {
		return err
	}
	switch r.URL.Query().Get("compare") {
	case "", "previous":
		q.Before = true
	case "none":
	default:
		return hub.Invalid("compare", "compare must be previous or none.")
	}
	x, current, before, err := h.Stats.Summary(r.Context(), q)
	if err != nil {
		return err
	}
	v := summaryView{rangeView: viewRange(x)}
	if v.Figures, err = current.Figures(h.price(c)); err != nil {
		return err
	}
	if q.Before {
		f, err := before.Figures(h.price(c))
		if err != nil {
			return err
		}
		v.Previous = &f
		tokens := func(t *rollup.Total) int64 { return t.Units.Prompt() + t.Units.Completion() }
		v.Change = &changeView{Calls: growth(current.Calls, before.Calls), Credits: growth(current.Credits, before.Credits), Tokens: growth(tokens(&current), tokens(&before))}
		if v.SuccessRate != nil && f.SuccessRate != nil {
			v.Change.SuccessRate = new(*v.SuccessRate - *f.SuccessRate)
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func growth(now, before int64) *float64 { return rollup.Share(now-before, before) }

// parts are what usage can be broken down by.
var parts = map[string]struct {
	dim store.Dim
	key func(store.StatKey) string
}{
	"model":    {store.ByModel | store.ByProvider, func(k store.StatKey) string { return k.Provider + "/" + k.Model }},
	"provider": {store.ByProvider, func(k store.StatKey) string { return k.Provider }},
	"user":     {store.ByUser, func(k store.StatKey) string { return k.UserID }},
	"group":    {store.ByUser, func(k store.StatKey) string { return k.UserID }},
	"app":      {store.ByApp, func(k store.StatKey) string { return k.AppID }},
	"key":      {store.ByKey | store.ByUser, func(k store.StatKey) string { return k.KeyID }},
	"type":     {store.ByType, func(k store.StatKey) string { return string(k.Type) }},
	"status":   {store.ByStatus, func(k store.StatKey) string { return string(k.Status) }},
	"category": {store.ByCategory, func(k store.StatKey) string { return k.Category }},
}

func partNames() []string {
	return []string{"model", "provider", "user", "group", "app", "key", "type", "status", "category"}
}

// parted asks by what the request says.
func (h *handler) parted(r *http.Request, q rollup.Question, by string) (rollup.Range, []*rollup.Part, error) {
	p, ok := parts[by]
	if !ok {
		return rollup.Range{}, nil, hub.Invalid("by", "by must be one of %v.", partNames())
	}
	q.By = p.dim
	keys := func(k store.StatKey) []string { return []string{p.key(k)} }
	if by == "group" {
		groups, err := h.Store.GroupsOfUsers(r.Context())
		if err != nil {
			return rollup.Range{}, nil, err
		}
		keys = func(k store.StatKey) []string {
			if g := groups[k.UserID]; len(g) > 0 {
				return g
			}
			return []string{""}
		}
	}
	return h.Stats.Parts(r.Context(), q, keys)
}

// partView is what a part is called.
type partView struct {
	Key      string `json:"key"`
	Name     string `json:"name"` // "": not known any more, or no name
	Email    string `json:"email,omitempty"`
	Logo     string `json:"logo,omitempty"`
	URL      string `json:"url,omitempty"`
	Provider string `json:"provider,omitempty"` // of a model
	Model    string `json:"model,omitempty"`
	UserID   string `json:"user_id,omitempty"` // of a key
}

type breakdownRow struct {
	partView
	Share *float64 `json:"share"` // of all that is sorted by; null of nothing
	rollup.Figures
}

type breakdownView struct {
	rangeView
	By       string         `json:"by"`
	Sort     string         `json:"sort"`
	Data     []breakdownRow `json:"data"`
	Total    int            `json:"total"` // rows on all pages
	Page     int            `json:"page"`
	PageSize int            `json:"page_size"`
}

// breakdown lists a range's sums ?by= model, user and so on, the greatest by ?sort=
// first, in pages.
func (h *handler) breakdown(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q, err := h.question(r, c)
	if err != nil {
		return err
	}
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	by, sort := r.URL.Query().Get("by"), r.URL.Query().Get("sort")
	if by == "" {
		by = "model"
	}
	measure, err := sortedBy(sort, c)
	if err != nil {
		return err
	}
	q.Step = ""
	x, all, err := h.parted(r, q, by)
	if err != nil {
		return err
	}
	v := breakdownView{rangeView: viewRange(x), By: by, Sort: string(measure), Total: len(all), Page: paging.Page, PageSize: paging.Size, Data: []breakdownRow{}}
	var whole rollup.Total
	for _, p := range all {
		whole.AddTotal(&p.Total)
	}
	rollup.SortParts(all, measure)
	all = all[min(paging.Offset(), len(all)):min(paging.Offset()+paging.Size, len(all))]
	names, err := h.named(r, by, all)
	if err != nil {
		return err
	}
	for _, p := range all {
		row := breakdownRow{partView: names(p), Share: rollup.Share(p.By(measure), whole.By(measure))}
		if row.Figures, err = p.Figures(h.price(c)); err != nil {
			return err
		}
		v.Data = append(v.Data, row)
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func sortedBy(name string, c hub.Caller) (rollup.Measure, error) {
	if name == "" {
		return rollup.Calls, nil
	}
	if !slices.Contains(rollup.MeasureNames(), name) {
		return "", hub.Invalid("sort", "sort must be one of %v.", rollup.MeasureNames())
	}
	if rollup.Measure(name) == rollup.Cost && !c.All {
		return "", hub.Errorf(hub.CodeForbidden, "Only owners and admins may see costs.")
	}
	return rollup.Measure(name), nil
}

// named looks up what parts are called.
func (h *handler) named(r *http.Request, by string, parts []*rollup.Part) (func(*rollup.Part) partView, error) {
	ids := make([]string, len(parts))
	for i, p := range parts {
		ids[i] = p.Key
	}
	var names map[string]store.Named
	var err error
	switch by {
	case "user":
		names, err = h.Store.UserNames(r.Context(), ids)
	case "key":
		names, err = h.Store.KeyNames(r.Context(), ids)
	case "app":
		names, err = h.Store.AppNames(r.Context(), ids)
	}
	return func(p *rollup.Part) partView {
		n := names[p.Key]
		v := partView{Key: p.Key, Name: n.Name, Email: n.Email, Logo: n.Logo, URL: n.URL}
		switch by {
		case "model":
			v.Name, v.Provider, v.Model = p.Model, p.Provider, p.Model
		case "key":
			v.UserID = p.UserID
		case "user", "app":
		default:
			v.Name = p.Key
		}
		return v
	}, err
}
