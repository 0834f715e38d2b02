package main

import (
	"encoding/csv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// mostRows is how many rows one command lists at most.
const mostRows = 1000

func paymentSpecs() []spec {
	return []spec{
		{
			name: "list", usage: "list card payments", run: paymentList,
			about: "Newest first; go on with --after ID.",
			flags: []cli.Flag{
				text("user", "only those of the user with the e-mail `ADDRESS`"), text("state", "only new, open, paid, failed or expired ones"),
				number("limit", "at most so many; 50 when not given"), text("after", "go on behind the payment with this `ID`"),
			},
		},
		{
			name: "receipts", usage: "print all receipts as CSV", run: paymentReceipts,
			about: "Newest first, for bookkeeping; with --json as one document.",
		},
	}
}

// paymentView is a card payment as it is shown; money is decimal text in the
// currency's main unit.
type paymentView struct {
	ID        string        `json:"id"`
	Kind      string        `json:"kind"`
	UserID    string        `json:"user_id"`
	Credits   money.Credits `json:"credits"`
	Amount    string        `json:"amount"`
	Total     string        `json:"total"`
	Currency  string        `json:"currency"`
	State     string        `json:"state"`
	Error     string        `json:"error"`
	CreatedAt time.Time     `json:"created_at"`
	PaidAt    *time.Time    `json:"paid_at"`
}

func viewPayment(p store.Payment) paymentView {
	return paymentView{p.ID, p.Kind, p.UserID, p.Credits, selling.Decimal(p.Amount, p.Currency), selling.Decimal(p.Total, p.Currency), p.Currency, p.State, p.Error,
		p.CreatedAt, p.PaidAt}
}

func paymentList(j *job) error {
	limit := int64(50)
	if j.c.IsSet("limit") {
		if limit = j.c.Int64("limit"); limit < 1 || limit > mostRows {
			return hub.Invalid("limit", "--limit must be 1 to %d", mostRows)
		}
	}
	switch j.text("state") {
	case "", "new", "open", "paid", "failed", "expired":
	default:
		return hub.Invalid("state", "--state must be new, open, paid, failed or expired, not %q", j.text("state"))
	}
	return j.withHub(func(a *boot.App) error {
		account := ""
		if email := j.text("user"); email != "" {
			u, err := a.Desk.User(j.ctx, email)
			if err != nil {
				return err
			}
			account = u.AccountID
		}
		found, err := a.Store.Payments(j.ctx, account, j.text("state"), j.text("after"), int(limit))
		if err != nil {
			return err
		}
		views, rows := make([]paymentView, len(found)), make([][]string, len(found))
		for i, p := range found {
			views[i] = viewPayment(p)
			rows[i] = []string{p.ID, p.CreatedAt.Format(time.RFC3339), p.Kind, p.Credits.String(), selling.Money(p.Amount, p.Currency), p.State, orDash(p.Error)}
		}
		return j.show(views, table("ID BEGUN KIND CREDITS PRICE STATE ERROR", rows))
	})
}

func paymentReceipts(j *job) error {
	return j.withHub(func(a *boot.App) error {
		all := []selling.Receipt{}
		for before := int64(0); ; before = all[len(all)-1].Key {
			some, err := a.Shop.Receipts(j.ctx, "", before, mostRows)
			if err != nil {
				return err
			}
			if all = append(all, some...); len(some) < mostRows {
				break
			}
		}
		var b strings.Builder
		rows := [][]string{selling.ReceiptHead()}
		for _, r := range all {
			rows = append(rows, r.Row())
		}
		if err := csv.NewWriter(&b).WriteAll(rows); err != nil {
			return err
		}
		return j.show(all, b.String())
	})
}
