package main

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/money"
)

// moves are acts of an administrator on the wallet of the campaign: what each
// does to its balance is known, whenever it happens and however often it is sent.
type moves struct {
	mu     sync.Mutex
	all    []move
	effect money.Credits
}

type move struct {
	path, body string
	certain    bool // its answer came
}

// keepMoving sends one act after the other until the hub is gone.
func (m *moves) keepMoving(ctx context.Context, t *testing.T, s *served, key string) {
	for ctx.Err() == nil {
		n := m.next()
		if err := s.send(ctx, key, m.all[n].path, m.all[n].body); err != nil {
			var refused refusedError
			assert.NotErrorAs(t, err, &refused) // else the hub is gone
			return
		}
		m.mu.Lock()
		m.all[n].certain = true
		m.mu.Unlock()
	}
}

// next makes up an act and returns its number. What it does is counted at once: it
// is sent until it is done.
func (m *moves) next() int {
	const user = `"email":"member@example.com"`
	m.mu.Lock()
	defer m.mu.Unlock()
	id := fmt.Sprintf(`"id":"move-%d","reason":"campaign"`, len(m.all))
	amount := money.Credits(1 + rand.Int64N(1_000_000))
	var next move
	switch rand.IntN(4) {
	case 0:
		next = move{path: "/api/billing/adjustments", body: fmt.Sprintf(`{%s,%s,"amount":"%s"}`, user, id, amount)}
		m.effect += amount
	case 1:
		next = move{path: "/api/billing/adjustments", body: fmt.Sprintf(`{%s,%s,"amount":"-%s"}`, user, id, amount)}
		m.effect -= amount
	case 2:
		next = move{path: "/api/billing/reversals", body: fmt.Sprintf(`{%s,%s,"cause":"refund","amount":"%s"}`, user, id, amount)}
		m.effect -= amount
	case 3:
		next = move{path: "/api/billing/transfers", body: fmt.Sprintf(`{"from":{%s},"to":{"wallet":"Team"},%s,"amount":"%s"}`, user, id, amount)}
		m.effect -= amount
	}
	m.all = append(m.all, next)
	return len(m.all) - 1
}

// repeat sends again what was under way when the hub died, and some of what was
// not.
func (m *moves) repeat(t *testing.T, s *served, key string) {
	t.Helper()
	for i := range m.all {
		if m.all[i].certain && rand.IntN(20) > 0 {
			continue
		}
		require.NoError(t, s.send(t.Context(), key, m.all[i].path, m.all[i].body))
		m.all[i].certain = true
	}
}

// refusedError is an answer that is no success.
type refusedError string

func (e refusedError) Error() string { return string(e) }

func (s *served) send(ctx context.Context, key, path, body string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url+path, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= http.StatusMultipleChoices {
		err = refusedError(fmt.Sprintf("%s %s: %d %s", path, body, res.StatusCode, answer))
	}
	return err
}
