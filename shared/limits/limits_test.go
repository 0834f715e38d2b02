package limits_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func TestACallIsBoundByWhatConcernsIt(t *testing.T) {
	t.Parallel()
	limit := func(id, scope, subject string) store.Limit {
		return store.Limit{ID: id, Scope: scope, Subject: subject, Metric: limits.Requests, Period: "day", Amount: 1}
	}
	s := limits.NewSet([]store.Limit{
		limit("my key", "key", "k1"), limit("each key", "key", "*"), limit("another's key", "key", "k2"), limit("me", "user", "u1"),
		limit("each app", "app", "*"), limit("the model", "model", "OpenAI/GPT"), limit("the alias", "model", "smart"), limit("each model", "model", "*"),
	})
	counted := func(c hub.Caller, models ...string) map[string]string {
		out := map[string]string{}
		for _, h := range s.Bind(c, models...) {
			out[h.LimitID] = h.Counts
		}
		return out
	}
	me := hub.Caller{KeyID: "k1", UserID: "u1", AppID: "a1"}
	assert.Equal(t, map[string]string{"my key": "k1", "each key": "k1", "me": "u1", "each app": "a1", "the model": "openai/gpt",
		"the alias": "smart", "each model": "openai/gpt"}, counted(me, "openai/gpt", "aignehub/SMART"))
	assert.Equal(t, map[string]string{"each key": "k3", "each model": "other/m"}, counted(hub.Caller{KeyID: "k3"}, "other/m", "other/m"))
	assert.Equal(t, map[string]string{"each app": "a1"}, counted(hub.Caller{AppID: "a1"}, "", "*"), "nobody is called *")
	assert.Empty(t, limits.NewSet(nil).Bind(me, "m"))
	var none *limits.Set
	assert.Empty(t, none.Bind(me, "m"))
}

func TestALimitIsSaidInWords(t *testing.T) {
	t.Parallel()
	h := store.LimitHold{Metric: limits.Credits, Period: "month", Most: 2_500_000_000}
	e := limits.Exceeded(h, store.Window{Ends: 90_000})
	assert.Equal(t, "The budget of 2.5 credits a month is used up.", e.Message)
	assert.Equal(t, "budget_exceeded", e.NativeCode)
	assert.Equal(t, 90*time.Second, e.RetryAfter)
	h = store.LimitHold{Metric: limits.Concurrency, Period: "now", Most: 3}
	e = limits.Exceeded(h, store.Window{})
	assert.Equal(t, "The limit of 3 calls at once is reached.", e.Message)
	assert.Equal(t, time.Second, e.RetryAfter)
}
