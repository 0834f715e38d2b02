package boot

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"time"
)

// Setting is one line of the table from which flags, help, README and Load's
// checks are made.
type Setting struct {
	Name    string // the environment variable
	Flag    string // without dashes; "" for secrets, which do not belong on a command line
	Default string // "" when unset; for derived defaults, how they come about
	Doc     string
	// List is what separates the values of a setting that has several, for files that
	// write them as a list; "json" where the list is a JSON document.
	List string

	parse  func(c *Config, value string) error
	derive func(e Env) string
}

// Settings returns every setting, in the order of README's table.
func Settings() []Setting {
	all := append(placeSettings(), tlsSettings()...)
	all = append(all, moneySettings()...)
	all = append(all, sellingSettings()...)
	all = append(all, bookSettings()...)
	all = append(all, paymentSettings()...)
	all = append(all, callSettings()...)
	all = append(all, cacheSettings()...)
	all = append(all, captureSettings()...)
	all = append(all, fileSettings()...)
	all = append(all, doorSettings()...)
	all = append(all, oidcSettings()...)
	all = append(all, archiveSettings()...)
	all = append(all, backupSettings()...)
	all = append(all, observeSettings()...)
	all = append(all, oauthSettings()...)
	all = append(all, blockletSettings()...)
	return append(all, accessSettings()...)
}

// placeSettings: where the hub listens and keeps its data.
func placeSettings() []Setting {
	return []Setting{
		{
			Name: "AIGNE_HUB_LISTEN", Flag: "listen", Default: "127.0.0.1:$BLOCKLET_PORT, else 127.0.0.1:3030",
			Doc:   "address to listen on, host:port",
			parse: address(func(c *Config) *string { return &c.Listen }), derive: defaultListen,
		},
		{
			Name: settingConfig, Flag: "config",
			Doc:   "YAML file with settings, named as here in lower case without AIGNE_HUB_; flags and variables win over it",
			parse: func(c *Config, v string) error { c.File = v; return nil },
		},
		{
			Name: "AIGNE_HUB_DATA", Flag: "data", Default: "$BLOCKLET_DATA_DIR, else $XDG_DATA_HOME/aigne-hub, else ~/.local/share/aigne-hub",
			Doc:   "folder for hub.db, master.key, archive and blobs",
			parse: parseData, derive: defaultData,
		},
		{
			Name: "AIGNE_HUB_DATABASE", Flag: "database",
			Doc:   "libSQL URL (file:, http:, https:, libsql:, ws:, wss:) without a token; unset: file: in the data folder",
			parse: parseDatabase,
		},
		{
			Name: "AIGNE_HUB_DATABASE_TOKEN", Doc: "token for a libSQL server",
			parse: secret(func(c *Config) *secretField { return &c.DatabaseToken }),
		},
		{
			Name: "AIGNE_HUB_SYNCHRONOUS", Flag: "synchronous", Default: "NORMAL",
			Doc: "NORMAL survives a killed process, FULL also power loss",
			parse: func(c *Config, v string) error {
				return choice(func(c *Config) *string { return &c.Synchronous }, "NORMAL", "FULL")(c, strings.ToUpper(v))
			},
		},
	}
}

// moneySettings: what is charged.
func moneySettings() []Setting {
	return []Setting{
		{
			Name: "AIGNE_HUB_BILLING", Flag: "billing", Default: "off",
			Doc:   "off: calls are recorded and costed, not charged",
			parse: onOff(func(c *Config) *bool { return &c.Billing }),
		},
		{
			Name: "AIGNE_HUB_CREDIT_PRICE", Flag: "credit-price", Default: "1",
			Doc: "US dollars per credit", parse: parseCreditPrice,
		},
		{
			Name: "AIGNE_HUB_DEFAULT_MARGIN", Flag: "default-margin",
			Doc:   "percent on the catalogue's cost for models without a rate; unset: such models are refused while billing is on",
			parse: parseMargin,
		},
		{
			Name: "AIGNE_HUB_BILLING_ON_ABORT", Flag: "billing-on-abort", Default: "reported",
			Doc:   "what a call costs whose client left: reported, delivered or free",
			parse: choice(func(c *Config) *string { return &c.OnAbort }, "reported", "delivered", "free"),
		},
		{
			Name: "AIGNE_HUB_BILLING_ON_UPSTREAM_FAILURE", Flag: "billing-on-upstream-failure", Default: "delivered",
			Doc:   "what a call costs whose provider failed in the middle: delivered or free",
			parse: choice(func(c *Config) *string { return &c.OnUpstreamFailure }, "delivered", "free"),
		},
		{
			Name: "AIGNE_HUB_BILLING_EMPTY_ANSWER", Flag: "billing-empty-answer", Default: "charge",
			Doc:   "what a call costs whose answer is empty (no text, no tool call, no picture or sound) or failed: charge (what the rules above say) or free",
			parse: choice(func(c *Config) *string { return &c.EmptyAnswer }, "charge", "free"),
		},
		{
			Name: "AIGNE_HUB_BILLING_SLICE", Flag: "billing-slice", Default: "4096",
			Doc:   "output tokens by which the hold of a stream grows whose every token is seen; 0: the whole output limit is held at once",
			parse: count(func(c *Config) *int64 { return &c.Slice }, 0, 10_000_000),
		},
		{
			Name: "AIGNE_HUB_BILLING_WHEN_PAYMENT_DOWN", Flag: "billing-when-payment-down", Default: "refuse",
			Doc:   "while an outside payment system is away: refuse or hold_local",
			parse: choice(func(c *Config) *string { return &c.WhenPaymentDown }, "refuse", "hold_local"),
		},
		{
			Name: "AIGNE_HUB_BILLING_DEFAULT_OUTPUT", Flag: "billing-default-output", Default: "4096",
			Doc:   "output tokens to hold when a wallet does not cover a call's ceiling",
			parse: count(func(c *Config) *int64 { return &c.DefaultOutput }, 1, 10_000_000),
		},
		{
			Name: "AIGNE_HUB_DEFAULT_MAX_OUTPUT", Flag: "default-max-output", Default: "8192",
			Doc:   "output limit where request, rate and catalogue name none",
			parse: count(func(c *Config) *int64 { return &c.DefaultMaxOutput }, 1, 10_000_000),
		},
	}
}

// callSettings: how calls are carried to providers.
func callSettings() []Setting {
	const day = 24 * time.Hour
	return []Setting{
		{
			Name: "AIGNE_HUB_MAX_BODY", Flag: "max-body", Default: "30MB, on Lambda 6MB",
			Doc:   "largest request body, in bytes or with KB, MB, GB, KiB, MiB, GiB",
			parse: size(func(c *Config) *int64 { return &c.MaxBody }, 1<<10, 1<<30, "from 1KiB to 1GiB"),
			derive: func(e Env) string {
				if e.onLambda() {
					return "6MB"
				}
				return "30MB"
			},
		},
		{
			Name: "AIGNE_HUB_TIMEOUT_CONNECT", Flag: "timeout-connect", Default: "10s",
			Doc:   "longest wait for a connection to a provider",
			parse: duration(func(c *Config) *time.Duration { return &c.Timeouts.Connect }, time.Millisecond, day),
		},
		{
			Name: "AIGNE_HUB_TIMEOUT_FIRST_BYTE", Flag: "timeout-first-byte", Default: "120s",
			Doc:   "longest wait for the first byte of a provider's answer",
			parse: duration(func(c *Config) *time.Duration { return &c.Timeouts.FirstByte }, time.Millisecond, day),
		},
		{
			Name: "AIGNE_HUB_TIMEOUT_IDLE", Flag: "timeout-idle", Default: "120s",
			Doc:   "longest silence within a provider's answer",
			parse: duration(func(c *Config) *time.Duration { return &c.Timeouts.Idle }, time.Millisecond, day),
		},
		{
			Name: "AIGNE_HUB_TIMEOUT_TOTAL", Flag: "timeout-total", Default: "15m",
			Doc:   "longest time for one call, all its attempts together",
			parse: duration(func(c *Config) *time.Duration { return &c.Timeouts.Total }, time.Millisecond, day),
		},
		{
			Name: "AIGNE_HUB_ATTEMPTS", Flag: "attempts", Default: "4",
			Doc:   "most attempts for one call, over keys and providers",
			parse: count(func(c *Config) *int64 { return &c.Attempts }, 1, 100),
		},
		{
			Name: "AIGNE_HUB_ATTEMPTS_TIME", Flag: "attempts-time", Default: "5m",
			Doc:   "how long after its start a call may begin further attempts; 0s: as long as it lasts",
			parse: duration(func(c *Config) *time.Duration { return &c.AttemptsTime }, 0, day),
		},
		{
			Name: "AIGNE_HUB_HEDGE", Flag: "hedge", Default: "0s",
			Doc:   "how long a chat call without streaming waits before the next provider is asked as well, which may cost twice; 0s: never",
			parse: duration(func(c *Config) *time.Duration { return &c.Hedge }, 0, day),
		},
		{
			Name: "AIGNE_HUB_SLOW_STREAM", Flag: "slow-stream", Default: "1",
			Doc:   "bytes per second, over the idle time-out, below which a stream is ended as if it were silent; 0: never",
			parse: count(func(c *Config) *int64 { return &c.SlowStream }, 0, 1_000_000),
		},
		{
			Name: "AIGNE_HUB_COOLDOWN", Flag: "cooldown", Default: "30s",
			Doc:   "how long a failed key or target rests; 0s: off",
			parse: duration(func(c *Config) *time.Duration { return &c.Cooldown }, 0, day),
		},
		{
			Name: "AIGNE_HUB_PROBE", Flag: "probe", Default: "off",
			Doc:   "how often the hub itself calls priced models that nobody called, such as 30m; it costs you what the provider asks; off: never",
			parse: parseProbe,
		},
		{
			Name: "AIGNE_HUB_DRAIN", Flag: "drain", Default: "25s",
			Doc:   "how long open calls may go on after the signal to stop",
			parse: duration(func(c *Config) *time.Duration { return &c.Drain }, 0, day),
		},
		{
			Name: "AIGNE_HUB_RESPONSES_TTL", Flag: "responses-ttl", Default: "720h",
			Doc:   "how long stored answers of the Responses API are kept; off: none are stored, here or by providers",
			parse: parseResponsesTTL,
		},
	}
}

// accessSettings: keys, visibility, and what the operator sees.
func accessSettings() []Setting {
	return []Setting{
		{
			Name: "AIGNE_HUB_MASTER_KEY", Doc: "base64 of 32 bytes, wraps the keys that seal secrets; unset: master.key in the data folder",
			parse: masterKey(func(c *Config) *secretField { return &c.MasterKey }),
		},
		{
			Name: "AIGNE_HUB_MASTER_KEY_OLD", Doc: "the former master key, during a rotation",
			parse: masterKey(func(c *Config) *secretField { return &c.MasterKeyOld }),
		},
		{
			Name: "AIGNE_HUB_KMS_KEY_ID", Flag: "kms-key-id",
			Doc:   "symmetric AWS KMS key (ARN, id or alias/name) that keeps the master key, with AWS_REGION and AWS_ACCESS_KEY_ID, …; instead of AIGNE_HUB_MASTER_KEY",
			parse: parseKMSKey,
		},
		{
			Name:  "AIGNE_HUB_SECRETS_PATH",
			Doc:   "on Lambda: path in AWS Parameter Store below which are settings that the environment lacks, each under the name of its variable",
			parse: parseSecretsPath,
		},
		{
			Name: "AIGNE_HUB_PUBLIC_URL", Flag: "public-url",
			Doc: "origin and prefix under which users reach the hub, for links", parse: parsePublicURL,
		},
		{
			Name: "AIGNE_HUB_TRUSTED_PROXIES", Flag: "trusted-proxies",
			Doc:   "comma-separated address ranges (CIDR) that may set X-Forwarded-*",
			List:  ",",
			parse: ranges(func(c *Config) *[]netip.Prefix { return &c.TrustedProxies }),
		},
		{
			Name: "AIGNE_HUB_SMTP_URL", Doc: "mail server, smtp://user:password@host:587/?from=hub@example.com, or smtps: for TLS from the first byte; unset: no e-mail is sent",
			parse: parseSMTP,
		},
		{
			Name: "AIGNE_HUB_PUBLIC_MODELS", Flag: "public-models", Default: "on",
			Doc:   "on: the model list is shown without a key",
			parse: onOff(func(c *Config) *bool { return &c.PublicModels }),
		},
		{
			Name: "AIGNE_HUB_AUTHORIZER", Flag: "authorizer", Default: "simple",
			Doc: "how the Lambda authorizer answers HTTP APIs with payload 2.0: simple, or policy for an IAM policy", parse: parseAuthorizer,
		},
		{
			Name: "AIGNE_HUB_LOG_LEVEL", Flag: "log-level", Default: "info",
			Doc: "debug, info, warn or error", parse: parseLogLevel,
		},
		{
			Name: "AIGNE_HUB_LOG_FORMAT", Flag: "log-format", Default: "text, on Lambda json",
			Doc: "text or json", parse: parseLogFormat,
			derive: func(e Env) string {
				if e.onLambda() {
					return "json"
				}
				return "text"
			},
		},
	}
}

func defaultListen(e Env) string {
	port := e.get("BLOCKLET_PORT")
	if port == "" {
		port = "3030"
	}
	return "127.0.0.1:" + port
}

// defaultData follows the XDG base directory specification, which has relative
// paths ignored.
func defaultData(e Env) string {
	if dir := e.get("BLOCKLET_DATA_DIR"); dir != "" {
		return dir
	}
	if dir := e.get("XDG_DATA_HOME"); filepath.IsAbs(dir) {
		return filepath.Join(dir, "aigne-hub")
	}
	for _, home := range []string{"HOME", "USERPROFILE"} {
		if dir := e.get(home); dir != "" {
			return filepath.Join(dir, ".local", "share", "aigne-hub")
		}
	}
	return ""
}

// SettingsTable is the Markdown table of all settings for README.
func SettingsTable() string {
	var b strings.Builder
	b.WriteString("| variable | flag | default | meaning |\n|---|---|---|---|\n")
	for _, s := range Settings() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", s.Name, code("--", s.Flag), code("", s.Default), s.Doc)
	}
	return b.String()
}

func code(before, text string) string {
	if text == "" {
		return ""
	}
	return "`" + before + text + "`"
}
