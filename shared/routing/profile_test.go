package routing

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

func TestBareNamesBecomeBedrocksOwnInItsRegion(t *testing.T) {
	t.Parallel()
	kind, ok := provider.Find(provider.Bedrock)
	require.True(t, ok)
	for _, tt := range []struct{ region, model, want string }{
		{"us-east-1", "claude-sonnet-4-5", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"us-east-1", "Claude-Sonnet-4-5-20250929", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"us-east-1", "claude-sonnet-4-5-20250929-v1:0", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"eu-central-1", "claude-sonnet-4-5", "eu.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"ap-northeast-1", "claude-sonnet-4-5", "jp.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"ap-northeast-2", "claude-sonnet-4-5", "global.anthropic.claude-sonnet-4-5-20250929-v1:0"},
		{"sa-east-1", "claude-opus-4-5", "global.anthropic.claude-opus-4-5-20251101-v1:0"},
		{"us-west-2", "claude-opus-4-6", "us.anthropic.claude-opus-4-6-v1"},
		{"us-west-2", "gpt-oss-120b", "openai.gpt-oss-120b-1:0"},
		{"us-west-2", "llama3-3-70b-instruct", "us.meta.llama3-3-70b-instruct-v1:0"},
		{"us-west-2", "claude-unheard-of", "anthropic.claude-unheard-of"},
	} {
		p := &Provider{Name: "bedrock", Kind: kind, Region: tt.region, Credentials: []Credential{{ID: "c"}}}
		n := NewSnapshot(1, Settings{DefaultMaxOutput: 4096}, pricing.OpenCatalogue(time.Now), []*Provider{p}, nil)
		plan, err := n.Plan(Request{Model: tt.model, Type: hub.TypeChat})
		require.NoError(t, err, tt.model)
		require.Len(t, plan.Targets, 1, tt.model)
		assert.Equal(t, tt.want, plan.Targets[0].Model, "%s in %s", tt.model, tt.region)
	}
	p := &Provider{Name: "bedrock", Kind: kind, Region: "us-east-1", Credentials: []Credential{{ID: "c"}}}
	rate := &Rate{ID: "own", Provider: "bedrock", Model: "anthropic.claude-sonnet-4-5", Type: hub.TypeChat}
	n := NewSnapshot(1, Settings{Billing: true, DefaultMaxOutput: 4096}, pricing.OpenCatalogue(time.Now), []*Provider{p}, []*Rate{rate})
	plan, err := n.Plan(Request{Model: "claude-sonnet-4-5", Type: hub.TypeChat})
	require.NoError(t, err)
	require.Len(t, plan.Targets, 1)
	assert.Equal(t, "own", plan.Targets[0].RateID, "the name that the operator priced")
}
