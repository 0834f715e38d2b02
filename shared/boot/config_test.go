package boot_test

import (
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/oauth"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
)

var goodKey = base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))

// load gives Load an environment that has a home folder and vars.
func load(vars map[string]string, overrides map[string]string) (boot.Config, error) {
	all := map[string]string{"HOME": "/home/me", "PATH": "/bin"}
	for name, v := range vars {
		all[name] = v
	}
	var environ []string
	for name, v := range all {
		environ = append(environ, name+"="+v)
	}
	return boot.Load(func(name string) (string, bool) { v, ok := all[name]; return v, ok }, environ, overrides)
}

func TestWithoutAnySettingTheDefaultsHold(t *testing.T) {
	t.Parallel()
	got, err := load(nil, nil)
	require.NoError(t, err)
	for _, s := range got.Effective {
		assert.False(t, s.Given(), s.Name)
	}
	got.Effective = nil
	assert.Equal(t, boot.Config{
		TLS:    boot.TLS{ACMEURL: "https://acme-v02.api.letsencrypt.org/directory"},
		Listen: "127.0.0.1:3030", Data: "/home/me/.local/share/aigne-hub",
		Database: "file:/home/me/.local/share/aigne-hub/hub.db", Synchronous: "NORMAL",
		CreditPrice: "1", OnAbort: "reported", OnUpstreamFailure: "delivered", EmptyAnswer: "charge", Slice: 4096, WhenPaymentDown: "refuse",
		Payment:       boot.Payment{Mode: "auto", Live: true, Line: 5_000_000_000},
		DefaultOutput: 4096, DefaultMaxOutput: 8192, StatsLife: 4392 * time.Hour, ResponsesTTL: 720 * time.Hour, MaxBody: 30_000_000,
		Cache: boot.Cache{Mode: "off", TTL: time.Hour, Size: 256_000_000}, Capture: boot.Capture{Body: 64_000, Life: 168 * time.Hour, Memory: 32_000_000},
		Selling: boot.Selling{StripeURL: "https://api.stripe.com",
			Terms: selling.Terms{Currency: "usd", Price: money.Credit, Min: 5 * money.Credit, Max: 1000 * money.Credit}},
		Timeouts: boot.Timeouts{Connect: 10 * time.Second, FirstByte: 2 * time.Minute, Idle: 2 * time.Minute, Total: 15 * time.Minute},
		Attempts: 4, AttemptsTime: 5 * time.Minute, SlowStream: 1, Cooldown: 30 * time.Second, Drain: 25 * time.Second, BlobLife: 720 * time.Hour,
		PublicModels: true, AccessLog: httpkit.AccessAll, AppDomain: "did.abtnet.io", LogLevel: slog.LevelInfo, LogFormat: telemetry.FormatText,
		Door:    boot.Door{SessionIdle: 168 * time.Hour, SessionLife: 720 * time.Hour, Invitation: 168 * time.Hour},
		Archive: boot.Archive{After: 92 * 24 * time.Hour, Free: 2e9, Cache: 1e9},
		Backup:  boot.Backup{Keep: 7},
		OAuth:   oauth.Settings{TokenLife: time.Hour, RefreshLife: 2160 * time.Hour},
		Blocklet: boot.Blocklet{Users: "auto", Provision: true, SignIn: "host", Roles: []identity.RoleRule{{Group: "owner", Role: "owner"}, {Group: "admin", Role: "admin"},
			{Group: "member", Role: "member"}, {Group: "*", Role: "guest"}}},
	}, got)
	assert.Equal(t, "/home/me/.local/share/aigne-hub/master.key", got.MasterKeyFile())
}

func TestEverySettingIsRead(t *testing.T) {
	t.Parallel()
	got, err := load(map[string]string{
		"AIGNE_HUB_TLS_DOMAINS": "Hub.example.com, ai.example.com", "AIGNE_HUB_TLS_ACME_URL": "https://acme.test/dir", "AIGNE_HUB_TLS_EMAIL": "o@example.com",
		"AIGNE_HUB_LISTEN": "[::]:80", "AIGNE_HUB_DATA": "/srv/hub", "AIGNE_HUB_DATABASE": "libsql://db.example.com",
		"AIGNE_HUB_DATABASE_TOKEN": "tok", "AIGNE_HUB_SYNCHRONOUS": "full", "AIGNE_HUB_BILLING": "on",
		"AIGNE_HUB_CREDIT_PRICE": "0.01", "AIGNE_HUB_DEFAULT_MARGIN": "12.5", "AIGNE_HUB_BILLING_ON_ABORT": "free",
		"AIGNE_HUB_BILLING_ON_UPSTREAM_FAILURE": "free", "AIGNE_HUB_BILLING_WHEN_PAYMENT_DOWN": "hold_local",
		"AIGNE_HUB_BILLING_DEFAULT_OUTPUT": "1000", "AIGNE_HUB_DEFAULT_MAX_OUTPUT": "2000", "AIGNE_HUB_MAX_BODY": "6 MiB",
		"AIGNE_HUB_TIMEOUT_CONNECT": "1s", "AIGNE_HUB_TIMEOUT_FIRST_BYTE": "2s", "AIGNE_HUB_TIMEOUT_IDLE": "3s",
		"AIGNE_HUB_TIMEOUT_TOTAL": "4s", "AIGNE_HUB_ATTEMPTS": "1", "AIGNE_HUB_ATTEMPTS_TIME": "6s", "AIGNE_HUB_HEDGE": "7s",
		"AIGNE_HUB_SLOW_STREAM": "8", "AIGNE_HUB_COOLDOWN": "0s", "AIGNE_HUB_DRAIN": "1500ms",
		"AIGNE_HUB_MASTER_KEY": goodKey + "\n", "AIGNE_HUB_MASTER_KEY_OLD": goodKey, "AIGNE_HUB_PUBLIC_URL": "https://x.test/ai/",
		"AIGNE_HUB_OAUTH_REGISTRATION": "on", "AIGNE_HUB_OAUTH_TOKEN_LIFE": "10m", "AIGNE_HUB_OAUTH_REFRESH_LIFE": "48h",
		"AIGNE_HUB_BLOCKLET": "off", "AIGNE_HUB_BLOCKLET_ROLES": "*=member", "AIGNE_HUB_BLOCKLET_PROVISION": "off", "AIGNE_HUB_BLOCKLET_SIGN_IN": "both",
		"AIGNE_HUB_SESSION_IDLE": "2h", "AIGNE_HUB_SESSION_LIFE": "1h", "AIGNE_HUB_INVITATION_LIFE": "3h", "AIGNE_HUB_CORS_ORIGINS": "https://App.example.com/, http://b:81",
		"AIGNE_HUB_TRUSTED_PROXIES": "10.1.2.3/8, 192.0.2.1,fd00::/8", "AIGNE_HUB_PUBLIC_MODELS": "off", "AIGNE_HUB_PPROF": "[::1]:6061", "AIGNE_HUB_METRICS_LISTEN": ":9464", "AIGNE_HUB_ACCESS_LOG": "errors", "AIGNE_HUB_TRACE_PROPAGATE": "on", "AIGNE_HUB_AUTHORIZER": "policy",
		"AIGNE_HUB_BILLING_EMPTY_ANSWER": "free", "AIGNE_HUB_BILLING_SLICE": "1024", "AIGNE_HUB_STATS_LIFE": "1000h",
		"AIGNE_HUB_CACHE": "ask", "AIGNE_HUB_CACHE_TTL": "5m", "AIGNE_HUB_CACHE_SIZE": "1GiB", "AIGNE_HUB_CACHE_PRICE": "25%",
		"AIGNE_HUB_CAPTURE": "on", "AIGNE_HUB_CAPTURE_BODY": "1KiB", "AIGNE_HUB_CAPTURE_LIFE": "2h", "AIGNE_HUB_CAPTURE_MEMORY": "3MiB",
		"AIGNE_HUB_LOG_LEVEL": "debug", "AIGNE_HUB_LOG_FORMAT": "json",
		"AIGNE_HUB_PAYMENT_LINK": "https://x.test/buy", "AIGNE_HUB_STRIPE_SECRET_KEY": "sk_test_1", "AIGNE_HUB_STRIPE_WEBHOOK_SECRET": "whsec_1",
		"AIGNE_HUB_STRIPE_URL": "http://127.0.0.1:12111/", "AIGNE_HUB_STRIPE_TAX": "on", "AIGNE_HUB_SALE_CURRENCY": "JPY", "AIGNE_HUB_SALE_PRICE": "1.5",
		"AIGNE_HUB_SALE_MIN": "100", "AIGNE_HUB_SALE_MAX": "5000", "AIGNE_HUB_SALE_PACKAGES": "1000=1400", "AIGNE_HUB_SELLER": "Example Ltd; 1 Main St ;",
		"AIGNE_HUB_BLOB_URL": "s3://files/hub/?endpoint=https://minio.test", "AIGNE_HUB_BLOB_ACCESS_KEY_ID": "id",
		"AIGNE_HUB_BLOB_SECRET_ACCESS_KEY": "hush-hush", "AIGNE_HUB_BLOB_LIFE": "48h", "AIGNE_HUB_PAYMENT": "ledger",
		"AIGNE_HUB_PAYMENT_KIT_URL": "http://127.0.0.1:4711/", "PAYMENT_TEST_MODE": "true", "AIGNE_HUB_PAYMENT_CREDIT_LINE": "0.5", "AIGNE_HUB_ARCHIVE_AFTER": "800h", "AIGNE_HUB_ARCHIVE_KEEP": "9000h",
		"AIGNE_HUB_BACKUP_URL": "/mnt/backups", "AIGNE_HUB_BACKUP_EVERY": "24h", "AIGNE_HUB_BACKUP_KEEP": "3", "AIGNE_HUB_ARCHIVE_FREE": "1GB", "AIGNE_HUB_ARCHIVE_CACHE": "3GB", "AIGNE_HUB_ARCHIVE_URL": "s3://old-calls/hub?region=eu-test-1", "AIGNE_HUB_FETCH_ALLOW": "10.9.0.0/16", "AIGNE_HUB_APP_DOMAIN": "apps.test",
	}, nil)
	require.NoError(t, err)
	for _, s := range got.Effective {
		assert.Equal(t, s.IsSet && !s.Secret, s.Value != "", "%s: what is in force is shown, unless it is a secret", s.Name)
	}
	got.Effective = nil
	assert.Equal(t, boot.Config{
		TLS:    boot.TLS{Domains: []string{"hub.example.com", "ai.example.com"}, ACMEURL: "https://acme.test/dir", Email: "o@example.com"},
		Listen: "[::]:80", Data: "/srv/hub", Database: "libsql://db.example.com", DatabaseToken: "tok", Synchronous: "FULL",
		Billing: true, CreditPrice: "0.01", DefaultMargin: "12.5", OnAbort: "free", OnUpstreamFailure: "free", EmptyAnswer: "free", Slice: 1024,
		WhenPaymentDown: "hold_local", DefaultOutput: 1000, DefaultMaxOutput: 2000, StatsLife: 1000 * time.Hour, ResponsesTTL: 720 * time.Hour, MaxBody: 6 << 20,
		OAuth:    oauth.Settings{Registration: true, TokenLife: 10 * time.Minute, RefreshLife: 48 * time.Hour},
		Door:     boot.Door{SessionIdle: time.Hour, SessionLife: time.Hour, Invitation: 3 * time.Hour, Origins: []string{"https://app.example.com", "http://b:81"}},
		Blocklet: boot.Blocklet{Users: "off", SignIn: "both", Roles: []identity.RoleRule{{Group: "*", Role: "member"}}},
		Selling: boot.Selling{PaymentLink: "https://x.test/buy", StripeKey: "sk_test_1", StripeWebhook: "whsec_1", StripeURL: "http://127.0.0.1:12111",
			Price: "1.5", Packages: "1000=1400", Seller: []string{"Example Ltd", "1 Main St"},
			Terms: selling.Terms{Currency: "jpy", Price: 1_500_000_000, Min: 100 * money.Credit, Max: 5000 * money.Credit, Tax: true,
				Packages: []selling.Package{{ID: "1000", Credits: 1000 * money.Credit, Amount: 1400}}}},
		Payment:      boot.Payment{Mode: "ledger", URL: "http://127.0.0.1:4711", Line: 500_000_000},
		Cache:        boot.Cache{Mode: "ask", TTL: 5 * time.Minute, Size: 1 << 30, Price: 25},
		Capture:      boot.Capture{On: true, Body: 1 << 10, Life: 2 * time.Hour, Memory: 3 << 20},
		Timeouts:     boot.Timeouts{Connect: time.Second, FirstByte: 2 * time.Second, Idle: 3 * time.Second, Total: 4 * time.Second},
		AttemptsTime: 6 * time.Second, Hedge: 7 * time.Second, SlowStream: 8, Attempts: 1, Drain: 1500 * time.Millisecond, MasterKey: hub.Secret(goodKey), MasterKeyOld: hub.Secret(goodKey),
		PublicURL: "https://x.test/ai",
		TrustedProxies: []netip.Prefix{
			netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("192.0.2.1/32"), netip.MustParsePrefix("fd00::/8"),
		},
		Blob:   boot.BlobStore{Endpoint: "https://minio.test", Bucket: "files", Prefix: "hub/", Region: "us-east-1", KeyID: "id", Secret: "hush-hush"},
		Backup: boot.Backup{Folder: "/mnt/backups", Every: 24 * time.Hour, Keep: 3},
		Archive: boot.Archive{After: 800 * time.Hour, Keep: 9000 * time.Hour, Free: 1e9, Cache: 3e9, Place: boot.BlobStore{
			Endpoint: "https://s3.eu-test-1.amazonaws.com", Bucket: "old-calls", Prefix: "hub/", Region: "eu-test-1", KeyID: "id", Secret: "hush-hush"}},
		BlobLife: 48 * time.Hour, FetchAllow: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}, AppDomain: "apps.test",
		Profiles: "[::1]:6061", MetricsListen: ":9464", AccessLog: httpkit.AccessErrors, TracePropagate: true, AuthorizerPolicy: true, LogLevel: slog.LevelDebug, LogFormat: telemetry.FormatJSON,
	}, got)
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", got, got, got), "hush-hush")
	assert.NotContains(t, fmt.Sprintf("%v %+v %#v", got, got, got), goodKey)
}

func TestEachFaultNamesItsSetting(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, variable, value, says string }{
		{"an address without port", "LISTEN", "localhost", "host:port"},
		{"a port out of range", "LISTEN", ":70000", "host:port"},
		{"a named port", "LISTEN", ":http", "host:port"},
		{"a URL as address", "LISTEN", "http://localhost:80", "host:port"},
		{"a path as database", "DATABASE", "/srv/hub.db", "with the scheme file"},
		{"another database", "DATABASE", "postgres://db.example.com/x", "with the scheme file"},
		{"no server", "DATABASE", "libsql:///x", "must name a server"},
		{"no file", "DATABASE", "file:", "must name a file"},
		{"two slashes", "DATABASE", "file://srv/hub.db", "one slash"},
		{"no URL", "DATABASE", "libsql://%zz", "libSQL URL"},
		{"a token in the URL", "DATABASE", "libsql://db.example.com?authToken=hush-hush", "AIGNE_HUB_DATABASE_TOKEN"},
		{"a token under another name", "DATABASE", "https://db.example.com?jwt=hush-hush", "AIGNE_HUB_DATABASE_TOKEN"},
		{"a key in the URL", "DATABASE", "https://db.example.com?remoteEncryptionKey=hush-hush", "AIGNE_HUB_DATABASE_TOKEN"},
		{"a password in the URL", "DATABASE", "wss://me:hush-hush@db.example.com", "AIGNE_HUB_DATABASE_TOKEN"},
		{"a token for a file", "DATABASE_TOKEN", "hush-hush", "database is a file"},
		{"an address as domain of applications", "APP_DOMAIN", "127.0.0.1", "did.abtnet.io"},
		{"a URL as domain of applications", "APP_DOMAIN", "https://x.test", "did.abtnet.io"},
		{"an unknown mode", "SYNCHRONOUS", "OFF", "NORMAL, FULL"},
		{"neither on nor off", "BILLING", "maybe", "on or off"},
		{"a price of nothing", "CREDIT_PRICE", "0", "positive decimal"},
		{"a price in words", "CREDIT_PRICE", "$1", "positive decimal"},
		{"a margin in words", "DEFAULT_MARGIN", "20%", "percentage"},
		{"a margin below everything", "DEFAULT_MARGIN", "-101", "percentage"},
		{"an unknown abort policy", "BILLING_ON_ABORT", "half", "reported, delivered, free"},
		{"an unknown failure policy", "BILLING_ON_UPSTREAM_FAILURE", "reported", "delivered, free"},
		{"an unknown seller", "PAYMENT", "stripe", "auto, ledger, paymentkit"},
		{"a Payment Kit that is no URL", "PAYMENT_KIT_URL", "localhost:80", "http or https"},
		{"a line in words", "PAYMENT_CREDIT_LINE", "five", "nine decimals"},
		{"an unknown payment policy", "BILLING_WHEN_PAYMENT_DOWN", "free", "refuse, hold_local"},
		{"no output", "BILLING_DEFAULT_OUTPUT", "0", "whole number"},
		{"output in words", "DEFAULT_MAX_OUTPUT", "8k", "whole number"},
		{"a size without number", "MAX_BODY", "MB", "such as 30MB"},
		{"a size of a fraction", "MAX_BODY", "1.5MB", "such as 30MB"},
		{"a size of nearly nothing", "MAX_BODY", "10", "such as 30MB"},
		{"a size beyond memory", "MAX_BODY", "2GiB", "such as 30MB"},
		{"a size beyond integers", "MAX_BODY", "9223372036854775807GB", "such as 30MB"},
		{"an unknown way of keeping answers", "CACHE", "on", "off, ask, all"},
		{"a price in credits", "CACHE_PRICE", "0.5", "free, full"},
		{"a price above all", "CACHE_PRICE", "101%", "free, full"},
		{"a cache of nothing", "CACHE_SIZE", "1KB", "1MiB"},
		{"a negative size", "MAX_BODY", "-30MB", "such as 30MB"},
		{"a time without unit", "TIMEOUT_CONNECT", "10", "duration"},
		{"no time", "TIMEOUT_FIRST_BYTE", "0s", "duration"},
		{"negative time", "TIMEOUT_IDLE", "-1s", "duration"},
		{"time without end", "TIMEOUT_TOTAL", "1000h", "duration"},
		{"no attempt", "ATTEMPTS", "0", "whole number from 1"},
		{"a negative rest", "COOLDOWN", "-1s", "duration"},
		{"a rest in words", "DRAIN", "soon", "duration"},
		{"a key that is too short", "MASTER_KEY", "aHVzaC1odXNo", "32 bytes"},
		{"an old key that is none", "MASTER_KEY_OLD", "hush-hush", "32 bytes"},
		{"a key service", "KMS_KEY_ID", "arn:hush hush", "must be the ARN"},
		{"a mail server without a sender", "SMTP_URL", "smtp://me:hush-hush@mail.test", "?from="},
		{"another mail server", "SMTP_URL", "http://me:hush-hush@mail.test", "smtp://"},
		{"probes too often", "PROBE", "1s", "off or a duration"},
		{"a key in the blob URL", "BLOB_URL", "s3://me:hush-hush@files", "AIGNE_HUB_BLOB_ACCESS_KEY_ID"},
		{"an unknown part of the blob URL", "BLOB_URL", "s3://files?secret=hush-hush", "region and endpoint only"},
		{"another blob store", "BLOB_URL", "https://hush-hush", "s3://bucket"},
		{"a blob store's path as endpoint", "BLOB_URL", "s3://files?endpoint=https://x.test/path", "an origin"},
		{"a blob secret without a store", "BLOB_SECRET_ACCESS_KEY", "hush-hush", "store of files"},
		{"no life at all", "BLOB_LIFE", "1m", "duration"},
		{"a name to fetch from", "FETCH_ALLOW", "intranet.test", "address ranges"},
		{"a bare host", "PUBLIC_URL", "hub.example.com", "http or https URL"},
		{"a URL with a query", "PUBLIC_URL", "https://hub.example.com?x=1", "http or https URL"},
		{"a URL with a password", "PUBLIC_URL", "https://me:hush-hush@hub.example.com", "http or https URL"},
		{"a path as origin", "CORS_ORIGINS", "https://app.test/page", "is none"},
		{"a host as origin", "CORS_ORIGINS", "app.test", "is none"},
		{"a provider without the hub's address", "OIDC_ISSUER", "https://login.test", "client id"},
		{"a list that is none", "OIDC_MORE", `{"client_secret":"hush-hush"}`, "JSON list"},
		{"an unknown field of a provider", "OIDC_MORE", `[{"hush":"hush-hush"}]`, "JSON list"},
		{"a name as proxy", "TRUSTED_PROXIES", "10.0.0.0/8,proxy", `"proxy" is none`},
		{"an empty proxy", "TRUSTED_PROXIES", "10.0.0.0/8,", `"" is none`},
		{"IPv4 within IPv6", "TRUSTED_PROXIES", "::ffff:10.0.0.0/104", "IPv4 ranges as such"},
		{"neither public nor not", "PUBLIC_MODELS", "some", "on or off"},
		{"an unknown kind of answer", "AUTHORIZER", "both", "simple or policy"},
		{"neither profiles nor none", "PPROF", "yes", "on, off or a loopback address"},
		{"profiles for everybody", "PPROF", "0.0.0.0:6060", "on, off or a loopback address"},
		{"profiles by a name", "PPROF", "hub.example:6060", "on, off or a loopback address"},
		{"metrics nowhere", "METRICS_LISTEN", "9464", "host:port"},
		{"an unknown access log", "ACCESS_LOG", "some", "on, errors, off"},
		{"a collector that is no URL", "OTLP_ENDPOINT", "localhost:4318", "http or https"},
		{"a password for a collector", "OTLP_ENDPOINT", "http://me:hush-hush@collector:4318", "OTEL_EXPORTER_OTLP_HEADERS"},
		{"an unknown level", "LOG_LEVEL", "loud", "debug, info, warn or error"},
		{"an unknown format", "LOG_FORMAT", "xml", "text or json"},
		{"a misspelt name", "LISTN", "x", "not a setting; did you mean AIGNE_HUB_LISTEN?"},
		{"an unknown name", "FROBNICATION", "x", "not a setting"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			name := "AIGNE_HUB_" + tt.variable
			got, err := load(map[string]string{name: tt.value}, nil)
			require.Error(t, err)
			assert.Equal(t, boot.Config{}, got)
			assert.Equal(t, name, hub.AsError(err).Param)
			assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
			assert.Contains(t, err.Error(), name+" ")
			assert.Contains(t, err.Error(), tt.says)
			assert.NotContains(t, err.Error(), "hush", "secrets are not repeated")
			assert.NotContains(t, err.Error(), "\n", "one fault, one line")
		})
	}
}

func TestAllFaultsAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	_, err := load(map[string]string{
		"AIGNE_HUB_BILLING": "maybe", "AIGNE_HUB_ATTEMPTS": "x", "AIGNE_HUB_ZZZZZZZZ": "1", "AIGNE_HUB_DATABASE_TOKEN": "t",
	}, map[string]string{"AIGNE_HUB_DRAIN": "x", "listen": "x"})
	require.Error(t, err)
	lines := strings.Split(err.Error(), "\n")
	require.Len(t, lines, 6)
	for _, name := range []string{"AIGNE_HUB_BILLING", "AIGNE_HUB_ATTEMPTS", "AIGNE_HUB_ZZZZZZZZ", "AIGNE_HUB_DATABASE_TOKEN", "AIGNE_HUB_DRAIN", "listen"} {
		assert.Contains(t, err.Error(), name+" ")
	}
}

func TestAnEmptyVariableIsUnsetAndTestVariablesAreFree(t *testing.T) {
	t.Parallel()
	got, err := load(map[string]string{
		"AIGNE_HUB_LISTEN": "", "AIGNE_HUB_SMTP_URL": " ", "AIGNE_HUB_TEST_FIXTURES": "/x", "AIGNE_HUBRIS": "1",
	}, nil)
	require.NoError(t, err)
	assert.Equal(t, "127.0.0.1:3030", got.Listen)
}

func TestFlagsWinOverVariables(t *testing.T) {
	t.Parallel()
	vars := map[string]string{"AIGNE_HUB_LISTEN": ":1", "AIGNE_HUB_DATABASE": "libsql://db.example.com", "AIGNE_HUB_BILLING": "maybe"}
	got, err := load(vars, map[string]string{"AIGNE_HUB_LISTEN": ":2", "AIGNE_HUB_DATABASE": "", "AIGNE_HUB_BILLING": "on"})
	require.NoError(t, err)
	assert.Equal(t, ":2", got.Listen)
	assert.Equal(t, "file:/home/me/.local/share/aigne-hub/hub.db", got.Database, "an empty flag brings the default back")
	assert.True(t, got.Billing)
}

func TestTheSurroundingsDecideTheDefaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name         string
		vars         map[string]string
		listen, data string
	}{
		{"a Blocklet", map[string]string{"BLOCKLET_PORT": "4711", "BLOCKLET_DATA_DIR": "/data/b", "XDG_DATA_HOME": "/xdg"}, "127.0.0.1:4711", "/data/b"},
		{"an XDG folder", map[string]string{"XDG_DATA_HOME": "/xdg"}, "127.0.0.1:3030", "/xdg/aigne-hub"},
		{"a relative XDG folder is ignored", map[string]string{"XDG_DATA_HOME": "xdg"}, "127.0.0.1:3030", "/home/me/.local/share/aigne-hub"},
		{"settings win", map[string]string{"BLOCKLET_PORT": "1", "BLOCKLET_DATA_DIR": "/b", "AIGNE_HUB_LISTEN": ":9", "AIGNE_HUB_DATA": "/own"}, ":9", "/own"},
		{"a home folder of Windows", map[string]string{"HOME": "", "USERPROFILE": "/users/me"}, "127.0.0.1:3030", "/users/me/.local/share/aigne-hub"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := load(tt.vars, nil)
			require.NoError(t, err)
			assert.Equal(t, tt.listen, got.Listen)
			assert.Equal(t, tt.data, got.Data)
			assert.Equal(t, "file:"+tt.data+"/hub.db", got.Database)
		})
	}
	_, err := load(map[string]string{"BLOCKLET_PORT": "many"}, nil)
	require.ErrorContains(t, err, "AIGNE_HUB_LISTEN must be host:port")
	got, err := load(map[string]string{"AIGNE_HUB_DATA": "here"}, nil)
	require.NoError(t, err)
	assert.True(t, filepath.IsAbs(got.Data))
	got, err = load(map[string]string{"AIGNE_HUB_DATA": "/a?b#c%"}, nil)
	require.NoError(t, err)
	assert.Equal(t, "file:/a%3fb%23c%25/hub.db", got.Database)
}

func TestWithoutAHomeFolderSomethingMustBeSaid(t *testing.T) {
	t.Parallel()
	_, err := load(map[string]string{"HOME": ""}, nil)
	require.ErrorContains(t, err, "AIGNE_HUB_DATA must be set")
	_, err = load(map[string]string{"HOME": "", "AIGNE_HUB_DATABASE": "libsql://db.example.com"}, nil)
	require.ErrorContains(t, err, "AIGNE_HUB_DATA must be set")
	got, err := load(map[string]string{"HOME": "", "AIGNE_HUB_DATABASE": "libsql://db.example.com", "AIGNE_HUB_MASTER_KEY": goodKey}, nil)
	require.NoError(t, err)
	assert.Empty(t, got.Data)
}

func TestOnLambdaNothingIsLeftToADiskThatDoesNotLast(t *testing.T) {
	t.Parallel()
	lambda := map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "proxy"}
	_, err := load(lambda, nil)
	require.ErrorContains(t, err, "AIGNE_HUB_DATABASE must be set on Lambda")
	require.ErrorContains(t, err, "AIGNE_HUB_MASTER_KEY or AIGNE_HUB_KMS_KEY_ID must be set on Lambda")

	lambda["AIGNE_HUB_DATABASE"], lambda["AIGNE_HUB_MASTER_KEY"] = "libsql://db.example.com", goodKey
	got, err := load(lambda, nil)
	require.NoError(t, err)
	assert.Equal(t, int64(6_000_000), got.MaxBody)
	assert.Equal(t, telemetry.FormatJSON, got.LogFormat)
}

func TestTheTableOfSettingsIsCompleteAndConsistent(t *testing.T) {
	t.Parallel()
	names, flags := map[string]bool{}, map[string]bool{}
	table := boot.SettingsTable()
	for _, s := range boot.Settings() {
		assert.False(t, names[s.Name], s.Name)
		names[s.Name] = true
		assert.NotEmpty(t, s.Doc, s.Name)
		assert.NotContains(t, s.Doc+s.Default+s.Flag, "|", "it would break the table")
		assert.Contains(t, table, "| `"+s.Name+"` |")
		if s.Flag == "" {
			continue
		}
		assert.False(t, flags[s.Flag], s.Flag)
		flags[s.Flag] = true
		want := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(s.Name, "AIGNE_HUB_")), "_", "-")
		assert.Equal(t, want, s.Flag)
	}
	for _, secret := range []string{"DATABASE_TOKEN", "MASTER_KEY", "MASTER_KEY_OLD", "SMTP_URL", "BLOB_URL"} {
		assert.True(t, names["AIGNE_HUB_"+secret])
		assert.False(t, flags[strings.ReplaceAll(strings.ToLower(secret), "_", "-")], "%s is a secret and has no flag", secret)
	}
	assert.Len(t, names, 113)
}
