package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// references are the variables that a file refers to: no two secrets share one.
type references map[string]bool

// take makes a reference of a name that it has to itself.
func (r references) take(name string) string {
	free := name
	for n := 2; r[free]; n++ {
		free = name + "_" + strconv.Itoa(n)
	}
	r[free] = true
	return "env:" + free
}

// keyExport writes keys' metadata.
type keyExport struct {
	users   []store.User
	wallets map[string]string // names of the open ones by account
	limits  []store.Limit
	names   map[string]string // user/name by the id of each key that is written
	leftOut []string          // which are not, and why
}

// export leaves out keys that are over, those that nobody could use, and those whose
// names say nothing. No secret and no hash is read.
func (x *keyExport) export(ctx context.Context, a *boot.App, refs references) ([]manifestKey, error) {
	byID, byEmail := map[string]store.User{}, map[string]store.User{}
	for _, u := range x.users {
		byID[u.ID], byEmail[strings.ToLower(u.Email)] = u, u
	}
	ring, err := readKeyring(ctx, a, byEmail)
	if err != nil {
		return nil, err
	}
	all, err := allKeys(ctx, a)
	if err != nil {
		return nil, err
	}
	own := keyWords(x.limits)
	x.names = map[string]string{}
	var out []manifestKey
	for i := range all {
		k := &all[i]
		if k.RevokedAt != nil || ring.expired(k) {
			continue
		}
		u := byID[k.UserID]
		if why := x.unwritable(ring, u, k); why != "" {
			x.leftOut = append(x.leftOut, fmt.Sprintf("the key %s (%s of %s): %s", k.ID, strconv.Quote(k.Name), u.Email, why))
			continue
		}
		m := manifestKey{User: u.Email, Name: k.Name, ExpiresAt: dated(k.ExpiresAt), Models: k.Models, IPs: k.IPs, Scopes: k.Scopes,
			Wallet: x.wallets[k.WalletID], App: k.AppID, Managed: k.Managed, Value: refs.take(variableName("HUB_KEY_" + u.Email + "_" + k.Name))}
		if k.AppID != "" && slices.Equal(k.Scopes, []hub.Scope{hub.ScopeInference}) {
			m.Scopes = nil // what such a key has anyway
		}
		if err := m.bound(own[k.ID]); err != nil {
			return nil, err
		}
		x.names[k.ID] = u.Email + "/" + k.Name
		out = append(out, m)
	}
	return out, nil
}

func (x *keyExport) unwritable(ring *keyring, u store.User, k *store.APIKey) string {
	if why := x.unusable(u, k); why != "" {
		return why
	}
	if _, err := ring.find("", u.Email, k.Name); err != nil {
		return "another key of its user has the same name"
	}
	return ""
}

func (x *keyExport) unusable(u store.User, k *store.APIKey) string {
	switch {
	case u.DisabledAt != nil:
		return "its user is disabled"
	case k.WalletID != "" && x.wallets[k.WalletID] == "":
		return "its wallet is closed"
	}
	return ""
}

// bound puts limits by word into the entry.
func (k *manifestKey) bound(own map[string]string) error {
	for word, into := range map[string]**int64{"rpm": &k.RPM, "tpm": &k.TPM, "concurrency": &k.Concurrency} {
		if own[word] == "" {
			continue
		}
		n, err := strconv.ParseInt(own[word], 10, 64)
		if err != nil {
			return err
		}
		*into = &n
	}
	k.BudgetDay, k.BudgetWeek, k.BudgetMonth = own["budget_day"], own["budget_week"], own["budget_month"]
	return nil
}

// variableName makes a text that may name a variable.
func variableName(text string) string { return notInNames.ReplaceAllString(strings.ToUpper(text), "_") }

// subject is how a limit of a single key names it: not at all where keys have a
// word for the limit, or the key is not written.
func (x *keyExport) subject(l store.Limit) string {
	if operator.KeyWord(l.Metric, l.Period) != "" {
		return ""
	}
	return x.names[l.Subject]
}

// single reports whether a limit binds one key.
func single(l store.Limit) bool { return l.Scope == limits.Key && l.Subject != limits.Each }
