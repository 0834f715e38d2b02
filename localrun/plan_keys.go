package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// keyring finds the keys that are not revoked by their user and name.
type keyring struct {
	now   time.Time
	byRef map[string][]store.APIKey
}

// allKeys are the keys that somebody set up, revoked ones too.
func allKeys(ctx context.Context, a *boot.App) ([]store.APIKey, error) {
	var all []store.APIKey
	for after := ""; ; after = all[len(all)-1].ID {
		some, err := a.Store.OwnKeys(ctx, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < page {
			return all, nil
		}
	}
}

// readKeyring takes the users by e-mail address in lower case.
func readKeyring(ctx context.Context, a *boot.App, users map[string]store.User) (*keyring, error) {
	all, err := allKeys(ctx, a)
	if err != nil {
		return nil, err
	}
	emails := map[string]string{}
	for email, u := range users {
		if u.ID != "" { // is yet to be made
			emails[u.ID] = email
		}
	}
	r := &keyring{now: a.Now(), byRef: map[string][]store.APIKey{}}
	for i := range all {
		if all[i].RevokedAt == nil {
			ref := keyRef(emails[all[i].UserID], all[i].Name)
			r.byRef[ref] = append(r.byRef[ref], all[i])
		}
	}
	return r, nil
}

func (r *keyring) expired(k *store.APIKey) bool {
	return k.ExpiresAt != nil && !k.ExpiresAt.After(r.now)
}

// find is the key of that user and name, nil where there is none. Expired ones
// count only where nothing else has the name.
func (r *keyring) find(path, user, name string) (*store.APIKey, error) {
	some := r.byRef[keyRef(user, name)]
	live := slices.DeleteFunc(slices.Clone(some), func(k store.APIKey) bool { return r.expired(&k) })
	if len(live) > 0 {
		some = live
	}
	switch len(some) {
	case 0:
		return nil, nil
	case 1:
		return &some[0], nil
	}
	return nil, hub.Invalid(path+".name", "%s.name: %s has %d keys named %q, so the name says nothing; rename or revoke all but one (%s)",
		path, user, len(some), name, some[0].ID+", "+some[1].ID)
}

// keyring is read once, and only for files that name keys.
func (p *planner) keyring() (*keyring, error) {
	if p.keys != nil {
		return p.keys, nil
	}
	var err error
	p.keys, err = readKeyring(p.ctx, p.app, p.users)
	return p.keys, err
}

func (p *planner) planKeys(m manifest) error {
	if m.Keys == nil {
		return nil
	}
	own, err := p.keyLimits()
	if err != nil {
		return err
	}
	for i, want := range m.Keys {
		path := fmt.Sprintf("keys[%d]", i)
		if _, known := p.users[strings.ToLower(want.User)]; !known {
			return hub.Invalid(path+".user", "%s.user: there is no user %s, here or in the file", path, want.User)
		}
		if err := p.knownTo(path, want, m); err != nil {
			return err
		}
		ring, err := p.keyring()
		if err != nil {
			return err
		}
		have, err := ring.find(path, want.User, want.Name)
		if err != nil {
			return err
		}
		row, err := want.row(path)
		if err == nil {
			err = p.desk.CheckKey(&row)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if have == nil {
			err = p.newKey(path, want, row)
		} else {
			err = p.changedKey(path, want, row, have, own[have.ID])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// knownTo makes sure that the key's application exists, and that its user is, or
// will be, a member of its wallet.
func (p *planner) knownTo(path string, want manifestKey, m manifest) error {
	if want.App != "" {
		if _, err := p.desk.App(p.ctx, want.App); err != nil {
			return hub.Invalid(path+".app", "%s.app: there is no application %s here", path, want.App)
		}
	}
	if want.Wallet == "" {
		return nil
	}
	w, known := p.wallets[strings.ToLower(want.Wallet)]
	if !known || w.ClosedAt != nil {
		return hub.Invalid(path+".wallet", "%s.wallet: there is no open wallet %s, here or in the file", path, want.Wallet)
	}
	for _, w := range m.Wallets {
		if strings.EqualFold(w.Name, want.Wallet) && slices.ContainsFunc(w.Members, func(who manifestMember) bool { return strings.EqualFold(who.User, want.User) }) {
			return nil
		}
	}
	_, err := p.app.Store.MemberOf(p.ctx, w.AccountID, p.users[strings.ToLower(want.User)].ID)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Invalid(path+".wallet", "%s.wallet: %s is no member of the wallet %s", path, want.User, want.Wallet)
	}
	return err
}

func (p *planner) newKey(path string, want manifestKey, row store.APIKey) error {
	if row.ExpiresAt != nil && !row.ExpiresAt.After(p.app.Now()) {
		return hub.Invalid(path+".expires_at", "%s.expires_at must lie in the future: there is no such key, and it would be good for nothing", path)
	}
	if want.Value == "" {
		return hub.Invalid(path+".value", "%s.value: %s has no key %s, so env:VARIABLE must say where its secret is", path, want.User, want.Name)
	}
	variable, secret, err := p.keySecret(path, want)
	if err != nil {
		return err
	}
	if secret == "" {
		return hub.Invalid(path+".value", "%s.value: the environment variable %s is not set, or empty", path, variable)
	}
	if err := identity.CheckStrength(secret); err != nil {
		return hub.Invalid(path+".value", "%s.value: the secret in %s is too weak. %s", path, variable, hub.AsError(err).Message)
	}
	_, _, err = p.app.Store.KeyByHash(p.ctx, identity.Hash(secret))
	if err == nil {
		return hub.Invalid(path+".value", "%s.value: the secret in %s is, or was, another key's", path, variable)
	}
	if !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if p.secrets[identity.Hash(secret)] {
		return hub.Invalid(path+".value", "%s.value: the secret in %s is given to two keys", path, variable)
	}
	p.secrets[identity.Hash(secret)] = true
	p.add(false, "key", want.User+"/"+want.Name, marked([]string{"value: from " + variable}, "", want.Managed), func(ctx context.Context) error {
		made, err := p.desk.TakeLimitedKey(ctx, actor, want.User, row, secret, want.limits(), "a file")
		if err != nil {
			return err
		}
		return p.mark(ctx, store.ManagedKey, made.ID, "", want.Managed)
	})
	return nil
}

// keySecret is what the variable of an entry holds; "" where nothing does.
func (p *planner) keySecret(path string, want manifestKey) (variable string, secret hub.Secret, err error) {
	if want.Value == "" {
		return "", "", nil
	}
	if variable, err = envReference(path+".value", want.Value); err != nil {
		return "", "", err
	}
	raw, _ := p.lookup(variable)
	return variable, hub.Secret(strings.TrimSpace(raw)), nil
}

func (p *planner) changedKey(path string, want manifestKey, row store.APIKey, have *store.APIKey, own map[string]string) error {
	if row.AppID != have.AppID {
		return hub.Invalid(path+".app", "%s.app: whether a key is an application's cannot be changed; revoke it first", path)
	}
	variable, secret, err := p.keySecret(path, want)
	if err != nil {
		return err
	}
	if secret != "" && identity.Hash(secret) != have.Hash && !have.Old(identity.Hash(secret)) {
		return hub.Invalid(path+".value", "%s.value: the key has another secret than the one in %s, and a key's secret cannot be chosen again; "+
			"leave the variable unset to keep the key as it is, or revoke it to have it made anew", path, variable)
	}
	n, detail, err := p.keyDetail(want, row, have, own)
	if err != nil {
		return err
	}
	if at := n.ExpiresAt; at.Set && at.Value != nil && !at.Value.After(p.app.Now()) {
		return hub.Invalid(path+".expires_at", "%s.expires_at must lie in the future; revoke the key to end it now", path)
	}
	altered := len(detail) > 0
	p.add(true, "key", want.User+"/"+want.Name, marked(detail, have.Managed, want.Managed), func(ctx context.Context) error {
		if altered {
			if _, err := p.desk.ChangeKey(ctx, actor, have.ID, n); err != nil {
				return err
			}
		}
		return p.mark(ctx, store.ManagedKey, have.ID, have.Managed, want.Managed)
	})
	return nil
}

// keyDetail compares a key, and its own limits by word, with what is wanted.
func (p *planner) keyDetail(want manifestKey, row store.APIKey, have *store.APIKey, own map[string]string) (n operator.ChangedKey, detail []string, err error) {
	differ := func(field, from, to string) bool {
		if from != to {
			detail = append(detail, turned(field, from, to))
		}
		return from != to
	}
	if differ("expires_at", dated(have.ExpiresAt), dated(row.ExpiresAt)) {
		n.ExpiresAt = operator.Field[*time.Time]{Set: true, Value: row.ExpiresAt}
	}
	if differ("models", strings.Join(have.Models, ","), strings.Join(row.Models, ",")) {
		n.Models = operator.Field[[]string]{Set: true, Value: row.Models}
	}
	if differ("ips", strings.Join(have.IPs, ","), strings.Join(row.IPs, ",")) {
		n.IPs = operator.Field[[]string]{Set: true, Value: row.IPs}
	}
	if differ("scopes", scopeWords(have.Scopes), scopeWords(row.Scopes)) {
		n.Scopes = operator.Field[[]hub.Scope]{Set: true, Value: row.Scopes}
	}
	if differ("wallet", p.walletName(have.WalletID), strings.ToLower(want.Wallet)) {
		n.Wallet = operator.Field[string]{Set: true, Value: want.Wallet}
	}
	bounds, err := want.limits().Bounds()
	if err != nil {
		return n, nil, err
	}
	to := map[string]string{}
	for _, l := range bounds {
		to[operator.KeyWord(l.Metric, l.Period)] = viewLimit(l).Amount
	}
	number := func(into *operator.Field[*int64], v *int64) func() {
		return func() { *into = operator.Field[*int64]{Set: true, Value: v} }
	}
	credits := func(into *operator.Field[string], v string) func() {
		return func() { *into = operator.Field[string]{Set: true, Value: v} }
	}
	for _, f := range []struct {
		word string
		set  func()
	}{
		{"rpm", number(&n.RPM, want.RPM)}, {"tpm", number(&n.TPM, want.TPM)}, {"concurrency", number(&n.Concurrency, want.Concurrency)},
		{"budget_day", credits(&n.BudgetDay, want.BudgetDay)}, {"budget_week", credits(&n.BudgetWeek, want.BudgetWeek)},
		{"budget_month", credits(&n.BudgetMonth, want.BudgetMonth)},
	} {
		if differ(f.word, own[f.word], to[f.word]) {
			f.set()
		}
	}
	return n, detail, nil
}

func scopeWords(list []hub.Scope) string {
	var words []string
	for _, s := range list {
		words = append(words, string(s))
	}
	return strings.Join(words, ",")
}

func dated(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// walletName is a shared wallet's name in lower case, or its id where it has none.
func (p *planner) walletName(account string) string {
	for name, w := range p.wallets {
		if account != "" && w.AccountID == account {
			return name
		}
	}
	return account
}

// keyLimits are the amounts of the keys' own limits by key and word.
func (p *planner) keyLimits() (map[string]map[string]string, error) {
	rows, err := p.app.Store.Limits(p.ctx)
	if err != nil {
		return nil, err
	}
	return keyWords(rows), nil
}

func keyWords(rows []store.Limit) map[string]map[string]string {
	own := map[string]map[string]string{}
	for _, l := range rows {
		word := operator.KeyWord(l.Metric, l.Period)
		if l.Scope != limits.Key || l.Subject == limits.Each || word == "" {
			continue
		}
		if own[l.Subject] == nil {
			own[l.Subject] = map[string]string{}
		}
		own[l.Subject][word] = viewLimit(l).Amount
	}
	return own
}
