package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func appSpecs() []spec {
	return []spec{
		{
			name: "list", usage: "list the applications that calls named, and what was used through them", run: appList,
			flags: []cli.Flag{number("days", "use of the last `N` days (30, at most 31)")},
		},
		{
			name: "set", usage: "say what an application is called, or make it known", run: appSet, needs: []string{"id"}, arg: "id",
			flags: []cli.Flag{
				text("id", "`ID` by which it names itself, its DID for a Blocklet"), text("name", "its `NAME`"),
				text("logo", "`URL` of its logo"), text("url", "`URL` where it is"),
				text("public-key", "`KEY`, hexadecimal Ed25519, that its DID is derived from"),
			},
			about: "What is set by hand is not overwritten by the application's own page until name, logo and url are all set to nothing.",
		},
	}
}

// listedApp is an application as it is listed.
type listedApp struct {
	ID     string           `json:"id"`
	Name   string           `json:"name"`
	Logo   string           `json:"logo"`
	URL    string           `json:"url"`
	Source string           `json:"source"`
	Use    operator.UseView `json:"use"`
}

func appList(j *job) error {
	days, err := j.days()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		now := a.Now()
		views, rows := []listedApp{}, [][]string{}
		for after := ""; ; {
			some, err := a.Store.Apps(j.ctx, after, page)
			if err != nil {
				return err
			}
			use, err := a.Desk.AppUse(j.ctx, some, store.Span{From: now.Add(-days), Until: now})
			if err != nil {
				return err
			}
			for _, app := range some {
				u := use[app.ID]
				views = append(views, listedApp{app.ID, app.Name, app.Logo, app.URL, app.Source, u})
				rows = append(rows, []string{app.ID, orDash(app.Name), app.Source, fmt.Sprint(u.Calls), u.Credits.String(), orDash(app.URL)})
			}
			if len(some) < page {
				return j.show(views, table("ID NAME SOURCE CALLS CREDITS URL", rows))
			}
			after = some[len(some)-1].ID
		}
	})
}

func appSet(j *job) error {
	given := func(flag string) *string {
		if !j.c.IsSet(flag) {
			return nil
		}
		return new(j.text(flag))
	}
	return j.withHub(func(a *boot.App) error {
		app, err := a.Desk.SetApp(j.ctx, actor, j.text("id"), operator.ChangedApp{Name: given("name"), Logo: given("logo"), URL: given("url"),
			PublicKey: given("public-key")})
		if err != nil {
			return err
		}
		return j.show(listedApp{ID: app.ID, Name: app.Name, Logo: app.Logo, URL: app.URL, Source: app.Source},
			fmt.Sprintf("The application %s is called %s.\n", app.ID, orDash(app.Name)))
	})
}
