package usage

import "github.com/aigne-hub/aigne-hub/shared/httpkit"

// docs describe the routes.
func docs() map[string]httpkit.Doc {
	from, to := httpkit.Param{Name: "startTime", Doc: "Seconds since 1970.", Number: true}, httpkit.Param{Name: "endTime", Doc: "Seconds since 1970.", Number: true}
	return map[string]httpkit.Doc{
		"GET /api/user/model-calls": {Summary: "Lists calls of models, newest first.", Response: callPage{}, Query: []httpkit.Param{
			httpkit.Query("before", "The next_cursor of the answer before."), {Name: "pageSize", Doc: "1 to 100; 20 unless given.", Number: true},
			httpkit.Query("scope", "Everybody's calls are for owners and admins.", "own", "all"), from, to}},
		"GET /api/user/model-calls/{id}": {Summary: "Shows a call: its tries, the plan it was admitted with, and how it came to what it was charged.", Response: detailView{}},
		"GET /api/usage/quota": {Summary: "Shows what is left of the caller's credits and for how long they last.", Response: quotaView{},
			Query: []httpkit.Param{from, to, {Name: "timeRange", Doc: "Days, in place of startTime.", Number: true}}},
		"GET /api/status": {Summary: "Shows how models fared in the last 24 hours.", Response: statusPage{}},
	}
}
