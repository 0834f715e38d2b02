package gemini_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func meter(t *testing.T, body string, n int64) dialect.Report {
	t.Helper()
	m := gemini.Client{}.Meter(&dialect.View{N: n}, dialect.Quirks{})
	require.NoError(t, m.Whole([]byte(body)))
	return m.Report()
}

func TestUsage(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		meta string
		want hub.Usage
	}{
		{"cached tokens are part of the prompt", `{"promptTokenCount":100,"cachedContentTokenCount":60,"candidatesTokenCount":7}`,
			hub.Usage{hub.Input: 40, hub.CacheRead: 60, hub.Output: 7}},
		{"thoughts are not part of the candidates", `{"promptTokenCount":1,"candidatesTokenCount":7,"thoughtsTokenCount":9}`,
			hub.Usage{hub.Input: 1, hub.Output: 7, hub.Reasoning: 9}},
		{"tool prompts stand beside the prompt", `{"promptTokenCount":10,"toolUsePromptTokenCount":5}`,
			hub.Usage{hub.Input: 15}},
		{"tool prompts have modalities too", `{"promptTokenCount":10,"toolUsePromptTokenCount":50,"toolUsePromptTokensDetails":[{"modality":"IMAGE","tokenCount":40},{"modality":"TEXT","tokenCount":10}]}`,
			hub.Usage{hub.Input: 20, hub.InputImage: 40}},
		{"modalities are split off", `{"promptTokenCount":100,"promptTokensDetails":[{"modality":"TEXT","tokenCount":10},{"modality":"AUDIO","tokenCount":50},{"modality":"IMAGE","tokenCount":30},{"modality":"VIDEO","tokenCount":10}],
			"candidatesTokenCount":20,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":15},{"tokenCount":5,"modality":"TEXT"}]}`,
			hub.Usage{hub.Input: 20, hub.InputAudio: 50, hub.InputImage: 30, hub.Output: 5, hub.OutputImage: 15}},
		{"a cached modality is counted once", `{"promptTokenCount":100,"cachedContentTokenCount":40,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":60}],"cacheTokensDetails":[{"modality":"AUDIO","tokenCount":40}]}`,
			hub.Usage{hub.Input: 40, hub.CacheRead: 40, hub.InputAudio: 20}},
		{"details beyond the total do not add up to more", `{"promptTokenCount":10,"cachedContentTokenCount":90,"promptTokensDetails":[{"modality":"AUDIO","tokenCount":600}]}`,
			hub.Usage{hub.CacheRead: 10}},
		{"negative and odd numbers count nothing", `{"promptTokenCount":-10,"candidatesTokenCount":"12","thoughtsTokenCount":null}`,
			hub.Usage{hub.Output: 12}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := `{"candidates":[{"content":{"parts":[{"text":"x"}]},"finishReason":"STOP"}],"usageMetadata":` + tt.meta + `}`
			res, err := gemini.Client{}.Decode([]byte(body), dialect.Quirks{})
			require.NoError(t, err)
			assert.Equal(t, tt.want, res.Usage)
			assert.True(t, res.UsageKnown)
			assert.Equal(t, tt.want, meter(t, body, 1).Usage)
		})
	}
}

func TestDecode(t *testing.T) {
	t.Parallel()
	body := `{"responseId":"r1","modelVersion":"gemini-3.1-flash-image","createTime":"2026-03-01T10:00:00.5Z","candidates":[
	 {"index":0,"finishReason":"STOP","content":{"parts":[{"text":"draft","thought":true},{"inlineData":{"mimeType":"image/png","data":"RFJBRlQ="},"thought":true},
	   {"text":"Here: "},{"inlineData":{"mimeType":"image/png","data":"UE5H"}},{"text":"more","thought":true,"thoughtSignature":"czI="}]},
	   "logprobsResult":{"chosenCandidates":[{"token":"é","logProbability":-0.25}],"topCandidates":[{"candidates":[{"token":"é","logProbability":-0.25}]}]},
	   "groundingMetadata":{"webSearchQueries":["a","b"]}},
	 {"index":1,"finishReason":"MALFORMED_FUNCTION_CALL"}],
	 "usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":4}}`
	res, err := gemini.Client{}.Decode([]byte(body), dialect.Quirks{})
	require.NoError(t, err)
	assert.Equal(t, "r1", res.ID)
	assert.Equal(t, time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC).Unix(), res.Created)
	require.Len(t, res.Choices, 2)
	assert.Equal(t, []chat.Part{
		{Kind: chat.Thinking, Text: "draft"}, {Kind: chat.Text, Text: "Here: "},
		{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "UE5H"}},
		{Kind: chat.Thinking, Text: "more", Signature: "czI=", SignedBy: chat.SignedGoogle},
	}, res.Choices[0].Parts)
	assert.JSONEq(t, `{"content":[{"token":"é","logprob":-0.25,"bytes":[195,169],"top_logprobs":[{"token":"é","logprob":-0.25,"bytes":[195,169]}]}],"refusal":null}`, string(res.Choices[0].Logprobs))
	assert.Equal(t, chat.FinishStop, res.Choices[1].Finish)
	assert.Equal(t, "MALFORMED_FUNCTION_CALL", res.Choices[1].Native)
	assert.Equal(t, int64(2), res.Usage[hub.WebSearches])

	rep := meter(t, body, 2)
	assert.Equal(t, res.Usage, rep.Usage)
	assert.Equal(t, "r1", rep.ID)
	assert.Equal(t, "gemini-3.1-flash-image", rep.Model)
	assert.Equal(t, int64(len("draftmore")), rep.HideBytes)
	assert.Equal(t, int64(len("Here: ")), rep.TextBytes)
}

func TestDecodeMakesIDsForCallsWithoutOne(t *testing.T) {
	t.Parallel()
	call := `{"functionCall":{"name":"f","args": {"a" : 1} }}`
	body := func(id string) []byte {
		return []byte(`{"responseId":"` + id + `","candidates":[{"content":{"parts":[` + call + `,` + call + `]},"finishReason":"STOP"}]}`)
	}
	ids := map[string]bool{}
	for _, answer := range []string{"one", "one", "two", "", ""} {
		res, err := gemini.Client{}.Decode(body(answer), dialect.Quirks{})
		require.NoError(t, err)
		assert.Equal(t, chat.FinishToolCalls, res.Choices[0].Finish)
		for _, c := range chat.ToolCalls(res.Choices[0].Parts) {
			assert.Regexp(t, `^call_[0-9a-f]{24}$`, c.ID)
			assert.Equal(t, `{"a":1}`, c.Arguments)
			ids[c.ID] = true
		}
	}
	assert.Len(t, ids, 8, "the same answer gives the same ids, every other one others")
}

func TestDecodeRefusesWhatIsNoAnswer(t *testing.T) {
	t.Parallel()
	for _, body := range []string{``, `null`, `[]`, `{"candidates":[`, `{"usageMetadata":{"promptTokenCount":1}}`, `<html>`, `{"candidates":3}`} {
		_, err := gemini.Client{}.Decode([]byte(body), dialect.Quirks{})
		require.Error(t, err, body)
		assert.Equal(t, hub.ClassRetry, hub.AsError(err).Class, body)
	}
}

func TestStreamOfSeveralCandidates(t *testing.T) {
	t.Parallel()
	frames := []string{
		`data: {"candidates":[{"index":0,"content":{"parts":[{"text":"a"}]}},{"index":1,"content":{"parts":[{"text":"b"}]}}]}`,
		`: ping`,
		`data: {"candidates":[{"index":1,"finishReason":"STOP"}]}`,
		`data: {"candidates":[{"index":0,"finishReason":"SAFETY"}]}`,
		`data: {"usageMetadata":{"promptTokenCount":2,"candidatesTokenCount":2}}`,
	}
	d := gemini.Client{}.Decoder(dialect.Quirks{})
	m := gemini.Client{}.Meter(&dialect.View{N: 2}, dialect.Quirks{})
	var c chat.Collector
	for i, f := range frames {
		events, err := d.Frame([]byte(f + "\n\n"))
		require.NoError(t, err)
		for _, ev := range events {
			c.Add(ev)
		}
		seen := m.Frame([]byte(f + "\n\n"))
		assert.Equal(t, i >= 3, d.End(), "frame %d", i)
		assert.Equal(t, i >= 3, seen.Finish, "frame %d", i)
		assert.Equal(t, i == 0, seen.Content, "frame %d", i)
		assert.Equal(t, i == 4, seen.UsageOnly, "frame %d", i)
		assert.False(t, seen.End)
	}
	res := c.Response()
	assert.Equal(t, chat.FinishContentFilter, res.Choices[0].Finish)
	assert.Equal(t, chat.FinishStop, res.Choices[1].Finish)
	assert.Equal(t, int64(2), res.Usage[hub.Output])
}

func TestFault(t *testing.T) {
	t.Parallel()
	info := func(reason string) string {
		return `,"details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"` + reason + `"}]`
	}
	body := func(message, status, more string) string {
		return `{"error":{"code":1,"message":"` + message + `","status":"` + status + `"` + more + `}}`
	}
	tests := []struct {
		name   string
		status int
		header http.Header
		body   string
		class  hub.Class
		code   hub.Code
		after  time.Duration
	}{
		{name: "a bad key is a 400", status: 400, body: body("API key not valid.", "INVALID_ARGUMENT", info("API_KEY_INVALID")), class: hub.ClassCredential, code: hub.CodeProviderCredential},
		{name: "a blocked key", status: 403, body: body("Requests are blocked.", "PERMISSION_DENIED", info("API_KEY_SERVICE_BLOCKED")), class: hub.ClassCredential, code: hub.CodeProviderCredential},
		{name: "no key", status: 401, body: body("Unauthenticated.", "UNAUTHENTICATED", ""), class: hub.ClassCredential, code: hub.CodeProviderCredential},
		{name: "a country that is not served", status: 400, body: body("User location is not supported for the API use.", "FAILED_PRECONDITION", ""), class: hub.ClassRequest, code: hub.CodeUpstream},
		{name: "a country that is not served, as 403", status: 403, body: body("User location is not supported for the API use.", "PERMISSION_DENIED", ""), class: hub.ClassRequest, code: hub.CodeUpstream},
		{name: "somebody else's file", status: 403, body: body("You do not have permission to access the File abc or it may not exist.", "PERMISSION_DENIED", ""), class: hub.ClassRequest, code: hub.CodeUpstream},
		{name: "refused content", status: 400, body: body("The prompt holds prohibited content.", "INVALID_ARGUMENT", ""), class: hub.ClassRefused, code: hub.CodeContentFiltered},
		{name: "a bad request", status: 400, body: body("Invalid value at temperature.", "INVALID_ARGUMENT", ""), class: hub.ClassRequest, code: hub.CodeUpstream},
		{name: "an unknown model", status: 404, body: body("models/x is not found.", "NOT_FOUND", ""), class: hub.ClassRequest, code: hub.CodeUpstream},
		{name: "a rate limit with its delay", status: 429, body: body("Quota exceeded.", "RESOURCE_EXHAUSTED", `,"details":[{"retryDelay":"1.5s"}]`), class: hub.ClassRateLimit, code: hub.CodeRateLimited, after: 1500 * time.Millisecond},
		{name: "a rate limit with a header", status: 429, header: http.Header{"Retry-After": {"7"}}, body: body("Quota exceeded.", "RESOURCE_EXHAUSTED", ""), class: hub.ClassRateLimit, code: hub.CodeRateLimited, after: 7 * time.Second},
		{name: "a rate limit for ever", status: 429, header: http.Header{"Retry-After": {"999999999999"}}, body: body("Quota exceeded.", "RESOURCE_EXHAUSTED", ""), class: hub.ClassRateLimit, code: hub.CodeRateLimited, after: 24 * time.Hour},
		{name: "an overload", status: 503, body: body("The model is overloaded.", "UNAVAILABLE", ""), class: hub.ClassRetry, code: hub.CodeUpstream},
		{name: "an error in an array", status: 500, body: "[" + body("Internal.", "INTERNAL", "") + "]", class: hub.ClassRetry, code: hub.CodeUpstream},
		{name: "a page of a proxy", status: 502, body: "<html>Bad gateway", class: hub.ClassRetry, code: hub.CodeUpstream},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := gemini.Client{}.Fault(tt.status, tt.header, []byte(tt.body))
			assert.Equal(t, tt.class, err.Class)
			assert.Equal(t, tt.code, err.Code)
			assert.Equal(t, tt.status, err.Status)
			assert.Equal(t, tt.after, err.RetryAfter)
			assert.NotEmpty(t, err.Message)
			assert.NotContains(t, err.Message, "<")
		})
	}
}

func TestFaultTellsNoSecrets(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"AIza" + strings.Repeat("x9_-", 9), "AQ." + strings.Repeat("Zz8", 12)} {
		for _, status := range []int{400, 403, 429, 500} {
			body, err := json.Marshal(map[string]any{"error": map[string]any{"message": "Consumer 'api_key:" + key + "' failed at https://x/?key=" + key + " " + key, "status": "X"}})
			require.NoError(t, err)
			assert.NotContains(t, gemini.Client{}.Fault(status, nil, body).Error(), key[6:])
		}
	}
}

func FuzzAnswer(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.gemini.json")
	require.NoError(f, err)
	for _, name := range append(files, "testdata/blocked.gemini.json", "testdata/quota.json") {
		body, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(body)
	}
	f.Add([]byte(`{"candidates":[{"content":{"parts":[{"text":"\ud83e\udd9c\u00e9\"\\"}]}}],"usageMetadata":{"promptTokenCount":1e3}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		m := gemini.Client{}.Meter(nil, dialect.Quirks{})
		broken := m.Whole(body)
		rep := m.Report()
		for b, n := range rep.Usage {
			assert.GreaterOrEqual(t, n, int64(0), hub.Bucket(b))
		}
		res, err := gemini.Client{}.Decode(body, dialect.Quirks{})
		if err != nil {
			return
		}
		require.NoError(t, broken, "what the decoder reads the meter reads")
		require.NotEmpty(t, res.Choices)
		_ = gemini.Client{}.Fault(400, nil, body)
	})
}

func FuzzStream(f *testing.F) {
	files, err := filepath.Glob("testdata/*/*.gemini.sse")
	require.NoError(f, err)
	for _, name := range append(files, "testdata/miderror.gemini.sse", "testdata/cut.gemini.sse") {
		body, err := os.ReadFile(name)
		require.NoError(f, err)
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		frames := dialecttest.Frames(t, body)
		_, err := dialecttest.Collect(gemini.Client{}.Decoder(dialect.Quirks{}), frames)
		if err != nil {
			var e *hub.Error
			require.ErrorAs(t, err, &e)
			assert.NotEqual(t, hub.ClassNone, e.Class)
		}
		m := gemini.Client{}.Meter(nil, dialect.Quirks{})
		for _, fr := range frames {
			m.Frame(fr)
		}
		assert.GreaterOrEqual(t, m.Report().TextBytes, int64(0))
	})
}

func BenchmarkMeterFrame(b *testing.B) {
	frame := []byte(`data: {"candidates":[{"content":{"parts":[{"text":"and so the tide came in, \"slowly\"\n"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":23,"totalTokenCount":217,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9}],"thoughtsTokenCount":185},"modelVersion":"gemini-3-pro-preview","responseId":"bench-1"}` + "\n\n")
	m := gemini.Client{}.Meter(&dialect.View{N: 1}, dialect.Quirks{})
	b.ReportAllocs()
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		m.Frame(frame)
	}
}
