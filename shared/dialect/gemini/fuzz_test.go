package gemini_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// FuzzRequest reads requests: what is accepted can be encoded again or is
// refused with a reason, and what is spliced is JSON.
func FuzzRequest(f *testing.F) {
	f.Add([]byte(`{` + turn + `}`))
	f.Add([]byte(`{"contents":[{"role":"model","parts":[{"functionCall":{"name":"f","args":{}},"thoughtSignature":"YWlnbmVodWIxc3g6eA=="}]},{"parts":[{"function_response":{"name":"f","response":{"error":{}},"parts":[{"inlineData":{"mimeType":"image/png","data":"AA=="}}]}}]}]}`))
	f.Add([]byte(`{` + turn + `,"tools":[{"functionDeclarations":[{"name":"f","parameters":{"type":"OBJECT","nullable":true,"properties":{"a":{"enum":[],"nullable":true}},"propertyOrdering":["a"]}}]},{"codeExecution":{}}],
		"toolConfig":{"functionCallingConfig":{"mode":"VALIDATED"}},"generationConfig":{"responseMimeType":"application/json","responseSchema":{"anyOf":[{}],"minItems":"1"},"thinkingConfig":{"thinkingBudget":-1}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := gemini.Server{}.View(httptest.NewRequest(http.MethodPost, generate, nil), body)
		if err != nil {
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			return
		}
		for _, model := range []string{"gemini-2.5-flash", "gemini-3-flash"} {
			target := dialect.Target{Model: model, LowerTo: 5}
			if enc, err := (gemini.Client{}).Splice(v, target); err == nil {
				_, err := wire.Parse(enc.Body)
				require.NoError(t, err, "%s", enc.Body)
			}
			req, err := gemini.Server{}.Decode(v)
			if err != nil {
				assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
				return
			}
			enc, err := gemini.Client{}.Encode(req, target)
			if err != nil {
				assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
				continue
			}
			_, err = wire.Parse(enc.Body)
			require.NoError(t, err, "%s", enc.Body)
		}
	})
}

// FuzzEvents encodes streams of any words: each frame is one that the decoder
// reads, and what is visible arrives.
func FuzzEvents(f *testing.F) {
	f.Add("Hel\u2028lo", `{"a":1}`, "c2ln", "id-1")
	f.Add("", "", "", "")
	f.Add("\xff", "{", "\x00", `"`)
	f.Fuzz(func(t *testing.T, text, args, signature, id string) {
		v, err := see("/v1/models/m:streamGenerateContent?alt=sse", `{`+turn+`}`)
		require.NoError(t, err)
		enc := gemini.Server{}.Stream(v)
		var stream []byte
		for _, ev := range []chat.Event{
			{Kind: chat.EventStart, ID: id},
			{Kind: chat.EventThinking, Text: text}, {Kind: chat.EventSignature, Text: signature, SignedBy: chat.SignedAnthropic},
			{Kind: chat.EventText, Text: text},
			{Kind: chat.EventToolCall, ID: id, Name: "f"}, {Kind: chat.EventToolArgs, Text: args},
			{Kind: chat.EventFinish, Finish: chat.FinishStop},
		} {
			stream = enc.Event(stream, ev)
		}
		stream = enc.Close(stream, dialect.Closing{})
		sum, err := dialecttest.Collect(gemini.Client{}.Decoder(dialect.Quirks{}), dialecttest.Frames(t, stream))
		require.NoError(t, err)
		require.True(t, sum.End)
		assert.Equal(t, string([]rune(text)), chat.TextOf(sum.Response.Choices[0].Parts, chat.Text), "broken characters are replaced")
	})
}
