package usage

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
)

// point is what AIGNE Hub's clients know of a point of a trend. Times are seconds
// with one decimal, amounts numbers with all their decimals.
type point struct {
	Timestamp    int64       `json:"timestamp"` // seconds since 1970, when the point begins
	Calls        int64       `json:"calls"`
	SuccessCalls int64       `json:"successCalls"`
	SuccessRate  json.Number `json:"successRate"` // percent, two decimals
	AvgDuration  json.Number `json:"avgDuration"`
	AvgTTFB      json.Number `json:"avgTtfb"`
	TotalCredits json.Number `json:"totalCredits"`
	TotalUsage   int64       `json:"totalUsage"` // tokens
}

func viewPoint(start time.Time, t *rollup.Total) point {
	return point{Timestamp: start.Unix(), Calls: t.Calls, SuccessCalls: t.Statuses[hub.StatusSuccess], SuccessRate: percent(t.Statuses[hub.StatusSuccess], t.Calls),
		AvgDuration: seconds(t.DurationMS, t.Timed), AvgTTFB: seconds(t.TTFBMS, t.Begun), TotalCredits: number(money.Credits(t.Credits)),
		TotalUsage: t.Units.Prompt() + t.Units.Completion()}
}

// seconds is the mean of n times of which the milliseconds are summed up, rounded
// to a tenth of a second.
func seconds(ms, n int64) json.Number {
	if n == 0 {
		return "0"
	}
	const perTenth, tenths = 100, 10
	t := (ms + n*perTenth/2) / (n * perTenth)
	return json.Number(fmt.Sprintf("%d.%d", t/tenths, t%tenths))
}

// percent is a part of a whole in percent, 0 of nothing.
func percent(part, whole int64) json.Number {
	if whole == 0 {
		return "0"
	}
	const hundredths, hundred = 10_000, 100
	n := part * hundredths / whole
	return json.Number(fmt.Sprintf("%d.%02d", n/hundred, n%hundred))
}

// trendRow is a point of a trend: what AIGNE Hub's clients know, and the figures.
type trendRow struct {
	point
	Start   time.Time      `json:"start"` // in the time zone that was asked for
	Figures rollup.Figures `json:"figures"`
}

type trendView struct {
	rangeView
	Granularity rollup.Step `json:"granularity"`
	Trends      []trendRow  `json:"trends"`
}

// trends shows a range in points, those without calls included.
func (h *handler) trends(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q, err := h.question(r, c)
	if err != nil {
		return err
	}
	x, slots, err := h.Stats.Trend(r.Context(), q)
	if err != nil {
		return err
	}
	v := trendView{rangeView: viewRange(x), Granularity: x.Step, Trends: make([]trendRow, len(slots))}
	for i := range slots {
		f, err := slots[i].Figures(h.price(c))
		if err != nil {
			return err
		}
		v.Trends[i] = trendRow{viewPoint(x.Starts[i], &slots[i]), x.Starts[i], f}
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// seriesPoint is a point of one of several series.
type seriesPoint struct {
	TotalUsage   int64       `json:"totalUsage"`
	TotalCredits json.Number `json:"totalCredits"`
	TotalCalls   int64       `json:"totalCalls"`
	SuccessCalls int64       `json:"successCalls"`
	AvgDuration  json.Number `json:"avgDuration"`
	AvgTTFB      json.Number `json:"avgTtfb"`

	*rollup.OperatorFigures
}

// viewSeriesPoint shows sums; creditPrice is for operators, as with Total.Figures.
func viewSeriesPoint(t *rollup.Total, creditPrice string) (seriesPoint, error) {
	p := viewPoint(time.Time{}, t)
	money, err := t.Operator(creditPrice)
	return seriesPoint{p.TotalUsage, p.TotalCredits, p.Calls, p.SuccessCalls, p.AvgDuration, p.AvgTTFB, money}, err
}

type seriesRow struct {
	Timestamp int64                  `json:"timestamp"`
	Start     time.Time              `json:"start"`
	Values    map[string]seriesPoint `json:"values"` // by key; those without calls are left out
	Other     *seriesPoint           `json:"other"`  // whatever has no series of its own; null of none
}

type series struct {
	rollup.Label
	Total seriesPoint `json:"total"`
}

type groupTrendView struct {
	rangeView
	Granularity rollup.Step `json:"granularity"`
	By          string      `json:"by"`
	Series      []series    `json:"series"` // the greatest first
	Trends      []seriesRow `json:"trends"`
}

const (
	defaultSeries = 10
	mostSeries    = 50
)

// groupTrends shows a range in points for each of the greatest ?by= groups of
// users, applications, models and so on; ?top= of them (10).
func (h *handler) groupTrends(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q, err := h.question(r, c)
	if err != nil {
		return err
	}
	by := r.URL.Query().Get("by")
	if by == "" {
		by = "group"
	}
	measure, err := sortedBy(r.URL.Query().Get("sort"), c)
	if err != nil {
		return err
	}
	top := defaultSeries
	if text := r.URL.Query().Get("top"); text != "" {
		if top, err = strconv.Atoi(text); err != nil || top < 1 || top > mostSeries {
			return hub.Invalid("top", "top must be a whole number from 1 to %d.", mostSeries)
		}
	}
	x, found, err := h.Stats.Top(r.Context(), q, by, measure, 0, top)
	if err != nil {
		return err
	}
	labels, err := h.Stats.Labels(r.Context(), by, found.Parts)
	if err != nil {
		return err
	}
	v := groupTrendView{rangeView: viewRange(x), Granularity: x.Step, By: by, Series: []series{}}
	if v.Trends, err = seriesRows(x, found.Parts, found.Rest, h.price(c)); err != nil {
		return err
	}
	for i, p := range found.Parts {
		total, err := viewSeriesPoint(&p.Total, h.price(c))
		if err != nil {
			return err
		}
		v.Series = append(v.Series, series{labels[i], total})
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

func seriesRows(x rollup.Range, shown []*rollup.Part, rest []rollup.Total, creditPrice string) ([]seriesRow, error) {
	out := make([]seriesRow, len(x.Starts))
	for i, at := range x.Starts {
		out[i] = seriesRow{Timestamp: at.Unix(), Start: at, Values: map[string]seriesPoint{}}
		for _, p := range shown {
			if p.Slots[i].Calls == 0 {
				continue
			}
			v, err := viewSeriesPoint(&p.Slots[i], creditPrice)
			if err != nil {
				return nil, err
			}
			out[i].Values[p.Key] = v
		}
		if len(rest) == 0 {
			continue
		}
		v, err := viewSeriesPoint(&rest[i], creditPrice)
		if err != nil {
			return nil, err
		}
		out[i].Other = &v
	}
	return out, nil
}

// errorRow is how often calls ended with an error.
type errorRow struct {
	Category string         `json:"category"`
	Status   hub.CallStatus `json:"status"`
	Provider string         `json:"provider"`
	Model    string         `json:"model"`
	Calls    int64          `json:"calls"`
	Share    *float64       `json:"share"`   // of all calls
	LastAt   time.Time      `json:"last_at"` // when the latest of them was admitted
}

type errorsView struct {
	rangeView
	Calls      int64      `json:"calls"` // of the range, with errors or without
	Errors     int64      `json:"errors"`
	Categories []errorRow `json:"categories"` // over all models, the most frequent first
	Models     []errorRow `json:"models"`     // by provider and model, the hundred most frequent
}

const mostErrors = 100

// errorStats shows what went wrong in a range, by category and by model.
func (h *handler) errorStats(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	q, err := h.question(r, c)
	if err != nil {
		return err
	}
	q.Step = ""
	v, err := h.errorsOf(r, q)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}
