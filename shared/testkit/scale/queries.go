package scale

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Query is something that a hub does on a database of many calls.
type Query struct {
	Name   string
	Rounds int           // 0: 50
	Limit  time.Duration // of the 95th percentile; 0: none
	Run    func(ctx context.Context, h *Hub) error
}

// dashboard is what a page of the console may take.
const dashboard = 100 * time.Millisecond

// get makes a query of a request to a function.
func get(name, function string, asOwner bool, path func(h *Hub) string) Query {
	return Query{Name: name, Limit: dashboard, Run: func(ctx context.Context, h *Hub) error {
		_, err := h.Get(ctx, function, path(h), asOwner)
		return err
	}}
}

// stat asks for a statistic of everybody's calls, or of the busiest user's where
// the path ends with user=.
func stat(name, path string) Query {
	return get(name, "usage", true, func(h *Hub) string {
		if strings.HasSuffix(path, "user=") {
			return "/api/usage/" + path + h.Busiest() + "&allUsers=true"
		}
		return "/api/usage/" + path + "&allUsers=true"
	})
}

const callsPath = "/api/user/model-calls"

// Queries are what is measured. Whoever adds a view of the call log or a statistic
// adds its requests here.
func Queries() []Query {
	seconds := func(t time.Time) int64 { return t.Unix() }
	return []Query{
		get("calls: newest page, everybody", "usage", true, func(*Hub) string { return callsPath + "?scope=all&pageSize=100" }),
		get("calls: a page somewhere in the year, everybody", "usage", true, func(h *Hub) string {
			return callsPath + "?scope=all&pageSize=100&before=" + h.Before()
		}),
		get("calls: newest page, own", "usage", false, func(*Hub) string { return callsPath + "?pageSize=100" }),
		get("calls: a page somewhere in the year, own", "usage", false, func(h *Hub) string { return callsPath + "?pageSize=100&before=" + h.Before() }),
		get("calls: a page of a day, everybody", "usage", true, func(h *Hub) string {
			day := h.Moment()
			return fmt.Sprintf("%s?scope=all&pageSize=100&startTime=%d&endTime=%d", callsPath, seconds(day), seconds(day.Add(24*time.Hour)))
		}),
		{Name: "call: detail with its explanation", Limit: dashboard, Run: func(ctx context.Context, h *Hub) error {
			call, err := h.SomeCall(ctx)
			if err == nil {
				_, err = h.Get(ctx, "usage", callsPath+"/"+call, true)
			}
			return err
		}},
		get("calls: failed ones of a model, everybody", "usage", true, func(*Hub) string { return callsPath + "?scope=all&pageSize=100&status=failed&model=gpt" }),
		get("calls: slow ones of a user", "usage", true, func(h *Hub) string {
			return callsPath + "?scope=all&pageSize=100&minDurationSeconds=20&userDid=" + h.Busiest()
		}),
		get("calls: page 50 of a list with pages", "usage", true, func(*Hub) string { return callsPath + "?scope=all&pageSize=100&page=50" }),
		stat("summary: 30 days, everybody", "summary?timeRange=30"),
		stat("summary: 7 days in Kolkata, one user", "summary?timeRange=7&timezone=Asia/Kolkata&user="),
		stat("trends: 30 days by day in New York", "trends?timeRange=30&granularity=day&timezone=America/New_York"),
		stat("trends: a year by month", "trends?timeRange=365&granularity=month"),
		stat("breakdown: 30 days by model", "breakdown?timeRange=30&by=model"),
		stat("breakdown: 30 days by user", "breakdown?timeRange=30&by=user"),
		stat("breakdown: 30 days by key", "breakdown?timeRange=30&by=key"),
		stat("breakdown: 30 days by application", "breakdown?timeRange=30&by=app"),
		stat("series: 30 days of the 10 greatest users by day", "group-trends?timeRange=30&by=user&granularity=day"),
		stat("series: 30 days of the 10 greatest models by day", "group-trends?timeRange=30&by=model&granularity=day"),
		stat("errors: 30 days", "errors?timeRange=30"),
		get("own usage: 30 days", "usage", false, func(*Hub) string { return "/api/user/usage-stats?timeRange=30" }),
		{Name: "export: a month as CSV", Rounds: 3, Run: func(ctx context.Context, h *Hub) error {
			_, err := h.Get(ctx, "usage", fmt.Sprintf("%s/export?scope=all&startTime=%d&endTime=%d", callsPath, seconds(h.Until.AddDate(0, -1, 0)), seconds(h.Until)), true)
			return err
		}},
		get("quota: 30 days", "usage", false, func(*Hub) string { return "/api/usage/quota" }),
		get("status page", "usage", true, func(*Hub) string { return "/api/status" }),
		get("users: a page", "admin", true, func(*Hub) string { return "/api/admin/users?pageSize=100" }),
		get("keys: a page, own", "auth", false, func(*Hub) string { return "/api/auth/keys?pageSize=100" }),
		{Name: "archive: 250 calls that are due", Limit: dashboard, Run: func(ctx context.Context, h *Hub) error {
			_, err := h.Store.Archivable(ctx, "", h.Archive.Cutoff(), h.Now(), 250)
			return err
		}},
	}
}

// Result is how long a query took.
type Result struct {
	Name   string        `json:"name"`
	Rounds int           `json:"rounds"`
	P50    time.Duration `json:"p50_ns"`
	P95    time.Duration `json:"p95_ns"`
	Max    time.Duration `json:"max_ns"`
	// CPU is the mean time on processors, garbage collection included: what can be
	// compared when others keep the machine busy.
	CPU   time.Duration `json:"cpu_ns"`
	Limit time.Duration `json:"limit_ns"`
}

// Over reports whether the 95th percentile is above the limit.
func (r Result) Over() bool { return r.Limit > 0 && r.P95 > r.Limit }

// Measure runs queries one after the other. The first round of each is left out:
// it finds the file's pages cold and statements unprepared.
func Measure(ctx context.Context, h *Hub, all []Query) ([]Result, error) {
	const usual = 50
	out := make([]Result, 0, len(all))
	for _, q := range all {
		n := q.Rounds
		if n == 0 {
			n = usual
		}
		times := make([]time.Duration, 0, n)
		var used time.Duration
		for i := range n + 1 {
			began, before := time.Now(), cpuTime()
			if err := q.Run(ctx, h); err != nil {
				return out, errors.Join(fmt.Errorf("%s: %w", q.Name, err), ctx.Err())
			}
			if i > 0 || n == 1 {
				times = append(times, time.Since(began))
				used += cpuTime() - before
			}
		}
		slices.Sort(times)
		rank := func(p float64) time.Duration { return times[int(math.Ceil(p*float64(len(times))))-1] }
		out = append(out, Result{Name: q.Name, Rounds: len(times), P50: rank(0.5), P95: rank(0.95), Max: times[len(times)-1], CPU: used / time.Duration(len(times)), Limit: q.Limit})
	}
	return out, nil
}

// Print writes results as a table.
func Print(w io.Writer, all []Result) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	_, _ = fmt.Fprintln(t, "p50\tp95\tmax\tcpu\trounds\t  query\t") // a tabwriter reports at Flush
	for _, r := range all {
		mark := ""
		if r.Over() {
			mark = " OVER " + r.Limit.String()
		}
		_, _ = fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%d\t  %s%s\n", ms(r.P50), ms(r.P95), ms(r.Max), ms(r.CPU), r.Rounds, r.Name, mark)
	}
	return t.Flush()
}
