package bedrock

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// appendEvent appends an event of a stream.
func appendEvent(dst []byte, kind, payload string) []byte {
	return wire.AppendMessage(dst, []wire.MessageHeader{{Name: ":event-type", Value: kind}, {Name: ":content-type", Value: "application/json"},
		{Name: ":message-type", Value: "event"}}, []byte(payload))
}

// both is one answer in both forms.
var both = []struct{ kind, payload string }{
	{"messageStart", `{"role":"assistant"}`},
	{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"Look it "}},"p":"abc"}`},
	{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"text":"up."}}}`},
	{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"reasoningContent":{"signature":"sig"}}}`},
	{"contentBlockStop", `{"contentBlockIndex":0}`},
	{"contentBlockDelta", `{"contentBlockIndex":1,"delta":{"reasoningContent":{"redactedContent":"b64="}}}`},
	{"contentBlockStop", `{"contentBlockIndex":1}`},
	{"contentBlockDelta", `{"contentBlockIndex":2,"delta":{"text":"潮汐 "}}`},
	{"contentBlockDelta", `{"contentBlockIndex":2,"delta":{"text":"🌊"}}`},
	{"contentBlockStop", `{"contentBlockIndex":2}`},
	{"contentBlockStart", `{"contentBlockIndex":3,"start":{"toolUse":{"toolUseId":"a","name":"tide"}}}`},
	{"contentBlockDelta", `{"contentBlockIndex":3,"delta":{"toolUse":{"input":""}}}`},
	{"contentBlockDelta", `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"{\"port\":"}}}`},
	{"contentBlockDelta", `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"\"Kobe\"}"}}}`},
	{"contentBlockStop", `{"contentBlockIndex":3}`},
	{"contentBlockStart", `{"contentBlockIndex":4,"start":{"toolUse":{"toolUseId":"b","name":"clock"}}}`},
	{"contentBlockStop", `{"contentBlockIndex":4}`},
	{"contentBlockStart", `{"contentBlockIndex":5,"start":{"toolUse":{"toolUseId":"c","name":"nova_grounding","type":"server_tool_use"}}}`},
	{"contentBlockDelta", `{"contentBlockIndex":5,"delta":{"toolUse":{"input":"{}"}}}`},
	{"contentBlockStop", `{"contentBlockIndex":5}`},
	{"newEvent", `{"anything":[1]}`},
	{"messageStop", `{"stopReason":"tool_use","additionalModelResponseFields":{"stop_sequence":"END"}}`},
	{"metadata", `{"usage":{"inputTokens":10,"outputTokens":20,"totalTokens":1030,"cacheReadInputTokens":100,"cacheWriteInputTokens":900,
		"cacheDetails":[{"ttl":"1h","inputTokens":600},{"ttl":"5m","inputTokens":300}]},"metrics":{"latencyMs":5}}`},
}

const wholeBoth = `{"output":{"message":{"role":"assistant","content":[
	{"reasoningContent":{"reasoningText":{"text":"Look it up.","signature":"sig"}}},{"reasoningContent":{"redactedContent":"b64="}},
	{"text":"潮汐 🌊"},{"toolUse":{"toolUseId":"a","name":"tide","input":{"port":"Kobe"}}},{"toolUse":{"toolUseId":"b","name":"clock","input":{}}},
	{"toolUse":{"toolUseId":"c","name":"nova_grounding","type":"server_tool_use","input":{}}},{"futureBlock":{}}]}},
	"stopReason":"tool_use","additionalModelResponseFields":{"stop_sequence":"END"},
	"usage":{"inputTokens":10,"outputTokens":20,"totalTokens":1030,"cacheReadInputTokens":100,"cacheWriteInputTokens":900,
		"cacheDetails":[{"ttl":"1h","inputTokens":600},{"ttl":"5m","inputTokens":300}]}}`

func TestAnswersWholeAndStreamedSayTheSame(t *testing.T) {
	t.Parallel()
	var stream []byte
	for _, e := range both {
		stream = appendEvent(stream, e.kind, e.payload)
	}
	got, err := dialecttest.Collect(Client{}.Decoder(dialect.Quirks{}), dialecttest.FramesOf(t, Client{}, stream))
	require.NoError(t, err)
	assert.True(t, got.End)
	whole, err := Client{}.Decode([]byte(wholeBoth), dialect.Quirks{})
	require.NoError(t, err)
	assert.Equal(t, whole, got.Response)

	ch := whole.Choices[0]
	assert.Equal(t, chat.FinishToolCalls, ch.Finish)
	assert.Equal(t, "END", ch.StopSequence)
	require.Len(t, ch.Parts, 5)
	assert.Equal(t, chat.Part{Kind: chat.Thinking, Text: "Look it up.", Signature: "sig", SignedBy: chat.SignedAnthropic}, ch.Parts[0])
	assert.Equal(t, chat.Part{Kind: chat.RedactedThinking, Signature: "b64=", SignedBy: chat.SignedAnthropic}, ch.Parts[1])
	assert.Equal(t, "{}", ch.Parts[4].ToolCall.Arguments)
	assert.Equal(t, hub.Usage{hub.Input: 10, hub.Output: 20, hub.CacheRead: 100, hub.CacheWrite5m: 300, hub.CacheWrite1h: 600}, whole.Usage)
	assert.True(t, whole.UsageKnown)
}

func TestAFormIsReadBackAsText(t *testing.T) {
	t.Parallel()
	var stream []byte
	for _, e := range []struct{ kind, payload string }{
		{"messageStart", `{"role":"assistant"}`},
		{"contentBlockStart", `{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"a","name":"json_output"}}}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"depth\":"}}}`},
		{"contentBlockDelta", `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"7}"}}}`},
		{"contentBlockStop", `{"contentBlockIndex":0}`},
		{"messageStop", `{"stopReason":"tool_use"}`},
	} {
		stream = appendEvent(stream, e.kind, e.payload)
	}
	got, err := dialecttest.Collect(Client{}.Decoder(dialect.Quirks{}), dialecttest.FramesOf(t, Client{}, stream))
	require.NoError(t, err)
	assert.True(t, got.End, "finished, though the usage is missing")
	assert.False(t, got.Response.UsageKnown)
	whole, err := Client{}.Decode([]byte(`{"output":{"message":{"content":[{"toolUse":{"toolUseId":"a","name":"json_output","input":{"depth":7}}}]}},"stopReason":"tool_use"}`), dialect.Quirks{})
	require.NoError(t, err)
	for _, res := range []*chat.Response{got.Response, whole} {
		assert.JSONEq(t, `{"depth":7}`, chat.TextOf(res.Choices[0].Parts, chat.Text))
		assert.Equal(t, chat.FinishStop, res.Choices[0].Finish)
	}
}

func TestReasonsToStop(t *testing.T) {
	t.Parallel()
	for native, want := range map[string]chat.Finish{
		"end_turn": chat.FinishStop, "stop_sequence": chat.FinishStop, "tool_use": chat.FinishToolCalls, "max_tokens": chat.FinishLength,
		"model_context_window_exceeded": chat.FinishLength, "guardrail_intervened": chat.FinishContentFilter,
		"content_filtered": chat.FinishContentFilter, "something_new": chat.FinishStop,
	} {
		assert.Equal(t, want, finishOf(native), native)
	}
}

func TestAnswersThatMakeNoSenseAreToBeTriedElsewhere(t *testing.T) {
	t.Parallel()
	for _, body := range []string{"", "{}", "[]", `{"output":{}}`, `{"output":{"message":{"content":[]}}}`, `{"message":"x"}`} {
		_, err := Client{}.Decode([]byte(body), dialect.Quirks{})
		assert.Equal(t, hub.ClassRetry, hub.AsError(err).Class, body)
	}
	for _, frame := range [][]byte{[]byte("data: {}\n\n"), appendEvent(nil, "contentBlockDelta", "{half"), appendEvent(nil, "metadata", "[]")} {
		_, err := Client{}.Decoder(dialect.Quirks{}).Frame(frame)
		assert.Equal(t, hub.ClassRetry, hub.AsError(err).Class)
	}
}

func TestExceptionsInAStream(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]hub.Error{
		"throttlingException":         {Code: hub.CodeRateLimited, Class: hub.ClassRateLimit, Status: 429},
		"modelStreamErrorException":   {Code: hub.CodeUpstream, Class: hub.ClassRetry, Status: 424},
		"internalServerException":     {Code: hub.CodeUpstream, Class: hub.ClassRetry, Status: 500},
		"serviceUnavailableException": {Code: hub.CodeUnavailable, Class: hub.ClassRetry, Status: 503},
		"validationException":         {Code: hub.CodeUpstream, Class: hub.ClassRequest, Status: 400},
	} {
		frame := wire.AppendMessage(nil, []wire.MessageHeader{{Name: ":message-type", Value: "exception"}, {Name: ":exception-type", Value: kind}}, []byte(`{"message":"why"}`))
		_, err := Client{}.Decoder(dialect.Quirks{}).Frame(frame)
		e := hub.AsError(err)
		assert.Equal(t, []any{want.Code, want.Class, want.Status, "why"}, []any{e.Code, e.Class, e.Status, e.Message}, kind)
		assert.NotNil(t, Client{}.Meter(nil, dialect.Quirks{}).Frame(frame).Err)
	}
	frame := wire.AppendMessage(nil, []wire.MessageHeader{{Name: ":message-type", Value: "error"}, {Name: ":error-code", Value: "InternalFailure"}}, nil)
	_, err := Client{}.Decoder(dialect.Quirks{}).Frame(frame)
	assert.Equal(t, hub.ClassRetry, hub.AsError(err).Class)
}

func TestFaultsHaveTheirClass(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status     int
		kind, body string
		code       hub.Code
		class      hub.Class
	}{
		{429, "ThrottlingException:http://internal.amazon.com/coral/", `{"message":"Too many tokens"}`, hub.CodeRateLimited, hub.ClassRateLimit},
		{400, "ServiceQuotaExceededException", `{"message":"quota"}`, hub.CodeRateLimited, hub.ClassRateLimit},
		{429, "ModelNotReadyException", `{"message":"warming up"}`, hub.CodeUnavailable, hub.ClassRetry},
		{408, "ModelTimeoutException", `{"message":"too long"}`, hub.CodeTimeout, hub.ClassRetry},
		{424, "ModelErrorException", `{"message":"oops"}`, hub.CodeUpstream, hub.ClassRetry},
		{500, "InternalServerException", `{"message":"oops"}`, hub.CodeUpstream, hub.ClassRetry},
		{503, "", "<html>", hub.CodeUnavailable, hub.ClassRetry},
		{403, "AccessDeniedException", `{"Message":"User: arn:aws:iam::1:user/x is not authorized"}`, hub.CodeProviderCredential, hub.ClassCredential},
		{403, "ExpiredTokenException", `{"message":"The security token included in the request is expired"}`, hub.CodeProviderCredential, hub.ClassCredential},
		{403, "UnrecognizedClientException", `{"message":"invalid"}`, hub.CodeProviderCredential, hub.ClassCredential},
		{400, "", `{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"expired"}`, hub.CodeProviderCredential, hub.ClassCredential},
		{400, "ValidationException", `{"message":"Operation not allowed"}`, hub.CodeProviderCredential, hub.ClassCredential},
		{400, "ValidationException", `{"message":"The provided model identifier is invalid."}`, hub.CodeUpstream, hub.ClassRequest},
		{404, "ResourceNotFoundException", `{"message":"no such model"}`, hub.CodeUpstream, hub.ClassRequest},
		{400, "ValidationException", `{"message":"Output blocked by content filtering policy"}`, hub.CodeContentFiltered, hub.ClassRefused},
	} {
		e := Client{}.Fault(tt.status, http.Header{"X-Amzn-Errortype": {tt.kind}, "Retry-After": {"2"}}, []byte(tt.body))
		assert.Equal(t, []any{tt.code, tt.class, tt.status}, []any{e.Code, e.Class, e.Status}, tt.body)
		assert.NotContains(t, e.Message, "arn:")
		assert.NotContains(t, e.Message, "<")
		assert.Positive(t, e.RetryAfter)
	}
}

func FuzzDecoder(f *testing.F) {
	for _, e := range both {
		f.Add(e.kind, []byte(e.payload))
	}
	f.Fuzz(func(t *testing.T, kind string, payload []byte) {
		if len(kind) > 1000 {
			return
		}
		d := Client{}.Decoder(dialect.Quirks{})
		frame := appendEvent(nil, kind, string(payload))
		for range 2 {
			_, err := d.Frame(frame)
			if err != nil {
				require.NotEqual(t, hub.ClassNone, hub.AsError(err).Class)
			}
		}
		_, _ = Client{}.Decode(payload, dialect.Quirks{})
		require.NotNil(t, Client{}.Fault(400, nil, payload))
		_, _ = d.Frame(payload)
	})
}
