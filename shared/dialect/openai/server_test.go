package openai

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	sdk "github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

var (
	testNow    = func() time.Time { return time.Date(2026, 4, 9, 0, 0, 0, 0, time.UTC) }
	testServer = Server{Now: testNow}
	testUsage  = hub.Usage{hub.Input: 10, hub.CacheRead: 4, hub.CacheWrite5m: 2, hub.Output: 3, hub.Reasoning: 5}
)

// answer serves one body to the official SDK.
func answer(t *testing.T, status int, contentType string, body []byte) sdk.Client {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("content-type", contentType)
		w.WriteHeader(status)
		_, _ = w.Write(body)
	}))
	t.Cleanup(srv.Close)
	return sdk.NewClient(option.WithBaseURL(srv.URL), option.WithAPIKey("k"), option.WithMaxRetries(0))
}

func streamed(wantsUsage bool, events ...chat.Event) []byte {
	enc := testServer.Stream(&dialect.View{Model: "m", WantsUsage: wantsUsage})
	var out []byte
	for _, ev := range events {
		out = enc.Event(out, ev)
	}
	return enc.Close(out, dialect.Closing{Usage: testUsage})
}

var toolTurn = []chat.Event{
	{Kind: chat.EventStart, ID: "msg_1", Model: "claude", Created: 7},
	{Kind: chat.EventThinking, Text: "hm"},
	{Kind: chat.EventSignature, Text: "opaque"},
	{Kind: chat.EventText, Text: "so \"<é"},
	{Kind: chat.EventToolCall, ID: "a", Name: "f"},
	{Kind: chat.EventToolArgs, Text: `{"x":`},
	{Kind: chat.EventToolArgs, Text: `1}`},
	{Kind: chat.EventToolCall, Index: 1, ID: "b", Name: "g"},
	{Kind: chat.EventSignature, Index: 1, Tool: true, Text: "sig"},
	{Kind: chat.EventFinish, Finish: chat.FinishToolCalls},
	{Kind: chat.EventUsage, Usage: testUsage},
}

func TestStreamAsClientsNeedIt(t *testing.T) {
	t.Parallel()
	const head = `data: {"id":"msg_1","object":"chat.completion.chunk","created":7,"model":"claude","choices":[`
	delta := func(d string) string {
		return head + `{"index":0,"delta":{` + d + `},"logprobs":null,"finish_reason":null}]}`
	}
	want := []string{
		delta(`"role":"assistant","content":""`),
		delta(`"reasoning_content":"hm"`),
		delta(`"reasoning_details":[{"type":"reasoning.text","signature":"opaque","index":0}]`),
		delta(`"content":"so \"<é"`),
		delta(`"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]`),
		delta(`"tool_calls":[{"index":0,"function":{"arguments":"{\"x\":"}}]`),
		delta(`"tool_calls":[{"index":0,"function":{"arguments":"1}"}}]`),
		delta(`"tool_calls":[{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""},"extra_content":{"google":{"thought_signature":"sig"}}}]`),
		delta(`"tool_calls":[{"index":1,"function":{"arguments":"{}"}}]`),
		head + `{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}]}`,
		head + `],"usage":{"prompt_tokens":16,"completion_tokens":8,"total_tokens":24,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":5,"audio_tokens":0}}}`,
		`data: [DONE]`,
	}
	assert.Equal(t, strings.Join(want, "\n\n")+"\n\n", string(streamed(true, toolTurn...)))
	without := append(append([]string{}, want[:len(want)-2]...), want[len(want)-1])
	assert.Equal(t, strings.Join(without, "\n\n")+"\n\n", string(streamed(false, toolTurn...)), "usage only for those who ask")
}

func TestALateSignatureOfACallIsACompleteDelta(t *testing.T) {
	t.Parallel()
	out := string(streamed(false,
		chat.Event{Kind: chat.EventToolCall, ID: "a", Name: "f"},
		chat.Event{Kind: chat.EventToolArgs, Text: "{}"},
		chat.Event{Kind: chat.EventSignature, Tool: true, Text: "sig"},
		chat.Event{Kind: chat.EventToolCall, Index: 1, ID: "b", Name: "g"},
	))
	assert.Contains(t, out, `{"index":0,"function":{"arguments":""},"extra_content":{"google":{"thought_signature":"sig"}}}`)
	assert.Contains(t, out, `{"index":1,"id":"b","type":"function","function":{"name":"g","arguments":""}}`, "a call is never kept back for good")
}

func TestStreamOfOtherThings(t *testing.T) {
	t.Parallel()
	out := string(streamed(false,
		chat.Event{Kind: chat.EventRefusal, Text: "no"},
		chat.Event{Kind: chat.EventMedia, Media: &chat.Media{MIME: "image/png", Data: "AA=="}},
		chat.Event{Kind: chat.EventMedia, Media: &chat.Media{MIME: "audio/pcm", Data: "BB==", FileID: "au"}},
		chat.Event{Kind: chat.EventAnnotation, Raw: json.RawMessage(`[{"type":"url_citation"}]`)},
		chat.Event{Kind: chat.EventLogprobs, Raw: json.RawMessage(`{"content":[]}`)},
		chat.Event{Kind: chat.EventRedacted, Text: "opaque"},
		chat.Event{Kind: chat.EventText, Choice: 1, Text: "\xff\u0001"},
		chat.Event{Kind: chat.EventFinish, Choice: 1, Finish: chat.FinishLength},
		chat.Event{Kind: chat.EventFinish}, chat.Event{Kind: chat.EventFinish},
	))
	for _, part := range []string{
		`"refusal":"no"`, `"images":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA=="}}]`,
		`"audio":{"id":"au","data":"BB=="}`, `"annotations":[{"type":"url_citation"}]`, `"delta":{},"logprobs":{"content":[]}`,
		`{"index":1,"delta":{"role":"assistant","content":""}`, `"content":"` + "\uFFFD" + `\u0001"`, `"created":1775692800,"model":"m"`,
	} {
		assert.Contains(t, out, part)
	}
	assert.Contains(t, out, `"reasoning_details":[{"type":"reasoning.encrypted","data":"opaque","index":0}]`)
	assert.Equal(t, 1, strings.Count(out, `"finish_reason":"stop"`), "one finish a choice")
	assert.Equal(t, 1, strings.Count(out, `"finish_reason":"length"`))
	for _, f := range strings.Split(strings.TrimSpace(out), "\n\n") {
		if data := strings.TrimPrefix(f, "data: "); data != "[DONE]" {
			assert.True(t, json.Valid([]byte(data)), data)
		}
	}
}

func TestOfficialSDKReadsOurStream(t *testing.T) {
	t.Parallel()
	c := answer(t, 200, "text/event-stream", streamed(true, toolTurn...))
	stream := c.Chat.Completions.NewStreaming(t.Context(), sdk.ChatCompletionNewParams{Model: "m"})
	acc := sdk.ChatCompletionAccumulator{}
	for stream.Next() {
		require.True(t, acc.AddChunk(stream.Current()), "the accumulator takes every chunk")
	}
	require.NoError(t, stream.Err())
	require.Len(t, acc.Choices, 1)
	msg := acc.Choices[0].Message
	assert.Equal(t, "so \"<é", msg.Content)
	assert.Equal(t, "tool_calls", acc.Choices[0].FinishReason)
	require.Len(t, msg.ToolCalls, 2)
	assert.JSONEq(t, `{"x":1}`, msg.ToolCalls[0].Function.Arguments)
	assert.Equal(t, "{}", msg.ToolCalls[1].Function.Arguments)
	assert.Equal(t, int64(16), acc.Usage.PromptTokens)
	assert.Equal(t, int64(4), acc.Usage.PromptTokensDetails.CachedTokens)
}

func TestOfficialSDKSeesAStreamFail(t *testing.T) {
	t.Parallel()
	enc := testServer.Stream(&dialect.View{Model: "m"})
	out := enc.Event(nil, chat.Event{Kind: chat.EventText, Text: "half"})
	out = enc.Fail(out, hub.Errorf(hub.CodeUpstream, "The provider went away."))
	assert.NotContains(t, string(out), "[DONE]")
	assert.NotContains(t, string(out), "event:")
	c := answer(t, 200, "text/event-stream", out)
	stream := c.Chat.Completions.NewStreaming(t.Context(), sdk.ChatCompletionNewParams{Model: "m"})
	for stream.Next() {
		_ = stream.Current()
	}
	require.ErrorContains(t, stream.Err(), "The provider went away.")
}

func TestOfficialSDKReadsOurWholeAnswer(t *testing.T) {
	t.Parallel()
	var all chat.Collector
	for _, ev := range toolTurn {
		all.Add(ev)
	}
	body, err := testServer.Whole(&dialect.View{Model: "m"}, all.Response(), dialect.Closing{Usage: testUsage})
	require.NoError(t, err)
	c := answer(t, 200, "application/json", body)
	res, err := c.Chat.Completions.New(t.Context(), sdk.ChatCompletionNewParams{Model: "m"})
	require.NoError(t, err)
	assert.Equal(t, "so \"<é", res.Choices[0].Message.Content)
	assert.Equal(t, int64(24), res.Usage.TotalTokens)

	// The hub reads its own answers as it reads a vendor's.
	again, err := Client{}.Decode(body, dialect.Quirks{})
	require.NoError(t, err)
	assert.Equal(t, "hm", chat.TextOf(again.Choices[0].Parts, chat.Thinking))
	assert.Equal(t, chat.ToolCalls(all.Response().Choices[0].Parts), chat.ToolCalls(again.Choices[0].Parts))
	want := testUsage
	assert.Equal(t, want, again.Usage)
}

func TestWholeAnswersOfEveryKind(t *testing.T) {
	t.Parallel()
	res := &chat.Response{UsageKnown: true, Usage: testUsage, ServiceTier: "flex", Choices: []chat.Choice{
		{Parts: []chat.Part{{Kind: chat.Refusal, Text: "no"}}, Finish: chat.FinishStop},
		{Index: 1, Parts: []chat.Part{{Kind: chat.Audio, Media: &chat.Media{MIME: "audio/wav", Data: "AA==", FileID: "au", Transcript: "hi", ExpiresAt: 9}}}},
		{Index: 2, Parts: []chat.Part{{Text: "a", Annotations: json.RawMessage(`[{"type":"url_citation","hub_own":1},{"type":"page_location"}]`)}, {Kind: chat.Image, Media: &chat.Media{URL: "https://x"}}}, Logprobs: json.RawMessage(`{"content":[]}`)},
		{Index: 3, Finish: chat.FinishContentFilter},
	}}
	body, err := testServer.Whole(&dialect.View{Model: "m"}, res, dialect.Closing{})
	require.NoError(t, err)
	var out map[string]any
	require.NoError(t, json.Unmarshal(body, &out))
	assert.True(t, strings.HasPrefix(out["id"].(string), "chatcmpl-"))
	delete(out, "id")
	got, err := json.Marshal(out)
	require.NoError(t, err)
	assert.JSONEq(t, `{"object":"chat.completion","created":1775692800,"model":"m","service_tier":"flex","choices":[
		{"index":0,"message":{"role":"assistant","content":null,"refusal":"no"},"logprobs":null,"finish_reason":"stop"},
		{"index":1,"message":{"role":"assistant","content":null,"refusal":null,"audio":{"id":"au","data":"AA==","transcript":"hi","expires_at":9}},"logprobs":null,"finish_reason":"stop"},
		{"index":2,"message":{"role":"assistant","content":"a","refusal":null,"annotations":[{"type":"url_citation"}],"images":[{"type":"image_url","image_url":{"url":"https://x"}}]},"logprobs":{"content":[]},"finish_reason":"stop"},
		{"index":3,"message":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":"content_filter"}],
		"usage":{"prompt_tokens":16,"completion_tokens":8,"total_tokens":24,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2,"audio_tokens":0},
		"completion_tokens_details":{"reasoning_tokens":5,"audio_tokens":0}}}`, string(got))
}

func TestErrorBodies(t *testing.T) {
	t.Parallel()
	for want, err := range map[string]*hub.Error{
		`{"message":"x","type":"invalid_request_error","code":"invalid_request","param":"messages[0]"}`:                                              hub.Invalid("messages[0]", "x"),
		`{"message":"x","type":"NOT_ENOUGH","code":"insufficient_credits","param":null,"link":"https://pay","timestamp":"2026-04-09T00:00:00.000Z"}`: {Code: hub.CodeInsufficientCredits, Message: "x", Link: "https://pay"},
		`{"message":"x","type":"server_error","code":"internal","param":null}`:                                                                       {Code: hub.CodeInternal, Message: "x", Cause: errors.New("secret")},
		`{"message":"x","type":"rate_limit_error","code":"rate_limited","param":null}`:                                                               {Code: hub.CodeRateLimited, Message: "x"},
		`{"message":"x","type":"overloaded","code":"upstream_error","param":null}`:                                                                   {Code: hub.CodeUpstream, Message: "x", Type: "overloaded"},
	} {
		assert.JSONEq(t, `{"error":`+want+`}`, string(testServer.Error(err, "req")))
	}
	c := answer(t, 402, "application/json", testServer.Error(&hub.Error{Code: hub.CodeInsufficientCredits, Message: "Buy."}, ""))
	_, err := c.Chat.Completions.New(t.Context(), sdk.ChatCompletionNewParams{Model: "m"})
	var api *sdk.Error
	require.ErrorAs(t, err, &api)
	assert.Equal(t, "NOT_ENOUGH", api.Type)
	assert.Equal(t, "insufficient_credits", api.Code)
}
