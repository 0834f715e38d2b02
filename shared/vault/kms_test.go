package vault_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakekms"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

func client(s *fakekms.Service) vault.KMS {
	return vault.KMS{Region: fakekms.Region, Endpoint: s.URL, KeyID: fakekms.AccessKeyID, Secret: fakekms.SecretKey, Now: time.Now, Pause: func(time.Duration) {}}
}

func TestAMasterKeyOfKMSOpensAgain(t *testing.T) {
	t.Parallel()
	s := fakekms.Start(t)
	for _, name := range []string{"alias/hub", s.ARN("hub"), s.ARN("hub")[strings.LastIndex(s.ARN("hub"), "/")+1:]} {
		m, kept, err := client(s).Generate(t.Context(), name)
		require.NoError(t, err, name)
		assert.Equal(t, s.ARN("hub"), kept.Key)
		again, err := client(s).Open(t.Context(), kept)
		require.NoError(t, err)
		assert.Equal(t, m.ID(), again.ID())
		ring := newRing(t, again, newKey(t, m, epoch))
		sealed, _, err := ring.Seal(row, plain)
		require.NoError(t, err)
		opened, err := ring.Open(row, sealed)
		require.NoError(t, err)
		assert.Equal(t, plain, opened)
	}
}

func TestTheRegionOfAnARNCounts(t *testing.T) {
	t.Parallel()
	s := fakekms.Start(t)
	k := client(s)
	k.Region = "us-east-1"
	_, _, err := k.Generate(t.Context(), s.ARN("hub"))
	require.NoError(t, err)
	_, _, err = k.Generate(t.Context(), "alias/hub")
	require.ErrorContains(t, err, "region us-east-1")
	k.Region = ""
	_, _, err = k.Generate(t.Context(), "alias/hub")
	require.ErrorContains(t, err, "set AWS_REGION")
}

func TestKMSIsAskedAgainWhereThatHelps(t *testing.T) {
	t.Parallel()
	s := fakekms.Start(t)
	s.Refuse("ThrottlingException", "500", "KMSInternalException", "DependencyTimeoutException")
	_, _, err := client(s).Generate(t.Context(), "alias/hub")
	require.Error(t, err, "KMSInternalException came with status 400 here, which is final")
	assert.Len(t, s.Calls(), 3)
	s.Refuse("ThrottlingException", "500", "ThrottlingException", "DependencyTimeoutException")
	_, _, err = client(s).Generate(t.Context(), "alias/hub")
	require.NoError(t, err)
	assert.Len(t, s.Calls(), 5)
	s.Refuse("ThrottlingException", "ThrottlingException", "ThrottlingException", "ThrottlingException", "ThrottlingException")
	_, _, err = client(s).Generate(t.Context(), "alias/hub")
	require.ErrorContains(t, err, "ThrottlingException")
	assert.Len(t, s.Calls(), 5)
}

func TestRefusalsOfKMSSayWhatHelps(t *testing.T) {
	t.Parallel()
	s := fakekms.Start(t)
	other := s.Add("other")
	_, kept, err := client(s).Generate(t.Context(), "alias/hub")
	require.NoError(t, err)
	blob, err := base64.StdEncoding.DecodeString(kept.Wrapped)
	require.NoError(t, err)
	blob[len(blob)-1] ^= 1
	changed := vault.KMSMaster{Key: kept.Key, Wrapped: base64.StdEncoding.EncodeToString(blob)}
	tests := []struct {
		name string
		do   func() error
		want string
	}{
		{"no such key", func() error { _, _, err := client(s).Generate(t.Context(), "alias/none"); return err }, "check AIGNE_HUB_KMS_KEY_ID"},
		{"changed", func() error { _, err := client(s).Open(t.Context(), changed); return err }, "was changed"},
		{"of another key", func() error {
			_, err := client(s).Open(t.Context(), vault.KMSMaster{Key: other, Wrapped: kept.Wrapped})
			return err
		}, "another KMS key"},
		{"no credentials", func() error { k := client(s); k.Secret = ""; _, err := k.Open(t.Context(), kept); return err }, "set AWS_ACCESS_KEY_ID"},
		{"a wrong secret", func() error { k := client(s); k.Secret = "wrong"; _, err := k.Open(t.Context(), kept); return err }, "do not belong together"},
		{"not allowed", func() error {
			s.Refuse("AccessDeniedException")
			_, err := client(s).Open(t.Context(), kept)
			return err
		}, "allow these credentials kms:GenerateDataKey and kms:Decrypt"},
		{"disabled", func() error {
			s.SetState(kept.Key, "Disabled")
			defer s.SetState(kept.Key, "Enabled")
			_, err := client(s).Open(t.Context(), kept)
			return err
		}, "enable the key"},
		{"about to be deleted", func() error {
			s.SetState(kept.Key, "PendingDeletion")
			defer s.SetState(kept.Key, "Enabled")
			_, err := client(s).Open(t.Context(), kept)
			return err
		}, "cancel its deletion"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.do()
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), fakekms.SecretKey)
			assert.NotContains(t, err.Error(), kept.Wrapped)
		})
	}
}

func TestACiphertextOfAnotherUseIsNoMasterKey(t *testing.T) {
	t.Parallel()
	s := fakekms.Start(t)
	foreign := s.Encrypted("hub", []byte(strings.Repeat("ab", 16)), map[string]string{"app": "payroll"})
	_, err := client(s).Open(t.Context(), vault.KMSMaster{Key: s.ARN("hub"), Wrapped: base64.StdEncoding.EncodeToString(foreign)})
	require.ErrorContains(t, err, "InvalidCiphertextException")
}
