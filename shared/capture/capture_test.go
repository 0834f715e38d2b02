package capture_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
	"github.com/aigne-hub/aigne-hub/shared/vault"
)

type world struct {
	*capture.Recorder
	store *store.Store
	ring  *vault.Keyring
	at    time.Time
}

func open(t *testing.T, o store.Options, s capture.Settings) *world {
	t.Helper()
	w := &world{at: time.Now()}
	o.Now = func() time.Time { return w.at }
	blank.At(t, o.URL)
	db, err := store.Open(t.Context(), o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, db.Close()) })
	_, err = db.Migrate(t.Context())
	require.NoError(t, err)
	master, err := vault.ParseMaster(vault.GenerateMaster())
	require.NoError(t, err)
	key, err := vault.NewDataKey(master, time.Now())
	require.NoError(t, err)
	w.ring, err = vault.New(master, []vault.WrappedKey{key})
	require.NoError(t, err)
	w.store = db
	w.Recorder = capture.New(db, func(context.Context) (*vault.Keyring, error) { return w.ring, nil }, slog.New(slog.DiscardHandler), o.Now, s)
	return w
}

func file(t *testing.T) store.Options {
	return store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")}
}

// usual is what tests that are about something else keep.
var usual = capture.Settings{Body: 1000, Life: time.Hour, Memory: 8 << 20}

func everything(more ...func(*store.CaptureRule)) []store.CaptureRule {
	c := store.CaptureRule{ID: "1", Permille: 1000, Parts: capture.Both}
	for _, m := range more {
		m(&c)
	}
	return []store.CaptureRule{c}
}

// call goes through as a call does.
func (w *world) call(c hub.Caller, id, kind, request, response string) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	t := w.Take(&c, id)
	t.Request(kind, []byte(request))
	out := t.Writer(rec)
	out.Header().Set("Content-Type", "application/json")
	for len(response) > 0 { // in small pieces
		n := min(len(response), 7)
		_, _ = out.Write([]byte(response[:n]))
		response = response[n:]
	}
	t.Done()
	return rec
}

func (w *world) read(t *testing.T, id string) *capture.Payload {
	t.Helper()
	w.Close(t.Context())
	row, err := w.store.Payload(t.Context(), id)
	require.NoError(t, err)
	p, err := capture.Read(w.ring, row)
	require.NoError(t, err)
	return p
}

func (w *world) requireNothing(t *testing.T, id string) {
	t.Helper()
	w.Close(t.Context())
	_, err := w.store.Payload(t.Context(), id)
	require.ErrorIs(t, err, store.ErrNotFound)
}

func TestBodiesAreKeptSealedWithoutSecretsAndForAWhile(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func() store.Options{
		"embedded file": func() store.Options { return file(t) },
		"libSQL server": func() store.Options {
			url, token := hrana.Start(t)
			return store.Options{URL: url, Token: hub.Secret(token)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := open(t, o(), usual)
			w.Follow(everything(func(c *store.CaptureRule) { c.PII = []string{capture.Email} }))
			const said = `{"said":"the blue heron"}`
			rec := w.call(hub.Caller{UserID: "u"}, "call-1", "application/json", `{"say":"mail a@example.com with sk-proj-Ab12Cd34Ef56"}`, said)
			assert.Zero(t, strings.Compare(said, rec.Body.String()), "the client gets it as it is")
			p := w.read(t, "call-1")
			assert.Equal(t, &capture.Body{Type: "application/json", Bytes: 54, Text: `{"say":"mail [email] with [secret]"}`}, p.Request)
			assert.Equal(t, &capture.Body{Type: "application/json", Status: 200, Bytes: 25, Text: `{"said":"the blue heron"}`}, p.Response)
			assert.Equal(t, map[string]int{"email": 1, "secret": 1}, p.Redacted)
			row, err := w.store.Payload(t.Context(), "call-1")
			require.NoError(t, err)
			assert.NotContains(t, row.Sealed, "heron")
			row.CallID = "call-2"
			_, err = capture.Read(w.ring, row)
			require.ErrorIs(t, err, vault.ErrChanged, "it is bound to its call")

			more, err := w.store.ForgetPayloads(t.Context())
			require.NoError(t, err)
			assert.False(t, more)
			w.read(t, "call-1")
			w.at = w.at.Add(time.Hour)
			w.requireNothing(t, "call-1")
			more, err = w.store.ForgetPayloads(t.Context())
			require.NoError(t, err)
			assert.True(t, more)
			w.at = w.at.Add(-time.Hour)
			w.requireNothing(t, "call-1")
			assert.Zero(t, w.Stats().Bytes, "no memory is left taken")
		})
	}
}

func TestTheMostSpecificRuleDecides(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), usual)
	all := everything(func(c *store.CaptureRule) { c.Parts = capture.Request })
	all = append(all, store.CaptureRule{ID: "2", AppID: "app", Permille: 1000, Parts: capture.Response},
		store.CaptureRule{ID: "3", UserID: "quiet", Permille: 0, Parts: capture.Both}, store.CaptureRule{ID: "4", KeyID: "loud", Permille: 1000, Parts: capture.Both, UsersSee: true})
	w.Follow(all)
	w.call(hub.Caller{UserID: "u"}, "plain", "", "ask", "say")
	w.call(hub.Caller{UserID: "u", AppID: "app"}, "app", "", "ask", "say")
	w.call(hub.Caller{UserID: "quiet", AppID: "app"}, "quiet", "", "ask", "say")
	w.call(hub.Caller{UserID: "quiet", KeyID: "loud"}, "loud", "", "ask", "say")
	p := w.read(t, "plain")
	assert.NotNil(t, p.Request)
	assert.Nil(t, p.Response)
	p = w.read(t, "app")
	assert.Nil(t, p.Request)
	assert.NotNil(t, p.Response)
	w.requireNothing(t, "quiet")
	p = w.read(t, "loud")
	assert.NotNil(t, p.Request)
	assert.NotNil(t, p.Response)
	for id, see := range map[string]bool{"loud": true, "plain": false} {
		row, err := w.store.Payload(t.Context(), id)
		require.NoError(t, err)
		assert.Equal(t, see, row.UsersSee)
	}
	w.Follow(nil)
	w.call(hub.Caller{UserID: "u"}, "off", "", "ask", "say")
	w.requireNothing(t, "off")
	var none *capture.Recorder
	none.Follow(all)
	assert.Nil(t, none.Take(&hub.Caller{}, "x"))
	assert.Zero(t, none.Stats())
}

func TestASampleIsAsLargeAsItsRuleSays(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), usual)
	w.Follow(everything(func(c *store.CaptureRule) { c.Permille = 100 }))
	n := 0
	for i := range 10_000 {
		if w.Take(&hub.Caller{}, fmt.Sprintf("01KXTEST%018d", i)) != nil {
			n++
		}
	}
	assert.InDelta(t, 1000, n, 150)
}

func TestBodiesAreCutAfterRedaction(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), usual)
	w.Follow(everything())
	picture := strings.Repeat("iVBORw0KGgoAAAAN", 5000)
	long := strings.Repeat("wörter ", 1000)
	w.call(hub.Caller{}, "long", "text/plain", long, strings.Repeat("x", 2_000_000))
	w.call(hub.Caller{}, "picture", "application/json", `{"image":"data:image/png;base64,`+picture+`","then":"after it"}`, "")
	p := w.read(t, "long")
	assert.True(t, p.Request.Cut)
	assert.EqualValues(t, len(long), p.Request.Bytes)
	assert.Equal(t, long[:len(p.Request.Text)], p.Request.Text)
	assert.InDelta(t, 1000, len(p.Request.Text), 2)
	assert.True(t, p.Response.Cut)
	assert.EqualValues(t, 2_000_000, p.Response.Bytes)
	p = w.read(t, "picture")
	assert.False(t, p.Request.Cut)
	assert.Contains(t, p.Request.Text, `"then":"after it"`, "a picture takes no room")
	assert.Nil(t, p.Response)
}

func TestFilesAndSoundsAreKeptAsSizeAndDigest(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), usual)
	w.Follow(everything())
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	require.NoError(t, form.WriteField("model", "whisper"))
	require.NoError(t, form.WriteField("api_key", "hunter2"))
	require.NoError(t, form.WriteField("prompt", "with sk-proj-Ab12Cd34Ef56"))
	part, err := form.CreateFormFile("file", "a.mp3")
	require.NoError(t, err)
	_, err = part.Write([]byte("ID3 sound"))
	require.NoError(t, err)
	require.NoError(t, form.Close())
	w.call(hub.Caller{}, "form", form.FormDataContentType(), body.String(), "")
	w.call(hub.Caller{}, "sound", "audio/mpeg", "ID3 sound", "")
	p := w.read(t, "form")
	assert.Regexp(t, `^model: whisper\napi_key: \[secret\]\nprompt: with \[secret\]\nfile: \[file a.mp3, application/octet-stream, 9 bytes, sha256 [0-9a-f]{16}\]\n$`, p.Request.Text)
	p = w.read(t, "sound")
	assert.Empty(t, p.Request.Text)
	assert.Len(t, p.Request.SHA256, 64)
	assert.EqualValues(t, 9, p.Request.Bytes)
}

// TestCallsGoOnWhileThereIsNoRoom holds the database up: whatever cannot be stored
// is dropped and counted, and no call waits or fails.
func TestCallsGoOnWhileThereIsNoRoom(t *testing.T) {
	t.Parallel()
	s := usual
	s.Memory = 100_000
	w := open(t, file(t), s)
	w.Follow(everything())
	held, release := make(chan struct{}), make(chan struct{})
	ended := make(chan error, 1)
	go func() {
		ended <- w.store.Tx(context.Background(), func(context.Context, *store.Tx) error {
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	request, answer := strings.Repeat("q", 3000), strings.Repeat("a", 3000)
	for i := range 500 {
		rec := w.call(hub.Caller{}, fmt.Sprintf("call-%03d", i), "text/plain", request, answer)
		require.Equal(t, answer, rec.Body.String())
		require.LessOrEqual(t, w.Stats().Bytes, s.Memory)
	}
	assert.Greater(t, w.Stats().Dropped, int64(400))
	close(release)
	require.NoError(t, <-ended)
	w.Close(t.Context())
	w.Flush(t.Context())
	stats := w.Stats()
	assert.EqualValues(t, 500, stats.Kept+stats.Dropped+stats.Failed)
	assert.Positive(t, stats.Kept)
	assert.Zero(t, stats.Bytes)
	w.call(hub.Caller{}, "after", "", "ask", "say")
	w.read(t, "after")
}

func TestWhatCannotBeSealedIsNotKept(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), usual)
	r := capture.New(w.store, func(context.Context) (*vault.Keyring, error) { return nil, errors.New("the key service is away") }, slog.New(slog.DiscardHandler), time.Now, usual)
	r.Follow(everything())
	take := r.Take(&hub.Caller{}, "c")
	take.Request("", []byte("ask"))
	take.Done()
	r.Close(t.Context())
	w.requireNothing(t, "c")
	assert.Equal(t, capture.Stats{Failed: 1}, r.Stats())
}

// TestTheWriterIsWhatTheServersIs: flushing, deadlines and statuses go through.
func TestTheWriterIsWhatTheServersIs(t *testing.T) {
	t.Parallel()
	w := open(t, file(t), usual)
	w.Follow(everything())
	take := w.Take(&hub.Caller{}, "c")
	rec := httptest.NewRecorder()
	out := take.Writer(rec)
	require.NoError(t, http.NewResponseController(out).Flush())
	assert.True(t, rec.Flushed)
	assert.False(t, take.Answered())
	out.WriteHeader(http.StatusTeapot)
	assert.True(t, take.Answered())
	take.Refused(500, "text/plain", []byte("never seen"))
	take.Done()
	p := w.read(t, "c")
	assert.Equal(t, http.StatusTeapot, p.Response.Status)
	assert.Empty(t, p.Response.Text)
}
