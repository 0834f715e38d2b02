package proxy_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

const (
	cacheHeader = "x-aigne-hub-cache"
	secretWish  = "tell nobody of the blue heron"
	secretReply = "the heron nests behind the mill"
)

func cacheAsk(stream bool) string {
	body := `{"model":"openai/gpt-fake","messages":[{"role":"user","content":"` + secretWish + `"}]}`
	if stream {
		body = strings.Replace(body, "{", `{"stream":true,"stream_options":{"include_usage":true},`, 1)
	}
	return body
}

func TestAnEqualRequestOfTheSameUserIsAnsweredFromTheCache(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_CACHE": "all"})
	fake := h.provider(fakeprovider.OpenAI)
	fake.Always("gpt-fake", fakeprovider.Answer{Text: secretReply})
	other := "Bearer " + h.another()

	first, said := h.send("/v1/chat/completions", cacheAsk(false))
	require.Equal(t, http.StatusOK, first.StatusCode, said)
	assert.Equal(t, "stored", first.Header.Get(cacheHeader))
	original := h.lastCall()

	again, body := h.send("/v1/chat/completions", strings.ReplaceAll(cacheAsk(false), ":", " : "))
	require.Equal(t, http.StatusOK, again.StatusCode, body)
	assert.Equal(t, "hit", again.Header.Get(cacheHeader), "white space makes no other request")
	assert.Equal(t, said, body)
	assert.Equal(t, first.Header.Get("Content-Type"), again.Header.Get("Content-Type"))
	assert.Equal(t, "openai", again.Header.Get("x-aigne-hub-provider"))
	assert.Len(t, fake.Requests(), 1)

	call := h.lastCall()
	assert.Equal(t, call.ID, again.Header.Get("x-aigne-hub-call-id"))
	assert.NotEqual(t, original.ID, call.ID, "a hit is a call of its own")
	assert.Equal(t, hub.StatusSuccess, call.Status)
	assert.Zero(t, call.Attempts)
	assert.Equal(t, original.Usage, call.Usage)
	require.NotNil(t, call.Cost)
	assert.Zero(t, *call.Cost)
	assert.Contains(t, string(call.Plan), "answered from the cache, by call "+original.ID)

	res, _ := h.send("/v1/chat/completions", cacheAsk(false), "Authorization", other)
	assert.Equal(t, "stored", res.Header.Get(cacheHeader), "another user's request is a miss")
	res, _ = h.send("/v1/chat/completions", strings.Replace(cacheAsk(false), "blue", "grey", 1))
	assert.Equal(t, "stored", res.Header.Get(cacheHeader), "another question is a miss")
	res, _ = h.send("/v1/chat/completions", cacheAsk(false), cacheHeader, "off")
	assert.Empty(t, res.Header.Get(cacheHeader))
	assert.Len(t, fake.Requests(), 4)

	res, _ = h.send("/v1/chat/completions", cacheAsk(false), cacheHeader, "refresh")
	assert.Equal(t, "stored", res.Header.Get(cacheHeader), "asked anew and kept instead")
	assert.Len(t, fake.Requests(), 5)
	res, body = h.send("/v1/chat/completions", cacheAsk(false), cacheHeader, "maybe")
	assert.Equal(t, http.StatusBadRequest, res.StatusCode)
	assert.Contains(t, body, cacheHeader)
	h.nothingReadable(secretWish, secretReply)
}

// nothingReadable looks for texts in the files of the database.
func (h *testHub) nothingReadable(texts ...string) {
	h.t.Helper()
	files, err := filepath.Glob(filepath.Join(h.app.Config.Data, "hub.db*"))
	require.NoError(h.t, err)
	require.NotEmpty(h.t, files)
	for _, f := range files {
		b, err := os.ReadFile(f)
		require.NoError(h.t, err)
		for _, text := range texts {
			assert.NotContains(h.t, string(b), text, "%s in %s", text, f)
		}
	}
}

func TestAStreamIsReplayedAsItWas(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ path, body string }{
		"native":     {"/v1/chat/completions", cacheAsk(true)},
		"translated": {"/v1/messages", `{"model":"openai/gpt-fake","max_tokens":50,"stream":true,"messages":[{"role":"user","content":"Hi"}]}`},
		"an array":   {"/v1beta/models/openai/gpt-fake:streamGenerateContent", `{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_CACHE": "ask"})
			fake := h.provider(fakeprovider.OpenAI)
			fake.Always("gpt-fake", fakeprovider.Answer{Text: "one two three four five", Frames: 5})
			first, said := h.send(c.path, c.body, cacheHeader, "on")
			require.Equal(t, http.StatusOK, first.StatusCode, said)
			assert.Equal(t, "miss", first.Header.Get(cacheHeader))
			second, replayed := h.send(c.path, c.body, cacheHeader, "on")
			assert.Equal(t, "hit", second.Header.Get(cacheHeader))
			assert.Equal(t, said, replayed)
			assert.Equal(t, first.Header.Get("Content-Type"), second.Header.Get("Content-Type"))
			assert.Len(t, fake.Requests(), 1)
			assert.True(t, h.lastCall().Stream)
			res, _ := h.send(c.path, c.body)
			assert.Empty(t, res.Header.Get(cacheHeader), "nobody asked")
			assert.Len(t, fake.Requests(), 2)
		})
	}
}

func TestTheCacheIsOffUnlessTheOperatorWantsIt(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	fake := h.provider(fakeprovider.OpenAI)
	for range 2 {
		res, _ := h.send("/v1/chat/completions", cacheAsk(false), cacheHeader, "on")
		assert.Empty(t, res.Header.Get(cacheHeader))
	}
	assert.Len(t, fake.Requests(), 2)
	n, err := h.app.Store.KeptBytes(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n)
}

func TestAKeptAnswerCostsWhatThePolicySays(t *testing.T) {
	t.Parallel()
	for price, percent := range map[string]int64{"free": 0, "full": 100, "25%": 25} {
		t.Run(strings.TrimSuffix(price, "%"), func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_CACHE": "all", "AIGNE_HUB_CACHE_PRICE": price})
			h.provider(fakeprovider.OpenAI)
			h.rate("openai", "gpt-fake", "1.000001", "2.7")
			h.grant("10")
			res, body := h.send("/v1/chat/completions", cacheAsk(false))
			require.Equal(t, http.StatusOK, res.StatusCode, body)
			full := h.lastCall().Credits
			require.Positive(t, full)
			want := money.Credits((int64(full)*percent + 50) / 100)
			res, _ = h.send("/v1/chat/completions", cacheAsk(false))
			require.Equal(t, "hit", res.Header.Get(cacheHeader))
			assert.Equal(t, want.String(), res.Header.Get("x-aigne-hub-credits"))
			assert.Equal(t, want, h.lastCall().Credits)
			assert.Equal(t, want, h.lastCall().Hold)
			account := h.account()
			assert.Equal(t, 10*money.Credit-full-want, account.Balance)
			assert.Zero(t, account.Held)
		})
	}
}

func TestAKeptAnswerThatCannotBePaidIsRefused(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_CACHE": "all", "AIGNE_HUB_CACHE_PRICE": "full"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "0", "1000")
	h.grant("5")
	ask := strings.Replace(cacheAsk(false), "{", `{"max_tokens":4000,`, 1)
	fake.Always("gpt-fake", fakeprovider.Answer{Text: fakeprovider.Words(12_000)}) // 3 credits
	res, body := h.send("/v1/chat/completions", ask)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	require.Equal(t, "stored", res.Header.Get(cacheHeader))
	left := h.account().Balance
	require.Less(t, left, h.lastCall().Credits, "what is left does not pay for it again")
	res, _ = h.send("/v1/chat/completions", ask)
	assert.Equal(t, http.StatusPaymentRequired, res.StatusCode)
	assert.Equal(t, left, h.account().Balance)
}

func TestAKeptAnswerEnds(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_CACHE": "all", "AIGNE_HUB_CACHE_TTL": "1s"})
	fake := h.provider(fakeprovider.OpenAI)
	h.send("/v1/chat/completions", cacheAsk(false))
	require.Eventually(t, func() bool {
		h.send("/v1/chat/completions", cacheAsk(false))
		return len(fake.Requests()) == 2
	}, 5*time.Second, 100*time.Millisecond)
	<-time.After(1100 * time.Millisecond)
	require.NoError(t, h.app.Store.ForgetAnswers(t.Context(), h.app.Config.Cache.Size))
	n, err := h.app.Store.KeptBytes(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n, "the job deletes what has ended")
}

func TestTheCacheStaysWithinItsSize(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_CACHE": "all", "AIGNE_HUB_CACHE_SIZE": "1MiB"})
	fake := h.provider(fakeprovider.OpenAI)
	fake.Always("gpt-fake", fakeprovider.Answer{Text: strings.Repeat("word ", 60_000)})
	kept := map[string]int{}
	for _, name := range []string{"a", "b", "c", "d"} {
		res, _ := h.send("/v1/chat/completions", strings.Replace(cacheAsk(false), "blue", name, 1))
		kept[res.Header.Get(cacheHeader)]++
	}
	assert.Equal(t, map[string]int{"stored": 2, "miss": 2}, kept)
	n, err := h.app.Store.KeptBytes(t.Context())
	require.NoError(t, err)
	assert.LessOrEqual(t, n, int64(1<<20))
	require.NoError(t, h.app.Store.ForgetAnswers(t.Context(), 500_000))
	n, err = h.app.Store.KeptBytes(t.Context())
	require.NoError(t, err)
	assert.LessOrEqual(t, n, int64(500_000), "the job makes room")

	fake.Always("gpt-fake", fakeprovider.Answer{Text: strings.Repeat("word ", 300_000)})
	res, _ := h.send("/v1/chat/completions", cacheAsk(false))
	assert.Equal(t, "miss", res.Header.Get(cacheHeader), "an answer of more than a megabyte is not kept")
	res, _ = h.send("/v1/chat/completions", cacheAsk(true))
	require.Equal(t, http.StatusOK, res.StatusCode)
}

func TestOnlyCompleteAnswersAreKept(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_CACHE": "all", "AIGNE_HUB_ATTEMPTS": "1", "AIGNE_HUB_COOLDOWN": "0s"})
	fake := h.provider(fakeprovider.OpenAI)
	for name, c := range map[string]struct {
		answer fakeprovider.Answer
		body   string
	}{
		"an error":     {fakeprovider.Answer{Status: http.StatusInternalServerError}, cacheAsk(false)},
		"a cut stream": {fakeprovider.Answer{Text: "one two three", Frames: 3, Break: fakeprovider.Cut}, cacheAsk(true)},
	} {
		fake.Always("gpt-fake", c.answer)
		h.send("/v1/chat/completions", c.body)
		n, err := h.app.Store.KeptBytes(t.Context())
		require.NoError(t, err)
		assert.Zero(t, n, name)
	}
	fake.Reset()
	h.send("/v1/chat/completions", strings.Replace(cacheAsk(false), "{", `{"web_search_options":{},`, 1))
	n, err := h.app.Store.KeptBytes(t.Context())
	require.NoError(t, err)
	assert.Zero(t, n, "tools that the provider ran")
}

func TestEmbeddingsAreKeptToo(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_CACHE": "all"})
	fake := h.provider(fakeprovider.OpenAI)
	const ask = `{"model":"openai/text-embedding-fake","input":"Hi"}`
	res, first := h.send("/v1/embeddings", ask)
	require.Equal(t, http.StatusOK, res.StatusCode, first)
	assert.Equal(t, "stored", res.Header.Get(cacheHeader))
	res, second := h.send("/v1/embeddings", ask)
	assert.Equal(t, "hit", res.Header.Get(cacheHeader))
	assert.Equal(t, first, second)
	assert.Len(t, fake.Requests(), 1)
	assert.Equal(t, hub.TypeEmbedding, h.lastCall().Type)
}

func TestAnAliasThatLeadsElsewhereIsAMiss(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_CACHE": "all"})
	h.provider(fakeprovider.OpenAI)
	h.provider(fakeprovider.Anthropic)
	h.alias("smart", routing.Rule{Steps: []routing.Step{step("openai/gpt-fake")}})
	ask := strings.Replace(cacheAsk(false), "openai/gpt-fake", "smart", 1)
	h.send("/v1/chat/completions", ask)
	res, _ := h.send("/v1/chat/completions", ask)
	assert.Equal(t, "hit", res.Header.Get(cacheHeader))
	h.alias("smart", routing.Rule{Steps: []routing.Step{step("anthropic/claude-fake")}})
	res, _ = h.send("/v1/chat/completions", ask)
	assert.Equal(t, "stored", res.Header.Get(cacheHeader))
	assert.Equal(t, "anthropic", res.Header.Get("x-aigne-hub-provider"))
}

func TestALostHashingKeyOnlyEmptiesTheCache(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_CACHE": "all"})
	h.provider(fakeprovider.OpenAI)
	require.NoError(t, h.app.Store.SetSetting(t.Context(), "cache_hash_key", "v1.unknown.AAAA"))
	res, body := h.send("/v1/chat/completions", cacheAsk(false))
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Equal(t, "stored", res.Header.Get(cacheHeader))
	res, _ = h.send("/v1/chat/completions", cacheAsk(false))
	assert.Equal(t, "hit", res.Header.Get(cacheHeader))
	_, err := h.app.Store.KeptAnswer(t.Context(), "nobody", "nothing")
	assert.ErrorIs(t, err, store.ErrNotFound)
}

func TestWhatSteersAProvidersPromptCachePassesAsItIs(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	openai, anthropic := h.provider(fakeprovider.OpenAI), h.provider(fakeprovider.Anthropic)
	openai.Always("gpt-fake", fakeprovider.Answer{Text: "x", Cached: 2})
	res, body := h.send("/v1/chat/completions", `{"model":"openai/gpt-fake","prompt_cache_key":"mine","prompt_cache_retention":"24h","messages":[{"role":"user","content":"one two three"}]}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Contains(t, string(openai.Last().Body), `"prompt_cache_key":"mine","prompt_cache_retention":"24h"`)
	assert.Contains(t, body, `"cached_tokens":2`)
	assert.EqualValues(t, 2, h.lastCall().Usage[hub.CacheRead])
	res, body = h.send("/v1/messages", `{"model":"anthropic/claude-fake","max_tokens":9,"system":[{"type":"text","text":"be brief","cache_control":{"type":"ephemeral","ttl":"1h"}}],"messages":[{"role":"user","content":"Hi"}]}`)
	require.Equal(t, http.StatusOK, res.StatusCode, body)
	assert.Contains(t, string(anthropic.Last().Body), `"cache_control":{"type":"ephemeral","ttl":"1h"}`)
}

func TestAnswersThatTellTheirChargeAreNotKeptWhileItIsCharged(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AIGNE_HUB_CACHE": "all", "AIGNE_HUB_BILLING": "on"})
	fake := h.provider(fakeprovider.OpenAI)
	h.rate("openai", "gpt-fake", "1", "2")
	h.grant("10")
	for range 2 {
		res, body := h.send("/api/v2/chat/completions", `{"model":"openai/gpt-fake","messages":[{"role":"user","content":"Hi"}]}`)
		require.Equal(t, http.StatusOK, res.StatusCode, body)
		assert.Empty(t, res.Header.Get(cacheHeader))
	}
	assert.Len(t, fake.Requests(), 2)
}
