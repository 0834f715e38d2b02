package functions_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/provider"
)

func TestAdminsSeeWhichSortsOfProvidersThereAre(t *testing.T) {
	t.Parallel()
	w := open(t)
	const path = "/api/admin/provider-kinds"
	assert.Equal(t, 403, w.do("admin", "member", "GET", path, "").Code)
	res := w.do("admin", "admin", "GET", path, "")
	require.Equal(t, 200, res.Code)
	var got struct {
		Data []struct {
			ID          string `json:"id"`
			Title       string `json:"title"`
			BaseURL     string `json:"base_url"`
			Credential  string `json:"credential"`
			KeyOptional bool   `json:"key_optional"`
			Local       bool   `json:"local"`
		} `json:"data"`
	}
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &got))
	require.Len(t, got.Data, len(provider.All()))
	credential := map[string]string{}
	for i, k := range provider.All() {
		v := got.Data[i]
		assert.Equal(t, k.ID, v.ID)
		assert.NotEmpty(t, v.Title, k.ID)
		assert.Equal(t, k.BaseURL, v.BaseURL, k.ID)
		assert.Equal(t, k.LocalBaseURL, v.Local, k.ID)
		assert.True(t, !v.Local || v.KeyOptional, "%s: what runs here asks for no key", k.ID)
		credential[v.ID] = v.Credential
	}
	assert.Equal(t, "api_key", credential["openai"])
	assert.Equal(t, "access_key_pair", credential[provider.Bedrock])
	assert.Equal(t, "service_account", credential[provider.Vertex])
}
