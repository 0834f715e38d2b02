package movein

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // the form that is tested
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	testEK  = "0x7d2f6c1b9a4e8d3350f1c2b7a6958473625140f3e2d1c0bfae9d8c7b6a594837"
	testDID = "zNKWm5HBgaTLptTZBzjHo6PPFAp8X3n8pabc"
)

func TestValuesThatOpenSSLSealedOpen(t *testing.T) {
	t.Parallel()
	key, err := NewSecretKey(testEK, testDID)
	require.NoError(t, err)
	// Made with OpenSSL 3: kdf PBKDF2 (SHA512, 256 rounds), then enc -aes-256-cbc -md md5.
	for sealed, want := range map[string]string{
		"U2FsdGVkX1/1IMhMviwCRUggqpSqSLp3KpfFv6TUsFT1/1j3K8ayhb3NuZg3L1L+": "sk-old-openai-key-0001",
		"U2FsdGVkX19L+kvCRz95VcXngiOPwM4A/8OqjQTVIISDaFOgpm2tvX/OQhWkiasM": "wJalrXUtnFEMI/K7MDENG+bPxRfiCY",
		"never sealed": "never sealed",
	} {
		got, err := key.Open(sealed)
		require.NoError(t, err)
		assert.Equal(t, want, got.Reveal())
	}
}

func TestAWrongKeyOpensNothing(t *testing.T) {
	t.Parallel()
	right := sealLikeTheSDK(testEK, testDID, "sk-some-key-of-a-provider", "12345678")
	key, err := NewSecretKey(testEK, testDID)
	require.NoError(t, err)
	got, err := key.Open(right)
	require.NoError(t, err)
	assert.Equal(t, "sk-some-key-of-a-provider", got.Reveal())
	for i := range 300 { // one in 256 ends like a padding
		wrong, err := NewSecretKey(hub.Secret(fmt.Sprint("0x", i)), testDID)
		require.NoError(t, err)
		_, err = wrong.Open(right)
		require.ErrorIs(t, err, ErrWrongKey)
	}
	for _, cut := range []string{sealedPrefix, right[:30], right[:len(right)-4], sealedPrefix + "!!"} {
		_, err := key.Open(cut)
		require.ErrorIs(t, err, ErrWrongKey, cut)
	}
}

// sealLikeTheSDK is the way there, written by the description of the form.
func sealLikeTheSDK(ek, did, value, salt string) string {
	mac := hmac.New(sha512.New, []byte(ek))
	mac.Write(append([]byte(did), 0, 0, 0, 1))
	u := mac.Sum(nil)
	sum := append([]byte{}, u...)
	for range 255 {
		mac.Reset()
		mac.Write(u)
		u = mac.Sum(nil)
		for i := range sum {
			sum[i] ^= u[i]
		}
	}
	phrase := hex.EncodeToString(sum[:32])
	d1 := md5.Sum([]byte(phrase + salt))                 //nolint:gosec // see above
	d2 := md5.Sum(append(d1[:], []byte(phrase+salt)...)) //nolint:gosec // see above
	d3 := md5.Sum(append(d2[:], []byte(phrase+salt)...)) //nolint:gosec // see above
	block, _ := aes.NewCipher(append(append([]byte{}, d1[:]...), d2[:]...))
	text := []byte(value)
	n := 16 - len(text)%16
	for range n {
		text = append(text, byte(n))
	}
	cipher.NewCBCEncrypter(block, d3[:]).CryptBlocks(text, text)
	return base64.StdEncoding.EncodeToString(append([]byte("Salted__"+salt), text...))
}

func TestAnExportedFolderTellsDatabaseAndKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, err := FindExport(dir)
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "data", "ai-kit"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "data", "ai-kit", "aikit.db"), nil, 0o600))
	e, err := FindExport(dir)
	require.NoError(t, err)
	assert.Empty(t, e.AppEK, "the key may come from elsewhere")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "blocklet.json"), []byte(`{"meta":{"did":"zApp"},"children":[{"meta":{"did":"zOther","name":"x"},"appEk":"0xno"},{"meta":{"did":"zOwn","name":"ai-kit"},"appEk":"0xyes"}]}`), 0o600))
	e, err = FindExport(dir)
	require.NoError(t, err)
	assert.Equal(t, "zApp 0xyes", e.AppDID+" "+e.AppEK.Reveal())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "blocklet.json"), []byte(`{`), 0o600))
	_, err = FindExport(dir)
	assert.Error(t, err)
}
