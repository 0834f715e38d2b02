package operator

import (
	"context"
	"errors"
	"strings"
	"unicode"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// isWalletName reports whether a name is no e-mail address and can stand in a
// path. (As a regular expression, all letters there are would take two megabytes.)
func isWalletName(name string) bool {
	n := 0
	for i, r := range name {
		if !unicode.IsLetter(r) && !unicode.IsNumber(r) && (i == 0 || !strings.ContainsRune(" ._-", r)) {
			return false
		}
		n++
	}
	return n >= 1 && n <= 64
}

// Wallet finds a shared wallet by its name or id.
func (d *Desk) Wallet(ctx context.Context, name string) (store.Wallet, error) {
	w, err := d.Store.WalletByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return w, hub.Errorf(hub.CodeNotFound, "There is no shared wallet %s.", name)
	}
	return w, err
}

// CreateWallet makes a shared wallet of a team (the default) or an application.
func (d *Desk) CreateWallet(ctx context.Context, actor, name, kind string) (store.Wallet, error) {
	if kind == "" {
		kind = "team"
	}
	switch {
	case !isWalletName(name):
		return store.Wallet{}, hub.Invalid("name", "A wallet's name has 1 to 64 letters, digits, spaces, dots, dashes and underscores, and begins with a letter or digit.")
	case kind != "team" && kind != "app":
		return store.Wallet{}, hub.Invalid("kind", "The kind must be team or app.")
	}
	w, err := d.Store.CreateWallet(ctx, store.Wallet{Name: name, Kind: kind})
	if errors.Is(err, store.ErrConflict) {
		return w, hub.Errorf(hub.CodeConflict, "There is a wallet named %s already.", name)
	}
	if err != nil {
		return w, err
	}
	return w, d.audit(ctx, actor, "wallet.create", name, nil, map[string]any{"kind": kind, "id": w.AccountID})
}

// CloseWallet ends a shared wallet. What is left on it has to be moved before.
func (d *Desk) CloseWallet(ctx context.Context, actor, name string) error {
	w, err := d.Wallet(ctx, name)
	if err != nil {
		return err
	}
	err = d.Store.CloseWallet(ctx, w.AccountID)
	switch {
	case errors.Is(err, store.ErrInsufficient):
		return hub.Errorf(hub.CodeConflict, "Credits are left on the wallet %s, or calls are running on it; transfer what is left first.", w.Name)
	case errors.Is(err, store.ErrNotFound):
		return hub.Errorf(hub.CodeConflict, "The wallet %s is closed already.", w.Name)
	case err != nil:
		return err
	}
	return d.audit(ctx, actor, "wallet.close", w.Name, nil, nil)
}

// SetMember lets a user spend from a shared wallet. Managers see everything of
// it and put members in and out.
func (d *Desk) SetMember(ctx context.Context, actor, wallet, email string, manager bool) error {
	w, err := d.Wallet(ctx, wallet)
	if err != nil {
		return err
	}
	u, err := d.User(ctx, email)
	if err != nil {
		return err
	}
	if err := d.Store.SetMember(ctx, store.Member{AccountID: w.AccountID, UserID: u.ID, Manager: manager}); err != nil {
		return err
	}
	return d.audit(ctx, actor, "wallet.member", w.Name, nil, map[string]any{"user": u.Email, "manager": manager})
}

// RemoveMember takes a user out of a shared wallet; the user's keys that are
// bound to it are refused from then on.
func (d *Desk) RemoveMember(ctx context.Context, actor, wallet, email string) error {
	w, err := d.Wallet(ctx, wallet)
	if err != nil {
		return err
	}
	u, err := d.User(ctx, email)
	if err != nil {
		return err
	}
	err = d.Store.RemoveMember(ctx, w.AccountID, u.ID)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "%s is no member of the wallet %s.", u.Email, w.Name)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, "wallet.member", w.Name, map[string]any{"user": u.Email}, nil)
}

// BindKey makes a shared wallet pay for a key's calls; "": its user's own. The
// key's user must be a member.
func (d *Desk) BindKey(ctx context.Context, actor, keyID, wallet string) error {
	k, err := d.freeKey(ctx, keyID)
	if err != nil {
		return err
	}
	account := ""
	if wallet != "" {
		w, err := d.payingWallet(ctx, wallet, k.UserID)
		if err != nil {
			return err
		}
		account = w.AccountID
	}
	if err := d.Store.SetKeyWallet(ctx, keyID, account); err != nil {
		return err
	}
	return d.audit(ctx, actor, "key.wallet", keyID, map[string]any{"wallet": k.WalletID}, map[string]any{"wallet": account})
}

// payingWallet is an open shared wallet of which a user is a member.
func (d *Desk) payingWallet(ctx context.Context, name, userID string) (store.Wallet, error) {
	w, err := d.Wallet(ctx, name)
	if err != nil {
		return w, err
	}
	if w.ClosedAt != nil {
		return w, hub.Errorf(hub.CodeConflict, "The wallet %s is closed.", w.Name)
	}
	_, err = d.Store.MemberOf(ctx, w.AccountID, userID)
	if errors.Is(err, store.ErrNotFound) {
		return w, hub.Invalid("wallet", "The key's user is no member of the wallet %s.", w.Name)
	}
	return w, err
}

// memberSubject makes the subject of a member's limit of <wallet>/<e-mail> or
// <wallet>/*.
func (d *Desk) memberSubject(ctx context.Context, subject string) (string, error) {
	wallet, who, ok := strings.Cut(subject, "/")
	if !ok || wallet == "" || who == "" {
		return "", hub.Invalid("subject", "Whom a member's limit binds is written as wallet/e-mail address, or wallet/* for each member.")
	}
	w, err := d.Wallet(ctx, wallet)
	if err != nil {
		return "", err
	}
	if who == "*" {
		return w.AccountID + "/*", nil
	}
	u, err := d.User(ctx, who)
	return w.AccountID + "/" + u.ID, err
}
