package main

import (
	"fmt"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func limitSpecs() []spec {
	return []spec{
		{
			name: "set", usage: "limit what keys, users, applications or models may use; a limit that is there is replaced",
			run: limitSet, needs: []string{"scope", "metric", "amount"},
			about: "Requests and tokens are counted for a minute, hour, day, week or month (UTC), credits likewise as a budget,\n" +
				"concurrency at every moment. Limits hold over all processes that share the database.",
			flags: []cli.Flag{
				text("scope", "key, user, app, model or member"),
				text("subject", "`WHOM` it binds: a key's id, an e-mail address, an application's id, provider/model, or wallet/e-mail address for a member of a shared wallet; * (default) binds each one by itself"),
				text("metric", "requests, tokens, concurrency or credits"),
				text("period", "minute, hour, day, week or month; not with concurrency"),
				text("amount", "a number of requests, tokens or calls at once, or decimal credits"),
			},
		},
		{name: "list", usage: "list limits", run: limitList},
		{name: "remove", usage: "remove a limit", run: limitRemove, needs: []string{"id"}, arg: "id", flags: []cli.Flag{text("id", "the limit's `ID`")}},
	}
}

// limitView is a limit as it is shown.
type limitView struct {
	ID      string `json:"id"`
	Scope   string `json:"scope"`
	Subject string `json:"subject"`
	Metric  string `json:"metric"`
	Period  string `json:"period"`
	Amount  string `json:"amount"`
	Managed string `json:"managed,omitempty"` // file: only the file that was applied may change it
}

func viewLimit(l store.Limit) limitView {
	amount := strconv.FormatInt(l.Amount, 10)
	if l.Metric == limits.Credits {
		amount = money.Credits(l.Amount).String()
	}
	return limitView{l.ID, l.Scope, l.Subject, l.Metric, l.Period, amount, l.Managed}
}

func limitSet(j *job) error {
	n := operator.NewLimit{Scope: j.text("scope"), Subject: j.text("subject"), Metric: j.text("metric"), Period: j.text("period"), Amount: j.text("amount")}
	if n.Subject == "" {
		n.Subject = limits.Each
	}
	return j.withHub(func(a *boot.App) error {
		l, err := a.Desk.SetLimit(j.ctx, actor, n)
		if err != nil {
			return err
		}
		return j.show(viewLimit(l), fmt.Sprintf("Set limit %s: %s %s, %s.\n", l.ID, l.Scope, n.Subject,
			limits.Describe(store.LimitHold{Metric: l.Metric, Period: l.Period, Most: l.Amount})))
	})
}

func limitList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		all, err := a.Store.Limits(j.ctx)
		if err != nil {
			return err
		}
		views, rows := make([]limitView, 0, len(all)), make([][]string, 0, len(all))
		for _, l := range all {
			v := viewLimit(l)
			views = append(views, v)
			rows = append(rows, []string{v.ID, v.Scope, v.Subject, v.Metric, v.Period, v.Amount})
		}
		return j.show(views, table("ID SCOPE SUBJECT METRIC PERIOD AMOUNT", rows))
	})
}

func limitRemove(j *job) error {
	return j.withHub(func(a *boot.App) error {
		id := j.text("id")
		if err := a.Desk.RemoveLimit(j.ctx, actor, id); err != nil {
			return err
		}
		return j.show(map[string]any{"id": id, "removed": true}, fmt.Sprintf("Removed limit %s.\n", id))
	})
}
