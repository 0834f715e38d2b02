package boot

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// TLS says how the hub's own listener is encrypted; the zero value: it is not.
type TLS struct {
	Cert, Key string // PEM files
	// Domains get certificates of their own by ACME; then Cert and Key are "".
	Domains []string
	ACMEURL string // directory of the authority
	Email   string // that the authority may write to; ""
}

// On reports whether the listener speaks TLS.
func (t TLS) On() bool { return t.Cert != "" || len(t.Domains) > 0 }

func tlsSettings() []Setting {
	return []Setting{
		{
			Name: "AIGNE_HUB_TLS_CERT", Flag: "tls-cert",
			Doc:   "PEM file with the certificate and those that lead to it: the hub itself speaks HTTPS; read anew when it changes, and on SIGHUP; unset: plain HTTP",
			parse: func(c *Config, v string) error { c.TLS.Cert = v; return nil },
		},
		{
			Name: "AIGNE_HUB_TLS_KEY", Flag: "tls-key", Doc: "PEM file with its private key",
			parse: func(c *Config, v string) error { c.TLS.Key = v; return nil },
		},
		{
			Name: "AIGNE_HUB_TLS_DOMAINS", Flag: "tls-domains", List: ",",
			Doc:   "comma-separated names for which certificates are had by ACME (TLS-ALPN-01: port 443 of the names must lead here), instead of files; they lie in the data folder",
			parse: parseTLSDomains,
		},
		{
			Name: "AIGNE_HUB_TLS_ACME_URL", Flag: "tls-acme-url", Default: "https://acme-v02.api.letsencrypt.org/directory",
			Doc: "directory of the authority that issues them; by using it you agree to its terms", parse: parseACMEURL,
		},
		{
			Name: "AIGNE_HUB_TLS_EMAIL", Flag: "tls-email", Doc: "address that the authority may write to",
			parse: func(c *Config, v string) error { c.TLS.Email = v; return nil },
		},
	}
}

func parseTLSDomains(c *Config, v string) error {
	for name := range strings.SplitSeq(v, ",") {
		name = strings.ToLower(strings.TrimSpace(name))
		if !domainName.MatchString(name) {
			return fmt.Errorf("must list names such as hub.example.com, and %q is none", name)
		}
		c.TLS.Domains = append(c.TLS.Domains, name)
	}
	return nil
}

func parseACMEURL(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return errors.New("must be an https URL such as https://acme-v02.api.letsencrypt.org/directory")
	}
	c.TLS.ACMEURL = v
	return nil
}

func (c *Config) completeTLS(blame func(name, format string, args ...any)) {
	t := c.TLS
	switch {
	case t.Cert != "" && t.Key == "":
		blame("AIGNE_HUB_TLS_KEY", "must be set beside AIGNE_HUB_TLS_CERT")
	case t.Key != "" && t.Cert == "":
		blame("AIGNE_HUB_TLS_CERT", "must be set beside AIGNE_HUB_TLS_KEY")
	case t.Cert != "" && len(t.Domains) > 0:
		blame("AIGNE_HUB_TLS_DOMAINS", "and AIGNE_HUB_TLS_CERT are both set; certificates come from files or by ACME")
	case len(t.Domains) > 0 && c.Data == "":
		blame("AIGNE_HUB_TLS_DOMAINS", "needs AIGNE_HUB_DATA, where certificates are kept")
	}
}
