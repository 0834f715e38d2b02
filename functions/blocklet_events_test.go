package functions_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeblocklet"
)

func block(u *blocklet.User) { u.Approved = new(bool) }

func TestWhoIsBlockedAtTheServerIsOutEverywhereAtOnce(t *testing.T) {
	t.Parallel()
	eachHosted(t, nil, func(t *testing.T, h *hosted) {
		h.follow()
		ctx := t.Context()
		did := h.server.Join("Pam", "owner")
		ways := map[string]proof{"cookie": cookie(h.server.Login(did, "owner")), "token": bearer(h.server.Login(did, "owner")), "access key": bearer(h.server.AccessKey(did, "owner"))}
		m := h.me(0, ways["cookie"])
		require.NotNil(t, m)
		key, _, err := h.apps[0].Desk.CreateKey(ctx, "test", m.User.Email, "laptop", nil)
		require.NoError(t, err)
		ways["API key"] = bearer(key)
		all := func(in bool) bool {
			for i := range h.apps {
				for _, who := range ways {
					if (h.role(i, who) != "") != in || (h.ask(i, who) == 200) != in {
						return false
					}
				}
			}
			return true
		}
		require.True(t, all(true))

		h.server.Change(did, block)
		h.server.TellForged("user.updated", did)
		time.Sleep(200 * time.Millisecond)
		require.True(t, all(true), "who is not the server says nothing")
		h.server.Tell("user.updated", did)
		disabled := func(want bool) func() bool {
			return func() bool {
				u, err := h.apps[1].Store.UserByID(ctx, m.User.ID)
				return err == nil && (u.DisabledAt != nil) == want
			}
		}
		h.within2s(disabled(true), "blocked, though the last owner")
		assert.Equal(t, 401, h.ask(1, ways["API key"]), "nothing is admitted from then on")
		assert.Equal(t, 401, h.ask(1, ways["token"]))
		h.then(func() bool { return all(false) }, "out everywhere")
		u, err := h.apps[1].Store.UserByID(ctx, m.User.ID)
		require.NoError(t, err)
		since := u.DisabledAt
		require.NotNil(t, since)
		_, err = h.apps[0].Desk.SetDisabled(ctx, "test", u.Email, false)
		require.ErrorContains(t, err, "The Blocklet Server does not let", "an operator cannot let in whom the server does not")
		for range 3 { // the same again is nothing new
			h.server.Tell("user.updated", did)
		}
		h.server.Change(did, func(u *blocklet.User) { u.Name = "Pamela" })
		h.server.Tell("user.profile.updated", did)
		h.within2s(func() bool {
			u, err = h.apps[1].Store.UserByID(ctx, m.User.ID)
			return err == nil && u.Name == "Pamela"
		}, "the profile is followed meanwhile")
		assert.Equal(t, since, u.DisabledAt)

		h.server.Change(did, func(u *blocklet.User) { u.Approved = nil })
		h.server.Tell("user.updated", did)
		h.within2s(disabled(false), "let in again")
		h.then(func() bool { return all(true) }, "everywhere")

		_, err = h.apps[0].Desk.CreateUser(ctx, "test", "o@example.com", hub.RoleOwner, "")
		require.NoError(t, err)
		_, err = h.apps[0].Desk.SetDisabled(ctx, "test", u.Email, true)
		require.NoError(t, err)
		h.server.Change(did, block)
		h.server.Tell("user.updated", did)
		h.within2s(func() bool { n, err := h.apps[0].Store.HostUser(ctx, did, ""); return err == nil && n.BlockedAt != nil }, "blocked there too")
		h.server.Change(did, func(u *blocklet.User) { u.Approved = nil })
		h.server.Tell("user.updated", did)
		h.within2s(func() bool { n, err := h.apps[0].Store.HostUser(ctx, did, ""); return err == nil && n.BlockedAt == nil }, "and not any more")
		h.then(func() bool { return all(false) }, "whom an operator disabled here stays out")
		assert.Empty(t, h.server.Bad)
	})
}

func TestEventsComeInAnyOrderOrNotAtAll(t *testing.T) {
	t.Parallel()
	eachHosted(t, nil, func(t *testing.T, h *hosted) {
		h.follow()
		ctx := t.Context()
		known := func(did string) store.HostUser {
			u, err := h.apps[1].Store.HostUser(ctx, did, "")
			if !errors.Is(err, store.ErrNotFound) {
				require.NoError(t, err)
			}
			return u
		}
		did := h.server.Join("Quy", "member")
		h.server.Tell("user.updated", did) // before anybody said that there is such a user
		h.within2s(func() bool { return known(did).ID != "" }, "an update makes the user too")
		first := known(did)
		h.server.Tell("user.added", did)
		h.server.Tell("user.added", did)

		gone := h.server.Remove(did)
		h.server.Tell("user.updated", did) // late
		h.server.Tell("user.removed", did)
		h.within2s(func() bool { return known(did).DisabledAt != nil }, "removed")
		token := h.server.Login(did, "member", map[string]any{"iat": time.Now().Add(-time.Hour).Unix()})
		assert.Empty(t, h.role(1, bearer(token)))
		h.server.Return(gone)
		h.server.Tell("user.removed", did) // twice, and late
		h.server.Tell("user.added", did)
		h.within2s(func() bool { return known(did).DisabledAt == nil }, "back again")
		assert.Equal(t, first.ID, known(did).ID, "the same user, with the same books")
		assert.Equal(t, "member", h.role(0, bearer(token)))

		stranger := blocklet.Address(make([]byte, 32), blocklet.RoleAccount)
		h.server.Tell("user.removed", stranger)
		h.server.Tell("user.removed", "'; DROP TABLE users; --")

		// Nothing is heard of for a while; then all is asked for.
		h.server.Hang()
		h.server.Change(did, block)
		h.server.Tell("user.updated", did) // nobody listens
		assert.Eventually(t, func() bool { return known(did).DisabledAt != nil }, 5*time.Second, 20*time.Millisecond, "caught up with after the next connection")
		assert.Empty(t, known(stranger).ID)
		users, err := h.apps[0].Store.Users(ctx, "", 10)
		require.NoError(t, err)
		assert.Len(t, users, 1)
	})
}

func TestAnOldAnswerOfTheServerChangesNothing(t *testing.T) {
	t.Parallel()
	eachHosted(t, nil, func(t *testing.T, h *hosted) {
		ctx := t.Context()
		did := h.server.Join("Rae", "member")
		u, err := h.apps[0].Host.Learn(ctx, did)
		require.NoError(t, err)
		at := time.Now()
		newer, older := u, u
		newer.ReadAt, newer.BlockedAt = at, &at
		done, err := h.apps[0].Store.SetHostUser(ctx, newer)
		require.NoError(t, err)
		assert.True(t, done)
		older.ReadAt, older.Role = at.Add(-time.Millisecond), hub.RoleOwner
		done, err = h.apps[1].Store.SetHostUser(ctx, older)
		require.NoError(t, err)
		assert.False(t, done)
		now, err := h.apps[1].Store.HostUser(ctx, did, "")
		require.NoError(t, err)
		assert.Equal(t, hub.RoleMember, now.Role)
		assert.NotNil(t, now.DisabledAt)
	})
}

func TestAnAccessKeyOfTheServerIsItsMakers(t *testing.T) {
	t.Parallel()
	eachHosted(t, nil, func(t *testing.T, h *hosted) {
		did := h.server.Join("Sue", "admin")
		key := h.server.AccessKey(did, "admin")
		set := func(change func(k *fakeblocklet.AccessKey)) {
			h.server.Lock()
			defer h.server.Unlock()
			change(h.server.Keys[key.Reveal()])
			for _, a := range h.apps {
				a.Host.Forget()
			}
		}
		assert.Equal(t, "admin", h.role(0, bearer(key)), "also before its maker was seen")
		assert.Equal(t, 200, h.ask(1, func(r *http.Request) { r.Header.Set("X-Api-Key", key.Reveal()) }))
		calls, err := h.apps[0].Store.Calls(t.Context(), store.CallFilter{})
		require.NoError(t, err)
		require.Len(t, calls, 1)
		assert.Equal(t, h.server.Keys[key.Reveal()].ID, calls[0].AppID)
		for i := 0; i < 5; i++ {
			h.role(0, bearer(key))
		}
		assert.LessOrEqual(t, h.server.Asked["verifyAccessKey"], 3, "the server is not asked each time")
		assert.Equal(t, 403, h.send(0, "auth", bearer(key), "POST", "/api/auth/logout", "").Code, "a key is no session")

		set(func(k *fakeblocklet.AccessKey) { k.Passport = "blocklet-member" })
		assert.Equal(t, "member", h.role(0, bearer(key)))
		set(func(k *fakeblocklet.AccessKey) { k.Passport = "blocklet-owner" })
		assert.Equal(t, "admin", h.role(0, bearer(key)), "no more than its maker")
		for _, end := range []any{time.Now().Add(-time.Second).UnixMilli(), fmt.Sprint(time.Now().Add(-time.Second).UnixMilli()), time.Now().Add(-time.Second).UTC().Format(time.RFC3339)} {
			set(func(k *fakeblocklet.AccessKey) { k.ExpireAt = end })
			assert.Empty(t, h.role(0, bearer(key)), "expired %v", end)
		}
		set(func(k *fakeblocklet.AccessKey) { k.ExpireAt = "some day" })
		assert.Equal(t, 503, h.send(0, "auth", bearer(key), "GET", "/api/auth/me", "").Code)
		set(func(k *fakeblocklet.AccessKey) { k.ExpireAt = time.Now().Add(time.Hour).UnixMilli() })
		assert.Equal(t, "admin", h.role(0, bearer(key)))

		h.server.Lock()
		delete(h.server.Keys, key.Reveal())
		h.server.Unlock()
		assert.Eventually(t, func() bool { return h.role(0, bearer(key)) == "" }, 10*time.Second, 20*time.Millisecond, "revoked at the server: unknown here two seconds later")
		for _, bad := range []hub.Secret{"blocklet-", "blocklet-zzz", "blocklet-" + key[9:20], h.server.AccessKey(did, "admin") + "1"} {
			assert.Equal(t, 401, h.send(0, "auth", bearer(bad), "GET", "/api/auth/me", "").Code)
		}
		assert.Equal(t, 401, h.ask(0, bearer("some-other-key")))
	})
}

func TestComponentsCallWithTheirServiceKeys(t *testing.T) {
	t.Parallel()
	eachHosted(t, nil, func(t *testing.T, h *hosted) {
		ctx := t.Context()
		const path = "/api/v2/chat/completions"
		signed := func(process int, method, target, body, component string, change func(r *http.Request)) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			require.NoError(t, h.server.Sign(r, []byte(body), component))
			if change != nil {
				change(r)
			}
			res := httptest.NewRecorder()
			fn := "proxy"
			switch {
			case strings.HasPrefix(target, "/api/usage"):
				fn = "usage"
			case strings.HasPrefix(target, "/api/admin"):
				fn = "admin"
			case strings.HasPrefix(target, "/api/auth"):
				fn = "auth"
			}
			h.fn[process][fn].ServeHTTP(res, r)
			return res
		}
		said := 0
		say := func() string {
			said++
			return fmt.Sprintf(`{"model":"openai/gpt-fake","messages":[{"role":"user","content":"Hi %d"}]}`, said)
		}
		assert.Equal(t, 403, signed(0, "POST", path, say(), fakeblocklet.OtherDID, nil).Code, "an operator has to let it first")
		_, err := h.apps[0].Desk.CreateUser(ctx, "test", "boss@example.com", hub.RoleOwner, "")
		require.NoError(t, err)
		name := "Payment"
		_, err = h.apps[0].Desk.SetApp(ctx, "test", fakeblocklet.OtherDID, operator.ChangedApp{Name: &name})
		require.NoError(t, err)
		_, row, err := h.apps[0].Desk.CreateLimitedKey(ctx, "test", "boss@example.com", "svc", nil, operator.KeyLimits{App: fakeblocklet.OtherDID})
		require.NoError(t, err)

		body := say()
		var once http.Header
		res := signed(0, "POST", path, body, fakeblocklet.OtherDID, func(r *http.Request) {
			r.Header.Set("X-User-Did", "z1somebody")
			r.Header.Set("X-Aigne-Hub-Client-Did", "z1another")
			once = r.Header.Clone()
		})
		require.Equal(t, 200, res.Code, res.Body.String())
		calls, err := h.apps[0].Store.Calls(ctx, store.CallFilter{})
		require.NoError(t, err)
		require.Len(t, calls, 1)
		assert.Equal(t, fakeblocklet.OtherDID, calls[0].AppID, "it names itself, and nobody else")
		assert.Equal(t, row.ID, calls[0].APIKeyID)

		for what, change := range map[string]func(r *http.Request){
			"again":                   func(r *http.Request) { r.Header = once.Clone() },
			"as another component":    func(r *http.Request) { r.Header = once.Clone(); r.Header.Set("X-Component-Did", fakeblocklet.HubDID) },
			"with an idempotency key": func(r *http.Request) { r.Header = once.Clone(); r.Header.Set("Idempotency-Key", "x") },
		} {
			code := signed(1, "POST", path, body, fakeblocklet.OtherDID, change).Code
			assert.Contains(t, []int{403, 409}, code, what)
		}
		again := func(target, body string) int {
			return signed(0, "POST", target, body, fakeblocklet.OtherDID, func(r *http.Request) { r.Header = once.Clone() }).Code
		}
		assert.Equal(t, 401, again(path, say()), "another body")
		assert.Equal(t, 401, again("/api/v2/completions", body), "another path")
		assert.Equal(t, 401, again(path+"?a=b", body), "another query")
		assert.Equal(t, 401, signed(0, "POST", path, say(), "z1notAComponentOfTheApp", nil).Code)
		assert.Equal(t, 401, signed(0, "POST", path, say(), fakeblocklet.OtherDID, func(r *http.Request) { r.Header.Set("X-Component-Sig", "0x00") }).Code)
		assert.Equal(t, 200, signed(0, "POST", path, say(), fakeblocklet.OtherDID, nil).Code)

		assert.Equal(t, 200, signed(0, "GET", "/v1/models", "", fakeblocklet.OtherDID, nil).Code)
		assert.Equal(t, 403, signed(0, "GET", "/api/usage/quota", "", fakeblocklet.OtherDID, nil).Code, "what the key's user used is none of its business")
		assert.Equal(t, 403, signed(0, "GET", "/api/admin/users", "", fakeblocklet.OtherDID, nil).Code, "though its key's user is the owner")
		assert.Equal(t, 403, signed(0, "POST", "/api/auth/keys", `{"name":"k"}`, fakeblocklet.OtherDID, nil).Code)
		assert.Equal(t, 403, signed(0, "POST", "/api/auth/logout", "", fakeblocklet.OtherDID, nil).Code)

		// On behalf of a user, it sends the user's token.
		did := h.server.Join("Tom", "member")
		res = signed(0, "POST", path, say(), fakeblocklet.OtherDID, func(r *http.Request) {
			bearer(h.server.Login(did, "member"))(r)
			r.Header.Set("X-Aigne-Hub-Client-Did", fakeblocklet.OtherDID)
		})
		require.Equal(t, 200, res.Code, res.Body.String())
		calls, err = h.apps[0].Store.Calls(ctx, store.CallFilter{})
		require.NoError(t, err)
		require.Len(t, calls, 3)
		u, err := h.apps[0].Store.HostUser(ctx, did, "")
		require.NoError(t, err)
		assert.Equal(t, []string{u.ID, fakeblocklet.OtherDID}, []string{calls[0].UserID, calls[0].AppID})

		require.NoError(t, h.apps[1].Desk.RevokeKey(ctx, "test", row.ID))
		assert.Contains(t, []int{401, 403}, signed(0, "POST", path, say(), fakeblocklet.OtherDID, nil).Code, "its end is the service key's")
	})
}
