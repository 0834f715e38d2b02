package identity

import (
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Provider is an outside identity provider (OpenID Connect) as the operator
// configured it.
type Provider struct {
	Name         string     // in paths and in the audit log
	Label        string     // on the button
	Issuer       string     // where its discovery document is
	ClientID     string     // of the hub there
	ClientSecret hub.Secret // "" for a public client
	Scopes       []string
	GroupsClaim  string
	Roles        []RoleRule // empty: roles are given here, not there
	Domains      []string   // of e-mail addresses that may sign in, lower case; empty: all
	Provision    bool       // whoever signs in becomes a user
	TrustEmail   bool       // its addresses are verified, though it does not say so
}

// RoleRule gives those in a group of the provider a role; the group * is
// everybody.
type RoleRule struct {
	Group string
	Role  hub.Role
}

// ParseRoles reads rules such as "admins=admin,*=member".
func ParseRoles(text string) ([]RoleRule, error) {
	var rules []RoleRule
	for part := range strings.SplitSeq(text, ",") {
		at := strings.LastIndex(part, "=")
		if at < 1 {
			return nil, fmt.Errorf("must list rules such as admins=admin,*=member, and %q is none", part)
		}
		rule := RoleRule{Group: strings.TrimSpace(part[:at]), Role: hub.Role(strings.TrimSpace(part[at+1:]))}
		if rule.Group == "" || !rule.Role.Valid() {
			return nil, fmt.Errorf("must give groups one of the roles owner, admin, member and guest, unlike %q", part)
		}
		rules = append(rules, rule)
	}
	return rules, nil
}

// Role is the most powerful role that the groups of somebody give; ok is false
// when they give none.
func (p Provider) Role(groups []string) (role hub.Role, ok bool) {
	order := []hub.Role{hub.RoleOwner, hub.RoleAdmin, hub.RoleMember, hub.RoleGuest}
	best := len(order)
	for _, rule := range p.Roles {
		if rule.Group == "*" || slices.Contains(groups, rule.Group) {
			best = min(best, slices.Index(order, rule.Role))
		}
	}
	if best == len(order) {
		return "", false
	}
	return order[best], true
}

// Claims is what a provider says about somebody who signed in there.
type Claims struct {
	Issuer        string
	Subject       string
	Email         string
	EmailVerified bool
	Name          string
	Groups        []string
}

// Address is the e-mail address that can be relied on, "" if there is none.
func (p Provider) Address(c Claims) string {
	if c.EmailVerified || p.TrustEmail {
		return c.Email
	}
	return ""
}

// Admits reports whether somebody with an e-mail address may come in by way of
// the provider.
func (p Provider) Admits(address string) bool {
	if len(p.Domains) == 0 {
		return true
	}
	_, domain, ok := strings.Cut(address, "@")
	return ok && slices.Contains(p.Domains, strings.ToLower(domain))
}
