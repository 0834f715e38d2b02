package admin

import (
	"maps"

	"github.com/aigne-hub/aigne-hub/shared/alert"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

// docs describe the routes.
func docs() map[string]httpkit.Doc {
	all := providerDocs()
	for _, more := range []map[string]httpkit.Doc{peopleDocs(), doorDocs(), oauthDocs(), keyDocs(), appDocs(), auditDocs(), noticeDocs(), archiveDocs(), systemDocs(), settingDocs(), rateDocs(), catalogueDocs(), aigneRateDocs("/api/ai-providers"), aigneRateDocs("/api/ai")} {
		maps.Copy(all, more)
	}
	return all
}

func providerDocs() map[string]httpkit.Doc {
	const (
		providers   = "/api/admin/providers"
		credentials = providers + "/{name}/credentials"
	)
	health := httpkit.Doc{Summary: "Shows how credentials and models fare.", Response: healthView{}}
	return map[string]httpkit.Doc{
		"GET /api/admin/provider-kinds":   {Summary: "Lists the sorts of providers that can be added.", Response: httpkit.Object{"data": []kindView{}}},
		"GET " + providers:                {Summary: "Lists providers, with those of the environment.", Response: httpkit.Object{"data": []providerView{}}},
		"POST " + providers:               {Summary: "Adds a provider.", Request: newProvider{}, Status: 201, Response: providerView{}},
		"PATCH " + providers + "/{name}":  {Summary: "Changes a provider; what is left out stays.", Request: providerChange{}, Response: providerView{}},
		"DELETE " + providers + "/{name}": {Summary: "Removes a provider."},
		"POST " + providers + "/{name}/test": {Summary: "Asks a provider whether it takes its credentials; free of charge.", Takes: httpkit.NoBody,
			Query: []httpkit.Param{httpkit.Query("credential", "Only this one.")}, Response: httpkit.Object{"data": []probeView{}}},
		"GET " + credentials:                      {Summary: "Lists a provider's credentials without their values.", Response: httpkit.Object{"data": []credentialView{}}},
		"POST " + credentials:                     {Summary: "Adds a credential.", Request: newCredential{}, Status: 201, Response: credentialView{}},
		"PATCH " + credentials + "/{credential}":  {Summary: "Changes a credential.", Request: credentialChange{}, Response: credentialView{}},
		"DELETE " + credentials + "/{credential}": {Summary: "Removes a credential."},
		"GET /api/admin/aliases":                  {Summary: "Lists the operator's names for models.", Response: httpkit.Object{"data": []listedAlias{}}},
		"PUT /api/admin/aliases":                  {Summary: "Defines a name for models.", Request: aliasView{}, Response: aliasView{}},
		"DELETE /api/admin/aliases/{name...}":     {Summary: "Removes a name for models."},
		"GET /api/admin/probes":                   {Summary: "Lists the hub's own calls, newest first.", Query: httpkit.Cursors(), Response: httpkit.Listing[ownCallView]{}},
		"GET /api/ai-providers/health":            health,
		"GET /api/ai/health":                      health,
	}
}

func peopleDocs() map[string]httpkit.Doc {
	return map[string]httpkit.Doc{
		"GET /api/admin/users": {Summary: "Lists users.", Response: httpkit.Listing[userView]{}, Query: httpkit.Cursors(httpkit.Query("q", "A part of the e-mail address or the name."),
			httpkit.Query("role", "", "owner", "admin", "member", "guest"), httpkit.Query("state", "", "active", "disabled"))},
		"GET /api/admin/users/{email}":         {Summary: "Shows a user with wallet, ways to sign in, limits and use.", Query: span(), Response: userDetail{}},
		"POST /api/admin/users":                {Summary: "Makes a user.", Request: newUser{}, Status: 201, Response: userView{}},
		"PUT /api/admin/users/{email}/groups":  {Summary: "Puts a user into groups.", Request: newGroups{}, Response: userView{}},
		"PUT /api/admin/users/{email}/did":     {Summary: "Says under which DID Payment Kit knows a user.", Request: newDID{}, Response: userView{}},
		"GET /api/admin/capture":               {Summary: "Shows by which rules bodies of calls are kept.", Response: captureView{}},
		"POST /api/admin/capture/rules":        {Summary: "Adds a rule by which bodies of calls are kept.", Request: operator.NewCaptureRule{}, Status: 201, Response: captureRuleView{}},
		"DELETE /api/admin/capture/rules/{id}": {Summary: "Removes such a rule; what was kept stays for its time."},
		"GET /api/admin/limits": {Summary: "Lists limits, the newest first, with how much of them is used.", Response: httpkit.Listing[limitUseView]{},
			Query: httpkit.Cursors(httpkit.Query("scope", "", "key", "user", "app", "model", "member"), httpkit.Query("subject", "An id, a model, or *; an address where the scope is user."), httpkit.Query("metric", "", "requests", "tokens", "concurrency", "credits"))},
		"PUT /api/admin/limits":         {Summary: "Sets a limit.", Request: operator.NewLimit{}, Response: limitView{}},
		"DELETE /api/admin/limits/{id}": {Summary: "Removes a limit."},
	}
}

func noticeDocs() map[string]httpkit.Doc {
	const (
		alerts        = "/api/admin/alerts"
		notifications = "/api/admin/notifications"
		webhooks      = "/api/admin/webhooks"
	)
	return map[string]httpkit.Doc{
		"GET /api/admin/events": {Summary: "Tells what happens; a stream for whoever accepts text/event-stream.", Gives: "text/event-stream",
			Query: []httpkit.Param{{Name: "after", Doc: "The id of the last event seen.", Number: true}}, Response: httpkit.Object{"data": []eventView{}, "last": 0}},
		"GET " + alerts: {Summary: "Lists what is or was wrong, newest first; what is wrong now at once.",
			Query: httpkit.Cursors(httpkit.Query("state", "open: what is wrong now; all unless given.", "open", "all")), Response: httpkit.Listing[alertView]{}},
		"POST " + alerts + "/{id}/acknowledge":   {Summary: "Says that somebody takes care of an alert.", Takes: httpkit.NoBody, Response: alertView{}},
		"GET " + alerts + "/rules":               {Summary: "Shows the rules of alerts.", Response: alert.Rules{}},
		"PUT " + alerts + "/rules":               {Summary: "Changes the rules of alerts; what is left out stays.", Request: alert.Rules{}, Response: alert.Rules{}},
		"GET " + notifications:                   {Summary: "Lists notifications, newest first, and how far they got.", Query: httpkit.Cursors(), Response: httpkit.Listing[notificationView]{}},
		"POST " + notifications + "/{id}/resend": {Summary: "Sends a notification again to where it was given up.", Takes: httpkit.NoBody},
		"GET " + notifications + "/email":        {Summary: "Shows which kinds go out by e-mail.", Response: mailChoice{}},
		"PUT " + notifications + "/email":        {Summary: "Chooses which kinds go out by e-mail.", Request: newMailChoice{}, Response: mailChoice{}},
		"GET " + notifications + "/low-balance":  {Summary: "Shows below which balance users are told.", Response: lowChoice{}},
		"PUT " + notifications + "/low-balance":  {Summary: "Sets below which balance users are told.", Request: lowChoice{}, Response: lowChoice{}},
		"GET " + webhooks:                        {Summary: "Lists webhooks.", Response: httpkit.Object{"data": []webhookView{}}},
		"POST " + webhooks:                       {Summary: "Adds a webhook; its secret is shown only here.", Request: newWebhook{}, Status: 201, Response: webhookView{}},
		"DELETE " + webhooks + "/{id}":           {Summary: "Removes a webhook."},
		"POST " + webhooks + "/{id}/test":        {Summary: "Sends a test event at once and says whether it arrived.", Takes: httpkit.NoBody, Response: httpkit.Object{"delivered": true}},
	}
}

func rateDocs() map[string]httpkit.Doc {
	const rates = "/api/admin/rates"
	reason := httpkit.Query("reason", "Kept in the history.")
	many := httpkit.Object{"data": []rateView{}, "total": 0}
	return map[string]httpkit.Doc{
		"GET " + rates: {Summary: "Lists rates by provider and model.", Response: many,
			Query: httpkit.Pages(httpkit.Query("provider", ""), httpkit.Query("model", ""), httpkit.Query("deprecated", "", "true", "false"))},
		"PUT " + rates:             {Summary: "Sets the rate of a model, now or from a time to come.", Request: newRate{}, Response: rateView{}},
		"POST " + rates:            {Summary: "Makes the rate of a model at several providers.", Request: newRate{}, Status: 201, Response: many},
		"PATCH " + rates + "/{id}": {Summary: "Changes parts of a rate.", Request: rateEdit{}, Response: rateView{}},
		"DELETE " + rates + "/{id}": {Summary: "Deletes a rate.", Query: []httpkit.Param{reason, httpkit.Query("force", "Although aliases lead to it.", "true", "false")},
			Response: httpkit.Object{"removed": true, "dependants": operator.Dependants{}}},
		"GET " + rates + "/{id}/dependants": {Summary: "Shows what uses a rate.", Response: operator.Dependants{}},
		"POST " + rates + "/{id}/deprecate": {Summary: "Marks a rate as deprecated.", Request: deprecation{}, Response: rateView{}},
		"POST " + rates + "/{id}/restore":   {Summary: "Takes a deprecation back.", Takes: httpkit.NoBody, Query: []httpkit.Param{reason}, Response: rateView{}},
		"GET " + rates + "/history": {Summary: "Lists changes of rates, newest first.", Response: httpkit.Listing[rateVersionView]{},
			Query: httpkit.Cursors(httpkit.Query("provider", "Together with model."), httpkit.Query("model", "Together with provider."))},
		"GET " + rates + "/check": {Summary: "Lists prices below cost, costs that drifted and margins that were lost.",
			Query: httpkit.Pages(httpkit.Param{Name: "tolerance", Doc: "Percent; 1 unless given.", Number: true}), Response: httpkit.Object{"data": []findingView{}, "total": 0}},
		"GET " + rates + "/plans":         {Summary: "Lists prices that hold from a time to come.", Query: httpkit.Cursors(), Response: httpkit.Listing[ratePlanView]{}},
		"DELETE " + rates + "/plans/{id}": {Summary: "Drops prices that were planned."},
		"POST " + rates + "/reprice": {Summary: "Computes prices anew from costs and a margin.", Request: repricing{},
			Response: httpkit.Object{"dry_run": false, "changed": 0, "total": 0, "data": []repricedView{}}},
		"POST " + rates + "/sync": {Summary: "Brings kept costs up to date with the catalogue.", Request: costSync{},
			Response: httpkit.Object{"dry_run": false, "updated": []repricedView{}, "unchanged": []repricedView{}}},
	}
}

func catalogueDocs() map[string]httpkit.Doc {
	const catalogue = "/api/admin/catalogue"
	return map[string]httpkit.Doc{
		"GET " + catalogue: {Summary: "Says which catalogue of prices is in force and what it was made from.",
			Response: httpkit.Object{"in_force": "", "embedded": "", "sources": nil, "kept": []keptCatalogue{}}},
		"GET " + catalogue + "/models": {Summary: "Lists what the catalogue knows of a kind of provider.", Response: httpkit.Object{"data": []catalogueModel{}, "total": 0},
			Query: httpkit.Pages(httpkit.Param{Name: "kind", Doc: "Such as openai.", Required: true}, httpkit.Query("model", ""))},
		"POST " + catalogue + "/review": {Summary: "Compares a catalogue with the hub; without a body, that of this version.", Takes: "application/gzip, application/octet-stream", Optional: true,
			Query: []httpkit.Param{httpkit.Query("name", "How the file is called in the history.")}, Response: httpkit.Object{"digest": "", "in_force": false}},
		"GET " + catalogue + "/proposals": {Summary: "Lists what a catalogue says differently.", Response: httpkit.Listing[proposalView]{},
			Query: httpkit.Cursors(httpkit.Query("state", "open unless given", "open", "applied", "dismissed", "superseded"))},
		"POST " + catalogue + "/apply":   {Summary: "Carries out proposals, and puts the catalogue in force if asked.", Request: catalogueChoice{}, Response: httpkit.Object{"dry_run": false, "applied": []appliedView{}}},
		"POST " + catalogue + "/dismiss": {Summary: "Says no to proposals.", Request: dismissal{}, Response: httpkit.Object{"dismissed": 0}},
	}
}

// aigneRateDocs describe the rates as AIGNE Hub's console and scripts know them.
func aigneRateDocs(root string) map[string]httpkit.Doc {
	rates := root + "/{provider}/model-rates"
	summaries := func(more httpkit.Object) httpkit.Object {
		out := httpkit.Object{"message": "", "dryRun": false}
		maps.Copy(out, more)
		return out
	}
	return map[string]httpkit.Doc{
		"GET " + rates: {Summary: "Lists the rates of a provider; what they cost is for admins.", Response: []aigneRate{},
			Query: []httpkit.Param{httpkit.Query("includeDeprecated", "", "true", "false")}},
		"POST " + rates:               {Summary: "Makes a rate.", Request: aigneRateBody{}, Response: aigneRate{}},
		"PUT " + rates + "/{rate}":    {Summary: "Changes a rate.", Request: aigneRateBody{}, Response: aigneRate{}},
		"DELETE " + rates + "/{rate}": {Summary: "Deletes a rate.", Query: []httpkit.Param{httpkit.Query("reason", ""), httpkit.Query("force", "", "true", "false")}, Response: httpkit.Object{"message": ""}},
		"GET " + root + "/model-rates": {Summary: "Lists rates with their providers and states.", Response: httpkit.Object{"count": 0, "list": []aigneRate{}, "paging": httpkit.Object{"page": 0, "pageSize": 0}},
			Query: httpkit.Pages(httpkit.Query("providerId", "Several by comma."), httpkit.Query("model", "A part of its name."), httpkit.Query("q", "Such as model:gpt."),
				httpkit.Query("o", "", "asc", "desc"), httpkit.Query("includeDeprecated", "", "true", "false"))},
		"POST " + root + "/model-rates": {Summary: "Makes the rate of a model at several providers.", Request: aigneRateBody{},
			Response: httpkit.Object{"message": "", "data": []aigneRate{}, "summary": httpkit.Object{"total": 0}}},
		"GET " + root + "/chat/models": {Summary: "Lists the models that can be called, each once, with what it costs at each provider.", Response: []aigneChatModel{},
			Query: []httpkit.Param{httpkit.Query("type", "chat unless given")}},
		"POST " + root + "/bulk-rate-update": {Summary: "Computes prices anew, or brings costs up to date.", Request: aigneBulk{}, Response: httpkit.OneOf{
			summaries(httpkit.Object{"updated": 0, "skipped": 0, "parameters": map[string]string{}, "summary": []aigneSummary{}}),
			summaries(httpkit.Object{"updated": []aigneSummary{}, "unchanged": []aigneSummary{}, "unmatched": []map[string]string{}, "created": []aigneSummary{},
				"errors": []string{}, "deprecated": []aigneSummary{}, "summary": map[string]int{}})}},
		"POST " + root + "/trigger-rate-check": {Summary: "Checks rates at once.", Takes: httpkit.NoBody, Response: httpkit.Object{"message": "", "timestamp": ""}},
	}
}
