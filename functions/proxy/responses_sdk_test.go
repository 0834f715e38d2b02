package proxy_test

import (
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/responses"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/sdk"
)

func TestTheRealSDKsResponsesAgainstEveryProvider(t *testing.T) {
	t.Parallel()
	for kind, model := range models {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_BILLING_ON_ABORT": "delivered"})
			fake := h.provider(kind)
			h.rate(kinds[kind].kind, model, "3", "15")
			h.grant("1000")
			results := sdk.Run(t, sdk.Responses, sdk.Target{BaseURL: h.url, Key: h.key.Reveal(), Model: kinds[kind].kind + "/" + model, UnknownModel: "nobody/none"})
			sdk.VerifyGreetings(t, results, model)
			sdk.VerifyErrors(t, sdk.Responses, results)
			stored := results["stored"]
			assert.Equal(t, "Hello from "+model+": Hi there", stored.Text)
			assert.Equal(t, "Hello from "+model+": My name is Ada", stored.Value, "what is retrieved is what was answered")
			assert.Len(t, stored.IDs, 3, "the listing holds the whole conversation")
			if assert.NotNil(t, stored.Error) {
				assert.Equal(t, 404, stored.Error.Status, "deleted answers are gone")
			}
			assert.Equal(t, "Hello from "+model+": Hi there", results["legacy"].Text)
			assert.Equal(t, "Hello from "+model+": Hi there", results["legacy"].Value)
			h.settledCall()
			requireBooksMatch(t, h, fake)
		})
	}
}

func TestTheGoSDKsResponses(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	h.provider(fakeprovider.Anthropic)
	client := openai.NewClient(option.WithBaseURL(h.url+"/v1"), option.WithAPIKey(h.key.Reveal()))
	params := responses.ResponseNewParams{Model: "anthropic/claude-fake", Input: responses.ResponseNewParamsInputUnion{OfString: openai.String("Hi there")}}
	res, err := client.Responses.New(t.Context(), params)
	require.NoError(t, err)
	assert.Equal(t, "Hello from claude-fake: Hi there", res.OutputText())
	assert.NotZero(t, res.Usage.TotalTokens)

	stream := client.Responses.NewStreaming(t.Context(), params)
	text := ""
	for stream.Next() {
		if ev := stream.Current(); ev.Type == "response.output_text.delta" {
			text += ev.Delta
		}
	}
	require.NoError(t, stream.Err())
	assert.Equal(t, "Hello from claude-fake: Hi there", text)
	again, err := client.Responses.Get(t.Context(), res.ID, responses.ResponseGetParams{})
	require.NoError(t, err)
	assert.Equal(t, res.OutputText(), again.OutputText())
}
