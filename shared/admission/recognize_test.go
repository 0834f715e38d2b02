package admission_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestOnlyWhoIsStillGoodIsRecognized(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), 0)
	key := func(name string, expires *time.Time) hub.Caller {
		k, err := w.CreateKey(t.Context(), store.APIKey{UserID: w.user.ID, Name: name, Hash: name, ExpiresAt: expires})
		require.NoError(t, err)
		return hub.Caller{UserID: w.user.ID, KeyID: k.ID, KeySerial: k.Serial}
	}
	good, revoked := key("good", nil), key("revoked", nil)
	late := key("late", new(time.Now().Add(-time.Minute)))
	require.NoError(t, w.RevokeKey(t.Context(), revoked.KeyID))
	code := func(c hub.Caller) hub.Code { return hub.CodeOf(w.gate.Recognize(t.Context(), c)) }
	assert.Empty(t, code(good))
	assert.Empty(t, code(hub.Caller{UserID: w.user.ID}), "who came without a key has no key to check")
	assert.Equal(t, hub.CodeUnauthenticated, code(revoked))
	assert.Equal(t, hub.CodeUnauthenticated, code(late))
	assert.Equal(t, hub.CodeUnauthenticated, code(hub.Caller{UserID: w.user.ID, KeyID: "none"}))
	assert.Equal(t, hub.CodeUnauthenticated, code(hub.Caller{UserID: "nobody"}))

	require.NoError(t, w.SetUserDisabled(t.Context(), w.user.ID, true))
	assert.Equal(t, hub.CodeUnauthenticated, code(good))
}
