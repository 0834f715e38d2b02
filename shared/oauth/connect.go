package oauth

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// The bounds of the exchange with AIGNE's command line, which asks every one and a
// half seconds for 75 minutes.
const (
	connectLife = 75 * time.Minute
	// handLife is how long a key waits to be taken.
	handLife = 10 * time.Minute

	connectsPerAddress = 30
	connectReads       = 100 // wrong ones
)

// ConnectName is what connections of the command line are called.
const ConnectName = "AIGNE CLI"

// connectScopes are what the command line does: it calls models, and shows its
// user's credits and use.
func connectScopes() []hub.Scope {
	return []hub.Scope{hub.ScopeInference, hub.ScopeUsage, hub.ScopeBilling}
}

// Handed is what the command line is told when it begins and when it asks: the
// fields of the service whose routes it was made for (@aigne/cli,
// utils/aigne-hub/credential.js).
type Handed struct {
	ID          string `json:"id"`
	Challenge   string `json:"challenge"`
	Status      string `json:"status"` // pending or approved
	ExpiresAt   string `json:"expiresAt"`
	AccessKeyID string `json:"accessKeyId,omitempty"`
	Sealed      string `json:"accessKeySecret,omitempty"` // encrypted for it
}

// challenge is derived from a session's id, so that nothing that is stored opens
// the key that is put down for it.
func challenge(id hub.Secret) string {
	mac := hmac.New(sha256.New, []byte(id.Reveal()))
	_, _ = mac.Write([]byte("aigne connect challenge")) // never fails
	return hex.EncodeToString(mac.Sum(nil))
}

// BeginConnect lets a command line wait for somebody to say yes in a browser.
func (s *Server) BeginConnect(ctx context.Context, v Visitor) (Handed, error) {
	if err := s.SignIn.Limit(ctx, "connect", v.Address, "", connectsPerAddress, 0); err != nil {
		return Handed{}, err
	}
	id := identity.NewToken()
	n := store.ConnectSession{Hash: identity.Hash(id), Address: addressText(v.Address), Agent: clipped(v.Agent), ExpiresAt: s.Now().Add(connectLife).UTC(), State: store.ConnectPending}
	if err := s.Store.CreateConnectSession(ctx, n); err != nil {
		return Handed{}, err
	}
	return handed(id, n), nil
}

func handed(id hub.Secret, n store.ConnectSession) Handed {
	h := Handed{ID: id.Reveal(), Challenge: challenge(id), Status: n.State, ExpiresAt: n.ExpiresAt.Format(time.RFC3339), AccessKeyID: n.KeyID, Sealed: n.Sealed}
	if n.State == store.ConnectTaken {
		h.Status = store.ConnectPending
	}
	return h
}

var errNoConnect = hub.Errorf(hub.CodeNotFound, "This request to connect is not known, or its time is over. Begin again with: aigne hub connect")

func (s *Server) connect(ctx context.Context, id hub.Secret) (store.ConnectSession, error) {
	n, err := s.Store.ConnectSessionByHash(ctx, identity.Hash(id))
	if errors.Is(err, store.ErrNotFound) {
		return n, errNoConnect
	}
	return n, err
}

// PollConnect tells a command line whether somebody said yes.
func (s *Server) PollConnect(ctx context.Context, id hub.Secret) (Handed, error) {
	n, err := s.connect(ctx, id)
	if err == nil && n.State == store.ConnectDenied { // an answer without a key would have it ask on
		err = hub.Errorf(hub.CodeForbidden, "The user said no.")
	}
	if err != nil {
		return Handed{}, err
	}
	return handed(id, n), nil
}

// EndConnect forgets a command line, which has its key or does not want it.
func (s *Server) EndConnect(ctx context.Context, id hub.Secret) error {
	err := s.Store.EndConnectSession(ctx, identity.Hash(id))
	if errors.Is(err, store.ErrNotFound) {
		return errNoConnect
	}
	return err
}

// AskConnect says what a command line asks of a user.
func (s *Server) AskConnect(ctx context.Context, c hub.Caller, v Visitor, id hub.Secret) (Asked, error) {
	if err := s.SignIn.Limit(ctx, "connect-read", v.Address, c.Email, connectReads, connectReads); err != nil {
		return Asked{}, err
	}
	n, err := s.connect(ctx, id)
	if err == nil && n.State != store.ConnectPending {
		err = errAnswered
	}
	if err == nil {
		err = s.SignIn.Forgive(ctx, "connect-read", v.Address, c.Email)
	}
	return Asked{Name: ConnectName, Scopes: connectScopes(), User: c.Email, Address: n.Address, StartedAt: &n.CreatedAt}, err
}

var errAnswered = hub.Errorf(hub.CodeConflict, "Somebody answered this request already.")

// DecideConnect carries out what a user says to a command line that waits.
func (s *Server) DecideConnect(ctx context.Context, c hub.Caller, id hub.Secret, d Decision) error {
	n, err := s.connect(ctx, id)
	if err != nil {
		return err
	}
	if err := d.check(); err != nil {
		return err
	}
	state := store.ConnectDenied
	if d.Allow {
		state = store.ConnectTaken
	}
	err = s.Store.DecideConnectSession(ctx, n.Hash, state)
	if errors.Is(err, store.ErrNotFound) {
		return errAnswered
	}
	if err != nil {
		return err
	}
	if !d.Allow {
		return s.Desk.Note(ctx, c.Email, "connection.deny", ConnectName, nil, nil)
	}
	return s.putDown(ctx, c, id, n, d)
}

// putDown makes the key that a command line gets and leaves it, encrypted, for it
// to take.
func (s *Server) putDown(ctx context.Context, c hub.Caller, id hub.Secret, n store.ConnectSession, d Decision) error {
	t := terms{Scopes: connectScopes(), Decision: d, At: s.Now().UTC()}
	key, made, err := s.Desk.Connect(ctx, c.Email, operator.NewConnection{Connection: store.Connection{
		ID: s.Store.NewID(), UserID: c.UserID, Name: ConnectName, Scopes: t.Scopes, Limited: d.limited(), EndsAt: t.ends()}, Limits: d.limits()})
	if err != nil {
		return err
	}
	n.KeyID, n.ExpiresAt = made.KeyID, s.Now().Add(handLife)
	if n.Sealed, err = encrypt(key, made.KeyID, challenge(id)); err == nil {
		err = s.Store.HandConnectSession(ctx, n)
	}
	if err != nil { // nobody will ever read the key
		return errors.Join(err, s.Desk.RevokeConnection(context.WithoutCancel(ctx), c.Email, made.ID, "it was not handed over"))
	}
	return nil
}

// encrypt does what CryptoJS.AES does with a passphrase (OpenSSL's "Salted__"
// format: AES-256-CBC, EVP_BytesToKey with MD5 and one round), where the
// passphrase is the hex of PBKDF2-SHA512(challenge, salt = key id, 256 rounds, 32
// bytes): what @aigne/cli undoes (utils/aigne-hub/crypto.js).
func encrypt(plain hub.Secret, keyID, challenge string) (string, error) {
	const rounds, length = 256, 32
	pass, err := pbkdf2.Key(sha512.New, challenge, []byte(keyID), rounds, length)
	if err != nil {
		return "", err
	}
	salt := make([]byte, 8)
	_, _ = rand.Read(salt) // crypto/rand.Read never fails
	key, iv := bytesToKey([]byte(hex.EncodeToString(pass)), salt)
	block, err := aes.NewCipher(key)
	if err != nil {
		return "", err
	}
	text := []byte(plain.Reveal())
	pad := aes.BlockSize - len(text)%aes.BlockSize
	text = append(text, bytes.Repeat([]byte{byte(pad)}, pad)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(text, text)
	return base64.StdEncoding.EncodeToString(append(append([]byte("Salted__"), salt...), text...)), nil
}

func bytesToKey(pass, salt []byte) (key, iv []byte) {
	var out, last []byte
	for len(out) < 32+aes.BlockSize {
		sum := md5.Sum(append(append(append([]byte{}, last...), pass...), salt...))
		last = sum[:]
		out = append(out, last...)
	}
	return out[:32], out[32 : 32+aes.BlockSize]
}
