package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
)

func creditSpecs() []spec {
	user := text("user", "e-mail `ADDRESS` of the user")
	return []spec{
		{
			name: "grant", usage: "give credits to a user", run: creditsGrant, needs: []string{"user", "amount"},
			about: "Every call of this command gives once more. For a grant that may be repeated, use apply.",
			flags: []cli.Flag{
				user, text("amount", "credits, a decimal with at most nine decimals"),
				text("expires", "`WHEN` the rest lapses: a time (RFC 3339) or how long from now (720h)"),
				text("reason", "`TEXT` for the books"),
			},
		},
		{name: "balance", usage: "show a user's balance", run: creditsBalance, needs: []string{"user"}, arg: "user", flags: []cli.Flag{user}},
	}
}

// grantView is a grant as it is shown.
type grantView struct {
	ID        string        `json:"id"`
	User      string        `json:"user"`
	Amount    money.Credits `json:"amount"`
	ExpiresAt *time.Time    `json:"expires_at"`
	Reason    string        `json:"reason"`
	Balance   money.Credits `json:"balance"`
}

func creditsGrant(j *job) error {
	amount, err := money.ParseCredits(j.text("amount"))
	if err != nil {
		return hub.Invalid("amount", "--amount must be a decimal such as 12.5 with at most nine decimals, not %q", j.text("amount"))
	}
	expires, err := j.moment("expires")
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		g, err := a.Desk.Grant(j.ctx, actor, j.text("user"), amount, expires, j.text("reason"))
		if err != nil {
			return err
		}
		acc, err := a.Desk.Balance(j.ctx, j.text("user"))
		if err != nil {
			return err
		}
		return j.show(grantView{g.ID, j.text("user"), g.Amount, g.ExpiresAt, g.Reason, acc.Balance},
			fmt.Sprintf("Granted %s credits to %s; the balance is %s.\n", g.Amount, j.text("user"), acc.Balance))
	})
}

// balanceView is a wallet as it is shown.
type balanceView struct {
	User      string        `json:"user"`
	AccountID string        `json:"account_id"`
	Balance   money.Credits `json:"balance"`
	Held      money.Credits `json:"held"`      // by calls that are open
	Available money.Credits `json:"available"` // balance less held
	Debt      money.Credits `json:"debt"`
}

func creditsBalance(j *job) error {
	return j.withHub(func(a *boot.App) error {
		acc, err := a.Desk.Balance(j.ctx, j.text("user"))
		if err != nil {
			return err
		}
		v := balanceView{j.text("user"), acc.ID, acc.Balance, acc.Held, acc.Available(), acc.Debt}
		return j.show(v, table("USER BALANCE HELD AVAILABLE DEBT", [][]string{
			{v.User, v.Balance.String(), v.Held.String(), v.Available.String(), v.Debt.String()},
		}))
	})
}

func ledgerSpecs() []spec {
	return []spec{{
		name: "verify", usage: "prove that the books balance", run: ledgerVerify,
		about: "Every operation sums to zero, balances equal entries and grants, holds belong to open calls, no wallet is\n" +
			"overdrawn, each finished call is settled once. Fails on any violation.",
	}}
}

// verifyView is the outcome of a verification.
type verifyView struct {
	OK bool `json:"ok"`
	ledger.Report
}

func ledgerVerify(j *job) error {
	return j.withHub(func(a *boot.App) error {
		report, err := a.Book.Verify(j.ctx)
		if err != nil {
			return err
		}
		n := len(report.Violations)
		human := fmt.Sprintf("OK: %d operations, no violations.\n", report.Operations)
		if n > 0 {
			rows := make([][]string, 0, n)
			for _, v := range report.Violations {
				rows = append(rows, []string{v.Rule, v.Subject, v.Detail})
			}
			human = table("RULE SUBJECT FOUND", rows)
		}
		if err := j.show(verifyView{n == 0, report}, human); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("the books do not balance: %d violation(s) over %d operations", n, report.Operations)
		}
		return nil
	})
}
