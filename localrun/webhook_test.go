package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

func TestWebhooksByCommand(t *testing.T) {
	t.Parallel()
	h := newHub(t)
	var status atomic.Int32
	status.Store(http.StatusNoContent)
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("webhook-signature") == "" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.WriteHeader(int(status.Load()))
	}))
	t.Cleanup(receiver.Close)
	made := decode[webhookView](h, "webhook", "add", receiver.URL, "--kind", "target.down", "--kind", "target.up")
	assert.True(t, strings.HasPrefix(made.Secret, "whsec_"))
	assert.Equal(t, []string{"target.down", "target.up"}, made.Kinds)
	all := decode[[]webhookView](h, "webhook", "list")
	require.Len(t, all, 1)
	assert.Empty(t, all[0].Secret)
	h.ok("webhook", "test", made.ID)
	status.Store(http.StatusInternalServerError)
	o := h.run("", "webhook", "test", made.ID)
	assert.Equal(t, exitFailed, o.code)
	assert.Contains(t, o.stderr, "500")
	assert.Equal(t, exitUsage, h.run("", "webhook", "add", "--url", "x").code)
	assert.Equal(t, exitUsage, h.run("", "webhook", "add", "--url", "https://x.test", "--kind", "y").code)
	h.ok("webhook", "remove", made.ID)
	assert.Equal(t, exitNotFound, h.run("", "webhook", "remove", made.ID).code)

	assert.Contains(t, h.ok("notification", "email"), "more than information")
	assert.Contains(t, h.ok("notification", "email", "--kind", "target.down"), "By e-mail: target.down.")
	assert.Contains(t, h.ok("notification", "email", "--none"), "By e-mail: none.")
	assert.Contains(t, h.ok("notification", "email", "--default"), "more than information")
	assert.Equal(t, exitUsage, h.run("", "notification", "email", "--none", "--default").code)
	assert.Equal(t, exitFailed, h.run("", "notification", "email", "--test", "me@example.com").code, "there is no mail server")
	assert.Contains(t, h.ok("notification", "list"), "TITLE")
}

// TestATargetThatGoesDownIsSeenByEveryProcess runs two hubs on one database: one
// makes the calls, the other is asked.
func TestATargetThatGoesDownIsSeenByEveryProcess(t *testing.T) {
	t.Parallel()
	h := newHub(t, "AIGNE_HUB_COOLDOWN=0s")
	fake, key := h.withProvider()
	h.ok("user", "create", "--email", "boss@example.com", "--role", "admin")
	boss := strings.TrimSpace(h.ok("key", "create", "--user", "boss@example.com", "--name", "test"))
	one, two := h.serve(), h.serve()
	events := make(chan string, 100)
	go follow(t, two.url+"/api/admin/events", boss, events)
	fake.Always("gpt-fake", fakeprovider.Answer{Status: http.StatusInternalServerError})
	for range 3 {
		status, _, text, err := one.call(t.Context(), key, hello)
		require.NoError(t, err)
		require.Equal(t, http.StatusInternalServerError/100, status/100, text)
	}
	deadline := time.After(30 * time.Second)
	for {
		select {
		case line := <-events:
			if strings.Contains(line, `"available":false`) {
				assert.Contains(t, line, "gpt-fake")
				two.signal(syscall.SIGTERM)
				assert.Zero(t, two.exit(10*time.Second), "an open stream of events does not keep a process")
				return
			}
		case <-deadline:
			require.Fail(t, "the other process was not told", "%s", two.log)
		}
	}
}

// follow hands on the lines of a stream of events until the test ends.
func follow(t *testing.T, url, key string, lines chan<- string) {
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if !assert.NoError(t, err) {
		return
	}
	r.Header.Set("Authorization", "Bearer "+key)
	r.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return
	}
	defer res.Body.Close()
	for buf := make([]byte, 64<<10); ; {
		n, err := res.Body.Read(buf)
		if err != nil {
			return
		}
		lines <- string(buf[:n])
	}
}
