package scale

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"time"

	"github.com/aigne-hub/aigne-hub/functions/admin"
	"github.com/aigne-hub/aigne-hub/functions/auth"
	"github.com/aigne-hub/aigne-hub/functions/billing"
	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Hub is an open hub over a filled database: its functions as they serve, without
// the network between.
type Hub struct {
	*boot.App
	Population
	Rand *rand.Rand

	functions map[string]http.Handler
	owner     hub.Secret
	busy      hub.Secret // of the user who calls most
	busiest   string     // that user's id
	emails    []string
}

// OpenHub opens a filled database as a hub.
func OpenHub(ctx context.Context, file string, p Population) (*Hub, error) {
	env := map[string]string{"AIGNE_HUB_DATA": filepath.Dir(file), "AIGNE_HUB_DATABASE": "file:" + file}
	lookup := func(name string) (string, bool) { v, ok := env[name]; return v, ok }
	cfg, err := boot.Load(lookup, nil, nil)
	if err != nil {
		return nil, err
	}
	a, err := boot.Open(ctx, cfg, boot.Options{Log: slog.New(slog.DiscardHandler), Env: lookup, Migrate: true})
	if err != nil {
		return nil, err
	}
	h := &Hub{App: a, Population: p, Rand: rand.New(rand.NewPCG(7, 7)), emails: p.Busy} //nolint:gosec // made-up requests
	h.functions = map[string]http.Handler{"usage": usage.Wire(a), "auth": auth.Wire(a), "admin": admin.Wire(a), "billing": billing.Wire(a)}
	err = a.Reload(ctx)
	if err == nil {
		h.owner, err = h.key(ctx, fmt.Sprintf("owner-%d@example.com", time.Now().UnixNano()), true)
	}
	if err == nil {
		h.busy, err = h.key(ctx, p.Busy[0], false)
	}
	if err == nil {
		var u store.User
		u, err = a.Store.UserByEmail(ctx, p.Busy[0])
		h.busiest = u.ID
	}
	if err != nil {
		return nil, errors.Join(err, a.Close(context.WithoutCancel(ctx)))
	}
	return h, nil
}

func (h *Hub) key(ctx context.Context, email string, create bool) (hub.Secret, error) {
	if create {
		if _, err := h.Desk.CreateUser(ctx, "scale", email, hub.RoleOwner, ""); err != nil {
			return "", err
		}
	}
	key, _, err := h.Desk.CreateKey(ctx, "scale", email, "measurements", nil)
	return key, err
}

// answer counts what is written and keeps the beginning.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int64
	head   []byte
}

func (a *answer) Header() http.Header { return a.ResponseWriter.Header() }

func (a *answer) WriteHeader(status int) { a.status = status }

func (a *answer) Write(p []byte) (int, error) {
	const kept = 64 << 10
	a.bytes += int64(len(p))
	if room := kept - len(a.head); room > 0 {
		a.head = append(a.head, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

func (*answer) Flush() {}

// Get asks a function (usage, auth, admin, billing) as the owner, or as the user
// who calls most, and fails unless it answers 200. The answer's body is thrown
// away but for its first 64 KiB.
func (h *Hub) Get(ctx context.Context, function, path string, asOwner bool) ([]byte, error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, path, http.NoBody)
	key := h.busy
	if asOwner {
		key = h.owner
	}
	r.Header.Set("Authorization", "Bearer "+key.Reveal())
	w := &answer{ResponseWriter: httptest.NewRecorder(), status: http.StatusOK}
	h.functions[function].ServeHTTP(w, r)
	if w.status != http.StatusOK {
		return nil, fmt.Errorf("GET %s: status %d: %s", path, w.status, w.head)
	}
	return w.head, nil
}

// Busiest is the id of the user who calls most.
func (h *Hub) Busiest() string { return h.busiest }

// SumUp makes the sums of all calls, which were filled in behind the hub's back.
func (h *Hub) SumUp(ctx context.Context) (rollup.Report, error) {
	return h.Roller.Rebuild(ctx, h.From, h.Until, false, nil)
}

// Moment is a random time of the span.
func (h *Hub) Moment() time.Time {
	return h.From.Add(time.Duration(h.Rand.Int64N(int64(h.Until.Sub(h.From)))))
}

// Before is a call's id at a random time.
func (h *Hub) Before() string { return id(h.Rand, h.Moment()) }

// SomeCall is the id of a random call.
func (h *Hub) SomeCall(ctx context.Context) (string, error) {
	ids, err := h.Store.CallsBetween(ctx, h.Before(), "~", 1)
	if err != nil || len(ids) == 0 {
		return "", errors.Join(err, io.EOF)
	}
	return ids[0], nil
}
