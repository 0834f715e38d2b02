package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// manifestWallet is a shared wallet. Members that it does not name stay.
type manifestWallet struct {
	Name    string           `yaml:"name"`
	Kind    string           `yaml:"kind,omitempty"` // team (default) or app
	Members []manifestMember `yaml:"members,omitempty"`
}

type manifestMember struct {
	User    string `yaml:"user"` // e-mail address
	Manager bool   `yaml:"manager,omitempty"`
}

// checkWallets finds what cannot be right of wallets.
func (m *manifest) checkWallets(once func(path, key string) error) error {
	for i, w := range m.Wallets {
		path := fmt.Sprintf("wallets[%d]", i)
		if err := errors.Join(required(path, "name", w.Name), once(path, "wallet\x00"+strings.ToLower(w.Name))); err != nil {
			return err
		}
		for k, member := range w.Members {
			path := fmt.Sprintf("%s.members[%d]", path, k)
			if err := errors.Join(required(path, "user", member.User), once(path, "member\x00"+strings.ToLower(w.Name+"/"+member.User))); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planner) planWallets(m manifest) error {
	all, err := allWallets(p.ctx, p.app)
	if err != nil {
		return err
	}
	for _, w := range all {
		p.wallets[strings.ToLower(w.Name)] = w
	}
	for i, want := range m.Wallets {
		have, exists := p.wallets[strings.ToLower(want.Name)]
		path := fmt.Sprintf("wallets[%d]", i)
		switch {
		case !exists:
			p.wallets[strings.ToLower(want.Name)] = store.Wallet{Name: want.Name, Kind: want.Kind}
		case have.ClosedAt != nil:
			return hub.Invalid(path, "%s: the wallet %s is closed", path, want.Name)
		case want.Kind != "" && want.Kind != have.Kind:
			return hub.Invalid(path+".kind", "%s.kind: the wallet %s is of the kind %s, which stays", path, want.Name, have.Kind)
		}
		p.add(exists, "wallet", want.Name, nil, func(ctx context.Context) error {
			_, err := p.desk.CreateWallet(ctx, actor, want.Name, want.Kind)
			return err
		})
		for k, member := range want.Members {
			if err := p.planMember(fmt.Sprintf("%s.members[%d]", path, k), want.Name, have, member); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *planner) planMember(path, wallet string, have store.Wallet, want manifestMember) error {
	u, known := p.users[strings.ToLower(want.User)]
	if !known {
		return hub.Invalid(path+".user", "%s.user: there is no user %s, here or in the file", path, want.User)
	}
	var detail []string
	before, err := p.app.Store.MemberOf(p.ctx, have.AccountID, u.ID)
	exists := err == nil
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	if before.Manager != want.Manager {
		detail = []string{turned("manager", fmt.Sprint(before.Manager), fmt.Sprint(want.Manager))}
	}
	p.add(exists, "member", wallet+"/"+want.User, detail, func(ctx context.Context) error {
		return p.desk.SetMember(ctx, actor, wallet, want.User, want.Manager)
	})
	return nil
}

// memberSubject is the id of whom a member's limit binds, "" for a wallet or a
// user that is yet to be made.
func (p *planner) memberSubject(path, subject string) (string, error) {
	wallet, who, ok := strings.Cut(subject, "/")
	w, known := p.wallets[strings.ToLower(wallet)]
	if !ok || !known {
		return "", hub.Invalid(path+".subject", "%s.subject: %s names no wallet, here or in the file", path, subject)
	}
	if who == limits.Each {
		return w.AccountID + "/" + who, nil
	}
	u, known := p.users[strings.ToLower(who)]
	if !known {
		return "", hub.Invalid(path+".subject", "%s.subject: there is no user %s, here or in the file", path, who)
	}
	return w.AccountID + "/" + u.ID, nil
}

func allWallets(ctx context.Context, a *boot.App) ([]store.Wallet, error) {
	var all []store.Wallet
	for after := ""; ; after = all[len(all)-1].AccountID {
		some, err := a.Store.Wallets(ctx, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < page {
			return all, nil
		}
	}
}

func allMembers(ctx context.Context, a *boot.App, account string) ([]store.Member, error) {
	var all []store.Member
	for after := ""; ; after = all[len(all)-1].UserID {
		some, err := a.Store.Members(ctx, account, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < page {
			return all, nil
		}
	}
}

// exportWallets leaves out wallets that are closed, and credits: what is on a
// wallet is in the books, not in the configuration.
func exportWallets(ctx context.Context, a *boot.App) (out []manifestWallet, names map[string]string, err error) {
	all, err := allWallets(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	names = map[string]string{}
	for _, w := range all {
		if w.ClosedAt != nil {
			continue
		}
		names[w.AccountID] = w.Name
		m := manifestWallet{Name: w.Name, Kind: w.Kind}
		members, err := allMembers(ctx, a, w.AccountID)
		if err != nil {
			return nil, nil, err
		}
		for _, member := range members {
			m.Members = append(m.Members, manifestMember{User: member.Email, Manager: member.Manager})
		}
		out = append(out, m)
	}
	return out, names, nil
}
