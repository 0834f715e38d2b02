package functions_test

import (
	"crypto/ed25519"
	"crypto/sha3"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestARegisteredApplicationSignsItsCalls(t *testing.T) {
	t.Parallel()
	eachFleet(t, func(t *testing.T, f *fleet) {
		ctx := t.Context()
		private := ed25519.NewKeyFromSeed([]byte("a seed of exactly thirty-two byt"))
		public := private.Public().(ed25519.PublicKey)
		app := blocklet.Address(public, blocklet.RoleApplication)
		at := time.Now().Unix()
		// send signs a body of canonical JSON and sends it; each is of another second.
		send := func(path, body string, change ...string) *httptest.ResponseRecorder {
			at--
			digest := sha3.Sum256(fmt.Appendf(nil, `{"appId":%q,"data":%s,"timestamp":%d}`, app, body, at))
			r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-App-Id", app)
			r.Header.Set("X-Timestamp", fmt.Sprint(at))
			r.Header.Set("X-App-User-Did", "")
			r.Header.Set("X-Component-Sig", "0x"+hex.EncodeToString(ed25519.Sign(private, digest[:])))
			for i := 0; i+1 < len(change); i += 2 {
				r.Header.Set(change[i], change[i+1])
			}
			res := httptest.NewRecorder()
			f.handler.ServeHTTP(res, r)
			return res
		}
		const path, body = "/api/v1/chat/completions", `{"messages":[{"content":"Hi","role":"user"}],"model":"openai/gpt-fake"}`
		assert.Equal(t, 401, send(path, body).Code, "an unknown application")
		key := hex.EncodeToString(public)
		_, err := f.operator.Desk.SetApp(ctx, "test", app, operator.ChangedApp{PublicKey: &key})
		require.NoError(t, err)
		assert.Equal(t, 403, send(path, body).Code, "nobody answers for it yet")
		_, row, err := f.operator.Desk.CreateLimitedKey(ctx, "test", "m@example.com", "svc", nil, operator.KeyLimits{App: app})
		require.NoError(t, err)

		res := send(path, body)
		require.Equal(t, 200, res.Code, res.Body.String())
		calls, err := f.serving.Store.Calls(ctx, store.CallFilter{})
		require.NoError(t, err)
		require.Len(t, calls, 1)
		assert.Equal(t, app, calls[0].AppID)
		assert.Equal(t, row.ID, calls[0].APIKeyID, "it counts for the application's service key")

		at++ // the very same call again
		res = send(path, body)
		assert.Equal(t, 409, res.Code, "a call that somebody saw is not made twice: %s", res.Body.String())
		at++
		assert.Equal(t, 409, send(path, body, "Idempotency-Key", "another").Code, "whatever it is called")
		assert.Equal(t, 401, send(path, strings.Replace(body, "Hi", "Ho", 1), "X-Timestamp", fmt.Sprint(at-5)).Code, "another time than was signed")
		assert.Equal(t, 401, send("/v1/chat/completions", body).Code, "signatures are taken by the old paths only")
		assert.Equal(t, 415, send(path, body, "Content-Type", "multipart/form-data; boundary=x").Code, "of a form a signature covers nothing")
		assert.Equal(t, 401, send(path, body, "Authorization", "Bearer sk-hub-bad").Code, "a bad key is not mended by a signature")

		require.NoError(t, f.operator.Desk.RevokeKey(ctx, "test", row.ID))
		res = send(path, body)
		assert.Contains(t, []int{401, 403}, res.Code, "its end is the service key's")
	})
}
