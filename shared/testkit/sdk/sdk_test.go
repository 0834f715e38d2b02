package sdk

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// left reports whether the caller of the stalled stream has gone.
func left(p *fakeprovider.Provider) bool {
	return slices.ContainsFunc(p.Requests(), func(r fakeprovider.Request) bool {
		return r.Left && strings.Contains(string(r.Body), "please stall")
	})
}

func TestTheOpenAISDKIsContentWithTheFake(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	results := Run(t, OpenAI, Target{BaseURL: p.URL, Key: fakeprovider.DefaultKey, Model: "gpt-fake"})
	VerifyGreetings(t, results, "gpt-fake")
	VerifyErrors(t, OpenAI, results)
	assert.Len(t, results, 16)
	assert.Equal(t, []string{"gpt-fake", "gpt-fake-mini"}, results["models"].IDs)
	assert.InDelta(t, 5, results["whole"].Usage["prompt_tokens"], 0, "17 bytes of messages")
	assert.Eventually(t, func() bool { return left(p) }, 5*time.Second, time.Millisecond)
}

func TestTheAnthropicSDKIsContentWithTheFake(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.Anthropic, fakeprovider.Options{})
	results := Run(t, Anthropic, Target{BaseURL: p.URL, Key: fakeprovider.DefaultKey, Model: "claude-fake"})
	VerifyGreetings(t, results, "claude-fake")
	VerifyErrors(t, Anthropic, results)
	assert.Len(t, results, 16)
	assert.True(t, results["thinking"].Signed)
	assert.Contains(t, results["thinking"].Thought, "Hi there")
	assert.Equal(t, 2, results["count_tokens"].Tokens)
	assert.Eventually(t, func() bool { return left(p) }, 5*time.Second, time.Millisecond)
}

func TestTheGoogleSDKIsContentWithTheFake(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.Gemini, fakeprovider.Options{})
	results := Run(t, Gemini, Target{BaseURL: p.URL, Key: fakeprovider.DefaultKey, Model: "gemini-fake", Models: map[string]string{"embedding": "gemini-embedding-fake"}})
	VerifyWork(t, results, "")
	VerifyGreetings(t, results, "gemini-fake")
	VerifyGoogleErrors(t, results, 400)
	assert.Len(t, results, 21)
	assert.Contains(t, results["thinking"].Thought, "Hi there")
	assert.Equal(t, 2, results["count_tokens"].Tokens)
	assert.Equal(t, "models/gemini-fake", results["model"].Model)
	assert.Equal(t, []string{"models/gemini-fake", "models/gemini-fake-mini"}, results["models"].IDs)
	assert.Eventually(t, func() bool { return left(p) }, 5*time.Second, time.Millisecond)
}

func TestTheAISDKIsContentWithTheFakes(t *testing.T) {
	t.Parallel()
	for kind, run := range map[fakeprovider.Kind]struct {
		model     string
		providers []string
	}{
		fakeprovider.OpenAI:    {"gpt-fake", []string{"chat/", "compatible/"}},
		fakeprovider.Anthropic: {"claude-fake", []string{"anthropic/"}},
		fakeprovider.Gemini:    {"gemini-fake", []string{"google/"}},
	} {
		p := fakeprovider.Start(t, kind, fakeprovider.Options{})
		var scenarios []string
		for _, provider := range run.providers {
			for _, what := range []string{"whole", "stream", "tool", "structured", "unknown_model", "unknown_model_stream", "wrong_key"} {
				scenarios = append(scenarios, provider+what)
			}
		}
		results := Run(t, Vercel, Target{BaseURL: p.URL, Key: fakeprovider.DefaultKey, Model: run.model}, scenarios...)
		VerifyGreetings(t, results, run.model)
		assert.Len(t, results, len(scenarios))
		if kind != fakeprovider.Gemini { // whose wrong key is a 400
			VerifyErrors(t, Vercel, results)
		}
	}
}

func TestLangChainIsContentWithTheFake(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	results := Run(t, LangChain, Target{BaseURL: p.URL, Key: fakeprovider.DefaultKey, Model: "gpt-fake"},
		"whole", "stream", "stream_tools", "tool", "parallel_tools", "structured", "structured_by_tool", "image", "length",
		"unknown_model", "unknown_model_stream", "wrong_key", "abort")
	VerifyGreetings(t, results, "gpt-fake")
	VerifyErrors(t, LangChain, results)
	assert.Len(t, results, 13)
	assert.Eventually(t, func() bool { return left(p) }, 5*time.Second, time.Millisecond)
}

func TestScenariosCanBeChosen(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	results := Run(t, OpenAI, Target{BaseURL: p.URL, Key: fakeprovider.DefaultKey, Model: "gpt-fake"}, "whole", "models")
	assert.Len(t, results, 2)
	assert.Len(t, p.Requests(), 2)
}
