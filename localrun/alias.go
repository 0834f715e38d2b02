package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

func aliasSpecs() []spec {
	return []spec{
		{
			name: "set", usage: "define a model name that leads to other models; one that is there is replaced", run: aliasSet,
			needs: []string{"name"}, arg: "name",
			about: "Each --to is a step: models separated by commas share its calls by weight (model=weight), a later step is\n" +
				"tried when all models of the steps before failed. --rules takes the full form, a JSON list of rules with\n" +
				"conditions and policies, instead.",
			flags: []cli.Flag{
				text("name", "the `NAME`"),
				// A list of its own kind: commas separate the targets of a step.
				&cli.GenericFlag{Name: "to", Usage: "`MODEL[=WEIGHT],…` of a step (may be repeated)", Value: &stepList{}},
				text("policy", "order the targets of each step by fast, cheap, balanced, vision, coding or long-context instead of weights"),
				text("rules", "`JSON` list of rules"),
			},
		},
		{name: "list", usage: "list the model names that you defined", run: aliasList},
		{name: "remove", usage: "remove a model name that you defined", run: aliasRemove, needs: []string{"name"}, arg: "name", flags: []cli.Flag{text("name", "the `NAME`")}},
	}
}

// stepList collects the values of a repeated flag as they are.
type stepList struct{ steps []string }

// Set adds a value.
func (l *stepList) Set(value string) error {
	l.steps = append(l.steps, value)
	return nil
}

// String shows the values.
func (l *stepList) String() string { return strings.Join(l.steps, " ") }

func aliasSet(j *job) error {
	a, err := j.newAlias()
	if err != nil {
		return err
	}
	return j.withHub(func(app *boot.App) error {
		if err := app.Desk.SetAlias(j.ctx, actor, a); err != nil {
			return err
		}
		return j.show(aliasView{Name: a.Name, Rules: a.Rules}, fmt.Sprintf("Set alias %s with %d rule(s).\n", a.Name, len(a.Rules)))
	})
}

func (j *job) newAlias() (routing.Alias, error) {
	a := routing.Alias{Name: j.text("name")}
	steps, _ := j.c.Generic("to").(*stepList)
	if raw := j.text("rules"); raw != "" {
		if steps != nil && len(steps.steps) > 0 {
			return a, hub.Invalid("rules", "--rules and --to exclude each other")
		}
		if err := json.Unmarshal([]byte(raw), &a.Rules); err != nil {
			return a, hub.Invalid("rules", "--rules must be a JSON list of rules: %v", err)
		}
		return a, nil
	}
	if steps == nil || len(steps.steps) == 0 {
		return a, hub.Invalid("to", "set needs --to or --rules")
	}
	rule := routing.Rule{Policy: routing.Policy(j.text("policy"))}
	for _, text := range steps.steps {
		var s routing.Step
		for target := range strings.SplitSeq(text, ",") {
			model, weight, weighted := strings.Cut(strings.TrimSpace(target), "=")
			w := routing.Weighted{Model: model}
			if weighted {
				n, err := strconv.ParseInt(weight, 10, 64)
				if err != nil || n < 1 {
					return a, hub.Invalid("to", "--to: the weight of %s must be a whole number of at least 1, not %q", model, weight)
				}
				w.Weight = n
			}
			s.Targets = append(s.Targets, w)
		}
		rule.Steps = append(rule.Steps, s)
	}
	a.Rules = []routing.Rule{rule}
	return a, nil
}

// aliasView is an alias as it is shown.
type aliasView struct {
	Name    string         `json:"name"`
	Rules   []routing.Rule `json:"rules"`
	Managed string         `json:"managed,omitempty"` // file: only the file that was applied may change it
}

func aliasList(j *job) error {
	return j.withHub(func(app *boot.App) error {
		all, err := app.Store.Aliases(j.ctx)
		if err != nil {
			return err
		}
		views, rows := make([]aliasView, 0, len(all)), [][]string{}
		for _, row := range all {
			a, err := operator.ReadAlias(row)
			if err != nil {
				return err
			}
			views = append(views, aliasView{a.Name, a.Rules, row.Managed})
			for i, r := range a.Rules {
				rows = append(rows, []string{a.Name, strconv.Itoa(i + 1), string(r.Policy), stepWords(r)})
			}
		}
		return j.show(views, table("NAME RULE POLICY STEPS", rows))
	})
}

// stepWords says a rule's steps in one line.
func stepWords(r routing.Rule) string {
	words := make([]string, len(r.Steps))
	for i, s := range r.Steps {
		targets := make([]string, len(s.Targets))
		for k, t := range s.Targets {
			targets[k] = t.Model
			if t.Weight > 0 {
				targets[k] += "=" + strconv.FormatInt(t.Weight, 10)
			}
		}
		words[i] = strings.Join(targets, ",")
	}
	return strings.Join(words, " then ")
}

func aliasRemove(j *job) error {
	return j.withHub(func(app *boot.App) error {
		name := j.text("name")
		if err := app.Desk.RemoveAlias(j.ctx, actor, name); err != nil {
			return err
		}
		return j.show(map[string]any{"name": name, "removed": true}, fmt.Sprintf("Removed alias %s.\n", name))
	})
}
