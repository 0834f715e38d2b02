package telemetry

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"regexp"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// hidden stands where a secret was.
const hidden = "***"

// shortest is the length below which a string holds nothing that Mask knows.
const shortest = 5

// keyLike finds what looks like a secret, in the forms in which providers,
// clouds and callers write theirs. The first group of each branch stays.
var keyLike = regexp.MustCompile(strings.Join([]string{
	`\b(sk-)[A-Za-z0-9_-]{6,}`,                                           // OpenAI, Anthropic, OpenRouter, this hub
	`\b((?i:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{6,}`,                     // Authorization
	`((?i:key|token|secret|passw(?:or)?d|signature)=)[^&\s"'\\]+`,        // queries and forms
	`("[A-Za-z_-]*(?i:key|token|secret|password)\\?"\s*:\s*\\?")[^"\\]+`, // JSON
	`(://)[^/@\s"']+@`,           // user and password in a URL
	`\b(AIza)[A-Za-z0-9_-]{20,}`, // Google
	`\b(AKIA|ASIA)[A-Z0-9]{12,}`, // AWS
	`\b(eyJ)[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*)?`, // JSON web tokens
	`\b(ya29\.|bedrock-api-key-)[A-Za-z0-9._=+/-]{10,}`,              // tokens of Google accounts, short-term keys of Bedrock
	`\b(xai-|gsk_|pplx-|hf_|r8_|ABSK)[A-Za-z0-9_=+/-]{16,}`,          // xAI, Groq, Perplexity, Hugging Face, Replicate, Bedrock
}, "|"))

// secretKeys are attribute keys whose values are hidden whatever they are.
var secretKeys = map[string]bool{
	"authorization": true, "proxy-authorization": true, "x-api-key": true, "x-goog-api-key": true, "api-key": true,
	"api_key": true, "apikey": true, "access_key": true, "secret": true, "client_secret": true, "secret_access_key": true,
	"password": true, "token": true, "access_token": true, "refresh_token": true, "session_token": true,
	"cookie": true, "set-cookie": true, "master_key": true, "private_key": true,
}

// Mask replaces what looks like a secret in s by "***" and keeps the word that
// shows what kind it was. It is the second line of defence, behind hub.Secret.
func Mask(s string) string {
	if len(s) < shortest || !triggered(s) {
		return s
	}
	return keyLike.ReplaceAllStringFunc(s, func(match string) string {
		parts := keyLike.FindStringSubmatch(match)
		for _, kept := range parts[1:] {
			if kept == "://" {
				return kept + hidden + "@"
			}
			if kept != "" {
				return kept + hidden
			}
		}
		return hidden
	})
}

// triggered reports whether s holds something that each match of keyLike has.
// Most strings of a log line hold nothing of the kind, and the pattern costs far
// more than one look at each byte.
func triggered(s string) bool {
	for i := range len(s) {
		switch s[i] {
		case '=':
			return true
		case '-':
			if endsIn(s[:i], "sk", "xai", "pplx", "bedrock-api-key") {
				return true
			}
		case '.':
			if endsIn(s[:i], "ya29") {
				return true
			}
		case '_':
			if endsIn(s[:i], "gsk", "hf", "r8") {
				return true
			}
		case ' ', '\t', '\n', '\r', '\f':
			if i >= 5 && (strings.EqualFold(s[i-5:i], "earer") || strings.EqualFold(s[i-5:i], "basic")) {
				return true
			}
		case ':':
			if strings.HasPrefix(s[i:], "://") || strings.HasSuffix(strings.TrimRight(s[:i], " \t\n\r"), `"`) {
				return true
			}
		case 'A':
			if startsWith(s[i:], "AIza", "AKIA", "ASIA", "ABSK") {
				return true
			}
		case 'e':
			if startsWith(s[i:], "eyJ") {
				return true
			}
		}
	}
	return false
}

func endsIn(s string, ends ...string) bool {
	for _, e := range ends {
		if strings.HasSuffix(s, e) {
			return true
		}
	}
	return false
}

func startsWith(s string, starts ...string) bool {
	for _, p := range starts {
		if strings.HasPrefix(s, p) {
			return true
		}
	}
	return false
}

// Hide is a ReplaceAttr for slog: it hides hub.Secret wherever it stands, values
// under keys that name secrets, and strings that look like keys, also inside
// errors and structures.
func Hide(_ []string, a slog.Attr) slog.Attr {
	if secretKeys[strings.ToLower(a.Key)] {
		a.Value = slog.StringValue(hidden)
		return a
	}
	switch a.Value.Kind() {
	case slog.KindString:
		s := a.Value.String()
		if masked := Mask(s); masked != s {
			a.Value = slog.StringValue(masked)
		}
	case slog.KindAny:
		a.Value = hideAny(a.Value)
	}
	return a
}

// hideAny turns values into text before a handler does, because handlers print
// fields that are not exported without asking their types.
func hideAny(v slog.Value) slog.Value {
	switch x := v.Any().(type) {
	case nil, slog.Level, *slog.Source:
		return v
	case hub.Secret, *hub.Secret:
		return slog.StringValue(hidden)
	case error:
		return slog.StringValue(Mask(x.Error()))
	case fmt.Stringer:
		return slog.StringValue(Mask(x.String()))
	case []byte:
		return slog.StringValue(Mask(string(x)))
	default:
		b, err := json.Marshal(x)
		if err != nil {
			return slog.StringValue(fmt.Sprintf("a %T that cannot be shown", x))
		}
		return slog.AnyValue(json.RawMessage(Mask(string(b))))
	}
}
