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
	VerifyErrors(t, results)
	assert.Len(t, results, 15)
	assert.Equal(t, []string{"gpt-fake", "gpt-fake-mini"}, results["models"].IDs)
	assert.InDelta(t, 5, results["whole"].Usage["prompt_tokens"], 0, "17 bytes of messages")
	assert.Eventually(t, func() bool { return left(p) }, 5*time.Second, time.Millisecond)
}

func TestTheAnthropicSDKIsContentWithTheFake(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.Anthropic, fakeprovider.Options{})
	results := Run(t, Anthropic, Target{BaseURL: p.URL, Key: fakeprovider.DefaultKey, Model: "claude-fake"})
	VerifyGreetings(t, results, "claude-fake")
	VerifyErrors(t, results)
	assert.Len(t, results, 15)
	assert.True(t, results["thinking"].Signed)
	assert.Contains(t, results["thinking"].Thought, "Hi there")
	assert.Equal(t, 2, results["count_tokens"].Tokens)
	assert.Eventually(t, func() bool { return left(p) }, 5*time.Second, time.Millisecond)
}

func TestTheGoogleSDKIsContentWithTheFake(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.Gemini, fakeprovider.Options{})
	results := Run(t, Gemini, Target{BaseURL: p.URL, Key: fakeprovider.DefaultKey, Model: "gemini-fake"})
	VerifyGreetings(t, results, "gemini-fake")
	VerifyGoogleErrors(t, results, 400)
	assert.Len(t, results, 19)
	assert.Contains(t, results["thinking"].Thought, "Hi there")
	assert.Equal(t, 2, results["count_tokens"].Tokens)
	assert.Equal(t, "models/gemini-fake", results["model"].Model)
	assert.Equal(t, []string{"models/gemini-fake", "models/gemini-fake-mini"}, results["models"].IDs)
	assert.Eventually(t, func() bool { return left(p) }, 5*time.Second, time.Millisecond)
}

func TestScenariosCanBeChosen(t *testing.T) {
	t.Parallel()
	p := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	results := Run(t, OpenAI, Target{BaseURL: p.URL, Key: fakeprovider.DefaultKey, Model: "gpt-fake"}, "whole", "models")
	assert.Len(t, results, 2)
	assert.Len(t, p.Requests(), 2)
}
