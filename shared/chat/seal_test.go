package chat

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestASealComesBackAsItWas(t *testing.T) {
	t.Parallel()
	for _, want := range [][3]string{
		{SignedGoogle, "", "sig+/=="}, {SignedOpenAI, "rs_1", "gAAAA"}, {SignedXAI, "a", "line\nline"}, {SignedGoogle, "call_1", ""},
	} {
		sealed := Seal(want[0], want[1], want[2])
		assert.True(t, strings.HasPrefix(sealed, SealPrefix))
		_, err := base64.StdEncoding.DecodeString(sealed)
		require.NoError(t, err, "clients decode signatures as base64")
		by, id, sig, ok := Unseal(sealed)
		assert.True(t, ok)
		got := [3]string{by, id, sig}
		assert.Equal(t, want, got)
	}
}

func TestOtherSignaturesAreNoSeals(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"", "ErUBCkYIBBgC", SealPrefix, SealPrefix + "!", base64.StdEncoding.EncodeToString([]byte("aigne-hub-and more"))} {
		_, _, _, ok := Unseal(s)
		assert.False(t, ok, "%q", s)
	}
}
