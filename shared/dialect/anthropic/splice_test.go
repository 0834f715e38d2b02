package anthropic

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

func TestSpliceTouchesOnlyWhatMustChange(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		body, want string
		lowerTo    int64
	}{
		"the model": {`{ "model" : "a/b", "max_tokens":10,"messages":[ ],"future": {"x" :1e5}}`,
			`{ "model" : "claude-1", "max_tokens":10,"messages":[ ],"future": {"x" :1e5}}`, 0},
		"a limit above what is covered": {`{"model":"a","max_tokens":1000,"messages":[]}`, `{"model":"claude-1","max_tokens":600,"messages":[]}`, 600},
		"not a limit below it":          {`{"model":"a","max_tokens":500,"messages":[]}`, `{"model":"claude-1","max_tokens":500,"messages":[]}`, 600},
		"the hub's own member":          {`{"route":{"a":1},"model":"a","max_tokens":5,"messages":[]}`, `{"model":"claude-1","max_tokens":5,"messages":[]}`, 0},
		"the hub's own member at the end, beside a change": {`{"messages":[],"model":"a","max_tokens":5000,"route":[1]}`,
			`{"messages":[],"model":"claude-1","max_tokens":9}`, 9},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := see(t, c.body)
			got, err := Client{}.Splice(v, dialect.Target{Model: "claude-1", MaxOutput: 8192, LowerTo: c.lowerTo})
			require.NoError(t, err)
			assert.Equal(t, c.want, string(got.Body))
			assert.Equal(t, c.body, string(v.Object.Bytes()), "the view stays as it was")
			assert.Equal(t, "2023-06-01", got.Header.Get("anthropic-version"))
		})
	}
}

func TestSpliceForwardsVersionAndBetasOnly(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/v1/messages", nil)
	r.Header = http.Header{"Anthropic-Version": {"2026-10-21"}, "Anthropic-Beta": {"a,b", "c"}, "X-Api-Key": {"sk-hub-secret"}, "Cookie": {"s=1"}}
	v, err := Server{}.View(r, []byte(asking))
	require.NoError(t, err)
	got, err := Client{}.Splice(v, dialect.Target{Model: "m"})
	require.NoError(t, err)
	assert.Equal(t, http.Header{"Anthropic-Version": {"2026-10-21"}, "Anthropic-Beta": {"a,b", "c"}}, got.Header)
}
