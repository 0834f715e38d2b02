package oauth

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"math/big"
	"net/url"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The device flow's bounds (RFC 8628, sections 3.2, 3.5 and 6.1).
const (
	deviceLife = 10 * time.Minute
	pollEvery  = 5 * time.Second
	// letters make no words and look like no others: 20^8 codes, of which a user may
	// try triesPerUser wrong ones in a quarter of an hour.
	letters      = "BCDFGHJKLMNPQRSTVWXZ"
	codeLetters  = 8
	triesPerUser = 10

	startsPerAddress = 30
	triesPerAddress  = 30
)

// DevicePrefix begins every device code.
const DevicePrefix = "dc-hub-"

// DeviceAnswer is what a device is told (RFC 8628, section 3.2).
type DeviceAnswer struct {
	DeviceCode string `json:"device_code"`
	UserCode   string `json:"user_code"`
	Page       string `json:"verification_uri"`
	WholePage  string `json:"verification_uri_complete"`
	ExpiresIn  int64  `json:"expires_in"` // seconds
	Interval   int64  `json:"interval"`   // seconds
}

// BeginDevice lets a device wait for somebody to say yes in a browser.
func (s *Server) BeginDevice(ctx context.Context, f Form, v Visitor, issuer string) (DeviceAnswer, error) {
	if err := s.SignIn.Limit(ctx, "oauth-device", v.Address, "", startsPerAddress, 0); err != nil {
		return DeviceAnswer{}, err
	}
	c, err := s.authenticate(ctx, f)
	if err != nil {
		return DeviceAnswer{}, err
	}
	if !c.Device {
		return DeviceAnswer{}, fault("unauthorized_client", "The application is not registered for the device flow.")
	}
	wanted, err := scopes(c, f.Get("scope"))
	if err != nil {
		return DeviceAnswer{}, err
	}
	code, user := hub.Secret(DevicePrefix+identity.NewToken().Reveal()), userCode()
	err = s.Store.CreateDevice(ctx, store.Device{Hash: identity.Hash(code), UserCode: userCodeHash(user), ClientID: c.ID, Scopes: wanted,
		Address: addressText(v.Address), Agent: clipped(v.Agent), ExpiresAt: s.Now().Add(deviceLife)}, pollEvery)
	if err != nil {
		return DeviceAnswer{}, err
	}
	page := issuer + "/oauth/device"
	return DeviceAnswer{DeviceCode: code.Reveal(), UserCode: user, Page: page, WholePage: page + "?user_code=" + url.QueryEscape(user),
		ExpiresIn: int64(deviceLife / time.Second), Interval: int64(pollEvery / time.Second)}, nil
}

func userCode() string {
	var b strings.Builder
	for i := range codeLetters {
		if i == codeLetters/2 {
			b.WriteByte('-')
		}
		n, err := rand.Int(rand.Reader, big.NewInt(int64(len(letters))))
		if err != nil { // crypto/rand never fails
			panic(err)
		}
		b.WriteByte(letters[n.Int64()])
	}
	return b.String()
}

// userCodeHash is what is stored of a code that people type, however they do it.
func userCodeHash(code string) string {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune(letters, r) {
			return r
		}
		return -1
	}, strings.ToUpper(code))
	return identity.Hash(hub.Secret("device/" + plain))
}

func clipped(s string) string {
	const most = 300
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s[:min(len(s), most)]), "")
}

// deviceTokens answers a device that asks whether somebody said yes.
func (s *Server) deviceTokens(ctx context.Context, c store.OAuthClient, f Form) (Tokens, error) {
	hash := identity.Hash(hub.Secret(f.Get("device_code")))
	d, fast, err := s.Store.PollDevice(ctx, hash, pollEvery)
	bad := fault("invalid_grant", "The device code is not good: it is wrong, used, or another client's.")
	switch {
	case errors.Is(err, store.ErrNotFound) || (err == nil && (d.ClientID != c.ID || d.State == store.DeviceDone)):
		return Tokens{}, bad
	case err != nil:
		return Tokens{}, err
	case !d.ExpiresAt.After(s.Now()):
		return Tokens{}, fault("expired_token", "Nobody said yes in time; begin again.")
	case d.State == store.DeviceDenied:
		return Tokens{}, fault("access_denied", "The user said no.")
	case fast:
		return Tokens{}, fault("slow_down", "Ask less often: five seconds later than before, each time.")
	case d.State == store.DevicePending:
		return Tokens{}, fault("authorization_pending", "Nobody has said yes yet.")
	}
	var t terms
	if err := json.Unmarshal([]byte(d.Terms), &t); err != nil {
		return Tokens{}, err
	}
	if err := s.Store.FinishDevice(ctx, hash); errors.Is(err, store.ErrNotFound) {
		return Tokens{}, bad
	} else if err != nil {
		return Tokens{}, err
	}
	return s.hand(ctx, c, d.UserID, s.Store.NewID(), t, "")
}

// Device finds what a user is asked by a code. Wrong codes are counted.
func (s *Server) Device(ctx context.Context, c hub.Caller, v Visitor, code string) (store.Device, store.OAuthClient, Asked, error) {
	if err := s.SignIn.Limit(ctx, "oauth-user-code", v.Address, c.Email, triesPerAddress, triesPerUser); err != nil {
		return store.Device{}, store.OAuthClient{}, Asked{}, err
	}
	d, err := s.Store.DeviceByUserCode(ctx, userCodeHash(code))
	unknown := &hub.Error{Code: hub.CodeNotFound, Param: "user_code", Message: "This code is not known, or its time is over. Compare it with what your device shows."}
	if errors.Is(err, store.ErrNotFound) {
		return d, store.OAuthClient{}, Asked{}, unknown
	}
	if err != nil {
		return d, store.OAuthClient{}, Asked{}, err
	}
	client, err := s.client(ctx, d.ClientID)
	if hub.CodeOf(err) == hub.CodeUnauthenticated { // removed meanwhile
		return d, client, Asked{}, unknown
	}
	if err == nil {
		err = s.SignIn.Forgive(ctx, "oauth-user-code", v.Address, c.Email)
	}
	a := s.asked(client, d.Scopes, c.Email)
	a.Address, a.StartedAt = d.Address, &d.CreatedAt
	return d, client, a, err
}

// DecideDevice carries out what a user says to a device that waits.
func (s *Server) DecideDevice(ctx context.Context, c hub.Caller, v Visitor, code string, decision Decision) error {
	d, client, _, err := s.Device(ctx, c, v, code)
	if err != nil {
		return err
	}
	state, text := store.DeviceDenied, ""
	if decision.Allow {
		state = store.DeviceApproved
		if text, err = s.agree(ctx, c, client, d.Scopes, decision); err != nil {
			return err
		}
	} else if err := s.Desk.Note(ctx, c.Email, "connection.deny", client.ID, nil, nil); err != nil {
		return err
	}
	err = s.Store.DecideDevice(ctx, d.Hash, state, c.UserID, text)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeConflict, "Somebody answered this device already.")
	}
	return err
}
