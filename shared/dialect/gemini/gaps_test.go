package gemini_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func encodeFor(t *testing.T, model string, change func(*chat.Request)) (string, []string) {
	t.Helper()
	got, err := gemini.Client{}.Encode(ask(change), dialect.Target{Model: model})
	require.NoError(t, err)
	return string(got.Body), got.Dropped
}

func TestStructuredAnswersBesideFunctions(t *testing.T) {
	t.Parallel()
	request := func(mode string) func(*chat.Request) {
		return func(r *chat.Request) {
			r.Tools = []chat.Tool{{Name: "f"}}
			r.Format = &chat.Format{Kind: "json_schema", Schema: json.RawMessage(`{"type":"object"}`), Description: "d"}
			if mode != "" {
				r.ToolChoice = &chat.ToolChoice{Mode: mode, Name: "f"}
			}
		}
	}
	tools := `"tools":[{"functionDeclarations":[{"name":"f"},{"name":"json_output","description":"d","parametersJsonSchema":{"type":"object"}}]}]`
	native := `"generationConfig":{"responseMimeType":"application/json","responseJsonSchema":{"type":"object"}}`
	for _, tt := range []struct{ name, model, mode, want string }{
		{"from generation 3 on both go", "gemini-3-flash", "", `{` + hi + `,"tools":[{"functionDeclarations":[{"name":"f"}]}],` + native + `}`},
		{"before, a function is forced", "gemini-2.5-flash", "", `{` + hi + `,` + tools + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY"}}}`},
		{"and alone when no other may be called", "gemini-2.5-flash", "none", `{` + hi + `,` + tools + `,"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["json_output"]}}}`},
		{"a forced call leaves nothing to structure", "gemini-2.5-flash", "tool", `{` + hi + `,"tools":[{"functionDeclarations":[{"name":"f"}]}],"toolConfig":{"functionCallingConfig":{"mode":"ANY","allowedFunctionNames":["f"]}}}`},
	} {
		got, dropped := encodeFor(t, tt.model, request(tt.mode))
		assert.JSONEq(t, tt.want, got, tt.name)
		assert.Empty(t, dropped)
	}
	_, err := gemini.Client{}.Encode(ask(func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "json_output"}} }), dialect.Target{Model: "gemini-2.5-pro"})
	assert.Equal(t, "tools[0].name", hub.AsError(err).Param)

	body := `{"responseId":"r","candidates":[{"content":{"parts":[{"functionCall":{"name":"json_output","args":{"city": "Ribe"}}}]},"finishReason":"STOP"}]}`
	res, err := gemini.Client{}.Decode([]byte(body), dialect.Quirks{})
	require.NoError(t, err)
	assert.Equal(t, []chat.Part{{Text: `{"city":"Ribe"}`}}, res.Choices[0].Parts)
	assert.Equal(t, chat.FinishStop, res.Choices[0].Finish)
}

func TestStrictFunctions(t *testing.T) {
	t.Parallel()
	strict := func(r *chat.Request) { r.Tools = []chat.Tool{{Name: "f", Strict: new(true)}} }
	got, dropped := encodeFor(t, "gemini-2.5-flash", strict)
	assert.Contains(t, got, `"mode":"VALIDATED"`)
	assert.Empty(t, dropped)
	got, dropped = encodeFor(t, "gemini-2.0-flash", strict)
	assert.NotContains(t, got, "VALIDATED")
	assert.Equal(t, []string{"tools.strict"}, dropped)
}

func TestMediaInToolResults(t *testing.T) {
	t.Parallel()
	conversation := func(r *chat.Request) {
		r.Messages = append(r.Messages,
			chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "c", Name: "f"}, Signature: "s", SignedBy: chat.SignedGoogle}}},
			chat.Message{Role: chat.ToolRole, Parts: []chat.Part{{Kind: chat.ToolResultPart, ToolResult: &chat.ToolResult{CallID: "c", Parts: []chat.Part{
				{Text: "look"}, {Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "AA=="}}, {Kind: chat.Audio, Media: &chat.Media{MIME: "audio/wav", Data: "BB=="}}}}}}})
	}
	got, _ := encodeFor(t, "gemini-3-flash", conversation)
	assert.Contains(t, got, `"response":{"result":"look"},"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}},{"inlineData":{"mimeType":"audio/wav","data":"BB=="}}]`)
	got, _ = encodeFor(t, "gemini-2.5-flash", conversation)
	assert.Contains(t, got, `[{"functionResponse":{"id":"c","name":"f","response":{"result":"look"}}},{"inlineData":{"mimeType":"image/png","data":"AA=="}},{"inlineData":{"mimeType":"audio/wav","data":"BB=="}}]`)
}

func TestURLsGoOnlyToModelsThatFetchThem(t *testing.T) {
	t.Parallel()
	picture := func(m chat.Media) func(*chat.Request) {
		return func(r *chat.Request) {
			r.Messages[0].Parts = []chat.Part{{Kind: chat.Image, Media: &m}}
		}
	}
	got, dropped := encodeFor(t, "gemini-2.5-flash", picture(chat.Media{URL: "https://x.example/a.png", Detail: "high"}))
	assert.Contains(t, got, `{"fileData":{"mimeType":"image/png","fileUri":"https://x.example/a.png"}}`)
	assert.Equal(t, []string{"messages[0].content[0].detail"}, dropped)
	got, _ = encodeFor(t, "gemini-2.0-flash", picture(chat.Media{URL: "https://youtu.be/x", MIME: "video/mp4"}))
	assert.Contains(t, got, "youtu.be")
	got, _ = encodeFor(t, "gemini-2.0-flash", picture(chat.Media{FileID: "gs://b/a.png", MIME: "image/png"}))
	assert.Contains(t, got, "gs://b/a.png")
	_, err := gemini.Client{}.Encode(ask(picture(chat.Media{URL: "https://x.example/a.png"})), dialect.Target{Model: "gemini-2.0-flash"})
	assert.Equal(t, "messages[0].content[0].url", hub.AsError(err).Param)
}

func TestSignaturesGoBackOnlyToGoogle(t *testing.T) {
	t.Parallel()
	got, _ := encodeFor(t, "gemini-2.5-pro", func(r *chat.Request) {
		r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{
			{Kind: chat.Thinking, Text: "own", Signature: "b3du", SignedBy: chat.SignedGoogle},
			{Kind: chat.Thinking, Text: "claude's", Signature: "eA==", SignedBy: chat.SignedAnthropic},
			{Kind: chat.Thinking, Text: "nobody's", Signature: "eQ=="},
			{Kind: chat.RedactedThinking, Signature: "eg==", SignedBy: chat.SignedAnthropic},
			{Text: "said"}}}, say(chat.User, "and?"))
	})
	assert.JSONEq(t, `{"contents":[{"role":"user","parts":[{"text":"hi"}]},{"role":"model","parts":[{"text":"own","thought":true,"thoughtSignature":"b3du"},{"text":"said"}]},{"role":"user","parts":[{"text":"and?"}]}]}`, got)
}

func TestServiceTiersAndSafetyGoThrough(t *testing.T) {
	t.Parallel()
	got, dropped := encodeFor(t, "gemini-2.5-pro", func(r *chat.Request) {
		r.ServiceTier = "priority"
		r.Extra = map[string]json.RawMessage{"safetySettings": json.RawMessage(`[{"category":"C","threshold":"OFF"}]`)}
	})
	assert.JSONEq(t, `{`+hi+`,"serviceTier":"priority","safetySettings":[{"category":"C","threshold":"OFF"}]}`, got)
	assert.Empty(t, dropped)
	res, err := gemini.Client{}.Decode([]byte(`{"candidates":[{"content":{"parts":[{"text":"x"}]}}],"usageMetadata":{"promptTokenCount":1,"serviceTier":"SERVICE_TIER_FLEX"}}`), dialect.Quirks{})
	require.NoError(t, err)
	assert.Equal(t, "flex", res.ServiceTier)
}

func TestSourcesBecomeAnnotations(t *testing.T) {
	t.Parallel()
	grounded := `"groundingMetadata":{"webSearchQueries":["q"],"groundingChunks":[{"web":{"uri":"https://a.example","title":"A"}},{"retrievedContext":{"uri":"https://b.example","title":"B"}},{"web":{"uri":"https://c.example"}}],
		"groundingSupports":[{"segment":{"startIndex":6,"endIndex":10,"text":"deep"},"groundingChunkIndices":[0,1,9]},{"segment":{"startIndex":0,"endIndex":99,"text":"潮 is"},"groundingChunkIndices":[1]}]}`
	want := `[{"type":"url_citation","url_citation":{"start_index":5,"end_index":9,"title":"A","url":"https://a.example"}},
		{"type":"url_citation","url_citation":{"start_index":5,"end_index":9,"title":"B","url":"https://b.example"}},
		{"type":"url_citation","url_citation":{"start_index":0,"end_index":4,"title":"B","url":"https://b.example"}},
		{"type":"url_citation","url_citation":{"start_index":0,"end_index":0,"title":"","url":"https://c.example"}},
		{"type":"url_citation","url_citation":{"start_index":0,"end_index":1,"title":"","url":"https://d.example"}}]`
	cited := `"citationMetadata":{"citationSources":[{"startIndex":0,"endIndex":3,"uri":"https://d.example"}]}`
	// "潮 is deep": the character has three bytes.
	res, err := gemini.Client{}.Decode([]byte(`{"candidates":[{"content":{"parts":[{"text":"潮 is deep"}]},"finishReason":"STOP",`+grounded+`,`+cited+`}],"usageMetadata":{"promptTokenCount":1}}`), dialect.Quirks{})
	require.NoError(t, err)
	assert.Equal(t, int64(1), res.Usage[hub.WebSearches])
	// Where place and words disagree, as for "deep", the words decide.
	assert.JSONEq(t, want, string(res.Choices[0].Parts[0].Annotations))

	d := gemini.Client{}.Decoder(dialect.Quirks{})
	var c chat.Collector
	for _, f := range []string{`{"candidates":[{"content":{"parts":[{"text":"潮 is"}]}}]}`, `{"candidates":[{"content":{"parts":[{"text":" deep"}]},` + grounded + `}]}`,
		`{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP",` + grounded + `,` + cited + `}]}`} {
		evs, err := d.Frame([]byte("data: " + compactJSON(t, f) + "\n\n"))
		require.NoError(t, err)
		for _, ev := range evs {
			c.Add(ev)
		}
	}
	assert.JSONEq(t, want, string(c.Response().Choices[0].Parts[0].Annotations))
}

func compactJSON(t *testing.T, s string) string {
	t.Helper()
	var v any
	require.NoError(t, json.Unmarshal([]byte(s), &v))
	b, err := json.Marshal(v)
	require.NoError(t, err)
	return string(b)
}

func TestCodeThatTheProviderRanIsShown(t *testing.T) {
	t.Parallel()
	res, err := gemini.Client{}.Decode([]byte(`{"candidates":[{"content":{"parts":[{"text":"So:"},{"executableCode":{"language":"PYTHON","code":"print(1)\n"}},
		{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"1\n"}},{"text":"One."}]},"finishReason":"STOP"}]}`), dialect.Quirks{})
	require.NoError(t, err)
	assert.Equal(t, "So:\n```python\nprint(1)\n```\n\n```\n1\n```\nOne.", chat.TextOf(res.Choices[0].Parts, chat.Text))
}

func TestMarkedSignaturesDoNotReachGoogle(t *testing.T) {
	t.Parallel()
	v := viewOf(t, generate, []byte(`{"contents":[]}`))
	body, err := gemini.Server{}.Whole(v, &chat.Response{Choices: []chat.Choice{{Parts: []chat.Part{
		{Kind: chat.Thinking, Text: "t", Signature: "c2ln", SignedBy: chat.SignedAnthropic}, {Text: "x"}}}}}, dialect.Closing{})
	require.NoError(t, err)
	var a struct {
		Candidates []struct {
			Content json.RawMessage `json:"content"`
		} `json:"candidates"`
	}
	require.NoError(t, json.Unmarshal(body, &a))
	again := viewOf(t, generate, []byte(`{"contents":[`+string(a.Candidates[0].Content)+`,{"parts":[{"text":"\"thoughtSignature\":\"YWlnbmVodWIx\""}]}]}`))
	enc, err := gemini.Client{}.Splice(again, dialect.Target{Model: "m"})
	require.NoError(t, err)
	assert.Contains(t, string(enc.Body), `"thoughtSignature":"skip_thought_signature_validator"`)
	assert.Contains(t, string(enc.Body), `\"thoughtSignature\":\"YWlnbmVodWIx\"`, "words are left alone")
	req, err := gemini.Server{}.Decode(again)
	require.NoError(t, err)
	assert.Equal(t, chat.Part{Kind: chat.Thinking, Text: "t", Signature: "c2ln", SignedBy: chat.SignedAnthropic}, req.Messages[0].Parts[0])
}
