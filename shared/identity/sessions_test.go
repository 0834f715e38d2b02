package identity_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// door is a hub's door with a clock that tests turn.
type door struct {
	*identity.Sessions
	now  time.Time
	user store.User
}

func openDoor(t *testing.T) *door {
	t.Helper()
	d := &door{now: time.Unix(1_800_000_000, 0)}
	s := open(t)
	u := identity.Users{Store: s}
	var err error
	d.user, err = u.Create(t.Context(), "m@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	d.Sessions = &identity.Sessions{Store: s, Idle: time.Hour, Life: 24 * time.Hour, Now: func() time.Time { return d.now }, Log: slog.New(slog.DiscardHandler)}
	return d
}

// enter opens a session and returns its cookie.
func (d *door) enter(t *testing.T) *http.Cookie {
	t.Helper()
	res := httptest.NewRecorder()
	_, err := d.Open(t.Context(), res, httptest.NewRequest(http.MethodPost, "/", nil), "", identity.Visitor{Address: netip.MustParseAddr("192.0.2.1"),
		Agent: strings.Repeat("x\r\n", 1000)}, d.user.ID, "password")
	require.NoError(t, err)
	return res.Result().Cookies()[0]
}

func (d *door) admits(t *testing.T, c *http.Cookie) bool {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.AddCookie(c)
	caller, err := d.Authenticate(r)
	require.NoError(t, err)
	if caller.UserID == "" {
		return false
	}
	assert.Equal(t, hub.Caller{UserID: d.user.ID, Email: d.user.Email, Role: hub.RoleMember, AccountID: d.user.AccountID, Session: true}, caller)
	return true
}

func TestASessionEndsUnusedAndInTheEnd(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	// The store's own clock does not turn: what it writes as last seen is far past.
	start := time.Now()
	d.now = start
	idle, busy := d.enter(t), d.enter(t)
	require.True(t, d.admits(t, idle))
	d.now = start.Add(59 * time.Minute)
	require.True(t, d.admits(t, busy))
	d.now = start.Add(61 * time.Minute)
	assert.False(t, d.admits(t, idle), "an hour without use")
	all, err := d.Store.Sessions(t.Context(), d.user.ID)
	require.NoError(t, err)
	assert.Len(t, all, 2)
	assert.LessOrEqual(t, len(all[0].Agent), 300)
	assert.NotContains(t, all[0].Agent, "\n")
	d.Idle = 48 * time.Hour
	assert.True(t, d.admits(t, idle))
	d.now = start.Add(25 * time.Hour)
	assert.False(t, d.admits(t, busy), "a day, whatever happens")
}

func TestOnlyTheTokenItselfIsWorthASession(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.now = time.Now()
	c := d.enter(t)
	require.True(t, d.admits(t, c))
	all, err := d.Store.Sessions(t.Context(), d.user.ID)
	require.NoError(t, err)
	for name, value := range map[string]string{"its hash": all[0].Hash, "its id": all[0].ID, "half of it": c.Value[:20], "nothing": ""} {
		assert.False(t, d.admits(t, &http.Cookie{Name: c.Name, Value: value}), name)
	}
	assert.False(t, d.admits(t, &http.Cookie{Name: "aigne_hub_session", Value: c.Value}), "a name that any page of the host could have set")
}

func TestAUserHasABoundedNumberOfSessions(t *testing.T) {
	t.Parallel()
	d := openDoor(t)
	d.now = time.Now()
	first := d.enter(t)
	for range 50 {
		d.enter(t)
	}
	assert.False(t, d.admits(t, first), "the oldest made room")
	all, err := d.Store.Sessions(t.Context(), d.user.ID)
	require.NoError(t, err)
	assert.Len(t, all, 50)
}

func TestCodesAreThoseOfRFC6238(t *testing.T) {
	t.Parallel()
	const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // appendix B: the ASCII digits 1 to 0, twice
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		assert.Equal(t, want, identity.TOTPCode(secret, at/30), at)
	}
}

func TestTrivialPasswordsAreRefused(t *testing.T) {
	t.Parallel()
	for _, p := range []hub.Secret{"short", "aaaaaaaaaaaaaa", "ababababababab", "1234567890", "0123456789", "9876543210", "abcdefghijklmn", "password123", "Password2024", "QWERTYuiop",
		"jo.smith@example.com", "jo.smith123", "adminadmin1", "letmein123456", "AT-LEAST-10-CHARACTERS", "änderdas"} {
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(identity.CheckNewPassword("jo.smith@example.com", p)), "%s", p.Reveal())
	}
	for _, p := range []hub.Secret{"correct horse battery", "violet kettle sings", "Tr0ub4dor&3x", "密码是一个很长的句子啊", "password is not all of it", "x8J!pQ2m-vR7"} {
		assert.NoError(t, identity.CheckNewPassword("jo.smith@example.com", p), "%s", p.Reveal())
	}
}

func TestASecondFactorWorksOncePerCode(t *testing.T) {
	t.Parallel()
	s := open(t)
	ctx := t.Context()
	users := identity.Users{Store: s}
	const password = "correct horse battery"
	u, err := users.Create(ctx, "m@example.com", hub.RoleMember, password)
	require.NoError(t, err)
	now := time.Unix(1_800_000_000, 0)
	in := identity.NewSignIn(s, keyring(t), func() time.Time { return now }, slog.New(slog.DiscardHandler))
	visitor := identity.Visitor{Address: netip.MustParseAddr("192.0.2.1")}
	login := func(code hub.Secret) error {
		_, err := in.Password(ctx, visitor, u.Email, password, code)
		return err
	}
	e, err := in.Enrol(ctx, u)
	require.NoError(t, err)
	assert.Regexp(t, `^otpauth://totp/AIGNE%20Hub:m@example\.com\?secret=[A-Z2-7]{32}&issuer=AIGNE%20Hub&`, e.URI.Reveal())
	code := func() hub.Secret { return hub.Secret(identity.TOTPCode(e.Secret, now.Unix()/30)) }
	require.NoError(t, login(""), "not asked for before it is confirmed")
	_, err = in.ConfirmEnrolment(ctx, u, "000000")
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
	recovery, err := in.ConfirmEnrolment(ctx, u, code())
	require.NoError(t, err)
	require.Len(t, recovery, 10)
	_, err = in.Enrol(ctx, u)
	assert.Equal(t, hub.CodeConflict, hub.CodeOf(err), "a confirmed one cannot be replaced unseen")

	require.ErrorIs(t, login(""), identity.ErrNeedCode)
	assert.Error(t, login(code()), "the code that confirmed it is used up")
	now = now.Add(30 * time.Second)
	require.NoError(t, login(code()))
	assert.Error(t, login(code()), "a code works once")
	assert.Error(t, login(hub.Secret(identity.TOTPCode(e.Secret, now.Unix()/30-1))), "nor does the one before it")
	require.NoError(t, login(hub.Secret(strings.ToUpper(recovery[0].Reveal()))))
	assert.Error(t, login(recovery[0]), "a recovery code works once")
	left, err := s.RecoveryLeft(ctx, u.ID)
	require.NoError(t, err)
	assert.Equal(t, 9, left)

	row, err := s.UserTOTP(ctx, u.ID)
	require.NoError(t, err)
	assert.NotContains(t, row.Sealed, e.Secret.Reveal())
	require.NoError(t, s.RemoveTOTP(ctx, u.ID))
	require.NoError(t, login(""))
}

func keyring(t *testing.T) func(context.Context) (*vault.Keyring, error) {
	t.Helper()
	m, err := vault.ParseMaster("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	require.NoError(t, err)
	k, err := vault.NewDataKey(m, time.Now())
	require.NoError(t, err)
	ring, err := vault.New(m, []vault.WrappedKey{k})
	require.NoError(t, err)
	return func(context.Context) (*vault.Keyring, error) { return ring, nil }
}
