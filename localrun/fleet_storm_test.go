package main

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/rollup"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// keepCalling sends one call after the other through a hub of the fleet, and what
// was left unanswered again with the same idempotency key, through another one.
func (f *fleet) keepCalling(ctx context.Context, n int) {
	who := "member"
	switch n {
	case 0, 1:
		who = "poor"
	case 2, 3:
		who = "limited"
	}
	for i := 0; ctx.Err() == nil; i++ {
		mark := fmt.Sprintf("%d-%d", n, i)
		stream := i%2 == 0
		body := fmt.Sprintf(`{"model":"openai/gpt-fake","max_tokens":200,"messages":[{"role":"user","content":"mark-%s %s"}]}`, mark, strings.Repeat("word ", i%40))
		if stream {
			body = strings.Replace(body, "{", `{"stream":true,"stream_options":{"include_usage":true},`, 1)
		}
		for range 3 {
			if f.once(f.keys[who], mark, body, stream) {
				break
			}
			f.repeats.Add(1)
		}
	}
}

// once makes a call and reports whether it was answered for certain.
func (f *fleet) once(key, mark, body string, stream bool) bool {
	// Not the storm's context: what was begun is waited for.
	ctx, cancel := context.WithTimeout(f.t.Context(), time.Minute)
	defer cancel()
	status, header, answer, err := f.hubs[rand.IntN(fleetSize)].Load().callOnce(ctx, key, body, mark)
	if err != nil {
		count(&f.statuses, 0)
		return false
	}
	count(&f.statuses, status)
	switch status {
	case http.StatusOK:
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return false
	case http.StatusPaymentRequired, http.StatusTooManyRequests, http.StatusConflict:
		return true // no money, used up, or a repeat of what was answered
	default:
		assert.Fail(f.t, "neither answered nor refused for now", "%d: %s", status, answer)
		return true
	}
	if stream && !strings.HasSuffix(strings.TrimSpace(answer), "data: [DONE]") {
		return false // its end was an error
	}
	credits, ok := owed(answer, stream)
	if assert.True(f.t, ok, "a complete answer tells its usage: %s", answer) {
		f.seen.add(header.Get("x-aigne-hub-call-id"), credits)
	}
	return true
}

// callOnce is call with an idempotency key.
func (s *served) callOnce(ctx context.Context, key, body, once string) (status int, header http.Header, answer string, err error) {
	return s.callWith(ctx, key, body, http.Header{"Idempotency-Key": {once}})
}

// keepMoving sends an administrator's acts. Those that failed are sent again in the
// end, by which each is done once.
func (f *fleet) keepMoving(ctx context.Context, acts *moves) {
	for ctx.Err() == nil {
		n := acts.next()
		err := f.hubs[rand.IntN(fleetSize)].Load().send(f.t.Context(), f.keys["admin"], acts.all[n].path, acts.all[n].body)
		acts.all[n].certain = err == nil
		time.Sleep(50 * time.Millisecond)
	}
}

// keepSumming makes the sums of the statistics while calls still change them, as
// several processes do at the end of a quarter of an hour.
func (f *fleet) keepSumming(ctx context.Context) {
	s, roller := f.roller()
	defer s.Close()
	for ctx.Err() == nil {
		_ = roller.Run(ctx) // the server fails: what is due stays so
		time.Sleep(200 * time.Millisecond)
	}
}

// roller is a roller whose clock is ahead, so that the present is over.
func (f *fleet) roller() (*store.Store, *rollup.Roller) {
	const ahead = 20 * time.Minute
	log := slog.New(slog.DiscardHandler)
	var s *store.Store
	require.Eventually(f.t, func() (ok bool) {
		var err error
		s, err = store.Open(f.t.Context(), store.Options{URL: f.server.URL, Token: hub.Secret(f.server.Token), Log: log})
		return err == nil
	}, time.Minute, 50*time.Millisecond)
	return s, &rollup.Roller{Store: s, Log: log, Keep: 1000 * time.Hour, Now: func() time.Time { return time.Now().Add(ahead) }}
}

// exhaust calls through all hubs at once until each refuses for good.
func (f *fleet) exhaust(who string, refusal int) {
	var all sync.WaitGroup
	for i := range f.hubs {
		all.Go(func() {
			for n := 0; ; n++ {
				mark := fmt.Sprintf("%s-%d-%d", who, i, n)
				body := fmt.Sprintf(`{"model":"openai/gpt-fake","max_tokens":200,"messages":[{"role":"user","content":"mark-%s "}]}`, mark)
				status, header, answer, err := f.hubs[i].Load().callOnce(f.t.Context(), f.keys[who], body, mark)
				switch {
				case !assert.NoError(f.t, err), status == refusal:
					return
				case status == http.StatusOK:
					credits, _ := owed(answer, false)
					f.seen.add(header.Get("x-aigne-hub-call-id"), credits)
				case !assert.Equal(f.t, http.StatusServiceUnavailable, status, answer):
					return
				}
			}
		})
	}
	all.Wait()
}

// deaths ends the seventh hub and stops the eighth while their calls are at the
// provider. Their leases are declared dead, which otherwise takes a minute; another
// hub settles what was open. The eighth wakes up and corrects what it delivers.
func (f *fleet) deaths() {
	dies, sleeps := f.hubs[fleetSize-2].Load(), f.hubs[fleetSize-1].Load()
	gate := fakeprovider.NewGate()
	f.fake.Script("gpt-fake", fakeprovider.Answer{Text: "held", Before: gate}, fakeprovider.Answer{Text: "held", Before: gate})
	var calls sync.WaitGroup
	var lost, late atomic.Bool
	calls.Go(func() {
		_, _, _, err := dies.call(f.t.Context(), f.keys["member"], hello)
		lost.Store(err != nil)
	})
	calls.Go(func() {
		status, header, answer, err := sleeps.call(f.t.Context(), f.keys["member"], hello)
		if err == nil && status == http.StatusOK {
			credits, _ := owed(answer, false)
			late.Store(true)
			f.seen.addLate(header.Get("x-aigne-hub-call-id"), credits)
		}
	})
	<-gate.Reached()
	<-gate.Reached()
	dies.kill()
	sleeps.signal(syscall.SIGSTOP)
	s, _ := f.roller()
	defer s.Close()
	require.NoError(f.t, s.Exec(f.t.Context(), "UPDATE leases SET dead = 1 WHERE id IN (SELECT owner FROM model_calls WHERE status = 'processing')"))
	assert.Eventually(f.t, func() bool { return f.number("SELECT count(*) FROM model_calls WHERE status = 'processing'") == 0 }, time.Minute, 200*time.Millisecond,
		"another hub settles what the dead one and the sleeping one left")
	sleeps.signal(syscall.SIGCONT)
	gate.Release()
	calls.Wait()
	assert.True(f.t, lost.Load(), "the client of the dead hub")
	assert.True(f.t, late.Load(), "the client of the one that slept gets its answer")
	f.hubs[fleetSize-2].Store(f.h.serve())
}

// settled waits until no call is open, and until what is due is summed up.
func (f *fleet) settled() {
	require.Eventually(f.t, func() bool { return f.number("SELECT count(*) FROM model_calls WHERE status = 'processing'") == 0 }, time.Minute, 100*time.Millisecond)
	s, roller := f.roller()
	defer s.Close()
	require.NoError(f.t, roller.Run(f.t.Context()))
}

// check asks what the storm left: in the database itself, and by the commands that
// an operator has.
func (f *fleet) check(moved money.Credits) {
	t := f.t
	o := f.h.run("", "ledger", "verify", "--all")
	require.Equal(t, 0, o.code, o.stdout+o.stderr)
	f.asked.Range(func(mark, n any) bool {
		return assert.EqualValues(t, 1, n.(*atomic.Int64).Load(), "request %s came to the provider more than once", mark)
	})
	calls := decode[[]callView](f.h, "calls", "list", "--limit", "1000000")
	byID := make(map[string]callView, len(calls))
	charged := map[string]money.Credits{}
	var total money.Credits
	for _, c := range calls {
		byID[c.ID] = c
		charged[c.User] += c.Credits
		total += c.Credits
	}
	for id, credits := range f.seen.owed {
		c, known := byID[id]
		require.True(t, known, "call %s reached its client and is not on record", id)
		require.Equal(t, credits, c.Credits, "call %s", id)
		if !f.seen.late[id] {
			require.Equal(t, hub.StatusSuccess, c.Status, "call %s", id)
		}
	}
	for name, granted := range fleetWallets {
		given, err := money.ParseCredits(granted)
		require.NoError(t, err)
		if name == "member" {
			given += moved
		}
		b := decode[balanceView](f.h, "credits", "balance", name+"@example.com")
		assert.Equal(t, given-charged[name+"@example.com"], b.Balance, "what the calls say is what became of the wallet of %s", name)
		assert.Zero(t, b.Held, name)
	}
	limited := 0
	for _, c := range calls {
		if c.User == "limited@example.com" && c.Status != hub.StatusFailed {
			limited++
		}
	}
	assert.Equal(t, fleetAllowed, limited, "a limit holds over all hubs, and what failed is given back")
	assert.EqualValues(t, total, -f.number("SELECT sum(e.amount_nano) FROM ledger_entries e JOIN ledger_operations o ON o.id = e.operation_id AND o.kind IN ('charge', 'correct') AND e.account_id = o.account_id"),
		"the entries are the calls")
	for _, sum := range []struct{ what, calls, stats string }{
		{"credits", "sum(credits_nano)", "sum(credits_nano)"}, {"calls", "count(*)", "sum(calls)"}, {"costs", "sum(coalesce(cost_nano, 0))", "sum(cost_nano)"},
	} {
		assert.Equal(t, f.number("SELECT "+sum.calls+" FROM model_calls"),
			f.number("SELECT "+sum.stats+" FROM model_call_stats WHERE period = 0 AND cube = 0"), "the statistics are the calls: %s", sum.what)
	}
	assert.Zero(t, f.number("SELECT count(*) FROM model_call_stats_due WHERE period = 0"))
}

// number asks the server's file itself.
func (f *fleet) number(query string) (n int64) {
	f.t.Helper()
	db, err := sql.Open("sqlite", "file:"+f.file+"?_pragma=busy_timeout(5000)&_pragma=query_only(1)")
	require.NoError(f.t, err)
	defer db.Close()
	require.NoError(f.t, db.QueryRowContext(f.t.Context(), query).Scan(&n))
	return n
}
