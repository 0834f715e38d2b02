// Package operator is what an operator does to a hub: providers, credentials,
// rates, users, keys and credits, each act checked and audited. The command
// line and the admin function both stand on it; it serves no HTTP and prints
// nothing.
package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// Desk carries out acts.
type Desk struct {
	Store *store.Store
	Users *identity.Users
	Keys  *identity.Keys
	Book  *ledger.Book
	Codes *selling.Codes
	Log   *slog.Logger
	Now   hub.Now
	// Vault opens the keyring when the first secret is to be sealed.
	Vault  func(ctx context.Context) (*vault.Keyring, error)
	Notify *notify.Post
	Stats  *rollup.Reader // what keys and applications used
	// Links leads people to the hub; InvitationLife is how long an invitation works.
	Links          identity.Links
	InvitationLife time.Duration
	// Outside sells credits beside the hub; nil: nobody does.
	Outside Outside
	// CreditPrice is dollars per credit, a decimal.
	CreditPrice string
	// DefaultMargin is the percentage on the catalogue's costs at which models
	// without a rate are sold; "" where they are refused.
	DefaultMargin string
	// Catalogue is the catalogue in force; nil where there is none.
	Catalogue func() *pricing.Catalogue
	// Routes is the configuration in force, which knows the providers of the
	// environment too; nil where only stored ones count.
	Routes func() *routing.Snapshot
	// Archive moves old calls out of the database.
	Archive *archive.Keeper

	file bool // see OfFile
}

var nameRule = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

// NewProvider describes a provider to add.
type NewProvider struct {
	Kind           string
	Name           string
	DisplayName    string
	BaseURL        string // "" for the kind's own
	Region         string
	Credential     hub.Secret // "" for none yet
	CredentialName string     // "" means "default"
	Timeouts       routing.Timeouts
}

// AddProvider stores a provider, with its first credential if one is given.
func (d *Desk) AddProvider(ctx context.Context, actor string, n NewProvider) (store.Provider, error) {
	return d.TakeProvider(ctx, actor, n, true)
}

// TakeProvider is AddProvider for one that need not be enabled.
func (d *Desk) TakeProvider(ctx context.Context, actor string, n NewProvider, enabled bool) (store.Provider, error) {
	kind, ok := provider.Find(n.Kind)
	if !ok {
		return store.Provider{}, hub.Invalid("kind", "%q is no provider kind; there are %s.", n.Kind, kinds())
	}
	if n.Name == "" {
		n.Name = kind.ID
	}
	if !nameRule.MatchString(n.Name) {
		return store.Provider{}, hub.Invalid("name", "A provider's name has 1 to 64 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit.")
	}
	if n.BaseURL == "" && kind.BaseURL == "" {
		return store.Provider{}, hub.Invalid("base_url", "Providers of kind %s need a base URL.", kind.ID)
	}
	base := ""
	if n.BaseURL != "" {
		var err error
		if base, err = provider.NormaliseBaseURL(kind, n.BaseURL); err != nil {
			return store.Provider{}, err
		}
	}
	if err := checkRegion(kind, base, n.Region); err != nil {
		return store.Provider{}, err
	}
	p := store.Provider{ID: d.Store.NewID(), Kind: kind.ID, Name: n.Name, DisplayName: n.DisplayName, BaseURL: base, Region: n.Region, Enabled: enabled}
	if err := setTimeouts(&p, n.Timeouts); err != nil {
		return p, err
	}
	var cred *store.Credential
	if n.Credential != "" {
		if n.CredentialName == "" {
			n.CredentialName = "default"
		}
		if err := checkCredentialName(n.CredentialName); err != nil {
			return p, err
		}
		c, err := d.seal(ctx, kind, n.CredentialName, n.Credential)
		if err != nil {
			return p, err
		}
		cred = &c
	}
	p, err := d.Store.CreateProvider(ctx, p, cred)
	if errors.Is(err, store.ErrConflict) {
		return p, hub.Errorf(hub.CodeConflict, "There is a provider named %s already.", n.Name)
	}
	if err != nil {
		return p, err
	}
	return p, d.audit(ctx, actor, "provider.add", p.Name, nil, map[string]any{"kind": p.Kind, "base_url": p.BaseURL, "credential": n.Credential != "", "enabled": p.Enabled})
}

// checkRegion makes sure that a base URL with a place for a region can be filled.
func checkRegion(kind provider.Kind, base, region string) error {
	if base == "" {
		base = kind.BaseURL
	}
	_, err := provider.RegionURL(base, region)
	return err
}

func checkCredentialName(name string) error {
	if nameRule.MatchString(name) {
		return nil
	}
	return hub.Invalid("name", "A credential's name has 1 to 64 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit.")
}

func kinds() string {
	var ids []string
	for _, k := range provider.All() {
		ids = append(ids, k.ID)
	}
	return strings.Join(ids, ", ")
}

// seal checks a credential's form and seals it under a new id.
func (d *Desk) seal(ctx context.Context, kind provider.Kind, name string, secret hub.Secret) (store.Credential, error) {
	secret = hub.Secret(strings.TrimSpace(secret.Reveal()))
	if secret == "" {
		return store.Credential{}, hub.Invalid("credential", "The credential is empty.")
	}
	if strings.ContainsAny(secret.Reveal(), "\r\n") && !strings.HasPrefix(secret.Reveal(), "{") {
		return store.Credential{}, hub.Invalid("credential", "The credential has more than one line.")
	}
	c := store.Credential{ID: d.Store.NewID(), Name: name, Weight: 100, Active: true}
	var err error
	if c.Type, err = provider.CheckCredential(kind, secret); err != nil {
		return c, err
	}
	keyring, err := d.Vault(ctx)
	if err != nil {
		return c, err
	}
	c.Sealed, c.KeyID, err = keyring.Seal(CredentialAAD(c.ID), secret)
	return c, err
}

// CredentialAAD binds a sealed credential to its row.
func CredentialAAD(id string) string { return "ai_credentials/" + id + "/value" }

// provider finds a stored provider by name, to change it or its credentials.
func (d *Desk) provider(ctx context.Context, name string) (store.Provider, error) {
	p, err := d.Store.ProviderByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return p, hub.Errorf(hub.CodeNotFound, "There is no stored provider named %s.", name)
	}
	if err != nil {
		return p, err
	}
	return p, d.free(p.Managed, "the provider "+p.Name)
}

// RemoveProvider deletes a provider and its credentials.
func (d *Desk) RemoveProvider(ctx context.Context, actor, name string) error {
	p, err := d.provider(ctx, name)
	if err != nil {
		return err
	}
	if err := d.Store.RemoveProvider(ctx, p.ID); err != nil {
		return err
	}
	return d.audit(ctx, actor, "provider.remove", name, map[string]any{"kind": p.Kind, "base_url": p.BaseURL}, nil)
}

// AddCredential stores a credential of a provider. Weight 0 means 100.
func (d *Desk) AddCredential(ctx context.Context, actor, providerName, name string, weight int64, secret hub.Secret) (store.Credential, error) {
	return d.TakeCredential(ctx, actor, providerName, name, weight, secret, true)
}

// TakeCredential is AddCredential for one that need not be active.
func (d *Desk) TakeCredential(ctx context.Context, actor, providerName, name string, weight int64, secret hub.Secret, active bool) (store.Credential, error) {
	p, err := d.provider(ctx, providerName)
	if err != nil {
		return store.Credential{}, err
	}
	if err := checkCredentialName(name); err != nil {
		return store.Credential{}, err
	}
	if weight < 0 || weight > 1_000_000 {
		return store.Credential{}, hub.Invalid("weight", "The weight must be 1 to 1000000.")
	}
	kind, ok := provider.Find(p.Kind)
	if !ok {
		return store.Credential{}, hub.Invalid("provider", "The provider %s is of the unknown kind %s.", p.Name, p.Kind)
	}
	c, err := d.seal(ctx, kind, name, secret)
	if err != nil {
		return c, err
	}
	c.ProviderID, c.Active = p.ID, active
	if weight > 0 {
		c.Weight = weight
	}
	err = d.Store.CreateCredential(ctx, c)
	if errors.Is(err, store.ErrConflict) {
		return c, hub.Errorf(hub.CodeConflict, "The provider %s has a credential named %s already.", p.Name, name)
	}
	if err != nil {
		return c, err
	}
	return c, d.audit(ctx, actor, "credential.add", p.Name+"/"+name, nil, map[string]any{"weight": c.Weight})
}

// credential finds a credential by its provider's name and its own.
func (d *Desk) credential(ctx context.Context, providerName, name string) (store.Credential, error) {
	p, err := d.provider(ctx, providerName)
	if err != nil {
		return store.Credential{}, err
	}
	all, err := d.Store.Credentials(ctx)
	if err != nil {
		return store.Credential{}, err
	}
	for _, c := range all {
		if c.ProviderID == p.ID && (c.Name == name || c.ID == name) {
			return c, nil
		}
	}
	return store.Credential{}, hub.Errorf(hub.CodeNotFound, "The provider %s has no credential named %s.", providerName, name)
}

// SetCredentialActive switches a credential on or off.
func (d *Desk) SetCredentialActive(ctx context.Context, actor, providerName, name string, on bool) error {
	c, err := d.credential(ctx, providerName, name)
	if err != nil {
		return err
	}
	reason := ""
	if !on {
		reason = "disabled by " + actor
	}
	if err := d.Store.SetCredentialActive(ctx, c.ID, on, reason); err != nil {
		return err
	}
	return d.audit(ctx, actor, "credential.active", providerName+"/"+name, map[string]any{"active": c.Active}, map[string]any{"active": on})
}

// RemoveCredential deletes a credential.
func (d *Desk) RemoveCredential(ctx context.Context, actor, providerName, name string) error {
	c, err := d.credential(ctx, providerName, name)
	if err != nil {
		return err
	}
	if err := d.Store.RemoveCredential(ctx, c.ID); err != nil {
		return err
	}
	return d.audit(ctx, actor, "credential.remove", providerName+"/"+name, map[string]any{"weight": c.Weight}, nil)
}

// Note records what a user did without the desk; before and after must hold no
// secret.
func (d *Desk) Note(ctx context.Context, actor, action, subject string, before, after map[string]any) error {
	return d.audit(ctx, actor, action, subject, before, after)
}

// audit records an act; before and after must hold no secret.
func (d *Desk) audit(ctx context.Context, actor, action, subject string, before, after map[string]any) error {
	text := func(m map[string]any) string {
		if m == nil {
			return ""
		}
		b, err := json.Marshal(m)
		if err != nil {
			return fmt.Sprintf("%q", err)
		}
		return string(b)
	}
	return d.Store.Audit(ctx, actor, action, subject, text(before), text(after))
}
