package operator

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The bounds of what a client is registered with.
const (
	maxClientName = 80
	maxClientURL  = 500
	maxRedirects  = 10
)

// ClientSecretPrefix begins every secret of an OAuth client.
const ClientSecretPrefix = "sec-hub-"

// ClientView is an OAuth client as it is shown.
type ClientView struct {
	ID           string      `json:"client_id"`
	Name         string      `json:"name"`
	URL          string      `json:"url"`
	Confidential bool        `json:"confidential"` // it has a secret
	Redirects    []string    `json:"redirect_uris"`
	Scopes       []hub.Scope `json:"scopes"` // what it may ask for
	Device       bool        `json:"device"` // it may use the device flow
	Source       string      `json:"source"` // operator or dynamic
	Actor        string      `json:"registered_by"`
	CreatedAt    time.Time   `json:"created_at"`
	UsedAt       *time.Time  `json:"used_at"` // when somebody first agreed
	RemovedAt    *time.Time  `json:"removed_at"`
}

// ViewClient makes a client's view.
func ViewClient(c store.OAuthClient) ClientView {
	return ClientView{c.ID, c.Name, c.URL, c.SecretHash != "", append([]string{}, c.Redirects...), c.Scopes, c.Device, c.Source, c.Actor, c.CreatedAt, c.UsedAt, c.RemovedAt}
}

// NewClient describes an OAuth client to register.
type NewClient struct {
	Name         string      `json:"name" validate:"required"`
	URL          string      `json:"url"`
	Redirects    []string    `json:"redirect_uris" openapi:"null"`
	Scopes       []hub.Scope `json:"scopes" openapi:"null"` // null: inference
	Confidential bool        `json:"confidential"`          // it gets a secret
	Device       bool        `json:"device"`                // it may use the device flow
}

// RegisterClient makes an OAuth client; source is store.ClientOperator or
// store.ClientDynamic. The secret of a confidential one is returned this once. The
// error's Param names the field.
func (d *Desk) RegisterClient(ctx context.Context, actor, source string, n NewClient) (hub.Secret, store.OAuthClient, error) {
	c := store.OAuthClient{Name: strings.TrimSpace(n.Name), URL: n.URL, Redirects: n.Redirects, Scopes: n.Scopes, Device: n.Device, Source: source}
	if source == store.ClientOperator {
		c.Actor = actor
	}
	if c.Scopes == nil {
		c.Scopes = []hub.Scope{hub.ScopeInference}
	}
	if err := checkClient(c); err != nil {
		return "", c, err
	}
	var secret hub.Secret
	if n.Confidential {
		secret = hub.Secret(ClientSecretPrefix + identity.NewToken().Reveal())
		c.SecretHash = identity.Hash(secret)
	}
	c, err := d.Store.CreateOAuthClient(ctx, c)
	if err != nil {
		return "", c, err
	}
	return secret, c, d.audit(ctx, actor, "oauth-client.create", c.ID, nil, clientFacts(c))
}

func checkClient(c store.OAuthClient) error {
	if c.Name == "" || len(c.Name) > maxClientName || strings.ContainsFunc(c.Name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return hub.Invalid("name", "An application needs a name of 1 to %d bytes that can be shown.", maxClientName)
	}
	if c.URL != "" {
		if u, err := url.Parse(c.URL); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil || len(c.URL) > maxClientURL {
			return hub.Invalid("url", "The application's address must be one of https, not %.80q.", c.URL)
		}
	}
	if len(c.Redirects) > maxRedirects || (len(c.Redirects) == 0 && !c.Device) {
		return hub.Invalid("redirect_uris", "An application needs 1 to %d addresses to send browsers back to, or the device flow.", maxRedirects)
	}
	for _, r := range c.Redirects {
		if err := identity.CheckRedirect(r); err != nil {
			return err
		}
	}
	if len(c.Scopes) == 0 {
		return hub.Invalid("scopes", "An application needs one of the scopes inference, usage, billing and admin.")
	}
	for i, s := range c.Scopes {
		if !slices.Contains(hub.Scopes(), s) || slices.Contains(c.Scopes[:i], s) {
			return hub.Invalid("scopes", "The scopes are each at most once inference, usage, billing and admin, unlike %.40q.", string(s))
		}
	}
	return nil
}

func clientFacts(c store.OAuthClient) map[string]any {
	return map[string]any{"name": c.Name, "url": c.URL, "redirect_uris": c.Redirects, "scopes": c.Scopes, "device": c.Device, "confidential": c.SecretHash != "", "source": c.Source}
}

// Client finds an OAuth client that is not removed.
func (d *Desk) Client(ctx context.Context, id string) (store.OAuthClient, error) {
	c, err := d.Store.OAuthClientByID(ctx, id)
	if errors.Is(err, store.ErrNotFound) || (err == nil && c.RemovedAt != nil) {
		return c, hub.Errorf(hub.CodeNotFound, "There is no OAuth client with the id %.40s.", id)
	}
	return c, err
}

// ChangedClient says what of an OAuth client changes; nil fields stay.
type ChangedClient struct {
	Name      *string     `json:"name"`
	URL       *string     `json:"url"`
	Redirects []string    `json:"redirect_uris" openapi:"null"`
	Scopes    []hub.Scope `json:"scopes" openapi:"null"`
	Device    *bool       `json:"device"`
}

// ChangeClient alters an OAuth client. What users agreed to before stays as it is.
func (d *Desk) ChangeClient(ctx context.Context, actor, id string, n ChangedClient) (store.OAuthClient, error) {
	c, err := d.Client(ctx, id)
	if err != nil {
		return c, err
	}
	before := clientFacts(c)
	if n.Name != nil {
		c.Name = strings.TrimSpace(*n.Name)
	}
	if n.URL != nil {
		c.URL = *n.URL
	}
	if n.Redirects != nil {
		c.Redirects = n.Redirects
	}
	if n.Scopes != nil {
		c.Scopes = n.Scopes
	}
	if n.Device != nil {
		c.Device = *n.Device
	}
	if err := checkClient(c); err != nil {
		return c, err
	}
	if err := d.Store.ChangeOAuthClient(ctx, c); err != nil {
		return c, err
	}
	return c, d.audit(ctx, actor, "oauth-client.change", id, before, clientFacts(c))
}

// RotateClientSecret gives a confidential OAuth client another secret, returned
// this once. The one before stops working; what users agreed to stays.
func (d *Desk) RotateClientSecret(ctx context.Context, actor, id string) (hub.Secret, store.OAuthClient, error) {
	c, err := d.Client(ctx, id)
	if err != nil {
		return "", c, err
	}
	if c.SecretHash == "" {
		return "", c, hub.Errorf(hub.CodeConflict, "The OAuth client %s is public: it has no secret.", id)
	}
	secret := hub.Secret(ClientSecretPrefix + identity.NewToken().Reveal())
	c.SecretHash = identity.Hash(secret)
	if err := d.Store.ChangeOAuthClient(ctx, c); err != nil {
		return "", c, err
	}
	return secret, c, d.audit(ctx, actor, "oauth-client.rotate-secret", id, nil, nil)
}

// RemoveClient ends an OAuth client and everything that users gave it.
func (d *Desk) RemoveClient(ctx context.Context, actor, id string) error {
	c, err := d.Client(ctx, id)
	if err != nil {
		return err
	}
	if err := d.Store.RemoveOAuthClient(ctx, id); err != nil {
		return err
	}
	return d.audit(ctx, actor, "oauth-client.remove", id, clientFacts(c), nil)
}
