package auth

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const goodKey = "sk-hub-good-key-0123456789"

// ask sends an event of testdata with a key in it to the authorizer.
func ask(t *testing.T, z authorizer, event, key string) (string, error) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "testdata", "lambda", event+".json"))
	require.NoError(t, err)
	out, err := z.answer(t.Context(), json.RawMessage(strings.ReplaceAll(string(b), "KEY", key)))
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(out)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "sk-hub-", "no key goes on")
	return string(text), nil
}

// keys knows one key, of a member, restricted to scopes.
func keys(_ context.Context, key hub.Secret, _ netip.Addr) (hub.Caller, error) {
	if key != goodKey {
		return hub.Caller{}, hub.Errorf(hub.CodeUnauthenticated, "unknown")
	}
	return hub.Caller{UserID: "u1", Email: "m@example.com", Role: hub.RoleMember, KeyID: "k1", Scopes: []hub.Scope{hub.ScopeInference, hub.ScopeUsage}}, nil
}

const about1 = `{"userId":"u1","role":"member","keyId":"k1","scopes":"inference usage"}`

func policyJSON(effect, principal, stage, context string) string {
	if context != "" {
		context = `"context":` + context + `,`
	}
	return `{"principalId":"` + principal + `",` + context + `"policyDocument":{"Version":"2012-10-17","Statement":[
		{"Action":["execute-api:Invoke"],"Effect":"` + effect + `","Resource":["` + stage + `/*"]}]}}`
}

func TestTheAuthorizerAnswersEachKindOfEventInItsForm(t *testing.T) {
	t.Parallel()
	const (
		arn  = "arn:aws:execute-api:eu-central-1:111122223333:"
		httt = arn + "h7ab1cd2ef/"
		rest = arn + "r3st4p1id/live"
	)
	for _, tt := range []struct {
		name, event string
		policy      bool
		good, bad   string
	}{
		{"HTTP API", "authorizer-http-2", false, `{"isAuthorized":true,"context":` + about1 + `}`, `{"isAuthorized":false}`},
		{"HTTP API that keeps answers", "authorizer-http-2-kept", false, `{"isAuthorized":true,"context":` + about1 + `}`, `{"isAuthorized":false}`},
		{"HTTP API with policies", "authorizer-http-2", true, policyJSON("Allow", "u1", httt+"$default", about1), policyJSON("Deny", "nobody", httt+"$default", "")},
		{"HTTP API, payload 1.0", "authorizer-http-1", false, policyJSON("Allow", "u1", httt+"prod", about1), policyJSON("Deny", "nobody", httt+"prod", "")},
		{"REST API", "authorizer-rest-request", false, policyJSON("Allow", "u1", rest, about1), policyJSON("Deny", "nobody", rest, "")},
		{"REST API with a token", "authorizer-rest-token", false, policyJSON("Allow", "u1", rest, about1), policyJSON("Deny", "nobody", rest, "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			z := authorizer{caller: keys, policy: tt.policy}
			got, err := ask(t, z, tt.event, goodKey)
			require.NoError(t, err)
			assert.JSONEq(t, tt.good, got)
			for _, bad := range []string{"sk-hub-bad", "", "Bearer", "sk-other-vendor"} {
				got, err = ask(t, z, tt.event, bad)
				require.NoError(t, err)
				assert.JSONEq(t, tt.bad, got, bad)
			}
		})
	}
}

// An error is kept by no cache, a "no" is: a hub without database must not lock
// users out for longer than that lasts.
func TestTheAuthorizerFailsWhereItCannotKnow(t *testing.T) {
	t.Parallel()
	for name, err := range map[string]error{"no database": hub.Wrap(hub.CodeUnavailable, errors.New("down"), "down"), "a fault": errors.New("odd")} {
		z := authorizer{caller: func(context.Context, hub.Secret, netip.Addr) (hub.Caller, error) { return hub.Caller{}, err }}
		_, got := ask(t, z, "authorizer-http-2", goodKey)
		require.Error(t, got, name)
		assert.NotContains(t, got.Error(), goodKey)
	}
	z := authorizer{caller: keys}
	for name, event := range map[string]string{
		"no JSON":              `{`,
		"another kind":         `{"type":"JWT","routeArn":"arn:aws:execute-api:r:1:a/s/GET/x"}`,
		"no ARN":               `{"type":"REQUEST","version":"2.0"}`,
		"an ARN without stage": `{"type":"REQUEST","version":"2.0","routeArn":"arn:aws:execute-api:r:1:a"}`,
		"an ARN of all APIs":   `{"type":"REQUEST","version":"2.0","routeArn":"arn:aws:execute-api:r:1:*/s/GET/x"}`,
		"another service":      `{"type":"REQUEST","version":"2.0","routeArn":"arn:aws:lambda:r:1:a/s/GET/x"}`,
	} {
		_, err := z.answer(t.Context(), json.RawMessage(event))
		assert.Error(t, err, name)
	}
}

// What an answer is kept under is all it may depend on.
func TestAKeptAnswerIsAboutItsIdentitySourcesAlone(t *testing.T) {
	t.Parallel()
	event := func(sources, headers string) string {
		return `{"type":"REQUEST","version":"2.0","routeArn":"arn:aws:execute-api:r:1:a/s/GET/x","identitySource":` + sources + `,"headers":` + headers + `}`
	}
	good, other := `"Bearer `+goodKey+`"`, `"sk-hub-another"`
	for name, tt := range map[string]struct {
		event string
		want  bool
	}{
		"another header does not matter":        {event(`[`+good+`]`, `{"x-api-key":`+other+`}`), true},
		"a good header does not help":           {event(`[`+other+`]`, `{"authorization":`+good+`}`), false},
		"a source that is no credential":        {event(`["GET /x",`+good+`]`, `{}`), true},
		"two keys":                              {event(`[`+good+`,`+other+`]`, `{}`), false},
		"the same key twice":                    {event(`[`+good+`,"`+goodKey+`"]`, `{}`), true},
		"without sources all headers are read":  {event(`null`, `{"X-Api-Key":"`+goodKey+`"}`), true},
		"without sources two keys are too many": {event(`[]`, `{"authorization":`+good+`,"x-api-key":`+other+`}`), false},
		"another scheme":                        {event(`null`, `{"authorization":"Basic `+goodKey+`"}`), false},
	} {
		out, err := authorizer{caller: keys}.answer(t.Context(), json.RawMessage(tt.event))
		require.NoError(t, err, name)
		text, err := json.Marshal(out)
		require.NoError(t, err)
		assert.Contains(t, string(text), map[bool]string{true: `"isAuthorized":true`, false: `"isAuthorized":false`}[tt.want], name)
	}
}

// A key that is bound to addresses is good from one and not from another, of which a
// kept answer knows nothing.
func TestANoThatIsAboutTheAddressIsNotKept(t *testing.T) {
	t.Parallel()
	z := authorizer{caller: func(ctx context.Context, key hub.Secret, client netip.Addr) (hub.Caller, error) {
		if client != netip.MustParseAddr("192.0.2.1") {
			return hub.Caller{}, hub.Errorf(hub.CodeForbidden, "not from there: %s", client)
		}
		return keys(ctx, key, client)
	}}
	got, err := ask(t, z, "authorizer-http-2", goodKey)
	require.NoError(t, err)
	assert.JSONEq(t, `{"isAuthorized":false}`, got, "this one is never kept")
	for _, kept := range []string{"authorizer-http-2-kept", "authorizer-http-1", "authorizer-rest-request", "authorizer-rest-token"} {
		_, err = ask(t, z, kept, goodKey)
		assert.Equal(t, hub.CodeForbidden, hub.CodeOf(err), kept)
	}
	_, err = ask(t, z, "authorizer-http-2-kept", goodKey)
	require.ErrorContains(t, err, "203.0.113.9")
	_, err = ask(t, z, "authorizer-rest-token", goodKey)
	require.ErrorContains(t, err, "invalid IP", "these events do not tell")
}
