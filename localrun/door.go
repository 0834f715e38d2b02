package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func userSetRole(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.SetRole(j.ctx, actor, j.text("email"), hub.Role(j.text("role"))); err != nil {
			return err
		}
		return j.showUser(a, "%s is %s now.\n", j.text("role"))
	})
}

func userDisable(j *job) error { return j.setDisabled(true, "%s is %s.\n", "disabled") }

func userEnable(j *job) error { return j.setDisabled(false, "%s is %s.\n", "enabled") }

func (j *job) setDisabled(disabled bool, format, word string) error {
	return j.withHub(func(a *boot.App) error {
		if _, err := a.Desk.SetDisabled(j.ctx, actor, j.text("email"), disabled); err != nil {
			return err
		}
		return j.showUser(a, format, word)
	})
}

// showUser shows the user that the command is about, in a sentence of the e-mail
// address and a word.
func (j *job) showUser(a *boot.App, format, word string) error {
	u, err := a.Desk.User(j.ctx, j.text("email"))
	if err != nil {
		return err
	}
	return j.show(viewUser(u), fmt.Sprintf(format, u.Email, word))
}

type invitationView struct {
	ID         string     `json:"id"`
	Email      string     `json:"email"`
	Role       hub.Role   `json:"role"`
	Groups     []string   `json:"groups"`
	InvitedBy  string     `json:"invited_by"`
	CreatedAt  time.Time  `json:"created_at"`
	ExpiresAt  time.Time  `json:"expires_at"`
	AcceptedAt *time.Time `json:"accepted_at"`
	RevokedAt  *time.Time `json:"revoked_at"`
	Mailed     *bool      `json:"mailed,omitempty"`
	Link       string     `json:"link,omitempty"`
}

func viewInvitation(n store.Invitation) invitationView {
	return invitationView{ID: n.ID, Email: n.Email, Role: n.Role, Groups: append([]string{}, n.Groups...), InvitedBy: n.Actor, CreatedAt: n.CreatedAt,
		ExpiresAt: n.ExpiresAt, AcceptedAt: n.AcceptedAt, RevokedAt: n.RevokedAt}
}

func userInvite(j *job) error {
	groups := list(j.text("groups"))
	return j.withHub(func(a *boot.App) error {
		n, err := a.Desk.Invite(j.ctx, actor, j.text("email"), hub.Role(j.text("role")), groups, j.text("language"))
		if err != nil {
			return err
		}
		v := viewInvitation(n.Invitation)
		v.Mailed, v.Link = &n.Mailed, n.Link.Reveal()
		return j.show(v, invitedWords(n))
	})
}

func invitedWords(n operator.Invited) string {
	until := n.ExpiresAt.UTC().Format(time.RFC3339)
	if n.Mailed {
		return fmt.Sprintf("Invited %s by e-mail as %s, until %s.\n", n.Email, n.Role, until)
	}
	return fmt.Sprintf("Invited %s as %s, until %s. Pass this link on; it works once:\n%s\n", n.Email, n.Role, until, n.Link.Reveal())
}

func userInvitations(j *job) error {
	return j.withHub(func(a *boot.App) error {
		views, rows := []invitationView{}, [][]string{}
		for before := ""; ; {
			more, err := a.Store.Invitations(j.ctx, before, page)
			if err != nil {
				return err
			}
			for _, n := range more {
				views = append(views, viewInvitation(n))
				rows = append(rows, []string{n.ID, n.Email, string(n.Role), orDash(strings.Join(n.Groups, ",")), n.Actor, timeOrDash(&n.ExpiresAt), timeOrDash(n.AcceptedAt), timeOrDash(n.RevokedAt)})
			}
			if len(more) < page {
				return j.show(views, table("ID EMAIL ROLE GROUPS BY EXPIRES ACCEPTED REVOKED", rows))
			}
			before = more[len(more)-1].ID
		}
	})
}

func userRevokeInvitation(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.RevokeInvitation(j.ctx, actor, j.text("id")); err != nil {
			return err
		}
		return j.show(map[string]any{"id": j.text("id"), "revoked": true}, "The invitation is revoked.\n")
	})
}

func userResetLink(j *job) error {
	return j.withHub(func(a *boot.App) error {
		link, expires, err := a.Desk.ResetLink(j.ctx, actor, j.text("email"))
		if err != nil {
			return err
		}
		return j.show(map[string]any{"link": link.Reveal(), "expires_at": expires},
			fmt.Sprintf("Pass this link on; it works once, until %s:\n%s\n", expires.UTC().Format(time.RFC3339), link.Reveal()))
	})
}

type sessionView struct {
	ID        string    `json:"id"`
	Method    string    `json:"method"`
	Address   string    `json:"address"`
	Agent     string    `json:"agent"`
	CreatedAt time.Time `json:"created_at"`
	SeenAt    time.Time `json:"seen_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

func userSessions(j *job) error {
	return j.withHub(func(a *boot.App) error {
		sessions, err := a.Desk.Sessions(j.ctx, j.text("email"))
		if err != nil {
			return err
		}
		views, rows := make([]sessionView, 0, len(sessions)), make([][]string, 0, len(sessions))
		for _, s := range sessions {
			views = append(views, sessionView{s.ID, s.Method, s.Address, s.Agent, s.CreatedAt, s.SeenAt, s.ExpiresAt})
			rows = append(rows, []string{s.ID, s.Method, orDash(s.Address), timeOrDash(&s.CreatedAt), timeOrDash(&s.SeenAt), orDash(s.Agent)})
		}
		return j.show(views, table("ID METHOD ADDRESS SINCE SEEN AGENT", rows))
	})
}

func userSignOut(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.EndSessions(j.ctx, actor, j.text("email"), ""); err != nil {
			return err
		}
		return j.showUser(a, "%s is signed out %s.\n", "everywhere")
	})
}

func userRemoveFactor(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.RemoveSecondFactor(j.ctx, actor, j.text("email")); err != nil {
			return err
		}
		return j.showUser(a, "%s signs in without a %s now.\n", "second factor")
	})
}
