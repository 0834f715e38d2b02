package functions_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// postbox takes every mail.
type postbox struct {
	mu   sync.Mutex
	got  []notify.Message
	down bool
}

func (m *postbox) Send(_ context.Context, n notify.Message) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return errors.New("mail server: connection refused")
	}
	m.got = append(m.got, n)
	return nil
}

var linked = regexp.MustCompile(`https://hub\.example\.com/sign-in#(invitation|reset)=([A-Za-z0-9_-]{43})`)

// token takes the token out of a text with a link.
func (w *world) token(text, kind string) string {
	w.t.Helper()
	m := linked.FindStringSubmatch(text)
	require.NotNil(w.t, m, text)
	require.Equal(w.t, kind, m[1])
	w.secrets = append(w.secrets, m[2])
	return m[2]
}

func TestAnInvitationMakesOneUser(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	const path = "/api/admin/invitations"
	made := w.do("admin", "admin", "POST", path, `{"email":"new@example.com","role":"member","groups":["team"]}`)
	require.Equal(t, 201, made.Code, made.Body.String())
	assert.Equal(t, "no-store", made.Header().Get("Cache-Control"))
	id, first := field(t, made, "id"), w.token(made.Body.String(), "invitation")
	assert.Contains(t, made.Body.String(), `"mailed":false`, "without a mail server the link is for the admin to pass on")
	again := w.do("admin", "admin", "POST", path+"/"+id+"/resend", "")
	second := w.token(again.Body.String(), "invitation")

	b := w.browser()
	read := func(token string) *httptest.ResponseRecorder {
		return b.send("auth", "POST", "/api/auth/invitations/read", `{"token":"`+token+`"}`)
	}
	accept := func(token, rest string) *httptest.ResponseRecorder {
		return b.send("auth", "POST", "/api/auth/invitations/accept", `{"token":"`+token+`",`+rest+`}`)
	}
	w.secrets = append(w.secrets, goodPassword)
	const good = `"password":"` + goodPassword + `","name":"New One","language":"ja","time_zone":"Asia/Tokyo"`
	assert.Equal(t, 403, read(first).Code, "the newer link replaces the older one")
	assert.Contains(t, read(second).Body.String(), `"email":"new@example.com"`)
	assert.Equal(t, 400, accept(second, `"password":"new@example.com"`).Code, "the password must be fit")
	assert.Equal(t, 400, accept(second, `"password":"`+goodPassword+`","time_zone":"Mars/Base"`).Code)
	ok := accept(second, good)
	require.Equal(t, 201, ok.Code, ok.Body.String())
	assert.Equal(t, 403, accept(second, good).Code, "it works once")

	me := b.send("auth", "GET", "/api/auth/me", "")
	assert.JSONEq(t, `{"user":{"id":"ID","email":"new@example.com","name":"New One","role":"member","language":"ja","time_zone":"Asia/Tokyo"},
		"sign_in":{"password":true,"second_factor":false},"key":null}`, settled(me.Body.String()), "accepting signs in")
	u, err := w.app.Store.UserByEmail(t.Context(), "new@example.com")
	require.NoError(t, err)
	assert.Equal(t, []string{"team"}, u.Groups)
	taken := w.do("admin", "admin", "POST", path, `{"email":"NEW@example.com","role":"member"}`)
	assert.Equal(t, 409, taken.Code)

	list := w.do("admin", "admin", "GET", path, "")
	assert.NotContains(t, list.Body.String(), u.PasswordHash)
	assert.Regexp(t, `"accepted_at":"20`, list.Body.String())
}

func TestOnlyAnOwnerInvitesOwners(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	const path = "/api/admin/invitations"
	assert.Equal(t, 403, w.do("admin", "admin", "POST", path, `{"email":"boss@example.com","role":"owner"}`).Code)
	made := w.do("admin", "owner", "POST", path, `{"email":"boss@example.com","role":"owner"}`)
	require.Equal(t, 201, made.Code)
	token, id := w.token(made.Body.String(), "invitation"), field(t, made, "id")
	assert.Equal(t, 403, w.do("admin", "admin", "POST", path+"/"+id+"/resend", "").Code, "or an admin would get the link of one")
	assert.Equal(t, 404, w.do("admin", "admin", "POST", path+"/nope/resend", "").Code)
	assert.Equal(t, 204, w.do("admin", "admin", "DELETE", path+"/"+id, "").Code, "ending one is everybody's")
	assert.Equal(t, 404, w.do("admin", "admin", "DELETE", path+"/"+id, "").Code)
	assert.Equal(t, 403, w.browser().send("auth", "POST", "/api/auth/invitations/accept", `{"token":"`+token+`","password":"`+goodPassword+`"}`).Code)
}

func TestOfTwoWhoAcceptOneBecomesTheUser(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	made := w.do("admin", "admin", "POST", "/api/admin/invitations", `{"email":"new@example.com","role":"member"}`)
	token := w.token(made.Body.String(), "invitation")
	n, err := w.app.Desk.Invitation(t.Context(), hub.Secret(token))
	require.NoError(t, err)
	var done sync.WaitGroup
	var mu sync.Mutex
	made2 := 0
	for range 8 {
		done.Go(func() {
			u := n
			_, err := w.app.Store.Accept(context.Background(), u, store.User{Email: n.Email}, nil)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				made2++
			}
		})
	}
	done.Wait()
	assert.Equal(t, 1, made2)
}

func TestAdminsChangeUsersButNotOwners(t *testing.T) {
	t.Parallel()
	w := open(t)
	const users = "/api/admin/users/"
	patch := func(as, email, body string) int { return w.do("admin", as, "PATCH", users+email, body).Code }
	assert.Equal(t, 200, patch("admin", "member@example.com", `{"role":"guest","disabled":true}`))
	assert.Equal(t, 200, patch("admin", "member@example.com", `{"role":"member","disabled":false}`))
	assert.Equal(t, 403, patch("admin", "member@example.com", `{"role":"owner"}`))
	assert.Equal(t, 400, patch("admin", "member@example.com", `{"role":"king"}`))
	assert.Equal(t, 404, patch("admin", "nobody@example.com", `{"role":"guest"}`))
	for _, body := range []string{`{"role":"member"}`, `{"disabled":true}`} {
		assert.Equal(t, 403, patch("admin", "owner@example.com", body), "an admin keeps its hands off owners")
		assert.Equal(t, 409, patch("owner", "owner@example.com", body), "the last owner stays")
	}
	assert.Equal(t, 403, w.do("admin", "admin", "POST", users+"owner@example.com/reset-link", "").Code)
	assert.Equal(t, 200, patch("owner", "admin@example.com", `{"role":"owner"}`))
	assert.Equal(t, 200, patch("owner", "owner@example.com", `{"disabled":true}`), "now there is another")
	require.NoError(t, w.app.Reload(t.Context()))
	assert.Equal(t, 401, w.do("auth", "owner", "GET", "/api/auth/me", "").Code, "a disabled user's key is dead")
	assert.Equal(t, 409, patch("admin", "admin@example.com", `{"role":"admin"}`), "a disabled owner does not count")
}

func TestAdminsEndSessions(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	a, b := w.browser(), w.browser()
	a.signIn("member")
	list := w.do("admin", "admin", "GET", "/api/admin/users/member@example.com/sessions", "")
	require.Equal(t, 200, list.Code)
	var got struct{ Data []struct{ ID, Method string } }
	require.NoError(t, json.Unmarshal(list.Body.Bytes(), &got))
	require.Len(t, got.Data, 1)
	b.signIn("member")
	assert.Equal(t, 204, w.do("admin", "admin", "DELETE", "/api/admin/sessions/"+got.Data[0].ID, "").Code)
	assert.Equal(t, 404, w.do("admin", "admin", "DELETE", "/api/admin/sessions/"+got.Data[0].ID, "").Code)
	assert.Equal(t, 401, a.send("auth", "GET", "/api/auth/me", "").Code)
	assert.Equal(t, 200, b.send("auth", "GET", "/api/auth/me", "").Code)
	assert.Equal(t, 204, w.do("admin", "admin", "DELETE", "/api/admin/users/member@example.com/sessions", "").Code)
	assert.Equal(t, 401, b.send("auth", "GET", "/api/auth/me", "").Code)
}

func TestAForgottenPasswordIsReplacedByMail(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	b := w.browser()
	forgot := func(email string) *httptest.ResponseRecorder {
		return b.send("auth", "POST", "/api/auth/password/forgot", `{"email":"`+email+`"}`)
	}
	assert.Equal(t, 503, forgot("member@example.com").Code, "there is no mail server, and it says so")
	box := &postbox{down: true}
	w.app.Notify.Mail = box
	known, unknown := forgot("Member@example.com"), forgot("nobody@example.com")
	assert.Equal(t, 202, known.Code)
	assert.Equal(t, known.Body.String(), unknown.Body.String())
	require.NoError(t, w.app.Desk.SendResets(t.Context()))
	box.down = false
	require.NoError(t, w.app.Desk.SendResets(t.Context()), "a mail server that was down is tried again")
	require.NoError(t, w.app.Desk.SendResets(t.Context()))
	require.Len(t, box.got, 1)
	assert.Equal(t, "member@example.com", box.got[0].To)
	token := w.token(box.got[0].Text, "reset")

	a := w.browser()
	a.signIn("member")
	const next = "another kettle hums"
	w.secrets = append(w.secrets, next)
	reset := func(token, password string) int {
		return b.send("auth", "POST", "/api/auth/password/reset", `{"token":"`+token+`","password":"`+password+`"}`).Code
	}
	assert.Equal(t, 403, reset("x"+token[1:], next))
	assert.Equal(t, 400, reset(token, "password123"))
	assert.Equal(t, 204, reset(token, next))
	assert.Equal(t, 403, reset(token, next), "it works once")
	assert.Equal(t, 401, a.send("auth", "GET", "/api/auth/me", "").Code, "sessions of whoever had the old password end")
	assert.Equal(t, 401, b.send("auth", "GET", "/api/auth/me", "").Code, "it signs nobody in")
	assert.Equal(t, 200, b.send("auth", "POST", "/api/auth/login", loginBody("member", next)).Code)

	for range 4 {
		require.Equal(t, 202, forgot("nobody@example.com").Code)
	}
	assert.Equal(t, 429, forgot("nobody@example.com").Code, "an address gets so many mails and no more, whoever has it")
}

func TestAResetLinkIsForItsUserAndTime(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	res := w.do("admin", "admin", "POST", "/api/admin/users/member@example.com/reset-link", "")
	require.Equal(t, 201, res.Code)
	token := w.token(res.Body.String(), "reset")
	u, err := w.app.Store.UserByEmail(t.Context(), "member@example.com")
	require.NoError(t, err)
	require.NoError(t, w.app.Store.SetReset(t.Context(), u.ID, identity.Hash(hub.Secret(token)), time.Now().Add(-time.Second)))
	body := `{"token":"` + token + `","password":"` + goodPassword + `"}`
	assert.Equal(t, 403, w.browser().send("auth", "POST", "/api/auth/password/reset", body).Code, "it has expired")
	token = w.token(w.do("admin", "admin", "POST", "/api/admin/users/member@example.com/reset-link", "").Body.String(), "reset")
	_, err = w.app.Desk.SetDisabled(t.Context(), "test", "member@example.com", true)
	require.NoError(t, err)
	body = `{"token":"` + token + `","password":"` + goodPassword + `"}`
	assert.Equal(t, 403, w.browser().send("auth", "POST", "/api/auth/password/reset", body).Code, "nor does it let a disabled user in")
}

func TestUsersDescribeThemselves(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.golden("auth", []apiCase{
		{"a language that the hub does not speak", "member", "PATCH /api/auth/me", `{"language":"tlh"}`, 400, invalid("language", "The language must be one of en, zh-CN, zh-TW, ja.")},
		{"a time zone that is none", "member", "PATCH /api/auth/me", `{"time_zone":"Local"}`, 400,
			invalid("time_zone", "The time zone must be a name such as Europe/Berlin or Asia/Tokyo.")},
		{"the role is not theirs to say", "member", "PATCH /api/auth/me", `{"role":"owner"}`, 400, invalid("role", `There is no field "role" here.`)},
		{"what is left out stays", "member", "PATCH /api/auth/me", `{"name":" Mia ","time_zone":"Europe/Berlin"}`, 200,
			`{"user":{"id":"ID","email":"member@example.com","name":"Mia","role":"member","language":"","time_zone":"Europe/Berlin"},
			"sign_in":{"password":false,"second_factor":false},"key":{"id":"ID","name":"laptop","hint":"HINT"}}`},
		{"and can be taken back", "member", "PATCH /api/auth/me", `{"time_zone":"","language":"zh-TW"}`, 200,
			`{"user":{"id":"ID","email":"member@example.com","name":"Mia","role":"member","language":"zh-TW","time_zone":""},
			"sign_in":{"password":false,"second_factor":false},"key":{"id":"ID","name":"laptop","hint":"HINT"}}`},
	})
}

func TestASecondFactorIsSetUpAndAskedFor(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_PUBLIC_URL="+hubOrigin)
	w.withPassword("member")
	b := w.browser()
	b.signIn("member")
	const path = "/api/auth/second-factor"
	assert.Equal(t, 403, b.send("auth", "POST", path, `{"password":"not the password"}`).Code, "a browser left open is not enough")
	begun := b.send("auth", "POST", path, `{"password":"`+goodPassword+`"}`)
	require.Equal(t, 200, begun.Code, begun.Body.String())
	secret := hub.Secret(field(t, begun, "secret"))
	w.secrets = append(w.secrets, secret.Reveal())
	code := identity.TOTPCode(secret, time.Now().Unix()/30)
	confirmed := b.send("auth", "POST", path+"/confirm", `{"code":"`+code+`"}`)
	require.Equal(t, 200, confirmed.Code, confirmed.Body.String())
	var codes struct {
		List []string `json:"recovery_codes"`
	}
	require.NoError(t, json.Unmarshal(confirmed.Body.Bytes(), &codes))
	require.Len(t, codes.List, 10)
	w.secrets = append(w.secrets, codes.List...)

	c := w.browser()
	asked := c.send("auth", "POST", "/api/auth/login", loginBody("member", goodPassword))
	assert.Equal(t, 401, asked.Code)
	assert.Equal(t, "code", field(t, asked, "error", "param"))
	with := func(code string) int {
		body := strings.TrimSuffix(loginBody("member", goodPassword), "}") + `,"code":"` + code + `"}`
		return c.send("auth", "POST", "/api/auth/login", body).Code
	}
	assert.Equal(t, 401, with(code), "the code that set it up is used up")
	assert.Equal(t, 200, with(codes.List[3]))
	assert.Equal(t, 401, with(codes.List[3]))
	assert.Contains(t, b.send("auth", "GET", path, "").Body.String(), `"recovery_codes_left":9`)
	assert.Equal(t, 403, b.send("auth", "POST", path+"/remove", `{"password":"x"}`).Code)
	assert.Equal(t, 204, w.do("admin", "admin", "DELETE", "/api/admin/users/member@example.com/second-factor", "").Code, "who lost everything asks an admin")
	assert.Equal(t, 200, c.send("auth", "POST", "/api/auth/login", loginBody("member", goodPassword)).Code)
	again := hub.Secret(field(t, b.send("auth", "POST", path, `{"password":"`+goodPassword+`"}`), "secret"))
	w.secrets = append(w.secrets, again.Reveal())
	require.Equal(t, 200, b.send("auth", "POST", path+"/confirm", `{"code":"`+identity.TOTPCode(again, time.Now().Unix()/30)+`"}`).Code)
	assert.Equal(t, 204, b.send("auth", "POST", path+"/remove", `{"password":"`+goodPassword+`"}`).Code)
	assert.Equal(t, 200, c.send("auth", "POST", "/api/auth/login", loginBody("member", goodPassword)).Code)
}
