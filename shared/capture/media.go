package capture

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
)

const (
	longRun  = 512 // base64 that long is a picture, a sound or a file
	shortRun = 16  // behind a data: URL's head
	mostHead = 300 // bytes of such a head
)

// media puts size and digest in the place of pictures, sounds and files in base64.
// Some JSON encoders write / as \/.
func (r *redactor) media(b []byte) []byte {
	var out []byte
	kept := 0 // so much of b is in out
	for i := 0; i < len(b); {
		end := run(b, i)
		if end == i {
			i++
			continue
		}
		head, kind := dataURL(b[kept:i])
		if end-i >= longRun || head >= 0 && end-i >= shortRun {
			from := i
			if head >= 0 {
				from = kept + head
			}
			r.found["media"]++
			out = append(append(out, b[kept:from]...), described(kind, b[i:end])...)
			kept = end
		}
		i = end
	}
	if kept == 0 {
		return b
	}
	return append(out, b[kept:]...)
}

// run is where the base64 ends that begins at i.
func run(b []byte, i int) int {
	for i < len(b) {
		switch c := b[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/', c == '-', c == '_', c == '=':
			i++
		case c == '\\' && i+1 < len(b) && b[i+1] == '/':
			i += 2
		default:
			return i
		}
	}
	return i
}

// dataURL finds the head of a data: URL at the end of what stands before its
// content, -1 for none.
func dataURL(before []byte) (at int, kind string) {
	const mark = ";base64,"
	if !bytes.HasSuffix(before, []byte(mark)) {
		return -1, "base64"
	}
	skipped := max(0, len(before)-mostHead)
	at = bytes.LastIndex(before[skipped:], []byte("data:"))
	if at < 0 {
		return -1, "base64"
	}
	at += skipped
	kind, _, _ = strings.Cut(string(before[at+len("data:"):len(before)-len(mark)]), ";")
	kind = strings.ReplaceAll(kind, `\`, "")
	if strings.Trim(kind, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/.+-") != "" {
		return -1, "base64"
	}
	return at, cmp.Or(kind, "text/plain")
}

func described(kind string, content []byte) string {
	content = bytes.ReplaceAll(content, []byte(`\`), nil)
	sum := sha256.Sum256(content)
	return fmt.Sprintf("[%s, %d bytes, sha256 of base64 %s]", kind, len(bytes.TrimRight(content, "="))*3/4, hex.EncodeToString(sum[:8]))
}
