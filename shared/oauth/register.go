package oauth

import (
	"context"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Registration is what an application says of itself (RFC 7591, section 2), and,
// with its id, what it is told (section 3.2.1). What it says beside that is not
// looked at.
type Registration struct {
	ClientID   string   `json:"client_id,omitempty"`
	IssuedAt   int64    `json:"client_id_issued_at,omitempty"`
	Name       string   `json:"client_name"`
	URI        string   `json:"client_uri,omitempty"`
	Redirects  []string `json:"redirect_uris"`
	Grants     []string `json:"grant_types"`
	Responses  []string `json:"response_types"`
	ClientAuth string   `json:"token_endpoint_auth_method"`
	Scope      string   `json:"scope"`
}

const registrationsPerAddress = 10

// Register lets an application register itself, where the operator allows that:
// as a public client, without the scope admin.
func (s *Server) Register(ctx context.Context, n Registration, v Visitor) (Registration, error) {
	if !s.Registration {
		return n, hub.Errorf(hub.CodeForbidden, "Applications are registered by an operator of this hub.")
	}
	if err := s.SignIn.Limit(ctx, "oauth-register", v.Address, "", registrationsPerAddress, 0); err != nil {
		return n, err
	}
	if n.ClientAuth != "" && n.ClientAuth != "none" {
		return n, fault("invalid_client_metadata", "token_endpoint_auth_method must be none: only public clients register themselves.")
	}
	device := slices.Contains(n.Grants, GrantDevice)
	for _, g := range n.Grants {
		if g != GrantCode && g != GrantRefresh && g != GrantDevice {
			return n, fault("invalid_client_metadata", "The grant type %.60s is not supported.", g)
		}
	}
	for _, r := range n.Responses {
		if r != "code" {
			return n, fault("invalid_client_metadata", "The response type %.60s is not supported.", r)
		}
	}
	c := operator.NewClient{Name: n.Name, URL: n.URI, Redirects: n.Redirects, Device: device}
	for _, word := range strings.Fields(n.Scope) {
		if word == string(hub.ScopeAdmin) {
			return n, fault("invalid_client_metadata", "An application that registers itself gets no scope admin.")
		}
		c.Scopes = append(c.Scopes, hub.Scope(word))
	}
	_, made, err := s.Desk.RegisterClient(ctx, "anonymous", store.ClientDynamic, c)
	if e := hub.AsError(err); err != nil && e.Code == hub.CodeInvalid {
		word := "invalid_client_metadata"
		if e.Param == "redirect_uris" {
			word = "invalid_redirect_uri"
		}
		return n, fault(word, "%s", e.Message)
	}
	if err != nil {
		return n, err
	}
	out := Registration{ClientID: made.ID, IssuedAt: made.CreatedAt.Unix(), Name: made.Name, URI: made.URL, Redirects: append([]string{}, made.Redirects...),
		Grants: []string{GrantCode, GrantRefresh}, Responses: []string{"code"}, ClientAuth: "none", Scope: words(made.Scopes)}
	if device {
		out.Grants = append(out.Grants, GrantDevice)
	}
	return out, nil
}
