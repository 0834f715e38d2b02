package blocklet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha3"
	"encoding/hex"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// The headers of a call that a remote application signed, as AI Kit's clients of
// /api/v1 send them.
const (
	RemoteApp       = "X-App-Id"
	remoteTimestamp = "X-Timestamp" // Unix seconds
	remoteUser      = "X-App-User-Did"
)

// remoteLife is how far a remote application's clock may be off, either way.
const remoteLife = 600 * time.Second

// ErrRemote says that a call was not signed with the key that its application is
// registered with, or too long ago.
var ErrRemote = errors.New("the call is not signed by the application that it names")

// SignedRemotely reports whether a request claims to be signed by a remote
// application, and by which.
func SignedRemotely(r *http.Request) (app string, ok bool) {
	app = r.Header.Get(RemoteApp)
	return app, app != "" && r.Header.Get(headerSig) != "" && r.Header.Get(remoteTimestamp) != ""
}

// VerifyRemote checks a call that a remote application signed: Ed25519 over the
// SHA3-256 of the canonical JSON of appId, data (the body), timestamp and userDid.
// body is JSON or empty. The application's DID must be derived from the key. The
// signature is returned: there is one for each text.
func VerifyRemote(public ed25519.PublicKey, r *http.Request, body []byte, now time.Time) (signature []byte, err error) {
	app := r.Header.Get(RemoteApp)
	did, ok := ParseDID(app)
	sig, err := hex.DecodeString(strings.TrimPrefix(strings.ToLower(r.Header.Get(headerSig)), "0x"))
	at, atErr := strconv.ParseInt(r.Header.Get(remoteTimestamp), 10, 64)
	if err != nil || atErr != nil || !ok || len(public) != ed25519.PublicKeySize || len(sig) != ed25519.SignatureSize || !did.Of(public) {
		return nil, ErrRemote
	}
	const latest = 1 << 36 // keeps what is subtracted below in range
	if at < 0 || at > latest || now.Sub(time.Unix(at, 0)).Abs() > remoteLife {
		return nil, ErrRemote
	}
	if len(bytes.TrimSpace(body)) == 0 {
		body = []byte("{}")
	}
	said := map[string]any{"appId": app, "timestamp": at, "data": json.RawMessage(body), "userDid": r.Header.Get(remoteUser)}
	if verifiesRemote(public, said, sig) {
		return sig, nil
	}
	if said["userDid"] == "" { // a client without a user signs no member for it, and sends the header empty
		delete(said, "userDid")
		if verifiesRemote(public, said, sig) {
			return sig, nil
		}
	}
	return nil, ErrRemote
}

func verifiesRemote(public ed25519.PublicKey, said map[string]any, sig []byte) bool {
	text, err := json.Marshal(said)
	if err != nil {
		return false
	}
	if text, err = Canonical(text); err != nil {
		return false
	}
	digest := sha3.Sum256(text)
	return ed25519.Verify(public, digest[:], sig)
}
