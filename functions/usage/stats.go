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

type breakdownRow struct {
	rollup.Label
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
	x, top, err := h.Stats.Top(r.Context(), q, by, measure, paging.Offset(), paging.Size)
	if err != nil {
		return err
	}
	v := breakdownView{rangeView: viewRange(x), By: by, Sort: string(measure), Total: top.Count, Page: paging.Page, PageSize: paging.Size, Data: []breakdownRow{}}
	labels, err := h.Stats.Labels(r.Context(), by, top.Parts)
	if err != nil {
		return err
	}
	for i, p := range top.Parts {
		row := breakdownRow{Label: labels[i], Share: rollup.Share(p.By(measure), top.Whole)}
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
