package blocklet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// serviceVersion is the version of the server's API that the calls follow.
	serviceVersion = "1.17.12"
	servicePath    = "/.well-known/service/api"
	notifyTime     = 5 * time.Second
)

// CanNotify reports whether the server's service, which tells users, is known.
func (e *Environment) CanNotify() bool { return e.servicePort != "" }

// NotifyUser tells a user something, in the ways that the user has chosen on the
// server. The body may hold Markdown.
func (e *Environment) NotifyUser(ctx context.Context, did, title, body string, now time.Time) error {
	token, err := e.Key.token(now)
	if err != nil {
		return err
	}
	text, err := json.Marshal(map[string]any{"apiVersion": serviceVersion, "data": map[string]any{
		"sender":       map[string]any{"appDid": e.AppID, "token": token, "componentDid": e.ComponentDID},
		"receiver":     did,
		"notification": map[string]any{"title": title, "body": body, "severity": "success"},
		"options":      map[string]any{},
	}})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, notifyTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.Host+":"+e.servicePort+servicePath+"/send-to-user", bytes.NewReader(text))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("tell a user: %w", err)
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	if res.StatusCode < 200 || res.StatusCode > 299 {
		return fmt.Errorf("tell a user: the server answered %d", res.StatusCode)
	}
	return nil
}

// token is a short-lived proof that a call comes from the app: an ArcBlock JWT of
// version 1.0.0, whose times are text and whose signature is over the text itself.
func (k *Key) token(now time.Time) (string, error) {
	at := func(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }
	claims, err := json.Marshal(map[string]any{"iss": "did:abt:" + k.Address(RoleApplication), "iat": at(now), "nbf": at(now),
		"exp": at(now.Add(signatureLife)), "version": "1.0.0"})
	if err != nil {
		return "", err
	}
	if claims, err = Canonical(claims); err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	head := encode([]byte(`{"alg":"Ed25519","type":"JWT"}`)) + "." + encode(claims)
	return head + "." + encode(ed25519.Sign(k.private, []byte(head))), nil
}
