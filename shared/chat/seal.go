package chat

import (
	"encoding/base64"
	"strings"
)

// sealMark begins what is inside a seal. It is a multiple of three bytes long,
// so that its base64 form begins every seal.
const sealMark = "aigne-hub"

// SealPrefix begins every seal, for a cheap look at a body that may hold one.
const SealPrefix = "YWlnbmUtaHVi"

// Seal wraps the signature or opaque data of one vendor for a dialect that has
// room for a signature but not for whose it is: the caller keeps it like any
// other, and Unseal tells it apart when it comes back. The form is standard
// base64, which clients that decode such fields can read. id is Part.ID or, for
// the signature of a tool call, the call's id; it may be empty.
func Seal(signedBy, id, signature string) string {
	return base64.StdEncoding.EncodeToString([]byte(strings.Join([]string{sealMark, signedBy, id, signature}, "\n")))
}

// Unseal is the way back from Seal; ok is false for anything else.
func Unseal(sealed string) (signedBy, id, signature string, ok bool) {
	if !strings.HasPrefix(sealed, SealPrefix) {
		return "", "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(sealed)
	if err != nil {
		return "", "", "", false
	}
	f := strings.SplitN(string(plain), "\n", 4)
	if len(f) != 4 || f[0] != sealMark {
		return "", "", "", false
	}
	return f[1], f[2], f[3], true
}
