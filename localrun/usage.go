package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func usageSpecs() []spec {
	steps := make([]string, 0, len(rollup.Steps()))
	for _, s := range rollup.Steps() {
		steps = append(steps, string(s))
	}
	asked := []cli.Flag{
		text("from", "first `DAY`, or a time such as 2026-01-31T08:00:00Z; 30 days back when not given"),
		text("to", "last `DAY`, or a time; now when not given"), text("zone", "time `ZONE` of days, such as Asia/Kolkata; UTC when not given"),
		text("user", "only calls of the user with the e-mail `ADDRESS`"), text("model", "only calls of this `MODEL`"), text("provider", "only calls at the provider of this `NAME`"),
		text("app", "only calls of the application with this `ID`"), text("status", "only calls that ended so: success, failed, aborted or interrupted"),
	}
	span := []cli.Flag{asked[0], asked[1], asked[2]}
	return []spec{
		{name: "summary", usage: "sum up a range, and the one before", run: usageSummary, flags: asked},
		{name: "trends", usage: "show a range point by point", run: usageTrends,
			flags: append([]cli.Flag{text("granularity", strings.Join(steps, ", ")+"; day when not given")}, asked...)},
		{name: "breakdown", usage: "list who or what called most", run: usageBreakdown, flags: append([]cli.Flag{
			text("by", strings.Join(rollup.Dimensions(), ", ")+"; model when not given"), text("sort", strings.Join(rollup.MeasureNames(), ", ")+"; calls when not given"),
			number("limit", "at most so many; 50 when not given")}, asked...)},
		{name: "rebuild", usage: "make the sums of a range again from its calls", run: usageRebuild, needs: []string{"from"},
			flags: append([]cli.Flag{toggle("force", "also where fewer calls can be read than were counted: what cannot be read is lost")}, span...),
			about: "Sums are made again whenever calls change; this is for calls that came another way, and for doubt. It changes\n" +
				"nothing where they are right. Buckets of which calls were archived out of reach are left as they are."},
		{name: "status", usage: "show how far the sums reach", run: usageStatus},
	}
}

// usageQuestion reads the flags that all statistics have.
func (j *job) usageQuestion(a *boot.App) (q rollup.Question, err error) {
	if q.Zone, err = rollup.Zone(j.text("zone")); err != nil {
		return q, err
	}
	now := a.Now()
	if q.Until, err = moment(j.text("to"), q.Zone, true); err != nil {
		return q, hub.Invalid("to", "--to must be a day such as 2026-01-31 or a time such as 2026-01-31T08:00:00Z")
	}
	if q.Until.IsZero() || q.Until.After(now) {
		q.Until = now
	}
	if q.From, err = moment(j.text("from"), q.Zone, false); err != nil {
		return q, hub.Invalid("from", "--from must be a day such as 2026-01-31 or a time such as 2026-01-31T08:00:00Z")
	}
	if q.From.IsZero() {
		const days = -30
		q.From = q.Until.AddDate(0, 0, days)
	}
	if !q.From.Before(q.Until) {
		return q, hub.Invalid("from", "--from must lie before --to, and before now")
	}
	q.Only = store.StatKey{Model: j.text("model"), Provider: j.text("provider"), AppID: j.text("app"), Status: hub.CallStatus(j.text("status"))}
	if email := j.text("user"); email != "" {
		u, err := a.Desk.User(j.ctx, email)
		if err != nil {
			return q, err
		}
		q.Only.UserID = u.ID
	}
	return q, nil
}

// moment reads a day, of which it is the beginning or the end, or a time.
func moment(text string, zone *time.Location, end bool) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	at, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err == nil && end {
		at = at.AddDate(0, 0, 1)
	}
	return at, err
}

// usageRange is the span that was counted.
type usageRange struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Zone    string    `json:"zone"`
	UTCDays bool      `json:"utc_days"` // the range begins before the oldest 15-minute sums
}

func viewUsageRange(x rollup.Range) usageRange {
	return usageRange{x.From, x.Until, x.Zone.String(), x.UTCDays}
}

func (v usageRange) words() string {
	s := fmt.Sprintf("%s to %s, %s", v.From.Format(time.RFC3339), v.To.Format(time.RFC3339), v.Zone)
	if v.UTCDays {
		s += " (older than the 15-minute sums: days of UTC)"
	}
	return s + "\n"
}

const figureHeads = "CALLS OK FAILED ABORTED IN OUT CREDITS REVENUE-USD COST-USD NO-COST MARGIN-USD P50-MS P95-MS P99-MS"

func figureCells(f rollup.Figures) []string {
	n := func(v int64) string { return strconv.FormatInt(v, 10) }
	ms := func(v *int64) string {
		if v == nil {
			return dash
		}
		return n(*v)
	}
	return []string{n(f.Calls), n(f.Statuses[hub.StatusSuccess]), n(f.Statuses[hub.StatusFailed] + f.Statuses[hub.StatusInterrupted]), n(f.Statuses[hub.StatusAborted]),
		n(f.InputTokens), n(f.OutputTokens), f.Credits.String(), f.RevenueUSD.String(), f.CostUSD.String(), n(f.Uncosted), creditsOrDash(f.MarginUSD),
		ms(f.Duration.P50MS), ms(f.Duration.P95MS), ms(f.Duration.P99MS)}
}

func usageSummary(j *job) error {
	return j.withHub(func(a *boot.App) error {
		q, err := j.usageQuestion(a)
		if err != nil {
			return err
		}
		q.Before = true
		x, current, before, err := a.Stats.Summary(j.ctx, q)
		if err != nil {
			return err
		}
		v := struct {
			usageRange
			Current  rollup.Figures `json:"current"`
			Previous rollup.Figures `json:"previous"` // of the range of the same length right before
		}{usageRange: viewUsageRange(x)}
		if v.Current, err = current.Figures(a.Config.CreditPrice); err != nil {
			return err
		}
		if v.Previous, err = before.Figures(a.Config.CreditPrice); err != nil {
			return err
		}
		rows := [][]string{append([]string{"range"}, figureCells(v.Current)...), append([]string{"before"}, figureCells(v.Previous)...)}
		return j.show(v, v.words()+table("OF "+figureHeads, rows))
	})
}

type usagePoint struct {
	Start time.Time `json:"start"`
	rollup.Figures
}

func usageTrends(j *job) error {
	step := rollup.Step(j.text("granularity"))
	switch {
	case step == "":
		step = rollup.ByDay
	case !slices.Contains(rollup.Steps(), step):
		return hub.Invalid("granularity", "--granularity must be hour, day, week or month")
	}
	return j.withHub(func(a *boot.App) error {
		q, err := j.usageQuestion(a)
		if err != nil {
			return err
		}
		q.Step = step
		x, slots, err := a.Stats.Trend(j.ctx, q)
		if err != nil {
			return err
		}
		v := struct {
			usageRange
			Granularity rollup.Step  `json:"granularity"`
			Trends      []usagePoint `json:"trends"`
		}{viewUsageRange(x), x.Step, make([]usagePoint, len(slots))}
		rows := make([][]string, len(slots))
		for i := range slots {
			f, err := slots[i].Figures(a.Config.CreditPrice)
			if err != nil {
				return err
			}
			v.Trends[i] = usagePoint{x.Starts[i], f}
			rows[i] = append([]string{x.Starts[i].Format(time.RFC3339)}, figureCells(f)...)
		}
		return j.show(v, v.words()+table("START "+figureHeads, rows))
	})
}

type usagePart struct {
	rollup.Label
	rollup.Figures
}

func usageBreakdown(j *job) error {
	by, measure, limit := j.text("by"), rollup.Measure(j.text("sort")), int64(50)
	if by == "" {
		by = "model"
	}
	switch {
	case measure == "":
		measure = rollup.Calls
	case !slices.Contains(rollup.MeasureNames(), string(measure)):
		return hub.Invalid("sort", "--sort must be one of %s", strings.Join(rollup.MeasureNames(), ", "))
	}
	if j.c.IsSet("limit") {
		if limit = j.c.Int64("limit"); limit < 1 || limit > 100_000 {
			return hub.Invalid("limit", "--limit must be 1 to 100000")
		}
	}
	return j.withHub(func(a *boot.App) error {
		q, err := j.usageQuestion(a)
		if err != nil {
			return err
		}
		x, top, err := a.Stats.Top(j.ctx, q, by, measure, 0, int(limit))
		if err != nil {
			return err
		}
		v := struct {
			usageRange
			By    string      `json:"by"`
			Total int         `json:"total"` // of which the first are shown
			Data  []usagePart `json:"data"`
		}{viewUsageRange(x), by, top.Count, []usagePart{}}
		parts := top.Parts
		labels, err := a.Stats.Labels(j.ctx, by, parts)
		if err != nil {
			return err
		}
		rows := make([][]string, len(parts))
		for i, p := range parts {
			f, err := p.Figures(a.Config.CreditPrice)
			if err != nil {
				return err
			}
			v.Data = append(v.Data, usagePart{labels[i], f})
			rows[i] = append([]string{orDash(p.Key), orDash(labels[i].Email + labels[i].Name)}, figureCells(f)...)
		}
		return j.show(v, v.words()+table(strings.ToUpper(by)+" NAME "+figureHeads, rows))
	})
}
