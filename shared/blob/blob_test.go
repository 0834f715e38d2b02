package blob_test

import (
	"bytes"
	"context"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// bucket is a fake S3: it wants a signature and keeps what it is given.
type bucket struct {
	t  *testing.T
	mu sync.Mutex
	is map[string][]byte
}

func (b *bucket) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	auth := r.Header.Get("Authorization")
	if !strings.HasPrefix(auth, "AWS4-HMAC-SHA256 Credential=AKID/") || !strings.Contains(auth, "/eu-test-1/s3/aws4_request") ||
		!strings.Contains(auth, "x-amz-content-sha256") || r.Header.Get("X-Amz-Security-Token") != "session" {
		http.Error(w, "SignatureDoesNotMatch", http.StatusForbidden)
		return
	}
	assert.NotContains(b.t, r.URL.String()+auth, "very-secret")
	switch r.Method {
	case http.MethodPut:
		data, err := io.ReadAll(r.Body)
		assert.NoError(b.t, err)
		b.is[r.URL.Path] = data
	case http.MethodDelete:
		delete(b.is, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		data, ok := b.is[r.URL.Path]
		if !ok {
			http.Error(w, "NoSuchKey", http.StatusNotFound)
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}
}

type world struct {
	*blob.Keeper
	store *store.Store
	user  store.User
	at    time.Time
	raw   func() string // everything that is stored
	dir   string
}

func eachPlace(t *testing.T, run func(t *testing.T, w *world)) {
	t.Helper()
	for _, name := range []string{"folder", "bucket"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := store.Open(t.Context(), store.Options{URL: "file:" + filepath.Join(t.TempDir(), "hub.db")})
			require.NoError(t, err)
			t.Cleanup(func() { _ = s.Close() })
			_, err = s.Migrate(t.Context())
			require.NoError(t, err)
			u, err := s.CreateUser(t.Context(), store.User{Email: "a@example.com", Role: hub.RoleMember})
			require.NoError(t, err)
			w := &world{store: s, user: u, at: time.Now()}
			var place blob.Place
			if name == "folder" {
				w.dir = filepath.Join(t.TempDir(), "blobs")
				place = blob.Dir{Path: w.dir}
				w.raw = func() string {
					var all strings.Builder
					_ = filepath.WalkDir(w.dir, func(path string, d fs.DirEntry, err error) error {
						if err == nil && !d.IsDir() {
							data, err := os.ReadFile(path)
							assert.NoError(t, err)
							all.WriteString(path + string(data))
						}
						return nil
					})
					return all.String()
				}
			} else {
				b := &bucket{t: t, is: map[string][]byte{}}
				srv := httptest.NewServer(b)
				t.Cleanup(srv.Close)
				place = &blob.S3{Endpoint: srv.URL, Bucket: "files", Prefix: "hub/", Region: "eu-test-1", KeyID: "AKID", Secret: "very-secret", Session: "session", Now: time.Now}
				w.raw = func() string {
					b.mu.Lock()
					defer b.mu.Unlock()
					var all strings.Builder
					for path, data := range b.is {
						all.WriteString(path + string(data))
					}
					return all.String()
				}
			}
			w.Keeper = &blob.Keeper{Place: place, Store: s, Life: time.Hour, Now: func() time.Time { return w.at }}
			run(t, w)
		})
	}
}

func TestAFileIsReadByItsNameAlone(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, w *world) {
		content := []byte(strings.Repeat("a picture worth keeping; ", 500))
		name, err := w.Put(t.Context(), w.user.ID, "call", "image/png", content)
		require.NoError(t, err)
		assert.Regexp(t, `^[A-Z2-7]{26}\.png$`, name)
		f, err := w.Open(t.Context(), name)
		require.NoError(t, err)
		require.NoError(t, iotest.TestReader(f, content))
		require.NoError(t, f.Close())
		assert.Equal(t, w.user.ID, f.UserID)

		raw := w.raw()
		assert.NotContains(t, raw, "picture worth", "the place shows nothing")
		secret, _, _ := strings.Cut(name, ".")
		assert.NotContains(t, raw, secret)
		b, err := w.store.BlobByID(t.Context(), f.ID)
		require.NoError(t, err)
		assert.NotContains(t, b.ID, secret, "the database does not tell it either")
	})
}

func TestFilesEndByTimeAndByTheirOwners(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, w *world) {
		first, err := w.Put(t.Context(), w.user.ID, "call", "image/png", []byte("first"))
		require.NoError(t, err)
		second, err := w.Put(t.Context(), w.user.ID, "call", "text/html", []byte("second"))
		require.NoError(t, err)
		assert.NotContains(t, second, ".", "no name that a browser runs")
		require.Equal(t, hub.CodeNotFound, hub.CodeOf(w.Delete(t.Context(), first, "somebody else")))
		require.NoError(t, w.Delete(t.Context(), first, w.user.ID))
		_, err = w.Open(t.Context(), first)
		assert.Equal(t, hub.CodeNotFound, hub.CodeOf(err))
		w.at = w.at.Add(time.Hour)
		_, err = w.Open(t.Context(), second)
		assert.Equal(t, hub.CodeNotFound, hub.CodeOf(err), "before any job has run")
		u := &store.Unit{}
		u.Add("UPDATE blobs SET expires_at = 1")
		require.NoError(t, w.store.Do(t.Context(), u))
		require.NoError(t, w.Expire(t.Context()))
		assert.Empty(t, w.raw())
	})
}

func TestNamesThatAreNoneLeadNowhere(t *testing.T) {
	t.Parallel()
	eachPlace(t, func(t *testing.T, w *world) {
		for _, name := range []string{"", ".", "..", "../../etc/passwd", "../hub.db", strings.Repeat("A", 26), strings.Repeat("A", 25) + "/", strings.Repeat("a", 26), strings.Repeat("A", 27)} {
			_, err := w.Open(t.Context(), name)
			assert.Equal(t, hub.CodeNotFound, hub.CodeOf(err), name)
			assert.Equal(t, hub.CodeNotFound, hub.CodeOf(w.Delete(t.Context(), name, w.user.ID)), name)
		}
	})
}

func TestWithoutAPlaceNothingIsKept(t *testing.T) {
	t.Parallel()
	var k *blob.Keeper
	_, err := k.Put(context.Background(), "u", "c", "image/png", nil)
	assert.Equal(t, hub.CodeUnavailable, hub.CodeOf(err))
	_, err = k.Open(context.Background(), strings.Repeat("A", 26))
	assert.Equal(t, hub.CodeNotFound, hub.CodeOf(err))
	require.NoError(t, k.Expire(context.Background()))
}

func TestNothingServedRunsInABrowser(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string][2]string{
		"image/png": {"image/png", "inline"}, "video/mp4": {"video/mp4", "inline"}, "IMAGE/JPEG; x=y": {"image/jpeg", "inline"},
		"image/svg+xml": {"application/octet-stream", "attachment"}, "text/html": {"application/octet-stream", "attachment"},
		"application/pdf": {"application/octet-stream", "attachment"}, "": {"application/octet-stream", "attachment"}, "x;;": {"application/octet-stream", "attachment"},
	} {
		got, disposition := blob.Header(kind)
		assert.Equal(t, want, [2]string{got, disposition}, kind)
	}
}
