package proxy_test

import (
	"encoding/json"
	"testing"

	"github.com/openai/openai-go/v3"
	"github.com/openai/openai-go/v3/option"
	"github.com/openai/openai-go/v3/shared"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// goSDK is the official Go SDK against a hub with billing on and one provider.
func goSDK(t *testing.T, kind fakeprovider.Kind) (openai.Client, *testHub, *fakeprovider.Provider, string) {
	t.Helper()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on"})
	fake := h.provider(kind)
	h.rate(kinds[kind].kind, models[kind], "3", "15")
	h.grant("1000")
	client := openai.NewClient(option.WithBaseURL(h.url+"/v1"), option.WithAPIKey(h.key.Reveal()), option.WithMaxRetries(0))
	return client, h, fake, kinds[kind].kind + "/" + models[kind]
}

func TestTheGoSDKAgainstEveryProvider(t *testing.T) {
	t.Parallel()
	for kind := range models {
		t.Run(string(kind), func(t *testing.T) {
			t.Parallel()
			client, h, fake, model := goSDK(t, kind)
			goChat(t, &client, model, models[kind])
			goTools(t, &client, model)
			goStructured(t, &client, model)
			h.settledCall()
			requireBooksMatch(t, h, fake)
		})
	}
}

func goChat(t *testing.T, client *openai.Client, model, saysModel string) {
	t.Helper()
	params := openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Hi there")}}
	res, err := client.Chat.Completions.New(t.Context(), params)
	require.NoError(t, err)
	assert.Equal(t, "Hello from "+saysModel+": Hi there", res.Choices[0].Message.Content)
	assert.NotZero(t, res.Usage.TotalTokens)

	params.StreamOptions.IncludeUsage = openai.Bool(true)
	acc := goStream(t, client, params)
	assert.Equal(t, "Hello from "+saysModel+": Hi there", acc.Choices[0].Message.Content)
	assert.Equal(t, res.Usage.TotalTokens, acc.Usage.TotalTokens)

	for _, params := range []openai.ChatCompletionNewParams{{Model: "nobody/none", Messages: params.Messages}, {Model: model}} {
		_, err = client.Chat.Completions.New(t.Context(), params)
		var fault *openai.Error
		require.ErrorAs(t, err, &fault)
		assert.Equal(t, "invalid_request_error", fault.Type)
		assert.NotEmpty(t, fault.Message)
		if params.Messages == nil {
			assert.Equal(t, 400, fault.StatusCode)
			assert.Equal(t, "messages", fault.Param)
			continue
		}
		assert.Equal(t, 404, fault.StatusCode)
		assert.Equal(t, "model_not_found", fault.Code)
	}
}

func goStream(t *testing.T, client *openai.Client, params openai.ChatCompletionNewParams) openai.ChatCompletionAccumulator {
	t.Helper()
	stream := client.Chat.Completions.NewStreaming(t.Context(), params)
	var acc openai.ChatCompletionAccumulator
	for stream.Next() {
		require.True(t, acc.AddChunk(stream.Current()), "the accumulator takes one id for the whole answer only")
	}
	require.NoError(t, stream.Err())
	return acc
}

func goTools(t *testing.T, client *openai.Client, model string) {
	t.Helper()
	params := openai.ChatCompletionNewParams{
		Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("please use tools twice")},
		Tools: []openai.ChatCompletionToolUnionParam{openai.ChatCompletionFunctionTool(shared.FunctionDefinitionParam{
			Name: "get_weather", Description: openai.String("Weather of a city"),
			Parameters: shared.FunctionParameters{"type": "object", "properties": object{"city": object{"type": "string"}}, "required": []string{"city"}},
		})},
	}
	whole, err := client.Chat.Completions.New(t.Context(), params)
	require.NoError(t, err)
	streamed := goStream(t, client, params)
	for _, message := range []openai.ChatCompletionMessage{whole.Choices[0].Message, streamed.Choices[0].Message} {
		require.Len(t, message.ToolCalls, 2)
		next := params
		next.Messages = append(next.Messages[:1:1], message.ToParam())
		for i, city := range []string{"Paris", "Rome"} {
			call := message.ToolCalls[i]
			assert.Equal(t, "get_weather", call.Function.Name)
			assert.JSONEq(t, `{"city":"`+city+`"}`, call.Function.Arguments)
			next.Messages = append(next.Messages, openai.ToolMessage("20 degrees in "+city, call.ID))
		}
		res, err := client.Chat.Completions.New(t.Context(), next)
		require.NoError(t, err)
		assert.Contains(t, res.Choices[0].Message.Content, "20 degrees in Rome")
	}
}

func goStructured(t *testing.T, client *openai.Client, model string) {
	t.Helper()
	params := openai.ChatCompletionNewParams{Model: model, Messages: []openai.ChatCompletionMessageParamUnion{openai.UserMessage("Name a city.")}}
	params.ResponseFormat.OfJSONSchema = &shared.ResponseFormatJSONSchemaParam{JSONSchema: shared.ResponseFormatJSONSchemaJSONSchemaParam{
		Name: "city", Strict: openai.Bool(true),
		Schema: object{"type": "object", "properties": object{"city": object{"type": "string"}}, "required": []string{"city"}, "additionalProperties": false},
	}}
	res, err := client.Chat.Completions.New(t.Context(), params)
	require.NoError(t, err)
	for _, text := range []string{res.Choices[0].Message.Content, goStream(t, client, params).Choices[0].Message.Content} {
		var value object
		require.NoError(t, json.Unmarshal([]byte(text), &value), text)
		assert.Equal(t, object{"city": "Paris"}, value)
	}
}
