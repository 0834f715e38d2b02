package boot

import (
	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hostusers"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
)

// Blocklet says what a Blocklet Server decides about users.
type Blocklet struct {
	Users     string // auto, on or off
	Roles     []identity.RoleRule
	Provision bool
	SignIn    string // host or both
}

const (
	hostAuto = "auto"
	hostOn   = "on"
	hostOff  = "off"
	signHost = "host"
	signBoth = "both"
)

func blockletSettings() []Setting {
	return []Setting{
		{
			Name: "AIGNE_HUB_BLOCKLET", Flag: "blocklet", Default: hostAuto,
			Doc:   "on: the users of the Blocklet Server that the hub is a component of use the hub, by their sign-ins and access keys there; auto: where the server gives the secret of its sign-ins (BLOCKLET_SESSION_SECRET)",
			parse: choice(func(c *Config) *string { return &c.Blocklet.Users }, hostAuto, hostOn, hostOff),
		},
		{
			List: ",",
			Name: "AIGNE_HUB_BLOCKLET_ROLES", Flag: "blocklet-roles", Default: "owner=owner,admin=admin,member=member,*=guest",
			Doc: "which roles of the Blocklet Server give which here, the most powerful of a user's; `*` is everybody's, also of users without a passport; users with none of them are not let in",
			parse: func(c *Config, v string) (err error) {
				c.Blocklet.Roles, err = identity.ParseRoles(v)
				return err
			},
		},
		{
			Name: "AIGNE_HUB_BLOCKLET_PROVISION", Flag: "blocklet-provision", Default: "on",
			Doc:   "on: whoever the Blocklet Server lets in becomes a user; off: only users whose DID is set here",
			parse: onOff(func(c *Config) *bool { return &c.Blocklet.Provision }),
		},
		{
			Name: "AIGNE_HUB_BLOCKLET_SIGN_IN", Flag: "blocklet-sign-in", Default: signHost,
			Doc:   "host: people sign in at the Blocklet Server only, and its owner is the hub's; both: the hub's passwords, identity providers and set-up token work as well",
			parse: choice(func(c *Config) *string { return &c.Blocklet.SignIn }, signHost, signBoth),
		},
	}
}

// openHost lets the users of a Blocklet Server in where the settings say so.
func (a *App) openHost() error {
	c := a.Config.Blocklet
	if c.Users == hostOff {
		return nil
	}
	env, inside, err := blocklet.ReadEnvironment(a.env)
	if err != nil {
		return err
	}
	if !inside || !env.HasUsers() {
		if c.Users == hostOn {
			return hub.Invalid("AIGNE_HUB_BLOCKLET", "AIGNE_HUB_BLOCKLET is on, but this is no component of a Blocklet Server: BLOCKLET_APP_ASK, BLOCKLET_COMPONENT_DID and BLOCKLET_SESSION_SECRET must be set.")
		}
		return nil
	}
	a.Host = hostusers.New(&hostusers.Host{Env: env, Store: a.Store, Keys: a.Keys, Roles: c.Roles, Provision: c.Provision, Only: c.SignIn != signBoth, Now: a.Now, Log: a.Log,
		Welcome: a.welcome})
	a.Keys.Foreign = a.Host.Bearer
	a.Users.Elsewhere = a.Host.Only
	a.Log.Info("users are those of the Blocklet Server", "app", env.AppPID, "sign_in", c.SignIn)
	return nil
}
