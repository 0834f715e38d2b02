package blocklet_test

import (
	"crypto/ed25519"
	"crypto/sha3"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
)

func TestARemoteApplicationsSignature(t *testing.T) {
	t.Parallel()
	private := ed25519.NewKeyFromSeed([]byte("a seed of exactly thirty-two byt"))
	public := private.Public().(ed25519.PublicKey)
	app := blocklet.Address(public, blocklet.RoleApplication)
	now := time.Unix(1_800_000_000, 0)
	const body = `{ "b": "é", "a": [1, 2.50] }`
	sign := func(text string) string {
		digest := sha3.Sum256([]byte(text))
		return "0x" + hex.EncodeToString(ed25519.Sign(private, digest[:]))
	}
	text := func(user string) string {
		return fmt.Sprintf(`{"appId":%q,"data":{"a":[1,2.5],"b":"é"},"timestamp":1800000000%s}`, app, user)
	}
	good := map[string]string{"X-App-Id": app, "X-Timestamp": "1800000000", "X-App-User-Did": "z1user", "X-Component-Sig": sign(text(`,"userDid":"z1user"`))}
	verify := func(change map[string]string, body string, at time.Time, key ed25519.PublicKey) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "/api/v1/completions", strings.NewReader(body))
		require.NoError(t, err)
		for _, m := range []map[string]string{good, change} {
			for k, v := range m {
				r.Header.Set(k, v)
			}
		}
		_, err = blocklet.VerifyRemote(key, r, []byte(body), at)
		return err
	}
	require.NoError(t, verify(nil, body, now, public))
	require.NoError(t, verify(nil, body, now.Add(10*time.Minute), public))
	require.NoError(t, verify(map[string]string{"X-App-User-Did": "", "X-Component-Sig": sign(text(""))}, body, now, public), "without a user")
	require.NoError(t, verify(map[string]string{"X-App-User-Did": "", "X-Component-Sig": sign(text(`,"userDid":""`))}, body, now, public))
	empty := sign(fmt.Sprintf(`{"appId":%q,"data":{},"timestamp":1800000000,"userDid":"z1user"}`, app))
	require.NoError(t, verify(map[string]string{"X-Component-Sig": empty}, "", now, public))

	other := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	for name, err := range map[string]error{
		"another body":        verify(nil, `{"a":[1,2.5],"b":"e"}`, now, public),
		"no JSON":             verify(nil, `a=1`, now, public),
		"another user":        verify(map[string]string{"X-App-User-Did": "z1other"}, body, now, public),
		"no user":             verify(map[string]string{"X-App-User-Did": ""}, body, now, public),
		"another time":        verify(map[string]string{"X-Timestamp": "1800000001"}, body, now, public),
		"too late":            verify(nil, body, now.Add(601*time.Second), public),
		"too early":           verify(nil, body, now.Add(-601*time.Second), public),
		"an absurd time":      verify(map[string]string{"X-Timestamp": "9223372036854775807"}, body, now, public),
		"a negative time":     verify(map[string]string{"X-Timestamp": "-9223372036854775808"}, body, now, public),
		"another key":         verify(nil, body, now, other),
		"no key":              verify(nil, body, now, nil),
		"a short signature":   verify(map[string]string{"X-Component-Sig": "0x00"}, body, now, public),
		"another application": verify(map[string]string{"X-App-Id": blocklet.Address(other, blocklet.RoleApplication)}, body, now, public),
	} {
		require.ErrorIs(t, err, blocklet.ErrRemote, name)
	}
	assert.NotEmpty(t, app)
}
