package identity

import (
	"net/netip"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const maxRedirect = 500

// CheckRedirect reports what makes an address unfit to send browsers back to with
// an authorization code: https addresses, http addresses of the user's own machine
// (RFC 8252, section 7.3) and private schemes named after a domain (section 7.1)
// are fit.
func CheckRedirect(address string) error {
	u, err := url.Parse(address)
	switch {
	case err != nil || len(address) > maxRedirect || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' || r == '*' }):
		return hub.Invalid("redirect_uris", "%.80q is no address to send browsers back to.", address)
	case u.Fragment != "" || strings.HasSuffix(address, "#") || u.User != nil:
		return hub.Invalid("redirect_uris", "An address to send browsers back to has no fragment, user or password: %.80q.", address)
	case u.Scheme == "https" && u.Hostname() != "", u.Scheme == "http" && loopback(u.Hostname()):
		return nil
	case strings.Contains(u.Scheme, ".") && u.Host == "" && strings.HasPrefix(u.Path+u.Opaque, "/"):
		return nil
	case u.Scheme == "http":
		return hub.Invalid("redirect_uris", "Browsers are sent back over https; http is for 127.0.0.1, [::1] and localhost, unlike %.80q.", address)
	}
	return hub.Invalid("redirect_uris", "Browsers are sent back to https addresses, or to a scheme that is named after a domain, such as com.example.app:/done; unlike %.80q.", address)
}

func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || (err == nil && a.IsLoopback() && !a.Is4In6())
}

// SameRedirect reports whether browsers may be sent to an address by one that was
// registered: they are the same, but for the port on the user's own machine, which
// a program cannot know before it runs (RFC 8252, section 7.3).
func SameRedirect(registered, given string) bool {
	if registered == given {
		return true
	}
	r, err := url.Parse(registered)
	if err != nil || r.Scheme != "http" || !loopback(r.Hostname()) {
		return false
	}
	g, err := url.Parse(given)
	if err != nil || CheckRedirect(given) != nil || g.Hostname() != r.Hostname() || g.Host == "" {
		return false
	}
	return withoutPort(r, registered) == withoutPort(g, given)
}

// withoutPort is an address as it was written, without its port.
func withoutPort(u *url.URL, text string) string {
	if u.Port() == "" {
		return text
	}
	return strings.Replace(text, u.Host, strings.TrimSuffix(u.Host, ":"+u.Port()), 1)
}

// Assured reports whether only the application itself can be behind an address:
// not on the user's own machine, where any program can listen, nor behind a
// private scheme, which any program can claim.
func Assured(redirect string) bool {
	u, err := url.Parse(redirect)
	return err == nil && u.Scheme == "https" && !loopback(u.Hostname())
}
