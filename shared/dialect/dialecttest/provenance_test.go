package dialecttest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/bedrock"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
)

// vendor is whose models sign what they think.
type vendor struct {
	signedBy string
	client   dialect.Client
	model    string
	answer   string   // in the vendor's own language: signed thinking and the call call_1 of f
	signed   []string // what must come back
}

func vendors() map[string]vendor {
	return map[string]vendor{
		"anthropic": {
			chat.SignedAnthropic, anthropic.Client{}, "claude-sonnet-4-5",
			`{"id":"msg_1","type":"message","role":"assistant","model":"claude","content":[
				{"type":"thinking","thinking":"I look.","signature":"QW50aHJvcGljIHNpZ24="},{"type":"redacted_thinking","data":"QW50aHJvcGljIG9wYXF1ZQ=="},
				{"type":"text","text":"Looking."},{"type":"tool_use","id":"call_1","name":"f","input":{"a":1}}],
				"stop_reason":"tool_use","usage":{"input_tokens":1,"output_tokens":1}}`,
			[]string{"QW50aHJvcGljIHNpZ24=", "QW50aHJvcGljIG9wYXF1ZQ=="},
		},
		"google": {
			chat.SignedGoogle, gemini.Client{}, "gemini-3-pro",
			`{"responseId":"r1","modelVersion":"gemini","candidates":[{"index":0,"finishReason":"STOP","content":{"role":"model","parts":[
				{"text":"I look.","thought":true},{"functionCall":{"id":"call_1","name":"f","args":{"a":1}},"thoughtSignature":"R29vZ2xlIHNpZ24="}]}}],
				"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":1,"totalTokenCount":2}}`,
			[]string{"R29vZ2xlIHNpZ24="},
		},
		"openai": {
			chat.SignedOpenAI, responsesClient(), "gpt-5",
			`{"id":"resp_1","object":"response","created_at":1,"status":"completed","model":"gpt-5","output":[
				{"id":"rs_1","type":"reasoning","summary":[{"type":"summary_text","text":"I look."}],"encrypted_content":"T3BlbkFJIHNlYWw="},
				{"id":"fc_1","type":"function_call","status":"completed","call_id":"call_1","name":"f","arguments":"{\"a\":1}"}],
				"usage":{"input_tokens":1,"output_tokens":1,"total_tokens":2}}`,
			[]string{"T3BlbkFJIHNlYWw=", "rs_1"},
		},
		"bedrock": {
			chat.SignedAnthropic, bedrock.Client{}, "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
			`{"output":{"message":{"role":"assistant","content":[
				{"reasoningContent":{"reasoningText":{"text":"I look.","signature":"QmVkcm9jayBzaWdu"}}},{"reasoningContent":{"redactedContent":"QmVkcm9jayBvcGFxdWU="}},
				{"toolUse":{"toolUseId":"call_1","name":"f","input":{"a":1}}}]}},"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":1,"totalTokens":2}}`,
			[]string{"QmVkcm9jayBzaWdu", "QmVkcm9jayBvcGFxdWU="},
		},
	}
}

// unannounced are streams of vendors that tell who signs with the signature only.
const unannounced = "streamed, unannounced"

// TestSignedThoughtsGoBackToTheirVendorAndToNoOther asks, in every language, for
// an answer of every vendor, sends it back as that language's SDKs do, and looks
// at what every vendor would be sent.
func TestSignedThoughtsGoBackToTheirVendorAndToNoOther(t *testing.T) {
	t.Parallel()
	for as, c := range callers() {
		for by, from := range vendors() {
			for _, how := range []string{"whole", "streamed", unannounced} {
				t.Run(fmt.Sprintf("%s caller, %s, %s", as, by, how), func(t *testing.T) {
					t.Parallel()
					from := from
					if how == unannounced && by == "openai" {
						from.signed = from.signed[:1] // an item's id is told when it begins, or not at all
					}
					next := c.next(c.answered(t, &from, how))
					require.True(t, json.Valid([]byte(next)), next)
					v, err := c.language.Server.View(httptest.NewRequest(http.MethodPost, c.language.Path, nil), []byte(next))
					require.NoError(t, err, next)
					req, err := c.language.Server.Decode(v)
					require.NoError(t, err, next)
					targets := vendors()
					targets["deepseek"] = vendor{signedBy: "nobody", client: openai.Client{}, model: "deepseek-chat"}
					for to, target := range targets {
						at := dialect.Target{Model: target.model, MaxOutput: 4096}
						enc, err := target.client.Encode(req, at)
						require.NoError(t, err, to)
						goesBack(t, to, &from, &target, string(enc.Body))
						if target.client.Name() != c.language.Server.Name() {
							continue
						}
						enc, err = target.client.Splice(v, at)
						require.NoError(t, err, to)
						goesBack(t, to+", native", &from, &target, string(enc.Body))
						if counter, ok := target.client.(dialect.PromptCounter); ok {
							_, enc, err = counter.Count(v, at)
							require.NoError(t, err, to)
							goesBack(t, to+", counted", &from, &target, string(enc.Body))
						}
					}
				})
			}
		}
	}
}

// answered is the turn that a caller keeps of a vendor's answer.
func (c *caller) answered(t *testing.T, from *vendor, how string) json.RawMessage {
	t.Helper()
	res, err := from.client.Decode([]byte(from.answer), dialect.Quirks{})
	require.NoError(t, err)
	for _, p := range res.Choices[0].Parts {
		assert.True(t, p.Signature == "" || p.SignedBy == from.signedBy, "%v", p)
	}
	v, err := c.language.Server.View(httptest.NewRequest(http.MethodPost, c.language.Path, nil), []byte(c.first))
	require.NoError(t, err)
	if how == "whole" {
		whole, err := c.language.Server.Whole(v, res, dialect.Closing{})
		require.NoError(t, err)
		return c.kept(t, whole)
	}
	enc := c.language.Server.Stream(v)
	var out []byte
	for _, ev := range dialecttest.NewGenerator(dialecttest.Can{}, 3).Events(res) {
		if how == unannounced && ev.Kind == chat.EventThinking {
			ev.SignedBy, ev.ItemID = "", ""
		}
		out = enc.Event(out, ev)
	}
	return c.streamed(t, dialecttest.SplitFrames(t, enc.Close(out, dialect.Closing{})))
}

func goesBack(t *testing.T, to string, from, target *vendor, body string) {
	t.Helper()
	require.True(t, json.Valid([]byte(body)), "%s: %s", to, body)
	assert.NotContains(t, body, chat.SealPrefix, "%s: a seal leaves the hub", to)
	for _, s := range from.signed {
		if target.signedBy == from.signedBy {
			assert.Contains(t, body, s, "%s gets its signature back", to)
			assert.Equal(t, 1, strings.Count(body, s), "%s gets its signature once", to)
		} else {
			assert.NotContains(t, body, s, "%s gets nothing of another vendor's", to)
		}
	}
}
