package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestServeSaysWhereItIsAndHowToBegin(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	cmd := h.command(t.Context(), "serve", "--listen", "127.0.0.1:0")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	text, first := "", make([]byte, 4096)
	for !strings.Contains(text, "first call") {
		n, err := out.Read(first)
		require.NoError(t, err, text)
		text += string(first[:n])
	}
	assert.Contains(t, text, "Data folder:   "+h.data+"\n")
	assert.Regexp(t, `(?m)^Address:       http://127\.0\.0\.1:\d+$`, text)
	assert.Regexp(t, `(?m)^Set-up token:  setup-[A-Za-z0-9_-]{43}$`, text)
	assert.Contains(t, text, "/api/auth/setup")
	require.NoError(t, cmd.Process.Signal(syscall.SIGINT))
	require.NoError(t, cmd.Wait(), "a signal ends it in order")
}

func TestTheFirstOwnerComesByToken(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	old := h.serve()
	require.NotEmpty(t, old.token)
	old.kill()
	s := h.serve()
	require.NotEqual(t, old.token, s.token, "each start makes a new token")
	setUp := func(token string) int {
		res, err := http.Post(s.url+"/api/auth/setup", "application/json",
			strings.NewReader(`{"token":"`+token+`","email":"o@example.com","password":"correct horse battery"}`))
		require.NoError(t, err)
		_, err = io.Copy(io.Discard, res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	assert.Equal(t, http.StatusForbidden, setUp(old.token))
	assert.Equal(t, http.StatusCreated, setUp(s.token))
	s.signal(syscall.SIGTERM)
	assert.Equal(t, 0, s.exit(5*time.Second))
	assert.Empty(t, h.serve().token, "with an owner there is no token")
}

func TestAPortInUseNamesTheFlagAndLeavesNoTrace(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	h := newHub(t)
	o := h.run("", "serve", "--listen", taken.Addr().String())
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stderr, "in use")
	assert.Contains(t, o.stderr, "--listen")
	assert.NoDirExists(t, h.data)
}

// within is how soon a serving hub must see what a command changed.
const within = 2 * time.Second

func TestCommandsWorkWhileTheHubServes(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	s := h.serve()
	fake, key := h.withProvider()
	fake.Always("gpt-fake", fakeprovider.Answer{Text: "good day"})
	status := func() int {
		status, _, _, err := s.call(t.Context(), key, hello)
		require.NoError(t, err)
		return status
	}
	require.Eventually(t, func() bool { return status() == http.StatusOK }, within, 20*time.Millisecond, "the provider is seen")

	h.ok("credential", "disable", "--provider", "openai", "--name", "default")
	require.Eventually(t, func() bool { return status() == http.StatusServiceUnavailable }, within, 20*time.Millisecond)
	h.ok("credential", "enable", "--provider", "openai", "--name", "default")
	require.Eventually(t, func() bool { return status() == http.StatusOK }, within, 20*time.Millisecond)

	h.ok("key", "revoke", decode[[]keyView](h, "key", "list")[0].ID)
	require.Equal(t, http.StatusUnauthorized, status(), "a revoked key admits nothing, at once")
}

func TestCallsAreListedWithEveryColumn(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_BILLING=on")
	fake, key := h.withProvider()
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "1", "--output", "2", "--cost-input", "0.5", "--cost-output", "1")
	h.ok("credits", "grant", "--user", "member@example.com", "--amount", "5")
	fake.Always("gpt-fake", fakeprovider.Answer{Text: "good day", Cached: 1})
	s := h.serve()
	var ids []string
	for range 3 {
		status, header, _, err := s.call(t.Context(), key, hello)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status)
		ids = append([]string{header.Get("x-aigne-hub-call-id")}, ids...)
	}
	calls := decode[[]callView](h, "calls", "list")
	require.Len(t, calls, 3)
	for i, c := range calls {
		assert.Equal(t, ids[i], c.ID, "newest first")
	}
	c := calls[0]
	assert.Equal(t, "success", string(c.Status))
	assert.Equal(t, "member@example.com", c.User)
	assert.Equal(t, "openai", c.Provider)
	assert.Equal(t, "gpt-fake", c.Model)
	assert.Equal(t, "openai/gpt-fake", c.RequestedModel)
	assert.Equal(t, http.StatusOK, c.HTTPStatus)
	assert.Equal(t, 1, c.Attempts)
	assert.Equal(t, "reported", string(c.UsageSource))
	assert.Equal(t, int64(1), c.Usage["cache_read"])
	assert.Equal(t, int64(2), c.Usage["output"])
	// 2 prompt tokens, of which one was cached and has no price of its own, at 1; 2 generated at 2 dollars a million
	assert.Equal(t, "0.000006", c.Credits.String())
	require.NotNil(t, c.Cost)
	assert.Equal(t, "0.000003", c.Cost.String())
	require.NotNil(t, c.DurationMS)
	assert.NotEmpty(t, c.KeyID)
	assert.NotEmpty(t, c.RequestID)

	assert.Len(t, decode[[]callView](h, "calls", "list", "--limit", "2"), 2)
	older := decode[[]callView](h, "calls", "list", "--before", ids[0], "--user", "member@example.com")
	require.Len(t, older, 2)
	assert.Equal(t, ids[1], older[0].ID)
	assert.Regexp(t, `(?m)^ID +TIME +USER +PROVIDER +MODEL +STATUS +IN +OUT +CREDITS +COST-USD +HTTP +WHY +ERROR$`, h.ok("calls", "list"))
}

// stalled begins a stream whose answer stands still until gate opens, and
// returns where its whole text will come.
func stalled(t *testing.T, s *served, fake *fakeprovider.Provider, key string, gate *fakeprovider.Gate) <-chan string {
	t.Helper()
	fake.Script("gpt-fake", fakeprovider.Answer{Text: "good day to you", Middle: gate})
	answer := make(chan string, 1)
	go func() {
		_, _, text, _ := s.call(context.WithoutCancel(t.Context()), key, helloStream)
		answer <- text
	}()
	<-gate.Reached()
	return answer
}

func TestSIGTERMLetsOpenCallsFinish(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	fake, key := h.withProvider()
	s := h.serve("--drain", "30s")
	gate := fakeprovider.NewGate()
	answer := stalled(t, s, fake, key, gate)
	s.signal(syscall.SIGTERM)
	require.Eventually(t, func() bool {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err == nil {
			_ = conn.Close()
		}
		return err != nil
	}, 5*time.Second, 10*time.Millisecond, "nobody new is let in")
	gate.Release()
	assert.Contains(t, <-answer, "data: [DONE]", "the stream ends in order")
	assert.Equal(t, 0, s.exit(10*time.Second))
	calls := decode[[]callView](h, "calls", "list")
	require.Len(t, calls, 1)
	assert.Equal(t, "success", string(calls[0].Status))
}

func TestADrainHasAnEnd(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	fake, key := h.withProvider()
	s := h.serve("--drain", "100ms")
	answer := stalled(t, s, fake, key, fakeprovider.NewGate())
	s.signal(syscall.SIGTERM)
	assert.Equal(t, 0, s.exit(10*time.Second))
	text := <-answer
	assert.NotContains(t, text, "[DONE]", "half an answer does not pass for a whole one")
	assert.Contains(t, text, `data: {"error":`, "the client is told")
	calls := decode[[]callView](h, "calls", "list")
	require.Len(t, calls, 1)
	assert.Equal(t, "failed", string(calls[0].Status), "it was settled before the end")
	assert.NotZero(t, calls[0].Usage["output"], "as delivered")
	h.ok("ledger", "verify")
}

func TestASecondSignalEndsItAtOnce(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	fake, key := h.withProvider()
	s := h.serve("--drain", "1h")
	stalled(t, s, fake, key, fakeprovider.NewGate())
	s.signal(syscall.SIGTERM)
	require.Eventually(t, func() bool { return strings.Contains(s.log.String(), "stopping") }, 5*time.Second, 5*time.Millisecond)
	s.signal(syscall.SIGINT)
	assert.Equal(t, 1, s.exit(5*time.Second))
}

func TestAKilledHubKeepsItsData(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	fake, key := h.withProvider()
	fake.Always("gpt-fake", fakeprovider.Answer{Text: "good day"})
	s := h.serve()
	status, header, _, err := s.call(t.Context(), key, hello)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status)
	s.kill()
	calls := decode[[]callView](h, "calls", "list")
	require.Len(t, calls, 1)
	assert.Equal(t, header.Get("x-aigne-hub-call-id"), calls[0].ID)
	s = h.serve()
	status, _, _, err = s.call(t.Context(), key, hello)
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, status)
}

func TestALostMasterKeyStopsTheHub(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	h.withProvider()
	// A master key of 32 bytes that did not seal this database.
	h.env = append(h.env, "AIGNE_HUB_MASTER_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
	o := h.run("", "serve", "--listen", "127.0.0.1:0")
	assert.Equal(t, 1, o.code)
	assert.Contains(t, o.stderr, "sealed with another master key")
}
