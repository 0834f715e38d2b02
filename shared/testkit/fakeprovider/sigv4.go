package fakeprovider

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// AccessKeyID is the only id whose signatures the Bedrock fake takes; the secrets
// are Options.Keys.
const AccessKeyID = "AKIAFAKE0123456789AB"

// clockSkew is how far a signature's date may be off.
const clockSkew = 5 * time.Minute

// Signed checks an AWS Signature Version 4 by computing it anew from the request
// as it arrived ("Create a signed AWS API request" in the IAM user guide). It
// returns what is wrong, "" for nothing.
func Signed(r *http.Request, body []byte, service string, secrets []string, now time.Time) string {
	fields, ok := strings.CutPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ")
	if !ok {
		return "Missing Authentication Token"
	}
	parts := map[string]string{}
	for field := range strings.SplitSeq(fields, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(field), "=")
		parts[name] = value
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || scope[4] != "aws4_request" || scope[3] != service {
		return "Credential should be scoped to correct service: '" + service + "'."
	}
	if scope[0] != AccessKeyID {
		return "The security token included in the request is invalid."
	}
	stamp := r.Header.Get("X-Amz-Date")
	date, err := time.Parse("20060102T150405Z", stamp)
	if err != nil || stamp[:8] != scope[1] {
		return "Date in Credential scope does not match the request's date."
	}
	if date.Sub(now).Abs() > clockSkew {
		return "Signature expired: " + stamp
	}
	names := strings.Split(parts["SignedHeaders"], ";")
	for _, must := range []string{"host", "x-amz-date", "x-amz-security-token"} {
		if (must == "host" || r.Header.Get(must) != "") && !slices.Contains(names, must) {
			return fmt.Sprintf("'%s' must be a signed header.", must)
		}
	}
	hash := sha256.Sum256([]byte(canonical(r, body, names)))
	toSign := strings.Join([]string{"AWS4-HMAC-SHA256", stamp, strings.Join(scope[1:], "/"), hex.EncodeToString(hash[:])}, "\n")
	for _, secret := range secrets {
		key := []byte("AWS4" + secret)
		for _, part := range scope[1:] {
			key = mac(key, part)
		}
		if hex.EncodeToString(mac(key, toSign)) == parts["Signature"] {
			return ""
		}
	}
	return "The request signature we calculated does not match the signature you provided."
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// canonical is the canonical request. The path is escaped once more than it is
// sent, as for every service but S3.
func canonical(r *http.Request, body []byte, names []string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n")
	for i := range len(r.URL.EscapedPath()) {
		c := r.URL.EscapedPath()[i]
		if c == '/' || c == '-' || c == '_' || c == '.' || c == '~' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	query := strings.Split(r.URL.RawQuery, "&")
	slices.Sort(query)
	b.WriteString("\n" + strings.Join(query, "&") + "\n")
	for _, name := range names {
		value := strings.Join(r.Header.Values(name), ",")
		switch name {
		case "host":
			value = r.Host
		case "content-length":
			value = strconv.FormatInt(r.ContentLength, 10)
		}
		b.WriteString(name + ":" + strings.Join(strings.Fields(value), " ") + "\n")
	}
	sum := sha256.Sum256(body)
	b.WriteString("\n" + strings.Join(names, ";") + "\n" + hex.EncodeToString(sum[:]))
	return b.String()
}
