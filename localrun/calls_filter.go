package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// callFilterFlags are what calls are selected by.
func callFilterFlags() []cli.Flag {
	return []cli.Flag{
		text("user", "only those of the user with the e-mail `ADDRESS`"), text("key-id", "only those by the API key with this `ID`"),
		text("app", "only those of the application with this `ID`"), text("provider", "only those that the provider called `NAME` answered"),
		text("model", "only those whose model's name begins with `TEXT`, as asked for or as called"), text("type", "only those of this `KIND` of work"),
		text("status", "only those with one of these, by comma: `processing,success,failed,aborted,interrupted`"),
		text("error-category", "only those with an error of this `CATEGORY`"), &cli.DurationFlag{Name: "slow", Usage: "only those that lasted that `LONG` or longer"},
		text("min-credits", "only those that were charged that `MUCH` or more"), text("min-cost", "only those that cost the hub so many `DOLLARS` or more"),
		text("request-id", "only those of the request with this `ID`"),
		text("from", "only those from this `TIME` on (RFC 3339)"), text("until", "only those before this `TIME` (RFC 3339)"),
	}
}

func (j *job) callFilter(a *boot.App) (f store.CallFilter, err error) {
	f = store.CallFilter{KeyID: j.text("key-id"), AppID: j.text("app"), Provider: j.text("provider"), Model: j.text("model"), Type: hub.CallType(j.text("type")),
		ErrorCategory: j.text("error-category"), Slow: j.c.Duration("slow"), Search: store.CallSearch{Text: j.text("request-id"), Request: true}}
	if f.Type != "" && !f.Type.Valid() {
		return f, hub.Invalid("type", "--type must be one of %v", hub.CallTypes())
	}
	if text := j.text("status"); text != "" {
		for word := range strings.SplitSeq(text, ",") {
			s := hub.CallStatus(word)
			if !slices.Contains([]hub.CallStatus{hub.StatusProcessing, hub.StatusSuccess, hub.StatusFailed, hub.StatusAborted, hub.StatusInterrupted}, s) {
				return f, hub.Invalid("status", "--status has no %q", word)
			}
			f.Statuses = append(f.Statuses, s)
		}
	}
	for name, into := range map[string]*money.Credits{"min-credits": &f.MinCredits, "min-cost": &f.MinCost} {
		if text := j.text(name); text != "" {
			if *into, err = money.ParseCredits(text); err != nil {
				return f, hub.Invalid(name, "--%s must be a decimal with at most 9 digits behind the point", name)
			}
		}
	}
	for name, into := range map[string]*time.Time{"from": &f.Span.From, "until": &f.Span.Until} {
		if text := j.text(name); text != "" {
			if *into, err = time.Parse(time.RFC3339, text); err != nil {
				return f, hub.Invalid(name, "--%s must be a time such as 2027-01-31T00:00:00Z, not %q", name, text)
			}
		}
	}
	if email := j.text("user"); email != "" {
		u, err := a.Desk.User(j.ctx, email)
		if err != nil {
			return f, err
		}
		f.UserID = u.ID
	}
	return f, nil
}

func callsExport(j *job) error {
	form := calls.Form{Format: cmp.Or(j.text("format"), calls.CSV), Language: calls.Language(j.text("lang")), Operators: true}
	switch {
	case form.Format != calls.CSV && form.Format != calls.NDJSON:
		return hub.Invalid("format", "--format must be csv or ndjson, not %q", form.Format)
	case j.json && j.text("format") == calls.CSV:
		return hub.Invalid("json", "--json and --format csv contradict each other")
	case j.json:
		form.Format = calls.NDJSON
	}
	zone, err := calls.Zone("tz", cmp.Or(j.text("tz"), "UTC"))
	if err != nil {
		return err
	}
	form.Zone = zone.String()
	return j.withHub(func(a *boot.App) error {
		f, err := j.callFilter(a)
		if err != nil {
			return err
		}
		x, err := calls.NewExport(&calls.Log{Store: a.Store, Archives: a.Archive}, form)
		if err != nil {
			return err
		}
		if err := a.Desk.NoteCallExport(j.ctx, actor, map[string]any{"filter": f, "form": form}); err != nil {
			return err
		}
		_, err = x.All(j.ctx, j.stdout, f)
		return err
	})
}

func callsPayload(j *job) error {
	return j.withHub(func(a *boot.App) error {
		p, err := a.Desk.Payload(j.ctx, actor, j.text("id"))
		if err != nil {
			return err
		}
		return j.show(p, humanPayload(p))
	})
}

func humanPayload(p *capture.Payload) string {
	var out strings.Builder
	found, _ := json.Marshal(p.Redacted) // text and numbers
	fmt.Fprintf(&out, "call %s, %s, kept until %s, taken out: %s\n", p.CallID, p.At.Format(time.RFC3339), p.ExpiresAt.Format(time.RFC3339), found)
	for _, part := range []struct {
		name string
		b    *capture.Body
	}{{"request", p.Request}, {"response", p.Response}} {
		if part.b == nil {
			continue
		}
		status := ""
		if part.b.Status != 0 {
			status = fmt.Sprintf(", status %d", part.b.Status)
		}
		fmt.Fprintf(&out, "\n%s: %s, %d bytes%s, cut: %s\n", part.name, clean(part.b.Type), part.b.Bytes, status, yesNo(part.b.Cut))
		if part.b.SHA256 != "" {
			fmt.Fprintf(&out, "sha256 %s\n", part.b.SHA256)
		}
		for line := range strings.SplitSeq(strings.TrimRight(part.b.Text, "\n"), "\n") {
			out.WriteString(clean(line) + "\n")
		}
	}
	return out.String()
}
