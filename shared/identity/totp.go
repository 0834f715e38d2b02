package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // RFC 6238 as authenticators implement it: HMAC-SHA-1 is not broken
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The parameters of codes (RFC 6238), which are what every authenticator takes
// for granted.
const (
	totpPeriod = 30 // seconds
	totpDigits = 6
	totpSecret = 20 // bytes
	totpDrift  = 1  // steps by which clocks may differ
)

var base32Code = base32.StdEncoding.WithPadding(base32.NoPadding)

// TOTPAAD binds a sealed second factor to its user.
func TOTPAAD(userID string) string { return "user_totp/" + userID + "/secret" }

// Enrolment is a second factor to be confirmed. Both are secrets that only the
// user sees, once.
type Enrolment struct {
	Secret hub.Secret // base32, for typing
	URI    hub.Secret // otpauth:, for a QR code
}

// Enrol begins a second factor for a user, who has to confirm it with a code.
func (s *SignIn) Enrol(ctx context.Context, u store.User) (Enrolment, error) {
	raw := make([]byte, totpSecret)
	_, _ = rand.Read(raw) // crypto/rand.Read never fails
	secret := base32Code.EncodeToString(raw)
	keyring, err := s.vault(ctx)
	if err != nil {
		return Enrolment{}, err
	}
	t := store.TOTP{UserID: u.ID}
	if t.Sealed, t.KeyID, err = keyring.Seal(TOTPAAD(u.ID), hub.Secret(secret)); err != nil {
		return Enrolment{}, err
	}
	err = s.store.BeginTOTP(ctx, t)
	if errors.Is(err, store.ErrNotFound) {
		return Enrolment{}, hub.Errorf(hub.CodeConflict, "You have a second factor already; remove it first.")
	}
	// The format that authenticators read: github.com/google/google-authenticator/wiki/Key-Uri-Format
	uri := url.URL{Scheme: "otpauth", Host: "totp", Path: "/AIGNE Hub:" + u.Email,
		RawQuery: "secret=" + secret + "&issuer=AIGNE%20Hub&algorithm=SHA1&digits=6&period=30"}
	return Enrolment{Secret: hub.Secret(secret), URI: hub.Secret(uri.String())}, err
}

// ConfirmEnrolment puts a user's second factor into force by one of its codes and
// returns the recovery codes, each of which stands in for a code once.
func (s *SignIn) ConfirmEnrolment(ctx context.Context, u store.User, code hub.Secret) ([]hub.Secret, error) {
	t, err := s.store.UserTOTP(ctx, u.ID)
	if errors.Is(err, store.ErrNotFound) || (err == nil && t.ConfirmedAt != nil) {
		return nil, hub.Errorf(hub.CodeConflict, "There is no second factor to confirm; begin with a new one.")
	}
	if err != nil {
		return nil, err
	}
	if err := s.take(ctx, accountTry("confirm", u.Email, triesPerAccount)); err != nil {
		return nil, err
	}
	step, err := s.step(ctx, t, code)
	if err != nil {
		return nil, err
	}
	if step == 0 {
		return nil, hub.Invalid("code", "This code is wrong. Check the time on the device that shows it.")
	}
	codes, hashes := recoveryCodes()
	err = s.store.ConfirmTOTP(ctx, u.ID, t.Sealed, step, hashes)
	if errors.Is(err, store.ErrNotFound) {
		return nil, hub.Errorf(hub.CodeConflict, "The second factor was begun anew meanwhile.")
	}
	return codes, err
}

const recoveryCount = 10

func recoveryCodes() (codes []hub.Secret, hashes []string) {
	for range recoveryCount {
		raw := make([]byte, 10) // 80 bits: the hash of it needs no salt
		_, _ = rand.Read(raw)   // crypto/rand.Read never fails
		text := strings.ToLower(base32Code.EncodeToString(raw))
		codes = append(codes, hub.Secret(text[:4]+"-"+text[4:8]+"-"+text[8:12]+"-"+text[12:]))
		hashes = append(hashes, Hash(hub.Secret(text)))
	}
	return codes, hashes
}

// second checks a user's second factor, if there is one. A code works once.
func (s *SignIn) second(ctx context.Context, userID string, code hub.Secret) error {
	t, err := s.store.UserTOTP(ctx, userID)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && t.ConfirmedAt == nil:
		return nil
	case err != nil:
		return err
	case code == "":
		return ErrNeedCode
	}
	plain := strings.ToLower(strings.NewReplacer("-", "", " ", "").Replace(code.Reveal()))
	if len(plain) != totpDigits {
		err = s.store.UseRecovery(ctx, userID, Hash(hub.Secret(plain)))
	} else {
		var step int64
		if step, err = s.step(ctx, t, hub.Secret(plain)); err != nil {
			return err
		}
		err = s.store.UseTOTPStep(ctx, userID, step)
	}
	if errors.Is(err, store.ErrNotFound) {
		return errCode
	}
	return err
}

// step is the time step that a code belongs to, 0 for a wrong code.
func (s *SignIn) step(ctx context.Context, t store.TOTP, code hub.Secret) (int64, error) {
	keyring, err := s.vault(ctx)
	if err != nil {
		return 0, err
	}
	secret, err := keyring.Open(TOTPAAD(t.UserID), t.Sealed)
	if err != nil {
		return 0, fmt.Errorf("second factor: %w", err)
	}
	return totpStep(secret, code, s.now()), nil
}

func totpStep(secret, code hub.Secret, now time.Time) (found int64) {
	current := now.Unix() / totpPeriod
	for step := current - totpDrift; step <= current+totpDrift; step++ {
		if subtle.ConstantTimeCompare([]byte(TOTPCode(secret, step)), []byte(strings.TrimSpace(code.Reveal()))) == 1 {
			found = step
		}
	}
	return found
}

// TOTPCode is the code of a base32 secret at a time step: Unix time divided by
// 30 s (RFC 6238, RFC 4226 section 5.3). "" when the secret is none.
func TOTPCode(secret hub.Secret, step int64) string {
	key, err := base32Code.DecodeString(secret.Reveal())
	if err != nil || step < 0 {
		return ""
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, step) // a hash takes everything
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	const modulus = 1_000_000
	return fmt.Sprintf("%0*d", totpDigits, (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%modulus)
}
