package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func walletSpecs() []spec {
	name := text("name", "the wallet's `NAME`")
	user := text("user", "e-mail `ADDRESS` of the member")
	return []spec{
		{
			name: "create", usage: "make a wallet that several users share", run: walletCreate, needs: []string{"name"}, arg: "name",
			about: "Give it credits with \"credits grant --wallet\", put members in with \"wallet member\", and make it pay for a key's\n" +
				"calls with \"key create --wallet\". What each member may spend is limited with \"limit set --scope member\".",
			flags: []cli.Flag{name, text("kind", "team (default) or app")},
		},
		{name: "list", usage: "list shared wallets", run: walletList},
		{name: "close", usage: "close a shared wallet that is empty", run: walletClose, needs: []string{"name"}, arg: "name", flags: []cli.Flag{name}},
		{
			name: "member", usage: "let a user spend from a shared wallet", run: walletMember, needs: []string{"name", "user"}, arg: "name",
			flags: []cli.Flag{name, user, &cli.BoolFlag{Name: "manager", Usage: "see everything of the wallet, and put members in and out"}},
		},
		{
			name: "remove-member", usage: "take a user out of a shared wallet", run: walletRemoveMember, needs: []string{"name", "user"}, arg: "name",
			flags: []cli.Flag{name, user},
		},
		{name: "members", usage: "list the members of a shared wallet", run: walletMembers, needs: []string{"name"}, arg: "name", flags: []cli.Flag{name}},
	}
}

// walletView is a shared wallet as it is shown.
type walletView struct {
	ID      string        `json:"id"`
	Name    string        `json:"name"`
	Kind    string        `json:"kind"`
	Balance money.Credits `json:"balance"`
	Held    money.Credits `json:"held"`
	Debt    money.Credits `json:"debt"`
	Closed  bool          `json:"closed"`
}

func viewWallet(w store.Wallet) walletView {
	return walletView{w.AccountID, w.Name, w.Kind, w.Balance, w.Held, w.Debt, w.ClosedAt != nil}
}

func walletCreate(j *job) error {
	return j.withHub(func(a *boot.App) error {
		w, err := a.Desk.CreateWallet(j.ctx, actor, j.text("name"), j.text("kind"))
		if err != nil {
			return err
		}
		return j.show(viewWallet(w), fmt.Sprintf("Made the %s wallet %s.\n", w.Kind, w.Name))
	})
}

func walletList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		views, rows := []walletView{}, [][]string{}
		for after := ""; ; {
			some, err := a.Store.Wallets(j.ctx, after, page)
			if err != nil {
				return err
			}
			for _, w := range some {
				v := viewWallet(w)
				views, after = append(views, v), w.AccountID
				rows = append(rows, []string{v.ID, v.Name, v.Kind, v.Balance.String(), v.Held.String(), v.Debt.String(), timeOrDash(w.ClosedAt)})
			}
			if len(some) < page {
				return j.show(views, table("ID NAME KIND BALANCE HELD DEBT CLOSED", rows))
			}
		}
	})
}

func walletClose(j *job) error {
	return j.withHub(func(a *boot.App) error {
		name := j.text("name")
		if err := a.Desk.CloseWallet(j.ctx, actor, name); err != nil {
			return err
		}
		return j.show(map[string]any{"name": name, "closed": true}, fmt.Sprintf("Closed the wallet %s.\n", name))
	})
}

func walletMember(j *job) error {
	return j.withHub(func(a *boot.App) error {
		name, user, manager := j.text("name"), j.text("user"), j.c.Bool("manager")
		if err := a.Desk.SetMember(j.ctx, actor, name, user, manager); err != nil {
			return err
		}
		return j.show(map[string]any{"wallet": name, "user": user, "manager": manager}, fmt.Sprintf("%s is a member of the wallet %s.\n", user, name))
	})
}

func walletRemoveMember(j *job) error {
	return j.withHub(func(a *boot.App) error {
		name, user := j.text("name"), j.text("user")
		if err := a.Desk.RemoveMember(j.ctx, actor, name, user); err != nil {
			return err
		}
		return j.show(map[string]any{"wallet": name, "user": user, "removed": true}, fmt.Sprintf("%s is no member of the wallet %s any more.\n", user, name))
	})
}

func walletMembers(j *job) error {
	return j.withHub(func(a *boot.App) error {
		w, err := a.Desk.Wallet(j.ctx, j.text("name"))
		if err != nil {
			return err
		}
		views, rows := []map[string]any{}, [][]string{}
		for after := ""; ; {
			some, err := a.Store.Members(j.ctx, w.AccountID, after, page)
			if err != nil {
				return err
			}
			for _, m := range some {
				after = m.UserID
				views = append(views, map[string]any{"user": m.Email, "manager": m.Manager})
				rows = append(rows, []string{m.Email, fmt.Sprint(m.Manager), timeOrDash(&m.CreatedAt)})
			}
			if len(some) < page {
				return j.show(views, table("USER MANAGER SINCE", rows))
			}
		}
	})
}
