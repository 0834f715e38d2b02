package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
)

const (
	fleetSize    = 8
	fleetClients = 8
	fleetStorm   = 7 * time.Second // or AIGNE_HUB_TEST_FLEET
	fleetAllowed = 30              // requests of the limited user
	troubleTime  = time.Second     // half to one and a half of it
)

// fleetWallets is what each user is given.
var fleetWallets = map[string]string{"member": "1000", "poor": "0.005", "limited": "1000"} //nolint:gochecknoglobals // a constant

// fleet is eight hubs on one libSQL server, and what their callers were promised.
type fleet struct {
	t      *testing.T
	h      *testHub
	server *hrana.Server
	file   string
	fake   *fakeprovider.Provider
	keys   map[string]string // by user
	hubs   [fleetSize]atomic.Pointer[served]

	seen     *promises
	statuses sync.Map // of answers, for the report: int → *atomic.Int64
	asked    sync.Map // how often the provider saw a request, by its mark: string → *atomic.Int64
	repeats  atomic.Int64
}

// TestEightHubsOnOneServerInAStormKeepCleanBooks runs eight hubs on a libSQL server
// that fails in every way a network and a server can, calls through all of them at
// once, kills one and stops another in the middle of calls, and asks afterwards
// whether anything was lost, done twice or charged wrongly.
func TestEightHubsOnOneServerInAStormKeepCleanBooks(t *testing.T) {
	began := time.Now()
	f := newFleet(t)
	f.changesReachAll()
	ready := time.Since(began)

	ctx, calm := context.WithCancel(t.Context())
	defer calm()
	var clients sync.WaitGroup
	for n := range fleetClients {
		clients.Go(func() { f.keepCalling(ctx, n) })
	}
	acts := &moves{}
	clients.Go(func() { f.keepMoving(ctx, acts) })
	for range 2 {
		clients.Go(func() { f.keepSumming(ctx) })
	}
	troubles := f.storm()
	calm()
	f.server.Plan(hrana.Faults{})
	clients.Wait()

	stormy := time.Since(began) - ready
	f.exhaust("poor", http.StatusPaymentRequired)
	f.deaths()
	f.exhaust("limited", http.StatusTooManyRequests) // what admissions without an answer had taken has come back by now
	acts.repeat(t, f.hubs[0].Load(), f.keys["admin"])
	f.settled()
	f.check(acts.effect)
	counts := map[int]int64{}
	f.statuses.Range(func(k, v any) bool { counts[k.(int)] = v.(*atomic.Int64).Load(); return true })
	require.NotEmpty(t, f.seen.owed, "no client saw an answer: nothing was proved")
	t.Logf("%s until all was ready, %s of storm, %s until all was proved", ready.Round(time.Second), stormy.Round(time.Second), (time.Since(began) - ready - stormy).Round(time.Second))
	t.Logf("%d troubles; answers by status %v, %d of them to repeats; %d complete answers, all on record and charged exactly; %d moves of credits, each done once",
		troubles, counts, f.repeats.Load(), len(f.seen.owed), len(acts.all))
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	f := &fleet{t: t, file: filepath.Join(t.TempDir(), "server.db"), keys: map[string]string{}, seen: &promises{owed: map[string]money.Credits{}}}
	f.server = hrana.New(t, hrana.Options{File: f.file})
	f.h = newHub(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_LOG_LEVEL=error", "AIGNE_HUB_DATABASE="+f.server.URL, "AIGNE_HUB_DATABASE_TOKEN="+f.server.Token)
	h := f.h
	h.ok("migrate")
	f.fake = fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	h.env = append(h.env, "FAKE_KEY="+fakeprovider.DefaultKey)
	h.ok("provider", "add", "--kind", "openai", "--name", "openai", "--base-url", f.fake.URL+"/v1", "--credential-env", "FAKE_KEY")
	h.ok("rate", "set", "--provider", "openai", "--model", "gpt-fake", "--input", "1.000001", "--output", "2.7")
	for name, role := range map[string]string{"member": "member", "poor": "member", "limited": "member", "leaver": "member", "admin": "admin"} {
		h.ok("user", "create", "--email", name+"@example.com", "--role", role)
		f.keys[name] = strings.TrimSpace(h.ok("key", "create", "--user", name+"@example.com", "--name", "test"))
	}
	for name, amount := range fleetWallets {
		h.ok("credits", "grant", "--user", name+"@example.com", "--amount", amount)
	}
	h.ok("credits", "grant", "--user", "leaver@example.com", "--amount", "1")
	h.ok("wallet", "create", "--name", "Team")
	f.fake.Handle("gpt-fake", func(r fakeprovider.Request) fakeprovider.Answer {
		if _, after, ok := strings.Cut(string(r.Body), "mark-"); ok {
			mark, _, _ := strings.Cut(after, " ")
			count(&f.asked, mark)
		}
		return fakeprovider.Answer{Text: fakeprovider.Words(5 + len(r.Body)%60), Frames: 4}
	})
	for i := range f.hubs {
		f.hubs[i].Store(h.serve())
	}
	return f
}

func count[K comparable](m *sync.Map, key K) {
	n, _ := m.LoadOrStore(key, &atomic.Int64{})
	n.(*atomic.Int64).Add(1)
}

// changesReachAll changes the configuration at one hub while the server is slow:
// what was sent to another two seconds later is answered by the change.
func (f *fleet) changesReachAll() {
	f.server.Plan(hrana.Faults{Delay: 200 * time.Millisecond})
	defer f.server.Plan(hrana.Faults{})
	smart := strings.Replace(hello, "openai/gpt-fake", "smart", 1)
	everywhere := func(what string, key, body string, want int) {
		start := time.Now()
		var all sync.WaitGroup
		for i := range f.hubs {
			all.Go(func() {
				for {
					sent := time.Since(start)
					status, _, answer, err := f.hubs[i].Load().call(f.t.Context(), key, body)
					switch {
					case !assert.NoError(f.t, err, what) || status == want:
						return
					case sent > 2*time.Second:
						assert.Fail(f.t, "a change did not arrive in two seconds", "%s at hub %d: %d %s", what, i, status, answer)
						return
					}
				}
			})
		}
		all.Wait()
	}
	f.administer("PUT", "/api/admin/aliases", `{"name":"smart","rules":[{"steps":[{"targets":[{"model":"openai/gpt-fake"}]}]}]}`)
	everywhere("an alias", f.keys["member"], smart, http.StatusOK)
	limit := f.administer("PUT", "/api/admin/limits", `{"scope":"user","subject":"member@example.com","metric":"requests","period":"month","amount":"0"}`)
	everywhere("a limit", f.keys["member"], hello, http.StatusTooManyRequests)
	f.administer("DELETE", "/api/admin/limits/"+limit["id"].(string), "")
	everywhere("no limit", f.keys["member"], hello, http.StatusOK)
	f.administer("PUT", "/api/admin/limits", fmt.Sprintf(`{"scope":"user","subject":"limited@example.com","metric":"requests","period":"month","amount":"%d"}`, fleetAllowed))

	everywhere("a key", f.keys["leaver"], hello, http.StatusOK)
	for _, k := range decode[[]keyView](f.h, "key", "list", "--user", "leaver@example.com") {
		f.h.ok("key", "revoke", k.ID)
	}
	for i := range f.hubs { // of a revoked key not even the first call after it
		status, _, answer, err := f.hubs[i].Load().call(f.t.Context(), f.keys["leaver"], hello)
		require.NoError(f.t, err)
		require.Equal(f.t, http.StatusUnauthorized, status, "hub %d: %s", i, answer)
	}
}

// administer sends an administrator's request to a hub, again where it cannot be served
// now.
func (f *fleet) administer(method, path, body string) (answer map[string]any) {
	f.t.Helper()
	for until := time.Now().Add(time.Minute); ; {
		req, err := http.NewRequestWithContext(f.t.Context(), method, f.hubs[0].Load().url+path, strings.NewReader(body))
		require.NoError(f.t, err)
		req.Header.Set("Authorization", "Bearer "+f.keys["admin"])
		req.Header.Set("Content-Type", "application/json")
		res, err := http.DefaultClient.Do(req)
		require.NoError(f.t, err)
		text, err := io.ReadAll(res.Body)
		require.NoError(f.t, errors.Join(err, res.Body.Close()))
		if res.StatusCode == http.StatusServiceUnavailable && time.Now().Before(until) {
			continue
		}
		require.Less(f.t, res.StatusCode, http.StatusMultipleChoices, "%s %s: %s", method, path, text)
		if len(text) > 0 {
			require.NoError(f.t, json.Unmarshal(text, &answer))
		}
		return answer
	}
}

// storm plans one trouble after the other, all of them at least once, while clients
// call, and returns how many there were.
func (f *fleet) storm() (troubles int) {
	lasting := fleetStorm
	if raw := os.Getenv("AIGNE_HUB_TEST_FLEET"); raw != "" {
		var err error
		lasting, err = time.ParseDuration(raw)
		require.NoError(f.t, err, "AIGNE_HUB_TEST_FLEET")
	}
	const units = "BEGIN IMMEDIATE"
	kinds := []func(){
		func() { f.server.Plan(hrana.Faults{Drop: 6, Match: units}) }, // committed, and nobody is told
		func() { f.server.Plan(hrana.Faults{Reset: 6}) },
		func() { f.server.Plan(hrana.Faults{Midway: 6, Match: units}) },
		func() { f.server.Restart() },
		func() { f.server.Plan(hrana.Faults{Cut: 6, Match: units}) },
		func() { f.server.Plan(hrana.Faults{Errors: 12}) },
		func() { f.server.Plan(hrana.Faults{Late: 4, LateBy: 2500 * time.Millisecond, Match: units}) }, // later than admissions wait
		func() { f.server.Plan(hrana.Faults{Delay: 200 * time.Millisecond, Drop: 3}) },
		func() {
			f.server.Kill()
			time.Sleep(500 * time.Millisecond)
			f.server.Restart()
		},
	}
	for began := time.Now(); troubles < len(kinds) || time.Since(began) < lasting; troubles++ {
		kinds[troubles%len(kinds)]()
		time.Sleep(troubleTime/2 + rand.N(troubleTime))
		f.server.Plan(hrana.Faults{})
	}
	return troubles
}
