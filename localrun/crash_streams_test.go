package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/tokens"
)

// crashTale is how long the answers are whose streams are cut by a kill.
const crashTale = 4000 // bytes

// received is what clients got of their streams, by the id of the call.
type received struct {
	mu   sync.Mutex
	said map[string]string
	owed map[string]money.Credits // of those that came to their end
}

// TestCrashCampaignOfStreams kills a hub again and again while streams are open
// whose holds grow. What a sweeper closes then must be charged exactly its last
// checkpoint, and never more than the client got.
func TestCrashCampaignOfStreams(t *testing.T) {
	h := newHub(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_LOG_LEVEL=error", "AIGNE_HUB_BILLING_SLICE=200")
	fake, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-4o-mini", "--input", "1.000001", "--output", "2.7")
	h.ok("credits", "grant", "--user", "member@example.com", "--amount", "1000")
	fake.Handle("gpt-4o-mini", func(fakeprovider.Request) fakeprovider.Answer {
		pause := fakeprovider.NewGate()
		time.AfterFunc(rand.N(crashLatest), pause.Release)
		return fakeprovider.Answer{Text: fakeprovider.Words(crashTale), Frames: 80, Middle: pause}
	})
	got := &received{said: map[string]string{}, owed: map[string]money.Credits{}}
	rounds := crashRounds(t)
	for range rounds {
		s := h.serve()
		ctx, cancel := context.WithCancel(t.Context())
		var clients sync.WaitGroup
		for range crashClients {
			clients.Go(func() {
				for ctx.Err() == nil && s.listen(ctx, key, got) {
				}
			})
		}
		<-time.After(crashEarliest + rand.N(crashLatest-crashEarliest))
		s.kill()
		cancel()
		clients.Wait()
		fake.Forget()
	}
	h.checkSwept(got)
}

// listen opens one stream and keeps what it says; false means that the hub is gone.
func (s *served) listen(ctx context.Context, key string, got *received) bool {
	const body = `{"model":"openai/gpt-4o-mini","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"Tell a long tale."}]}`
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return false
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	id := res.Header.Get("x-aigne-hub-call-id")
	var said, all strings.Builder
	done := false
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		all.WriteString(lines.Text() + "\n")
		var chunk struct {
			Choices []struct {
				Delta struct{ Content string }
			}
		}
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		done = done || data == "[DONE]"
		if ok && json.Unmarshal([]byte(data), &chunk) == nil && len(chunk.Choices) > 0 {
			said.WriteString(chunk.Choices[0].Delta.Content)
		}
	}
	got.mu.Lock()
	defer got.mu.Unlock()
	got.said[id] = said.String()
	if done {
		got.owed[id], _ = owed(all.String(), true)
	}
	return done
}

// checkSwept closes what the kills left open, as a hub would after a minute, and
// compares the books with what clients got.
func (h *testHub) checkSwept(got *received) {
	t := h.t
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{URL: "file:" + filepath.Join(h.data, "hub.db")})
	require.NoError(t, err)
	defer s.Close()
	sweeper := &ledger.Sweeper{Store: s, Log: slog.New(slog.DiscardHandler), After: time.Millisecond}
	require.Eventually(t, func() bool {
		require.NoError(t, sweeper.Sweep(t.Context()))
		quiet, err := s.QuietLeases(t.Context(), -time.Hour)
		require.NoError(t, err)
		dead, err := s.DeadLeases(t.Context())
		require.NoError(t, err)
		return len(quiet)+len(dead) == 0
	}, time.Minute, 10*time.Millisecond)
	report, err := (&ledger.Book{Store: s, Now: time.Now}).Verify(t.Context())
	require.NoError(t, err)
	require.Empty(t, report.Violations)

	var counter tokens.Counter
	complete, cut, charged := 0, 0, 0
	for id, said := range got.said {
		c, err := s.CallByID(t.Context(), id)
		require.NoError(t, err, "call %s reached its client and is not on record", id)
		if credits, ok := got.owed[id]; ok {
			complete++
			assert.Equal(t, hub.StatusSuccess, c.Status)
			assert.Equal(t, credits, c.Credits)
			continue
		}
		if c.Status == hub.StatusSuccess {
			continue // settled, and killed before its last frames
		}
		cut++
		require.Equal(t, hub.StatusInterrupted, c.Status)
		assert.Equal(t, hub.SweptCheckpoint, c.ChargePolicy)
		last, err := s.LastSlice(t.Context(), id)
		if errors.Is(err, store.ErrNotFound) {
			assert.Zero(t, c.Credits, "there was no checkpoint")
			continue
		}
		require.NoError(t, err)
		charged++
		name := fmt.Sprintf("call %s of which %d bytes arrived", id, len(said))
		assert.Equal(t, last.Amount, c.Credits, name)
		const inputPico, outputPico = 1_000_001, 2_700_000
		assert.Equal(t, money.Credits((last.Usage[hub.Input]*inputPico+last.Usage[hub.Output]*outputPico+500)/1000), c.Credits, name)
		assert.LessOrEqual(t, last.Usage[hub.Output], counter.Count(said)+1, "%s: no more than the client got", name)
	}
	t.Logf("%d streams came to their end, %d were cut, %d of them charged their last checkpoint", complete, cut, charged)
	require.Positive(t, charged, "no checkpoint was charged: nothing was proved")
}
