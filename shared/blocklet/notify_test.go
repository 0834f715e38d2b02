package blocklet

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestTheAddressOfAKeyIsTheServers(t *testing.T) {
	t.Parallel()
	_, key := readRecorded(t)
	assert.Equal(t, "zNKnWoLGcQkQKHTjpaJwcz9pbpwr9qFbLahr", key.Address(RoleApplication), "as the public client made it")
	assert.Equal(t, "z1", key.Address(RoleAccount)[:2], "users begin with z1")
	assert.Equal(t, "112", base58([]byte{0, 0, 1}))
}

func TestAUserIsToldThroughTheServer(t *testing.T) {
	t.Parallel()
	_, key := readRecorded(t)
	var got map[string]any
	status := http.StatusOK
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		assert.Equal(t, "/.well-known/service/api/send-to-user", r.URL.Path)
		body, _ := io.ReadAll(r.Body)
		assert.NoError(t, json.Unmarshal(body, &got))
		w.WriteHeader(status)
		_, _ = w.Write([]byte("true"))
	}))
	defer server.Close()
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	e := &Environment{Key: key, AppID: "zApp", ComponentDID: "zHub", Host: at.Hostname(), servicePort: at.Port()}
	require.True(t, e.CanNotify())
	now := time.Unix(1_800_000_000, 0)
	require.NoError(t, e.NotifyUser(t.Context(), "z1User", "Title", "**Body**", now))
	data, _ := got["data"].(map[string]any)
	assert.Equal(t, "z1User", data["receiver"])
	assert.Equal(t, map[string]any{"title": "Title", "body": "**Body**", "severity": "success"}, data["notification"])
	sender, _ := data["sender"].(map[string]any)
	assert.Equal(t, "zApp", sender["appDid"])
	token, _ := sender["token"].(string)
	parts := strings.Split(token, ".")
	require.Len(t, parts, 3)
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	require.NoError(t, err)
	public, _ := key.private.Public().(ed25519.PublicKey)
	assert.True(t, ed25519.Verify(public, []byte(parts[0]+"."+parts[1]), sig))
	const canonical = `{"exp":"1800000300","iat":"1800000000","iss":"did:abt:zNKnWoLGcQkQKHTjpaJwcz9pbpwr9qFbLahr","nbf":"1800000000","version":"1.0.0"}`
	assert.Equal(t, base64.RawURLEncoding.EncodeToString([]byte(canonical)), parts[1])
	status = http.StatusForbidden
	require.ErrorContains(t, e.NotifyUser(t.Context(), "z1User", "Title", "Body", now), "403")
}
