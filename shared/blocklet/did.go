package blocklet

import (
	"crypto/ed25519"
	"crypto/sha3"
	"math/big"
	"slices"
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
