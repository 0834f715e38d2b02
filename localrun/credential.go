package main

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

func credentialSpecs() []spec {
	which := []cli.Flag{text("provider", "`NAME` of the provider"), text("name", "`NAME` of the credential")}
	both := []string{"provider", "name"}
	return []spec{
		{
			name: "add", usage: "store a credential of a provider", run: credentialAdd, needs: both, arg: "name",
			about: "The credential is a key; for bedrock an API key or JSON, {\"access_key_id\":…,\"secret_access_key\":…}, with\n" +
				"\"session_token\" for temporary keys; for vertex the JSON key of a service account.\n" +
				"Needs one of --credential-env and --credential-stdin. Calls are spread by weight.",
			flags: slices.Concat(which, []cli.Flag{number("weight", "share of the calls; 100 when not given"), concurrent()}, credentialFlags()),
		},
		{
			name: "list", usage: "list credentials, without their values", run: credentialList,
			flags: []cli.Flag{text("provider", "only those of the provider `NAME`")},
		},
		{
			name: "set", usage: "change a credential's share of the calls, or how many it takes at once", run: credentialSet, needs: both, arg: "name",
			flags: slices.Concat(which, []cli.Flag{number("weight", "share of the calls"), concurrent()}),
		},
		{name: "disable", usage: "take a credential out of use", run: credentialSwitch(false), needs: both, arg: "name", flags: which},
		{name: "enable", usage: "put a credential back into use", run: credentialSwitch(true), needs: both, arg: "name", flags: which},
		{name: "remove", usage: "delete a credential", run: credentialRemove, needs: both, arg: "name", flags: which},
	}
}

func concurrent() cli.Flag {
	return number("max-concurrent", "most calls at once in each process of the hub; 0: any number")
}

// credentialView is a credential as it is shown: never its value.
type credentialView struct {
	ID        string    `json:"id"`
	Provider  string    `json:"provider"`
	Name      string    `json:"name"`
	Type      string    `json:"type"`
	Weight    int64     `json:"weight"`
	Active    bool      `json:"active"`
	Error     string    `json:"error"`
	CreatedAt time.Time `json:"created_at"`

	MaxConcurrent int64 `json:"max_concurrent"` // 0: any number
}

func credentialAdd(j *job) error {
	if j.c.IsSet("weight") && j.c.Int64("weight") < 1 {
		return hub.Invalid("weight", "the weight must be 1 to 1000000")
	}
	if n := j.c.Int64("max-concurrent"); n < 0 {
		return hub.Invalid("max-concurrent", "the most calls at once must not be negative")
	}
	secret, err := j.credential()
	if err != nil {
		return err
	}
	if secret == "" {
		return hub.Invalid("credential-env", "add needs one of --credential-env and --credential-stdin")
	}
	return j.withHub(func(a *boot.App) error {
		c, err := a.Desk.AddCredential(j.ctx, actor, j.text("provider"), j.text("name"), j.c.Int64("weight"), secret)
		if err != nil {
			return err
		}
		if n := j.c.Int64("max-concurrent"); j.c.IsSet("max-concurrent") {
			if err := a.Desk.SetCredentialUse(j.ctx, actor, j.text("provider"), c.ID, operator.CredentialUse{MaxConcurrent: &n}); err != nil {
				return err
			}
			c.MaxConcurrent = n
		}
		v := credentialView{ID: c.ID, MaxConcurrent: c.MaxConcurrent, Provider: j.text("provider"), Name: c.Name, Type: c.Type, Weight: c.Weight, Active: c.Active, CreatedAt: a.Now().UTC()}
		return j.show(v, fmt.Sprintf("Added credential %s of provider %s.\n", v.Name, v.Provider))
	})
}

// atOnce shows a limit of calls, "" for none.
func atOnce(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func credentialList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		stored, err := a.Store.Providers(j.ctx)
		if err != nil {
			return err
		}
		only := j.text("provider")
		names := map[string]string{}
		for _, p := range stored {
			if only == "" || p.Name == only {
				names[p.ID] = p.Name
			}
		}
		if only != "" && len(names) == 0 {
			return hub.Errorf(hub.CodeNotFound, "there is no stored provider named %s", only)
		}
		all, err := a.Store.Credentials(j.ctx)
		if err != nil {
			return err
		}
		views := []credentialView{}
		for _, c := range all {
			if name, ok := names[c.ProviderID]; ok {
				views = append(views, credentialView{ID: c.ID, Provider: name, Name: c.Name, Type: c.Type, Weight: c.Weight,
					Active: c.Active, Error: c.Error, CreatedAt: c.CreatedAt, MaxConcurrent: c.MaxConcurrent})
			}
		}
		slices.SortFunc(views, func(a, b credentialView) int {
			return cmp.Or(cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Name, b.Name))
		})
		rows := make([][]string, 0, len(views))
		for _, v := range views {
			rows = append(rows, []string{v.Provider, v.Name, v.Type, strconv.FormatInt(v.Weight, 10), orDash(atOnce(v.MaxConcurrent)), yesNo(v.Active), orDash(v.Error)})
		}
		return j.show(views, table("PROVIDER NAME TYPE WEIGHT AT-ONCE ACTIVE ERROR", rows))
	})
}

func credentialSet(j *job) error {
	var use operator.CredentialUse
	for flag, field := range map[string]**int64{"weight": &use.Weight, "max-concurrent": &use.MaxConcurrent} {
		if j.c.IsSet(flag) {
			*field = new(j.c.Int64(flag))
		}
	}
	if use == (operator.CredentialUse{}) {
		return hub.Invalid("weight", "set needs --weight or --max-concurrent")
	}
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.SetCredentialUse(j.ctx, actor, j.text("provider"), j.text("name"), use); err != nil {
			return err
		}
		return j.show(map[string]any{"provider": j.text("provider"), "name": j.text("name")},
			fmt.Sprintf("Set credential %s of provider %s.\n", j.text("name"), j.text("provider")))
	})
}

func credentialSwitch(on bool) func(j *job) error {
	return func(j *job) error {
		return j.withHub(func(a *boot.App) error {
			if err := a.Desk.SetCredentialActive(j.ctx, actor, j.text("provider"), j.text("name"), on); err != nil {
				return err
			}
			word := map[bool]string{true: "Enabled", false: "Disabled"}[on]
			return j.show(map[string]any{"provider": j.text("provider"), "name": j.text("name"), "active": on},
				fmt.Sprintf("%s credential %s of provider %s.\n", word, j.text("name"), j.text("provider")))
		})
	}
}

func credentialRemove(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.RemoveCredential(j.ctx, actor, j.text("provider"), j.text("name")); err != nil {
			return err
		}
		return j.show(map[string]any{"provider": j.text("provider"), "name": j.text("name"), "removed": true},
			fmt.Sprintf("Removed credential %s of provider %s.\n", j.text("name"), j.text("provider")))
	})
}
