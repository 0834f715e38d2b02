package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func providerSpecs() []spec {
	name := text("name", "the provider's `NAME`")
	return []spec{
		{
			name: "add", usage: "store a provider, with a first credential if one is given", run: providerAdd,
			needs: []string{"kind", "name"}, arg: "name",
			about: "Example: OPENAI_API_KEY=… aigne-hub provider add --kind openai --name openai --credential-env OPENAI_API_KEY",
			flags: append([]cli.Flag{
				text("kind", "one of "+kindNames()), name,
				text("base-url", "`URL` that requests go below; without it the kind's own"),
				text("region", "cloud `REGION`, where the kind has regions"),
				timeoutFlag("the hub's"),
			}, credentialFlags()...),
		},
		{
			name: "list", usage: "list stored providers and those of the environment", run: providerList,
			about: "A kind whose variable is set (OPENAI_API_KEY and the like) is a provider of source env, named after the\n" +
				"kind; a stored provider of that name wins.",
		},
		{
			name: "set", usage: "set a stored provider's time-outs; those not given are the hub's again", run: providerSet,
			needs: []string{"name"}, arg: "name", flags: []cli.Flag{name, timeoutFlag("the hub's")},
		},
		{
			name: "test", usage: "ask a provider whether it takes each active credential", run: providerTest,
			needs: []string{"name"}, arg: "name", flags: []cli.Flag{name},
			about: "One request a credential, which costs nothing: mostly for the list of models, else a count of tokens or an\n" +
				"empty request that the vendor refuses. Fails when a credential is refused.",
		},
		{
			name: "remove", usage: "delete a stored provider and its credentials", run: providerRemove,
			needs: []string{"name"}, arg: "name", flags: []cli.Flag{name},
		},
	}
}

func kindNames() string {
	names := ""
	for _, k := range provider.All() {
		names += ", " + k.ID
	}
	return names[2:]
}

// providerView is a provider as it is shown.
type providerView struct {
	ID          string `json:"id"` // "" for one from the environment
	Name        string `json:"name"`
	Kind        string `json:"kind"`
	BaseURL     string `json:"base_url"`
	Region      string `json:"region"`
	Source      string `json:"source"` // stored or env
	Enabled     bool   `json:"enabled"`
	Credentials int    `json:"credentials"`
	Managed     string `json:"managed,omitempty"` // file: only the file that was applied may change it
}

func viewProvider(p store.Provider, credentials int) providerView {
	base := p.BaseURL
	if kind, ok := provider.Find(p.Kind); ok && base == "" {
		base = kind.BaseURL
	}
	return providerView{ID: p.ID, Name: p.Name, Kind: p.Kind, BaseURL: base, Region: p.Region, Source: "stored", Enabled: p.Enabled, Credentials: credentials, Managed: p.Managed}
}

func providerAdd(j *job) error {
	secret, err := j.credential()
	if err != nil {
		return err
	}
	timeouts, err := j.timeouts()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		p, err := a.Desk.AddProvider(j.ctx, actor, operator.NewProvider{
			Kind: j.text("kind"), Name: j.text("name"), BaseURL: j.text("base-url"), Region: j.text("region"), Credential: secret,
			Timeouts: timeouts,
		})
		if err != nil {
			return err
		}
		n := 0
		if secret != "" {
			n = 1
		}
		v := viewProvider(p, n)
		return j.show(v, fmt.Sprintf("Added provider %s (%s) at %s with %d credential(s).\n", v.Name, v.Kind, v.BaseURL, n))
	})
}

func providerSet(j *job) error {
	t, err := j.timeouts()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		p, err := a.Desk.SetProviderTimeouts(j.ctx, actor, j.text("name"), t)
		if err != nil {
			return err
		}
		return j.show(map[string]any{"name": p.Name, "timeouts": t}, fmt.Sprintf("Set the time-outs of provider %s.\n", p.Name))
	})
}

func providerList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		views, err := providers(j.ctx, a)
		if err != nil {
			return err
		}
		rows := make([][]string, 0, len(views))
		for _, v := range views {
			rows = append(rows, []string{v.Name, v.Kind, v.Source, yesNo(v.Enabled), strconv.Itoa(v.Credentials), v.BaseURL})
		}
		return j.show(views, table("NAME KIND SOURCE ENABLED CREDENTIALS BASE-URL", rows))
	})
}

// providers lists the stored providers and those of the environment, by name.
func providers(ctx context.Context, a *boot.App) ([]providerView, error) {
	stored, err := a.Store.Providers(ctx)
	if err != nil {
		return nil, err
	}
	credentials, err := a.Store.Credentials(ctx)
	if err != nil {
		return nil, err
	}
	count := map[string]int{}
	for _, c := range credentials {
		count[c.ProviderID]++
	}
	views := make([]providerView, 0, len(stored))
	for _, p := range stored {
		views = append(views, viewProvider(p, count[p.ID]))
	}
	if err := a.Reload(ctx); err != nil {
		return nil, err
	}
	for _, p := range a.Routes().Providers() {
		if p.Source == "env" {
			views = append(views, providerView{Name: p.Name, Kind: p.Kind.ID, BaseURL: p.BaseURL, Region: p.Region, Source: p.Source,
				Enabled: true, Credentials: len(p.Credentials)})
		}
	}
	slices.SortFunc(views, func(a, b providerView) int { return cmp.Compare(a.Name, b.Name) })
	return views, nil
}

func providerRemove(j *job) error {
	return j.withHub(func(a *boot.App) error {
		name := j.text("name")
		if err := a.Desk.RemoveProvider(j.ctx, actor, name); err != nil {
			return err
		}
		return j.show(map[string]any{"name": name, "removed": true}, fmt.Sprintf("Removed provider %s and its credentials.\n", name))
	})
}
