package boot

import (
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

// The errors of the functions below follow the name of a setting: "must be …".

type (
	parser      = func(c *Config, value string) error
	secretField = hub.Secret
)

func secret(field func(*Config) *secretField) parser {
	return func(c *Config, v string) error {
		*field(c) = hub.Secret(v)
		return nil
	}
}

func masterKey(field func(*Config) *secretField) parser {
	return func(c *Config, v string) error {
		if _, err := vault.ParseMaster(hub.Secret(v)); err != nil {
			return fmt.Errorf("is refused: %w", err)
		}
		*field(c) = hub.Secret(v)
		return nil
	}
}

// parseKMSKey takes what KMS takes for a KeyId, of which it is the judge.
func parseKMSKey(c *Config, v string) error {
	const most = 2048
	if len(v) > most || strings.Trim(v, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:/_-") != "" {
		return errors.New("must be the ARN, the id or the alias (alias/name) of a KMS key")
	}
	c.KMSKeyID = v
	return nil
}

func choice(field func(*Config) *string, words ...string) parser {
	return func(c *Config, v string) error {
		if !slices.Contains(words, v) {
			return refuse(form{enum: words}, "must be one of %s, not %q", strings.Join(words, ", "), v)
		}
		*field(c) = v
		return nil
	}
}

func onOff(field func(*Config) *bool) parser {
	return func(c *Config, v string) error {
		switch v {
		case "on", "true", "1":
			*field(c) = true
		case "off", "false", "0":
			*field(c) = false
		default:
			return refuse(form{enum: []string{"on", "off"}, boolean: true}, "must be on or off, not %q", v)
		}
		return nil
	}
}

func duration(field func(*Config) *time.Duration, least, most time.Duration) parser {
	return func(c *Config, v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d < least || d > most {
			return refuse(form{pattern: durationPattern}, "must be a duration such as 30s or 5m, from %s to %s, not %q", least, most, v)
		}
		*field(c) = d
		return nil
	}
}

// parseResponsesTTL reads a time from a minute to ten years, or off.
func parseResponsesTTL(c *Config, v string) error {
	const (
		least = time.Minute
		most  = 10 * 366 * 24 * time.Hour
	)
	if strings.EqualFold(v, "off") {
		c.ResponsesTTL = 0
		return nil
	}
	if duration(func(c *Config) *time.Duration { return &c.ResponsesTTL }, least, most)(c, v) != nil {
		return fmt.Errorf("must be off or a duration such as 720h, at least %s, not %q", least, v)
	}
	return nil
}

// parseProbe reads a time from a minute to a week, or off.
func parseProbe(c *Config, v string) error {
	const (
		least = time.Minute
		most  = 7 * 24 * time.Hour
	)
	if strings.EqualFold(v, "off") {
		c.Probe = 0
		return nil
	}
	if duration(func(c *Config) *time.Duration { return &c.Probe }, least, most)(c, v) != nil {
		return fmt.Errorf("must be off or a duration such as 30m, from %s to %s, not %q", least, most, v)
	}
	return nil
}

// parseSMTP repeats nothing of the address, which holds a password.
func parseSMTP(c *Config, v string) error {
	if _, err := notify.ParseSMTP(hub.Secret(v)); err != nil {
		return fmt.Errorf("is refused: %w", err)
	}
	c.SMTP = hub.Secret(v)
	return nil
}

func count(field func(*Config) *int64, least, most int64) parser {
	return func(c *Config, v string) error {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < least || n > most {
			return refuse(form{integer: true, least: least, most: most}, "must be a whole number from %d to %d, not %q", least, most, v)
		}
		*field(c) = n
		return nil
	}
}

func address(field func(*Config) *string) parser {
	return func(c *Config, v string) error {
		_, port, err := net.SplitHostPort(v)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil || strings.ContainsAny(v, " /") {
			return refuse(form{pattern: `^[^ /]*:[0-9]{1,5}$`}, "must be host:port such as 127.0.0.1:3030, not %q", v)
		}
		*field(c) = v
		return nil
	}
}

func parseData(c *Config, v string) error {
	path, err := filepath.Abs(v)
	if err != nil {
		return fmt.Errorf("cannot be made an absolute path: %w", err)
	}
	c.Data = path
	return nil
}

// parseDatabase never repeats the URL, which may hold what it must not.
func parseDatabase(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil {
		return errors.New("must be a libSQL URL such as file:/srv/hub.db or libsql://name.example.com")
	}
	if u.User != nil || holdsToken(u.Query()) {
		return errors.New("must not hold a token or a password; give it by AIGNE_HUB_DATABASE_TOKEN")
	}
	switch u.Scheme {
	case "file":
		if u.Host != "" && u.Host != "localhost" {
			return errors.New("must be file:/path with one slash, or file:///path with three")
		}
		if u.Opaque == "" && strings.Trim(u.Path, "/") == "" {
			return errors.New("must name a file")
		}
	case "http", "https", "libsql", "ws", "wss":
		if u.Host == "" {
			return errors.New("must name a server")
		}
	default:
		return errors.New("must be a URL with the scheme file, http, https, libsql, ws or wss")
	}
	c.Database = v
	return nil
}

func holdsToken(query url.Values) bool {
	for name := range query {
		name = strings.ToLower(name)
		if name == "jwt" || strings.Contains(name, "auth") || strings.Contains(name, "token") ||
			strings.Contains(name, "password") || strings.Contains(name, "key") {
			return true
		}
	}
	return false
}

func parseCreditPrice(c *Config, v string) error {
	price, err := money.ParseCredits(v)
	if err != nil || price <= 0 {
		return fmt.Errorf("must be a positive decimal with at most nine decimals, not %q", v)
	}
	c.CreditPrice = v
	return nil
}

// parseMargin: below −100 % a rate would be negative.
func parseMargin(c *Config, v string) error {
	margin, err := money.ParseCredits(v)
	if err != nil || margin < -100*money.Credit {
		return fmt.Errorf("must be a percentage such as 20 or 12.5, not below -100, not %q", v)
	}
	c.DefaultMargin = v
	return nil
}

// parseMaxBody reads a size: KB counts in 1000, KiB in 1024.
// size reads a number of bytes; bounds says least and most in words.
func size(field func(*Config) *int64, least, most int64, bounds string) parser {
	units := []struct {
		name string
		size int64
	}{
		{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30},
		{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1}, {"", 1},
	}
	return func(c *Config, v string) error {
		text := strings.ToUpper(v)
		for _, u := range units {
			digits, ok := strings.CutSuffix(text, u.name)
			if !ok {
				continue
			}
			n, err := strconv.ParseInt(strings.TrimSpace(digits), 10, 64)
			if err != nil || n < 0 || n > math.MaxInt64/u.size || n*u.size < least || n*u.size > most {
				break
			}
			*field(c) = n * u.size
			return nil
		}
		return refuse(form{pattern: `^[0-9]+ *([kKmMgG][iI]?)?[bB]?$`, number: true}, "must be a size such as 30MB, %s, not %q", bounds, v)
	}
}

func parsePublicURL(c *Config, v string) error {
	u, err := url.Parse(v)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" ||
		u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return errors.New("must be an http or https URL without user, query and fragment, such as https://hub.example.com/ai")
	}
	c.PublicURL = strings.TrimRight(v, "/")
	return nil
}

func ranges(field func(*Config) *[]netip.Prefix) parser {
	return func(c *Config, v string) error {
		var list []netip.Prefix
		for text := range strings.SplitSeq(v, ",") {
			text = strings.TrimSpace(text)
			p, err := netip.ParsePrefix(text)
			if err != nil {
				addr, addrErr := netip.ParseAddr(text)
				if addrErr != nil || addr.Zone() != "" {
					return fmt.Errorf("must list address ranges such as 10.0.0.0/8, and %q is none", text)
				}
				addr = addr.Unmap()
				p = netip.PrefixFrom(addr, addr.BitLen())
			}
			if p.Addr().Is4In6() {
				return fmt.Errorf("must list IPv4 ranges as such, not within IPv6 as %q", text)
			}
			list = append(list, p.Masked())
		}
		*field(c) = list
		return nil
	}
}

func parseLogLevel(c *Config, v string) error {
	level, err := telemetry.ParseLevel(strings.ToLower(v))
	if err != nil {
		return fmt.Errorf("must be debug, info, warn or error, not %q", v)
	}
	c.LogLevel = level
	return nil
}

func parseLogFormat(c *Config, v string) error {
	format, err := telemetry.ParseFormat(strings.ToLower(v))
	if err != nil {
		return fmt.Errorf("must be text or json, not %q", v)
	}
	c.LogFormat = format
	return nil
}

func parseAuthorizer(c *Config, v string) error {
	switch v {
	case "simple", "policy":
		c.AuthorizerPolicy = v == "policy"
		return nil
	}
	return errors.New("must be simple or policy")
}
