package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Sender posts events to webhooks, signed as Standard Webhooks describes
// (standardwebhooks.com, version 1): headers webhook-id, webhook-timestamp and
// webhook-signature, "v1," and the base64 HMAC-SHA256 of "id.timestamp.body". The
// id stays the same over all attempts: a receiver that saw it can tell.
type Sender struct {
	// Client posts; redirects must not be followed. nil: a client of its own.
	Client *http.Client
}

const hookTimeout = 15 * time.Second

func (s Sender) client() *http.Client {
	if s.Client != nil {
		return s.Client
	}
	return &http.Client{Timeout: hookTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// payload is what a webhook gets.
type payload struct {
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	Severity  string          `json:"severity"`
	Title     string          `json:"title"`
	Timestamp time.Time       `json:"timestamp"`
	Data      json.RawMessage `json:"data"`
}

// Send posts one event. Any 2xx is taken for received.
func (s Sender) Send(ctx context.Context, url string, secret hub.Secret, d store.Delivery, now time.Time) error {
	body, err := json.Marshal(payload{d.ID, d.Kind, d.Severity, d.Title, d.CreatedAt, json.RawMessage(d.Body)})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return errors.New("the webhook's URL cannot be used")
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "aigne-hub")
	r.Header.Set("webhook-id", d.ID)
	r.Header.Set("webhook-timestamp", stamp)
	signature, err := Sign(secret, d.ID, stamp, body)
	if err != nil {
		return err
	}
	r.Header.Set("webhook-signature", signature)
	res, err := s.client().Do(r)
	if err != nil {
		return errors.New("the webhook cannot be reached") // the cause may quote a URL with a token in it
	}
	defer res.Body.Close()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10) // so that the connection can serve again
	if res.StatusCode == http.StatusGone {        // the receiver wants no more of it
		return fmt.Errorf("the webhook answered with status %d: %w", res.StatusCode, errHopeless)
	}
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("the webhook answered with status %d", res.StatusCode)
	}
	return nil
}

const (
	secretPrefix = "whsec_"
	secretBytes  = 32 // the standard asks for 24 to 64
)

// NewSecret makes the secret of a webhook, in the form that the libraries of
// Standard Webhooks take: whsec_ and base64.
func NewSecret() (hub.Secret, error) {
	b := make([]byte, secretBytes)
	if _, err := rand.Read(b); err != nil {
		return "", err
	}
	return hub.Secret(secretPrefix + base64.StdEncoding.EncodeToString(b)), nil
}

// Sign makes the signature of a body. The error repeats nothing of the secret.
func Sign(secret hub.Secret, id, timestamp string, body []byte) (string, error) {
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret.Reveal(), secretPrefix))
	if err != nil {
		return "", errors.New("the webhook's secret is damaged")
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.", id, timestamp)
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil)), nil
}
