package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// page is how many rows are read at a time from tables that grow.
const page = 1000

func userSpecs() []spec {
	email := text("email", "e-mail `ADDRESS`")
	password := toggle("password-stdin", "read the password from standard input (10 to 256 bytes)")
	return []spec{
		{
			name: "create", usage: "make a user with an empty wallet", run: userCreate, needs: []string{"email", "role"}, arg: "email",
			flags: []cli.Flag{email, text("role", "owner, admin, member or guest"), password},
			about: "Without --password-stdin the user has API keys but cannot sign in.",
		},
		{name: "list", usage: "list users", run: userList},
		{
			name: "set-groups", usage: "put a user into groups that routes can ask for, and out of all others", run: userSetGroups, needs: []string{"email"}, arg: "email",
			flags: []cli.Flag{email, text("groups", "`NAMES` separated by commas; none: out of all groups")},
			about: "Every user's role is a group too.",
		},
		{
			name: "set-did", usage: "say under which DID Payment Kit knows a user", run: userSetDID, needs: []string{"email", "did"}, arg: "email",
			flags: []cli.Flag{email, text("did", "the `DID`, with or without did:abt:")},
			about: "Said once for each user. From then on, where Payment Kit sells credits, the user's grants there count here\n" +
				"and what the user spends is reported there.",
		},
		{
			name: "set-password", usage: "replace a user's password", run: userSetPassword, needs: []string{"email"}, arg: "email",
			flags: []cli.Flag{email, password}, about: "Needs --password-stdin: a password does not belong on a command line.",
		},
		{
			name: "set-role", usage: "give a user another role", run: userSetRole, needs: []string{"email", "role"}, arg: "email",
			flags: []cli.Flag{email, text("role", "owner, admin, member or guest")}, about: "The last owner stays one.",
		},
		{
			name: "disable", usage: "lock a user out: keys and sessions admit nothing from then on", run: userDisable, needs: []string{"email"}, arg: "email",
			flags: []cli.Flag{email},
		},
		{name: "enable", usage: "let a disabled user in again; keys work again, sessions are gone", run: userEnable, needs: []string{"email"}, arg: "email", flags: []cli.Flag{email}},
		{
			name: "invite", usage: "let somebody become a user", run: userInvite, needs: []string{"email", "role"}, arg: "email",
			flags: []cli.Flag{email, text("role", "owner, admin, member or guest"), text("groups", "`NAMES` separated by commas"), text("language", "of the mail: en, zh-CN, zh-TW or ja")},
			about: "The link goes out by e-mail where AIGNE_HUB_SMTP_URL is set and is printed otherwise. It works once.",
		},
		{name: "invitations", usage: "list invitations, newest first", run: userInvitations},
		{
			name: "revoke-invitation", usage: "end an open invitation", run: userRevokeInvitation, needs: []string{"id"}, arg: "id",
			flags: []cli.Flag{text("id", "`ID` of the invitation")},
		},
		{
			name: "reset-link", usage: "make a link by which a user can set a new password", run: userResetLink, needs: []string{"email"}, arg: "email", flags: []cli.Flag{email},
			about: "It works once, for an hour. Earlier ones stop working.",
		},
		{name: "sessions", usage: "list a user's sessions", run: userSessions, needs: []string{"email"}, arg: "email", flags: []cli.Flag{email}},
		{name: "sign-out", usage: "end all sessions of a user", run: userSignOut, needs: []string{"email"}, arg: "email", flags: []cli.Flag{email}},
		{
			name: "remove-second-factor", usage: "let a user sign in without the second factor that was lost", run: userRemoveFactor, needs: []string{"email"}, arg: "email",
			flags: []cli.Flag{email},
		},
	}
}

// userView is a user as it is shown.
type userView struct {
	ID         string     `json:"id"`
	Email      string     `json:"email"`
	Role       hub.Role   `json:"role"`
	Groups     []string   `json:"groups"`
	DID        string     `json:"did,omitempty"`
	Password   bool       `json:"has_password"`
	DisabledAt *time.Time `json:"disabled_at"`
	CreatedAt  time.Time  `json:"created_at"`
}

func viewUser(u store.User) userView {
	return userView{ID: u.ID, Email: u.Email, Role: u.Role, Groups: append([]string{}, u.Groups...), DID: u.DID, Password: u.PasswordHash != "", DisabledAt: u.DisabledAt, CreatedAt: u.CreatedAt}
}

func userCreate(j *job) error {
	var password hub.Secret
	var err error
	if j.c.Bool("password-stdin") {
		if password, err = j.readSecret("password-stdin"); err != nil {
			return err
		}
	}
	return j.withHub(func(a *boot.App) error {
		u, err := a.Desk.CreateUser(j.ctx, actor, j.text("email"), hub.Role(j.text("role")), password)
		if err != nil {
			return err
		}
		return j.show(viewUser(u), fmt.Sprintf("Created %s %s.\n", u.Role, u.Email))
	})
}

func userSetDID(j *job) error {
	return j.withHub(func(a *boot.App) error {
		u, err := a.Desk.SetDID(j.ctx, actor, j.text("email"), j.text("did"))
		if err != nil {
			return err
		}
		return j.show(viewUser(u), fmt.Sprintf("%s is known as %s.\n", u.Email, u.DID))
	})
}

func userList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		users, err := allUsers(j.ctx, a)
		if err != nil {
			return err
		}
		views, rows := make([]userView, 0, len(users)), make([][]string, 0, len(users))
		for _, u := range users {
			v := viewUser(u)
			views = append(views, v)
			rows = append(rows, []string{v.Email, string(v.Role), orDash(strings.Join(v.Groups, ",")), yesNo(v.Password), timeOrDash(v.DisabledAt), timeOrDash(&v.CreatedAt), v.ID})
		}
		return j.show(views, table("EMAIL ROLE GROUPS PASSWORD DISABLED CREATED ID", rows))
	})
}

func userSetGroups(j *job) error {
	groups := list(j.text("groups"))
	return j.withHub(func(a *boot.App) error {
		u, err := a.Desk.SetGroups(j.ctx, actor, j.text("email"), groups)
		if err != nil {
			return err
		}
		return j.show(viewUser(u), fmt.Sprintf("%s is in the groups: %s.\n", u.Email, orDash(strings.Join(u.Groups, ", "))))
	})
}

// list splits a flag's value at commas.
func list(value string) (out []string) {
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			out = append(out, item)
		}
	}
	return out
}

func allUsers(ctx context.Context, a *boot.App) ([]store.User, error) {
	var all []store.User
	for after := ""; ; after = all[len(all)-1].ID {
		more, err := a.Store.Users(ctx, after, page)
		if err != nil {
			return nil, err
		}
		all = append(all, more...)
		if len(more) < page {
			return all, nil
		}
	}
}

func userSetPassword(j *job) error {
	if !j.c.Bool("password-stdin") {
		return hub.Invalid("password-stdin", "set-password needs --password-stdin")
	}
	password, err := j.readSecret("password-stdin")
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.SetPassword(j.ctx, actor, j.text("email"), password); err != nil {
			return err
		}
		return j.show(map[string]any{"email": j.text("email"), "changed": true}, fmt.Sprintf("Set the password of %s.\n", j.text("email")))
	})
}
