package fakeblocklet

import (
	"context"
	"crypto/ed25519"
	"crypto/sha3"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/coder/websocket"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
)

var (
	question = regexp.MustCompile(`^(?:query|mutation) \{ (\w+)\(`)
	argument = regexp.MustCompile(`(teamDid|did|accessKeyId): "([^"]*)"`)
	several  = regexp.MustCompile(`dids: \[([^\]]*)\]`)
)

// answer answers a question that a component of the app signed.
func (s *Server) answer(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Query string `json:"query"`
	}
	fault := s.unsigned(r)
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		fault = err.Error()
	}
	s.Lock()
	defer s.Unlock()
	name := ""
	if m := question.FindStringSubmatch(in.Query); m != nil {
		name = m[1]
	}
	s.Asked[name]++
	args := map[string]string{}
	for _, m := range argument.FindAllStringSubmatch(in.Query, -1) {
		args[m[1]] = m[2]
	}
	if args["teamDid"] != s.AppDID {
		fault = "another team: " + in.Query
	}
	switch {
	case s.Away:
		w.WriteHeader(http.StatusBadGateway)
		return
	case fault != "":
		s.Bad = append(s.Bad, fault)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var out any
	switch name {
	case "getUser":
		out = map[string]any{"code": "ok", "user": s.Users[args["did"]]}
	case "getUsers":
		list := []*blocklet.User{}
		for did := range strings.SplitSeq(several.FindStringSubmatch(in.Query)[1], ", ") {
			if u := s.Users[strings.Trim(did, `"`)]; u != nil {
				list = append(list, u)
			}
		}
		out = map[string]any{"code": "ok", "users": list}
	case "verifyAccessKey":
		k := s.Keys[args["accessKeyId"]]
		if k == nil {
			_, _ = w.Write([]byte(`{"errors":[{"message":"access key not found (404)","extensions":{"code":404}}],"data":{"verifyAccessKey":null}}`))
			return
		}
		out = map[string]any{"code": "ok", "data": k}
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{name: out}})
}

// unsigned says what is wrong with a question's signature, "" for nothing.
func (s *Server) unsigned(r *http.Request) string {
	id, stamp := r.Header.Get("X-Access-Key-Id"), r.Header.Get("X-Access-Stamp")
	sig, err := hex.DecodeString(strings.TrimPrefix(r.Header.Get("X-Access-Signature"), "0x"))
	at, err2 := strconv.ParseInt(stamp, 10, 64)
	raw, err3 := hex.DecodeString(AppKey[2:])
	digest := sha3.Sum256([]byte(stamp + "-" + id))
	switch {
	case err != nil || err2 != nil || err3 != nil:
		return "headers that cannot be read"
	case id != s.AppDID || r.Header.Get("X-Access-Blocklet") != s.AppDID || r.Header.Get("X-Component-Did") != HubDID:
		return "another component"
	case s.Now().Sub(time.UnixMilli(at)).Abs() > time.Minute:
		return "another time"
	case !ed25519.Verify(ed25519.PublicKey(raw[32:]), digest[:], sig):
		return "a wrong signature"
	}
	return ""
}

// socket is the channel of components.
func (s *Server) socket(w http.ResponseWriter, r *http.Request) {
	if r.URL.Query().Get("token") == "" || r.URL.Query().Get("pk") == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	conn, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	ctx := context.WithoutCancel(r.Context())
	for {
		_, text, err := conn.Read(ctx)
		if err != nil {
			s.Lock()
			delete(s.sockets, conn)
			s.Unlock()
			return
		}
		var m [5]any
		if json.Unmarshal(text, &m) != nil {
			continue
		}
		switch m[3] {
		case "phx_join":
			payload, _ := m[4].(map[string]any)
			status := "error"
			if m[2] == "component:"+s.AppDID+":"+HubDID && payload["apiKey"] == channelKey {
				status = "ok"
			}
			write(conn, m[0], m[1], m[2], fmt.Sprintf("chan_reply_%v", m[1]), map[string]any{"status": status, "response": map[string]any{}})
			if status == "ok" {
				s.Lock()
				s.sockets[conn] = true
				s.Unlock()
			}
		case "heartbeat":
			write(conn, "", m[1], m[2], m[3], map[string]any{"status": "ok", "response": map[string]any{}})
		}
	}
}

func write(conn *websocket.Conn, parts ...any) {
	text, _ := json.Marshal(parts)
	_ = conn.Write(context.Background(), websocket.MessageText, text)
}

// Listeners is how many components listen.
func (s *Server) Listeners() int {
	s.Lock()
	defer s.Unlock()
	return len(s.sockets)
}

// Hang cuts those who listen off.
func (s *Server) Hang() {
	s.Lock()
	defer s.Unlock()
	for conn := range s.sockets {
		_ = conn.CloseNow()
		delete(s.sockets, conn)
	}
}

// Tell says that something happened to a user.
func (s *Server) Tell(kind, did string) { s.tell(kind, did, s.own) }

// TellForged says so with another key than the server's.
func (s *Server) TellForged(kind, did string) {
	s.tell(kind, did, keyOf("somebody else"))
}

func (s *Server) tell(kind, did string, key ed25519.PrivateKey) {
	public, _ := s.own.Public().(ed25519.PublicKey)
	at := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	now := s.Now()
	claims := fmt.Sprintf(`{"exp":%q,"iat":%q,"iss":"did:abt:%s","nbf":%q,"version":"1.0.0"}`, at(now.Add(5*time.Minute)), at(now),
		blocklet.Address(public, blocklet.RoleApplication), at(now))
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"Ed25519","type":"JWT"}`)) + "." + encode([]byte(claims))
	token := text + "." + encode(ed25519.Sign(key, []byte(text)))
	s.Lock()
	defer s.Unlock()
	for conn := range s.sockets {
		write(conn, "", "", "component:"+s.AppDID+":"+HubDID, kind, map[string]any{"status": "ok", "response": map[string]any{
			"data": map[string]any{"teamDid": s.AppDID, "user": map[string]any{"did": did}}, "sender": map[string]any{"token": token}, "time": now.UTC().Format(time.RFC3339)}})
	}
}
