package httpkit_test

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func TestARequestIDIsTakenWhenSaneElseMade(t *testing.T) {
	t.Parallel()
	var seen string
	h := httpkit.Mux(one(func(_ http.ResponseWriter, r *http.Request) error {
		seen = httpkit.RequestID(r.Context())
		return nil
	}), deps(newLogBook()))
	tests := []struct {
		name, given string
		kept        bool
	}{
		{"a plain id", "Ab9._-x", true},
		{"128 characters", strings.Repeat("a", 128), true},
		{"129 characters", strings.Repeat("a", 129), false},
		{"none", "", false},
		{"a space", "a b", false},
		{"a line break", "a\nb", false},
		{"a slash", "a/b", false},
		{"another alphabet", "идент", false},
	}
	for _, tt := range tests {
		r := post("")
		r.Header["X-Request-Id"] = []string{tt.given}
		w := do(h, r)
		assert.Equal(t, 200, w.Code)
		assert.Equal(t, seen, w.Header().Get("X-Request-Id"), tt.name)
		if tt.kept {
			assert.Equal(t, tt.given, seen, tt.name)
		} else {
			assert.Len(t, seen, 26, tt.name)
		}
	}
}

func TestTheAccessLineHoldsNeitherQueryNorHeaders(t *testing.T) {
	t.Parallel()
	book := newLogBook()
	routes := []httpkit.Route{{Method: "POST", Pattern: "/things/{id}", Who: httpkit.AnyUser,
		As: func(w http.ResponseWriter, _ *http.Request, _ hub.Caller) error {
			return httpkit.WriteJSON(w, http.StatusAccepted, 12)
		}}}
	r := post("")
	r.Header.Set("Test-Role", "member")
	r.Header.Set("Authorization", "Bearer sk-hub-header")
	r.Header.Set("X-Request-Id", "id-1")
	do(httpkit.Mux(routes, deps(book)), r)
	line := book.only(t)
	delete(line, "time")
	assert.Equal(t, map[string]any{
		"level": "INFO", "msg": "request", "method": "POST", "route": "POST /things/{id}", "status": 202.0,
		"bytes": 3.0, "duration_ms": 0.0, "request_id": "id-1", "user_id": "u-member",
	}, line)
	assert.NotContains(t, book.text(), "AIza")
	assert.NotContains(t, book.text(), "sk-hub")
}

func TestTheLogGetsTheCauseAndTheCallerDoesNot(t *testing.T) {
	t.Parallel()
	book := newLogBook()
	h := httpkit.Mux(one(func(http.ResponseWriter, *http.Request) error {
		return hub.Wrap(hub.CodeUnavailable, errors.New("disk I/O error"), "Try again soon.")
	}), deps(book))
	w := do(h, post(""))
	assert.NotContains(t, w.Body.String(), "disk")
	line := book.only(t)
	assert.Equal(t, "ERROR", line["level"])
	assert.Equal(t, "unavailable", line["code"])
	assert.Equal(t, "Try again soon.: disk I/O error", line["error"])
}

func TestAPanicIsAnsweredOnceWithoutTellingWhy(t *testing.T) {
	t.Parallel()
	book := newLogBook()
	h := httpkit.Mux(one(func(http.ResponseWriter, *http.Request) error { panic("inner thing") }), deps(book))
	w := do(h, post(""))
	assert.Equal(t, 500, w.Code)
	assert.NotContains(t, w.Body.String(), "inner thing")
	line := book.only(t)
	assert.Contains(t, line["error"], "inner thing")
	assert.Contains(t, line["stack"], "observe_test.go")
}

func TestAHalfAnswerIsAbortedAndNeverLooksWhole(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		end  func() error
	}{
		{"a panic", func() error { panic("late") }},
		{"an error", func() error { return errors.New("late") }},
		{"an abort", func() error { panic(http.ErrAbortHandler) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			book := newLogBook()
			srv := httptest.NewServer(httpkit.Mux(one(func(w http.ResponseWriter, _ *http.Request) error {
				_, err := io.WriteString(w, "half")
				if err == nil {
					err = http.NewResponseController(w).Flush()
				}
				if err != nil {
					return err
				}
				return tt.end()
			}), deps(book)))
			defer srv.Close()
			resp, err := http.Post(srv.URL+"/things/1", "text/plain", nil)
			require.NoError(t, err)
			defer resp.Body.Close()
			got, err := io.ReadAll(resp.Body)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
			assert.Equal(t, "half", string(got))
			assert.Equal(t, true, book.only(t)["aborted"])
		})
	}
}

func TestAStreamMayNoteAnErrorItHasToldItsClient(t *testing.T) {
	t.Parallel()
	book := newLogBook()
	h := httpkit.Mux(one(func(w http.ResponseWriter, r *http.Request) error {
		_, err := io.WriteString(w, "data: {}\n\n")
		httpkit.NoteError(r.Context(), hub.Errorf(hub.CodeTimeout, "first"))
		httpkit.NoteError(r.Context(), hub.Errorf(hub.CodeInternal, "second"))
		return err
	}), deps(book))
	w := do(h, post(""))
	assert.Equal(t, 200, w.Code)
	line := book.only(t)
	assert.Equal(t, "upstream_timeout", line["code"])
	assert.NotContains(t, line, "aborted")
}

func TestAHandlerThatWritesNothingAnswers200(t *testing.T) {
	t.Parallel()
	book := newLogBook()
	h := httpkit.Mux(one(func(http.ResponseWriter, *http.Request) error { return nil }), deps(book))
	w := do(h, post(""))
	assert.Equal(t, 200, w.Code)
	assert.InDelta(t, 200, book.only(t)["status"], 0)
}

func TestMuxesInsideOneObserverMakeOneLine(t *testing.T) {
	t.Parallel()
	book := newLogBook()
	d := deps(book)
	outer := http.NewServeMux()
	outer.Handle("/hub/", http.StripPrefix("/hub", httpkit.Mux(one(func(http.ResponseWriter, *http.Request) error {
		return hub.Errorf(hub.CodeConflict, "taken")
	}), d)))
	w := do(httpkit.Observe(outer, d), httptest.NewRequest(http.MethodPost, "/hub/things/1", nil))
	assert.Equal(t, 409, w.Code)
	line := book.only(t)
	assert.Equal(t, "POST /things/{id}", line["route"])
	assert.InDelta(t, 409, line["status"], 0)
}

func TestAContextMadeElsewhereLendsItsRequestID(t *testing.T) {
	t.Parallel()
	book := newLogBook()
	d := deps(book)
	h := httpkit.Mux(one(func(_ http.ResponseWriter, r *http.Request) error {
		httpkit.Log(r.Context()).Info("inside")
		return nil
	}), d)
	ctx := httpkit.NewContext(t.Context(), "event-7", d.Log)
	assert.Equal(t, "event-7", httpkit.RequestID(ctx))
	w := do(h, post("").WithContext(ctx))
	assert.Equal(t, "event-7", w.Header().Get("X-Request-Id"))
	assert.Equal(t, 2, strings.Count(book.text(), `"request_id":"event-7"`), "the handler's line and the access line")
	assert.Empty(t, httpkit.RequestID(t.Context()))
	assert.NotNil(t, httpkit.Log(t.Context()))
	httpkit.NoteError(t.Context(), errors.New("nowhere to go"))
}

func TestTheWriterServesControllersFlushersAndHijackers(t *testing.T) {
	t.Parallel()
	book := newLogBook()
	srv := httptest.NewServer(httpkit.Mux(one(func(w http.ResponseWriter, r *http.Request) error {
		switch r.PathValue("id") {
		case "early":
			w.WriteHeader(http.StatusEarlyHints)
			return hub.Errorf(hub.CodeNotFound, "after a hint")
		case "flush":
			w.(http.Flusher).Flush()
			return nil
		case "copy":
			_, err := io.Copy(w, struct{ io.Reader }{strings.NewReader("copied")}) // a reader with no WriteTo
			return err
		default:
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				return err
			}
			defer conn.Close()
			_, err = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
			return err
		}
	}), deps(book)))
	defer srv.Close()
	for path, want := range map[string]int{"early": 404, "flush": 200, "copy": 200, "hijack": 101} {
		resp, err := http.Post(srv.URL+"/things/"+path, "text/plain", nil)
		require.NoError(t, err, path)
		body, err := bufio.NewReader(resp.Body).ReadString('\n')
		assert.Equal(t, want, resp.StatusCode, path)
		if path == "copy" {
			require.ErrorIs(t, err, io.EOF)
			assert.Equal(t, "copied", body)
		}
		resp.Body.Close()
	}
}

func TestFlushingWithoutSupportIsNoAnswer(t *testing.T) {
	t.Parallel()
	h := httpkit.Mux(one(func(w http.ResponseWriter, _ *http.Request) error {
		err := http.NewResponseController(w).Flush()
		if !errors.Is(err, http.ErrNotSupported) {
			return errors.New("flushed")
		}
		return hub.Errorf(hub.CodeConflict, "still free to answer")
	}), deps(newLogBook()))
	rec := httptest.NewRecorder()
	h.ServeHTTP(struct{ http.ResponseWriter }{rec}, post(""))
	assert.Equal(t, 409, rec.Code)
}
