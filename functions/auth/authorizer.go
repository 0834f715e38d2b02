package auth

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
)

// authorizer answers API Gateway whether a request shows a good API key or session.
// What its caller may do is decided where a request is served, which also checks the
// key or session again.
type authorizer struct {
	// caller finds whom a key belongs to that came from an address; the zero address
	// is unknown. CodeForbidden: the key is good, but not for this request.
	caller func(ctx context.Context, key hub.Secret, client netip.Addr) (hub.Caller, error)
	policy bool // payload 2.0 is answered with a policy, not in the simple form

	// session finds whose session a request with cookies belongs to, the zero Caller
	// for none; browser says which pages requests may come from.
	session func(r *http.Request) (hub.Caller, error)
	browser httpkit.Browser
}

// gatewayEvent is what the authorizer reads of the events of HTTP APIs (payload 2.0
// and 1.0) and REST APIs (REQUEST and TOKEN). Source: "Working with AWS Lambda
// authorizers for HTTP APIs" and "Input to an API Gateway Lambda authorizer" in the
// API Gateway developer guide.
type gatewayEvent struct {
	Version  string            `json:"version"` // "" of REST APIs
	Type     string            `json:"type"`    // REQUEST or TOKEN
	RouteARN string            `json:"routeArn"`
	Method   string            `json:"methodArn"`
	Token    hub.Secret        `json:"authorizationToken"` // of TOKEN
	Sources  json.RawMessage   `json:"identitySource"`     // a list, in payload 1.0 a text with commas
	Headers  map[string]string `json:"headers"`
	Cookies  []hub.Secret      `json:"cookies"`    // payload 2.0 has them here
	Verb     string            `json:"httpMethod"` // of payload 1.0 and REST APIs
	RawQuery string            `json:"rawQueryString"`
	Query    map[string]string `json:"queryStringParameters"`
	Context  struct {
		HTTP     struct{ SourceIP, Method string } `json:"http"`     // payload 2.0
		Identity struct{ SourceIP string }         `json:"identity"` // the others
	} `json:"requestContext"`
}

var errAuthorizerEvent = hub.Errorf(hub.CodeInvalid, "The authorizer cannot read this event. It takes REQUEST and TOKEN events of API Gateway.")

// answer says yes or no for the whole stage of the API, because API Gateway may keep
// the answer and use it for every route. Only what depends on nothing but the key is
// answered: while the database is away there is an error, which is not kept.
func (z authorizer) answer(ctx context.Context, raw json.RawMessage) (any, error) {
	var ev gatewayEvent
	if json.Unmarshal(raw, &ev) != nil || (ev.Type != "REQUEST" && ev.Type != "TOKEN") {
		return nil, errAuthorizerEvent
	}
	stage, ok := ev.stage()
	if !ok {
		return nil, errAuthorizerEvent
	}
	key, err := ev.key()
	var c hub.Caller
	reach := everything
	switch {
	case err != nil:
	case key != "":
		c, err = z.caller(ctx, key, ev.client())
	default:
		c, reach, err = z.bySession(ctx, &ev)
	}
	switch hub.CodeOf(err) {
	case "", hub.CodeUnauthenticated:
	case hub.CodeForbidden:
		// The same key may be good for the next request, which a kept "no" would refuse.
		if ev.kept() {
			return nil, err
		}
	default:
		return nil, err
	}
	allowed := err == nil && c.UserID != ""
	if ev.Version == "2.0" && !z.policy {
		return events.APIGatewayV2CustomAuthorizerSimpleResponse{IsAuthorized: allowed, Context: about(c, allowed)}, nil
	}
	return policyFor(stage, c, allowed, reach), nil
}

// about is what the functions behind may know of the caller. REST APIs take texts only.
func about(c hub.Caller, allowed bool) map[string]any {
	if !allowed {
		return nil
	}
	out := map[string]any{"userId": c.UserID, "role": string(c.Role), "keyId": c.KeyID}
	if c.Session {
		out["session"] = "true"
	}
	if c.Scopes != nil {
		words := make([]string, len(c.Scopes))
		for i, s := range c.Scopes {
			words[i] = string(s)
		}
		out["scopes"] = strings.Join(words, " ")
	}
	return out
}

func policyFor(stage string, c hub.Caller, allowed bool, reach []string) events.APIGatewayCustomAuthorizerResponse {
	effect, principal, resources := "Deny", "nobody", []string{stage + "/*"}
	if allowed {
		effect, principal, resources = "Allow", c.UserID, nil
		for _, r := range reach {
			resources = append(resources, stage+r)
		}
	}
	return events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: principal, Context: about(c, allowed),
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Version: "2012-10-17", Statement: []events.IAMPolicyStatement{
			{Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: resources},
		}},
	}
}

// stage is the ARN of the stage that the request is for:
// arn:aws:execute-api:region:account:api/stage, without method and path.
func (ev *gatewayEvent) stage() (string, bool) {
	arn := ev.RouteARN
	if arn == "" {
		arn = ev.Method
	}
	parts := strings.SplitN(arn, "/", 3)
	if len(parts) < 3 || parts[1] == "" || !strings.HasPrefix(arn, "arn:") || strings.Contains(parts[0], "*") || !strings.Contains(parts[0], ":execute-api:") {
		return "", false
	}
	return parts[0] + "/" + parts[1], true
}

// key is the API key that the answer is about, "" for none. Where API Gateway names
// identity sources, it is taken from them alone: they are what the answer is kept
// under. Otherwise it is found as the functions find it.
func (ev *gatewayEvent) key() (hub.Secret, error) {
	if ev.Type == "TOKEN" {
		return among([]string{ev.Token.Reveal()})
	}
	if sources := ev.sources(); len(sources) > 0 {
		return among(sources)
	}
	r := &http.Request{Header: http.Header{}, URL: &url.URL{Path: "/", RawQuery: ev.RawQuery}}
	for name, v := range ev.Headers {
		r.Header.Set(name, v)
	}
	if ev.RawQuery == "" && ev.Query["key"] != "" {
		r.URL.RawQuery = url.Values{"key": {ev.Query["key"]}}.Encode()
	}
	return identity.FromRequest(r)
}

// kept reports whether API Gateway may keep the answer. HTTP APIs do with identity
// sources only; REST APIs do not say.
func (ev *gatewayEvent) kept() bool { return ev.Version == "" || len(ev.sources()) > 0 }

func (ev *gatewayEvent) client() netip.Addr {
	addr, err := netip.ParseAddr(cmp.Or(ev.Context.HTTP.SourceIP, ev.Context.Identity.SourceIP))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Unmap()
}

func (ev *gatewayEvent) sources() []string {
	var list []string
	if json.Unmarshal(ev.Sources, &list) == nil {
		return list
	}
	var text string
	if json.Unmarshal(ev.Sources, &text) != nil || text == "" {
		return nil
	}
	return strings.Split(text, ",")
}

// among finds the one API key among values, bare or behind "Bearer". Other values, a
// route's name for example, are no credentials.
func among(values []string) (found hub.Secret, err error) {
	for _, v := range values {
		v = strings.TrimSpace(v)
		if scheme, rest, ok := strings.Cut(v, " "); ok && strings.EqualFold(scheme, "Bearer") {
			v = strings.TrimSpace(rest)
		}
		switch {
		case !identity.IsKey(v) || hub.Secret(v) == found:
		case found != "":
			return "", hub.Errorf(hub.CodeUnauthenticated, "Two different API keys were given; send one.")
		default:
			found = hub.Secret(v)
		}
	}
	return found, nil
}
