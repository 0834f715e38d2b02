package dialecttest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
)

// claudeCode is a request of the shape that Claude Code sends, in the middle of
// a conversation: an answer of Claude's, one of Gemini's and one of OpenAI's are
// in it.
func claudeCode() string {
	userID := strings.Repeat(`{\"device_id\":\"0123456789abcdef\",\"session_id\":\"s\"}`, 3)
	return `{"model":"openai/gpt-x","max_tokens":32000,"stream":true,
	"system":[{"type":"text","text":"x-anthropic-billing-header: cc_version=2.1; cch=00f3a;"},
		{"type":"text","text":"You are an agent.","cache_control":{"type":"ephemeral","ttl":"1h"}},
		{"type":"text","text":"Work in /src.","cache_control":{"type":"ephemeral"}}],
	"messages":[
		{"role":"user","content":[{"type":"text","text":"<system-reminder>Today</system-reminder>"},{"type":"text","text":"Fix the leak."}]},
		{"role":"system","content":"The user is in a hurry."},
		{"role":"assistant","content":[
			{"type":"thinking","thinking":"Look first.","signature":"ErUBCkYIBBgCIkC"},
			{"type":"text","text":"Looking."},
			{"type":"tool_use","id":"toolu_1","name":"Read","input":{"file_path":"/src/a.go"},"caller":{"type":"direct"}}]},
		{"role":"user","content":[
			{"type":"tool_result","tool_use_id":"toolu_1","content":[{"type":"text","text":"package a"},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"iVBORw0KGgo="}}]}]},
		{"role":"assistant","content":[
			{"type":"thinking","thinking":"","signature":"` + chat.Seal(chat.SignedOpenAI, "rs_1", "gAAAA") + `"},
			{"type":"tool_use","id":"call_2","name":"ToolSearch","input":{}},
			{"type":"redacted_thinking","data":"` + chat.Seal(chat.SignedGoogle, "call_2", "Z29vZ2xl") + `"}]},
		{"role":"user","content":[
			{"type":"tool_result","tool_use_id":"call_2","is_error":false,"content":[{"type":"tool_reference","tool_name":"Bash"}]},
			{"type":"document","source":{"type":"base64","media_type":"application/pdf","data":"JVBERi0="},"title":"plan.pdf"},
			{"type":"text","text":"Go on.","cache_control":{"type":"ephemeral"}}]}],
	"tools":[
		{"name":"Read","description":"Reads a file","input_schema":{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"file_path":{"type":"string"}},"required":["file_path"],"additionalProperties":false}},
		{"name":"ToolSearch","description":"Finds tools","input_schema":{"type":"object","properties":{}}},
		{"name":"Bash","description":"Runs","input_schema":{"type":"object","properties":{"command":{"type":"string"}}},"defer_loading":true,"cache_control":{"type":"ephemeral"}}],
	"tool_choice":{"type":"auto"},
	"metadata":{"user_id":"` + userID + `"},
	"thinking":{"type":"adaptive","display":"omitted"},
	"context_management":{"edits":[{"type":"clear_thinking_20251015","keep":"all"}]},
	"output_config":{"effort":"high"}}`
}

func readClaudeCode(t *testing.T) (*dialect.View, *chat.Request) {
	t.Helper()
	v, err := anthropic.Server{}.View(httptest.NewRequest(http.MethodPost, "/v1/messages?beta=true", nil), []byte(claudeCode()))
	require.NoError(t, err)
	req, err := anthropic.Server{}.Decode(v)
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"system[0]", "tools.defer_loading", "context_management", "messages.caller"}, req.Ignored)
	return v, req
}

func TestClaudeCodeWorksWithProvidersThatSpeakOpenAI(t *testing.T) {
	t.Parallel()
	_, req := readClaudeCode(t)
	enc, err := openai.Client{}.Encode(req, dialect.Target{Model: "gpt-x", MaxOutput: 1000, Stream: true})
	require.NoError(t, err)
	assert.ElementsMatch(t, []string{"cache_control"}, enc.Dropped)
	var body struct {
		MaxTokens int64            `json:"max_completion_tokens"`
		Effort    string           `json:"reasoning_effort"`
		User      string           `json:"user"`
		Messages  []map[string]any `json:"messages"`
		Tools     []any            `json:"tools"`
		Stream    bool             `json:"stream"`
	}
	require.NoError(t, json.Unmarshal(enc.Body, &body))
	assert.Equal(t, int64(32000), body.MaxTokens)
	assert.Equal(t, "high", body.Effort)
	assert.Len(t, body.User, 64, "longer ids are refused by OpenAI")
	assert.Len(t, body.Tools, 3)
	assert.True(t, body.Stream)
	var roles []string
	for _, m := range body.Messages {
		roles = append(roles, m["role"].(string))
	}
	assert.Equal(t, []string{"system", "user", "system", "assistant", "tool", "user", "assistant", "tool", "user"}, roles)
	assert.NotContains(t, string(enc.Body), "billing-header")
	assert.NotContains(t, string(enc.Body), "ErUBCkYIBBgCIkC", "a foreign signature")
	assert.Contains(t, string(enc.Body), "The tool Bash is available.")
	assert.Contains(t, string(enc.Body), `"filename":"plan.pdf"`)
}

func TestClaudeCodeWorksWithGemini(t *testing.T) {
	t.Parallel()
	_, req := readClaudeCode(t)
	enc, err := gemini.Client{}.Encode(req, dialect.Target{Model: "gemini-2.5-pro", MaxOutput: 1000, Stream: true})
	require.NoError(t, err)
	assert.Contains(t, string(enc.Body), `"thoughtSignature":"Z29vZ2xl"`, "Gemini's own signature is back at its call")
	assert.NotContains(t, string(enc.Body), "ErUBCkYIBBgCIkC")
	assert.NotContains(t, string(enc.Body), chat.SealPrefix)
}

func TestClaudeCodeGoesOnWithClaudeAfterOtherModels(t *testing.T) {
	t.Parallel()
	v, req := readClaudeCode(t)
	for name, body := range map[string]func() (dialect.Encoded, error){
		"native": func() (dialect.Encoded, error) {
			return anthropic.Client{}.Splice(v, dialect.Target{Model: "claude-x", MaxOutput: 1000, Stream: true})
		},
		"translated": func() (dialect.Encoded, error) {
			return anthropic.Client{}.Encode(req, dialect.Target{Model: "claude-x", MaxOutput: 1000, Stream: true})
		},
	} {
		enc, err := body()
		require.NoError(t, err, name)
		assert.True(t, json.Valid(enc.Body), name)
		assert.Contains(t, string(enc.Body), "ErUBCkYIBBgCIkC", name)
		assert.NotContains(t, string(enc.Body), chat.SealPrefix, "%s: Claude refuses what it did not sign", name)
		assert.NotContains(t, string(enc.Body), "gAAAA", name)
	}
}

func TestClaudeCodeReachesEveryMakerBehindAReseller(t *testing.T) {
	t.Parallel()
	_, req := readClaudeCode(t)
	q := dialect.Quirks{ReasoningField: "reasoning", ReasoningDetails: true}
	for model, want := range map[string][2]bool{ // Claude's signature, OpenAI's sealed thinking
		"anthropic/claude-x": {true, false}, "openai/gpt-x": {false, true}, "google/gemini-x": {false, false}, "some-model": {true, true},
	} {
		enc, err := openai.Client{}.Encode(req, dialect.Target{Model: model, MaxOutput: 1000, Quirks: q})
		require.NoError(t, err)
		assert.Equal(t, want[0], strings.Contains(string(enc.Body), `"signature":"ErUBCkYIBBgCIkC"`), model)
		assert.Equal(t, want[1], strings.Contains(string(enc.Body), `"data":"gAAAA"`), model)
	}
}

func TestThinkingIsHiddenFromThoseWhoAskForThat(t *testing.T) {
	t.Parallel()
	v, req := readClaudeCode(t)
	v.Chat = req
	res := &chat.Response{ID: "1", Model: "m", Choices: []chat.Choice{{Finish: chat.FinishStop, Parts: []chat.Part{
		{Kind: chat.Thinking, Text: "secret"},
		{Kind: chat.Thinking, Text: "secret", Signature: "gAAAA", SignedBy: chat.SignedOpenAI},
		{Kind: chat.Text, Text: "Done."},
	}}}}
	whole, err := anthropic.Server{}.Whole(v, res, dialect.Closing{})
	require.NoError(t, err)
	var stream []byte
	enc := anthropic.Server{}.Stream(v)
	for _, ev := range []chat.Event{
		{Kind: chat.EventStart, ID: "1", Model: "m"},
		{Kind: chat.EventThinking, Text: "secret"},
		{Kind: chat.EventThinking, Index: 1, Text: "secret", SignedBy: chat.SignedOpenAI},
		{Kind: chat.EventSignature, Index: 1, Text: "gAAAA", SignedBy: chat.SignedOpenAI},
		{Kind: chat.EventText, Text: "Done."},
	} {
		stream = enc.Event(stream, ev)
	}
	stream = enc.Close(stream, dialect.Closing{})
	for _, out := range []string{string(whole), string(stream)} {
		assert.NotContains(t, out, "secret")
		assert.Contains(t, out, chat.Seal(chat.SignedOpenAI, "", "gAAAA"), "what must come back is there")
		assert.Contains(t, out, "Done.")
	}
}
