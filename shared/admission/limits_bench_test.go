package admission

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// usedUp is a gate that knows that a key's minute is used up, and a call of that
// key among limits of all kinds.
func usedUp() (*Gate, *Ticket) {
	all := []store.Limit{{ID: "0", Scope: "key", Subject: "*", Metric: "requests", Period: "minute", Amount: 60}}
	for _, scope := range []string{"key", "user", "app", "model"} {
		all = append(all, store.Limit{ID: scope, Scope: scope, Subject: "*", Metric: "tokens", Period: "day", Amount: 1000})
	}
	set := limits.NewSet(all)
	now := time.Now()
	g := &Gate{Now: func() time.Time { return now }, Limits: func() *limits.Set { return set }}
	target := routing.Target{Provider: &routing.Provider{Name: "openai"}, Model: "gpt-4o"}
	t := &Ticket{gate: g, req: Request{Caller: hub.Caller{KeyID: "k", UserID: "u", AppID: "a"},
		Plan: routing.Plan{Requested: "smart", Targets: []routing.Target{target}}}}
	h := set.Bind(t.req.Caller, target.Name(), "smart")[0]
	g.exhausted.note(h, now, time.Minute)
	return g, t
}

func TestAWindowThatIsUsedUpIsRefusedWithoutTheDatabase(t *testing.T) {
	t.Parallel()
	g, ticket := usedUp() // it has no store
	err := g.bind(ticket)
	var l *LimitError
	require.ErrorAs(t, err, &l)
	require.Equal(t, hub.CodeRateLimited, hub.CodeOf(err))
	require.Equal(t, time.Minute, hub.AsError(err).RetryAfter)
	later := g.Now().Add(maxBelief)
	g.Now = func() time.Time { return later }
	require.NoError(t, g.bind(ticket), "after a moment the database is asked again")
}

// BenchmarkLocalRefusal is what a refused request costs beside HTTP.
func BenchmarkLocalRefusal(b *testing.B) {
	g, t := usedUp()
	for b.Loop() {
		if g.bind(t) == nil {
			b.Fatal("not refused")
		}
	}
}
