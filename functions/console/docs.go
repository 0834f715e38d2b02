package console

import "github.com/aigne-hub/aigne-hub/shared/httpkit"

// docs describe the routes.
func docs() map[string]httpkit.Doc {
	return map[string]httpkit.Doc{"/": {Summary: "The web console and its files.", Gives: "text/html"}}
}
