package blocklet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha3"
	"encoding/base32"
	"math/big"
	"slices"
	"strings"
)

// Role is what a DID stands for.
type Role uint16

// The roles of DIDs that matter here.
const (
	RoleAccount     Role = 0
	RoleApplication Role = 3
)

// The other bits of a DID's type: an Ed25519 key, hashed with SHA3-256.
const (
	keyEd25519 = 0 << 5
	hashSHA3   = 1
	roleShift  = 10
)

// Address is the DID of a public key: z and the base58 of its type, 20 bytes of its
// hash and 4 bytes of a checksum.
func Address(public ed25519.PublicKey, role Role) string {
	kind := uint16(role)<<roleShift | keyEd25519 | hashSHA3
	hash := sha3.Sum256(public)
	raw := append([]byte{byte(kind >> 8), byte(kind)}, hash[:20]...)
	sum := sha3.Sum256(raw)
	return "z" + base58(append(raw, sum[:4]...))
}

// Address is the DID of the key itself.
func (k *Key) Address(role Role) string {
	public, _ := k.private.Public().(ed25519.PublicKey)
	return Address(public, role)
}

// DID is a parsed address: its type, 20 bytes of its key's hash and a checksum.
type DID [26]byte

// ParseDID reads an address, with or without did:abt: before it. ok is false for
// anything else.
func ParseDID(text string) (did DID, ok bool) {
	text = strings.TrimPrefix(text, "did:abt:")
	const longest = 40
	if len(text) < 2 || len(text) > longest || text[0] != 'z' {
		return did, false
	}
	raw, ok := unbase58(text[1:])
	if !ok || len(raw) != len(did) {
		return did, false
	}
	copy(did[:], raw)
	sum := sha3.Sum256(did[:22])
	return did, bytes.Equal(sum[:4], did[22:])
}

// Of reports whether the DID is an Ed25519 key's, in whichever role.
func (d DID) Of(public ed25519.PublicKey) bool {
	role := Role(uint16(d[0])<<8|uint16(d[1])) >> roleShift
	own, ok := ParseDID(Address(public, role))
	return ok && own == d
}

// Domain is the label under which an app's Blocklet Server makes it known below
// its domain for DIDs: b (multibase's letter) and the base32 of its bytes.
func (d DID) Domain() string {
	return "b" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(d[:]))
}

// Base58 writes bytes as multibase has them: z and their base58.
func Base58(raw []byte) string { return "z" + base58(raw) }

// unbase58 is the inverse of base58.
func unbase58(text string) ([]byte, bool) {
	n, base := new(big.Int), big.NewInt(int64(len(base58Digits)))
	for _, c := range []byte(text) {
		i := strings.IndexByte(base58Digits, c)
		if i < 0 {
			return nil, false
		}
		n.Add(n.Mul(n, base), big.NewInt(int64(i)))
	}
	zeros := len(text) - len(strings.TrimLeft(text, base58Digits[:1]))
	return append(make([]byte, zeros), n.Bytes()...), true
}

const base58Digits = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58 writes bytes in Bitcoin's base58: each leading zero byte is a 1.
func base58(raw []byte) string {
	n, base, digit := new(big.Int).SetBytes(raw), big.NewInt(int64(len(base58Digits))), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, base, digit)
		out = append(out, base58Digits[digit.Int64()])
	}
	for _, b := range raw {
		if b != 0 {
			break
		}
		out = append(out, base58Digits[0])
	}
	slices.Reverse(out)
	return string(out)
}
