package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// manifestAlias is a model name of the operator's own.
type manifestAlias struct {
	Name  string         `yaml:"name"`
	Rules []routing.Rule `yaml:"rules"`

	Managed string `yaml:"managed,omitempty"` // file, see checkManaged
}

func (a manifestAlias) alias() routing.Alias { return routing.Alias{Name: a.Name, Rules: a.Rules} }

// manifestLimit names users by e-mail address and members as wallet/e-mail
// address, keys as their user's e-mail address/name; subject "*", or none, binds
// each one by itself.
type manifestLimit struct {
	Scope   string `yaml:"scope"`
	Subject string `yaml:"subject,omitempty"`
	Metric  string `yaml:"metric"`
	Period  string `yaml:"period,omitempty"`
	Amount  string `yaml:"amount"`
	Managed string `yaml:"managed,omitempty"` // file, see checkManaged
}

// limit is what the entry asks for.
func (l manifestLimit) limit() operator.NewLimit {
	n := operator.NewLimit{Scope: l.Scope, Subject: l.Subject, Metric: l.Metric, Period: l.Period, Amount: l.Amount}
	if n.Subject == "" {
		n.Subject = limits.Each
	}
	return n
}

// checkRouting finds what cannot be right of aliases and limits.
func (m *manifest) checkRouting(once func(path, key string) error) error {
	for i, a := range m.Aliases {
		path := fmt.Sprintf("aliases[%d]", i)
		if err := errors.Join(required(path, "name", a.Name), once(path, "alias\x00"+strings.ToLower(a.Name))); err != nil {
			return err
		}
		isAlias := func(name string) bool {
			for _, other := range m.Aliases {
				if strings.EqualFold(other.Name, name) {
					return true
				}
			}
			return false
		}
		alias := a.alias()
		if err := alias.Check(isAlias); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	for i, l := range m.Limits {
		path := fmt.Sprintf("limits[%d]", i)
		n := l.limit()
		if err := errors.Join(required(path, "scope", l.Scope, "metric", l.Metric, "amount", l.Amount),
			once(path, "limit\x00"+strings.Join([]string{n.Scope, strings.ToLower(n.Subject), n.Metric, n.Period}, " "))); err != nil {
			return err
		}
		if _, err := n.Check(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}

func (p *planner) planAliases(m manifest) error {
	rows, err := p.app.Store.Aliases(p.ctx)
	if err != nil {
		return err
	}
	have, managed := map[string]routing.Alias{}, map[string]string{}
	for _, row := range rows {
		a, err := operator.ReadAlias(row)
		if err != nil {
			return err
		}
		have[strings.ToLower(a.Name)], managed[strings.ToLower(a.Name)] = *a, row.Managed
	}
	for _, want := range m.Aliases {
		old, exists := have[strings.ToLower(want.Name)]
		var detail []string
		if before, after := rulesJSON(old.Rules), rulesJSON(want.Rules); before != after {
			detail = []string{turned("rules", before, after)}
		}
		ruled, before := len(detail) > 0, managed[strings.ToLower(want.Name)]
		p.add(exists, "alias", want.Name, marked(detail, before, want.Managed), func(ctx context.Context) error {
			if ruled {
				if err := p.desk.SetAlias(ctx, actor, want.alias()); err != nil {
					return err
				}
			}
			return p.mark(ctx, store.ManagedAlias, want.Name, before, want.Managed)
		})
	}
	return nil
}

func rulesJSON(rules []routing.Rule) string {
	if rules == nil {
		return ""
	}
	b, _ := json.Marshal(rules) // words and numbers always encode
	return string(b)
}

func (p *planner) planLimits(m manifest) error {
	rows, err := p.app.Store.Limits(p.ctx)
	if err != nil {
		return err
	}
	have := map[[4]string]store.Limit{}
	for _, l := range rows {
		have[limitRef(l)] = l
	}
	for i, want := range m.Limits {
		n := want.limit()
		l, err := n.Check()
		if err != nil {
			return err
		}
		if l.Subject, err = p.subject(fmt.Sprintf("limits[%d]", i), n); err != nil {
			return err
		}
		old, exists := have[limitRef(l)]
		p.named[limitRef(l)] = true
		var detail []string
		if !exists || old.Amount != l.Amount {
			before := ""
			if exists {
				before = viewLimit(old).Amount
			}
			detail = []string{turned("amount", before, viewLimit(l).Amount)}
		}
		p.add(exists, "limit", fmt.Sprintf("%s %s %s %s", n.Scope, n.Subject, n.Metric, l.Period), marked(detail, old.Managed, want.Managed), func(ctx context.Context) error {
			n, err := p.ofKey(ctx, n)
			if err != nil {
				return err
			}
			row, err := p.desk.SetLimit(ctx, actor, n)
			if err != nil {
				return err
			}
			return p.mark(ctx, store.ManagedLimit, row.ID, old.Managed, want.Managed)
		})
	}
	return nil
}

// subject is the id of whom a limit binds, "" for a user who is yet to be made.
func (p *planner) subject(path string, n operator.NewLimit) (string, error) {
	if n.Subject == limits.Each {
		return n.Subject, nil
	}
	switch n.Scope {
	case limits.User:
		u, known := p.users[strings.ToLower(n.Subject)]
		if !known {
			return "", hub.Invalid(path+".subject", "%s.subject: there is no user %s, here or in the file", path, n.Subject)
		}
		return u.ID, nil
	case limits.Member:
		return p.memberSubject(path, n.Subject)
	case limits.Key:
		if strings.Contains(n.Subject, "/") {
			return p.keySubject(path, n)
		}
		if _, err := p.app.Store.KeyByID(p.ctx, n.Subject); err != nil {
			return "", hub.Invalid(path+".subject", "%s.subject: there is no key %s here", path, n.Subject)
		}
	}
	return n.Subject, nil
}

// keySubject is the id of the key that a limit names as user/name, "" for one that
// is yet to be made.
func (p *planner) keySubject(path string, n operator.NewLimit) (string, error) {
	if word := operator.KeyWord(n.Metric, n.Period); word != "" {
		return "", hub.Invalid(path+".metric", "%s: a key has %s for this limit, in its own entry in keys", path, word)
	}
	ring, err := p.keyring()
	if err != nil {
		return "", err
	}
	user, name, _ := strings.Cut(n.Subject, "/")
	have, err := ring.find(path, user, name)
	if err != nil {
		return "", err
	}
	if have != nil {
		return have.ID, nil
	}
	if slices.ContainsFunc(p.file.Keys, func(k manifestKey) bool { return keyRef(k.User, k.Name) == keyRef(user, name) }) {
		return "", nil
	}
	return "", hub.Invalid(path+".subject", "%s.subject: there is no key %s, here or in the file", path, n.Subject)
}

// ofKey puts a key's id in place of user/name, when the key has been made.
func (p *planner) ofKey(ctx context.Context, n operator.NewLimit) (operator.NewLimit, error) {
	user, name, ok := strings.Cut(n.Subject, "/")
	if n.Scope != limits.Key || !ok {
		return n, nil
	}
	u, err := p.desk.User(ctx, user)
	if err != nil {
		return n, err
	}
	ring, err := readKeyring(ctx, p.app, map[string]store.User{strings.ToLower(user): u})
	if err != nil {
		return n, err
	}
	k, err := ring.find("limits", user, name)
	if err == nil && k == nil {
		err = hub.Errorf(hub.CodeNotFound, "There is no key %s.", n.Subject)
	}
	if err != nil {
		return n, err
	}
	n.Subject = k.ID
	return n, nil
}

func exportAliases(ctx context.Context, a *boot.App) ([]manifestAlias, error) {
	rows, err := a.Store.Aliases(ctx)
	if err != nil {
		return nil, err
	}
	var out []manifestAlias
	for _, row := range rows {
		alias, err := operator.ReadAlias(row)
		if err != nil {
			return nil, err
		}
		out = append(out, manifestAlias{Name: alias.Name, Rules: alias.Rules, Managed: row.Managed})
	}
	return out, nil
}

// exportLimits leaves out what stands with the keys.
func exportLimits(x *keyExport) []manifestLimit {
	emails := map[string]string{}
	for _, u := range x.users {
		emails[u.ID] = u.Email
	}
	var out []manifestLimit
	for _, l := range x.limits {
		if single(l) && x.subject(l) == "" {
			continue
		}
		v := viewLimit(l)
		m := manifestLimit{Scope: l.Scope, Subject: l.Subject, Metric: l.Metric, Period: l.Period, Amount: v.Amount, Managed: l.Managed}
		if email, ok := emails[l.Subject]; ok && l.Scope == limits.User {
			m.Subject = email
		}
		if single(l) {
			m.Subject = x.subject(l)
		}
		if account, who, ok := strings.Cut(l.Subject, "/"); ok && l.Scope == limits.Member {
			if x.wallets[account] == "" {
				continue // of a closed wallet
			}
			if who != limits.Each {
				who = emails[who]
			}
			m.Subject = x.wallets[account] + "/" + who
		}
		if l.Metric == limits.Concurrency {
			m.Period = ""
		}
		out = append(out, m)
	}
	return out
}
