package blocklet

import (
	"context"
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/coder/websocket"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	heartbeat = 10 * time.Second
	joinTime  = 10 * time.Second
	// maxMessage bounds a message: profiles hold pictures.
	maxMessage = 8 << 20
)

// userEvents are what the server says about users in a component's channel.
var userEvents = []string{"user.added", "user.updated", "user.removed", "user.profile.updated", "user.permission.updated"}

// UserEvent says that something about a user changed. What it is now, the server
// is to be asked: events may be late, twice or out of order.
type UserEvent struct {
	Kind string
	DID  string
}

// CanListen reports whether the process was told enough to hear of users' changes.
func (e *Environment) CanListen() bool {
	return e.servicePort != "" && e.apiKey != "" && len(e.serverKey) == ed25519.PublicKeySize
}

// Listener hears what the server tells the component.
type Listener struct {
	Env *Environment
	Now hub.Now
	// Joined is called once events come.
	Joined func()
	// User is called for each event about a user that the server signed, one after
	// the other.
	User func(UserEvent)
	// Refused is called for events without a good signature.
	Refused func()
}

// frame is a message of the Phoenix protocol (version 2, JSON): joinRef, ref,
// topic, event, payload.
type frame [5]json.RawMessage

type payload struct {
	Status   string          `json:"status"`
	Response json.RawMessage `json:"response"`
}

// Run joins the component's channel and listens until ctx or the connection ends.
// Errors never name the address, which holds a token.
func (l *Listener) Run(ctx context.Context) error {
	token, err := l.Env.Key.token(l.Now())
	if err != nil {
		return err
	}
	public, _ := l.Env.Key.private.Public().(ed25519.PublicKey)
	pk := "0x" + hex.EncodeToString(public)
	q := url.Values{"token": {token}, "pk": {pk}}
	dial, cancel := context.WithTimeout(ctx, joinTime)
	defer cancel()
	address := "ws://" + l.Env.Host + ":" + l.Env.servicePort + "/.well-known/service/websocket?" + q.Encode()
	conn, res, err := websocket.Dial(dial, address, nil) //nolint:bodyclose // the package closes it
	if err != nil {
		if res != nil {
			return fmt.Errorf("listen to the server: it answered %d", res.StatusCode)
		}
		return errors.New("listen to the server: no connection")
	}
	defer func() { _ = conn.CloseNow() }()
	conn.SetReadLimit(maxMessage)
	topic := "component:" + l.Env.AppPID + ":" + l.Env.ComponentDID
	join := map[string]string{"token": token, "pk": pk, "apiKey": l.Env.apiKey.Reveal()}
	if err := send(dial, conn, "1", "1", topic, "phx_join", join); err != nil {
		return err
	}
	beat, stop := context.WithCancel(ctx)
	defer stop()
	go keepAlive(beat, conn)
	return l.read(ctx, conn, topic)
}

func send(ctx context.Context, conn *websocket.Conn, parts ...any) error {
	text, err := json.Marshal(parts)
	if err != nil {
		return err
	}
	return conn.Write(ctx, websocket.MessageText, text)
}

// keepAlive says that the component is there; the server forgets those that are
// silent for minutes.
func keepAlive(ctx context.Context, conn *websocket.Conn) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if send(ctx, conn, nil, "2", "phoenix", "heartbeat", struct{}{}) != nil {
				_ = conn.CloseNow()
				return
			}
		}
	}
}

func (l *Listener) read(ctx context.Context, conn *websocket.Conn, topic string) error {
	for {
		// The server answers heartbeats, so it is gone when it is silent for three.
		wait, cancel := context.WithTimeout(ctx, 3*heartbeat)
		_, text, err := conn.Read(wait)
		cancel()
		if err != nil {
			return fmt.Errorf("listen to the server: %w", err)
		}
		var f frame
		var in string
		var event string
		var p payload
		if json.Unmarshal(text, &f) != nil || json.Unmarshal(f[2], &in) != nil || json.Unmarshal(f[3], &event) != nil || json.Unmarshal(f[4], &p) != nil || in != topic {
			continue
		}
		if event == "chan_reply_1" {
			if p.Status != "ok" {
				return errors.New("listen to the server: it lets the component not into its channel")
			}
			l.Joined()
			continue
		}
		if p.Status == "ok" && slices.Contains(userEvents, event) {
			l.user(event, p.Response)
		}
	}
}

// user passes an event on that the server signed.
func (l *Listener) user(kind string, response json.RawMessage) {
	var m struct {
		Data struct {
			User struct {
				DID string `json:"did"`
			} `json:"user"`
		} `json:"data"`
		Sender struct {
			Token hub.Secret `json:"token"`
		} `json:"sender"`
	}
	if json.Unmarshal(response, &m) != nil || l.Env.VerifySender(m.Sender.Token, l.Now()) != nil || !personDID.MatchString(m.Data.User.DID) {
		l.Refused()
		return
	}
	l.User(UserEvent{Kind: kind, DID: m.Data.User.DID})
}
