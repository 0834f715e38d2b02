package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestCloudProvidersAreAddedAndTested(t *testing.T) {
	t.Parallel()
	bedrock := fakeprovider.Start(t, fakeprovider.Bedrock, fakeprovider.Options{})
	azure := fakeprovider.StartAzure(t, fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{}))
	vertex := fakeprovider.StartVertex(t, fakeprovider.Start(t, fakeprovider.Gemini, fakeprovider.Options{}),
		fakeprovider.Start(t, fakeprovider.Anthropic, fakeprovider.Options{}))
	wrong := strings.Replace(fakeprovider.KeyPair(), fakeprovider.DefaultKey, "a-secret-that-is-wrong", 1)
	h := newHub(t, "PAIR="+fakeprovider.KeyPair(), "WRONG="+wrong, "KEY="+fakeprovider.DefaultKey)
	h.ok("provider", "add", "aws", "--kind", "bedrock", "--region", "us-east-1", "--base-url", bedrock.URL, "--credential-env", "PAIR")
	h.ok("provider", "add", "az", "--kind", "azure", "--base-url", azure, "--credential-env", "KEY")
	added := h.run(vertex.Account(t), "provider", "add", "gcp", "--kind", "vertex", "--region", "us-east5", "--base-url", vertex.BaseURL(), "--credential-stdin")
	require.Equal(t, 0, added.code, added.stderr)
	for _, name := range []string{"aws", "az", "gcp"} {
		views := decode[[]probeView](h, "provider", "test", name)
		require.Len(t, views, 1)
		assert.True(t, views[0].OK, "%s: %s", name, views[0].Error)
	}
	assert.Equal(t, "/foundation-models", bedrock.Last().Path)

	h.ok("credential", "add", "--provider", "aws", "--name", "bad", "--credential-env", "WRONG")
	o := h.run("", "provider", "test", "aws")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stdout, "refuses the credential")
	assert.NotContains(t, o.stdout+o.stderr, "a-secret-that-is-wrong")
	for want, args := range map[string][]string{
		"region":          {"--kind", "bedrock", "--credential-env", "PAIR"},
		"JSON":            {"--kind", "bedrock", "--region", "us-east-1", "--credential-env", "KEY"},
		"service account": {"--kind", "vertex", "--region", "global", "--credential-env", "PAIR"},
		"v1 API":          {"--kind", "azure", "--base-url", "https://x.openai.azure.com/openai/deployments/gpt", "--credential-env", "KEY"},
		"base URL":        {"--kind", "azure", "--credential-env", "KEY"},
	} {
		o := h.run("", append([]string{"provider", "add", "no"}, args...)...)
		assert.Equal(t, 2, o.code, want)
		assert.Contains(t, o.stderr, want)
		assert.NotContains(t, o.stderr, fakeprovider.DefaultKey)
	}
}

// TestCloudsOfTheEnvironment: the vendors' own variables make providers once all
// that a kind needs is there.
func TestCloudsOfTheEnvironment(t *testing.T) {
	t.Parallel()
	vertex := fakeprovider.StartVertex(t, fakeprovider.Start(t, fakeprovider.Gemini, fakeprovider.Options{}),
		fakeprovider.Start(t, fakeprovider.Anthropic, fakeprovider.Options{}))
	file := filepath.Join(t.TempDir(), "key.json")
	require.NoError(t, os.WriteFile(file, []byte(vertex.Account(t)), 0o600))
	bedrock := fakeprovider.Start(t, fakeprovider.Bedrock, fakeprovider.Options{Keys: []string{"ABSKfake0123456789", fakeprovider.DefaultKey}})
	pair := []string{"AWS_ACCESS_KEY_ID=" + fakeprovider.AccessKeyID, "AWS_SECRET_ACCESS_KEY=" + fakeprovider.DefaultKey}
	for name, tt := range map[string]struct {
		env  []string
		want string // the provider; "" for none
		test bool
	}{
		"a pair without a region":       {pair, "", false},
		"a pair and a region":           {append(pair, "AWS_REGION=us-east-1", "BEDROCK_BASE_URL="+bedrock.URL), "bedrock", true},
		"temporary keys":                {append(pair, "AWS_DEFAULT_REGION=us-east-1", "AWS_SESSION_TOKEN=t", "BEDROCK_BASE_URL="+bedrock.URL), "bedrock", true},
		"an API key of Bedrock":         {[]string{"AWS_BEARER_TOKEN_BEDROCK=ABSKfake0123456789", "AWS_REGION=us-east-1", "BEDROCK_BASE_URL=" + bedrock.URL}, "bedrock", true},
		"half a pair":                   {[]string{pair[0], "AWS_REGION=us-east-1"}, "", false},
		"the role of a Lambda function": {append(pair, "AWS_REGION=us-east-1", "AWS_LAMBDA_FUNCTION_NAME=f", "AIGNE_HUB_DATABASE=file:"+filepath.Join(t.TempDir(), "hub.db")), "", false},
		"a key's file alone":            {[]string{"GOOGLE_APPLICATION_CREDENTIALS=" + file}, "", false},
		"a key's file and a location":   {[]string{"GOOGLE_APPLICATION_CREDENTIALS=" + file, "GOOGLE_CLOUD_LOCATION=us-east5", "VERTEX_BASE_URL=" + vertex.BaseURL()}, "vertex", true},
		"a file that is not there":      {[]string{"GOOGLE_APPLICATION_CREDENTIALS=/none", "GOOGLE_CLOUD_LOCATION=us-east5"}, "", false},
		"Azure's key alone":             {[]string{"AZURE_OPENAI_API_KEY=k"}, "", false},
		"Azure's key and endpoint":      {[]string{"AZURE_OPENAI_API_KEY=k", "AZURE_OPENAI_ENDPOINT=https://boat.openai.azure.com/"}, "azure", false},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHub(t, tt.env...)
			if tt.want == "" {
				o := h.run("", "provider", "list", "--json") // with a warning where something is half there
				assert.Equal(t, "[]", strings.TrimSpace(o.stdout), o.stderr)
				return
			}
			views := decode[[]providerView](h, "provider", "list")
			require.Len(t, views, 1)
			assert.Equal(t, tt.want, views[0].Name)
			assert.Equal(t, "env", views[0].Source)
			if tt.test {
				h.ok("provider", "test", tt.want)
			}
		})
	}
}
