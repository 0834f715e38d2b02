package httpkit_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

var noon = time.Date(2026, 4, 9, 12, 0, 0, 7_000_000, time.UTC)

// logBook collects log lines; it can be written to by a server's goroutines.
type logBook struct {
	mu    sync.Mutex
	buf   bytes.Buffer
	lines chan struct{}
}

func newLogBook() *logBook { return &logBook{lines: make(chan struct{}, 64)} }

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	n, err := b.buf.Write(p)
	b.lines <- struct{}{}
	return n, err
}

func (b *logBook) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// only waits for the one line and returns it.
func (b *logBook) only(t *testing.T) map[string]any {
	t.Helper()
	select {
	case <-b.lines:
	case <-time.After(10 * time.Second):
		require.Fail(t, "no access line")
	}
	lines := strings.Split(strings.TrimSpace(b.text()), "\n")
	require.Len(t, lines, 1)
	var line map[string]any
	require.NoError(t, json.Unmarshal([]byte(lines[0]), &line))
	return line
}

func deps(book *logBook) httpkit.Deps {
	return httpkit.Deps{
		Log: slog.New(slog.NewJSONHandler(book, nil)),
		Now: func() time.Time { return noon },
		Authenticate: func(r *http.Request) (hub.Caller, error) {
			switch role := r.Header.Get("Test-Role"); role {
			case "":
				return hub.Caller{}, nil
			case "bad":
				return hub.Caller{}, hub.Errorf(hub.CodeUnauthenticated, "This key is not known.")
			default:
				return hub.Caller{UserID: "u-" + role, Role: hub.Role(role)}, nil
			}
		},
	}
}

func one(h httpkit.Handler) []httpkit.Route {
	return []httpkit.Route{{Method: "POST", Pattern: "/things/{id}", Who: httpkit.Anonymous, Handler: h}}
}

func do(h http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func post(body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/things/7?key=AIzaQuery", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

func errorOf(t *testing.T, w *httptest.ResponseRecorder) map[string]any {
	t.Helper()
	var body struct {
		Error map[string]any `json:"error"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &body), w.Body.String())
	require.NotNil(t, body.Error, w.Body.String())
	return body.Error
}
