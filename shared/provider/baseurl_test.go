package provider

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestBaseURLsAreBroughtIntoOneForm(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, kind, in, want string }{
		{"nothing typed gives the default", OpenAI, " ", "https://api.openai.com/v1"},
		{"a region's place stays open", Bedrock, "", "https://bedrock-runtime.{region}.amazonaws.com"},
		{"trailing slashes go", OpenAI, "https://api.openai.com/v1//", "https://api.openai.com/v1"},
		{"scheme and host in lower case, the path as typed", OpenAI, "HTTPS://Proxy.Example:8443/Team/v1", "https://proxy.example:8443/Team/v1"},
		{"no path stays no path for OpenAI", OpenAI, "http://127.0.0.1:9000/", "http://127.0.0.1:9000"},
		{"Anthropic's origin gets its version", Anthropic, "https://api.anthropic.com", "https://api.anthropic.com/v1"},
		{"another path of Anthropic's stays", Anthropic, "https://gate.example/anthropic/v1", "https://gate.example/anthropic/v1"},
		{"Gemini's origin gets its version", Google, "https://generativelanguage.googleapis.com/", "https://generativelanguage.googleapis.com/v1beta"},
		{"Gemini's OpenAI path is another language", Google, "https://generativelanguage.googleapis.com/v1beta/openai/", "https://generativelanguage.googleapis.com/v1beta"},
		{"Ollama's own API path", Ollama, "http://localhost:11434/api", "http://localhost:11434/v1"},
		{"Ollama without a path", Ollama, "http://localhost:11434", "http://localhost:11434/v1"},
		{"Ideogram's whole endpoint", Ideogram, "https://api.ideogram.ai/v1/ideogram-v3/generate", "https://api.ideogram.ai"},
		{"an address of version 6", OpenAICompatible, "http://[::1]:8080/v1", "http://[::1]:8080/v1"},
		{"Azure's origin gets the v1 API", Azure, "https://boat.openai.azure.com/", "https://boat.openai.azure.com/openai/v1"},
		{"Azure's v1 API", Azure, "https://boat.services.ai.azure.com/openai/v1/", "https://boat.services.ai.azure.com/openai/v1"},
		{"a project's place stays open", Vertex, "", "https://{region}-aiplatform.googleapis.com/v1/projects/{project}/locations/{region}"},
		{"a project's place stays open in a URL that was typed", Vertex, "https://aiplatform.us.rep.googleapis.com/v1/projects/{project}/locations/us", "https://aiplatform.us.rep.googleapis.com/v1/projects/{project}/locations/us"},
		{"escaped slashes stay escaped", OpenAICompatible, "https://h.example/a%2Fb/", "https://h.example/a%2Fb"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := NormaliseBaseURL(find(t, tt.kind), tt.in)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got)
			again, err := NormaliseBaseURL(find(t, tt.kind), got)
			require.NoError(t, err)
			assert.Equal(t, got, again)
		})
	}
}

func TestBaseURLsThatAreRefused(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]string{
		"another scheme":       "ftp://h.example/v1",
		"a file":               "file:///etc/passwd",
		"no scheme":            "h.example/v1",
		"no host":              "https:///v1",
		"only a port":          "https://:443/v1",
		"a user and password":  "https://user:hunter2@h.example/v1",
		"a user":               "https://hunter2@h.example/v1",
		"a query":              "https://h.example/v1?key=hunter2",
		"an empty query":       "https://h.example/v1?",
		"a fragment":           "https://h.example/v1#hunter2",
		"an empty fragment":    "https://h.example/v1#",
		"a control character":  "https://h.example/\n/hunter2",
		"no number for a port": "https://h.example:hunter2/v1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := NormaliseBaseURL(find(t, OpenAI), in)
			require.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			assert.Equal(t, "base_url", hub.AsError(err).Param)
			assert.NotContains(t, err.Error(), "hunter2")
		})
	}
	_, err := NormaliseBaseURL(find(t, OpenAICompatible), "")
	require.Equal(t, hub.CodeInvalid, hub.CodeOf(err), "a compatible provider has no default")
	_, err = NormaliseBaseURL(find(t, OpenAI), "https://h.example/"+string(make([]byte, maxBaseURL)))
	require.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
}

func TestRegionsBecomePartOfTheHost(t *testing.T) {
	t.Parallel()
	base := find(t, Bedrock).BaseURL
	got, err := RegionURL(base, "us-gov-west-1")
	require.NoError(t, err)
	assert.Equal(t, "https://bedrock-runtime.us-gov-west-1.amazonaws.com", got)
	for _, region := range []string{"", "us", "us-east-1.evil.example/", "US-EAST-1", "us-east-1@evil"} {
		_, err := RegionURL(base, region)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), region)
	}
	got, err = RegionURL("https://h.example/v1", "")
	require.NoError(t, err)
	assert.Equal(t, "https://h.example/v1", got)
}

func TestGooglesRegionsAndProjects(t *testing.T) {
	t.Parallel()
	base := find(t, Vertex).BaseURL
	for region, want := range map[string]string{
		"europe-west4": "https://europe-west4-aiplatform.googleapis.com/v1/projects/boat-1/locations/europe-west4",
		"global":       "https://aiplatform.googleapis.com/v1/projects/boat-1/locations/global",
	} {
		got, err := RegionURL(base, region)
		require.NoError(t, err)
		got, err = ProjectURL(got, "boat-1")
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := RegionURL(find(t, Bedrock).BaseURL, "global")
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), "Amazon has no such region")
	for _, project := range []string{"", "../x", "a/b", "A B"} {
		_, err := ProjectURL(base, project)
		assert.Equal(t, hub.ClassCredential, hub.AsError(err).Class, project)
	}
	_, err = NormaliseBaseURL(find(t, Azure), "https://boat.openai.azure.com/openai/deployments/gpt")
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), "the dated API is told where the new one is")
}

func FuzzNormaliseBaseURL(f *testing.F) {
	for _, seed := range []string{"https://api.openai.com/v1/", "http://localhost:11434/api", "https://u:p@h/", "//h/v1", "https://h/%zz"} {
		f.Add(seed)
	}
	k, _ := Find(Ollama)
	f.Fuzz(func(t *testing.T, raw string) {
		got, err := NormaliseBaseURL(k, raw)
		if err != nil {
			return
		}
		again, err := NormaliseBaseURL(k, got)
		require.NoError(t, err, got)
		require.Equal(t, got, again)
	})
}
