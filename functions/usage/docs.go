package usage

import (
	"github.com/aigne-hub/aigne-hub/shared/calls"
	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
)

// filters are what calls are selected by.
func filters() []httpkit.Param {
	types := make([]string, 0, len(hub.CallTypes()))
	for _, t := range hub.CallTypes() {
		types = append(types, string(t))
	}
	return []httpkit.Param{
		httpkit.Query("scope", "Everybody's calls are for owners and admins.", "own", "all"),
		httpkit.Query("allUsers", "true is scope=all."),
		{Name: "startTime", Doc: "Seconds since 1970.", Number: true}, {Name: "endTime", Doc: "Seconds since 1970.", Number: true},
		httpkit.Query("userId", "Calls of a user, by id or e-mail address, for owners and admins. Also userDid."),
		httpkit.Query("keyId", "Calls by an API key."), httpkit.Query("appId", "Calls of an application. Also appDid."),
		httpkit.Query("provider", "Calls answered by a provider, by its name."), httpkit.Query("providerId", "The same by its id."),
		httpkit.Query("model", "What the name of the model begins with, as asked for or as called."),
		httpkit.Query("type", "The kind of work.", types...),
		httpkit.Query("status", "Of processing, success, failed, aborted and interrupted those wanted, by comma; or all."),
		httpkit.Query("errorCategory", "The category of the error."),
		httpkit.Query("minDurationSeconds", "Calls that lasted that long or longer, such as 2.5."),
		httpkit.Query("minCredits", "Calls that were charged that much or more."),
		httpkit.Query("minCost", "Calls that cost the hub so many dollars or more, for owners and admins."),
		httpkit.Query("search", "What one of searchFields is, or for model and userId begins with; 100 characters."),
		httpkit.Query("searchFields", "Of id, requestId, traceId, model and userId those wanted, by comma; all unless given."),
	}
}

func exportParams() []httpkit.Param {
	return append([]httpkit.Param{
		httpkit.Query("format", "csv unless given.", calls.CSV, calls.NDJSON),
		httpkit.Query("lang", "Language of the heading: en, zh, zh-TW or ja; else the caller's own, or that of Accept-Language. Also locale."),
		httpkit.Query("tz", "IANA name of the time zone of times; else the caller's own, or UTC."),
	}, filters()...)
}

// docs describe the routes.
func docs() map[string]httpkit.Doc {
	from, to := httpkit.Param{Name: "startTime", Doc: "Seconds since 1970.", Number: true}, httpkit.Param{Name: "endTime", Doc: "Seconds since 1970.", Number: true}
	span := []httpkit.Param{from, to, {Name: "timeRange", Doc: "Days, in place of startTime.", Number: true}}
	granularity := httpkit.Query("granularity", "Hours of up to a day, else days, unless given.", "hour", "day", "week", "month")
	by := httpkit.Query("by", "What the calls are told apart by.", rollup.Dimensions()...)
	sort := httpkit.Query("sort", "What the greatest is; cost is for owners and admins.", rollup.MeasureNames()...)
	size := httpkit.Param{Name: "pageSize", Doc: "1 to 100; 20 unless given.", Number: true}
	number := httpkit.Param{Name: "page", Doc: "From 1; answered in AIGNE Hub's form.", Number: true}
	asOf := httpkit.Query("asOf", "paging.asOf of the first page, which keeps pages where they are while calls are added.")
	return map[string]httpkit.Doc{
		"GET /api/user/model-calls": {Summary: "Lists calls of models, newest first.", Response: httpkit.OneOf{callPage{}, numberedPage{}},
			Query: append([]httpkit.Param{httpkit.Query("before", "The next_cursor of the answer before. Also cursor."), size, number, asOf}, filters()...)},
		"GET /api/user/model-calls/{id}":            {Summary: "Shows a call: its tries, the plan it was admitted with, and how it came to what it was charged.", Response: detailView{}},
		"GET /api/user/model-calls/{id}/payload":    {Summary: "Shows what was kept of the bodies of a call, without secrets.", Response: capture.Payload{}},
		"DELETE /api/user/model-calls/{id}/payload": {Summary: "Deletes what was kept of the bodies of a call."},
		"GET /api/user/model-calls/export": {Summary: "Writes all calls that the list would have, as a stream. Where answers cannot be streamed, a long one becomes an export: 202.",
			Gives: "text/csv, application/x-ndjson, application/json", Also: []int{202}, Query: exportParams()},
		"POST /api/usage/exports": {Summary: "Lets a job write an export of the calls that the list would have.", Takes: httpkit.NoBody,
			Response: exportView{}, Status: 202, Query: exportParams()},
		"GET /api/usage/exports":      {Summary: "Lists the caller's exports, newest first.", Response: httpkit.Listing[exportView]{}, Query: httpkit.Cursors()},
		"GET /api/usage/exports/{id}": {Summary: "Shows an export, and its links once it is written.", Response: exportView{}},
		"GET /api/usage/projects/calls": {Summary: "Lists the calls of an application, newest first, in AIGNE Hub's form.", Response: projectPage{},
			Query: append([]httpkit.Param{number, size, asOf}, filters()...)},
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
		"GET /api/usage/projects": {Summary: "Lists applications by what was called through them.", Response: projectList{},
			Query: httpkit.Pages(statParams(httpkit.Query("sortBy", "", "totalCalls", "totalCredits"), httpkit.Query("sortOrder", "", "desc", "asc"))...)},
		"GET /api/usage/projects/group-trends": {Summary: "Shows the calls of a range by application, by hour, day, week or month.", Response: projectTrends{}, Query: statParams(granularity)},
		"GET /api/usage/projects/trends":       {Summary: "Shows an application's calls of a range by hour, day, week or month.", Response: oneProject{}, Query: statParams(granularity)},
		"POST /api/usage/stats/backfill":       {Summary: "Has the sums of a range made again.", Request: backfillRange{}, Response: backfillView{}},
		"GET /api/user/usage-stats":            {Summary: "Shows the caller's five most called models.", Response: usageStats{}, Query: span},
		"GET /api/user/admin/user-stats":       {Summary: "Shows everybody's five most called models.", Response: usageStats{}, Query: span},
		"GET /api/status":                      {Summary: "Shows how models fared in the last 24 hours.", Response: statusPage{}},
	}
}
