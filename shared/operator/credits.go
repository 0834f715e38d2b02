package operator

import (
	"context"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Purse names a wallet: a user's by the e-mail address, or a shared one by its
// name or id. One of the two is set.
type Purse struct {
	User   string
	Wallet string
}

// String is the purse as audit and messages name it.
func (p Purse) String() string {
	if p.Wallet != "" {
		return "wallet " + p.Wallet
	}
	return p.User
}

// Account finds the account of a purse.
func (d *Desk) Account(ctx context.Context, p Purse) (string, error) {
	switch {
	case (p.User == "") == (p.Wallet == ""):
		return "", hub.Invalid("user", "Name a user or a shared wallet, and not both.")
	case p.User != "":
		u, err := d.User(ctx, p.User)
		return u.AccountID, err
	}
	w, err := d.Wallet(ctx, p.Wallet)
	if err == nil && w.ClosedAt != nil {
		return "", hub.Errorf(hub.CodeConflict, "The wallet %s is closed.", w.Name)
	}
	return w.AccountID, err
}

// Gift is what is granted to a purse.
type Gift struct {
	Kind      string // promotional (default) or purchased
	Name      string
	Amount    money.Credits
	Priority  int64
	ExpiresAt *time.Time
	Reason    string
}

// Give gives credits to a purse.
func (d *Desk) Give(ctx context.Context, actor string, to Purse, g Gift) (store.Grant, error) {
	switch g.Kind {
	case "", ledger.Promotional, ledger.Purchased:
	default:
		return store.Grant{}, hub.Invalid("kind", "The kind must be promotional or purchased.")
	}
	account, err := d.Account(ctx, to)
	if err != nil {
		return store.Grant{}, err
	}
	row, outside, err := d.giveOutside(ctx, actor, to, g)
	if err != nil {
		return row, err
	}
	if !outside {
		row, err = d.Book.Grant(ctx, ledger.Gift{AccountID: account, Kind: g.Kind, Name: g.Name, Amount: g.Amount, Priority: g.Priority,
			ExpiresAt: g.ExpiresAt, Actor: actor, Reason: g.Reason})
		if err != nil {
			return row, err
		}
	}
	return row, d.audit(ctx, actor, "credits.grant", to.String(), nil,
		map[string]any{"amount": g.Amount.String(), "grant": row.ID, "kind": row.Kind, "reason": g.Reason})
}

// Grant gives promotional credits to a user.
func (d *Desk) Grant(ctx context.Context, actor, email string, amount money.Credits, expires *time.Time, reason string) (store.Grant, error) {
	return d.Give(ctx, actor, Purse{User: email}, Gift{Amount: amount, ExpiresAt: expires, Reason: reason})
}

// Balance returns a user's account.
func (d *Desk) Balance(ctx context.Context, email string) (store.Account, error) {
	return d.BalanceOf(ctx, Purse{User: email})
}

// BalanceOf returns the account of a purse, also of a closed wallet.
func (d *Desk) BalanceOf(ctx context.Context, p Purse) (store.Account, error) {
	if p.Wallet != "" && p.User == "" {
		w, err := d.Wallet(ctx, p.Wallet)
		if err != nil {
			return store.Account{}, err
		}
		return d.Book.Balance(ctx, w.AccountID)
	}
	account, err := d.Account(ctx, p)
	if err != nil {
		return store.Account{}, err
	}
	return d.Book.Balance(ctx, account)
}

// Reverse takes credits back that were given: what is free of them now, the rest
// as a debt. grant, when given, is drawn from first. The same id reverses once.
func (d *Desk) Reverse(ctx context.Context, actor string, from Purse, r ledger.Reversal) (ledger.Reversed, error) {
	account, err := d.Account(ctx, from)
	if err != nil {
		return ledger.Reversed{}, err
	}
	r.AccountID, r.Actor = account, actor
	if r.ID == "" {
		r.ID = d.Store.NewID()
	}
	done, err := d.Book.Reverse(ctx, r)
	if err != nil {
		return done, err
	}
	return done, d.audit(ctx, actor, "credits.reverse", from.String(), nil, map[string]any{"id": r.ID, "cause": r.Cause, "amount": r.Amount.String(),
		"taken": done.Taken.String(), "debt": done.Debt.String(), "reason": r.Reason})
}

// Adjust corrects a balance by hand. The same id adjusts once.
func (d *Desk) Adjust(ctx context.Context, actor string, of Purse, a ledger.Adjustment) error {
	account, err := d.Account(ctx, of)
	if err != nil {
		return err
	}
	a.AccountID, a.Actor = account, actor
	if a.ID == "" {
		a.ID = d.Store.NewID()
	}
	if err := d.Book.Adjust(ctx, a); err != nil {
		return err
	}
	return d.audit(ctx, actor, "credits.adjust", of.String(), nil, map[string]any{"id": a.ID, "amount": a.Amount.String(), "reason": a.Reason})
}

// Transfer moves credits between purses. The same id moves once.
func (d *Desk) Transfer(ctx context.Context, actor string, from, to Purse, t ledger.Transfer) error {
	var err error
	if t.From, err = d.Account(ctx, from); err != nil {
		return err
	}
	if t.To, err = d.Account(ctx, to); err != nil {
		return err
	}
	if err := d.movable(ctx, from, to); err != nil {
		return err
	}
	t.Actor = actor
	if t.ID == "" {
		t.ID = d.Store.NewID()
	}
	if err := d.Book.Transfer(ctx, t); err != nil {
		return err
	}
	return d.audit(ctx, actor, "credits.transfer", from.String(), nil,
		map[string]any{"id": t.ID, "to": to.String(), "amount": t.Amount.String(), "reason": t.Reason})
}
