// Package fakessm is a strict stand-in for the Parameter Store of AWS Systems Manager:
// the operation GetParametersByPath as its API reference (2014-11-06) describes it,
// with signatures, pages and refusals.
package fakessm

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// The credentials that the service takes.
const (
	AccessKeyID = fakeprovider.AccessKeyID
	SecretKey   = "ssm/secret+0123456789abcdefghijklmnop"
	Region      = "eu-central-1"
)

// Store is a running stand-in.
type Store struct {
	URL string

	mu     sync.Mutex
	values map[string]string // by full name
	busy   int               // calls to come that are throttled
}

// Start runs a store with parameters by their full names.
func Start(t testing.TB, values map[string]string) *Store {
	t.Helper()
	s := &Store{values: values}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Throttle refuses the next calls.
func (s *Store) Throttle(calls int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = calls
}

// ServeHTTP answers one call.
func (s *Store) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, "SerializationException", err.Error())
		return
	}
	if wrong := fakeprovider.Signed(r, body, "ssm", []string{SecretKey}, time.Now()); wrong != "" || !strings.Contains(r.Header.Get("Authorization"), "/"+Region+"/ssm/") {
		refuse(w, "InvalidSignatureException", wrong)
		return
	}
	if s.busy > 0 {
		s.busy--
		refuse(w, "ThrottlingException", "Rate exceeded")
		return
	}
	var in struct {
		Path           string
		WithDecryption bool
		MaxResults     int
		NextToken      string
	}
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil || r.Method != http.MethodPost || r.URL.Path != "/" || in.MaxResults < 1 || in.MaxResults > 10 ||
		r.Header.Get("X-Amz-Target") != "AmazonSSM.GetParametersByPath" || r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		refuse(w, "ValidationException", "bad request")
		return
	}
	s.answer(w, in.Path, in.NextToken, in.MaxResults, in.WithDecryption)
}

func (s *Store) answer(w http.ResponseWriter, path, token string, most int, decrypted bool) {
	type parameter struct{ Name, Type, Value string }
	var all []parameter
	for _, name := range slices.Sorted(maps.Keys(s.values)) {
		if rest, below := strings.CutPrefix(name, path+"/"); below && !strings.Contains(rest, "/") {
			value := s.values[name]
			if !decrypted {
				value = "AQICAHg="
			}
			all = append(all, parameter{name, "SecureString", value})
		}
	}
	from, _ := strconv.Atoi(token) // a token is the number of the page's first
	out := map[string]any{"Parameters": all[from:min(from+most, len(all))]}
	if from+most < len(all) {
		out["NextToken"] = strconv.Itoa(from + most)
	}
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(out) // the client may have left
}

func refuse(w http.ResponseWriter, kind, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": message})
}
