package provider

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func TestAzuresPreviewIsAskedForWhereItIsNeeded(t *testing.T) {
	t.Parallel()
	k := find(t, Azure)
	for path, want := range map[string]string{
		"/chat/completions":                    "/chat/completions",
		"/embeddings":                          "/embeddings",
		"/audio/speech":                        "/audio/speech?api-version=preview",
		"/images/edits":                        "/images/edits?api-version=preview",
		"/videos":                              "/videos?api-version=preview",
		"/videos/v1/content?variant=thumbnail": "/videos/v1/content?variant=thumbnail&api-version=preview",
	} {
		assert.Equal(t, want, k.WithQuery(path))
		assert.Equal(t, path, find(t, OpenAI).WithQuery(path))
	}
}

func TestDialectsOfAVendorHaveTheirOwnPaths(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		kind string
		base string // "" is the kind's own
		want string
	}{
		{DeepSeek, "", "https://api.deepseek.com/anthropic/v1"},
		{Moonshot, "", "https://api.moonshot.ai/anthropic/v1"},
		{Moonshot, "https://api.moonshot.cn/v1", "https://api.moonshot.cn/anthropic/v1"},
		{Zhipu, "", "https://api.z.ai/api/anthropic/v1"},
		{Zhipu, "https://open.bigmodel.cn/api/paas/v4", "https://open.bigmodel.cn/api/anthropic/v1"},
		{Qwen, "", "https://dashscope-intl.aliyuncs.com/apps/anthropic/v1"},
		{MiniMax, "https://api.minimaxi.com/v1", "https://api.minimaxi.com/anthropic/v1"},
		{Fireworks, "", "https://api.fireworks.ai/inference/v1"},
		{OpenRouter, "", "https://openrouter.ai/api/v1"},
		{LMStudio, "", "http://localhost:1234/v1"},
	} {
		t.Run(tt.kind+" "+tt.base, func(t *testing.T) {
			t.Parallel()
			k := find(t, tt.kind)
			base := tt.base
			if base == "" {
				base = k.BaseURL
			}
			got, ok := k.BaseFor(dialect.Anthropic, base)
			assert.True(t, ok)
			assert.Equal(t, tt.want, got)
			same, _ := k.BaseFor(dialect.OpenAIChat, base)
			assert.Equal(t, base, same)
			assert.True(t, k.At(base).Speaks(dialect.Anthropic, "m"))
		})
	}
}

func TestDialectsThatABaseURLDoesNotLeadToAreLeftOut(t *testing.T) {
	t.Parallel()
	k := find(t, MiniMax)
	at := k.At("https://gate.example/minimax")
	assert.Equal(t, []dialect.Name{dialect.OpenAIChat}, at.Dialects)
	assert.Equal(t, []dialect.Name{dialect.Anthropic, dialect.OpenAIChat}, k.Dialects, "the kind itself is as before")

	k.Tasks = map[task.Kind]dialect.Name{task.Embedding: dialect.OpenAI, task.Speech: dialect.Anthropic}
	k.ModelDialects = []ModelDialects{{Prefixes: []string{"x"}, Dialects: []dialect.Name{dialect.Anthropic, dialect.OpenAIChat}}}
	at = k.At("https://gate.example/minimax")
	assert.Equal(t, map[task.Kind]dialect.Name{task.Embedding: dialect.OpenAI}, at.Tasks)
	assert.Equal(t, []dialect.Name{dialect.OpenAIChat}, at.Languages("x-1"))

	assert.Equal(t, find(t, OpenAI).Dialects, find(t, OpenAI).At("https://gate.example").Dialects)
}

func TestBaseURLsFromTheVendorsOtherPages(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ kind, in, want string }{
		{Groq, "https://api.groq.com/", "https://api.groq.com/openai/v1"},
		{Fireworks, "https://api.fireworks.ai/inference", "https://api.fireworks.ai/inference/v1"},
		{Moonshot, "https://api.moonshot.cn/anthropic/", "https://api.moonshot.cn/v1"},
		{Zhipu, "https://open.bigmodel.cn/api/anthropic", "https://open.bigmodel.cn/api/paas/v4"},
		{Qwen, "https://dashscope.aliyuncs.com", "https://dashscope.aliyuncs.com/compatible-mode/v1"},
		{Cohere, "https://api.cohere.com/v2", "https://api.cohere.com/compatibility/v1"},
		{LMStudio, "http://localhost:1234", "http://localhost:1234/v1"},
		{AIGNEHub, "https://hub.example", "https://hub.example/v1"},
		{AIGNEHub, "https://hub.example/ai/v1", "https://hub.example/ai/v1"},
	} {
		t.Run(tt.kind+" "+tt.in, func(t *testing.T) {
			t.Parallel()
			got, err := NormaliseBaseURL(find(t, tt.kind), tt.in)
			assert.NoError(t, err)
			assert.Equal(t, tt.want, got)
		})
	}
}
