package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func auditSpecs() []spec {
	filter := func() []cli.Flag {
		return []cli.Flag{
			text("actor", "only acts of this `WHO`: an e-mail address, cli, system"), text("action", "only this `ACTION`, such as credits.grant"),
			text("subject", "only acts on this `SUBJECT`: a name, an e-mail address, an id"),
			text("from", "only acts from this `TIME` on (RFC 3339)"), text("until", "only acts before this `TIME` (RFC 3339)"),
		}
	}
	return []spec{
		{
			name: "list", usage: "list acts, newest first", run: auditList,
			flags: append(filter(), number("limit", "at most so many; 50 when not given")),
		},
		{
			name: "export", usage: "print all acts, newest first, as NDJSON or CSV", run: auditExport,
			about: "Cells of CSV that a spreadsheet could take for a formula begin with an apostrophe.",
			flags: append(filter(), text("format", "`FORM`: ndjson (default) or csv")),
		},
		{
			name: "verify", usage: "prove that no act was altered, removed or put in later", run: auditVerify,
			about: "Each act's hash covers the act before it. Prints an anchor, number:hash. Keep it elsewhere: given back by\n" +
				"--anchor it proves that the log still holds what it held then, even against somebody who wrote the whole\n" +
				"database anew. Without one, a log that was cut at its end together with its head cannot be told from a\n" +
				"shorter one. A daily job writes the anchor to the log of the process. Fails on any violation.",
			flags: []cli.Flag{text("anchor", "what an earlier verify printed, `NUMBER:HASH`")},
		},
	}
}

func (j *job) actFilter() (f store.ActFilter, err error) {
	f = store.ActFilter{Actor: j.text("actor"), Action: j.text("action"), Subject: j.text("subject")}
	for name, into := range map[string]*time.Time{"from": &f.From, "until": &f.Until} {
		if j.text(name) == "" {
			continue
		}
		if *into, err = time.Parse(time.RFC3339, j.text(name)); err != nil {
			return f, hub.Invalid(name, "--%s must be a time such as 2027-01-31T00:00:00Z, not %q", name, j.text(name))
		}
	}
	return f, nil
}

func auditList(j *job) error {
	f, err := j.actFilter()
	if err != nil {
		return err
	}
	limit := int64(50)
	if j.c.IsSet("limit") {
		if limit = j.c.Int64("limit"); limit < 1 || limit > mostRows {
			return hub.Invalid("limit", "--limit must be 1 to %d", mostRows)
		}
	}
	return j.withHub(func(a *boot.App) error {
		acts, err := a.Store.Acts(j.ctx, f, store.ActCursor{}, int(limit))
		if err != nil {
			return err
		}
		views, rows := make([]operator.ActView, len(acts)), make([][]string, len(acts))
		for i, x := range acts {
			views[i] = operator.ViewAct(x)
			rows[i] = []string{x.At.Format(time.RFC3339), orDash(x.Actor), orDash(x.Address), x.Action, orDash(x.Subject), orDash(x.Before), orDash(x.After)}
		}
		return j.show(views, table("TIME ACTOR ADDRESS ACTION SUBJECT BEFORE AFTER", rows))
	})
}

func auditExport(j *job) error {
	f, err := j.actFilter()
	if err != nil {
		return err
	}
	form := j.text("format")
	switch form {
	case "":
		form = operator.NDJSON
	case operator.NDJSON, operator.CSV:
	default:
		return hub.Invalid("format", "--format must be ndjson or csv, not %q", form)
	}
	if j.json && form == operator.CSV {
		return hub.Invalid("json", "--json and --format csv contradict each other")
	}
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.NoteExport(j.ctx, actor, form, f); err != nil {
			return err
		}
		return a.Desk.ExportActs(j.ctx, j.stdout, form, f)
	})
}

// auditView is the outcome of a verification.
type auditView struct {
	OK     bool   `json:"ok"`
	Anchor string `json:"anchor"`
	store.AuditReport
}

func auditVerify(j *job) error {
	anchor, err := operator.ParseHead(strings.TrimSpace(j.text("anchor")))
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		if err := a.Store.LinkAudit(j.ctx); err != nil {
			return err
		}
		r, err := a.Store.VerifyAudit(j.ctx, anchor)
		if err != nil {
			return err
		}
		n := len(r.Violations)
		head := fmt.Sprintf("%d:%s", r.Head.Number, r.Head.Hash)
		human := fmt.Sprintf("OK: %d acts, no violations.\nanchor %s\n", r.Rows, head)
		if n > 0 {
			rows := make([][]string, 0, n)
			for _, v := range r.Violations {
				rows = append(rows, []string{v.Rule, orDash(v.Subject), v.Detail})
			}
			human = table("RULE SUBJECT FOUND", rows)
		} else {
			r.Violations = []store.Violation{}
		}
		if err := j.show(auditView{n == 0, head, r}, human); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("the audit log was tampered with: %d violation(s) over %d acts", n, r.Rows)
		}
		return nil
	})
}
