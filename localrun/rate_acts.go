package main

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// rateFlags say which rate is meant.
func rateFlags(more ...cli.Flag) []cli.Flag {
	return append([]cli.Flag{text("provider", "`NAME` of the provider"), text("model", "the provider's own `NAME` for the model"),
		text("type", "chatCompletion (default), embedding, imageGeneration, audioGeneration, video, moderation or rerank")}, more...)
}

func (j *job) findRate(a *boot.App) (store.Rate, error) {
	return a.Desk.FindRate(j.ctx, j.text("provider"), j.text("model"), hub.CallType(j.text("type")))
}

func rateRemoveSpec() spec {
	return spec{name: "remove", usage: "remove a rate; what was charged with it stays explained", run: rateRemove, needs: []string{"provider", "model"}, arg: "model",
		about: "Refused while an alias leads to the model, unless --force is given. Calls that are open are charged as they were admitted.",
		flags: rateFlags(toggle("force", "remove it although aliases lead to it"), toggle("dry-run", "only show what uses the rate"), reasonFlag())}
}

func rateRemove(j *job) error {
	return j.withHub(func(a *boot.App) error {
		row, err := j.findRate(a)
		if err != nil {
			return err
		}
		name := row.Provider + "/" + row.Model
		if j.c.Bool("dry-run") {
			deps, err := a.Desk.RateDependants(j.ctx, row)
			if err != nil {
				return err
			}
			return j.show(map[string]any{"rate": name, "dry_run": true, "dependants": deps}, fmt.Sprintf("Used by %d alias rule(s) %s and %d open call(s).\n",
				len(deps.Aliases), strings.Join(deps.Aliases, "; "), deps.OpenCalls))
		}
		deps, err := a.Desk.RemoveRate(j.ctx, actor, row.ID, j.text("reason"), j.c.Bool("force"))
		if err != nil {
			return err
		}
		return j.show(map[string]any{"rate": name, "removed": true, "dependants": deps}, fmt.Sprintf("Removed rate %s (%s).\n", name, row.Type))
	})
}

func rateHistorySpec() spec {
	return spec{name: "history", usage: "list changes of rates, newest first: what, who, when and why", run: rateHistory,
		flags: []cli.Flag{text("provider", "only of this provider's --model"), text("model", "the model's `NAME`"), number("limit", "at most this many; 50 unless given")}}
}

// versionView is a change of a rate as it is shown.
type versionView struct {
	At       time.Time    `json:"at"`
	Provider string       `json:"provider"`
	Model    string       `json:"model"`
	Type     hub.CallType `json:"type"`
	RateID   string       `json:"rate_id"`
	Version  int64        `json:"version"`
	Change   string       `json:"change"`
	Actor    string       `json:"actor"`
	Reason   string       `json:"reason"`
	Margin   string       `json:"margin"`
	Prices   *priceView   `json:"prices"` // credits
	Cost     *priceView   `json:"cost"`   // dollars; null: the catalogue's
}

func rateHistory(j *job) error {
	q := store.RateHistoryQuery{Provider: j.text("provider"), Model: j.text("model"), Limit: int(j.c.Int64("limit"))}
	if q.Limit == 0 {
		q.Limit = 50
	}
	switch {
	case q.Limit < 1 || q.Limit > 1000:
		return hub.Invalid("limit", "--limit must be from 1 to 1000")
	case (q.Provider == "") != (q.Model == ""):
		return hub.Invalid("model", "--provider and --model belong together")
	}
	return j.withHub(func(a *boot.App) error {
		rows, err := a.Store.RateHistory(j.ctx, q)
		if err != nil {
			return err
		}
		views, lines := make([]versionView, 0, len(rows)), make([][]string, 0, len(rows))
		for _, row := range rows {
			r, err := boot.ReadRate(row.Rate)
			if err != nil {
				return err
			}
			v := versionView{At: row.At, Provider: row.Provider, Model: row.Model, Type: row.Type, RateID: row.ID, Version: row.Version, Change: row.Change,
				Actor: row.Actor, Reason: row.Reason, Margin: row.Margin, Prices: viewPrices(&r.Prices)}
			if r.Cost != nil {
				v.Cost = viewPrices(r.Cost)
			}
			views = append(views, v)
			lines = append(lines, []string{v.At.Format(time.RFC3339), v.Provider + "/" + v.Model, strconv.FormatInt(v.Version, 10), v.Change, v.Actor, orDash(v.Reason), v.Prices.words()})
		}
		return j.show(views, table("TIME MODEL VERSION CHANGE BY WHY CREDITS/1M", lines))
	})
}

func repriceSpec() spec {
	return spec{name: "reprice", usage: "compute prices from costs: cost × (1 + margin ÷ 100) ÷ credit price", run: rateReprice, needs: []string{"margin"}, arg: "margin",
		about: "Costs are the rates' own, else the catalogue's; for a price that depends on the hour, the dearest. Every bucket, tier and\n" +
			"variant is computed, exact to a trillionth of a credit. Look at --dry-run first.\n" +
			"The credit price is AIGNE_HUB_CREDIT_PRICE, or --credit-price.",
		flags: []cli.Flag{text("margin", "`PERCENT` on the cost, such as 20"),
			text("provider", "only rates of this provider"), text("model", "only rates of this model"), toggle("dry-run", "show the differences and change nothing"), reasonFlag()}}
}

// repricedView is what a re-pricing makes of a rate.
type repricedView struct {
	Provider   string       `json:"provider"`
	Model      string       `json:"model"`
	Type       hub.CallType `json:"type"`
	CostSource string       `json:"cost_source"`
	Old        *priceView   `json:"old"` // credits
	New        *priceView   `json:"new"`
	Changed    bool         `json:"changed"`
	Skipped    string       `json:"skipped,omitempty"` // why it stays
}

func rateReprice(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.AdoptCatalogue(j.ctx); err != nil {
			return err
		}
		r := operator.Repricing{Margin: j.text("margin"), Provider: j.text("provider"), Model: j.text("model"),
			DryRun: j.c.Bool("dry-run"), Reason: j.text("reason")}
		out, err := a.Desk.Reprice(j.ctx, actor, r)
		if err != nil {
			return err
		}
		views, lines, changed := make([]repricedView, 0, len(out)), make([][]string, 0, len(out)), 0
		for _, p := range out {
			v := repricedView{p.Row.Provider, p.Row.Model, p.Row.Type, p.CostSource, viewPrices(&p.Old), viewPrices(&p.New), p.Skipped == "", p.Skipped}
			outcome := v.New.words()
			if v.Changed {
				changed++
			} else {
				outcome = "stays: " + p.Skipped
			}
			views, lines = append(views, v), append(lines, []string{v.Provider, v.Model, v.CostSource, v.Old.words(), outcome})
		}
		words := "Changed"
		if r.DryRun {
			words = "Would change"
		}
		return j.show(map[string]any{"dry_run": r.DryRun, "changed": changed, "rates": views},
			table("PROVIDER MODEL COST-FROM OLD-CREDITS/1M NEW-CREDITS/1M", lines)+fmt.Sprintf("%s %d of %d rate(s).\n", words, changed, len(out)))
	})
}

func rateCheckSpec() spec {
	return spec{name: "check", usage: "find prices below cost, costs that drifted, and lost margins", run: rateCheck,
		about: "below_cost: somewhere a call is charged less than it costs. cost_drift: a cost kept with a rate is not the catalogue's.\n" +
			"margin_drift: a price computed with a margin no longer has it. A margin, however large, is none of these.\n" +
			"With --fail it exits with 1 when something is found.",
		flags: []cli.Flag{text("tolerance", "`PERCENT` by which costs may differ; 1 unless given"), toggle("fail", "exit with 1 when something is found")}}
}

// findingView is a finding as it is shown.
type findingView struct {
	Kind     string                  `json:"kind"`
	Provider string                  `json:"provider"`
	Model    string                  `json:"model"`
	Type     hub.CallType            `json:"type"`
	Places   []operator.FindingPlace `json:"places"` // per unit
}

func rateCheck(j *job) error {
	tolerance, err := j.tolerance()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		if err := a.AdoptCatalogue(j.ctx); err != nil {
			return err
		}
		found, err := a.Desk.CheckRates(j.ctx, tolerance)
		if err != nil {
			return err
		}
		views, lines := make([]findingView, 0, len(found)), [][]string{}
		for _, f := range found {
			views = append(views, findingView{f.Kind, f.Rate.Provider, f.Rate.Model, f.Rate.Type, f.Places})
			for _, p := range f.Places {
				is, should := dash, dash
				if p.Is != nil {
					is = p.Is.PerMillion()
				}
				if p.Should != nil {
					should = p.Should.PerMillion()
				}
				lines = append(lines, []string{f.Kind, f.Rate.Provider + "/" + f.Rate.Model, p.Place, is, should})
			}
		}
		human := table("FINDING MODEL PLACE IS/1M SHOULD/1M", lines)
		if len(found) == 0 {
			human = "Every price covers its cost.\n"
		}
		if err := j.show(views, human); err != nil || len(found) == 0 || !j.c.Bool("fail") {
			return err
		}
		return hub.Errorf(hub.CodeConflict, "%d finding(s)", len(found))
	})
}

// tolerance is in hundredths of a percent.
func (j *job) tolerance() (int64, error) {
	if j.text("tolerance") == "" {
		return operator.DefaultTolerance, nil
	}
	r, ok := new(big.Rat).SetString(j.text("tolerance"))
	if len(j.text("tolerance")) > 8 || strings.ContainsAny(j.text("tolerance"), "eE/") || !ok {
		return 0, hub.Invalid("tolerance", "--tolerance must be a percentage with at most two decimals")
	}
	r.Mul(r, big.NewRat(100, 1))
	if !r.IsInt() {
		return 0, hub.Invalid("tolerance", "--tolerance must be a percentage with at most two decimals")
	}
	return r.Num().Int64(), nil
}

func rateDeprecateSpec() spec {
	return spec{name: "deprecate", usage: "mark a rate as one to leave, and say when its calls end", run: rateDeprecate, needs: []string{"provider", "model"}, arg: "model",
		flags: rateFlags(text("refuse-from", "`TIME` from which calls are refused; never unless given"), reasonFlag())}
}

func rateDeprecate(j *job) error {
	from, err := j.time("refuse-from")
	if err != nil {
		return err
	}
	return j.marked(func(a *boot.App, id string) (store.Rate, error) {
		return a.Desk.DeprecateRate(j.ctx, actor, id, j.text("reason"), from)
	})
}

func rateRestoreSpec() spec {
	return spec{name: "restore", usage: "take a deprecation back", run: rateRestore, needs: []string{"provider", "model"}, arg: "model", flags: rateFlags(reasonFlag())}
}

func rateRestore(j *job) error {
	return j.marked(func(a *boot.App, id string) (store.Rate, error) {
		return a.Desk.RestoreRate(j.ctx, actor, id, j.text("reason"))
	})
}

func (j *job) marked(mark func(a *boot.App, id string) (store.Rate, error)) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.AdoptCatalogue(j.ctx); err != nil {
			return err
		}
		row, err := j.findRate(a)
		if err != nil {
			return err
		}
		if row, err = mark(a, row.ID); err != nil {
			return err
		}
		kinds, err := kindsByName(j.ctx, a)
		if err != nil {
			return err
		}
		v, err := viewRate(a, kinds, row)
		if err != nil {
			return err
		}
		return j.show(v, fmt.Sprintf("Rate %s/%s (%s) is %s.\n", v.Provider, v.Model, v.Type, v.state()))
	})
}

func ratePlansSpec() spec {
	return spec{name: "plans", usage: "list prices that hold from a time to come, or drop one", run: ratePlans,
		flags: []cli.Flag{text("drop", "`ID` of a plan to forget")}}
}

// planView is a planned rate as it is shown.
type planView struct {
	ID       string       `json:"id"`
	From     time.Time    `json:"from"`
	Provider string       `json:"provider"`
	Model    string       `json:"model"`
	Type     hub.CallType `json:"type"`
	Prices   *priceView   `json:"prices"` // credits
	Actor    string       `json:"actor"`
	Reason   string       `json:"reason"`
}

func ratePlans(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if id := j.text("drop"); id != "" {
			if err := a.Desk.DropRatePlan(j.ctx, actor, id); err != nil {
				return err
			}
			return j.show(map[string]any{"id": id, "dropped": true}, fmt.Sprintf("Dropped plan %s.\n", id))
		}
		const most = 1000
		rows, err := a.Store.RatePlans(j.ctx, time.Time{}, "", most)
		if err != nil {
			return err
		}
		views, lines := make([]planView, 0, len(rows)), make([][]string, 0, len(rows))
		for _, row := range rows {
			r, err := boot.ReadRate(row.Rate)
			if err != nil {
				return err
			}
			v := planView{row.ID, row.From, row.Provider, row.Model, row.Type, viewPrices(&r.Prices), row.Actor, row.Reason}
			views, lines = append(views, v), append(lines, []string{v.ID, v.From.Format(time.RFC3339), v.Provider + "/" + v.Model, v.Prices.words(), v.Actor, orDash(v.Reason)})
		}
		return j.show(views, table("ID FROM MODEL CREDITS/1M BY WHY", lines))
	})
}
