package boot

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
)

// oidcText is one provider as it is typed: the AIGNE_HUB_OIDC_* settings, or an
// item of AIGNE_HUB_OIDC_MORE.
type oidcText struct {
	Name         string     `json:"name"`
	Label        string     `json:"label"`
	Issuer       string     `json:"issuer"`
	ClientID     string     `json:"client_id"`
	ClientSecret hub.Secret `json:"client_secret"`
	Scopes       string     `json:"scopes"`
	GroupsClaim  string     `json:"groups_claim"`
	RoleMap      string     `json:"role_map"`
	Domains      string     `json:"allowed_domains"`
	Provision    bool       `json:"provision"`
	TrustEmail   bool       `json:"trust_email"`
}

// oidcSettings: sign-in by an outside identity provider.
func oidcSettings() []Setting {
	text := func(field func(*oidcText) *string) parser {
		return func(c *Config, v string) error {
			*field(&c.Door.oidc) = v
			return nil
		}
	}
	return []Setting{
		{
			Name: "AIGNE_HUB_OIDC_ISSUER", Flag: "oidc-issuer",
			Doc:   "OpenID Connect provider by which people sign in, such as https://login.example.com; needs AIGNE_HUB_PUBLIC_URL; unset: none",
			parse: text(func(o *oidcText) *string { return &o.Issuer }),
		},
		{Name: "AIGNE_HUB_OIDC_CLIENT_ID", Flag: "oidc-client-id", Doc: "the hub's client id there", parse: text(func(o *oidcText) *string { return &o.ClientID })},
		{Name: "AIGNE_HUB_OIDC_CLIENT_SECRET", Doc: "and its secret; unset: a public client", parse: text(func(o *oidcText) *string { return (*string)(&o.ClientSecret) })},
		{
			Name: "AIGNE_HUB_OIDC_NAME", Flag: "oidc-name", Default: "sso",
			Doc:   "name of the provider in the redirect address, <public URL>/api/auth/oidc/<name>/callback",
			parse: text(func(o *oidcText) *string { return &o.Name }),
		},
		{Name: "AIGNE_HUB_OIDC_LABEL", Flag: "oidc-label", Doc: "what its button says; unset: its name", parse: text(func(o *oidcText) *string { return &o.Label })},
		{
			List: " ",
			Name: "AIGNE_HUB_OIDC_SCOPES", Flag: "oidc-scopes", Default: "openid email profile",
			Doc: "what is asked of it, separated by spaces", parse: text(func(o *oidcText) *string { return &o.Scopes }),
		},
		{
			Name: "AIGNE_HUB_OIDC_GROUPS_CLAIM", Flag: "oidc-groups-claim", Default: "groups",
			Doc: "claim that holds a user's groups", parse: text(func(o *oidcText) *string { return &o.GroupsClaim }),
		},
		{
			List: ",",
			Name: "AIGNE_HUB_OIDC_ROLE_MAP", Flag: "oidc-role-map",
			Doc:   "roles by group, such as admins=admin,*=member: set at each sign-in, and nobody else may sign in; unset: roles are given in the hub",
			parse: text(func(o *oidcText) *string { return &o.RoleMap }),
		},
		{
			List: ",",
			Name: "AIGNE_HUB_OIDC_ALLOWED_DOMAINS", Flag: "oidc-allowed-domains",
			Doc: "comma-separated domains whose e-mail addresses may sign in; unset: all", parse: text(func(o *oidcText) *string { return &o.Domains }),
		},
		{
			Name: "AIGNE_HUB_OIDC_PROVISION", Flag: "oidc-provision", Default: "off",
			Doc:   "on: whoever signs in becomes a user; off: only users and the invited",
			parse: onOff(func(c *Config) *bool { return &c.Door.oidc.Provision }),
		},
		{
			Name: "AIGNE_HUB_OIDC_TRUST_EMAIL", Flag: "oidc-trust-email", Default: "off",
			Doc:   "on: its e-mail addresses are verified, though it does not say so (email_verified)",
			parse: onOff(func(c *Config) *bool { return &c.Door.oidc.TrustEmail }),
		},
		{
			List:  "json",
			Name:  "AIGNE_HUB_OIDC_MORE",
			Doc:   `further providers, a JSON list such as [{"name": "corp", "issuer": "https://…", "client_id": "…", "client_secret": "…", "role_map": "admins=admin"}]`,
			parse: parseMoreOIDC,
		},
	}
}

// parseMoreOIDC repeats nothing of the list, which holds secrets.
func parseMoreOIDC(c *Config, v string) error {
	d := json.NewDecoder(bytes.NewReader([]byte(v)))
	d.DisallowUnknownFields()
	if err := d.Decode(&c.Door.more); err != nil {
		return errors.New("must be a JSON list of objects with name, label, issuer, client_id, client_secret, scopes, groups_claim, role_map, allowed_domains, provision and trust_email")
	}
	return nil
}

// completeOIDC checks the providers and makes them one list.
func (c *Config) completeOIDC(blame func(name, format string, args ...any)) {
	typed := []struct {
		setting string
		oidcText
	}{}
	if c.Door.oidc.Issuer != "" {
		typed = append(typed, struct {
			setting string
			oidcText
		}{"AIGNE_HUB_OIDC_ISSUER", c.Door.oidc})
	} else if c.Door.oidc.ClientID != "" || c.Door.oidc.ClientSecret != "" {
		blame("AIGNE_HUB_OIDC_ISSUER", "must be set: there is a client for it")
	}
	for _, o := range c.Door.more {
		typed = append(typed, struct {
			setting string
			oidcText
		}{"AIGNE_HUB_OIDC_MORE", o})
	}
	for _, o := range typed {
		p, err := o.provider(c.PublicURL)
		if err == nil && slices.ContainsFunc(c.Door.Providers, func(q identity.Provider) bool { return q.Name == p.Name || q.Issuer == p.Issuer }) {
			err = fmt.Errorf("has two providers with the name %s or the issuer %s", p.Name, p.Issuer)
		}
		if err != nil {
			blame(o.setting, "%s", err.Error())
			continue
		}
		c.Door.Providers = append(c.Door.Providers, p)
	}
	c.Door.oidc, c.Door.more = oidcText{}, nil
}

var oidcName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,30}$`)

func (o oidcText) provider(publicURL string) (identity.Provider, error) {
	p := identity.Provider{Name: o.Name, Label: o.Label, Issuer: o.Issuer, ClientID: o.ClientID, ClientSecret: o.ClientSecret,
		Scopes: strings.Fields(o.Scopes), GroupsClaim: o.GroupsClaim, Provision: o.Provision, TrustEmail: o.TrustEmail}
	if p.Label == "" {
		p.Label = p.Name
	}
	if len(p.Scopes) == 0 {
		p.Scopes = []string{"openid", "email", "profile"}
	}
	if p.GroupsClaim == "" {
		p.GroupsClaim = "groups"
	}
	for domain := range strings.SplitSeq(o.Domains, ",") {
		if domain = strings.ToLower(strings.TrimSpace(domain)); domain != "" {
			p.Domains = append(p.Domains, strings.TrimPrefix(domain, "@"))
		}
	}
	switch {
	case !oidcName.MatchString(p.Name):
		return p, errors.New("needs for each provider a name of 1 to 31 of a-z, 0-9 and dash")
	case p.ClientID == "":
		return p, fmt.Errorf("needs a client id for the provider %s", p.Name)
	case !slices.Contains(p.Scopes, "openid"):
		return p, fmt.Errorf("needs the scope openid for the provider %s", p.Name)
	case publicURL == "":
		return p, errors.New("needs AIGNE_HUB_PUBLIC_URL, to which the provider sends people back")
	case !safeIssuer(p.Issuer, publicURL):
		return p, errors.New("must be an https URL without user, query and fragment; http only on this machine, or where the public URL is http too")
	case o.RoleMap == "":
		return p, nil
	}
	var err error
	if p.Roles, err = identity.ParseRoles(o.RoleMap); err != nil {
		return p, fmt.Errorf("has a role map that %w", err)
	}
	return p, nil
}

func safeIssuer(issuer, publicURL string) bool {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return false
	}
	if u.Scheme == "http" {
		ip := net.ParseIP(u.Hostname())
		return u.Hostname() == "localhost" || (ip != nil && ip.IsLoopback()) || strings.HasPrefix(publicURL, "http:")
	}
	return u.Scheme == "https"
}
