// Package fakes3 is a strict stand-in for an S3-compatible store, for tests. It
// takes requests addressed by path whose AWS Signature Version 4 it computes anew
// ("Authenticating Requests: Using the Authorization Header" in the S3 API
// reference), wants the digest of the content to be signed, and knows PUT, GET with
// ranges, HEAD and DELETE of objects, and lists what stands before a slash, two
// names at a time.
package fakes3

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// The one account that a store has.
const (
	KeyID  = fakeprovider.AccessKeyID
	Secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	Region = "eu-test-1"
)

// Store is a store with one bucket.
type Store struct {
	URL    string
	Bucket string

	// Fail is asked before each request is carried out; a status other than 0 is
	// answered instead.
	Fail func(method, name string) int

	mu      sync.Mutex
	objects map[string][]byte
}

// New starts a store that ends with the test.
func New(t testing.TB) *Store {
	t.Helper()
	s := &Store{Bucket: "old-calls", objects: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Names lists the objects, in their order.
func (s *Store) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.objects))
}

// Object returns an object's content; nil: there is none.
func (s *Store) Object(name string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.objects[name]
}

// Set puts an object there, or with nil takes it away, behind everybody's back.
func (s *Store) Set(name string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if data == nil {
		delete(s.objects, name)
		return
	}
	s.objects[name] = data
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code></Error>")
}

// ServeHTTP answers one request.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, http.StatusBadRequest, "IncompleteBody")
		return
	}
	sum := sha256.Sum256(body)
	if r.Header.Get("X-Amz-Content-Sha256") != hex.EncodeToString(sum[:]) {
		refuse(w, http.StatusBadRequest, "XAmzContentSHA256Mismatch")
		return
	}
	auth := r.Header.Get("Authorization")
	if wrong := fakeprovider.Signed(r, body, "s3", []string{Secret}, time.Now()); wrong != "" || !strings.Contains(auth, "/"+Region+"/") ||
		!strings.Contains(auth, "x-amz-content-sha256") {
		refuse(w, http.StatusForbidden, "SignatureDoesNotMatch")
		return
	}
	if r.URL.Path == "/"+s.Bucket && r.Method == http.MethodGet {
		s.list(w, r.URL.Query())
		return
	}
	name, ok := strings.CutPrefix(r.URL.Path, "/"+s.Bucket+"/")
	if !ok || name == "" {
		refuse(w, http.StatusNotFound, "NoSuchBucket")
		return
	}
	if s.Fail != nil {
		if status := s.Fail(r.Method, name); status != 0 {
			refuse(w, status, "InternalError")
			return
		}
	}
	s.carryOut(w, r, name, body)
}

func (s *Store) carryOut(w http.ResponseWriter, r *http.Request, name string, body []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch r.Method {
	case http.MethodPut:
		s.objects[name] = body
	case http.MethodDelete:
		delete(s.objects, name)
		w.WriteHeader(http.StatusNoContent)
	case http.MethodGet, http.MethodHead:
		data, ok := s.objects[name]
		if !ok {
			refuse(w, http.StatusNotFound, "NoSuchKey")
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	default:
		refuse(w, http.StatusMethodNotAllowed, "MethodNotAllowed")
	}
}

// pageSize is how many names a list has.
const pageSize = 2

// list answers ListObjectsV2 with a delimiter. The token is the last prefix given.
func (s *Store) list(w http.ResponseWriter, q url.Values) {
	if q.Get("list-type") != "2" || q.Get("delimiter") != "/" {
		refuse(w, http.StatusBadRequest, "InvalidArgument")
		return
	}
	var page struct {
		XMLName        struct{} `xml:"ListBucketResult"`
		IsTruncated    bool
		Next           string `xml:"NextContinuationToken,omitempty"`
		CommonPrefixes []struct{ Prefix string }
	}
	last := q.Get("continuation-token")
	for _, name := range s.Names() {
		rest, under := strings.CutPrefix(name, q.Get("prefix"))
		folder, _, deep := strings.Cut(rest, "/")
		prefix := q.Get("prefix") + folder + "/"
		if !under || !deep || prefix <= last {
			continue
		}
		if len(page.CommonPrefixes) == pageSize {
			page.IsTruncated, page.Next = true, last
			break
		}
		page.CommonPrefixes = append(page.CommonPrefixes, struct{ Prefix string }{prefix})
		last = prefix
	}
	text, err := xml.Marshal(page)
	if err != nil {
		refuse(w, http.StatusInternalServerError, "InternalError")
		return
	}
	w.Header().Set("Content-Type", "application/xml")
	_, _ = w.Write(text)
}
