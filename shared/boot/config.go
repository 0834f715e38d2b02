// Package boot reads the hub's configuration and opens what the functions need.
// Only mains and Wire functions import it; nothing below it reads the
// environment.
package boot

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/oauth"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
)

// Config is every setting, checked. See Settings for what each means.
type Config struct {
	File          string // of settings; "" for none
	Listen        string
	TLS           TLS
	Data          string // absolute path
	Database      string // libSQL URL without token
	DatabaseToken hub.Secret
	Synchronous   string // NORMAL or FULL

	Billing           bool
	CreditPrice       string        // US dollars per credit, a positive decimal
	DefaultMargin     string        // percent, a decimal; "" when unset
	OnAbort           string        // reported, delivered or free
	OnUpstreamFailure string        // delivered or free
	EmptyAnswer       string        // charge or free
	Slice             int64         // output tokens by which holds of streams grow; 0: they do not
	WhenPaymentDown   string        // refuse or hold_local
	DefaultOutput     int64         // output tokens held when a wallet does not cover a call's ceiling
	Welcome           money.Credits // that each new user is given
	WelcomeLife       time.Duration // 0: for ever
	StatsLife         time.Duration // of sums of 15 minutes
	DefaultMaxOutput  int64         // output tokens, where request, rate and catalogue say nothing

	Payment Payment

	// ResponsesTTL is how long answers of the Responses API can be come back to;
	// 0: none are stored.
	ResponsesTTL time.Duration

	Cache   Cache
	Capture Capture
	Selling Selling

	MaxBody  int64 // bytes
	Timeouts Timeouts
	Attempts int64
	Cooldown time.Duration // 0: off

	AttemptsTime time.Duration // of a call, after which no attempt begins; 0: none
	Hedge        time.Duration // 0: off
	SlowStream   int64         // bytes per second; 0: off

	Drain time.Duration

	MasterKey    hub.Secret // base64 of 32 bytes; "" means the key file
	MasterKeyOld hub.Secret
	KMSKeyID     string // of AWS KMS, instead of MasterKey
	SecretsPath  string // in AWS Parameter Store, of settings that the environment lacks

	Blob       BlobStore     // Bucket is "" for the data folder
	BlobLife   time.Duration // of files kept for their links
	Archive    Archive
	Backup     Backup
	FetchAllow []netip.Prefix // ranges inside that may be fetched from

	SMTP  hub.Secret    // mail server; "" when unset
	Probe time.Duration // how often targets that nobody calls are called; 0: never

	Door Door
	// OAuth is about signing in to applications with the hub.
	OAuth oauth.Settings

	Blocklet Blocklet

	PublicURL      string // origin and prefix without a closing slash; "" when unset
	TrustedProxies []netip.Prefix
	AppDomain      string // below which applications are found by their DIDs; "": none is asked
	PublicModels   bool
	MetricsListen  string // "" when unset
	Profiles       string // loopback address; "": off
	Telemetry      Telemetry
	TracePropagate bool
	AccessLog      httpkit.AccessLog
	// AuthorizerPolicy: the Lambda authorizer answers payload 2.0 with a policy.
	AuthorizerPolicy bool

	LogLevel  slog.Level
	LogFormat telemetry.Format

	// Effective are all settings as they are in force, without secrets.
	Effective []Effective
}

// Timeouts bound one attempt at a provider. All are positive.
type Timeouts struct {
	Connect   time.Duration // to a connection, TLS included
	FirstByte time.Duration // from the request sent to the answer's first byte
	Idle      time.Duration // between two reads of an answer
	Total     time.Duration // the whole call
}

// MasterKeyFile is where the master key lives when MasterKey is unset.
func (c Config) MasterKeyFile() string { return filepath.Join(c.Data, "master.key") }

// Env looks a variable up, like os.LookupEnv.
type Env func(name string) (string, bool)

// get treats an empty variable as unset: templates pass on empty parameters.
func (e Env) get(name string) string {
	v, _ := e(name)
	return strings.TrimSpace(v)
}

func (e Env) onLambda() bool { return e.get("AWS_LAMBDA_FUNCTION_NAME") != "" }

const (
	prefix     = "AIGNE_HUB_"
	testPrefix = prefix + "TEST_"
)

// Load reads the settings. environ lists the whole environment as NAME=value, to
// find misspelt names; overrides holds values of flags under the names of their
// variables and wins; the file that AIGNE_HUB_CONFIG names comes last. The error
// joins one *hub.Error for every fault, each with the variable, or the key of the
// file, in Param; none repeats a secret.
func Load(env func(string) (string, bool), environ []string, overrides map[string]string) (Config, error) {
	settings := Settings()
	faults := unknownNames(settings, environ, overrides)
	var c Config
	src, unread := newSources(env, settings, overrides)
	faults = append(faults, unread...)
	for _, s := range settings {
		value, from := src.value(s)
		c.Effective = append(c.Effective, effective(s, value, from))
		if value == "" {
			continue
		}
		if err := s.parse(&c, value); err != nil {
			faults = append(faults, src.fault(s, from, err))
		}
	}
	faults = append(faults, c.complete(src, len(faults) > 0)...)
	if len(faults) > 0 {
		return Config{}, errors.Join(faults...)
	}
	return c, nil
}

// fallback is the value of a setting that nobody gave.
func (s Setting) fallback(e Env) string {
	if s.derive != nil {
		return s.derive(e)
	}
	return s.Default
}

// complete fills in what depends on other settings and checks them against each
// other.
func (c *Config) complete(src sources, faulty bool) []error {
	given, e := src.has, src.env
	var faults []error
	blame := func(name, format string, args ...any) {
		faults = append(faults, hub.Invalid(name, "%s "+format, append([]any{name}, args...)...))
	}
	keyGiven := given("AIGNE_HUB_MASTER_KEY") || given("AIGNE_HUB_KMS_KEY_ID")
	if given("AIGNE_HUB_MASTER_KEY") && given("AIGNE_HUB_KMS_KEY_ID") {
		blame("AIGNE_HUB_KMS_KEY_ID", "and AIGNE_HUB_MASTER_KEY are both set; give the former master key by AIGNE_HUB_MASTER_KEY_OLD")
	}
	// Without a home folder there is no data folder; nobody needs one who names
	// the database and the key.
	if c.Data == "" && !faulty && (!given("AIGNE_HUB_DATABASE") || !keyGiven) {
		blame("AIGNE_HUB_DATA", "must be set: there is no home folder to derive it from")
	}
	// Lambda's own disk is gone with the next cold start, and with it a database
	// or a key that was made there.
	if !e.onLambda() && given("AIGNE_HUB_SECRETS_PATH") {
		blame("AIGNE_HUB_SECRETS_PATH", "is read on Lambda only")
	}
	if e.onLambda() && !given("AIGNE_HUB_DATABASE") {
		blame("AIGNE_HUB_DATABASE", "must be set on Lambda, where the disk does not last")
	}
	if e.onLambda() && !keyGiven && !given("AIGNE_HUB_DATA") {
		blame("AIGNE_HUB_MASTER_KEY", "or AIGNE_HUB_KMS_KEY_ID must be set on Lambda, where the disk does not last")
	}
	if c.Database == "" && c.Data != "" {
		c.Database = store.FileURL(filepath.Join(c.Data, "hub.db"))
	}
	if c.DatabaseToken != "" && strings.HasPrefix(c.Database, "file:") {
		blame("AIGNE_HUB_DATABASE_TOKEN", "is set, but the database is a file; set AIGNE_HUB_DATABASE to the server's URL")
	}
	c.completePlaces(e, blame)
	c.completeTelemetry(e, blame)
	c.completeTLS(blame)
	if !faulty {
		c.completeDoor(blame)
		c.completeSelling(blame)
	}
	return faults
}

// unknownNames finds AIGNE_HUB_* variables and overrides that no setting has.
func unknownNames(settings []Setting, environ []string, overrides map[string]string) []error {
	known := make(map[string]bool, len(settings))
	for _, s := range settings {
		known[s.Name] = true
	}
	var names []string
	for _, entry := range environ {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, prefix) && !strings.HasPrefix(name, testPrefix) && !known[name] {
			names = append(names, name)
		}
	}
	for name := range overrides {
		if !known[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	var faults []error
	for _, name := range slices.Compact(names) {
		hint := ""
		if near := nearest(settings, name); near != "" {
			hint = fmt.Sprintf("; did you mean %s?", near)
		}
		faults = append(faults, hub.Invalid(name, "%s is not a setting%s", name, hint))
	}
	return faults
}

// nearest is the setting that differs from name by the fewest characters, "" if
// that is more than three.
func nearest(settings []Setting, name string) string {
	best, found := 4, ""
	for _, s := range settings {
		if d := distance(s.Name, name); d < best {
			best, found = d, s.Name
		}
	}
	return found
}

// distance is the number of characters to insert, delete or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}
