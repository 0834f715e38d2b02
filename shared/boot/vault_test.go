package boot_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakekms"
)

// vaultHub opens a hub on a data folder, as a process of its own would.
func vaultHub(t *testing.T, data string, env map[string]string) *boot.App {
	t.Helper()
	all := map[string]string{"AIGNE_HUB_DATA": data}
	for k, v := range env {
		all[k] = v
	}
	lookup := func(name string) (string, bool) { v, ok := all[name]; return v, ok }
	cfg, err := boot.Load(lookup, nil, nil)
	require.NoError(t, err)
	a, err := boot.Open(t.Context(), cfg, boot.Options{Log: slog.New(slog.DiscardHandler), Env: lookup, Migrate: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, a.Close(context.Background())) })
	return a
}

func sealOne(t *testing.T, a *boot.App) string {
	t.Helper()
	ring, err := a.Vault(t.Context())
	require.NoError(t, err)
	sealed, _, err := ring.Seal("row", "the secret")
	require.NoError(t, err)
	return sealed
}

func requireOpens(t *testing.T, a *boot.App, sealed string) {
	t.Helper()
	ring, err := a.Vault(t.Context())
	require.NoError(t, err)
	plain, err := ring.Open("row", sealed)
	require.NoError(t, err)
	require.Equal(t, hub.Secret("the secret"), plain)
}

func kmsEnv(s *fakekms.Service) map[string]string {
	return map[string]string{"AIGNE_HUB_KMS_KEY_ID": "alias/hub", "AWS_REGION": fakekms.Region, "AWS_ENDPOINT_URL_KMS": s.URL,
		"AWS_ACCESS_KEY_ID": fakekms.AccessKeyID, "AWS_SECRET_ACCESS_KEY": fakekms.SecretKey}
}

func with(env map[string]string, more ...string) map[string]string {
	out := map[string]string{}
	for k, v := range env {
		out[k] = v
	}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}

func TestKMSIsAskedOnceInTheLifeOfAProcess(t *testing.T) {
	t.Parallel()
	s := fakekms.Start(t)
	data := t.TempDir()
	a := vaultHub(t, data, kmsEnv(s))
	sealed := sealOne(t, a)
	assert.Equal(t, []string{"GenerateDataKey"}, s.Calls())
	assert.NoFileExists(t, filepath.Join(data, "master.key"))
	b := vaultHub(t, data, kmsEnv(s))
	assert.Empty(t, s.Calls(), "not before a secret is needed")
	for range 10 {
		requireOpens(t, b, sealed)
	}
	_, err := b.Rotator().Rotate(t.Context())
	require.NoError(t, err)
	requireOpens(t, b, sealOne(t, b))
	assert.Equal(t, []string{"Decrypt"}, s.Calls())
}

func TestAProcessThatOpenedItsKeysOutlivesKMS(t *testing.T) {
	t.Parallel()
	s := fakekms.Start(t)
	data := t.TempDir()
	a := vaultHub(t, data, kmsEnv(s))
	sealed := sealOne(t, a)
	s.SetState(s.ARN("hub"), "Disabled")
	requireOpens(t, a, sealed)
	_, err := vaultHub(t, data, kmsEnv(s)).Vault(t.Context())
	require.ErrorContains(t, err, "enable the key")
}

func TestAMasterKeyMovesFromFileToKMSToEnvironment(t *testing.T) {
	t.Parallel()
	s := fakekms.Start(t)
	data := t.TempDir()
	sealed := sealOne(t, vaultHub(t, data, nil))
	file, err := os.ReadFile(filepath.Join(data, "master.key"))
	require.NoError(t, err)
	running := vaultHub(t, data, nil)
	requireOpens(t, running, sealed)

	_, err = vaultHub(t, data, kmsEnv(s)).Vault(t.Context())
	require.ErrorContains(t, err, "AIGNE_HUB_MASTER_KEY_OLD")
	a := vaultHub(t, data, with(kmsEnv(s), "AIGNE_HUB_MASTER_KEY_OLD", string(file)))
	out, err := a.RotateMaster(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 1, out.DataKeys)
	requireOpens(t, a, sealed)
	require.NoError(t, os.Remove(filepath.Join(data, "master.key")))
	requireOpens(t, vaultHub(t, data, kmsEnv(s)), sealed)
	requireOpens(t, running, sealed)

	again := vaultHub(t, data, kmsEnv(s))
	out2, err := again.RotateMaster(t.Context())
	require.NoError(t, err)
	assert.NotEqual(t, out.MasterID, out2.MasterID, "with KMS a new master key each time")
	requireOpens(t, vaultHub(t, data, kmsEnv(s)), sealed)

	env := with(kmsEnv(s), "AIGNE_HUB_KMS_KEY_ID", "", "AIGNE_HUB_MASTER_KEY", base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	_, err = vaultHub(t, data, env).RotateMaster(t.Context())
	require.NoError(t, err)
	s.SetState(s.ARN("hub"), "PendingDeletion")
	requireOpens(t, vaultHub(t, data, env), sealed)
}

func TestTwoProcessesFollowEachOthersKeys(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	a, b := vaultHub(t, data, nil), vaultHub(t, data, nil)
	old := sealOne(t, a)
	requireOpens(t, b, old)
	r := b.Rotator()
	r.Settle = 0
	out, err := r.Rotate(t.Context())
	require.NoError(t, err)
	assert.False(t, out.Resumed)
	fresh := sealOne(t, b)
	ring, err := a.Vault(t.Context())
	require.NoError(t, err)
	plain, err := ring.Open("row", fresh)
	require.NoError(t, err, "a key that this process has not seen yet is fetched")
	assert.Equal(t, hub.Secret("the secret"), plain)
	assert.Equal(t, out.Active, ring.Active())
	status, err := r.Status(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"retired", "active"}, []string{status[0].State, status[1].State})
}

func TestTwoMasterKeysAtOnceAreRefused(t *testing.T) {
	t.Parallel()
	_, err := load(map[string]string{"AIGNE_HUB_KMS_KEY_ID": "alias/hub", "AIGNE_HUB_MASTER_KEY": goodKey}, nil)
	require.ErrorContains(t, err, "give the former master key by AIGNE_HUB_MASTER_KEY_OLD")
}
