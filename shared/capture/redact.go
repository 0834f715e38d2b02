package capture

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"unicode/utf8"
)

// The kinds of personal data that a rule may have taken out, beside secrets, which
// always are.
const (
	Email = "email"
	Phone = "phone"
	Card  = "card" // numbers of payment cards
)

// Kinds lists them.
func Kinds() []string { return []string{Email, Phone, Card} }

// pattern finds something to take out. keep, if set, decides by what was found.
type pattern struct {
	kind string // "secret", or one of Kinds
	re   *regexp.Regexp
	// group is the part that is taken out; 0: all of it.
	group int
	is    func(string) bool
	// needs are texts one of which is there wherever the pattern fits, in lower case;
	// digits, how many. To look for these first is many times faster.
	needs  []string
	digits int
}

const secret = "secret"

// patterns are looked for in this order. A secret is what looks like one wherever
// it stands: keys of well-known vendors, tokens behind their scheme, values of
// fields with telling names, private keys, passwords in URLs.
var patterns = []pattern{
	privateKey,
	{kind: secret, re: regexp.MustCompile(`\b(?:sk|rk|pk|whsec|xai|gsk|r8|hf|pplx|fw|nvapi|csk)[-_][A-Za-z0-9_-]{12,}`), is: hasDigit, needs: []string{"sk", "rk", "pk", "whsec", "xai", "r8", "hf", "pplx", "fw", "nvapi"}, digits: 1},
	{kind: secret, re: regexp.MustCompile(`\b(?:AKIA|ASIA)[A-Z0-9]{16}\b`), needs: []string{"akia", "asia"}},
	{kind: secret, re: regexp.MustCompile(`\bAIza[A-Za-z0-9_-]{30,}`), needs: []string{"aiza"}},
	{kind: secret, re: regexp.MustCompile(`\bya29\.[A-Za-z0-9_-]{20,}`), needs: []string{"ya29."}},
	{kind: secret, re: regexp.MustCompile(`\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{16,}|xox[a-z]-[A-Za-z0-9-]{10,}|npm_[A-Za-z0-9]{30,})`), needs: []string{"gh", "glpat-", "xox", "npm_"}},
	{kind: secret, re: regexp.MustCompile(`\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*`), needs: []string{"eyj"}},
	{kind: secret, re: regexp.MustCompile(`(?i)\b(?:bearer|basic)[ \t]+([A-Za-z0-9+/=._~-]{8,})`), group: 1, needs: []string{"bearer", "basic"}},
	{kind: secret, re: regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]{1,20}://[^\s/:@"']{0,200}:([^\s/@"']{1,200})@`), group: 1, needs: []string{"://"}},
	{kind: secret, re: regexp.MustCompile(`(?i)(?:` + telling + `)["']?[ \t]*[:=][ \t]*["']?([^\s"',;&}\\]{4,})`), group: 1, needs: tellingParts},
	{kind: Email, re: regexp.MustCompile(`[\pL\pN._%+'-]{1,64}@(?:[\pL\pN-]{1,63}\.){1,8}[\pL]{2,24}`), needs: []string{"@"}},
	{kind: Card, re: regexp.MustCompile(`\b\d(?:[ -]?\d){12,18}\b`), is: luhn, digits: 13},
	{kind: Phone, re: regexp.MustCompile(`\+\d{1,3}[ ().-]{0,2}(?:\d[ ().-]{0,2}){6,13}\d|\(?\b0?\d{2,4}\)?[ .-]\d{2,4}(?:[ .-]\d{2,4}){1,3}\b`), is: phone, digits: 8},
}

// privateKey stretches over lines, and to where it was cut off, but never over the
// end of a string.
var privateKey = pattern{kind: secret, re: regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----[A-Za-z0-9+/=\s\\:,]*(?:-----END [A-Z ]*PRIVATE KEY-----)?`), needs: []string{"private key"}}

// telling are names of fields whose values are secret.
const telling = `authorization|x-api-key|api[-_]?key|apikey|access[-_]?key(?:[-_]?id)?|secret(?:[-_]?(?:access[-_]?)?key)?|client[-_]?secret|password|passwd|passphrase|private[-_]?key|(?:access|refresh|id|auth|session|bearer)[-_]?token|credentials?|cookie`

// tellingParts are in each of them.
var tellingParts = []string{"auth", "key", "secret", "passw", "passphrase", "token", "credential", "cookie"}

var tellingName = regexp.MustCompile(`(?i)^(?:.*[-_.])?(?:` + telling + `)$`)

// hasDigit tells keys from names in programs.
func hasDigit(s string) bool { return strings.ContainsAny(s, "0123456789") }

// luhn reports whether digits can be the number of a card.
func luhn(s string) bool {
	sum, n := 0, 0
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] < '0' || s[i] > '9' {
			continue
		}
		d := int(s[i] - '0')
		if n++; n%2 == 0 {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		sum += d
	}
	return n >= 13 && n <= 19 && sum%10 == 0
}

// phone leaves dates and amounts alone.
func phone(s string) bool {
	digits := countDigits(s)
	return digits >= 8 && digits <= 15 && !date.MatchString(s)
}

var date = regexp.MustCompile(`^(?:19|20)\d\d[-. ]\d{1,2}[-. ]\d{1,2}`)

// redactor takes things out of texts and counts them.
type redactor struct {
	kinds map[string]bool
	found map[string]int
	bare  bool // between strings of JSON, where what takes a value's place must be one
}

func newRedactor(pii []string) *redactor {
	r := &redactor{kinds: map[string]bool{secret: true}, found: map[string]int{}}
	for _, k := range pii {
		r.kinds[k] = true
	}
	return r
}

// body redacts a body: JSON, server-sent events of it, or any other text.
func (r *redactor) body(b []byte) string {
	var out strings.Builder
	out.Grow(min(len(b), 1<<16))
	b = r.stream([]byte(r.replace(string(r.media(b)), privateKey)))
	for len(b) > 0 {
		line := b
		if i := bytes.IndexByte(b, '\n'); i >= 0 {
			line = b[:i+1]
		}
		r.line(&out, string(line))
		b = b[len(line):]
	}
	return out.String()
}

// line redacts a line: the strings of JSON in it as what they mean, whatever way
// they are escaped, and the rest as it stands.
func (r *redactor) line(out *strings.Builder, s string) {
	hidden, found := false, false // the next value belongs to a telling name; there was a string
	for len(s) > 0 {
		open := strings.IndexByte(s, '"')
		if open < 0 {
			break
		}
		size := quoted(s[open:])
		if size == 0 {
			break
		}
		r.between(out, s[:open], &hidden)
		found = true
		text := s[open : open+size]
		s = s[open+size:]
		var meant string
		if json.Unmarshal([]byte(text), &meant) != nil {
			out.WriteString(r.plain(text))
			continue
		}
		isName := strings.HasPrefix(strings.TrimLeft(s, " \t"), ":")
		switch {
		case isName:
			hidden = tellingName.MatchString(meant)
			out.WriteString(r.rewritten(text, meant))
		case hidden && meant != "":
			r.found[secret]++
			out.WriteString(`"[` + secret + `]"`)
			hidden = false
		default:
			hidden = false
			out.WriteString(r.rewritten(text, meant))
		}
	}
	if found {
		r.between(out, s, &hidden)
		return
	}
	out.WriteString(r.plain(s))
}

// bareValue is a value that is no string.
var bareValue = regexp.MustCompile(`^\s*:\s*(-?[0-9][0-9.eE+-]*)`)

// between redacts what stands between two strings, or behind the last one.
func (r *redactor) between(out *strings.Builder, s string, hidden *bool) {
	if m := bareValue.FindStringSubmatchIndex(s); *hidden && m != nil {
		r.found[secret]++
		out.WriteString(s[:m[2]] + `"[` + secret + `]"`)
		s = s[m[3]:]
	}
	if *hidden && strings.ContainsAny(s, ",{[}]") {
		*hidden = false // the value was no string
	}
	r.bare = true
	out.WriteString(r.plain(s))
	r.bare = false
}

// rewritten is a string of JSON as it stood, or anew if something was taken out.
func (r *redactor) rewritten(text, meant string) string {
	clean := r.plain(meant)
	if clean == meant {
		return text
	}
	return quote(clean)
}

// quoted is how long the string of JSON is that s begins with, 0 for none.
func quoted(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		case '\n':
			return 0
		}
	}
	return 0
}

// plain redacts text that means what it says.
func (r *redactor) plain(s string) string {
	if len(s) < 6 {
		return s
	}
	lower, digits := strings.ToLower(s), countDigits(s)
	for i := range patterns {
		if p := &patterns[i]; r.kinds[p.kind] && p.possible(lower, digits) {
			s = r.replace(s, *p)
		}
	}
	return s
}

func countDigits(s string) (n int) {
	for i := range len(s) {
		if s[i] >= '0' && s[i] <= '9' {
			n++
		}
	}
	return n
}

// possible reports whether the pattern can be in a text at all.
func (p *pattern) possible(lower string, digits int) bool {
	if digits < p.digits {
		return false
	}
	for _, part := range p.needs {
		if strings.Contains(lower, part) {
			return true
		}
	}
	return len(p.needs) == 0
}

func (r *redactor) replace(s string, p pattern) string {
	all := p.re.FindAllStringSubmatchIndex(s, -1)
	if len(all) == 0 {
		return s
	}
	var out strings.Builder
	at := 0
	for _, m := range all {
		from, to := m[2*p.group], m[2*p.group+1]
		found := s[from:to]
		if p.is != nil && !p.is(found) || strings.HasPrefix(found, "[") {
			continue
		}
		r.found[p.kind]++
		out.WriteString(s[at:from])
		if r.bare && (p.kind == Card || p.kind == Phone) {
			out.WriteString(`"[` + p.kind + `]"`)
		} else {
			out.WriteString("[" + p.kind + "]")
		}
		at = to
	}
	out.WriteString(s[at:])
	return out.String()
}

// cut shortens text to so many bytes of whole characters.
func cut(s string, most int) (short string, was bool) {
	s = strings.ToValidUTF8(s, "\ufffd")
	if len(s) <= most {
		return s, false
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most], true
}
