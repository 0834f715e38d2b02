package proxy

import (
	"maps"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// The documents of those whose languages are spoken here.
const (
	openaiDocs    = "https://platform.openai.com/docs/api-reference/"
	anthropicDocs = "https://docs.anthropic.com/en/api/"
	geminiDocs    = "https://ai.google.dev/api/"
	aigneDocs     = "https://www.npmjs.com/package/@aigne/aigne-hub"
	rerankDocs    = "https://docs.cohere.com/reference/rerank"
)

// docs describe the routes. What is said in other vendors' languages they describe
// themselves.
func docs() map[string]httpkit.Doc {
	all := openaiRouteDocs()
	maps.Copy(all, otherRouteDocs())
	status := httpkit.Doc{Summary: "Says whether a model could be called now.", Response: availability{}, Query: []httpkit.Param{httpkit.Query("model", "Any, unless given.")}}
	maps.Copy(all, map[string]httpkit.Doc{
		"GET /api/v1/status": status,
		"GET /api/v2/status": status,
		"GET /api/ai/models": {Summary: "Lists the models that can be called, with their prices.", Response: []aigneModel{},
			Query: []httpkit.Param{httpkit.Query("type", "A kind of call; chat unless given.")}},
		"GET /api/ai/plan": {Summary: "Shows how a call would be routed, without making it.", Response: routing.Explained{}, Query: []httpkit.Param{
			{Name: "model", Required: true}, httpkit.Query("type", "chat or a kind of work"), httpkit.Query("dialect", "In which the call comes."), httpkit.Query("region", ""),
			httpkit.Query("route", "A wish, such as cheapest."), httpkit.Query("tags", "By comma."), httpkit.Query("needs", "By comma."), {Name: "tokens", Number: true}}},
		"POST /api/ai/probe": {Summary: "Makes the smallest call of chat to one model, at the operator's expense.", Request: wantedProbe{}, Response: probed{}},
		"GET /__blocklet__.js": {Summary: "Tells AIGNE clients where the hub is mounted.", Gives: "application/javascript, application/json",
			Query: []httpkit.Param{httpkit.Query("type", "", "json")}},
		"GET /media/{name}":    {Summary: "Serves a kept file; whoever knows its name may have it.", Gives: "image/*, video/*, audio/*"},
		"DELETE /media/{name}": {Summary: "Removes a kept file of the caller."},
	})
	return all
}

func openaiRouteDocs() map[string]httpkit.Doc {
	vendor := func(summary, page string) httpkit.Doc {
		return httpkit.Doc{Summary: summary, Vendor: openaiDocs + page}
	}
	form := func(d httpkit.Doc) httpkit.Doc {
		d.Takes = "multipart/form-data"
		return d
	}
	chat, speech := vendor("Answers a conversation.", "chat/create"), vendor("Speaks a text.", "audio/createSpeech")
	embed := vendor("Embeds texts.", "embeddings/create")
	hear := form(vendor("Writes down what is said.", "audio/createTranscription"))
	picture := vendor("Makes pictures.", "images/create")
	return map[string]httpkit.Doc{
		"POST /v1/chat/completions":          chat,
		"POST /api/v2/chat/completions":      chat,
		"POST /api/v1/chat/completions":      chat,
		"POST /api/v2/completions":           chat,
		"POST /api/v1/completions":           chat,
		"POST /v1/completions":               vendor("Continues a text.", "completions/create"),
		"POST /v1/embeddings":                embed,
		"POST /api/v2/embeddings":            embed,
		"POST /api/v1/embeddings":            embed,
		"POST /v1/audio/transcriptions":      hear,
		"POST /api/v2/audio/transcriptions":  hear,
		"POST /api/v1/audio/transcriptions":  hear,
		"POST /v1/audio/translations":        form(vendor("Writes down in English what is said.", "audio/createTranslation")),
		"POST /v1/audio/speech":              speech,
		"POST /api/v2/audio/speech":          speech,
		"POST /api/v1/audio/speech":          speech,
		"POST /v1/moderations":               vendor("Says whether a text is harmful.", "moderations/create"),
		"POST /v1/rerank":                    {Summary: "Orders texts by how well they answer a question.", Vendor: rerankDocs},
		"POST /v1/images/generations":        picture,
		"POST /api/v2/image/generations":     picture,
		"POST /api/v1/image/generations":     picture,
		"POST /v1/images/edits":              form(vendor("Changes a picture.", "images/createEdit")),
		"POST /v1/images/variations":         form(vendor("Varies a picture.", "images/createVariation")),
		"POST /v1/videos":                    vendor("Begins a video.", "videos/create"),
		"GET /v1/videos":                     vendor("Lists the caller's videos.", "videos/list"),
		"GET /v1/videos/{id}":                vendor("Shows how far a video is.", "videos/retrieve"),
		"DELETE /v1/videos/{id}":             vendor("Forgets a video.", "videos/delete"),
		"GET /v1/videos/{id}/content":        vendor("Serves a video.", "videos/content"),
		"POST /v1/responses":                 vendor("Answers, and keeps the answer if asked.", "responses/create"),
		"GET /v1/responses":                  vendor("Tells clients that want a WebSocket to use POST.", "responses"),
		"GET /v1/responses/{id}":             vendor("Shows a kept answer.", "responses/get"),
		"DELETE /v1/responses/{id}":          vendor("Forgets a kept answer.", "responses/delete"),
		"GET /v1/responses/{id}/input_items": vendor("Lists what a kept answer answers.", "responses/input-items"),
		"POST /v1/responses/{id}/cancel":     vendor("Ends an answer that is being made.", "responses/cancel"),
		"POST /v1/responses/input_tokens":    vendor("Counts the tokens of a question.", "responses/input-tokens"),
		"POST /v1/responses/compact":         vendor("Shortens a conversation.", "responses/compact"),
		"GET /v1/models":                     vendor("Lists the models that can be called; also in Anthropic's and Google's words.", "models/list"),
		"GET /v1/models/{id...}":             vendor("Shows a model.", "models/retrieve"),
	}
}

func otherRouteDocs() map[string]httpkit.Doc {
	google := httpkit.Doc{Summary: "Calls a method of a model: generateContent, streamGenerateContent, countTokens, embedContent or batchEmbedContents.", Vendor: geminiDocs + "generate-content"}
	return map[string]httpkit.Doc{
		"POST /v1/messages":              {Summary: "Answers a conversation.", Vendor: anthropicDocs + "messages"},
		"POST /v1/messages/count_tokens": {Summary: "Counts the tokens of a conversation.", Vendor: anthropicDocs + "messages-count-tokens"},
		"POST /v1beta/models/{call...}":  google,
		"POST /v1beta/{call...}":         google,
		"POST /v1/models/{call...}":      google,
		"GET /v1beta/models":             {Summary: "Lists the models that can be called.", Vendor: geminiDocs + "models"},
		"GET /v1beta/models/{id...}":     {Summary: "Shows a model.", Vendor: geminiDocs + "models"},
		"POST /api/v2/chat":              {Summary: "Answers a conversation in AIGNE's protocol.", Vendor: aigneDocs},
		"POST /api/v2/image":             {Summary: "Makes pictures in AIGNE's protocol.", Vendor: aigneDocs},
		"POST /api/v2/video":             {Summary: "Makes a video in AIGNE's protocol.", Vendor: aigneDocs},
	}
}
