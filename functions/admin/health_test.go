package admin_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/admin"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
)

func TestHealthTellsCredentialsAndTargetsApart(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	_, err := h.app.Desk.AddProvider(t.Context(), "test", operator.NewProvider{Kind: "openai", Name: "openai", Credential: "sk-one-secret", CredentialName: "one"})
	require.NoError(t, err)
	_, err = h.app.Desk.AddCredential(t.Context(), "test", "openai", "two", 0, "sk-two-secret")
	require.NoError(t, err)
	require.NoError(t, h.app.Desk.SetCredentialActive(t.Context(), "boss", "openai", "two", false))
	require.NoError(t, h.app.Reload(t.Context()))
	h.attempt("openai", "good", 9, nil)
	h.attempt("openai", "bad", 3, down)

	type health struct {
		Providers map[string]map[string]struct {
			Running       bool
			State, Reason string
		}
		Targets []struct {
			Provider, Model, Error, Reason string
			Available                      *bool
			Calls                          int64
			SuccessRate                    float64 `json:"success_rate"`
			P50                            int64   `json:"p50_ms"`
			P95                            int64   `json:"p95_ms"`
		}
		Timestamp time.Time
	}
	v := get[health](h, "/api/ai-providers/health")
	keys := v.Providers["openai"]
	assert.True(t, keys["one"].Running)
	assert.Equal(t, "running", keys["one"].State)
	assert.False(t, keys["two"].Running)
	assert.Equal(t, "disabled", keys["two"].State)
	assert.Equal(t, "disabled by boss", keys["two"].Reason)
	require.Len(t, v.Targets, 2)
	bad, good := v.Targets[0], v.Targets[1]
	assert.Equal(t, new(false), bad.Available)
	assert.Equal(t, string(hub.CodeTimeout), bad.Error)
	assert.Equal(t, down.Message, bad.Reason)
	assert.Equal(t, new(true), good.Available)
	assert.EqualValues(t, 9, good.Calls)
	assert.InDelta(t, 1, good.SuccessRate, 0)
	assert.Positive(t, good.P50)
	assert.GreaterOrEqual(t, good.P95, good.P50)
	assert.WithinDuration(t, time.Now(), v.Timestamp, time.Minute)

	_, text := h.send("GET", "/api/ai-providers/health", "")
	assert.NotContains(t, text, "secret")
	for key, want := range map[string]int{"": http.StatusUnauthorized, h.member: http.StatusForbidden} {
		status, _ := h.as(key, "GET", "/api/ai-providers/health", "")
		assert.Equal(t, want, status)
		status, _ = h.as(key, "GET", "/api/admin/events", "", "Accept", "text/event-stream")
		assert.Equal(t, want, status)
	}
}

// listener reads server-sent events as a browser does.
type listener struct {
	t      *testing.T
	frames chan map[string]string
}

func listen(t *testing.T, res *http.Response) *listener {
	t.Helper()
	l := &listener{t: t, frames: make(chan map[string]string, 1000)}
	go func() {
		defer close(l.frames)
		defer res.Body.Close()
		frame := map[string]string{}
		for in := bufio.NewScanner(res.Body); in.Scan(); {
			line := in.Text()
			if line == "" {
				l.frames <- frame
				frame = map[string]string{}
				continue
			}
			field, value, _ := strings.Cut(line, ":")
			frame[field] = strings.TrimPrefix(value, " ")
		}
	}()
	return l
}

// next waits for the next event with data.
func (l *listener) next() map[string]string {
	l.t.Helper()
	for {
		select {
		case f, ok := <-l.frames:
			require.True(l.t, ok, "the stream has ended")
			if f["data"] != "" {
				return f
			}
		case <-time.After(10 * time.Second):
			require.Fail(l.t, "no event came")
		}
	}
}

func TestConsolesAreToldAsItHappens(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	_, err := h.app.Desk.AddProvider(t.Context(), "test", operator.NewProvider{Kind: "openai", Name: "openai", Credential: "sk-one-secret"})
	require.NoError(t, err)
	res := h.open(h.admin, "GET", "/api/admin/events", "", "Accept", "text/event-stream")
	require.Equal(t, http.StatusOK, res.StatusCode)
	assert.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	l := listen(t, res)
	first := <-l.frames
	assert.Equal(t, "5000", first["retry"])
	assert.NotEmpty(t, first["id"], "what it comes back with, though nothing has happened yet")

	h.attempt("openai", "m", 3, down)
	f := l.next()
	assert.Equal(t, "status", f["event"])
	var e struct {
		ID   json.Number
		Kind string
		Data map[string]any
	}
	require.NoError(t, json.Unmarshal([]byte(f["data"]), &e))
	assert.Equal(t, f["id"], e.ID.String())
	assert.Equal(t, map[string]any{"provider": "openai", "model": "m", "type": "chatCompletion", "available": false, "error": "upstream_timeout"}, e.Data)
	require.NoError(t, h.app.Desk.SetCredentialActive(t.Context(), "boss", "openai", "default", false))
	f = l.next()
	assert.Equal(t, "credential", f["event"])
	assert.NotContains(t, f["data"], "sk-one")

	// Another console comes back with the last id it saw, and misses nothing.
	again := listen(t, h.open(h.admin, "GET", "/api/admin/events", "", "Accept", "text/event-stream", "Last-Event-ID", first["id"]))
	assert.Equal(t, "status", again.next()["event"])
	assert.Equal(t, "credential", again.next()["event"])

	h.app.Leave()
	for range l.frames { // a process that stops does not keep its consoles
	}
}

func TestASilentStreamIsKeptOpenByComments(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	srv := httptest.NewServer(admin.New(admin.Deps{Deps: h.app.HTTP(), Store: h.app.Store, Desk: h.app.Desk, Routes: h.app.Routes, Upstream: h.app.Upstream,
		Streams: true, Ping: time.Second, Leaving: h.app.Leaving()}))
	t.Cleanup(func() { h.app.Leave(); srv.Close() })
	h.url = srv.URL
	l := listen(t, h.open(h.admin, "GET", "/api/admin/events", "", "Accept", "text/event-stream"))
	<-l.frames
	for range 2 {
		assert.Equal(t, map[string]string{"": "ping"}, <-l.frames)
	}
}

func TestWithoutStreamsConsolesAsk(t *testing.T) {
	t.Parallel()
	h := start(t, map[string]string{"AWS_LAMBDA_FUNCTION_NAME": "admin", "AIGNE_HUB_DATABASE": "file:" + t.TempDir() + "/hub.db"})
	const many = 250
	for i := range many {
		h.app.Health.Attempt("p", fmt.Sprint(i), hub.TypeChat, 0, nil)
	}
	require.NoError(t, h.app.Reporter.Report(t.Context()))
	type page struct {
		Data []struct{ ID int64 }
		Last int64
	}
	seen, last := map[int64]bool{}, int64(0)
	for {
		p := get[page](h, fmt.Sprintf("/api/admin/events?after=%d", last))
		if len(p.Data) == 0 {
			assert.Equal(t, last, p.Last)
			break
		}
		for _, e := range p.Data {
			assert.False(t, seen[e.ID])
			seen[e.ID] = true
		}
		last = p.Last
	}
	assert.Len(t, seen, many)

	// The same stream as elsewhere, that ends: an EventSource comes back by itself.
	status, text := h.send("GET", "/api/admin/events?after=0", "", "Accept", "text/event-stream")
	assert.Equal(t, http.StatusOK, status)
	assert.Equal(t, many, strings.Count(text, "\nevent: status\n"))
	status, _ = h.send("GET", "/api/admin/events?after=x", "")
	assert.Equal(t, http.StatusBadRequest, status)
}

func TestWebhooksAreManagedByAPI(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	var signatures []string
	receiver := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signatures = append(signatures, r.Header.Get("webhook-signature"))
		if r.URL.Path == "/away" {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	t.Cleanup(receiver.Close)
	for body, field := range map[string]string{
		`{"url":"ftp://x"}`: "url", `{"url":"https://me:pw@x.test"}`: "url", `{}`: "url", `{"url":"https://x.test","kinds":["no.such"]}`: "kinds",
	} {
		status, text := h.send("POST", "/api/admin/webhooks", body)
		assert.Equal(t, http.StatusBadRequest, status, body)
		assert.Contains(t, text, `"param":"`+field+`"`, body)
	}
	status, text := h.send("POST", "/api/admin/webhooks", `{"url":"`+receiver.URL+`/here","kinds":["target.down"]}`)
	require.Equal(t, http.StatusCreated, status, text)
	var made struct{ ID, Secret string }
	require.NoError(t, json.Unmarshal([]byte(text), &made))
	assert.True(t, strings.HasPrefix(made.Secret, "whsec_"))
	status, _ = h.send("POST", "/api/admin/webhooks", `{"url":"`+receiver.URL+`/here"}`)
	assert.Equal(t, http.StatusConflict, status)
	_, text = h.send("GET", "/api/admin/webhooks", "")
	assert.Contains(t, text, made.ID)
	assert.NotContains(t, text, made.Secret, "it is shown once")

	status, _ = h.send("POST", "/api/admin/webhooks/"+made.ID+"/test", "")
	assert.Equal(t, http.StatusOK, status)
	require.Len(t, signatures, 1)
	assert.True(t, strings.HasPrefix(signatures[0], "v1,"))
	_, text = h.send("POST", "/api/admin/webhooks", `{"url":"`+receiver.URL+`/away"}`)
	var away struct{ ID string }
	require.NoError(t, json.Unmarshal([]byte(text), &away))
	status, text = h.send("POST", "/api/admin/webhooks/"+away.ID+"/test", "")
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Contains(t, text, "502")

	status, _ = h.send("DELETE", "/api/admin/webhooks/"+made.ID, "")
	assert.Equal(t, http.StatusNoContent, status)
	for method, path := range map[string]string{"DELETE": "", "POST": "/test"} {
		status, _ = h.send(method, "/api/admin/webhooks/"+made.ID+path, "")
		assert.Equal(t, http.StatusNotFound, status)
	}
	assert.NotContains(t, h.logs.String(), made.Secret)
	assert.NotContains(t, h.logs.String(), "/here", "a URL may hold a token")
}

func TestNotificationsAreListedWithTheirDeliveries(t *testing.T) {
	t.Parallel()
	h := start(t, nil)
	receiver := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(receiver.Close)
	_, _ = h.send("POST", "/api/admin/webhooks", `{"url":"`+receiver.URL+`"}`)
	h.attempt("p", "m", 1, nil)
	h.attempt("p", "m", 3, down)
	require.NoError(t, h.app.Store.Exec(t.Context(), "UPDATE ai_model_statuses SET changed_at = changed_at - 60000"))
	for _, j := range jobsOf(h) {
		require.NoError(t, j(t.Context()))
	}
	type list struct {
		Data []struct {
			Kind, Title string
			Data        map[string]any
			Deliveries  []struct{ Channel, State string }
		}
		NextCursor *string `json:"next_cursor"`
	}
	l := get[list](h, "/api/admin/notifications")
	require.Len(t, l.Data, 1)
	assert.Equal(t, "target.down", l.Data[0].Kind)
	assert.Equal(t, "m", l.Data[0].Data["model"])
	require.Len(t, l.Data[0].Deliveries, 1)
	assert.Equal(t, "sent", l.Data[0].Deliveries[0].State)
	assert.Nil(t, l.NextCursor)

	status, text := h.send("PUT", "/api/admin/notifications/email", `{"kinds":["target.up"]}`)
	assert.Equal(t, http.StatusOK, status, text)
	assert.Contains(t, text, `"kinds":["target.up"]`)
	status, _ = h.send("PUT", "/api/admin/notifications/email", `{"kinds":["x"]}`)
	assert.Equal(t, http.StatusBadRequest, status)
	_, text = h.send("PUT", "/api/admin/notifications/email", `{"kinds":null}`)
	assert.Contains(t, text, `"kinds":null`)
}
