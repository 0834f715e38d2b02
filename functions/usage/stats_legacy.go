package usage

import (
	"encoding/json"
	"net/http"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The answers below have AIGNE Hub's names and types.

// project is an application that called models.
type project struct {
	AppDID  string `json:"appDid"` // "": calls that named no application
	AppName string `json:"appName"`
	AppLogo string `json:"appLogo"`
	AppURL  string `json:"appUrl"`
}

type projectRow struct {
	project
	TotalCalls   int64       `json:"totalCalls"`
	TotalCredits json.Number `json:"totalCredits"`
	AvgDuration  json.Number `json:"avgDuration"` // seconds
	SuccessRate  json.Number `json:"successRate"` // percent
	LastCallTime int64       `json:"lastCallTime"`
}

type projectList struct {
	Projects []projectRow `json:"projects"`
	Total    int          `json:"total"`
	Page     int          `json:"page"`
	PageSize int          `json:"pageSize"`
}

// projects lists applications by what was used through them: ?sortBy=totalCalls
// (default) or totalCredits, ?sortOrder=desc or asc, in pages.
func (h *handler) projects(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q, err := h.question(r, c)
	if err != nil {
		return err
	}
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	measure := rollup.Calls
	switch r.URL.Query().Get("sortBy") {
	case "", "totalCalls":
	case "totalCredits":
		measure = rollup.Credit
	default:
		return hub.Invalid("sortBy", "sortBy must be totalCalls or totalCredits.")
	}
	q.Step = ""
	_, all, err := h.Stats.By(r.Context(), q, "app")
	if err != nil {
		return err
	}
	rollup.SortParts(all, measure)
	switch r.URL.Query().Get("sortOrder") {
	case "", "desc":
	case "asc":
		slices.Reverse(all)
	default:
		return hub.Invalid("sortOrder", "sortOrder must be desc or asc.")
	}
	v := projectList{Projects: []projectRow{}, Total: len(all), Page: paging.Page, PageSize: paging.Size}
	all = all[min(paging.Offset(), len(all)):min(paging.Offset()+paging.Size, len(all))]
	labels, err := h.Stats.Labels(r.Context(), "app", all)
	if err != nil {
		return err
	}
	for i, p := range all {
		v.Projects = append(v.Projects, projectRow{viewProject(labels[i]), p.Calls, number(money.Credits(p.Credits)), seconds(p.DurationMS, p.Timed),
			percent(p.Statuses[hub.StatusSuccess], p.Calls), p.LastAt / int64(time.Second/time.Millisecond)})
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func viewProject(v rollup.Label) project { return project{v.Key, v.Name, v.Logo, v.URL} }

type projectTrends struct {
	rangeView
	Projects    []project      `json:"projects"`
	Trends      []projectPoint `json:"trends"`
	Granularity rollup.Step    `json:"granularity"`
}

type projectPoint struct {
	Timestamp int64                  `json:"timestamp"`
	ByProject map[string]seriesPoint `json:"byProject"` // those without calls are left out
}

// projectGroupTrends shows a range in points for each application, the fifty with
// the most calls.
func (h *handler) projectGroupTrends(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q, err := h.question(r, c)
	if err != nil {
		return err
	}
	x, all, err := h.Stats.By(r.Context(), q, "app")
	if err != nil {
		return err
	}
	rollup.SortParts(all, rollup.Calls)
	all = all[:min(mostSeries, len(all))]
	labels, err := h.Stats.Labels(r.Context(), "app", all)
	if err != nil {
		return err
	}
	v := projectTrends{rangeView: viewRange(x), Projects: []project{}, Trends: []projectPoint{}, Granularity: x.Step}
	for i := range all {
		v.Projects = append(v.Projects, viewProject(labels[i]))
	}
	rows, err := seriesRows(x, all, nil, "") // as AIGNE Hub's clients know it
	if err != nil {
		return err
	}
	for _, row := range rows {
		v.Trends = append(v.Trends, projectPoint{row.Timestamp, row.Values})
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

type oneProject struct {
	rangeView
	Project     project     `json:"project"`
	Trends      []point     `json:"trends"`
	Granularity rollup.Step `json:"granularity"`
}

// projectTrend shows a range in points of one application: ?appDid=.
func (h *handler) projectTrend(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q, err := h.question(r, c)
	if err != nil {
		return err
	}
	if q.Only.AppID == "" {
		return hub.Invalid("appDid", "Send the id of an application: appDid.")
	}
	names, err := h.Store.AppNames(r.Context(), []string{q.Only.AppID})
	if err != nil {
		return err
	}
	x, slots, err := h.Stats.Trend(r.Context(), q)
	if err != nil {
		return err
	}
	n := names[q.Only.AppID]
	v := oneProject{rangeView: viewRange(x), Project: project{q.Only.AppID, n.Name, n.Logo, n.URL}, Trends: make([]point, len(slots)), Granularity: x.Step}
	for i := range slots {
		v.Trends[i] = viewPoint(x.Starts[i], &slots[i])
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// usageStats are a user's or everybody's models.
type usageStats struct {
	ModelStats modelStats `json:"modelStats"`
}

type modelStats struct {
	List            []modelCount `json:"list"` // the five with the most calls
	TotalModelCount int          `json:"totalModelCount"`
}

type modelCount struct {
	ProviderID string        `json:"providerId"` // "": the provider is not stored here, or not any more
	Provider   modelProvider `json:"provider"`
	Model      string        `json:"model"`
	TotalCalls int64         `json:"totalCalls"`
}

type modelProvider struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	DisplayName string `json:"displayName"`
}

// userStats shows the models that were called most.
func (h *handler) userStats(everybody bool) func(http.ResponseWriter, *http.Request, hub.Caller) error {
	return func(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
		within, err := statSpan(r, h.Now())
		if err != nil {
			return err
		}
		q := rollup.Question{From: within.From, Until: within.Until}
		if !everybody {
			q.Only.UserID = c.UserID
		}
		_, all, err := h.Stats.By(r.Context(), q, "model")
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(p *rollup.Part) bool { return p.Model == "" }) // refused before a model was chosen
		providers, err := h.Store.Providers(r.Context())
		if err != nil {
			return err
		}
		stored := map[string]store.Provider{}
		for _, p := range providers {
			stored[p.Name] = p
		}
		rollup.SortParts(all, rollup.Calls)
		const top = 5
		v := usageStats{modelStats{List: []modelCount{}, TotalModelCount: len(all)}}
		for _, p := range all[:min(top, len(all))] {
			s := stored[p.Provider]
			v.ModelStats.List = append(v.ModelStats.List, modelCount{s.ID, modelProvider{s.ID, p.Provider, s.DisplayName}, p.Model, p.Calls})
		}
		return httpkit.WriteJSON(w, http.StatusOK, v)
	}
}

// backfillRange says which sums are to be made again. Times are dates (2026-01-31,
// UTC) or RFC 3339.
type backfillRange struct {
	StartDate string `json:"startDate" validate:"required,max=40"`
	EndDate   string `json:"endDate" validate:"required,max=40"`
}

type backfillView struct {
	Processed int `json:"processed"` // hours that will be made again, within minutes
	Ranges    int `json:"ranges"`
}

// backfill has sums made again, by the job that makes them.
func (h *handler) backfill(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[backfillRange](r)
	if err != nil {
		return err
	}
	var ends [2]time.Time
	for i, d := range []struct{ name, text string }{{"startDate", in.StartDate}, {"endDate", in.EndDate}} {
		if ends[i], err = time.Parse(time.RFC3339, d.text); err != nil {
			if ends[i], err = time.Parse(time.DateOnly, d.text); err != nil {
				return hub.Invalid(d.name, "%s must be a date such as 2026-01-31 or a time such as 2026-01-31T00:00:00Z.", d.name)
			}
		}
	}
	hours, err := h.Desk.RebuildSums(r.Context(), c.Email, ends[0], ends[1])
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, backfillView{Processed: hours, Ranges: 1})
}
