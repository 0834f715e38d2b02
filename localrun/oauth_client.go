package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func oauthClientSpecs() []spec {
	id := text("id", "`ID` of the client, as listed")
	terms := []cli.Flag{
		text("url", "`URL` where people read about it (https)"),
		text("redirects", "`URLS` to send browsers back to, by commas: https://app.example.com/done,http://127.0.0.1/done,com.example.app:/done"),
		text("scopes", "what it may ask for, by commas: `SCOPES` are inference (unless given), usage, billing, admin"),
		toggle("device", "let it use the device flow, for programs without a browser"),
	}
	return []spec{
		{
			name: "create", usage: "register an application that users sign in to with this hub, and print its id and secret, this once", run: oauthClientCreate,
			needs: []string{"name"}, arg: "name",
			flags: append([]cli.Flag{text("name", "`NAME` that users are shown"), toggle("public", "it can keep no secret: a program on users' machines, or a page")}, terms...),
			about: "Only the secret's hash is kept, so it cannot be shown again. On 127.0.0.1, [::1] and localhost the port is free.",
		},
		{name: "list", usage: "list OAuth clients, without their secrets", run: oauthClientList},
		{
			name: "edit", usage: "change an OAuth client's name, addresses or scopes", run: oauthClientEdit, needs: []string{"id"}, arg: "id",
			flags: append([]cli.Flag{id, text("name", "its new `NAME`")}, terms...),
			about: "What is not named stays, as does what users agreed to before.",
		},
		{
			name: "rotate-secret", usage: "give an OAuth client another secret and print it, this once; the one before stops working", run: oauthClientRotate,
			needs: []string{"id"}, arg: "id", flags: []cli.Flag{id},
		},
		{
			name: "remove", usage: "end an OAuth client and everything that users allowed it", run: oauthClientRemove, needs: []string{"id"}, arg: "id",
			flags: []cli.Flag{id},
		},
	}
}

// madeClient is an OAuth client with its secret, this once.
type madeClient struct {
	operator.ClientView
	Secret string `json:"client_secret"` // "" of a public client
}

func (j *job) showClient(secret hub.Secret, c store.OAuthClient) error {
	human := "client_id " + c.ID + "\n"
	if secret != "" {
		human += "client_secret " + secret.Reveal() + "\n"
	}
	return j.show(madeClient{operator.ViewClient(c), secret.Reveal()}, human)
}

func oauthClientCreate(j *job) error {
	return j.withHub(func(a *boot.App) error {
		secret, c, err := a.Desk.RegisterClient(j.ctx, actor, store.ClientOperator, operator.NewClient{Name: j.text("name"), URL: j.text("url"),
			Redirects: j.list("redirects"), Scopes: scopes(j.list("scopes")), Confidential: !j.c.Bool("public"), Device: j.c.Bool("device")})
		if err != nil {
			return err
		}
		return j.showClient(secret, c)
	})
}

func oauthClientList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		views, rows := []operator.ClientView{}, [][]string{}
		for after := ""; ; {
			some, err := a.Store.OAuthClients(j.ctx, after, page)
			if err != nil {
				return err
			}
			for _, c := range some {
				kind := "public"
				if c.SecretHash != "" {
					kind = "confidential"
				}
				if c.RemovedAt != nil {
					kind = "removed"
				}
				views = append(views, operator.ViewClient(c))
				rows = append(rows, []string{c.ID, c.Name, kind, c.Source, orDash(strings.Join(words(c.Scopes), ",")), orDash(strings.Join(c.Redirects, ","))})
			}
			if len(some) < page {
				return j.show(views, table("ID NAME KIND SOURCE SCOPES REDIRECTS", rows))
			}
			after = some[len(some)-1].ID
		}
	})
}

func words(scopes []hub.Scope) []string {
	out := make([]string, len(scopes))
	for i, s := range scopes {
		out[i] = string(s)
	}
	return out
}

func oauthClientEdit(j *job) error {
	given := func(flag string) *string {
		if !j.c.IsSet(flag) {
			return nil
		}
		return new(j.text(flag))
	}
	change := operator.ChangedClient{Name: given("name"), URL: given("url"), Redirects: j.list("redirects"), Scopes: scopes(j.list("scopes"))}
	if j.c.IsSet("device") {
		change.Device = new(j.c.Bool("device"))
	}
	return j.withHub(func(a *boot.App) error {
		c, err := a.Desk.ChangeClient(j.ctx, actor, j.text("id"), change)
		if err != nil {
			return err
		}
		return j.show(operator.ViewClient(c), fmt.Sprintf("The OAuth client %s is changed.\n", c.ID))
	})
}

func oauthClientRotate(j *job) error {
	return j.withHub(func(a *boot.App) error {
		secret, c, err := a.Desk.RotateClientSecret(j.ctx, actor, j.text("id"))
		if err != nil {
			return err
		}
		return j.show(madeClient{operator.ViewClient(c), secret.Reveal()}, secret.Reveal()+"\n")
	})
}

func oauthClientRemove(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.RemoveClient(j.ctx, actor, j.text("id")); err != nil {
			return err
		}
		return j.show(map[string]string{"client_id": j.text("id")}, fmt.Sprintf("The OAuth client %s is removed; what users allowed it has ended.\n", j.text("id")))
	})
}

func connectionSpecs() []spec {
	return []spec{
		{
			name: "list", usage: "list what users allowed applications and command lines", run: connectionList,
			flags: []cli.Flag{text("user", "only what the user with the e-mail `ADDRESS` allowed")},
		},
		{
			name: "revoke", usage: "take back what a user allowed an application; its key and tokens stop working at once", run: connectionRevoke,
			needs: []string{"id"}, arg: "id", flags: []cli.Flag{text("id", "`ID` of the connection, as listed")},
		},
	}
}

func connectionList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		next := a.Store.AllConnections
		if email := j.text("user"); email != "" {
			u, err := a.Desk.User(j.ctx, email)
			if err != nil {
				return err
			}
			next = func(ctx context.Context, after string, limit int) ([]store.Connection, error) {
				return a.Store.Connections(ctx, u.ID, after, limit)
			}
		}
		views, rows := []operator.ConnectionView{}, [][]string{}
		for after := ""; ; {
			some, err := next(j.ctx, after, page)
			if err != nil {
				return err
			}
			for _, n := range some {
				state := "in force"
				if n.RevokedAt != nil {
					state = "revoked"
				}
				views = append(views, operator.ViewConnection(n))
				rows = append(rows, []string{n.ID, n.Email, n.Name, orDash(n.ClientID), n.KeyID, strings.Join(words(n.Scopes), ","), state})
			}
			if len(some) < page {
				return j.show(views, table("ID USER APPLICATION CLIENT KEY SCOPES STATE", rows))
			}
			after = some[len(some)-1].ID
		}
	})
}

func connectionRevoke(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.RevokeConnection(j.ctx, actor, j.text("id"), "by an operator"); err != nil {
			return err
		}
		return j.show(map[string]string{"id": j.text("id")}, fmt.Sprintf("The connection %s is revoked.\n", j.text("id")))
	})
}
