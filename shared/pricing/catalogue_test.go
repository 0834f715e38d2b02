package pricing

import (
	"bytes"
	"compress/gzip"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func at(t *testing.T, text string) time.Time {
	t.Helper()
	moment, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return moment
}

func fixedNow() time.Time { return time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC) }

func TestEmbeddedCataloguePricesWellKnownCalls(t *testing.T) {
	t.Parallel()
	c := OpenCatalogue(fixedNow)
	const noon, night = "2025-06-01T12:00:00Z", "2025-06-01T20:00:00Z"
	tests := []struct {
		name, kind, model, when string
		usage                   hub.Usage
		want                    string
	}{
		{"gpt-4o with cached tokens", "openai", "gpt-4o", noon,
			hub.Usage{hub.Input: 1000, hub.CacheRead: 500, hub.Output: 300}, "0.006125"},
		{"a dated gpt-4o", "openai", "gpt-4o-2024-08-06", noon, hub.Usage{hub.Input: 1000}, "0.0025"},
		{"the first gpt-4o was dearer", "openai", "gpt-4o-2024-05-13", noon, hub.Usage{hub.Input: 1000}, "0.005"},
		{"gpt-4.1-nano to the nano", "openai", "gpt-4.1-nano", noon, hub.Usage{hub.Input: 12345, hub.Output: 678}, "0.0015057"},
		{"o3 before its price fell", "openai", "o3", "2025-06-09T23:59:59Z", hub.Usage{hub.Input: 1000}, "0.01"},
		{"o3 from the day it fell", "openai", "o3", "2025-06-10T00:00:00Z", hub.Usage{hub.Input: 1000}, "0.002"},
		{"whisper by the second", "openai", "whisper-1", noon, hub.Usage{hub.Seconds: 60}, "0.006"},
		{"claude-sonnet-4-5 with every cache bucket and a search", "anthropic", "claude-sonnet-4-5", noon,
			hub.Usage{hub.Input: 2000, hub.CacheRead: 10000, hub.CacheWrite5m: 4000, hub.CacheWrite1h: 1000, hub.Output: 500, hub.WebSearches: 1}, "0.0475"},
		{"claude-sonnet-4-5 at 200,000 tokens", "anthropic", "claude-sonnet-4-5-20250929", noon,
			hub.Usage{hub.Input: 200_000, hub.Output: 1000}, "0.615"},
		{"claude-sonnet-4-5 above 200,000 tokens", "anthropic", "claude-sonnet-4-5-20250929", noon,
			hub.Usage{hub.Input: 150_001, hub.CacheRead: 50_000, hub.Output: 1000}, "0.952506"},
		{"gemini-2.5-pro at 200,000 tokens", "google", "gemini-2.5-pro", noon,
			hub.Usage{hub.Input: 200_000, hub.Output: 1000}, "0.26"},
		{"gemini-2.5-pro above, thinking as output", "google", "gemini-2.5-pro", noon,
			hub.Usage{hub.Input: 250_000, hub.Output: 400, hub.Reasoning: 600}, "0.64"},
		{"gemini-2.5-pro's speech model is another one", "google", "gemini-2.5-pro-preview-tts", noon,
			hub.Usage{hub.Input: 1_000_000}, "1"},
		{"gemini audio is dearer than text", "google", "gemini-2.5-flash", noon,
			hub.Usage{hub.Input: 1_000_000, hub.InputAudio: 1_000_000}, "1.3"},
		{"deepseek-chat by day", "deepseek", "deepseek-chat", noon,
			hub.Usage{hub.Input: 1_000_000, hub.CacheRead: 1_000_000, hub.Output: 1_000_000}, "1.44"},
		{"deepseek-chat by night", "deepseek", "deepseek-chat", night,
			hub.Usage{hub.Input: 1_000_000, hub.CacheRead: 1_000_000, hub.Output: 1_000_000}, "0.72"},
		{"a Bedrock inference profile of a region", "bedrock", "us.anthropic.claude-sonnet-4-5-20250929-v1:0", noon,
			hub.Usage{hub.Input: 1000}, "0.0033"},
		{"the global one is cheaper", "bedrock", "global.anthropic.claude-sonnet-4-5-20250929-v1:0", noon,
			hub.Usage{hub.Input: 1000}, "0.003"},
		{"OpenRouter by vendor and model", "openrouter", "anthropic/claude-sonnet-4.5", noon, hub.Usage{hub.Output: 1000}, "0.015"},
		{"Azure's own price", "azure", "gpt-4o", noon, hub.Usage{hub.Input: 1000, hub.CacheRead: 1000}, "0.00375"},
		{"Vertex AI's own price", "vertex", "gemini-2.5-pro", noon, hub.Usage{hub.Input: 250_000, hub.Output: 1000}, "0.64"},
		{"a vendor of its own kind", "mistral", "mistral-large-latest", noon, hub.Usage{hub.Input: 1000, hub.Output: 1000}, "0.008"},
		{"Kimi with cached tokens", "moonshot", "kimi-k2.6", noon, hub.Usage{hub.Input: 1000, hub.CacheRead: 1000}, "0.00111"},
		{"GLM", "zhipu", "glm-4.7", noon, hub.Usage{hub.Input: 1000, hub.Output: 1000}, "0.0028"},
		{"MiniMax by its name in capitals", "minimax", "MiniMax-M2.5", noon, hub.Usage{hub.Output: 1000}, "0.0012"},
		{"a host's name of an open model", "fireworks", "accounts/fireworks/models/gpt-oss-20b", noon, hub.Usage{hub.Output: 1000}, "0.0003"},
		{"Groq's speech by the second", "groq", "whisper-large-v3", noon, hub.Usage{hub.Seconds: 3600}, "0.110999999"},
		{"Perplexity's fee for each request", "perplexity", "sonar", noon, hub.Usage{hub.Input: 1000, hub.Requests: 1}, "0.013"},
		{"deep research with its thinking and searches", "perplexity", "sonar-deep-research", noon,
			hub.Usage{hub.Input: 1000, hub.Output: 1000, hub.Reasoning: 1000, hub.WebSearches: 2}, "0.023"},
		{"embeddings of OpenAI", "openai", "text-embedding-3-small", noon, hub.Usage{hub.Input: 1_000_000}, "0.02"},
		{"embeddings of Cohere", "cohere", "embed-v4.0", noon, hub.Usage{hub.Input: 1_000_000}, "0.12"},
		{"embeddings of Mistral", "mistral", "mistral-embed", noon, hub.Usage{hub.Input: 1_000_000}, "0.1"},
		{"Azure by the model's name", "azure", "gpt-4o", noon, hub.Usage{hub.Input: 1000, hub.CacheRead: 1000}, "0.00375"},
		{"Gemini on Vertex", "vertex", "gemini-2.5-pro", noon, hub.Usage{hub.Input: 1000}, "0.00125"},
		{"Claude on Vertex", "vertex", "claude-sonnet-4-5@20250929", noon, hub.Usage{hub.Output: 1000}, "0.015"},
		{"names in capitals", "openai", "GPT-4o", noon, hub.Usage{hub.Input: 1000}, "0.0025"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m, ok := c.LookupAt(tt.kind, tt.model, at(t, tt.when))
			require.True(t, ok)
			assert.Equal(t, tt.model, m.ID)
			got, err := m.Cost.Charge(tt.usage)
			require.NoError(t, err)
			assert.Equal(t, tt.want, got.String())
		})
	}
}

func TestEmbeddedCatalogueKnowsCapabilities(t *testing.T) {
	t.Parallel()
	c := OpenCatalogue(fixedNow)
	require.NoError(t, c.Err())

	m, ok := c.Lookup("openai", "gpt-4o")
	require.True(t, ok)
	assert.EqualValues(t, 128_000, m.Context)
	assert.EqualValues(t, 16_384, m.MaxOutput)
	assert.Equal(t, []string{"image", "text"}, m.InputModalities)
	assert.Equal(t, []string{"text"}, m.OutputModalities)
	require.NotNil(t, m.Reasoning)
	assert.False(t, *m.Reasoning)
	require.NotNil(t, m.Tools)
	assert.True(t, *m.Tools)

	m, ok = c.Lookup("anthropic", "claude-sonnet-4-5")
	require.True(t, ok)
	assert.EqualValues(t, 64_000, m.MaxOutput)
	require.NotNil(t, m.Reasoning)
	assert.True(t, *m.Reasoning)

	m, ok = c.Lookup("nvidia", "google/gemma-3-12b-it")
	require.True(t, ok)
	assert.EqualValues(t, 131_072, m.Context)
	assert.True(t, m.Cost.Empty(), "a price that nobody names is unknown, not free")

	dated, ok := c.Lookup("openai", "gpt-4o-2024-11-20")
	require.True(t, ok)
	assert.EqualValues(t, 16_384, dated.MaxOutput, "a dated name has its family's limits")
}

func TestEmbeddedCatalogueFindsNothingWhereItKnowsNothing(t *testing.T) {
	t.Parallel()
	c := OpenCatalogue(fixedNow)
	for _, tt := range [][2]string{
		{"openai", ""}, {"openai", "gpt-none"}, {"openai", "claude-sonnet-4-5"}, {"", "gpt-4o"}, {"", "mistral-large-latest"},
		{"ollama", "llama3.2"}, {"poe", "gpt-5-mini"}, {"doubao", "doubao-seed-1-8-251228"}, {"google", "claude-opus-4-8"},
		{"openai-compatible", "no-such-model"}, {"azure", "my-deployment"}, {"openrouter", "gpt-4o"},
	} {
		_, ok := c.Lookup(tt[0], tt[1])
		assert.False(t, ok, tt)
	}
}

func TestEmbeddedCatalogueIsUsableThroughout(t *testing.T) {
	t.Parallel()
	c := OpenCatalogue(fixedNow)
	require.NoError(t, c.Err())
	require.Len(t, c.Sources(), 4)
	for _, s := range c.Sources() {
		assert.Equal(t, "MIT", s.Licence, s.Name)
		assert.NotEmpty(t, s.Version)
	}
	assert.Less(t, len(embedded), 300<<10)
	for _, kind := range []string{"openai", "anthropic", "google", "deepseek", "xai", "bedrock", "openrouter", "cerebras", "cohere",
		"fireworks", "groq", "minimax", "mistral", "moonshot", "perplexity", "together", "zhipu", "azure", "vertex", "huggingface"} {
		models := c.Models(kind)
		assert.NotEmpty(t, models, kind)
		priced := 0
		for _, m := range models {
			require.NoError(t, m.Cost.Check(), m.ID)
			if !m.Cost.Empty() {
				priced++
			}
			for b := range m.Cost.Buckets {
				assert.GreaterOrEqual(t, m.Peak.Buckets[b].Rate, m.Cost.Buckets[b].Rate, "%s %s", m.ID, hub.Bucket(b))
			}
		}
		t.Logf("%s: %d models, %d with a price", kind, len(models), priced)
	}
	assert.Empty(t, c.Models("ollama"))
	assert.Empty(t, c.Models(""))
}

// own is a catalogue written for these tests.
const own = `{"format":1,"sources":[{"name":"own","version":"1"}],"providers":[
{"id":"acme","kind":"openai","entries":[
 {"id":"one","match":{"or":[{"equals":"one"},{"starts_with":"one-"}]},"context":1000,"prices":[{"cost":{"input":"1","cache_read":"0.1","cache_write_1h":"3","output":"5","requests":"7"}}]},
 {"id":"two","match":{"and":[{"contains":"two"},{"not":{"regex":"^.*-voice$"}}]},"prices":[
   {"cost":{"input":"1"}},{"from":"2026-01-01","cost":{"input":"2","output":"1"}},{"start":"22:00:00","end":"06:00:00","cost":{"input":"4"}}]},
 {"id":"dash","match":{"ends_with":"-2025-05-14"},"prices":[{"cost":{"input":"9"}}]}],
 "facts":{"one":{"context":500,"max_output":50},"one-b":{"max_output":60,"cost":{"input":"1","cache_read":"0.2","output":"6"}},
  "one-c":{"cost":{"input":"1","output":"5"}},"Lone":{"reasoning":true,"cost":{"input":"8"}},"shared":{},"two-2026-02-02":{}}},
{"id":"other","kind":"","entries":[{"id":"large","match":{"equals":"large"},"prices":[{"cost":{"input":"2"}}]},
 {"id":"shared","match":{"equals":"shared"},"prices":[{"cost":{"input":"2"}}]}],"facts":{}}]}`

func zipped(t *testing.T, text string) *bytes.Buffer {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return &out
}

func TestLookupRules(t *testing.T) {
	t.Parallel()
	c, err := ReadCatalogue(zipped(t, own), fixedNow)
	require.NoError(t, err)
	rate := func(m Model, b hub.Bucket) string {
		r, ok := m.Cost.Rate(b, 0)
		if !ok {
			return "none"
		}
		return r.String()
	}
	find := func(kind, name string) Model {
		m, ok := c.Lookup(kind, name)
		require.True(t, ok, name)
		return m
	}

	m := find("openai", " ONE ")
	assert.EqualValues(t, 1000, m.Context, "the larger context, since holds need an upper bound")
	assert.EqualValues(t, 50, m.MaxOutput)

	m = find("openai", "one-mini")
	assert.Equal(t, "one", m.Entry)
	assert.EqualValues(t, 50, m.MaxOutput, "limits come from the family when the name has none")

	m = find("openai", "one-b")
	assert.Empty(t, m.Entry, "a pattern does not beat another price for the exact name")
	assert.Equal(t, []string{"1", "0.2", "6", "3", "7"}, []string{
		rate(m, hub.Input), rate(m, hub.CacheRead), rate(m, hub.Output), rate(m, hub.CacheWrite1h), rate(m, hub.Requests)})

	m = find("openai", "one-c")
	assert.Equal(t, "one", m.Entry, "the pattern wins where both agree")
	assert.Equal(t, "0.1", rate(m, hub.CacheRead))

	m = find("openai", "lone")
	assert.Equal(t, "8", rate(m, hub.Input))
	assert.True(t, *m.Reasoning)
	assert.Equal(t, "9", rate(find("openai", "x-20250514"), hub.Input), "compact dates are tried with dashes")

	_, ok := c.Lookup("openai", "my-two-voice")
	assert.False(t, ok, "a negated clause keeps out")
	_, ok = c.Lookup("openai", "lone-2026-01-01")
	assert.False(t, ok, "no price is borrowed from a similar name")

	assert.Equal(t, "other", find("openai-compatible", "Large").Provider)
	_, ok = c.Lookup("openai-compatible", "shared")
	assert.False(t, ok, "two vendors have that name")
	_, ok = c.Lookup("openai-compatible", "one-mini")
	assert.False(t, ok, "patterns do not count for unknown vendors")

	names := make([]string, 0)
	for _, m := range c.Models("openai") {
		names = append(names, m.ID)
	}
	assert.Equal(t, []string{"Lone", "one", "one-b", "one-c", "shared", "two", "two-2026-02-02"}, names)
}

func TestPricesByDateAndHour(t *testing.T) {
	t.Parallel()
	c, err := ReadCatalogue(zipped(t, own), fixedNow)
	require.NoError(t, err)
	for when, want := range map[string][2]string{
		"2025-12-31T21:59:59Z":      {"1", "4"},
		"2025-12-31T22:00:00Z":      {"4", "4"},
		"2026-01-01T05:59:59Z":      {"4", "4"},
		"2026-01-01T06:00:00Z":      {"2", "4"},
		"2026-01-01T05:59:59-08:00": {"2", "4"},
	} {
		m, ok := c.LookupAt("openai", "two", at(t, when))
		require.True(t, ok)
		now, _ := m.Cost.Rate(hub.Input, 0)
		peak, _ := m.Peak.Rate(hub.Input, 0)
		assert.Equal(t, want, [2]string{now.String(), peak.String()}, when)
	}
	m, ok := c.Lookup("openai", "two")
	require.True(t, ok)
	assert.True(t, m.Peak.Buckets[hub.Output].Set, "the peak keeps what only the other hours price")
}

func TestReadCatalogueRefusesBrokenFiles(t *testing.T) {
	t.Parallel()
	entryOf := func(body string) string {
		return `{"format":1,"providers":[{"id":"a","kind":"openai","entries":[` + body + `]}]}`
	}
	for name, text := range map[string]string{
		"no JSON":                "x",
		"another format":         `{"format":2}`,
		"a match without clause": entryOf(`{"id":"a","match":{}}`),
		"a match with two":       entryOf(`{"id":"a","match":{"equals":"a","contains":"b"}}`),
		"an expression too new":  entryOf(`{"id":"a","match":{"regex":"^(?!x)"}}`),
		"a broken date":          entryOf(`{"id":"a","match":{"equals":"a"},"prices":[{"from":"soon","cost":{}}]}`),
		"a broken hour":          entryOf(`{"id":"a","match":{"equals":"a"},"prices":[{"start":"25:00:00","end":"01:00:00","cost":{}}]}`),
		"an hour without end":    entryOf(`{"id":"a","match":{"equals":"a"},"prices":[{"start":"01:00:00","cost":{}}]}`),
		"an hourly tier":         entryOf(`{"id":"a","match":{"equals":"a"},"prices":[{"start":"01:00:00","end":"02:00:00","cost":{"tiers":[{"above":1}]}}]}`),
		"a price not in decimal": entryOf(`{"id":"a","match":{"equals":"a"},"prices":[{"cost":{"input":1}}]}`),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadCatalogue(zipped(t, text), fixedNow)
			require.Error(t, err)
		})
	}
	_, err := ReadCatalogue(bytes.NewReader([]byte("not gzip")), fixedNow)
	require.Error(t, err)
}

func BenchmarkOpenCatalogue(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if err := OpenCatalogue(fixedNow).Err(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFirstLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := OpenCatalogue(fixedNow).Lookup("openai", "gpt-4o"); !ok {
			b.Fatal("not found")
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	c := OpenCatalogue(fixedNow)
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := c.Lookup("openrouter", "z-ai/glm-4.6"); !ok {
			b.Fatal("not found")
		}
	}
}
