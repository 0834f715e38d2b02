package usage

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// errorsOf counts errors of a question's span.
func (h *handler) errorsOf(r *http.Request, q rollup.Question) (errorsView, error) {
	q.By = store.ByCategory | store.ByStatus | store.ByProvider | store.ByModel
	v := errorsView{Categories: []errorRow{}, Models: []errorRow{}}
	const between = "\x00" // in no name
	x, all, err := h.Stats.Parts(r.Context(), q, func(k store.StatKey) []string {
		return []string{k.Category + between + string(k.Status) + between + k.Provider + between + k.Model}
	})
	if err != nil {
		return v, err
	}
	v.rangeView = viewRange(x)
	categories := map[store.StatKey]*rollup.Part{}
	var models []*rollup.Part
	for _, p := range all {
		v.Calls += p.Calls
		if p.Status == hub.StatusSuccess || p.Status == hub.StatusAborted {
			continue
		}
		v.Errors += p.Calls
		models = append(models, p)
		k := store.StatKey{Category: p.Category, Status: p.Status}
		if categories[k] == nil {
			categories[k] = &rollup.Part{Key: p.Category + between + string(p.Status), StatKey: k}
		}
		categories[k].AddTotal(&p.Total)
	}
	var byCategory []*rollup.Part
	for _, p := range categories {
		byCategory = append(byCategory, p)
	}
	row := func(p *rollup.Part) errorRow {
		return errorRow{Category: p.Category, Status: p.Status, Provider: p.Provider, Model: p.Model, Calls: p.Calls,
			Share: rollup.Share(p.Calls, v.Calls), LastAt: time.UnixMilli(p.LastAt).UTC()}
	}
	rollup.SortParts(byCategory, rollup.Calls)
	for _, p := range byCategory {
		v.Categories = append(v.Categories, row(p))
	}
	rollup.SortParts(models, rollup.Calls)
	for _, p := range models[:min(mostErrors, len(models))] {
		v.Models = append(v.Models, row(p))
	}
	return v, nil
}
