package admin

import (
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

// span are the parameters of how much something was used.
func span() []httpkit.Param {
	return []httpkit.Param{{Name: "startTime", Doc: "Seconds since 1970; 30 days ago unless given.", Number: true}, {Name: "endTime", Doc: "Seconds since 1970; at most 31 days later.", Number: true}}
}

func keyDocs() map[string]httpkit.Doc {
	const keys = "/api/admin/keys"
	return map[string]httpkit.Doc{
		"GET " + keys: {Summary: "Lists API keys.", Query: httpkit.Cursors(httpkit.Query("user", "An e-mail address.")), Response: httpkit.Listing[operator.KeyView]{}},
		"POST " + keys: {Summary: "Makes an API key for a user; it is shown only here.", Request: newKey{}, Status: 201,
			Response: httpkit.Object{"id": "", "user": "", "name": "", "key": ""}},
		"GET " + keys + "/{id}":   {Summary: "Shows an API key with its limits and its use.", Query: span(), Response: operator.KeyDetail{}},
		"PATCH " + keys + "/{id}": {Summary: "Changes an API key: what is left out stays, null takes a restriction or limit away.", Request: operator.ChangedKey{}, Response: operator.KeyView{}},
		"POST " + keys + "/{id}/rotate": {Summary: "Gives an API key another secret, shown only here; the one in use stays good for a while.", Request: operator.Rotation{},
			Response: httpkit.Object{"id": "", "name": "", "key": "", "old_until": new(time.Time)}},
		"DELETE " + keys + "/{id}": {Summary: "Revokes an API key."},
	}
}

func appDocs() map[string]httpkit.Doc {
	const apps = "/api/admin/apps"
	return map[string]httpkit.Doc{
		"GET " + apps:                {Summary: "Lists the applications that called or are registered, with their use.", Query: httpkit.Cursors(span()...), Response: httpkit.Listing[appView]{}},
		"GET " + apps + "/{id...}":   {Summary: "Shows an application with its use and its service keys.", Query: span(), Response: appView{}},
		"PATCH " + apps + "/{id...}": {Summary: "Registers an application or changes what is known of it; what is left out stays.", Request: operator.ChangedApp{}, Response: appView{}},
	}
}

func auditDocs() map[string]httpkit.Doc {
	acts := func(more ...httpkit.Param) []httpkit.Param {
		return append([]httpkit.Param{httpkit.Query("actor", "An e-mail address."), httpkit.Query("action", "What was done, such as credits.grant."),
			httpkit.Query("subject", "What it was done to."), httpkit.Query("from", "A time, such as 2027-01-31T00:00:00Z."), httpkit.Query("until", "A time.")}, more...)
	}
	return map[string]httpkit.Doc{
		"GET /api/admin/audit": {Summary: "Lists what was done, newest first.", Query: acts(httpkit.Cursors()...), Response: httpkit.Listing[operator.ActView]{}},
		"GET /api/admin/audit/verify": {Summary: "Proves the chain of the audit log; what is wrong with it is part of the answer.", Response: auditReport{},
			Query: []httpkit.Param{httpkit.Query("anchor", "What an earlier verification printed, number:hash.")}},
		"GET /api/admin/audit/export": {Summary: "Gives all of it as a file.", Query: acts(httpkit.Query("format", "ndjson unless given.", operator.NDJSON, operator.CSV)), Gives: "application/x-ndjson, text/csv"},
	}
}

// doorDocs: who is let in, and as what.
func doorDocs() map[string]httpkit.Doc {
	const (
		user        = "/api/admin/users/{email}"
		invitations = "/api/admin/invitations"
	)
	return map[string]httpkit.Doc{
		"PATCH " + user:                     {Summary: "Gives a user another role, disables or enables the user.", Request: userChange{}, Response: userView{}},
		"GET " + user + "/sessions":         {Summary: "Lists a user's sessions, newest first.", Response: httpkit.Object{"data": []sessionView{}}},
		"DELETE " + user + "/sessions":      {Summary: "Ends all of a user's sessions."},
		"DELETE " + user + "/second-factor": {Summary: "Takes a user's second factor away."},
		"POST " + user + "/reset-link": {Summary: "Makes a link by which a user can set a new password, shown only here.", Takes: httpkit.NoBody, Status: 201,
			Response: httpkit.Object{"link": "", "expires_at": time.Time{}}},
		"DELETE /api/admin/sessions/{id}": {Summary: "Ends a session."},
		"GET " + invitations:              {Summary: "Lists invitations, newest first.", Query: httpkit.Cursors(), Response: httpkit.Listing[invitationView]{}},
		"POST " + invitations:             {Summary: "Invites somebody, by e-mail or with a link that is shown only here.", Request: newInvitation{}, Status: 201, Response: invited{}},
		"POST " + invitations + "/{id}/resend": {Summary: "Gives an invitation a new link and a new time.", Takes: httpkit.NoBody, Response: invited{},
			Query: []httpkit.Param{httpkit.Query("language", "Of the mail; English unless given.")}},
		"DELETE " + invitations + "/{id}": {Summary: "Ends an open invitation."},
	}
}
