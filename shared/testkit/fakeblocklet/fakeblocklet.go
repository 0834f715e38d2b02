// Package fakeblocklet stands in for a Blocklet Server in tests: it has users,
// signs them in, knows their access keys, answers questions that a component
// signed, and tells components what happens to users. It can be away.
package fakeblocklet

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The app's key and the secret of its sign-ins in tests; they protect nothing.
const (
	AppKey = "0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8"
	Secret = "0x7070707070707070707070707070707070707070707070707070707070707070"
)

// The components of the app.
const (
	HubDID   = "z8ia3xzq2tMq8CRHfaXj1BTYJyYnEcHbqP8cJ"
	OtherDID = "z2qaCNvKMv5GjouKdcDWexv6WqtHbpNPQDnAk"
)

const channelKey = "fake-channel-key"

// AccessKey is what the server knows of an access key.
type AccessKey struct {
	ID       string `json:"accessKeyId"`
	Passport string `json:"passport"`
	Remark   string `json:"remark"`
	Owner    string `json:"createdBy"`
	ExpireAt any    `json:"expireAt"`
}

// Server is the stand-in. Its fields may be changed under Lock.
type Server struct {
	sync.Mutex
	Now     func() time.Time
	AppDID  string
	Users   map[string]*blocklet.User // by DID
	Keys    map[string]*AccessKey     // by what users show
	Away    bool                      // answers no questions
	Asked   map[string]int            // questions, by name
	Bad     []string                  // what was wrong with questions
	key     *blocklet.Key
	own     ed25519.PrivateKey
	port    string
	sockets map[*websocket.Conn]bool
	made    int
}

// New starts a stand-in that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	key, err := blocklet.ParseKey(hub.Secret(AppKey))
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{Now: time.Now, AppDID: key.Address(blocklet.RoleApplication), Users: map[string]*blocklet.User{}, Keys: map[string]*AccessKey{}, Asked: map[string]int{},
		key: key, own: keyOf("the server"), sockets: map[*websocket.Conn]bool{}}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/gql", s.answer)
	mux.HandleFunc("GET /.well-known/service/websocket", s.socket)
	web := httptest.NewServer(mux)
	u, err := url.Parse(web.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.port = u.Port()
	t.Cleanup(func() {
		s.Hang()
		web.Close()
	})
	return s
}

// Environ is what the server tells the hub's process, as NAME=value.
func (s *Server) Environ() []string {
	public, _ := s.own.Public().(ed25519.PublicKey)
	return []string{"BLOCKLET_APP_ASK=" + AppKey, "BLOCKLET_APP_ID=" + s.AppDID, "BLOCKLET_APP_PID=" + s.AppDID, "BLOCKLET_COMPONENT_DID=" + HubDID,
		"BLOCKLET_APP_URL=https://app.example", "BLOCKLET_SESSION_SECRET=" + Secret, "BLOCKLET_COMPONENT_API_KEY=" + channelKey,
		"BLOCKLET_MOUNT_POINTS=" + fmt.Sprintf(`[{"did":%q,"mountPoint":"/pay","status":6,"port":1},{"did":%q,"mountPoint":"/","status":6,"port":2}]`, OtherDID, HubDID),
		"ABT_NODE_PORT=" + s.port, "ABT_NODE_SERVICE_PORT=" + s.port, "ABT_NODE_PK=0x" + hex.EncodeToString(public)}
}

// keyOf is the key of somebody in the tests.
func keyOf(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte(name))
	return ed25519.NewKeyFromSeed(seed[:])
}

// pair makes the next key pair of the tests.
func (s *Server) pair() ed25519.PublicKey {
	s.made++
	public, _ := keyOf(fmt.Sprint("number ", s.made)).Public().(ed25519.PublicKey)
	return public
}

// Join makes a user with passports of some roles.
func (s *Server) Join(name string, roles ...string) (did string) {
	s.Lock()
	defer s.Unlock()
	did = blocklet.Address(s.pair(), blocklet.RoleAccount)
	s.Users[did] = &blocklet.User{DID: did, Name: name, Email: strings.ToLower(name) + "@host.example", EmailVerified: true, Locale: "zh", Passports: passports(roles)}
	return did
}

func passports(roles []string) []blocklet.Passport {
	list := make([]blocklet.Passport, len(roles))
	for i, r := range roles {
		list[i] = blocklet.Passport{Name: r, Role: r, Status: "valid"}
	}
	return list
}

// Change alters a user and says nothing about it.
func (s *Server) Change(did string, change func(u *blocklet.User)) {
	s.Lock()
	defer s.Unlock()
	change(s.Users[did])
}

// Remove takes a user away, and returns what was known.
func (s *Server) Remove(did string) *blocklet.User {
	s.Lock()
	defer s.Unlock()
	u := s.Users[did]
	delete(s.Users, did)
	return u
}

// Return brings a user back.
func (s *Server) Return(u *blocklet.User) {
	s.Lock()
	defer s.Unlock()
	s.Users[u.DID] = u
}

// Login signs a user in with a passport of a role; more overrides claims.
func (s *Server) Login(did, role string, more ...map[string]any) hub.Secret {
	now := s.Now().Unix()
	claims := map[string]any{"type": "user", "did": did, "role": role, "provider": "wallet", "kyc": 1, "elevated": false, "iat": now, "exp": now + 86400}
	for _, m := range more {
		for k, v := range m {
			claims[k] = v
		}
	}
	body, _ := json.Marshal(claims) // strings and numbers
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." + encode(body)
	mac := hmac.New(sha256.New, []byte(Secret))
	mac.Write([]byte(text))
	return hub.Secret(text + "." + encode(mac.Sum(nil)))
}

// AccessKey makes an access key for a user.
func (s *Server) AccessKey(owner, role string) hub.Secret {
	s.Lock()
	defer s.Unlock()
	public := s.pair()
	shown := hub.Secret(blocklet.AccessKeyPrefix + blocklet.Base58(public))
	s.Keys[shown.Reveal()] = &AccessKey{ID: blocklet.Address(public, blocklet.RoleAccount), Passport: "blocklet-" + role, Remark: "laptop", Owner: owner}
	return shown
}

// Sign signs a request as a component of the app.
func (s *Server) Sign(r *http.Request, body []byte, component string) error {
	return s.key.Sign(r, body, component, s.Now())
}
