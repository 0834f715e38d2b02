package usage

import (
	"context"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	incidentDays = 7
	// An hour belongs to an incident when that many attempts failed in it, and at
	// least one of so many did: single refusals are no incident.
	incidentFailed = 3
	incidentOneOf  = 10
)

// incident is a run of hours in which many attempts at a model failed.
type incident struct {
	Model       string       `json:"model"`
	Type        hub.CallType `json:"type"`
	From        time.Time    `json:"from"`
	Until       *time.Time   `json:"until"`        // null: it goes on
	SuccessRate *float64     `json:"success_rate"` // of all its attempts
	Failed      int64        `json:"-"`            // how busy a hub is is nobody else's business
	ok          int64
}

// incidents lists those of the last days of models that the page shows.
func (h *handler) incidents(ctx context.Context, now time.Time, shown func(modelKey) bool) ([]incident, error) {
	hours, err := h.Store.BadHours(ctx, now.UTC().Truncate(time.Hour).Add(-incidentDays*day), incidentFailed)
	if err != nil {
		return nil, err
	}
	return incidentsOf(hours, now, shown), nil
}

// incidentsOf joins bad hours, the newest first, that follow each other.
func incidentsOf(hours []store.StatusHour, now time.Time, shown func(modelKey) bool) []incident {
	out, open := []incident{}, map[modelKey]int{}
	for _, x := range hours {
		key := modelKey{x.Model, x.Type}
		if !shown(key) || x.Failed*incidentOneOf < x.OK+x.Failed {
			continue
		}
		end := x.Hour.Add(time.Hour)
		i, ok := open[key]
		if !ok || !out[i].From.Equal(end) {
			i = len(out)
			open[key] = i
			out = append(out, incident{Model: x.Model, Type: x.Type})
			if end.Before(now) {
				out[i].Until = &end
			}
		}
		out[i].From = x.Hour
		out[i].ok, out[i].Failed = out[i].ok+x.OK, out[i].Failed+x.Failed
		out[i].SuccessRate = share(out[i].ok, out[i].Failed)
	}
	return out
}
