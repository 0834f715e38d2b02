package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// planPrune lists what the hub has beside the file, in the order in which nothing
// is removed that something else still refers to. Only lists that the file has are
// looked at: an absent one says nothing, an empty one that there is to be none.
// Whatever export leaves out stays, so that what it writes removes nothing.
func (p *planner) planPrune(m manifest) error {
	p.emails = map[string]string{}
	for _, u := range p.users {
		p.emails[u.ID] = u.Email
	}
	for _, step := range []func(manifest) error{p.pruneLimits, p.pruneAliases, p.pruneRates, p.pruneProviders, p.pruneKeys} {
		if err := step(m); err != nil {
			return err
		}
	}
	return nil
}

func (p *planner) remove(kind, name string, detail []string, do func(ctx context.Context) error) {
	if detail == nil {
		detail = []string{}
	}
	p.out = append(p.out, change{Action: "remove", Kind: kind, Name: name, Detail: detail, do: do})
}

func (p *planner) pruneLimits(m manifest) error {
	if m.Limits == nil {
		return nil
	}
	rows, err := p.app.Store.Limits(p.ctx)
	if err != nil {
		return err
	}
	for _, l := range rows {
		if p.named[limitRef(l)] {
			continue
		}
		who, writable, err := p.bound(l)
		if err != nil {
			return err
		}
		if !writable {
			continue
		}
		p.remove("limit", fmt.Sprintf("%s %s %s %s", l.Scope, who, l.Metric, l.Period), []string{"amount: " + viewLimit(l).Amount}, func(ctx context.Context) error {
			return p.desk.RemoveLimit(ctx, actor, l.ID)
		})
	}
	return nil
}

func limitRef(l store.Limit) [4]string { return [4]string{l.Scope, l.Subject, l.Metric, l.Period} }

// bound is whom a limit binds, as a file names it; writable is false where a file
// has no place for it: limits that stand with a key, or with what is closed.
func (p *planner) bound(l store.Limit) (who string, writable bool, err error) {
	switch {
	case single(l):
		if operator.KeyWord(l.Metric, l.Period) != "" {
			return "", false, nil
		}
		return p.boundKey(l.Subject)
	case l.Scope == limits.User && l.Subject != limits.Each:
		return p.email(l.Subject), true, nil
	case l.Scope == limits.Member:
		account, id, _ := strings.Cut(l.Subject, "/")
		for _, w := range p.wallets {
			if w.AccountID != account || account == "" {
				continue
			}
			if id != limits.Each {
				id = p.email(id)
			}
			return w.Name + "/" + id, w.ClosedAt == nil, nil
		}
		return "", false, nil
	}
	return l.Subject, true, nil
}

func (p *planner) boundKey(id string) (who string, writable bool, err error) {
	k, err := p.app.Store.KeyByID(p.ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return "", false, nil
	}
	if err != nil {
		return "", false, err
	}
	ring, err := p.keyring()
	if err != nil {
		return "", false, err
	}
	u := p.users[strings.ToLower(p.email(k.UserID))]
	mine := slices.ContainsFunc(ring.byRef[keyRef(u.Email, k.Name)], func(other store.APIKey) bool { return other.ID == k.ID })
	return u.Email + "/" + k.Name, mine && !ring.expired(&k) && p.writer().unwritable(ring, u, &k) == "", nil
}

// email is a user's address, or the id where there is no such user.
func (p *planner) email(id string) string {
	return cmp.Or(p.emails[id], id)
}

// writer knows which keys export would write.
func (p *planner) writer() *keyExport {
	x := &keyExport{wallets: map[string]string{}}
	for _, w := range p.wallets {
		if w.ClosedAt == nil {
			x.wallets[w.AccountID] = w.Name
		}
	}
	return x
}

func (p *planner) pruneAliases(m manifest) error {
	if m.Aliases == nil {
		return nil
	}
	rows, err := p.app.Store.Aliases(p.ctx)
	if err != nil {
		return err
	}
	for _, row := range rows {
		if !m.hasAlias(row.Name) {
			p.remove("alias", row.Name, nil, func(ctx context.Context) error { return p.desk.RemoveAlias(ctx, actor, row.Name) })
		}
	}
	return nil
}

func (m *manifest) hasAlias(name string) bool {
	for _, a := range m.Aliases {
		if strings.EqualFold(a.Name, name) {
			return true
		}
	}
	return false
}

// aliasesAfter are the aliases as they will be.
func (p *planner) aliasesAfter(m manifest) ([]routing.Alias, error) {
	var out []routing.Alias
	for _, a := range m.Aliases {
		out = append(out, a.alias())
	}
	rows, err := p.app.Store.Aliases(p.ctx)
	if err != nil || m.Aliases != nil {
		return out, err
	}
	for _, row := range rows {
		a, err := operator.ReadAlias(row)
		if err != nil {
			return nil, err
		}
		out = append(out, *a)
	}
	return out, nil
}

// pruneRates leaves retired rates: calls are refused already, and no file has them.
func (p *planner) pruneRates(m manifest) error {
	if m.Rates == nil {
		return nil
	}
	rows, err := p.app.Store.Rates(p.ctx)
	if err != nil {
		return err
	}
	aliases, err := p.aliasesAfter(m)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	var after, gone []store.Rate
	for i, r := range m.Rates {
		n, err := r.rate(fmt.Sprintf("rates[%d]", i))
		if err != nil {
			return err
		}
		named[n.Provider+"\x00"+n.Model+"\x00"+string(n.Type)] = true
		after = append(after, store.Rate{Provider: n.Provider, Model: n.Model, Type: n.Type})
	}
	for _, row := range rows {
		if !row.Retired && !named[row.Provider+"\x00"+row.Model+"\x00"+string(row.Type)] {
			gone = append(gone, row)
		}
	}
	for _, row := range gone {
		name := row.Provider + "/" + row.Model + " " + string(row.Type)
		if used := operator.AliasesTo(row, after, aliases); len(used) > 0 {
			return hub.Errorf(hub.CodeConflict, "the rate %s is not in the file, but the alias %s leads to it; change the alias, or name the rate", name, strings.Join(used, "; "))
		}
		p.remove("rate", name, nil, func(ctx context.Context) error {
			_, err := p.desk.RemoveRate(ctx, actor, row.ID, "not in the file that was applied", false)
			return err
		})
	}
	return nil
}

// pruneProviders removes credentials of providers whose entry has a list of them,
// then providers.
func (p *planner) pruneProviders(m manifest) error {
	if m.Providers == nil {
		return nil
	}
	stored, err := p.app.Store.Providers(p.ctx)
	if err != nil {
		return err
	}
	credentials, err := p.app.Store.Credentials(p.ctx)
	if err != nil {
		return err
	}
	entries := map[string]manifestProvider{}
	for _, e := range m.Providers {
		entries[e.Name] = e
	}
	var gone []store.Provider
	for _, have := range stored {
		entry, named := entries[have.Name]
		if !named {
			gone = append(gone, have)
			continue
		}
		for _, c := range credentials {
			if c.ProviderID == have.ID && entry.Credentials != nil && !entry.hasCredential(c.Name) {
				p.remove("credential", have.Name+"/"+c.Name, nil, func(ctx context.Context) error {
					return p.desk.RemoveCredential(ctx, actor, have.Name, c.ID)
				})
			}
		}
	}
	for _, have := range gone {
		n := 0
		for _, c := range credentials {
			if c.ProviderID == have.ID {
				n++
			}
		}
		p.remove("provider", have.Name, []string{fmt.Sprintf("with %d credential(s)", n)}, func(ctx context.Context) error {
			return p.desk.RemoveProvider(ctx, actor, have.Name)
		})
	}
	return nil
}

func (e *manifestProvider) hasCredential(name string) bool {
	for _, c := range e.Credentials {
		if c.Name == name {
			return true
		}
	}
	return false
}

// pruneKeys revokes keys. Those that are over or that nobody can use stay as they
// are; a name that two keys have is an error, since neither can be in the file.
func (p *planner) pruneKeys(m manifest) error {
	if m.Keys == nil {
		return nil
	}
	ring, err := p.keyring()
	if err != nil {
		return err
	}
	all, err := allKeys(p.ctx, p.app)
	if err != nil {
		return err
	}
	x := p.writer()
	named := map[string]bool{}
	for _, k := range m.Keys {
		named[keyRef(k.User, k.Name)] = true
	}
	for i := range all {
		k := &all[i]
		u := p.users[strings.ToLower(p.email(k.UserID))]
		if k.RevokedAt != nil || ring.expired(k) || named[keyRef(u.Email, k.Name)] || x.unusable(u, k) != "" {
			continue
		}
		if _, err := ring.find("keys", u.Email, k.Name); err != nil {
			return err
		}
		p.remove("key", u.Email+"/"+k.Name, []string{"revoked for ever"}, func(ctx context.Context) error { return p.desk.RevokeKey(ctx, actor, k.ID) })
	}
	return nil
}
