package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/reseal"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// written is everything that the database wrote.
func (h *testHub) written() string {
	h.t.Helper()
	names, err := filepath.Glob(filepath.Join(h.data, "hub.db*"))
	require.NoError(h.t, err)
	require.NotEmpty(h.t, names)
	var all strings.Builder
	for _, n := range names {
		b, err := os.ReadFile(n)
		require.NoError(h.t, err)
		all.Write(b)
	}
	return all.String()
}

// unlock takes a killed process's lease away, which would end by itself.
func (h *testHub) unlock(name string) {
	h.t.Helper()
	s, err := store.Open(h.t.Context(), store.Options{URL: "file:" + filepath.Join(h.data, "hub.db"), Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	require.NoError(h.t, err)
	u := &store.Unit{}
	u.Add("DELETE FROM job_leases WHERE name = ?1", name)
	require.NoError(h.t, s.Do(h.t.Context(), u))
	require.NoError(h.t, s.Close())
}

// post sends a request and returns the answer.
func (s *served) post(ctx context.Context, key, path, body string) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	return res.StatusCode, res.Body.Close()
}

func TestKeysRotateUnderLoadThroughKills(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_LOG_LEVEL=error", "AIGNE_HUB_CACHE=all")
	fake, key := h.withProvider()
	fake.Handle("gpt-fake", func(fakeprovider.Request) fakeprovider.Answer {
		return fakeprovider.Answer{Text: "the word of the day is xylograph"}
	})
	other := fakeprovider.Start(t, fakeprovider.Anthropic, fakeprovider.Options{})
	other.Handle("claude-fake", func(fakeprovider.Request) fakeprovider.Answer {
		return fakeprovider.Answer{Text: "the word of the day is xylograph"}
	})
	// What a provider does not store lies sealed here.
	h.ok("provider", "add", "--kind", "anthropic", "--name", "anthropic", "--base-url", other.URL, "--credential-env", "FAKE_KEY")
	codes := h.ok("credits", "code", "create", "--amount", "1", "--count", "2000", "--batch", "spring")
	h.ok("webhook", "add", "--url", "https://hooks.example.com/x")
	first := decode[[]reseal.KeyStatus](h, "vault", "status")
	require.Len(t, first, 1)
	servers := []*served{h.serve(), h.serve()}

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var clients sync.WaitGroup
	var answered, failed atomic.Int64
	for n := range 4 {
		s := servers[n%2]
		clients.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				path, body := "/v1/responses", fmt.Sprintf(`{"model":"anthropic/claude-fake","input":"say xylograph %d %d","store":true}`, n, i)
				if i%2 == 1 {
					path, body = "/v1/chat/completions", fmt.Sprintf(`{"model":"openai/gpt-fake","messages":[{"role":"user","content":"say xylograph %d %d"}]}`, n, i)
				}
				status, err := s.post(ctx, key, path, body)
				switch {
				case ctx.Err() != nil:
				case err != nil || status != http.StatusOK:
					failed.Add(1)
					t.Log(status, err)
				default:
					answered.Add(1)
				}
			}
		})
	}
	for range 4 {
		h.unlock("vault.rotate")
		cmd := h.command(t.Context(), "vault", "rotate")
		require.NoError(t, cmd.Start())
		time.Sleep(2500*time.Millisecond + rand.N(2*time.Second))
		_ = cmd.Process.Signal(syscall.SIGKILL) // it may have ended already
		_ = cmd.Wait()
	}
	// The lease of a killed process ends by itself; a test does not wait for it.
	h.unlock("vault.rotate")
	out := decode[reseal.Outcome](h, "vault", "rotate")
	if out.Resumed {
		out = decode[reseal.Outcome](h, "vault", "rotate")
	}
	require.False(t, out.Resumed)
	stop()
	clients.Wait()
	assert.Zero(t, failed.Load())
	assert.Greater(t, answered.Load(), int64(20))

	h.ok("vault", "rotate") // what came late under a closed key
	keys := decode[[]reseal.KeyStatus](h, "vault", "status")
	require.Greater(t, len(keys), 2)
	for _, k := range keys[:len(keys)-1] {
		assert.Equal(t, "retired", k.State)
		assert.Zero(t, k.Total(), k)
	}
	active := keys[len(keys)-1]
	assert.Equal(t, "active", active.State)
	assert.EqualValues(t, 2000, active.Values["redeem_codes"])
	assert.EqualValues(t, 2, active.Values["ai_credentials"])
	assert.EqualValues(t, 1, active.Values["webhook_endpoints"])
	assert.Positive(t, active.Values["responses"])

	status, err := servers[0].post(t.Context(), key, "/v1/responses", `{"model":"anthropic/claude-fake","input":"one more"}`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status, "a process that saw it all goes on")
	status, err = h.serve().post(t.Context(), key, "/v1/responses", `{"model":"anthropic/claude-fake","input":"another"}`)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status, "and so does a new one")
	csv := h.ok("credits", "code", "export", "--batch", "spring")
	some := strings.Fields(codes)
	require.Len(t, some, 2000)
	for _, c := range some {
		require.Contains(t, csv, c)
	}
	file := h.written()
	for _, secret := range append(some[:50], fakeprovider.DefaultKey, key, "xylograph") {
		assert.NotContains(t, file, secret, "the file alone reveals nothing")
	}
	h.ok("audit", "verify")
}

func TestAMasterKeyMovesFromFileToEnvironmentAndBack(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	_, key := h.withProvider()
	path := filepath.Join(h.data, "master.key")
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	old := strings.TrimSpace(string(text))
	fresh := base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef"))
	plain := h.env
	works := func() {
		t.Helper()
		status, _, _, err := h.serve().call(t.Context(), key, hello)
		require.NoError(t, err)
		assert.Equal(t, http.StatusOK, status)
	}

	h.env = append(plain[:len(plain):len(plain)], "AIGNE_HUB_MASTER_KEY="+fresh)
	o := h.run("", "vault", "rotate", "--master")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stderr, "AIGNE_HUB_MASTER_KEY_OLD", "it says what to do")

	h.env = append(h.env, "AIGNE_HUB_MASTER_KEY_OLD="+old)
	works() // before
	assert.Contains(t, h.ok("vault", "rotate", "--master"), "1 data keys wrapped")
	assert.Contains(t, h.ok("vault", "rotate", "--master"), "Nothing to do")
	works()
	require.NoError(t, os.Remove(path))
	h.env = append(plain[:len(plain):len(plain)], "AIGNE_HUB_MASTER_KEY="+fresh)
	works() // without the old one

	h.env = append(plain[:len(plain):len(plain)], "AIGNE_HUB_MASTER_KEY_OLD="+fresh)
	assert.Contains(t, h.ok("vault", "rotate", "--master"), "1 data keys wrapped")
	h.env = plain
	works()
	assert.NotContains(t, h.written(), old)
	assert.NotContains(t, h.written(), fresh)
}
