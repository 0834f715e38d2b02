package boot

import (
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// InForce is a setting and what this process was started with, as those who
// administer the hub may see it.
type InForce struct {
	Setting

	Given  bool   // by a variable or a flag
	Secret bool   // then Value is ""
	Value  string // "" where nothing was given and there is no default
}

// InForce lists every setting, in the order of Settings. No secret is among the
// values, nor what stands for one inside a URL.
func (c Config) InForce() []InForce {
	all := Settings()
	out := make([]InForce, len(all))
	for i, s := range all {
		v, given := c.Given[s.Name]
		out[i] = InForce{Setting: s, Given: given, Secret: s.secret(), Value: v.Reveal()}
	}
	return out
}

// secret: what does not belong on a command line has no flag.
func (s Setting) secret() bool { return s.Flag == "" }

// shown is what of a value may be shown.
func (s Setting) shown(v string) hub.Secret {
	if s.secret() {
		return ""
	}
	return hub.Secret(withoutUser(v))
}

// withoutUser takes user, query and fragment out of a URL, where tokens stand;
// other texts stay.
func withoutUser(v string) string {
	if !strings.Contains(v, "://") {
		return v
	}
	u, err := url.Parse(v)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
