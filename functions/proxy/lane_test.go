package proxy

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/admission"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/anthropic"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func view(t *testing.T, body string) *dialect.View {
	t.Helper()
	o, err := wire.Parse([]byte(body))
	require.NoError(t, err)
	return &dialect.View{Object: o}
}

func TestWhatTheProviderSaidOfThePromptBeatsAnEstimate(t *testing.T) {
	t.Parallel()
	v := view(t, `{"messages":"`+strings.Repeat("word ", 10_000)+`"}`)
	said := hub.Usage{hub.Input: 7, hub.CacheRead: 9000, hub.Output: 1}
	u, source := (&handler{}).usageOf(openai.Server{}, v, dialect.Report{Usage: said, TextBytes: 400, HideBytes: 40})
	assert.Equal(t, hub.UsageEstimated, source)
	assert.Equal(t, hub.Usage{hub.Input: 7, hub.CacheRead: 9000, hub.Output: 100, hub.Reasoning: 10}, u)
}

func TestAPromptIsEstimatedByItsTexts(t *testing.T) {
	t.Parallel()
	h := &handler{}
	words := strings.Repeat("some words ", 5_000) // two tokens in eleven bytes
	for name, tt := range map[string]struct {
		server dialect.Server
		body   string
	}{
		"OpenAI":    {openai.Server{}, `{"model":"m","messages":[{"role":"user","content":"` + words + `"}]}`},
		"Anthropic": {anthropic.Server{}, `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":[{"type":"text","text":"` + words + `"}]}]}`},
		"escaped":   {openai.Server{}, `{"model":"m","messages":[{"role":"user","content":"` + strings.ReplaceAll(words, "o", "\\u006f") + `"}]}`},
	} {
		u, source := h.usageOf(tt.server, view(t, tt.body), dialect.Report{TextBytes: 110, HideBytes: 11, Sample: []byte("some words some words ")})
		assert.Equal(t, hub.UsageEstimated, source, name)
		assert.InDelta(t, 10_000, u[hub.Input], 20, name)
		assert.InDelta(t, 22, u[hub.Output], 3, name)
		assert.InDelta(t, 2, u[hub.Reasoning], 1, name)
	}
}

func TestAPictureIsNotEstimatedByItsBytes(t *testing.T) {
	t.Parallel()
	picture := strings.Repeat("iVBORw0K", 1<<17)
	for name, tt := range map[string]struct {
		server dialect.Server
		body   string
	}{
		"OpenAI":                   {openai.Server{}, `{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + picture + `"}}]}]}`},
		"Anthropic":                {anthropic.Server{}, `{"model":"m","max_tokens":5,"messages":[{"role":"user","content":[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + picture + `"}}]}]}`},
		"a body that says nothing": {openai.Server{}, `{"messages":[{"role":"nobody","content":[{"image":"` + picture + `"}]}]}`},
	} {
		u, _ := (&handler{}).usageOf(tt.server, view(t, tt.body), dialect.Report{})
		assert.Greater(t, u[hub.Input], int64(500), name)
		assert.Less(t, u[hub.Input], int64(5000), name)
	}
	text := strings.Repeat("some words ", 10_000)
	u, _ := (&handler{}).usageOf(openai.Server{}, view(t, `{"messages":"`+text+`"}`), dialect.Report{})
	assert.InDelta(t, len(text)/4, u[hub.Input], 10, "without a conversation the size counts")
}

func TestAWalletThatCoversMoreThanAModelGivesAsksForNoMore(t *testing.T) {
	t.Parallel()
	x := &exchange{lifetime: lifetime{ticket: &admission.Ticket{LowerTo: 3000}}, view: view(t, "{}")}
	assert.EqualValues(t, 500, x.limit(&routing.Target{MaxOutput: 500, LimitKnown: true}), "providers answer 400 above their own limit")
	assert.EqualValues(t, 3000, x.limit(&routing.Target{MaxOutput: 8000, LimitKnown: true}))
	assert.EqualValues(t, 3000, x.limit(&routing.Target{MaxOutput: 500}))
}

func TestAHoldKnowsWhereBytesSayNothing(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"messages":[{"content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]}]}`,
		`{"messages":[{"content":[{"type":"input_audio","input_audio":{"data":"AA"}}]}]}`,
		`{"messages":[{"content":[{"type":"tool_result","content":[{"type":"document"}]}]}]}`,
		`{"input":[{"content":[{"type":"input_image","image":"x"}]}]}`,
		`{"input":[{"content":[{"type":"input_file"}]}]}`,
		`{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"AA"}}]}]}`,
		`{"contents":[{"parts":[{"file_data":{}}]}]}`,
		`{"messages":[{"content":[{"type":"im\u0061ge"}]}]}`,
	} {
		assert.True(t, hasMedia([]byte(body)), body)
	}
	assert.False(t, hasMedia([]byte(`{"messages":[{"content":"a \"image\" and \u003cfile\u003e and \u00e9"}]}`)))
}
