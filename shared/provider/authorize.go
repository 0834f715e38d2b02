package provider

import (
	"maps"
	"net/http"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// foreign reports whether a header says who a caller is, to us or to a vendor.
// None of them may reach a provider: the credential there is the operator's.
func foreign(header string) bool {
	switch http.CanonicalHeaderKey(header) {
	case "Authorization", "Proxy-Authorization", "Cookie",
		"X-Api-Key", "Api-Key", "X-Goog-Api-Key", "X-Goog-User-Project",
		"Openai-Organization", "Openai-Project",
		"X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Content-Sha256":
		return true
	}
	return false
}

// foreignQuery are credentials that some clients put into the URL.
var foreignQuery = []string{"key", "api_key", "access_token"}

// Strip removes every credential that came with a caller's own request.
func Strip(r *http.Request) {
	if r.Header == nil {
		r.Header = make(http.Header)
	}
	// Deleted as they are spelled: a map key that is not canonical goes out too.
	maps.DeleteFunc(r.Header, func(name string, _ []string) bool { return foreign(name) })
	dropForeignQuery(r.URL)
}

// Authorize strips a request and sets the kind's credential on it. Without a
// secret it only strips, for kinds where the key is optional. Credentials that
// need more than a header (a pair of keys that signs, a service account) are
// refused. Errors are of hub.ClassCredential and hold no secret.
func Authorize(k Kind, r *http.Request, secret hub.Secret) error {
	Strip(r)
	key := strings.TrimSpace(secret.Reveal())
	if key == "" {
		if k.KeyOptional {
			return nil
		}
		return Unusable("The provider has no usable credential.")
	}
	if strings.ContainsFunc(key, func(c rune) bool { return c <= ' ' || c >= 0x7f }) {
		return Unusable("The provider's credential has characters that no key has. Store it again.")
	}
	switch k.Auth {
	case Bearer:
		r.Header.Set("Authorization", "Bearer "+key)
	case XAPIKey:
		r.Header.Set("X-Api-Key", key)
	case XGoogAPIKey:
		r.Header.Set("X-Goog-Api-Key", key)
	case APIKeyHeader:
		r.Header.Set("Api-Key", key)
	case SigV4:
		if !bedrockKey(key) {
			return Unusable("The provider's credential is not one of its kind. Store it again.")
		}
		r.Header.Set("Authorization", "Bearer "+key)
	default:
		return Unusable("The provider's credential is not one of its kind. Store it again.")
	}
	return nil
}

// Unusable is the error of a credential that nothing can be sent with.
func Unusable(message string) *hub.Error {
	return &hub.Error{Code: hub.CodeProviderCredential, Class: hub.ClassCredential, Message: message}
}

// dropForeignQuery removes credentials from the query and leaves the rest of its
// bytes alone.
func dropForeignQuery(u *url.URL) {
	if u == nil || u.RawQuery == "" {
		return
	}
	kept := make([]string, 0, 4)
	for pair := range strings.SplitSeq(u.RawQuery, "&") {
		raw, _, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(raw)
		credential := err != nil
		for _, f := range foreignQuery {
			credential = credential || strings.EqualFold(name, f)
		}
		if !credential {
			kept = append(kept, pair)
		}
	}
	u.RawQuery = strings.Join(kept, "&")
}
