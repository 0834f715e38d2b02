package auth

import (
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

// docs describe the routes.
func docs() map[string]httpkit.Doc {
	return map[string]httpkit.Doc{
		"POST /api/auth/setup": {Summary: "Makes the first owner with the one-time set-up token; answers with a first API key, shown only here.",
			Request: setUpRequest{}, Status: 201, Response: httpkit.Object{"user": userView{}, "api_key": ""}},
		"GET /api/auth/me":   {Summary: "Says who calls, and with which key.", Response: meView{}},
		"GET /api/auth/keys": {Summary: "Lists the caller's API keys, revoked ones included.", Query: httpkit.Cursors(), Response: httpkit.Object{"data": []operator.KeyView{}, "next_cursor": new("")}},
		"POST /api/auth/keys": {Summary: "Makes an API key for the caller; it is shown only here.", Request: newKey{}, Status: 201,
			Response: httpkit.Object{"id": "", "name": "", "key": ""}},
		"DELETE /api/auth/keys/{id}": {Summary: "Revokes one of the caller's API keys; owners and admins may revoke any."},
	}
}
