package boot

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakessm"
)

func TestALambdaTakesWhatItsEnvironmentLacksFromTheParameterStore(t *testing.T) {
	t.Parallel()
	s := fakessm.Start(t, map[string]string{"/hub/AIGNE_HUB_MASTER_KEY": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=", "/hub/AIGNE_HUB_DATABASE_TOKEN": "from the store",
		"/hub/AIGNE_HUB_BILLING": "on", "/hub/OPENAI_API_KEY": "sk-1"})
	env := map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_REGION": fakessm.Region, "AWS_ENDPOINT_URL_SSM": s.URL, "AWS_ACCESS_KEY_ID": fakessm.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": fakessm.SecretKey, "AIGNE_HUB_SECRETS_PATH": "/hub", "AIGNE_HUB_DATABASE": "libsql://hub.example", "AIGNE_HUB_DATABASE_TOKEN": "", "AIGNE_HUB_BILLING": "off"}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	with, environ, err := parameters(t.Context(), lookup, []string{"AIGNE_HUB_BILLING=off"}, time.Now)
	require.NoError(t, err)
	assert.Contains(t, environ, "AIGNE_HUB_DATABASE_TOKEN=from the store", "an unknown name there is found like another")
	cfg, err := Load(with, environ, nil)
	require.NoError(t, err)
	assert.Equal(t, "from the store", cfg.DatabaseToken.Reveal())
	assert.NotEmpty(t, cfg.MasterKey)
	assert.False(t, cfg.Billing, "the environment goes before")
	key, _ := with("OPENAI_API_KEY")
	assert.Equal(t, "sk-1", key, "providers of the environment are found there too")

	env["AWS_SECRET_ACCESS_KEY"] = "another"
	_, _, err = parameters(t.Context(), lookup, nil, time.Now)
	require.ErrorContains(t, err, "/hub")
	delete(env, "AWS_LAMBDA_FUNCTION_NAME")
	_, err = Load(lookup, nil, nil)
	require.ErrorContains(t, err, "AIGNE_HUB_SECRETS_PATH is read on Lambda only")
	env["AIGNE_HUB_SECRETS_PATH"] = "hub/"
	_, err = Load(lookup, nil, nil)
	require.ErrorContains(t, err, "without a slash")
}
