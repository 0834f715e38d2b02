package usage

import (
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
)

// docs describe the routes.
func docs() map[string]httpkit.Doc {
	from, to := httpkit.Param{Name: "startTime", Doc: "Seconds since 1970.", Number: true}, httpkit.Param{Name: "endTime", Doc: "Seconds since 1970.", Number: true}
	span := []httpkit.Param{from, to, {Name: "timeRange", Doc: "Days, in place of startTime.", Number: true}}
	granularity := httpkit.Query("granularity", "Hours of up to a day, else days, unless given.", "hour", "day", "week", "month")
	by := httpkit.Query("by", "What the calls are told apart by.", rollup.Dimensions()...)
	sort := httpkit.Query("sort", "What the greatest is; cost is for owners and admins.", rollup.MeasureNames()...)
	return map[string]httpkit.Doc{
		"GET /api/user/model-calls": {Summary: "Lists calls of models, newest first.", Response: callPage{}, Query: []httpkit.Param{
			httpkit.Query("before", "The next_cursor of the answer before."), {Name: "pageSize", Doc: "1 to 100; 20 unless given.", Number: true},
			httpkit.Query("scope", "Everybody's calls are for owners and admins.", "own", "all"), from, to}},
		"GET /api/user/model-calls/{id}": {Summary: "Shows a call: its tries, the plan it was admitted with, and how it came to what it was charged.", Response: detailView{}},
		"GET /api/usage/quota": {Summary: "Shows what is left of the caller's credits and for how long they last.", Response: quotaView{},
			Query: span},
		"GET /api/usage/summary": {Summary: "Sums up the calls of a range, and of the one before.", Response: summaryView{},
			Query: statParams(httpkit.Query("compare", "With the range before, or with nothing.", "previous", "none"))},
		"GET /api/usage/trends": {Summary: "Shows the calls of a range by hour, day, week or month.", Response: trendView{}, Query: statParams(granularity)},
		"GET /api/usage/breakdown": {Summary: "Lists the calls of a range by model, user and so on, the greatest first.", Response: breakdownView{},
			Query: httpkit.Pages(statParams(by, sort)...)},
		"GET /api/usage/group-trends": {Summary: "Shows the calls of a range by group of users, model and so on, by hour, day, week or month.", Response: groupTrendView{},
			Query: statParams(granularity, by, sort, httpkit.Param{Name: "top", Doc: "How many have a series of their own, 1 to 50; 10 unless given.", Number: true})},
		"GET /api/usage/errors": {Summary: "Shows which errors ended the calls of a range.", Response: errorsView{}, Query: statParams()},
		"GET /api/usage/projects": {Summary: "Lists applications by what was called through them.", Response: projectPage{},
			Query: httpkit.Pages(statParams(httpkit.Query("sortBy", "", "totalCalls", "totalCredits"), httpkit.Query("sortOrder", "", "desc", "asc"))...)},
		"GET /api/usage/projects/group-trends": {Summary: "Shows the calls of a range by application, by hour, day, week or month.", Response: projectTrends{}, Query: statParams(granularity)},
		"GET /api/usage/projects/trends":       {Summary: "Shows an application's calls of a range by hour, day, week or month.", Response: oneProject{}, Query: statParams(granularity)},
		"POST /api/usage/stats/backfill":       {Summary: "Has the sums of a range made again.", Request: backfillRange{}, Response: backfillView{}},
		"GET /api/user/usage-stats":            {Summary: "Shows the caller's five most called models.", Response: usageStats{}, Query: span},
		"GET /api/user/admin/user-stats":       {Summary: "Shows everybody's five most called models.", Response: usageStats{}, Query: span},
		"GET /api/status":                      {Summary: "Shows how models fared in the last 24 hours.", Response: statusPage{}},
	}
}
