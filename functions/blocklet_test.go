package functions_test

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestTheUsersOfABlockletServerAreTheHubs(t *testing.T) {
	t.Parallel()
	eachHosted(t, nil, func(t *testing.T, h *hosted) {
		ada := h.server.Join("Ada", "owner")
		h.server.Change(ada, func(u *blocklet.User) { u.Avatar = "bn://avatar/a.png" })
		who := cookie(h.server.Login(ada, "owner"))
		m := h.me(0, who)
		require.NotNil(t, m, "the server's owner needs no set-up token")
		assert.Equal(t, "owner", m.User.Role)
		assert.Equal(t, "ada@host.example", m.User.Email)
		assert.Equal(t, "Ada", m.User.Name)
		assert.Equal(t, "zh-CN", m.User.Language)
		require.NotNil(t, m.Blocklet)
		assert.Equal(t, ada, m.Blocklet.DID)
		assert.Equal(t, []string{"owner"}, m.Blocklet.Roles)
		assert.Equal(t, "https://app.example/.well-known/service/user/avatar/a.png", m.Blocklet.Avatar)
		assert.Equal(t, m, h.me(1, who), "in whichever process")
		assert.Equal(t, 1, h.server.Asked["getUser"], "the server is asked once")
		assert.Equal(t, 200, h.send(0, "admin", who, "GET", "/api/admin/users", "").Code)
		assert.Equal(t, 200, h.ask(1, who))

		for role, want := range map[string]string{"admin": "admin", "member": "member", "guest": "guest", "editor": "guest"} {
			did := h.server.Join("U"+role, role)
			assert.Equal(t, want, h.role(0, bearer(h.server.Login(did, role))), role)
		}
		bare := h.server.Join("Bare")
		assert.Equal(t, "guest", h.role(0, bearer(h.server.Login(bare, "guest"))), "nobody needs a passport to be a guest")
		assert.Equal(t, 403, h.ask(0, bearer(h.server.Login(bare, "guest"))))
		assert.Empty(t, h.role(0, bearer(h.server.Login("z1nobodyTheServerKnows", "owner"))), "a user whom the server does not know")
		var acts []string
		require.NoError(t, h.apps[0].Store.Tx(t.Context(), readAudit("blocklet-server", &acts)))
		assert.Equal(t, []string{"user.create", "user.create", "user.create", "user.create", "user.create", "user.create"}, acts)
		assert.Empty(t, h.server.Bad, "every question was signed")
	})
}

func TestTheFirstSightOfAUserIsOne(t *testing.T) {
	t.Parallel()
	eachHosted(t, nil, func(t *testing.T, h *hosted) {
		did := h.server.Join("Bo", "member")
		token := h.server.Login(did, "member")
		var wg sync.WaitGroup
		ids := make([]string, 8)
		for i := range ids {
			wg.Go(func() {
				if m := h.me(i%2, bearer(token)); m != nil {
					ids[i] = m.User.ID
				}
			})
		}
		wg.Wait()
		for _, id := range ids {
			assert.Equal(t, ids[0], id)
		}
		users, err := h.apps[0].Store.Users(t.Context(), "", 10)
		require.NoError(t, err)
		assert.Len(t, users, 1)
	})
}

func TestTheProxysHeadersNameNobody(t *testing.T) {
	t.Parallel()
	h := onHost(t)
	boss, did := h.server.Join("Boss", "owner"), h.server.Join("Di", "member")
	require.Equal(t, "owner", h.role(0, cookie(h.server.Login(boss, "owner"))))
	pretend := func(who proof) proof {
		return func(r *http.Request) {
			who(r)
			r.RemoteAddr = "127.0.0.1:4711" // as from the server's proxy
			for name, value := range map[string]string{"X-User-Did": boss, "X-User-Role": "owner", "X-User-Fullname": "Boss", "X-User-Provider": "wallet",
				"X-Connected-Did": boss, "X-Blocklet-Did": h.server.AppDID, "X-Component-Did": "z2qaCNvKMv5GjouKdcDWexv6WqtHbpNPQDnAk"} {
				r.Header.Set(name, value)
			}
		}
	}
	assert.Empty(t, h.role(0, pretend(nobody)))
	assert.Equal(t, 401, h.ask(0, pretend(nobody)))
	assert.Equal(t, "member", h.role(0, pretend(cookie(h.server.Login(did, "member")))))
	in := func(where string) string {
		return "/api/auth/me?" + where + "=" + h.server.Login(did, "member").Reveal()
	}
	assert.Equal(t, 401, h.send(0, "auth", nobody, "GET", in("login_token"), "").Code, "tokens do not belong into addresses")
	assert.Equal(t, 401, h.send(0, "auth", nobody, "GET", in("access_token"), "").Code)
}

func TestAForgedSignInLetsNobodyIn(t *testing.T) {
	t.Parallel()
	h := onHost(t)
	did := h.server.Join("Eve", "member")
	good := h.server.Login(did, "member")
	require.Equal(t, "member", h.role(0, bearer(good)))
	past := time.Now().Add(-48 * time.Hour).Unix()
	for name, token := range map[string]hub.Secret{
		"expired":       h.server.Login(did, "owner", map[string]any{"iat": past, "exp": past + 60}),
		"not yet":       h.server.Login(did, "owner", map[string]any{"nbf": time.Now().Add(time.Hour).Unix()}),
		"another type":  h.server.Login(did, "owner", map[string]any{"type": "blocklet_controller"}),
		"to renew":      h.server.Login(did, "owner", map[string]any{"tokenType": "refresh"}),
		"other app":     h.server.Login(did, "owner", map[string]any{"aud": "zNKXaK3UuYfDW4vV6PmkscF8X2w9VzNu5b48"}),
		"cut":           good[:len(good)-2],
		"of nobody":     h.server.Login("", "owner"),
		"no DID at all": h.server.Login("owner@example.com", "owner"),
	} {
		assert.Empty(t, h.role(0, bearer(token)), name)
		assert.Empty(t, h.role(0, cookie(token)), name)
		assert.Equal(t, 401, h.ask(0, bearer(token)), name)
	}
	// A browser that also has a good sign-in is still signed in.
	both := func(r *http.Request) {
		cookie("old.old.old")(r)
		cookie(good)(r)
	}
	assert.Equal(t, "member", h.role(0, both))
	assert.Equal(t, 401, h.send(0, "auth", func(r *http.Request) { cookie(good)(r); bearer("sk-hub-bad")(r) }, "GET", "/api/auth/me", "").Code, "a bad key is not mended by a cookie")
}

func TestAPageOfAnotherSiteCannotUseASignInAtTheServer(t *testing.T) {
	t.Parallel()
	h := onHost(t)
	token := h.server.Login(h.server.Join("Fay", "member"), "member")
	const body = `{"name":"k"}`
	assert.Equal(t, 201, h.send(0, "auth", cookie(token), "POST", "/api/auth/keys", body).Code)
	assert.Equal(t, 403, h.send(0, "auth", func(r *http.Request) { cookie(token)(r); r.Header.Del(httpkit.CSRFHeader) }, "POST", "/api/auth/keys", body).Code)
	assert.Equal(t, 403, h.send(0, "auth", func(r *http.Request) { cookie(token)(r); r.Header.Set("Sec-Fetch-Site", "cross-site") }, "POST", "/api/auth/keys", body).Code)
	assert.Equal(t, 201, h.send(0, "auth", bearer(token), "POST", "/api/auth/keys", body).Code, "a program has to know the token")
}

func TestARoleIsNeverMoreThanTheServerGivesNow(t *testing.T) {
	t.Parallel()
	eachHosted(t, []string{"AIGNE_HUB_BLOCKLET_ROLES=owner=owner,admin=admin,editor=admin,member=member"}, func(t *testing.T, h *hosted) {
		ctx := t.Context()
		did := h.server.Join("Gus", "member", "editor")
		old := time.Now().Add(-time.Minute).Unix()
		as := func(role string, iat int64) proof {
			return bearer(h.server.Login(did, role, map[string]any{"iat": iat}))
		}
		assert.Equal(t, "admin", h.role(0, as("editor", old)))
		assert.Equal(t, "member", h.role(0, as("member", old)), "signed in with the lesser passport")
		assert.Equal(t, "admin", h.role(0, as("owner", old)), "a passport that the server does not say the user has")
		assert.Empty(t, h.role(0, as("guest", old)), "a role that lets nobody in")

		h.server.Change(did, func(u *blocklet.User) { u.Passports[1].Status = "revoked" })
		_, err := h.apps[0].Host.Learn(ctx, did)
		require.NoError(t, err)
		assert.Equal(t, "member", h.role(0, as("editor", old)), "an old token of a passport that was taken away")
		assert.Equal(t, "member", h.role(1, as("editor", old)))

		h.server.Change(did, func(u *blocklet.User) {
			u.Passports = append(u.Passports, blocklet.Passport{Name: "owner", Role: "owner", Status: "valid"})
		})
		assert.Equal(t, "member", h.role(0, as("owner", old)))
		assert.Equal(t, "owner", h.role(0, as("owner", time.Now().Add(2*time.Second).Unix())), "a newer sign-in has the server asked")
		assert.Equal(t, "owner", h.role(1, as("owner", old)))

		h.server.Change(did, func(u *blocklet.User) { u.Passports = nil })
		require.NoError(t, h.apps[1].Host.Sweep(ctx))
		assert.Empty(t, h.role(0, as("owner", old)), "none of the roles lets a user in, the last owner neither")
		u, err := h.apps[0].Store.HostUser(ctx, did, "")
		require.NoError(t, err)
		assert.NotNil(t, u.DisabledAt)
	})
}

func TestSigningOutEndsATokenHere(t *testing.T) {
	t.Parallel()
	eachHosted(t, nil, func(t *testing.T, h *hosted) {
		did := h.server.Join("Hal", "member")
		here, there := h.server.Login(did, "member"), h.server.Login(did, "member", map[string]any{"elevated": true})
		require.Equal(t, "member", h.role(0, cookie(here)))
		res := h.send(0, "auth", cookie(here), "POST", "/api/auth/logout", "")
		require.Equal(t, 204, res.Code, res.Body.String())
		assert.Contains(t, strings.Join(res.Header().Values("Set-Cookie"), "\n"), "login_token=; Path=/; Max-Age=0; HttpOnly; Secure")
		for i := range h.apps {
			assert.Empty(t, h.role(i, cookie(here)))
			assert.Empty(t, h.role(i, bearer(here)))
			assert.Equal(t, "member", h.role(i, cookie(there)), "another browser stays signed in")
		}
		assert.Equal(t, 401, h.send(0, "auth", cookie(here), "POST", "/api/auth/logout", "").Code)
		assert.Equal(t, 403, h.send(0, "auth", bearer(there), "POST", "/api/auth/logout", "").Code, "a program has no session")
	})
}

func TestTheHubsOwnSignInIsOffOnABlockletServer(t *testing.T) {
	t.Parallel()
	h := onHost(t)
	_, err := h.apps[0].Users.NewSetupToken(t.Context())
	require.ErrorIs(t, err, identity.ErrElsewhere)
	for target, body := range map[string]string{
		"POST /api/auth/setup":                `{"token":"x","email":"a@example.com","password":"violet kettle sings"}`,
		"POST /api/auth/login":                `{"email":"a@example.com","password":"x"}`,
		"POST /api/auth/invitations/read":     `{"token":"x"}`,
		"POST /api/auth/invitations/accept":   `{"token":"x","password":"violet kettle sings"}`,
		"POST /api/auth/password/forgot":      `{"email":"a@example.com"}`,
		"POST /api/auth/password/reset":       `{"token":"x","password":"violet kettle sings"}`,
		"GET /api/auth/oidc/sso/start":        "",
		"POST /api/auth/oidc/sso/start":       `{}`,
		"GET /api/auth/oidc/sso/callback?x=y": "",
	} {
		method, path, _ := strings.Cut(target, " ")
		assert.Equal(t, 403, h.send(0, "auth", nobody, method, path, body).Code, target)
	}
	who := cookie(h.server.Login(h.server.Join("Ida", "owner"), "owner"))
	for target, body := range map[string]string{
		"PUT /api/auth/password":                `{"password":"violet kettle sings"}`,
		"POST /api/auth/second-factor":          `{}`,
		"POST /api/auth/second-factor/confirm":  `{"code":"123456"}`,
		"POST /api/auth/second-factor/remove":   `{}`,
		"DELETE /api/auth/identities/something": "",
	} {
		method, path, _ := strings.Cut(target, " ")
		assert.Equal(t, 403, h.send(0, "auth", who, method, path, body).Code, target)
	}
	assert.JSONEq(t, `{"providers":[],"mail":false,"set_up":true,"blocklet":{"sign_in":"/.well-known/service/login","sign_out":"/.well-known/service/api/user/logout","only":true}}`,
		h.send(0, "auth", nobody, "GET", "/api/auth/providers", "").Body.String())
	assert.JSONEq(t, `{"data":[]}`, h.send(0, "auth", who, "GET", "/api/auth/sessions", "").Body.String())

	both := onHost(t, "AIGNE_HUB_BLOCKLET_SIGN_IN=both")
	_, err = both.apps[0].Users.NewSetupToken(t.Context())
	require.NoError(t, err)
	_, err = both.apps[0].Desk.CreateUser(t.Context(), "test", "m@example.com", hub.RoleMember, goodPassword)
	require.NoError(t, err)
	res := both.send(0, "auth", nobody, "POST", "/api/auth/login", loginBody("m", goodPassword))
	require.Equal(t, 200, res.Code, res.Body.String())
	own := func(r *http.Request) {
		for _, c := range res.Result().Cookies() {
			r.AddCookie(c)
		}
	}
	assert.Equal(t, "member", both.role(0, own))
	assert.Equal(t, "member", both.role(0, cookie(both.server.Login(both.server.Join("Jo", "member"), "member"))))
}

func TestAnAddressAtTheServerTakesNobodyOver(t *testing.T) {
	t.Parallel()
	eachHosted(t, nil, func(t *testing.T, h *hosted) {
		ctx := t.Context()
		mine, err := h.apps[0].Desk.CreateUser(ctx, "test", "kim@host.example", hub.RoleOwner, "")
		require.NoError(t, err)
		did := h.server.Join("Kim", "member")
		m := h.me(0, bearer(h.server.Login(did, "member")))
		require.NotNil(t, m)
		assert.NotEqual(t, mine.ID, m.User.ID)
		assert.Equal(t, "member", m.User.Role)
		assert.Equal(t, did+"@did.invalid", m.User.Email)

		lee := h.server.Join("Lee", "admin")
		h.server.Change(lee, func(u *blocklet.User) { u.EmailVerified = false })
		assert.Equal(t, lee+"@did.invalid", h.me(0, bearer(h.server.Login(lee, "admin"))).User.Email, "an address that the server did not verify")
		mails, err := h.apps[0].Store.Administrators(ctx)
		require.NoError(t, err)
		assert.Equal(t, []string{"kim@host.example"}, mails, "nobody is written to at an address that is none")
		h.server.Change(lee, func(u *blocklet.User) { u.EmailVerified = true })
		_, err = h.apps[0].Host.Learn(ctx, lee)
		require.NoError(t, err)
		assert.Equal(t, "lee@host.example", h.me(1, bearer(h.server.Login(lee, "admin"))).User.Email)
	})
}

func TestWithoutProvisioningOnlyKnownDIDsComeIn(t *testing.T) {
	t.Parallel()
	h := onHost(t, "AIGNE_HUB_BLOCKLET_PROVISION=off")
	did := h.server.Join("Max", "admin")
	who := bearer(h.server.Login(did, "admin"))
	assert.Empty(t, h.role(0, who))
	_, err := h.apps[0].Desk.CreateUser(t.Context(), "test", "max@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	_, err = h.apps[0].Desk.SetDID(t.Context(), "test", "max@example.com", did)
	require.NoError(t, err)
	assert.Equal(t, "admin", h.role(0, who), "the role is the server's")
}

func TestTheServerAwayIsNoReasonToLetAnybodyIn(t *testing.T) {
	t.Parallel()
	h := onHost(t)
	known, stranger := h.server.Join("Ned", "member"), h.server.Join("Oz", "member")
	require.Equal(t, "member", h.role(0, bearer(h.server.Login(known, "member"))))
	h.server.Lock()
	h.server.Away = true
	h.server.Unlock()
	assert.Equal(t, "member", h.role(0, bearer(h.server.Login(known, "member", map[string]any{"iat": time.Now().Add(-time.Hour).Unix()}))))
	assert.Equal(t, 503, h.send(0, "auth", bearer(h.server.Login(stranger, "member")), "GET", "/api/auth/me", "").Code)
	_, err := h.apps[0].Store.HostUser(t.Context(), stranger, "")
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestAServerThatCannotBeAskedSpeaksByItsTokens(t *testing.T) {
	t.Parallel()
	eachHosted(t, []string{"ABT_NODE_PORT="}, func(t *testing.T, h *hosted) {
		did := h.server.Join("Uma", "nobody asks")
		now := time.Now().Unix()
		at := func(role string, iat int64) proof {
			return bearer(h.server.Login(did, role, map[string]any{"iat": iat, "fullName": "Uma"}))
		}
		assert.Equal(t, "member", h.role(0, at("member", now-100)))
		assert.Equal(t, "member", h.role(0, at("owner", now-200)), "what is older gives no more")
		assert.Equal(t, "admin", h.role(1, at("admin", now-50)))
		assert.Equal(t, "member", h.role(0, at("member", now-100)))
		assert.Equal(t, "guest", h.role(0, at("guest", now-20)))
		assert.Equal(t, "guest", h.role(0, at("admin", now-50)), "the newest sign-in counts")
		assert.Empty(t, h.server.Asked)
		assert.Equal(t, did+"@did.invalid", h.me(0, at("guest", now-20)).User.Email)
		assert.Equal(t, 503, h.send(0, "auth", bearer(h.server.AccessKey(did, "owner")), "GET", "/api/auth/me", "").Code)
	})
}

func TestTwoPeoplesIdempotencyKeysNeverMeet(t *testing.T) {
	t.Parallel()
	h := onHost(t)
	with := func(name string) proof {
		token := h.server.Login(h.server.Join(name, "member"), "member")
		return func(r *http.Request) { bearer(token)(r); r.Header.Set("Idempotency-Key", "monday") }
	}
	vic, wes := with("Vic"), with("Wes")
	assert.Equal(t, 200, h.ask(0, vic))
	assert.Equal(t, 200, h.ask(0, wes))
	assert.Equal(t, 409, h.ask(1, vic))
}
