package movein

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/provider"
)

func TestChannelTypesLeadToKindsOfTheHub(t *testing.T) {
	t.Parallel()
	for _, places := range []map[int64]place{sharedPlaces, oneAPIPlaces, newAPIPlaces} {
		for number, p := range places {
			kind, ok := provider.Find(p.kind)
			assert.True(t, ok, number)
			if p.base != "" {
				_, err := provider.NormaliseBaseURL(kind, p.base)
				assert.NoError(t, err, number)
			}
		}
	}
	for prefix, p := range litePlaces {
		_, ok := provider.Find(p.kind)
		assert.True(t, ok, prefix)
	}
	// The same number means other things.
	for number, want := range map[int64][2]string{
		4: {provider.OpenAICompatible, provider.Ollama}, 27: {provider.MiniMax, provider.Perplexity}, 30: {provider.Ollama, ""},
		42: {provider.Vertex, provider.Mistral}, 45: {provider.XAI, provider.Doubao}, 48: {"", provider.XAI}, 14: {provider.Anthropic, provider.Anthropic},
	} {
		one, _ := placeOf(SystemOneAPI, number)
		other, _ := placeOf(SystemNewAPI, number)
		assert.Equal(t, want, [2]string{one.kind, other.kind}, number)
	}
}

func TestAddressesOfChannelsGetThePathTheirSystemAdds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		system  string
		number  int64
		address string
		kind    string
		base    string
		why     bool
	}{
		{SystemOneAPI, 1, "", provider.OpenAI, "", false},
		{SystemOneAPI, 1, "https://api.openai.com/", provider.OpenAI, "", false},
		{SystemOneAPI, 1, "https://proxy.example", provider.OpenAICompatible, "https://proxy.example/v1", false},
		{SystemOneAPI, 1, "https://proxy.example/v1", provider.OpenAICompatible, "https://proxy.example/v1", false},
		{SystemOneAPI, 50, "https://vendor.example/api/v3", provider.OpenAICompatible, "https://vendor.example/api/v3", false},
		{SystemOneAPI, 50, "", provider.OpenAICompatible, "", true},
		{SystemOneAPI, 40, "", provider.Doubao, "", false},
		{SystemNewAPI, 43, "https://api.deepseek.com", provider.DeepSeek, "", false},
		{SystemNewAPI, 24, "https://generativelanguage.googleapis.com", provider.Google, "", false},
		{SystemNewAPI, 3, "https://x.openai.azure.com", provider.Azure, "https://x.openai.azure.com/openai/v1", false},
		{SystemNewAPI, 8, "https://y.example/v1/chat/completions", provider.OpenAICompatible, "https://y.example/v1", false},
		{SystemNewAPI, 14, "https://user:pw@z.example", provider.Anthropic, "", true},
	} {
		p, ok := placeOf(tt.system, tt.number)
		assert.True(t, ok)
		kind, base, why := p.at(tt.address)
		assert.Equal(t, tt.why, why != "", "%v: %s", tt, why)
		if !tt.why {
			assert.Equal(t, tt.kind+" "+tt.base, kind.ID+" "+base, "%v", tt)
		}
	}
}

func TestNamesFitAndAreTakenOnce(t *testing.T) {
	t.Parallel()
	n := names{}
	for _, want := range []string{"main-key", "main-key-2", "x", "a.b"} {
		in := map[string]string{"main-key": "Main Key", "main-key-2": " main key", "x": "深度", "a.b": "_A.b"}[want]
		assert.Equal(t, want, n.take(in, "x"))
	}
	assert.LessOrEqual(t, len(n.take(string(make([]byte, 300)), "y")), 64)
}
