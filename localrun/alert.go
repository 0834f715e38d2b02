package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/alert"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func alertSpecs() []spec {
	return []spec{
		{
			name: "list", usage: "list what is wrong", run: alertList,
			flags: []cli.Flag{toggle("all", "also what is over, newest first"), number("limit", "with --all: at most this many; 50 unless given")},
		},
		{
			name: "ack", usage: "say that you take care of an alert", run: alertAck, needs: []string{"id"}, arg: "id", flags: []cli.Flag{text("id", "the alert's `ID`")},
			about: "The alert stays open until what it is about is right again; \"alert list\" shows who takes care.",
		},
		{name: "rules", usage: "show the rules of alerts", run: alertRules},
		{
			name: "set", usage: "change the rules of alerts", run: alertSet, needs: []string{"rule"}, arg: "rule",
			about: "Give a rule's name and with --to what changes, for example:\n" +
				"  aigne-hub alert set error_rate --to percent=30 --to minutes=5\n  aigne-hub alert set disk --to on=false\n  aigne-hub alert set calm_minutes --to 10\n" +
				"Names and figures are those of \"alert rules --json\".",
			flags: []cli.Flag{text("rule", "the rule's `NAME`"), &cli.StringSliceFlag{Name: "to", Usage: "`FIGURE=VALUE` (may be repeated), or the value of what has one only"}},
		},
	}
}

// alertRow is an alert as it is shown.
type alertRow struct {
	ID             string          `json:"id"`
	Rule           string          `json:"rule"`
	Subject        string          `json:"subject"`
	Severity       string          `json:"severity"`
	State          string          `json:"state"`
	Title          string          `json:"title"`
	Data           json.RawMessage `json:"data"`
	RaisedAt       time.Time       `json:"raised_at"`
	ResolvedAt     *time.Time      `json:"resolved_at"`
	AcknowledgedBy string          `json:"acknowledged_by"`
}

func rowOfAlert(a store.Alert) alertRow {
	r := alertRow{a.ID, a.Rule, a.Subject, a.Severity, "open", a.Title, json.RawMessage(a.Data), a.RaisedAt, a.ResolvedAt, a.AcknowledgedBy}
	if a.ResolvedAt != nil {
		r.State = "resolved"
	}
	return r
}

func alertList(j *job) error {
	limit := int(j.c.Int64("limit"))
	if limit <= 0 {
		limit = 50
	}
	return j.withHub(func(a *boot.App) error {
		found, err := a.Store.OpenAlerts(j.ctx)
		if j.c.Bool("all") {
			found, err = a.Store.Alerts(j.ctx, "", limit)
		}
		if err != nil {
			return err
		}
		views, rows := make([]alertRow, 0, len(found)), make([][]string, 0, len(found))
		for _, x := range found {
			v := rowOfAlert(x)
			views = append(views, v)
			rows = append(rows, []string{v.ID, v.RaisedAt.Format(time.DateTime), v.Severity, v.State, orDash(v.AcknowledgedBy), v.Rule, v.Title})
		}
		return j.show(views, table("ID RAISED SEVERITY STATE ACKNOWLEDGED RULE TITLE", rows))
	})
}

func alertAck(j *job) error {
	return j.withHub(func(a *boot.App) error {
		x, err := a.Desk.AcknowledgeAlert(j.ctx, actor, j.text("id"))
		if err != nil {
			return err
		}
		return j.show(rowOfAlert(x), fmt.Sprintf("Alert %s is taken care of by %s.\n", x.ID, x.AcknowledgedBy))
	})
}

func alertRules(j *job) error {
	return j.withHub(func(a *boot.App) error {
		rules, err := alert.Load(j.ctx, a.Store)
		if err != nil {
			return err
		}
		return showRules(j, rules)
	})
}

func showRules(j *job, rules alert.Rules) error {
	text, err := json.MarshalIndent(rules, "", "  ")
	if err != nil {
		return err
	}
	return j.show(rules, string(text)+"\n")
}

func alertSet(j *job) error {
	change, err := ruleChange(j.text("rule"), j.c.StringSlice("to"))
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		rules, err := a.Desk.SetAlertRules(j.ctx, actor, change)
		if err != nil {
			return err
		}
		return showRules(j, rules)
	})
}

// ruleChange makes the JSON object that says what changes.
func ruleChange(rule string, to []string) ([]byte, error) {
	if len(to) == 0 {
		return nil, hub.Invalid("to", "Say what changes: --to FIGURE=VALUE.")
	}
	figures := map[string]any{}
	for _, pair := range to {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return json.Marshal(map[string]any{rule: ruleValue(pair)})
		}
		if figures[name] = ruleValue(value); name == "least" {
			figures[name] = value // an amount of money, which is text
		}
	}
	return json.Marshal(map[string]any{rule: figures})
}

// ruleValue reads a value as the type that it looks like.
func ruleValue(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	if b, err := strconv.ParseBool(text); err == nil {
		return b
	}
	return text
}
