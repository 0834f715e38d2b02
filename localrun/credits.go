package main

import (
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

func creditSpecs() []spec {
	user, wallet := text("user", "e-mail `ADDRESS` of the user"), text("wallet", "a shared `WALLET`, in place of a user")
	amount := text("amount", "credits, a decimal with at most nine decimals")
	reason := text("reason", "`TEXT` for the books, which the user sees")
	id := text("id", "an `ID` of your own: the same one moves nothing again")
	return []spec{
		{
			name: "grant", usage: "give credits to a user or a shared wallet", run: creditsGrant, needs: []string{"amount"},
			about: "Every call of this command gives once more. For a grant that may be repeated, use apply.",
			flags: []cli.Flag{
				user, wallet, amount, text("kind", "promotional (default) or purchased"),
				text("expires", "`WHEN` the rest lapses: a time (RFC 3339) or how long from now (720h)"), reason,
			},
		},
		{name: "balance", usage: "show a balance", run: creditsBalance, arg: "user", flags: []cli.Flag{user, wallet}},
		{
			name: "adjust", usage: "correct a balance: give credits, or take them with a negative amount", run: creditsAdjust, needs: []string{"amount", "reason"},
			about: "Taken is the whole amount or nothing; what running calls hold cannot be taken.",
			flags: []cli.Flag{user, wallet, amount, reason, id},
		},
		{
			name: "reverse", usage: "take credits back: a refund, a dispute, a correction", run: creditsReverse, needs: []string{"amount", "cause", "reason"},
			about: "What is not free now becomes a debt: it is collected as calls end and credits are bought, and until then no call starts.",
			flags: []cli.Flag{user, wallet, amount, text("cause", "refund, dispute or correction"), text("grant", "`ID` of the grant to draw from first"), reason, id},
		},
		{
			name: "transfer", usage: "move credits from one wallet to another", run: creditsTransfer, needs: []string{"amount", "reason"},
			about: "Credits keep their kind, priority and expiry. Welcome credits and credit lines stay where they are.",
			flags: []cli.Flag{
				user, wallet, text("to-user", "e-mail `ADDRESS` of the receiver"), text("to-wallet", "the shared `WALLET` that receives"), amount, reason, id,
			},
		},
	}
}

func (j *job) purse() operator.Purse {
	return operator.Purse{User: j.text("user"), Wallet: j.text("wallet")}
}

func (j *job) credits() (money.Credits, error) {
	amount, err := money.ParseCredits(j.text("amount"))
	if err != nil {
		return 0, hub.Invalid("amount", "--amount must be a decimal such as 12.5 with at most nine decimals, not %q", j.text("amount"))
	}
	return amount, nil
}

// grantView is a grant as it is shown.
type grantView struct {
	ID        string        `json:"id"`
	User      string        `json:"user"`
	Wallet    string        `json:"wallet,omitempty"`
	Amount    money.Credits `json:"amount"`
	ExpiresAt *time.Time    `json:"expires_at"`
	Reason    string        `json:"reason"`
	Balance   money.Credits `json:"balance"`
}

func creditsGrant(j *job) error {
	amount, err := j.credits()
	if err != nil {
		return err
	}
	expires, err := j.moment("expires")
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		to := j.purse()
		g, err := a.Desk.Give(j.ctx, actor, to, operator.Gift{Kind: j.text("kind"), Amount: amount, ExpiresAt: expires, Reason: j.text("reason")})
		if err != nil {
			return err
		}
		acc, err := a.Desk.BalanceOf(j.ctx, to)
		if err != nil {
			return err
		}
		return j.show(grantView{g.ID, to.User, to.Wallet, g.Amount, g.ExpiresAt, g.Reason, acc.Balance},
			fmt.Sprintf("Granted %s credits to %s; the balance is %s.\n", g.Amount, to, acc.Balance))
	})
}

// balanceView is a wallet as it is shown.
type balanceView struct {
	User      string        `json:"user"`
	Wallet    string        `json:"wallet,omitempty"`
	AccountID string        `json:"account_id"`
	Balance   money.Credits `json:"balance"`
	Held      money.Credits `json:"held"`      // by calls that are open
	Available money.Credits `json:"available"` // balance less held
	Debt      money.Credits `json:"debt"`
}

func creditsBalance(j *job) error {
	return j.withHub(func(a *boot.App) error { return j.showBalance(a, j.purse()) })
}

func (j *job) showBalance(a *boot.App, of operator.Purse) error {
	acc, err := a.Desk.BalanceOf(j.ctx, of)
	if err != nil {
		return err
	}
	v := balanceView{of.User, of.Wallet, acc.ID, acc.Balance, acc.Held, acc.Available(), acc.Debt}
	return j.show(v, table("WHOSE BALANCE HELD AVAILABLE DEBT", [][]string{
		{of.String(), v.Balance.String(), v.Held.String(), v.Available.String(), v.Debt.String()},
	}))
}

func creditsAdjust(j *job) error {
	amount, err := j.credits()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		of := j.purse()
		if err := a.Desk.Adjust(j.ctx, actor, of, ledger.Adjustment{ID: j.text("id"), Amount: amount, Reason: j.text("reason")}); err != nil {
			return err
		}
		return j.showBalance(a, of)
	})
}

func creditsReverse(j *job) error {
	amount, err := j.credits()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		done, err := a.Desk.Reverse(j.ctx, actor, j.purse(), ledger.Reversal{ID: j.text("id"), GrantID: j.text("grant"), Cause: j.text("cause"),
			Amount: amount, Reason: j.text("reason")})
		if err != nil {
			return err
		}
		return j.show(map[string]money.Credits{"taken": done.Taken, "debt": done.Debt},
			fmt.Sprintf("Took %s credits from %s; %s are owed.\n", done.Taken, j.purse(), done.Debt))
	})
}

func creditsTransfer(j *job) error {
	amount, err := j.credits()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		from, to := j.purse(), operator.Purse{User: j.text("to-user"), Wallet: j.text("to-wallet")}
		if err := a.Desk.Transfer(j.ctx, actor, from, to, ledger.Transfer{ID: j.text("id"), Amount: amount, Reason: j.text("reason")}); err != nil {
			return err
		}
		return j.showBalance(a, from)
	})
}
