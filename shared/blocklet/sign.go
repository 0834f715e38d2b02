package blocklet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha3"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The headers of a signed call between components.
const (
	headerDID     = "X-Component-Did"
	headerSig     = "X-Component-Sig"
	headerIssued  = "X-Component-Sig-Iat"
	headerExpires = "X-Component-Sig-Exp"
	headerVersion = "X-Component-Sig-Version"
	headerPrefix  = "X-Path-Prefix"
)

// signatureLife is how long a signed call is good for.
const signatureLife = 300 * time.Second

// Key signs and verifies calls between the components of one app: all of them
// hold the same one.
type Key struct {
	private ed25519.PrivateKey
}

// ParseKey reads BLOCKLET_APP_ASK: 0x and 128 hexadecimal digits, an Ed25519 seed
// and its public key. The error does not repeat it.
func ParseKey(text hub.Secret) (*Key, error) {
	raw, err := hex.DecodeString(strings.TrimPrefix(text.Reveal(), "0x"))
	if err != nil || len(raw) != ed25519.PrivateKeySize {
		return nil, errors.New("the app's key must be 0x and 128 hexadecimal digits")
	}
	private := ed25519.NewKeyFromSeed(raw[:ed25519.SeedSize])
	if !bytes.Equal(private, raw) {
		return nil, errors.New("the two halves of the app's key do not belong together")
	}
	return &Key{private}, nil
}

// message is what a call's signature is of: the digest of its parts in canonical
// form. path is the URL's path alone; body is JSON or empty.
func message(method, path string, query url.Values, body []byte, issued, expires int64) ([]byte, error) {
	signed, err := signedObject(method, path, query, body, issued, expires)
	if err != nil {
		return nil, err
	}
	digest := sha3.Sum256(signed)
	return digest[:], nil
}

func signedObject(method, path string, query url.Values, body []byte, issued, expires int64) ([]byte, error) {
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	values := make(map[string]any, len(query))
	for k, v := range query {
		if len(v) == 1 {
			values[k] = v[0]
			continue
		}
		values[k] = v
	}
	whole, err := json.Marshal(map[string]any{"body": json.RawMessage(body), "exp": expires, "iat": issued,
		"method": strings.ToLower(method), "query": values, "url": path})
	if err != nil {
		return nil, err
	}
	return Canonical(whole)
}

// Sign adds the headers of a call made by the component did. body is what the
// request carries: JSON or nothing.
func (k *Key) Sign(r *http.Request, body []byte, did string, now time.Time) error {
	issued := now.Unix()
	expires := now.Add(signatureLife).Unix()
	m, err := message(r.Method, r.URL.Path, r.URL.Query(), body, issued, expires)
	if err != nil {
		return err
	}
	r.Header.Set(headerDID, did)
	r.Header.Set(headerSig, "0x"+hex.EncodeToString(ed25519.Sign(k.private, m)))
	r.Header.Set(headerIssued, strconv.FormatInt(issued, 10))
	r.Header.Set(headerExpires, strconv.FormatInt(expires, 10))
	r.Header.Set(headerVersion, "1")
	return nil
}

// ErrSignature says that a call was not signed by a component of this app, or too
// long ago.
var ErrSignature = errors.New("the call is not signed by a component of this app")

// Call is a call that a component of the app signed.
type Call struct {
	// DID is the component's by its own account: all components sign with one key.
	DID       string
	Signature []byte    // there is one for each text
	ExpiresAt time.Time // from then on the signature is worth nothing
}

// SignedByComponent reports whether a request claims to be signed by a component.
func SignedByComponent(r *http.Request) bool {
	return r.Header.Get(headerDID) != "" && r.Header.Get(headerSig) != "" && r.Header.Get(headerExpires) != ""
}

// Verify is VerifyCall for those who only ask which component it was.
func (k *Key) Verify(r *http.Request, body []byte, now time.Time) (did string, err error) {
	c, err := k.VerifyCall(r, body, now)
	return c.DID, err
}

// VerifyCall checks a call that was received with body. A router in front may
// have taken a prefix off the path; it says so in a header, which is tried as well.
// A signature is good for five minutes, on whichever clock of the machine.
func (k *Key) VerifyCall(r *http.Request, body []byte, now time.Time) (Call, error) {
	sig, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get(headerSig), "0x"))
	if err != nil || len(sig) != ed25519.SignatureSize {
		return Call{}, ErrSignature
	}
	issued, err1 := strconv.ParseInt(r.Header.Get(headerIssued), 10, 64)
	expires, err2 := strconv.ParseInt(r.Header.Get(headerExpires), 10, 64)
	if err1 != nil || err2 != nil || r.Header.Get(headerDID) == "" {
		return Call{}, ErrSignature
	}
	latest := now.Add(skew).Unix()
	if expires < now.Unix() || issued <= 0 || issued > latest || expires-issued > int64(signatureLife/time.Second) {
		return Call{}, ErrSignature
	}
	paths := []string{r.URL.Path}
	if prefix := r.Header.Get(headerPrefix); len(prefix) > 1 && !strings.HasPrefix(r.URL.Path, prefix) {
		paths = append(paths, strings.TrimSuffix(prefix, "/")+r.URL.Path)
	}
	public, ok := k.private.Public().(ed25519.PublicKey)
	for _, path := range paths {
		m, err := message(r.Method, path, r.URL.Query(), body, issued, expires)
		if err == nil && ok && ed25519.Verify(public, m, sig) {
			return Call{DID: r.Header.Get(headerDID), Signature: sig, ExpiresAt: time.Unix(expires+1, 0)}, nil
		}
	}
	return Call{}, ErrSignature
}
