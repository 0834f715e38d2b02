package main

import (
	"fmt"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func outboxSpecs() []spec {
	return []spec{
		{
			name: "status", usage: "count what Payment Kit has not confirmed", run: outboxStatus,
			about: "Usage leaves about once a minute. What is older than an hour is told to operators.",
		},
		{
			name: "list", usage: "list reports of usage", run: outboxList,
			flags: []cli.Flag{text("state", "dead (default), pending, sent or confirmed")},
		},
		{
			name: "resend", usage: "send reports again that Payment Kit refused", run: outboxResend, arg: "id",
			about: "A report keeps its identifier, which Payment Kit counts once: sending again never charges twice.",
			flags: []cli.Flag{text("id", "the `ID` of a dead report"), &cli.BoolFlag{Name: "all", Usage: "every dead report"}},
		},
	}
}

// outboxView is what has not arrived, as it is shown.
type outboxView struct {
	On          bool          `json:"on"` // by the settings that this command was given
	Calls       int64         `json:"calls"`
	CallsAmount money.Credits `json:"calls_amount"`
	Pending     int64         `json:"pending"`
	Sent        int64         `json:"sent"`
	Dead        int64         `json:"dead"`
	Unconfirmed money.Credits `json:"unconfirmed"`
	Oldest      *time.Time    `json:"oldest"`
}

func outboxStatus(j *job) error {
	return j.withHub(func(a *boot.App) error {
		o, err := a.Store.Outbox(j.ctx)
		if err != nil {
			return err
		}
		v := outboxView{a.Outbox != nil, o.Calls, o.CallsAmount, o.Pending, o.Sent, o.Dead, o.Unconfirmed, o.Oldest}
		age := "-"
		if o.Oldest != nil {
			age = max(0, a.Now().Sub(*o.Oldest)).Round(time.Second).String()
		}
		return j.show(v, table("WHAT NUMBER CREDITS", [][]string{
			{"calls in no report", strconv.FormatInt(o.Calls, 10), o.CallsAmount.String()},
			{"reports never sent", strconv.FormatInt(o.Pending, 10), ""},
			{"reports that may have arrived", strconv.FormatInt(o.Sent, 10), ""},
			{"reports given up", strconv.FormatInt(o.Dead, 10), ""},
			{"all reports", strconv.FormatInt(o.Pending+o.Sent+o.Dead, 10), o.Unconfirmed.String()},
			{"age of the oldest", age, ""},
		}))
	})
}

// batchView is a report as it is shown.
type batchView struct {
	ID        string           `json:"id"`
	Email     string           `json:"email"`
	DID       string           `json:"did"`
	AppID     string           `json:"app_id"`
	Amount    money.Credits    `json:"amount"`
	Calls     int64            `json:"calls"`
	State     store.BatchState `json:"state"`
	Attempts  int              `json:"attempts"`
	Error     string           `json:"error"`
	CreatedAt time.Time        `json:"created_at"`
}

func outboxList(j *job) error {
	state := store.BatchState(j.text("state"))
	switch state {
	case "":
		state = store.BatchDead
	case store.BatchDead, store.BatchPending, store.BatchSent, store.BatchConfirmed:
	default:
		return hub.Invalid("state", "--state must be dead, pending, sent or confirmed")
	}
	return j.withHub(func(a *boot.App) error {
		views, rows := []batchView{}, [][]string{}
		for after := ""; ; {
			part, err := a.Store.Batches(j.ctx, state, after, page)
			if err != nil {
				return err
			}
			for _, b := range part {
				views = append(views, batchView{b.ID, b.Email, b.DID, b.AppID, b.Amount, b.Calls, b.State, b.Attempts, b.Error, b.CreatedAt})
				rows = append(rows, []string{b.ID, b.Email, b.AppID, b.Amount.String(), strconv.FormatInt(b.Calls, 10), string(b.State), strconv.Itoa(b.Attempts), b.Error})
				after = b.ID
			}
			if len(part) < page {
				return j.show(views, table("ID USER APP CREDITS CALLS STATE TRIES ERROR", rows))
			}
		}
	})
}

func outboxResend(j *job) error {
	id, all := j.text("id"), j.c.Bool("all")
	if (id == "") == !all {
		return hub.Invalid("id", "name a report with --id, or say --all")
	}
	return j.withHub(func(a *boot.App) (err error) {
		n := 1
		if all {
			n, err = a.Desk.ResendAll(j.ctx, actor)
		} else {
			err = a.Desk.Resend(j.ctx, actor, id)
		}
		if err != nil {
			return err
		}
		return j.show(map[string]int{"resent": n}, fmt.Sprintf("%d to be sent again.\n", n))
	})
}
