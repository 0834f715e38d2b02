package identity

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// SignIn checks passwords and second factors. What it counts is in the database,
// so that its limits hold over all processes.
type SignIn struct {
	store *store.Store
	vault func(ctx context.Context) (*vault.Keyring, error)
	now   hub.Now
	log   *slog.Logger
	slots chan struct{}
}

// NewSignIn makes a SignIn.
func NewSignIn(s *store.Store, keys func(ctx context.Context) (*vault.Keyring, error), now hub.Now, log *slog.Logger) *SignIn {
	const atOnce = 2 // 64 MiB each
	return &SignIn{store: s, vault: keys, now: now, log: log, slots: make(chan struct{}, atOnce)}
}

// The limits of sign-in within tryWindow. An address is of IPv6 the network,
// since one client has a whole one.
const (
	tryWindow       = 15 * time.Minute
	triesPerAddress = 30
	triesPerAccount = 10
	// auditsPerHour bounds what failures of strangers add to the audit log.
	auditsPerHour = 1000
)

func addressTry(what string, a netip.Addr, most int64) store.Try {
	const network = 64
	if p, err := a.Prefix(network); err == nil && a.Is6() {
		a = p.Addr()
	}
	return store.Try{Subject: what + "/address/" + addressText(a), Window: tryWindow, Most: most}
}

// accountTry counts against an e-mail address, whether it belongs to a user or
// not. Strangers type it, so its hash is stored.
func accountTry(what, email string, most int64) store.Try {
	return store.Try{Subject: what + "/account/" + Hash(hub.Secret(strings.ToLower(strings.TrimSpace(email)))), Window: tryWindow, Most: most}
}

var errWrong = hub.Errorf(hub.CodeUnauthenticated, "The e-mail address or the password is wrong.")

// ErrNeedCode is the error for a right password without the code that is needed
// too. Its Param is "code".
var ErrNeedCode = &hub.Error{Code: hub.CodeUnauthenticated, Param: "code", Message: "Enter the code that your authenticator shows, or one of your recovery codes."}

var errCode = &hub.Error{Code: hub.CodeUnauthenticated, Param: "code", Message: "This code is wrong, or was used before. Wait for the next one."}

// Password finds the user of an e-mail address and a password. code is that of
// the second factor, "" while the user has not been asked for it (ErrNeedCode). The
// answer to an address that nobody has takes as long as, and reads like, the one
// to a wrong password. Failures are audited and counted; when there are too
// many of an address or an account, even the right password gets CodeRateLimited.
func (s *SignIn) Password(ctx context.Context, v Visitor, email string, password, code hub.Secret) (store.User, error) {
	address, account := addressTry("login", v.Address, triesPerAddress), accountTry("login", email, triesPerAccount)
	if err := s.take(ctx, address, account); err != nil {
		return store.User{}, err
	}
	u, err := s.store.UserByEmail(ctx, strings.TrimSpace(email))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return u, err
	}
	known := err == nil && u.DisabledAt == nil && u.PasswordHash != ""
	hash := u.PasswordHash
	if !known {
		hash = dummyHash
	}
	right, err := s.check(ctx, hash, password)
	if err != nil {
		return u, err
	}
	if !known || !right {
		return u, errors.Join(s.Failed(ctx, v, u.Email, "password"), errWrong)
	}
	switch err := s.second(ctx, u.ID, code); {
	case errors.Is(err, ErrNeedCode):
		return u, errors.Join(s.store.GiveBack(ctx, address, account), err)
	case errors.Is(err, errCode):
		return u, errors.Join(s.Failed(ctx, v, u.Email, "code"), err)
	case err != nil:
		return u, err
	}
	return u, errors.Join(s.store.GiveBack(ctx, address), s.store.ForgetTry(ctx, account.Subject))
}

// take counts a try against each, and says how long to wait when there is none.
func (s *SignIn) take(ctx context.Context, tries ...store.Try) error {
	err := s.store.Take(ctx, tries...)
	if !errors.Is(err, store.ErrTries) {
		return err
	}
	return s.tooMany(ctx, tries)
}

func (s *SignIn) tooMany(ctx context.Context, tries []store.Try) error {
	wait, err := s.store.TriesEnd(ctx, tries...)
	if err != nil {
		return err
	}
	e := hub.Errorf(hub.CodeRateLimited, "Too many tries; wait a while and try again.")
	e.RetryAfter = max(wait, time.Second)
	return e
}

// dummyHash is no password's: checking one against it takes as long as against a
// real hash.
const dummyHash = "$argon2id$v=19$m=65536,t=3,p=2$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

// check is CheckPassword for few at once: each takes memory.
func (s *SignIn) check(ctx context.Context, hash string, password hub.Secret) (right bool, err error) {
	err = s.slot(ctx, func() { right = CheckPassword(hash, password) })
	return right, err
}

// Hash is HashPassword for few at once. The password must follow the rules for
// new ones.
func (s *SignIn) Hash(ctx context.Context, email string, password hub.Secret) (hash string, err error) {
	if err := CheckNewPassword(email, password); err != nil {
		return "", err
	}
	var fault error
	err = s.slot(ctx, func() { hash, fault = HashPassword(password) })
	return hash, errors.Join(err, fault)
}

func (s *SignIn) slot(ctx context.Context, work func()) error {
	const patience = 10 * time.Second
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		e := hub.Wrap(hub.CodeUnavailable, ctx.Err(), "Too many people sign in at this moment; please try again.")
		e.RetryAfter = patience
		return e
	}
	defer func() { <-s.slots }()
	work()
	return nil
}

// Confirm checks a signed-in user's password again, before what must not be done
// from a browser that was left open. Users without a password pass.
func (s *SignIn) Confirm(ctx context.Context, u store.User, password hub.Secret) error {
	if u.PasswordHash == "" {
		return nil
	}
	account := accountTry("confirm", u.Email, triesPerAccount)
	if err := s.take(ctx, account); err != nil {
		return err
	}
	right, err := s.check(ctx, u.PasswordHash, password)
	if err != nil {
		return err
	}
	if !right {
		return hub.Errorf(hub.CodeForbidden, "The current password is wrong.")
	}
	return s.store.ForgetTry(ctx, account.Subject)
}

// Failed audits a sign-in that failed, of a known user's e-mail address or "".
// What was typed is not repeated: people type passwords into the wrong field.
func (s *SignIn) Failed(ctx context.Context, v Visitor, subject, reason string) error {
	if subject == "" {
		subject = "unknown"
	}
	err := s.store.Take(ctx, store.Try{Subject: "audit", Window: time.Hour, Most: auditsPerHour})
	if errors.Is(err, store.ErrTries) {
		s.log.Warn("failed sign-in not audited, there are too many")
		return nil
	}
	if err != nil {
		return err
	}
	return s.Record(ctx, "anonymous", "login.failed", subject, v, map[string]string{"reason": reason})
}

// Record audits what somebody did at the door. facts must hold no secret.
func (s *SignIn) Record(ctx context.Context, actor, action, subject string, v Visitor, facts map[string]string) error {
	after := map[string]string{"address": addressText(v.Address)}
	for name, value := range facts {
		after[name] = value
	}
	text, err := json.Marshal(after)
	if err != nil {
		return err
	}
	return s.store.Audit(ctx, actor, action, subject, "", string(text))
}

const (
	resetsPerAddress = 20
	resetsPerAccount = 5
	resetLife        = time.Hour // for which a link that was asked for is worth sending
)

// AskReset notes that somebody wants a link for a new password. It takes the same
// time for an address that nobody has.
func (s *SignIn) AskReset(ctx context.Context, v Visitor, email string) error {
	tries := []store.Try{addressTry("reset", v.Address, resetsPerAddress), accountTry("reset", email, resetsPerAccount)}
	err := s.store.AskReset(ctx, strings.TrimSpace(email), resetLife, tries...)
	if errors.Is(err, store.ErrTries) {
		return s.tooMany(ctx, tries)
	}
	return err
}

// Limit counts a try at something against an address and, where account is not
// "", against that account; what names the thing. CodeRateLimited: there have been
// too many within a quarter of an hour, in whatever process.
func (s *SignIn) Limit(ctx context.Context, what string, address netip.Addr, account string, perAddress, perAccount int64) error {
	tries := []store.Try{addressTry(what, address, perAddress)}
	if account != "" {
		tries = append(tries, accountTry(what, account, perAccount))
	}
	return s.take(ctx, tries...)
}

// Forgive gives a try back that Limit counted and that was no failure.
func (s *SignIn) Forgive(ctx context.Context, what string, address netip.Addr, account string) error {
	return s.store.GiveBack(ctx, addressTry(what, address, 0), accountTry(what, account, 0))
}
