package functions_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const owner = `{"id":"ID","email":"o@example.com","name":"","role":"owner","language":"","time_zone":""}`

func TestSetUpMakesTheFirstOwnerOnce(t *testing.T) {
	t.Parallel()
	w := empty(t)
	token, err := w.app.Users.NewSetupToken(t.Context())
	require.NoError(t, err)
	w.secrets = append(w.secrets, token.Reveal(), "long enough password")
	form := func(token, email, password string) string {
		return fmt.Sprintf(`{"token":%q,"email":%q,"password":%q}`, token, email, password)
	}
	wrong := refused("permission_error", "forbidden",
		"The set-up token is wrong or used up. `aigne-hub setup-token` prints a new one while no owner exists.")
	w.golden("auth", []apiCase{
		{"no body is refused", "", "POST /api/auth/setup", "", 415, needJSON},
		{"an unknown field is refused", "", "POST /api/auth/setup", `{"tokens":"x"}`, 400, invalid("tokens", `There is no field "tokens" here.`)},
		{"missing fields are named", "", "POST /api/auth/setup", `{}`, 400,
			invalid("token", "token is required; email is required; password is required.")},
		{"a wrong token is refused", "", "POST /api/auth/setup", form("setup-wrong", "o@example.com", "long enough password"), 403, wrong},
		{"a bad e-mail address is refused", "", "POST /api/auth/setup", form(token.Reveal(), "o", "long enough password"), 400,
			invalid("email", `"o" is not an e-mail address.`)},
		{"a short password is refused", "", "POST /api/auth/setup", form(token.Reveal(), "o@example.com", "short"), 400,
			invalid("password", "A password must have 10 to 256 characters.")},
		{"the token makes an owner", "", "POST /api/auth/setup", form(token.Reveal(), "o@example.com", "long enough password"), 201,
			`{"user":` + owner + `,"api_key":"KEY"}`},
		{"the token is spent", "", "POST /api/auth/setup", form(token.Reveal(), "p@example.com", "long enough password"), 403, wrong},
		{"another method is refused", "", "GET /api/auth/setup", "", 405,
			refused("invalid_request_error", "method_not_allowed", "GET is not allowed here; POST is.")},
	})
	users, err := w.app.Store.Users(t.Context(), "", 10)
	require.NoError(t, err)
	require.Len(t, users, 1)
	keys, err := w.app.Store.Keys(t.Context(), users[0].ID, "", 10)
	require.NoError(t, err)
	require.Len(t, keys, 1)
	assert.Equal(t, "first", keys[0].Name)
	w.secrets = append(w.secrets, keys[0].Hash, users[0].PasswordHash)
}

func TestSetUpIsNoConflictWithAnOwnerMadeMeanwhile(t *testing.T) {
	t.Parallel()
	w := empty(t)
	token, err := w.app.Users.NewSetupToken(t.Context())
	require.NoError(t, err)
	_, err = w.app.Desk.CreateUser(t.Context(), "test", "first@example.com", "owner", "")
	require.NoError(t, err)
	w.golden("auth", []apiCase{{"a second owner is refused", "", "POST /api/auth/setup",
		fmt.Sprintf(`{"token":%q,"email":"o@example.com","password":"long enough password"}`, token.Reveal()), 409,
		refused("invalid_request_error", "conflict", "This hub has an owner already; set-up tokens are for the first one only.")}})
}

func TestWrongSetUpTokensAreThrottledByAddress(t *testing.T) {
	t.Parallel()
	w := empty(t, "AIGNE_HUB_TRUSTED_PROXIES=192.0.2.0/24")
	try := func(forwarded string) *httptest.ResponseRecorder {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/auth/setup",
			strings.NewReader(`{"token":"setup-wrong","email":"o@example.com","password":"long enough password"}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-Forwarded-For", forwarded) // httptest's peer is 192.0.2.1
		res := httptest.NewRecorder()
		w.fn["auth"].ServeHTTP(res, r)
		return res
	}
	for range 10 {
		require.Equal(t, 403, try("203.0.113.7").Code)
	}
	res := try("203.0.113.7")
	assert.Equal(t, 429, res.Code)
	assert.NotEmpty(t, res.Header().Get("Retry-After"))
	assert.JSONEq(t, refused("rate_limit_error", "rate_limited", "Too many set-up tokens were tried from this address; wait a minute."), res.Body.String())
	assert.Equal(t, 403, try("203.0.113.8").Code, "another address has tries of its own")
}

func TestUsersSeeThemselvesAndTheirKeys(t *testing.T) {
	t.Parallel()
	w := open(t)
	const laptop = `{"id":"ID","user_id":"ID","name":"laptop","hint":"HINT","created_at":"TIME","expires_at":null,"revoked_at":null,"last_used_at":"USED","wallet_id":"","models":null,"ips":null,"scopes":null,"app":"","rotated_at":null,"old":null}`
	const future = `{"id":"ID","user_id":"ID","name":"ci","hint":"HINT","created_at":"TIME","expires_at":"TIME","revoked_at":null,"last_used_at":"USED","wallet_id":"","models":null,"ips":null,"scopes":null,"app":"","rotated_at":null,"old":null}`
	w.golden("auth", []apiCase{
		{"me needs a key", "", "GET /api/auth/me", "", 401, noKey},
		{"me with an unknown key", "bad", "GET /api/auth/me", "", 401, badKey},
		{"me tells who the caller is", "member", "GET /api/auth/me", "", 200,
			`{"user":{"id":"ID","email":"member@example.com","name":"","role":"member","language":"","time_zone":""},"sign_in":{"password":false,"second_factor":false},"key":{"id":"ID","name":"laptop","hint":"HINT"}}`},
		{"keys are the caller's own", "member", "GET /api/auth/keys", "", 200, `{"data":[` + laptop + `],"next_cursor":null}`},
		{"a key needs a name", "member", "POST /api/auth/keys", `{}`, 400, invalid("name", "name is required.")},
		{"a key must not have expired", "member", "POST /api/auth/keys", `{"name":"ci","expires_at":"2020-01-01T00:00:00Z"}`, 400,
			invalid("expires_at", "The expiry must lie in the future.")},
		{"a key is shown when it is made", "member", "POST /api/auth/keys", `{"name":"ci","expires_at":"2099-01-01T00:00:00Z"}`, 201,
			`{"id":"ID","name":"ci","key":"KEY"}`},
		{"and never again", "member", "GET /api/auth/keys", "", 200, `{"data":[` + laptop + `,` + future + `],"next_cursor":null}`},
		{"page by page", "member", "GET /api/auth/keys?pageSize=101", "", 400, invalid("pageSize", "pageSize must be a whole number from 1 to 100.")},
		{"an unknown key cannot be revoked", "member", "DELETE /api/auth/keys/nope", "", 404, notFound("There is no API key with this id among yours.")},
		{"nothing else is here", "member", "GET /api/auth/nothing", "", 404, notFound("There is no /api/auth/nothing here.")},
	})
}

func TestKeysAreRevokedByTheirOwnerOrAnAdmin(t *testing.T) {
	t.Parallel()
	w := open(t)
	id := func(as string) string { return field(t, w.do("auth", as, "GET", "/api/auth/me", ""), "key", "id") }
	member, other := id("member"), id("other")
	const others = "There is no API key with this id among yours."
	w.golden("auth", []apiCase{
		{"a member cannot revoke another's key", "member", "DELETE /api/auth/keys/" + other, "", 404, notFound(others)},
		{"an admin can", "admin", "DELETE /api/auth/keys/" + other, "", 204, ""},
		{"a member can revoke its own", "member", "DELETE /api/auth/keys/" + member, "", 204, ""},
	})
	require.NoError(t, w.app.Reload(t.Context())) // what a running hub does within a second
	w.golden("auth", []apiCase{
		{"a revoked key admits nothing", "member", "GET /api/auth/me", "", 401, badKey},
		{"nor does the one the admin revoked", "other", "GET /api/auth/me", "", 401, badKey},
	})
}
