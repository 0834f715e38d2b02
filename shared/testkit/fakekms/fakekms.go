// Package fakekms is a strict stand-in for AWS Key Management Service: the
// operations GenerateDataKey and Decrypt as its API reference (2014-11-01)
// describes them, with signatures, encryption contexts, regions and refusals.
package fakekms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// The credentials that the service takes.
const (
	AccessKeyID = fakeprovider.AccessKeyID
	SecretKey   = "kms/secret+0123456789abcdefghijklmnop"
	Region      = "eu-central-1"
	account     = "arn:aws:kms:" + Region + ":111122223333:"
)

// Service is a running stand-in.
type Service struct {
	URL string

	mu      sync.Mutex
	keys    map[string]*key // by ARN
	aliases map[string]string
	calls   []string
	plan    []string // kinds of refusals for the next calls
}

type key struct {
	aead  cipher.AEAD
	state string
}

// Start runs a service with the symmetric key alias/hub; its ARN is returned by
// ARN.
func Start(t testing.TB) *Service {
	t.Helper()
	s := &Service{keys: map[string]*key{}, aliases: map[string]string{}}
	s.Add("hub")
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Add makes a key with an alias and returns its ARN.
func (s *Service) Add(name string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	block, _ := aes.NewCipher([]byte(rand.Text() + "012345")) // 26 letters and 6: 32 bytes
	aead, _ := cipher.NewGCMWithRandomNonce(block)
	arn := account + "key/" + name + "-1234abcd-12ab-34cd-56ef-1234567890ab"
	s.keys[arn] = &key{aead, "Enabled"}
	s.aliases["alias/"+name] = arn
	s.aliases[account+"alias/"+name] = arn
	s.aliases[strings.TrimPrefix(arn, account+"key/")] = arn
	return arn
}

// ARN is that of a key with an alias.
func (s *Service) ARN(name string) string { return s.aliases["alias/"+name] }

// SetState makes a key Enabled, Disabled or PendingDeletion.
func (s *Service) SetState(arn, state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[arn].state = state
}

// Refuse makes the next calls fail, each with a kind such as
// ThrottlingException; "500" fails without a kind.
func (s *Service) Refuse(kinds ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.plan = kinds
}

// Encrypted is what the operation Encrypt gives for a key with an alias.
func (s *Service) Encrypted(name string, plain []byte, about map[string]string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	arn := s.aliases["alias/"+name]
	return append([]byte(arn+"\x00"), s.keys[arn].aead.Seal(nil, nil, plain, bound(request{EncryptionContext: about}))...)
}

// Calls returns the operations that were asked for, and forgets them.
func (s *Service) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	s.calls = nil
	return calls
}

type request struct {
	KeyID               string `json:"KeyId"`
	KeySpec             string
	CiphertextBlob      []byte
	EncryptionContext   map[string]string
	EncryptionAlgorithm string
}

// ServeHTTP answers one call.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		refuse(w, 400, "SerializationException", err.Error())
		return
	}
	operation, ours := strings.CutPrefix(r.Header.Get("X-Amz-Target"), "TrentService.")
	s.calls = append(s.calls, operation)
	if wrong := fakeprovider.Signed(r, body, "kms", []string{SecretKey}, time.Now()); wrong != "" {
		kind := "InvalidSignatureException"
		if strings.Contains(wrong, "token") {
			kind = "UnrecognizedClientException"
		}
		refuse(w, 400, kind, wrong)
		return
	}
	if !strings.Contains(r.Header.Get("Authorization"), "/"+Region+"/kms/") {
		refuse(w, 400, "InvalidSignatureException", "Credential should be scoped to a valid region.")
		return
	}
	if len(s.plan) > 0 {
		kind := s.plan[0]
		s.plan = s.plan[1:]
		if kind == "500" {
			w.WriteHeader(http.StatusInternalServerError)
			return
		}
		refuse(w, 400, kind, "as planned")
		return
	}
	var in request
	dec := json.NewDecoder(strings.NewReader(string(body)))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil || !ours || r.Method != http.MethodPost || r.URL.Path != "/" ||
		r.Header.Get("Content-Type") != "application/x-amz-json-1.1" {
		refuse(w, 400, "SerializationException", "bad request")
		return
	}
	s.answer(w, operation, in)
}

func (s *Service) answer(w http.ResponseWriter, operation string, in request) {
	arn := in.KeyID
	if to := s.aliases[arn]; to != "" {
		arn = to
	}
	k := s.keys[arn]
	switch {
	case k == nil:
		refuse(w, 400, "NotFoundException", "Key '"+in.KeyID+"' does not exist")
		return
	case k.state == "Disabled":
		refuse(w, 400, "DisabledException", arn+" is disabled.")
		return
	case k.state != "Enabled":
		refuse(w, 400, "KMSInvalidStateException", arn+" is pending deletion.")
		return
	}
	switch operation {
	case "GenerateDataKey":
		if in.KeySpec != "AES_256" || in.CiphertextBlob != nil || in.EncryptionAlgorithm != "" {
			refuse(w, 400, "ValidationException", "KeySpec")
			return
		}
		plain := make([]byte, 32)
		_, _ = rand.Read(plain) // never fails
		answer(w, map[string]any{"KeyId": arn, "Plaintext": plain, "CiphertextBlob": append([]byte(arn+"\x00"), k.aead.Seal(nil, nil, plain, bound(in))...)})
	case "Decrypt":
		from, sealed, _ := strings.Cut(string(in.CiphertextBlob), "\x00")
		if s.keys[from] != nil && from != arn {
			refuse(w, 400, "IncorrectKeyException", "The key ID in the request does not identify a CMK that can perform this operation.")
			return
		}
		plain, err := k.aead.Open(nil, nil, []byte(sealed), bound(in))
		if err != nil || in.KeySpec != "" || in.EncryptionAlgorithm != "SYMMETRIC_DEFAULT" {
			refuse(w, 400, "InvalidCiphertextException", "")
			return
		}
		answer(w, map[string]any{"KeyId": arn, "Plaintext": plain, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})
	default:
		refuse(w, 400, "AccessDeniedException", "User is not authorized to perform: kms:"+operation)
	}
}

// bound is an encryption context in its one order.
func bound(in request) []byte {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(in.EncryptionContext)) {
		b.WriteString(name + "\x00" + in.EncryptionContext[name] + "\x00")
	}
	return []byte(b.String())
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(w).Encode(v) // the client may have left
}

func refuse(w http.ResponseWriter, status int, kind, message string) {
	w.Header().Set("Content-Type", "application/x-amz-json-1.1")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"__type": kind, "message": message}) // the client may have left
}
