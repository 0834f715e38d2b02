package vault_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakessm"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

func TestParametersAreReadBelowTheirPathPageByPage(t *testing.T) {
	t.Parallel()
	values := map[string]string{"/other/A": "no", "/hub/deeper/B": "no"}
	for i := range 23 {
		values[fmt.Sprintf("/hub/V%d", i)] = fmt.Sprint(i)
	}
	s := fakessm.Start(t, values)
	store := vault.ParameterStore{Region: fakessm.Region, Endpoint: s.URL, KeyID: fakessm.AccessKeyID, Secret: fakessm.SecretKey, Now: time.Now, Pause: func(time.Duration) {}}
	s.Throttle(2)
	got, err := store.Read(t.Context(), "/hub")
	require.NoError(t, err)
	assert.Len(t, got, 23)
	assert.Equal(t, "22", got["V22"])

	got, err = store.Read(t.Context(), "/nothing")
	require.NoError(t, err)
	assert.Empty(t, got)
	store.Secret = "another-secret"
	_, err = store.Read(t.Context(), "/hub")
	require.ErrorContains(t, err, "InvalidSignatureException")
	assert.NotContains(t, err.Error(), "another-secret")
	store.Secret = ""
	_, err = store.Read(t.Context(), "/hub")
	require.ErrorContains(t, err, "AWS_SECRET_ACCESS_KEY")
}
