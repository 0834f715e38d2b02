package identity

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/blocklet"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

const (
	// remotePaths are where signed calls of remote applications are taken.
	remotePaths = "/api/v1/"
	// maxSigned is the longest body, in bytes, that is read before it is known who
	// sent it.
	maxSigned = 4 << 20
)

var errRemote = hub.Errorf(hub.CodeUnauthenticated, "This call is not signed by a registered application, or its time is more than ten minutes off.")

// remote finds the caller of a request that a registered remote application
// signed, as AIGNE's clients of /api/v1 do. It comes with the application's newest
// service key that is good, so its limits, its wallet and its end hold. The zero
// Caller: the request is not signed.
//
// A signature is good for ten minutes and covers neither path nor method. So that
// nobody who saw a call repeats it, it is made the call's idempotency key: each is
// admitted once.
func (k *Keys) remote(r *http.Request, client netip.Addr) (hub.Caller, error) {
	id, ok := blocklet.SignedRemotely(r)
	if !ok || !strings.HasPrefix(r.URL.Path, remotePaths) {
		return hub.Caller{}, nil
	}
	app, err := k.store.AppByID(r.Context(), id)
	switch {
	case errors.Is(err, store.ErrNotFound), err == nil && app.PublicKey == "":
		return hub.Caller{}, errRemote
	case err != nil:
		return hub.Caller{}, hub.Wrap(hub.CodeUnavailable, err, "Applications cannot be checked now; the database does not answer.")
	}
	public, err := hex.DecodeString(app.PublicKey)
	if err != nil {
		return hub.Caller{}, err
	}
	body, err := SignedBody(r)
	if err != nil {
		return hub.Caller{}, err
	}
	sig, err := blocklet.VerifyRemote(public, r, body, k.now())
	if err != nil {
		return hub.Caller{}, errRemote
	}
	c, err := k.serviceKey(r, id, client)
	if err == nil {
		sum := sha256.Sum256(sig)
		r.Header.Set("Idempotency-Key", "signed-"+hex.EncodeToString(sum[:]))
	}
	return c, err
}

// SignedBody reads the body that a signature covers, and leaves it to be read
// again. Of forms a signature covers nothing, so they are refused.
func SignedBody(r *http.Request) ([]byte, error) {
	if r.Body == nil {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxSigned+1))
	switch {
	case err != nil:
		return nil, hub.Wrap(hub.CodeInvalid, err, "The request body broke off.")
	case len(body) > maxSigned:
		return nil, hub.Errorf(hub.CodeTooLarge, "A signed call has a body of at most %d bytes; use an API key for more.", maxSigned)
	}
	if media, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); len(body) > 0 && (err != nil || media != "application/json") {
		return nil, hub.Errorf(hub.CodeUnsupportedMedia, "A signed call has a body of JSON; use an API key for anything else.")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return body, nil
}

// ServiceCaller is who calls as an application that showed that it is it: with
// its newest service key that is good.
func (k *Keys) ServiceCaller(r *http.Request, appID string) (hub.Caller, error) {
	return k.serviceKey(r, appID, httpkit.ClientIP(r, k.proxies))
}

// serviceKey is an application's newest service key that is good.
func (k *Keys) serviceKey(r *http.Request, appID string, client netip.Addr) (hub.Caller, error) {
	keys, err := k.store.KeysOfApp(r.Context(), appID)
	if err != nil {
		return hub.Caller{}, hub.Wrap(hub.CodeUnavailable, err, "Applications cannot be checked now; the database does not answer.")
	}
	refusal := error(hub.Errorf(hub.CodeForbidden, "This application has no service key that is good; the hub's operator makes one with `aigne-hub key create --app`."))
	for i := len(keys) - 1; i >= 0; i-- {
		raw, err := hex.DecodeString(keys[i].Hash)
		if err != nil || len(raw) != sha256.Size || keys[i].RevokedAt != nil {
			continue
		}
		c, err := k.callerOf(r.Context(), [sha256.Size]byte(raw), client)
		switch hub.CodeOf(err) {
		case "":
			return c, nil
		case hub.CodeUnauthenticated:
		default:
			refusal = err
		}
	}
	return hub.Caller{}, refusal
}
