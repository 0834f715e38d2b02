package auth

import (
	"maps"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

// docs describe the routes.
func docs() map[string]httpkit.Doc {
	all := keyDocs()
	for _, more := range []map[string]httpkit.Doc{doorDocs(), ownDocs(), appDocs(), oauthDocs()} {
		maps.Copy(all, more)
	}
	return all
}

func keyDocs() map[string]httpkit.Doc {
	return map[string]httpkit.Doc{
		"GET /api/auth/keys": {Summary: "Lists the caller's API keys, revoked ones included.", Query: httpkit.Cursors(), Response: keyPage{}},
		"POST /api/auth/keys": {Summary: "Makes an API key for the caller; it is shown only here.", Request: newKey{}, Status: 201,
			Response: httpkit.Object{"id": "", "name": "", "key": ""}},
		"GET /api/auth/keys/{id}": {Summary: "Shows one of the caller's API keys with its limits and its use, of the last 30 days unless asked otherwise.", Response: operator.KeyDetail{},
			Query: []httpkit.Param{{Name: "startTime", Doc: "Seconds since 1970.", Number: true}, {Name: "endTime", Doc: "Seconds since 1970; at most 31 days later.", Number: true}}},
		"PATCH /api/auth/keys/{id}": {Summary: "Changes one of the caller's API keys: what is left out stays, null takes a restriction or limit away.",
			Request: operator.ChangedKey{}, Response: operator.KeyView{}},
		"POST /api/auth/keys/{id}/rotate": {Summary: "Gives one of the caller's API keys another secret, shown only here; the one in use stays good for a while.", Request: operator.Rotation{},
			Response: httpkit.Object{"id": "", "name": "", "key": "", "old_until": new(time.Time)}},
		"DELETE /api/auth/keys/{id}": {Summary: "Revokes one of the caller's API keys; owners and admins may revoke any."},
	}
}

// appDocs: the caller's applications.
func appDocs() map[string]httpkit.Doc {
	const one = "/api/auth/apps/{id...}"
	span := []httpkit.Param{{Name: "startTime", Doc: "Seconds since 1970.", Number: true}, {Name: "endTime", Doc: "Seconds since 1970; at most 31 days later.", Number: true}}
	return map[string]httpkit.Doc{
		"GET /api/auth/apps": {Summary: "Lists the applications that the caller registered, has service keys of or made calls through, with what the caller used through them.",
			Query: append(httpkit.Cursors(), span...), Response: httpkit.Listing[appView]{}},
		"POST /api/auth/apps": {Summary: "Registers an application of the caller's; the id that calls name it by is made here.", Request: operator.AboutApp{}, Status: 201, Response: appView{}},
		"GET " + one:          {Summary: "Shows one of the caller's applications with its service keys that the caller answers for.", Query: span, Response: appView{}},
		"PATCH " + one:        {Summary: "Changes what is said of an application that the caller registered; what is left out stays.", Request: operator.AboutApp{}, Response: appView{}},
		"DELETE " + one:       {Summary: "Removes an application that the caller registered, and revokes its service keys. What was used through it stays on record."},
	}
}

// doorDocs: what is there for whoever is not signed in.
func doorDocs() map[string]httpkit.Doc {
	const oidc = "/api/auth/oidc/{name}/"
	return map[string]httpkit.Doc{
		"POST /api/auth/setup": {Summary: "Makes the first owner with the one-time set-up token; answers with a first API key, shown only here.",
			Request: setUpRequest{}, Status: 201, Response: httpkit.Object{"user": userView{}, "api_key": ""}},
		"POST /api/auth/login": {Summary: "Signs in with an e-mail address and its password, and a code where there is a second factor.", Request: loginRequest{}, Response: signedIn{}},
		"POST /api/auth/invitations/read": {Summary: "Says what an invitation offers.", Request: invitationToken{},
			Response: httpkit.Object{"email": "", "role": hub.RoleMember, "invited_by": "", "expires_at": time.Time{}}},
		"POST /api/auth/invitations/accept": {Summary: "Accepts an invitation with a password, and signs in.", Request: acceptance{}, Status: 201, Response: signedIn{}},
		"POST /api/auth/password/forgot": {Summary: "Has a link for a new password mailed; the answer is the same for addresses that nobody has.", Request: forgotten{}, Status: 202,
			Response: httpkit.Object{"message": ""}},
		"POST /api/auth/password/reset":        {Summary: "Sets a new password by the token of a link, and ends the user's sessions.", Request: reset{}},
		"GET " + identity.PlainSignIn:          {Summary: "The page by which people sign in.", Gives: "text/html"},
		"GET " + identity.PlainSignIn + ".js":  {Summary: "Its script.", Gives: "text/javascript"},
		"GET " + identity.PlainSignIn + ".css": {Summary: "Its style.", Gives: "text/css"},
		"GET /api/auth/providers":              {Summary: "Says by which identity providers one can sign in, and whether the hub has an owner.", Response: waysView{}},
		"GET " + oidc + "start":                {Summary: "Sends a browser to an identity provider.", Query: []httpkit.Param{httpkit.Query("return_to", "A path of the hub to go to in the end.")}, Status: 303, Gives: "text/html"},
		"POST " + oidc + "start":               {Summary: "Begins a sign-in that accepts an invitation or adds a way to sign in, and says where to go.", Request: startRequest{}, Response: httpkit.Object{"url": ""}},
		"GET " + oidc + "callback":             {Summary: "Takes a browser back from an identity provider.", Status: 303, Gives: "text/html"},
	}
}

// ownDocs: what is each user's own.
func ownDocs() map[string]httpkit.Doc {
	const factor = "/api/auth/second-factor"
	return map[string]httpkit.Doc{
		"GET /api/auth/me":                 {Summary: "Says who calls, and with which key.", Response: meView{}},
		"PATCH /api/auth/me":               {Summary: "Changes the caller's name, language or time zone.", Request: profile{}, Response: meView{}},
		"GET /api/auth/identities":         {Summary: "Lists what identity providers call the caller.", Response: httpkit.Object{"data": []identityView{}}},
		"DELETE /api/auth/identities/{id}": {Summary: "Takes one of these ways to sign in away."},
		"POST /api/auth/logout":            {Summary: "Ends the session; of a sign-in at a Blocklet Server, as far as the hub goes.", Takes: httpkit.NoBody},
		"PUT /api/auth/password":           {Summary: "Changes the caller's password and ends the other sessions.", Request: newPassword{}},
		"GET /api/auth/sessions":           {Summary: "Lists the caller's sessions, newest first.", Response: httpkit.Object{"data": []sessionView{}}},
		"DELETE /api/auth/sessions":        {Summary: "Ends all of the caller's sessions but the one that asks."},
		"DELETE /api/auth/sessions/{id}":   {Summary: "Ends one of the caller's sessions."},
		"GET " + factor:                    {Summary: "Says whether the caller has a second factor.", Response: httpkit.Object{"active": true, "since": new(time.Time), "recovery_codes_left": 0}},
		"POST " + factor:                   {Summary: "Makes a second factor; it is not asked for until it is confirmed.", Request: factorRequest{}, Response: httpkit.Object{"secret": "", "uri": ""}},
		"POST " + factor + "/confirm":      {Summary: "Puts the second factor into force; the recovery codes are shown only here.", Request: factorCode{}, Response: httpkit.Object{"recovery_codes": []string{}}},
		"POST " + factor + "/remove":       {Summary: "Takes the second factor away.", Request: factorRequest{}},
	}
}
