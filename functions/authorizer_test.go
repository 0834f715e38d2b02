package functions_test

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
	"github.com/aigne-hub/aigne-hub/shared/testkit/lambdalocal"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

// TestTheAuthorizerRunsAsALambda asks the real bootstrap in the local Lambda runtime,
// while keys come and go on the database server.
func TestTheAuthorizerRunsAsALambda(t *testing.T) {
	t.Parallel()
	database, token := hrana.Start(t)
	env := map[string]string{"AIGNE_HUB_DATABASE": database, "AIGNE_HUB_DATABASE_TOKEN": token, "AIGNE_HUB_MASTER_KEY": masterKey, "AIGNE_HUB_LOG_LEVEL": "debug"}
	var environ []string
	for name, value := range env {
		environ = append(environ, name+"="+value)
	}
	logs := &logbuf.Buffer{}
	bootstrap := lambdalocal.Build(t, "./auth/authorizer")
	simple := lambdalocal.Start(t, lambdalocal.Config{Bootstrap: bootstrap, Env: environ, Log: logs})
	policy := lambdalocal.Start(t, lambdalocal.Config{Bootstrap: bootstrap, Env: append(environ, "AIGNE_HUB_AUTHORIZER=policy"), Log: logs})
	ask := func(f *lambdalocal.Function, event string, key hub.Secret) (string, error) {
		b, err := os.ReadFile(filepath.Join("..", "testdata", "lambda", event+".json"))
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		out, err := f.Invoke(ctx, []byte(strings.ReplaceAll(string(b), "KEY", key.Reveal())))
		return string(out), err
	}

	_, err := ask(simple, "authorizer-http-2", "sk-hub-x")
	require.ErrorContains(t, err, "aigne-hub migrate", "without a database there is no answer that could be kept")

	cfg, err := boot.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, nil, nil)
	require.NoError(t, err)
	app, err := boot.Open(t.Context(), cfg, boot.Options{Log: telemetry.NewLogger(io.Discard, cfg.LogFormat, cfg.LogLevel), Migrate: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, app.Close(context.Background())) })
	user, err := app.Desk.CreateUser(t.Context(), "test", "member@example.com", hub.RoleMember, "")
	require.NoError(t, err)
	key, row, err := app.Desk.CreateKey(t.Context(), "test", "member@example.com", "laptop", nil)
	require.NoError(t, err)

	about := `{"userId":"` + user.ID + `","role":"member","keyId":"` + row.ID + `"}`
	for _, event := range []string{"authorizer-http-2", "authorizer-http-2-kept"} {
		out, err := ask(simple, event, key)
		require.NoError(t, err)
		assert.JSONEq(t, `{"isAuthorized":true,"context":`+about+`}`, out)
	}
	out, err := ask(policy, "authorizer-http-2", key)
	require.NoError(t, err)
	assert.JSONEq(t, `{"principalId":"`+user.ID+`","context":`+about+`,"policyDocument":{"Version":"2012-10-17","Statement":[{"Action":["execute-api:Invoke"],"Effect":"Allow",
		"Resource":["arn:aws:execute-api:eu-central-1:111122223333:h7ab1cd2ef/$default/*"]}]}}`, out)
	for _, event := range []string{"authorizer-http-1", "authorizer-rest-request", "authorizer-rest-token"} {
		out, err := ask(simple, event, key)
		require.NoError(t, err)
		var answer struct {
			PrincipalID    string
			PolicyDocument struct{ Statement []struct{ Effect string } }
		}
		require.NoError(t, json.Unmarshal([]byte(out), &answer), out)
		assert.Equal(t, user.ID, answer.PrincipalID, event)
		assert.Equal(t, "Allow", answer.PolicyDocument.Statement[0].Effect, event)
	}
	out, err = ask(simple, "authorizer-http-2", "sk-hub-unknown")
	require.NoError(t, err)
	assert.JSONEq(t, `{"isAuthorized":false}`, out)

	// A process that has seen the key hears of its end with the next question.
	require.NoError(t, app.Desk.RevokeKey(t.Context(), "test", row.ID))
	out, err = ask(simple, "authorizer-http-2", key)
	require.NoError(t, err)
	assert.JSONEq(t, `{"isAuthorized":false}`, out)
	out, err = ask(policy, "authorizer-rest-token", key)
	require.NoError(t, err)
	assert.Contains(t, out, `"Effect":"Deny"`)

	for _, secret := range []string{token, masterKey, key.Reveal(), row.Hash} {
		assert.NotContains(t, logs.String(), secret, "a secret is in the log")
	}
}
