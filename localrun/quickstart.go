package main

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// defaultOwner is a valid address that no mail leaves for.
const defaultOwner = "owner@localhost.localdomain"

func quickstartSpec() spec {
	return spec{
		name: "quickstart", usage: "make the first provider, owner and API key, and show the first call", run: quickstart,
		about: "Asks for what is missing when it runs in a terminal. Repeating it is harmless: what is there stays. With a\n" +
			"vendor's variable set (OPENAI_API_KEY and the like) no flag is needed.",
		flags: append([]cli.Flag{
			text("kind", "one of "+kindNames()), text("name", "the provider's `NAME`; the kind when not given"),
			text("base-url", "`URL` that requests go below; without it the kind's own"),
			text("email", "the owner's `ADDRESS`; "+defaultOwner+" when not given"),
			text("key-name", "the API key's `NAME`; quickstart when not given"),
		}, credentialFlags()...),
	}
}

// quickstartView is what quickstart made and found.
type quickstartView struct {
	Provider struct {
		Name    string `json:"name"`
		Kind    string `json:"kind"`
		Source  string `json:"source"`
		Created bool   `json:"created"`
	} `json:"provider"`
	Owner struct {
		Email   string `json:"email"`
		Created bool   `json:"created"`
	} `json:"owner"`
	Key struct {
		ID      string `json:"id"`
		Name    string `json:"name"`
		Created bool   `json:"created"`
		Key     string `json:"key,omitempty"` // only when it was made now
	} `json:"key"`
	URL     string `json:"url"`
	Model   string `json:"model"`
	Curl    string `json:"curl"`
	Billing bool   `json:"billing"`
}

func quickstart(j *job) error {
	secret, err := j.credential()
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		var v quickstartView
		p, err := j.quickProvider(a, &v, secret)
		if err != nil {
			return err
		}
		owner, err := j.quickOwner(a, &v)
		if err != nil {
			return err
		}
		if err := j.quickKey(a, &v, owner); err != nil {
			return err
		}
		v.URL, v.Billing = serverURL(a.Config, a.Config.Listen), a.Config.Billing
		v.Model = p.Name + "/" + cmp.Or(p.Kind.TestModel, "MODEL")
		v.Curl = fmt.Sprintf("curl %s/v1/chat/completions -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '%s'",
			v.URL, cmp.Or(v.Key.Key, "YOUR_API_KEY"), `{"model":"`+v.Model+`","messages":[{"role":"user","content":"Hello"}]}`)
		return j.show(v, v.words())
	})
}

// quickProvider finds the provider that is meant, or makes it.
func (j *job) quickProvider(a *boot.App, v *quickstartView, secret hub.Secret) (*routing.Provider, error) {
	if err := a.Reload(j.ctx); err != nil {
		return nil, err
	}
	kindID, name := j.text("kind"), j.text("name")
	if kindID == "" && name == "" {
		if all := a.Routes().Providers(); len(all) > 0 && secret == "" && j.text("base-url") == "" {
			v.found(all[0], false)
			return all[0], nil
		}
		if kindID = j.ask("Provider kind ("+kindNames()+")", "openai"); kindID == "" {
			return nil, hub.Invalid("kind", "quickstart needs --kind, or a vendor's variable such as OPENAI_API_KEY; the kinds are %s", kindNames())
		}
	}
	name = cmp.Or(name, kindID)
	have, err := a.Store.ProviderByName(j.ctx, name)
	switch {
	case err == nil && kindID != "" && have.Kind != kindID:
		return nil, hub.Errorf(hub.CodeConflict, "there is a provider %s of kind %s already; choose another --name", name, have.Kind)
	case err == nil:
		return j.quickExisting(a, v, have, secret)
	case !errors.Is(err, store.ErrNotFound):
		return nil, err
	}
	if secret == "" && j.text("base-url") == "" {
		for _, p := range a.Routes().Providers() {
			if p.Source == "env" && p.Name == name {
				v.found(p, false)
				return p, nil
			}
		}
	}
	return j.quickCreate(a, v, kindID, name, secret)
}

// quickExisting gives a stored provider its first credential where it has none.
func (j *job) quickExisting(a *boot.App, v *quickstartView, have store.Provider, secret hub.Secret) (*routing.Provider, error) {
	p, err := usable(j.ctx, a, have.Name)
	if err != nil && secret != "" && hub.CodeOf(err) == hub.CodeProviderCredential {
		if _, err = a.Desk.AddCredential(j.ctx, actor, have.Name, "quickstart", 0, secret); err == nil {
			p, err = usable(j.ctx, a, have.Name)
		}
	}
	if err != nil {
		return nil, err
	}
	v.found(p, false)
	return p, nil
}

func (j *job) quickCreate(a *boot.App, v *quickstartView, kindID, name string, secret hub.Secret) (*routing.Provider, error) {
	kind, ok := provider.Find(kindID)
	if !ok {
		return nil, hub.Invalid("kind", "%q is no provider kind; there are %s", cmp.Or(kindID, name), kindNames())
	}
	base := j.text("base-url")
	if base == "" && kind.BaseURL == "" {
		base = j.ask("Base URL", "")
	}
	if secret == "" && !kind.KeyOptional {
		if secret = hub.Secret(j.ask("Credential (shown while you type; --credential-env avoids that)", "")); secret == "" {
			return nil, hub.Invalid("credential-env", "a provider of kind %s needs a credential: --credential-env or --credential-stdin", kind.ID)
		}
	}
	if _, err := a.Desk.AddProvider(j.ctx, actor, operator.NewProvider{Kind: kind.ID, Name: name, BaseURL: base, Credential: secret}); err != nil {
		return nil, err
	}
	p, err := usable(j.ctx, a, name)
	if err != nil {
		return nil, err
	}
	v.found(p, true)
	return p, nil
}

func (v *quickstartView) found(p *routing.Provider, created bool) {
	v.Provider.Name, v.Provider.Kind, v.Provider.Source, v.Provider.Created = p.Name, p.Kind.ID, p.Source, created
}

// quickOwner finds the owner, or makes the first one.
func (j *job) quickOwner(a *boot.App, v *quickstartView) (store.User, error) {
	email := j.text("email")
	users, err := allUsers(j.ctx, a)
	if err != nil {
		return store.User{}, err
	}
	has := false
	for _, u := range users {
		if u.Role != hub.RoleOwner {
			continue
		}
		has = true
		if email == "" || strings.EqualFold(u.Email, email) {
			v.Owner.Email = u.Email
			return u, nil
		}
	}
	if has {
		return store.User{}, hub.Errorf(hub.CodeNotFound, "there is an owner, but none with the e-mail address %s", email)
	}
	if email == "" {
		email = cmp.Or(j.ask("Your e-mail address", defaultOwner), defaultOwner)
	}
	u, err := a.Desk.CreateUser(j.ctx, actor, email, hub.RoleOwner, "")
	v.Owner.Email, v.Owner.Created = u.Email, true
	return u, err
}

// quickKey makes an API key unless the owner has one of that name.
func (j *job) quickKey(a *boot.App, v *quickstartView, owner store.User) error {
	v.Key.Name = cmp.Or(j.text("key-name"), "quickstart")
	keys, err := a.Store.Keys(j.ctx, owner.ID, "", page)
	if err != nil {
		return err
	}
	for _, k := range keys {
		if k.Name == v.Key.Name && k.RevokedAt == nil && (k.ExpiresAt == nil || k.ExpiresAt.After(a.Now())) {
			v.Key.ID = k.ID
			return nil
		}
	}
	key, row, err := a.Desk.CreateKey(j.ctx, actor, owner.Email, v.Key.Name, nil)
	v.Key.ID, v.Key.Key, v.Key.Created = row.ID, key.Reveal(), true
	return err
}

func (v quickstartView) words() string {
	word := map[bool]string{true: "made", false: "there already"}
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	line("Provider  %s (%s, %s): %s", v.Provider.Name, v.Provider.Kind, v.Provider.Source, word[v.Provider.Created])
	line("Owner     %s: %s", v.Owner.Email, word[v.Owner.Created])
	line("API key   %s: %s", v.Key.Name, word[v.Key.Created])
	if v.Key.Created {
		line("          %s", v.Key.Key)
		line("          It is shown this once.")
	} else {
		line("          For another one: aigne-hub key create --user %s --name NAME", v.Owner.Email)
	}
	if v.Owner.Created {
		line("          To sign in, set a password: aigne-hub user set-password --email %s --password-stdin", v.Owner.Email)
	}
	if v.Billing {
		line("\nBilling is on, so the model needs a rate and the owner credits:")
		_, model, _ := strings.Cut(v.Model, "/")
		line("  aigne-hub rate set --provider %s --model %s --input PRICE --output PRICE", v.Provider.Name, model)
		line("  aigne-hub credits grant --user %s --amount 10", v.Owner.Email)
	}
	line("\nWith `aigne-hub serve` running, the first call is:\n  %s", v.Curl)
	return b.String()
}

// ask asks a person; without one the answer is empty.
func (j *job) ask(question, preset string) string {
	if !j.interactive() || j.json {
		return ""
	}
	if preset != "" {
		question += " [" + preset + "]"
	}
	// The question goes to standard error, so that standard output stays the result.
	_, _ = fmt.Fprint(j.stderr, question+": ")
	var line []byte
	one := make([]byte, 1) // unbuffered: what follows belongs to the next question
	for len(line) < maxSecret {
		n, err := j.stdin.Read(one)
		if n == 0 || err != nil || one[0] == '\n' {
			break
		}
		line = append(line, one[0])
	}
	return cmp.Or(strings.TrimSpace(string(line)), preset)
}

// serverURL is where people reach the hub that listens on addr.
func serverURL(cfg boot.Config, addr string) string {
	if cfg.PublicURL != "" {
		return cfg.PublicURL
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return scheme(cfg) + "://" + addr
	}
	if ip := net.ParseIP(host); host == "" || (ip != nil && ip.IsUnspecified()) {
		host = "127.0.0.1"
	}
	return scheme(cfg) + "://" + net.JoinHostPort(host, port)
}
