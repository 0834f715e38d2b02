package blocklet

import (
	"crypto/ed25519"
	"crypto/sha3"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// ErrSender says that a message was not sent by this Blocklet Server.
var ErrSender = errors.New("the message is not the server's")

// senderSkew is by how much the server's own proofs may be too old or too new, as
// its clients have it.
const senderSkew = 600 * time.Second

// moment is a time in seconds, which ArcBlock's JWTs write as text.
type moment int64

func (m *moment) UnmarshalJSON(b []byte) error {
	n, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 64)
	*m = moment(n)
	return err
}

// VerifySender checks an ArcBlock JWT (npm @arcblock/jwt) that the Blocklet Server
// signed with its own Ed25519 key: its issuer must be the DID of that key.
func (e *Environment) VerifySender(token hub.Secret, now time.Time) error {
	parts := strings.Split(token.Reveal(), ".")
	if len(e.serverKey) != ed25519.PublicKeySize || len(token) > maxToken || len(parts) != 3 {
		return ErrSender
	}
	var head struct {
		Algorithm string `json:"alg"`
	}
	var claims struct {
		Issuer    string  `json:"iss"`
		IssuedAt  *moment `json:"iat"`
		NotBefore moment  `json:"nbf"`
		ExpiresAt *moment `json:"exp"`
		Version   string  `json:"version"`
	}
	sig, err := base64.RawURLEncoding.DecodeString(parts[2])
	if err != nil || !segment(parts[0], &head) || !strings.EqualFold(head.Algorithm, "Ed25519") || !segment(parts[1], &claims) || claims.IssuedAt == nil || claims.ExpiresAt == nil {
		return ErrSender
	}
	issuer, ok := ParseDID(claims.Issuer)
	if !ok || !issuer.Of(e.serverKey) {
		return ErrSender
	}
	early, late := moment(now.Add(-senderSkew).Unix()), moment(now.Add(senderSkew).Unix())
	if *claims.ExpiresAt < early || *claims.IssuedAt > late || claims.NotBefore > late {
		return ErrSender
	}
	signed := []byte(parts[0] + "." + parts[1])
	if claims.Version == "1.1.0" { // which hashes before it signs
		digest := sha3.Sum256(signed)
		signed = digest[:]
	}
	if !ed25519.Verify(e.serverKey, signed, sig) {
		return ErrSender
	}
	return nil
}

// parsePublic reads a public key as the server writes it: 0x and hexadecimal. nil
// for any other.
func parsePublic(text string) ed25519.PublicKey {
	raw, err := hex.DecodeString(strings.TrimPrefix(text, "0x"))
	if err != nil || len(raw) != ed25519.PublicKeySize {
		return nil
	}
	return raw
}
