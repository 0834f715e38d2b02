package auth

import (
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/oauth"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

const formType = "application/x-www-form-urlencoded"

// oauthDocs: signing in to applications with the hub.
func oauthDocs() map[string]httpkit.Doc {
	page := httpkit.Doc{Summary: "The page by which users agree to what an application, a device or a command line asks.", Gives: "text/html"}
	return map[string]httpkit.Doc{
		"GET " + metadataPath:                {Summary: "Says what the authorization server can do (RFC 8414).", Response: oauth.Metadata{}},
		"GET " + metadataPath + "/{path...}": {Summary: "The same, of a hub below that path.", Response: oauth.Metadata{}},
		"GET /oauth/authorize": {Summary: "Where applications send browsers: authorization code with PKCE, S256 only (OAuth 2.1).", Gives: "text/html", Also: []int{303},
			Query: []httpkit.Param{{Name: "client_id", Required: true}, httpkit.Query("redirect_uri", "One that is registered; the port is free on 127.0.0.1, [::1] and localhost."),
				{Name: "response_type", Required: true, Enum: []string{"code"}}, httpkit.Query("scope", "inference, usage, billing, admin, separated by spaces."), httpkit.Query("state", ""),
				{Name: "code_challenge", Required: true}, {Name: "code_challenge_method", Required: true, Enum: []string{"S256"}}, httpkit.Query("prompt", "consent: ask again.")}},
		"POST /oauth/authorize/read": {Summary: "Says what an application asks of the user.", Request: authorizeRequest{}, Response: oauth.Asked{}},
		"POST /oauth/authorize":      {Summary: "Says yes or no to an application; answers with where the browser goes.", Request: authorizeDecision{}, Response: httpkit.Object{"url": ""}},
		"POST /oauth/token":          {Summary: "Gives tokens for an authorization code, a refresh token or a device code.", Takes: formType, Response: oauth.Tokens{}},
		"POST /oauth/revoke":         {Summary: "Ends what a token belongs to (RFC 7009).", Takes: formType, Response: httpkit.Object{}},
		"POST /oauth/introspect":     {Summary: "Tells a client with a secret about one of its tokens (RFC 7662).", Takes: formType, Response: oauth.Introspection{}},
		"POST /oauth/register": {Summary: "Lets an application register itself as a public client (RFC 7591), where AIGNE_HUB_OAUTH_REGISTRATION is on.", Takes: "application/json",
			Status: 201, Response: oauth.Registration{}},
		"POST /oauth/device_authorization":  {Summary: "Lets a device wait for its user (RFC 8628).", Takes: formType, Response: oauth.DeviceAnswer{}},
		"GET /oauth/device":                 page,
		"POST /oauth/device/read":           {Summary: "Says which device waits behind a code.", Request: userCode{}, Response: oauth.Asked{}},
		"POST /oauth/device":                {Summary: "Says yes or no to a device.", Request: deviceDecision{}},
		"GET /oauth/connect":                page,
		"POST /oauth/connect/read":          {Summary: "Says which command line waits.", Request: connectRead{}, Response: oauth.Asked{}},
		"POST /oauth/connect":               {Summary: "Says yes or no to a command line.", Request: connectDecision{}},
		"POST " + connectSession:            {Summary: "Lets AIGNE's command line wait for its user.", Takes: httpkit.NoBody, Response: oauth.Handed{}},
		"GET " + connectSession:             {Summary: "Tells it whether the user said yes; the key is encrypted for it.", Query: []httpkit.Param{{Name: "sid", Required: true}}, Response: oauth.Handed{}},
		"DELETE " + connectSession:          {Summary: "Forgets it.", Query: []httpkit.Param{{Name: "sid", Required: true}}, Response: httpkit.Object{"status": ""}},
		"GET " + connectPage:                {Summary: "Where it opens the user's browser.", Query: []httpkit.Param{{Name: "__token__", Required: true}}, Status: 303, Gives: "text/html"},
		"GET /oauth/consent.js":             {Summary: "The script of these pages.", Gives: "text/javascript"},
		"GET /oauth/consent.words.js":       {Summary: "Their words, in four languages.", Gives: "text/javascript"},
		"GET /oauth/consent.css":            {Summary: "Their style.", Gives: "text/css"},
		"GET /api/auth/connections":         {Summary: "Lists the applications that the caller signed in to, revoked ones included.", Query: httpkit.Cursors(), Response: httpkit.Listing[operator.ConnectionView]{}},
		"DELETE /api/auth/connections/{id}": {Summary: "Takes back what an application was allowed; its key and tokens stop working at once."},
	}
}
