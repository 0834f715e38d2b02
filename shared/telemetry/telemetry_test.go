package telemetry_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
)

// The parts are joined here so that no scanner takes them for real keys.
var (
	ours      = "sk-" + "hub-0123456789abcdef"
	google    = "AIza" + strings.Repeat("Sy0_", 8)
	amazon    = "AKIA" + "IOSFODNN7EXAMPLE"
	webToken  = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
	passwords = "hunter2hunter2"
)

func TestMaskHidesWhatLooksLikeAKey(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"our key", "key " + ours + " is unknown", "key sk-*** is unknown"},
		{"several keys", ours + "," + ours, "sk-***,sk-***"},
		{"a bearer header", "Authorization: Bearer abc.def-123", "Authorization: Bearer ***"},
		{"another case", "authorization: bearer abcdefgh", "authorization: bearer ***"},
		{"upper case", "BEARER abcdefgh", "BEARER ***"},
		{"basic authentication", "Basic dXNlcjpwYXNz", "Basic ***"},
		{"Gemini's query", `Get "https://x.test/v1beta/models?alt=sse&key=` + google + `": EOF`, `Get "https://x.test/v1beta/models?alt=sse&key=***": EOF`},
		{"a short key in a query", "/v1beta/models?key=abc", "/v1beta/models?key=***"},
		{"another name in a query", "https://x.test/?access_token=abc&b=1", "https://x.test/?access_token=***&b=1"},
		{"a token of a Google account", "invalid ya29." + strings.Repeat("a0Af", 8), "invalid ya29.***"},
		{"a short-term key of Bedrock", "invalid bedrock-api-key-" + strings.Repeat("YmVk", 8), "invalid bedrock-api-key-***"},
		{"Google's key alone", "invalid " + google, "invalid AIza***"},
		{"Amazon's key", "user " + amazon + " denied", "user AKIA*** denied"},
		{"a web token", "got " + webToken + ".", "got eyJ***."},
		{"a password in a URL", "dial smtp://me:" + passwords + "@mail.test:25", "dial smtp://***@mail.test:25"},
		{"a JSON field", `{"api_key": "` + passwords + `","n":1}`, `{"api_key": "***","n":1}`},
		{"JSON in a string", `"{\"apiKey\":\"` + passwords + `\"}"`, `"{\"apiKey\":\"***\"}"`},
		{"xAI's key", "xai-" + strings.Repeat("a", 30), "xai-***"},
		{"Groq's key", "gsk_" + strings.Repeat("a", 30), "gsk_***"},

		{"a plain sentence", "the model is not known here", "the model is not known here"},
		{"a route", "POST /v1/chat/completions", "POST /v1/chat/completions"},
		{"a word that ends in sk", "a risk-averse disk-based task-force", "a risk-averse disk-based task-force"},
		{"a URL", "https://api.test/v1?a=b", "https://api.test/v1?a=b"},
		{"a path with an at sign", "https://api.test/@scope/pkg", "https://api.test/@scope/pkg"},
		{"a short text", "sk-1", "sk-1"},
		{"nothing but a short key", "key=abc", "key=***"},
		{"nothing", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tt.want, telemetry.Mask(tt.in))
		})
	}
}

type account struct {
	Name  string
	Key   hub.Secret
	inner hub.Secret
}

type account2 struct{ text string }

func (a account2) String() string { return a.text }

func TestNoFormatShowsASecretWhereverItStands(t *testing.T) {
	t.Parallel()
	const plain = "the-plain-secret-value"
	secret := hub.Secret(plain)
	shy := account{Name: "n", Key: secret, inner: secret}
	require.Equal(t, plain, shy.inner.Reveal())
	for _, format := range []telemetry.Format{telemetry.FormatText, telemetry.FormatJSON} {
		t.Run(string(format), func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log := telemetry.NewLogger(&out, format, slog.LevelDebug)
			log.With("s", secret, "password", plain).WithGroup("g").Info("call with "+ours,
				"secret_value", secret, "pointer", &secret, "struct", shy, "struct_pointer", &shy,
				"list", []hub.Secret{secret}, "map", map[string]any{"api_key": plain + "x"},
				"Authorization", plain, "token", plain,
				"err", fmt.Errorf("dial: %w", errors.New("Bearer "+plain)),
				"stringer", account2{"key=" + plain}, "bytes", []byte("key="+plain),
				slog.Group("deep", "k", secret, "text", "key="+plain),
				"unshowable", func() {}, "nothing", nil,
			)
			text := out.String()
			assert.NotContains(t, text, plain)
			assert.NotContains(t, text, ours)
			assert.Contains(t, text, "***")
			assert.Contains(t, text, "cannot be shown")
		})
	}
}

func TestOrdinaryValuesStayReadable(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	u, err := url.Parse("https://api.test/v1")
	require.NoError(t, err)
	telemetry.NewLogger(&out, telemetry.FormatJSON, slog.LevelInfo).Warn("call settled",
		"call_id", "01ABC", "n", 7, "took", time.Second, "url", u, "err", errors.New("no route"),
		"ip", netip.MustParseAddr("10.0.0.1"), "row", struct{ A int }{3}, "tokens", 12)
	var line map[string]any
	require.NoError(t, json.Unmarshal(out.Bytes(), &line), out.String())
	delete(line, "time")
	assert.Equal(t, map[string]any{
		"level": "WARN", "msg": "call settled", "call_id": "01ABC", "n": 7.0, "took": 1e9, "url": "https://api.test/v1",
		"err": "no route", "ip": "10.0.0.1", "row": map[string]any{"A": 3.0}, "tokens": 12.0,
	}, line)
}

func TestLinesBelowTheLevelAreLeftOut(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := telemetry.NewLogger(&out, telemetry.FormatText, slog.LevelWarn)
	log.Info("quiet")
	log.Error("loud")
	assert.NotContains(t, out.String(), "quiet")
	assert.Contains(t, out.String(), "level=ERROR msg=loud")
}

func TestNamesOfFormatsAndLevelsAreRead(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError} {
		got, err := telemetry.ParseLevel(name)
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := telemetry.ParseLevel("loud")
	require.ErrorContains(t, err, "debug, info, warn or error")
	f, err := telemetry.ParseFormat("json")
	require.NoError(t, err)
	assert.Equal(t, telemetry.FormatJSON, f)
	_, err = telemetry.ParseFormat("xml")
	require.ErrorContains(t, err, "text or json")
}

func FuzzMaskKeepsNothingOfAKey(f *testing.F) {
	f.Add("before ", " after")
	f.Add(`{"a":"`, `"}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		if strings.HasSuffix(before, "-") || strings.HasSuffix(before, "_") {
			return // no key starts inside a word
		}
		if before != "" && isWord(before[len(before)-1]) {
			return
		}
		if got := telemetry.Mask(before + ours + after); strings.Contains(got, ours) {
			t.Errorf("%q shows the key", got)
		}
	})
}

func isWord(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}

func BenchmarkAccessLine(b *testing.B) {
	log := telemetry.NewLogger(discard{}, telemetry.FormatJSON, slog.LevelInfo)
	b.ReportAllocs()
	for b.Loop() {
		log.LogAttrs(b.Context(), slog.LevelInfo, "request",
			slog.String("method", "POST"), slog.String("route", "POST /v1/chat/completions"), slog.Int("status", 200),
			slog.Int64("bytes", 1234), slog.Float64("duration_ms", 1.25), slog.String("request_id", "01JZZZZZZZZZZZZZZZZZZZZZZZ"),
			slog.String("user_id", "01JZZZZZZZZZZZZZZZZZZZZZZY"))
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
