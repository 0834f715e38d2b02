package operator

import (
	"context"
	"errors"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// TakeUser makes a user who comes from another system. Such users are no new ones:
// nobody welcomes them with credits. Name, Groups, DID and DisabledAt come along.
func (d *Desk) TakeUser(ctx context.Context, actor string, u store.User, from string) (store.User, error) {
	if err := errors.Join(identity.CheckUser(u.Email, u.Role), CheckGroups(u.Groups)); err != nil {
		return u, err
	}
	if u.DID != "" && !didRule.MatchString(u.DID) {
		u.DID = "" // Payment Kit would not know it
	}
	row, err := d.Store.TakeUser(ctx, u)
	if errors.Is(err, store.ErrConflict) {
		return row, hub.Errorf(hub.CodeConflict, "There is a user with the e-mail address %s, or with the same DID, already.", u.Email)
	}
	if err != nil {
		return row, err
	}
	after := map[string]any{"role": row.Role, "from": from, "disabled": row.DisabledAt != nil}
	if row.DID != "" {
		after["did"] = row.DID
	}
	return row, d.audit(ctx, actor, "user.import", row.Email, nil, after)
}

// TakeKey makes an API key of a secret that clients hold already; only its hash is
// stored. budget, in credits, bounds what each month may cost; 0: nothing does. It
// is CodeConflict where somebody has a key with that secret.
func (d *Desk) TakeKey(ctx context.Context, actor, email string, row store.APIKey, secret hub.Secret, budget money.Credits, from string) (store.APIKey, error) {
	var k KeyLimits
	if budget > 0 {
		k.BudgetMonth = budget.String()
	}
	return d.TakeLimitedKey(ctx, actor, email, row, secret, k, from)
}

// TakeLimitedKey is TakeKey with all the limits of k, and its wallet. They are
// there from the key's first moment on; k's restrictions and application are not
// looked at, since row has them.
func (d *Desk) TakeLimitedKey(ctx context.Context, actor, email string, row store.APIKey, secret hub.Secret, k KeyLimits, from string) (store.APIKey, error) {
	u, err := d.User(ctx, email)
	if err != nil {
		return row, err
	}
	row.UserID = u.ID
	if err := d.CheckKey(&row); err != nil {
		return row, err
	}
	if err := d.Keys.Take(&row, secret); err != nil {
		return row, err
	}
	if row.AppID != "" {
		if _, err := d.App(ctx, row.AppID); err != nil {
			return row, err
		}
	}
	after := merged(map[string]any{"user": u.Email, "name": row.Name, "from": from}, terms(&row))
	if k.Wallet != "" {
		w, err := d.payingWallet(ctx, k.Wallet, u.ID)
		if err != nil {
			return row, err
		}
		row.WalletID, after["wallet"] = w.AccountID, w.AccountID
	}
	bounds, err := k.Bounds()
	if err != nil {
		return row, err
	}
	for i, amount := range k.amounts() {
		if amount != "" {
			after[keyLimits[i].field] = amount
		}
	}
	row, err = d.Store.TakeKey(ctx, row, bounds)
	if errors.Is(err, store.ErrConflict) {
		return row, hub.Errorf(hub.CodeConflict, "There is a key with the secret of %s already.", row.Name)
	}
	if err != nil {
		return row, err
	}
	return row, d.audit(ctx, actor, "key.import", row.ID, nil, after)
}

// TakeBalance gives a user what was left in another system's account. id makes a
// repeat harmless: the same id is given once.
func (d *Desk) TakeBalance(ctx context.Context, actor, email string, amount money.Credits, id, from string) error {
	u, err := d.User(ctx, email)
	if err != nil {
		return err
	}
	g, err := d.Book.Grant(ctx, ledger.Gift{AccountID: u.AccountID, Name: "balance at " + from, Amount: amount, Actor: actor, Reason: "moved in from " + from, ID: id})
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "credits.grant", u.Email, nil, map[string]any{"amount": amount.String(), "grant": g.ID, "reason": g.Reason})
}

// RunImport records that another system was read and what came of it.
func (d *Desk) RunImport(ctx context.Context, actor, name string, counts map[string]any) error {
	return d.audit(ctx, actor, "import.run", name, nil, counts)
}
