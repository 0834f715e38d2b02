package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/reconcile"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func reconcileSpecs() []spec {
	var formats, columns []string
	for _, f := range reconcile.Formats() {
		formats = append(formats, string(f))
	}
	for _, c := range reconcile.Columns() {
		columns = append(columns, string(c))
	}
	provider := text("provider", "`NAME` of the provider in this hub")
	return []spec{
		{
			name: "import", usage: "read a provider's export of usage or cost", run: billImport, needs: []string{"provider", "format", "file"}, arg: "file",
			flags: []cli.Flag{
				provider, text("format", "one of "+strings.Join(formats, ", ")), text("file", "`PATH` of the export; - reads standard input"),
				text("map", "for csv: which column holds what, such as date=Day,model=Model,cost=Cost; there are "+strings.Join(columns, ", ")),
				text("zone", "for csv: time `ZONE` of its days and times, such as Asia/Tokyo; UTC when not given"),
				toggle("calls", "for csv with call ids: correct the operator's cost of those calls; what users were charged stays"),
			},
			about: "JSON or CSV is told by the file. Nothing counts until the whole file was read; then it replaces what was known of\n" +
				"the same days, models and keys. The same file again changes nothing.",
		},
		{
			name: "report", usage: "set bills against what this hub recorded", run: billReport,
			flags: []cli.Flag{
				text("provider", "only the provider of this `NAME`"), text("from", "first `DAY`; 31 days back when not given"), text("to", "last `DAY`; today when not given"),
				text("tolerance", "`PERCENT` by which figures may differ; 1 when not given"), text("min-cost", "`DOLLARS` by which a cost may differ; 0.01 when not given"),
				toggle("all", "also what is within the tolerance"),
			},
			about: "A call belongs to the day on which it was admitted. Days are UTC unless an import said otherwise.",
		},
		{
			name: "calls", usage: "list the calls behind a line of the report", run: billCalls, needs: []string{"provider", "day"},
			flags: []cli.Flag{
				provider, text("day", "`DAY`, or its beginning as the report has it"), text("until", "its end as the report has it, unless it is a day of UTC"),
				text("model", "only calls of this `MODEL`"), text("credential", "only calls with the credential of this `NAME`"),
				number("limit", "at most so many; 50 when not given"), text("after", "only calls after the one with this `ID`: the last one of the page before"),
			},
		},
		{name: "imports", usage: "list what was imported, newest first", run: billImports},
		{
			name: "map", usage: "say which credential a key of an export is", run: billMap, needs: []string{"provider", "key"},
			flags: []cli.Flag{provider, text("key", "`KEY` as the export names it"), text("credential", "`NAME` of the credential; without it the mapping is taken back")},
			about: "A key that bears a credential's name needs no mapping.",
		},
	}
}

func billImport(j *job) error {
	o := reconcile.Options{Provider: j.text("provider"), Format: reconcile.Format(j.text("format")), Calls: j.c.Bool("calls")}
	var err error
	if o.Columns, err = reconcile.ParseColumns(j.text("map")); err != nil {
		return err
	}
	if o.Zone, err = reconcile.ParseZone(j.text("zone")); err != nil {
		return err
	}
	in := j.stdin
	if path := j.text("file"); path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return hub.Invalid("file", "the file cannot be opened: %v", err)
		}
		defer f.Close()
		in = io.Reader(f)
	}
	return j.withHub(func(a *boot.App) error {
		v, err := a.Desk.ImportBill(j.ctx, actor, in, o)
		if err != nil {
			return err
		}
		words := fmt.Sprintf("Read %d lines: %d days, models and keys added, %d replaced, %d unchanged.\n", v.Lines, v.Added, v.Replaced, v.Unchanged)
		if o.Calls {
			words += fmt.Sprintf("Corrected the cost of %d calls; %d are not known here.\n", v.CallsCorrected, v.CallsUnknown)
		}
		return j.show(v, words)
	})
}

func billReport(j *job) error {
	q, err := reconcile.ParseQuery(j.text("provider"), j.text("from"), j.text("to"), j.text("tolerance"), j.text("min-cost"), time.Now())
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		r, err := a.Desk.Bills().Report(j.ctx, q)
		if err != nil {
			return err
		}
		if !j.c.Bool("all") {
			r.Drifts = slices.DeleteFunc(r.Drifts, func(d reconcile.Drift) bool { return !d.Over })
		}
		return j.show(r, reportWords(&r))
	})
}

func reportWords(r *reconcile.Report) string {
	rows := make([][]string, 0, len(r.Drifts))
	for _, d := range r.Drifts {
		day := d.Day.Format(time.DateOnly)
		if d.Day != d.Day.Truncate(24*time.Hour) {
			day = d.Day.Format(time.RFC3339)
		}
		credential := orDash(d.Credential)
		if d.Credential == "" && len(d.Keys) > 0 {
			credential = "? " + strings.Join(d.Keys, ", ")
		}
		rows = append(rows, []string{d.Provider, day, orDash(d.Model), credential,
			pair(d.Billed.Requests, d.Recorded.Requests), pair(d.Billed.Input, d.Recorded.Input), pair(d.Billed.CacheRead, d.Recorded.CacheRead),
			pair(d.Billed.Output, d.Recorded.Output), costPair(d.Billed.CostUSD, d.Recorded.CostUSD), orDash(strings.Join(d.Reasons, ", "))})
	}
	var b strings.Builder
	if len(rows) > 0 {
		b.WriteString(table("PROVIDER DAY MODEL CREDENTIAL REQUESTS INPUT CACHE-READ OUTPUT COST-USD DRIFT", rows))
		b.WriteString("Figures are billed/recorded.\n")
	}
	t := &r.Total
	fmt.Fprintf(&b, "%d beyond %s %% from %s to %s: billed %s USD, recorded %s, drift %s; not attributed %s; %d interrupted calls.\n", r.Over, r.Tolerance,
		r.From.Format(time.DateOnly), r.Until.Add(-time.Nanosecond).Format(time.DateOnly), t.BilledUSD, t.RecordedUSD, t.DriftUSD, t.Unattached, t.Interrupted)
	if r.Cut {
		b.WriteString("There are more days than one report compares; ask for fewer.\n")
	}
	return b.String()
}

func pair(billed, recorded *int64) string {
	side := func(n *int64) string {
		if n == nil {
			return dash
		}
		return strconv.FormatInt(*n, 10)
	}
	return side(billed) + "/" + side(recorded)
}

func costPair(billed, recorded *money.Credits) string {
	return creditsOrDash(billed) + "/" + creditsOrDash(recorded)
}

func billCalls(j *job) error {
	f := store.BilledFilter{Provider: j.text("provider"), Model: j.text("model"), Credential: j.text("credential"), After: j.text("after"), Limit: 50}
	var err error
	if f.From, f.Until, err = reconcile.ParseDay(j.text("day"), j.text("until")); err != nil {
		return err
	}
	if j.c.IsSet("limit") {
		n := j.c.Int64("limit")
		const most = 10_000
		if n < 1 || n > most {
			return hub.Invalid("limit", "--limit must be 1 to %d", most)
		}
		f.Limit = int(n)
	}
	return j.withHub(func(a *boot.App) error {
		found, err := a.Desk.Bills().Calls(j.ctx, f)
		if err != nil {
			return err
		}
		mails := emails{store: a.Store}
		views, rows := make([]callView, 0, len(found)), make([][]string, 0, len(found))
		for _, c := range found {
			email, err := mails.of(j.ctx, c.UserID)
			if err != nil {
				return err
			}
			views = append(views, viewCall(c, email))
			rows = append(rows, []string{c.ID, timeOrDash(&c.CreatedAt), c.Model, orDash(c.Credential), string(c.Status), strconv.FormatInt(c.Usage.Prompt(), 10),
				strconv.FormatInt(c.Usage.Completion(), 10), creditsOrDash(c.Cost), orDash(string(c.Source))})
		}
		return j.show(views, table("ID TIME MODEL CREDENTIAL STATUS IN OUT COST-USD USAGE", rows))
	})
}

func billImports(j *job) error {
	return j.withHub(func(a *boot.App) error {
		all := []store.BillImport{}
		for before := ""; ; {
			more, err := a.Store.BillImports(j.ctx, before, page)
			if err != nil {
				return err
			}
			if all = append(all, more...); len(more) < page {
				break
			}
			before = more[len(more)-1].ID
		}
		rows := make([][]string, 0, len(all))
		for _, b := range all {
			rows = append(rows, []string{b.ID, timeOrDash(&b.CreatedAt), b.Provider, b.Format, b.First.Format(time.DateOnly), b.Last.Format(time.DateOnly),
				strconv.FormatInt(b.Lines, 10), strconv.FormatInt(b.Added, 10), strconv.FormatInt(b.Replaced, 10), strconv.FormatInt(b.Unchanged, 10), b.Actor})
		}
		return j.show(all, table("ID TIME PROVIDER FORMAT FROM TO LINES ADDED REPLACED UNCHANGED BY", rows))
	})
}

func billMap(j *job) error {
	return j.withHub(func(a *boot.App) error {
		provider, key, credential := j.text("provider"), j.text("key"), j.text("credential")
		if err := a.Desk.MapBillKey(j.ctx, actor, provider, key, credential); err != nil {
			return err
		}
		words := fmt.Sprintf("In bills of %s, %s is the credential %s.\n", provider, key, credential)
		if credential == "" {
			words = fmt.Sprintf("In bills of %s, %s is nobody's any more.\n", provider, key)
		}
		return j.show(map[string]string{"provider": provider, "key": key, "credential": credential}, words)
	})
}
