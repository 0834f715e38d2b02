package main

import (
	"context"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (p *planner) planUsers(m manifest) error {
	all, err := allUsers(p.ctx, p.app)
	if err != nil {
		return err
	}
	for _, u := range all {
		p.users[strings.ToLower(u.Email)] = u
	}
	for _, want := range m.Users {
		role := hub.Role(want.Role)
		have, exists := p.users[strings.ToLower(want.Email)]
		var detail []string
		grouped := want.Groups != nil && !slices.Equal(want.Groups, have.Groups)
		do := func(ctx context.Context) error {
			if have.Role != role {
				if err := p.desk.SetRole(ctx, actor, want.Email, role); err != nil {
					return err
				}
			}
			return p.regroup(ctx, want, grouped)
		}
		switch {
		case !exists:
			detail = []string{"role: " + want.Role}
			do = func(ctx context.Context) error {
				if _, err := p.desk.CreateUser(ctx, actor, want.Email, role, ""); err != nil {
					return err
				}
				return p.regroup(ctx, want, grouped)
			}
			// Grants further down may name users that are yet to be made.
			p.users[strings.ToLower(want.Email)] = store.User{Email: want.Email, Role: role}
		case have.Role != role:
			detail = []string{turned("role", string(have.Role), want.Role)}
		}
		if grouped {
			detail = append(detail, turned("groups", strings.Join(have.Groups, ","), strings.Join(want.Groups, ",")))
		}
		p.add(exists, "user", want.Email, detail, do)
	}
	return nil
}

func (p *planner) regroup(ctx context.Context, want manifestUser, differs bool) error {
	if !differs {
		return nil
	}
	_, err := p.desk.SetGroups(ctx, actor, want.Email, want.Groups)
	return err
}
