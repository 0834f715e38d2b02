package functions_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakestripe"
	"github.com/aigne-hub/aigne-hub/shared/testkit/hrana"
	"github.com/aigne-hub/aigne-hub/shared/testkit/lambdalocal"
	"github.com/aigne-hub/aigne-hub/shared/testkit/logbuf"
)

// cloud is a hub as it is deployed on AWS: six Lambda functions over one libSQL
// server, and the operator's command line beside them.
type cloud struct {
	t     *testing.T
	app   *boot.App // the operator's
	fn    map[string]*lambdalocal.Function
	proxy string // the proxy's Function URL
	logs  *logbuf.Buffer
	key   hub.Secret // a member's
	boss  hub.Secret // an owner's

	stripe *fakestripe.Stripe
}

const masterKey = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY="

// deploy builds the real bootstraps and starts the functions.
func deploy(t *testing.T) *cloud {
	t.Helper()
	database, token := hrana.Start(t)
	stripe := fakestripe.Start(t)
	c := &cloud{t: t, stripe: stripe, fn: map[string]*lambdalocal.Function{}, logs: &logbuf.Buffer{}}
	env := map[string]string{
		"AIGNE_HUB_DATABASE": database, "AIGNE_HUB_DATABASE_TOKEN": token, "AIGNE_HUB_MASTER_KEY": masterKey,
		"AIGNE_HUB_BILLING": "on", "AIGNE_HUB_PUBLIC_URL": "https://hub.example", "AIGNE_HUB_SELLER": "",
		"AIGNE_HUB_STRIPE_SECRET_KEY": fakestripe.Key, "AIGNE_HUB_STRIPE_WEBHOOK_SECRET": fakestripe.WebhookSecret, "AIGNE_HUB_STRIPE_URL": stripe.URL, "AIGNE_HUB_LOG_LEVEL": "debug",
	}
	var environ []string
	for name, value := range env {
		environ = append(environ, name+"="+value)
	}
	folder := c.build()
	for _, name := range []string{"proxy", "auth", "usage", "billing", "admin", "console"} {
		c.fn[name] = lambdalocal.Start(t, lambdalocal.Config{Bootstrap: filepath.Join(folder, name), Env: environ, Name: name, Timeout: time.Minute, Log: c.logs})
	}
	front := httptest.NewServer(c.fn["proxy"].FunctionURL())
	t.Cleanup(front.Close)
	c.proxy = front.URL
	t.Cleanup(func() {
		for _, secret := range []string{token, masterKey, c.key.Reveal(), c.boss.Reveal(), fakeprovider.DefaultKey, fakestripe.Key, fakestripe.WebhookSecret} {
			assert.NotContains(t, c.logs.String(), secret, "a secret is in the log")
		}
		if t.Failed() {
			t.Log(c.logs.String())
		}
	})
	cfg, err := boot.Load(func(name string) (string, bool) { v, ok := env[name]; return v, ok }, nil, nil)
	require.NoError(t, err)

	// Before the operator has migrated, the functions say so and live.
	res := c.api("auth", "", "GET", "/api/auth/me", "")
	assert.Equal(t, 503, res.Code)
	assert.Contains(t, res.Body.String(), "aigne-hub migrate")

	c.app, err = boot.Open(t.Context(), cfg, boot.Options{Log: telemetry.NewLogger(io.Discard, cfg.LogFormat, cfg.LogLevel), Migrate: true})
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, c.app.Close(context.Background())) })
	return c
}

// build compiles the six and returns the folder they are in.
func (c *cloud) build() string {
	c.t.Helper()
	folder := c.t.TempDir()
	for _, name := range []string{"proxy", "auth", "usage", "billing", "admin", "console"} {
		build(c.t, name, filepath.Join(folder, name))
	}
	return folder
}

// api sends a request through API Gateway's HTTP API.
func (c *cloud) api(fn string, key hub.Secret, method, target, body string) *httptest.ResponseRecorder {
	c.t.Helper()
	r := httptest.NewRequestWithContext(c.t.Context(), method, target, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key.Reveal())
	}
	res := httptest.NewRecorder()
	c.fn[fn].HTTPAPI().ServeHTTP(res, r)
	return res
}

// ok is api for requests that must succeed; it decodes the answer into v.
func (c *cloud) ok(status int, v any, fn string, key hub.Secret, method, target, body string) {
	c.t.Helper()
	res := c.api(fn, key, method, target, body)
	require.Equal(c.t, status, res.Code, "%s %s: %s %s", method, target, res.Body, res.Header().Get("X-Lambdalocal-Error"))
	if v != nil {
		require.NoError(c.t, json.Unmarshal(res.Body.Bytes(), v), res.Body.String())
	}
}

// TestTheWholeHubRunsAsSixLambdas sets a hub up through its functions, makes a
// streamed call and looks at what it left behind.
func TestTheWholeHubRunsAsSixLambdas(t *testing.T) {
	t.Parallel()
	c := deploy(t)
	c.setUp()
	fake := fakeprovider.Start(t, fakeprovider.OpenAI, fakeprovider.Options{})
	c.configure(fake)
	t.Run("the console and the probes answer", func(t *testing.T) { c.pages(t) })
	t.Run("a call streams chunk by chunk and is settled", func(t *testing.T) { c.stream(t, fake) })
	t.Run("a webhook's signature survives the gateway", func(t *testing.T) { c.sell(t) })
	t.Run("a schedule event runs the jobs", func(t *testing.T) { c.schedule(t) })
	t.Run("two instances serve one hub", func(t *testing.T) { c.scale(t, fake) })
}

// setUp makes the owner with a set-up token and a member with a key.
func (c *cloud) setUp() {
	token, err := c.app.Users.NewSetupToken(c.t.Context())
	require.NoError(c.t, err)
	var made struct {
		Key string `json:"api_key"`
	}
	c.ok(201, &made, "auth", "", "POST", "/api/auth/setup", `{"token":"`+token.Reveal()+`","email":"owner@example.com","password":"long enough password"}`)
	c.boss = hub.Secret(made.Key)
	var me struct {
		User struct{ Role string }
	}
	c.ok(200, &me, "auth", c.boss, "GET", "/api/auth/me", "")
	assert.Equal(c.t, "owner", me.User.Role)

	c.ok(201, nil, "admin", c.boss, "POST", "/api/admin/users", `{"email":"member@example.com","role":"member"}`)
	var key struct{ Key string }
	c.ok(201, &key, "admin", c.boss, "POST", "/api/admin/keys", `{"user":"member@example.com","name":"laptop"}`)
	c.key = hub.Secret(key.Key)
	assert.Equal(c.t, 403, c.api("admin", c.key, "GET", "/api/admin/users", "").Code)
}

// configure adds the fake provider, a rate and credits.
func (c *cloud) configure(fake *fakeprovider.Provider) {
	c.ok(201, nil, "admin", c.boss, "POST", "/api/admin/providers",
		`{"kind":"openai","name":"fake","base_url":"`+fake.URL+`/v1","credential":"`+fakeprovider.DefaultKey+`"}`)
	c.ok(200, nil, "admin", c.boss, "PUT", "/api/admin/rates",
		`{"provider":"fake","model":"openai-fake","usd_per_million":{"input":"2","output":"10"},"max_output":4096}`)
	c.ok(201, nil, "billing", c.boss, "POST", "/api/billing/grants", `{"email":"member@example.com","amount":"5"}`)
	var balance struct{ Available string }
	c.ok(200, &balance, "billing", c.key, "GET", "/api/user/credit/balance", "")
	assert.Equal(c.t, "5", balance.Available)
}

func (c *cloud) pages(t *testing.T) {
	res := c.api("console", "", "GET", "/", "")
	assert.Equal(t, 200, res.Code)
	assert.Equal(t, "text/html; charset=utf-8", res.Header().Get("Content-Type"))
	assert.Contains(t, res.Body.String(), "AIGNE Hub")
	assert.Equal(t, 404, c.api("console", "", "GET", "/nowhere", "").Code)
	for name := range c.fn {
		assert.Equal(t, 200, c.api(name, "", "GET", "/healthz", "").Code, name)
		assert.Equal(t, 200, c.api(name, "", "GET", "/readyz", "").Code, name)
	}
}

// stream calls through the Function URL while the provider is held up in the
// middle of its answer.
func (c *cloud) stream(t *testing.T, fake *fakeprovider.Provider) {
	gate := fakeprovider.NewGate()
	fake.Script("openai-fake", fakeprovider.Answer{Text: "one two three four five six seven eight", Frames: 8, Middle: gate})
	res := c.call(t, true)
	require.Equal(t, 200, res.StatusCode)
	require.Equal(t, "text/event-stream", strings.Split(res.Header.Get("Content-Type"), ";")[0])
	id := res.Header.Get("X-Aigne-Hub-Call-Id")
	require.NotEmpty(t, id)

	lines := bufio.NewReader(res.Body)
	first, err := lines.ReadString('\n')
	require.NoError(t, err, "a chunk arrives while the provider still writes")
	assert.Contains(t, first, "data: ")
	<-gate.Reached()
	call, err := c.app.Store.CallByID(t.Context(), id)
	require.NoError(t, err)
	assert.Equal(t, hub.StatusProcessing, call.Status)
	assert.Positive(t, call.Hold)
	gate.Release()
	rest, err := io.ReadAll(lines)
	require.NoError(t, err)
	assert.Contains(t, string(rest), "data: [DONE]")

	var seen struct {
		Status  string
		Credits money.Credits
		Usage   map[string]int64
	}
	c.ok(200, &seen, "usage", c.key, "GET", "/api/user/model-calls/"+id, "")
	assert.Equal(t, "success", seen.Status, "settled when its last byte is out")
	usage := fake.Reported()
	assert.Equal(t, map[string]int64{"input": usage[hub.Input], "output": usage[hub.Output]}, seen.Usage)
	// 2 and 10 dollars a million tokens are 2,000 and 10,000 nano-credits a token.
	want := money.Credits(2000*usage[hub.Input] + 10_000*usage[hub.Output])
	assert.Equal(t, want, seen.Credits)
	var balance struct{ Balance, Held money.Credits }
	c.ok(200, &balance, "billing", c.key, "GET", "/api/user/credit/balance", "")
	assert.Equal(t, 5*money.Credit-want, balance.Balance)
	assert.Zero(t, balance.Held)
}

// call makes a chat call through the proxy's Function URL.
func (c *cloud) call(t *testing.T, stream bool) *http.Response {
	t.Helper()
	res, err := c.post(t, stream)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	return res
}

func (c *cloud) post(t *testing.T, stream bool) (*http.Response, error) {
	body := `{"model":"fake/openai-fake","messages":[{"role":"user","content":"Count."}],"max_tokens":100}`
	if stream {
		body = strings.Replace(body, "{", `{"stream":true,`, 1)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, c.proxy+"/v1/chat/completions", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+c.key.Reveal())
	return http.DefaultClient.Do(r)
}

// sell buys credits: what Stripe signs is the body byte for byte.
func (c *cloud) sell(t *testing.T) {
	var made struct{ URL string }
	c.ok(201, &made, "billing", c.boss, "POST", "/api/user/credit/checkout", `{"credits":"5"}`)
	c.stripe.Pay(made.URL)
	for _, e := range c.stripe.Take() {
		for signature, want := range map[string]int{e.Signature(time.Now()): 200, fakestripe.Sign("other", e.Body, time.Now()): 400} {
			r := httptest.NewRequestWithContext(t.Context(), "POST", "/api/billing/stripe/webhook", bytes.NewReader(e.Body))
			r.Header.Set("Content-Type", "application/json; charset=utf-8")
			r.Header.Set("Stripe-Signature", signature)
			res := httptest.NewRecorder()
			c.fn["billing"].HTTPAPI().ServeHTTP(res, r)
			assert.Equal(t, want, res.Code, res.Body.String())
		}
	}
	var balance struct{ Balance string }
	c.ok(200, &balance, "billing", c.boss, "GET", "/api/user/credit/balance", "")
	assert.Equal(t, "5", balance.Balance)
}

// schedule sends what EventBridge sends.
func (c *cloud) schedule(t *testing.T) {
	caller, err := c.app.Keys.Caller(t.Context(), c.key)
	require.NoError(t, err)
	require.NoError(t, c.app.Reload(t.Context()))
	lost, _ := admit(t, c.app, caller, "fake/openai-fake") // by a process that dies: its lease is declared dead
	require.NoError(t, c.app.Store.Exec(t.Context(), "UPDATE leases SET dead = 1"))
	for _, job := range []string{"billing.sweep", "billing.expiry", "billing.ledger-verify"} {
		b, err := c.fn["billing"].Invoke(t.Context(), []byte(`{"job":"`+job+`"}`))
		require.NoError(t, err, job)
		assert.JSONEq(t, `{"job":"`+job+`","status":"done"}`, string(b))
	}
	call, err := c.app.Store.CallByID(t.Context(), lost.CallID)
	require.NoError(t, err)
	assert.Equal(t, hub.StatusInterrupted, call.Status)

	_, err = c.fn["billing"].Invoke(t.Context(), []byte(`{"job":"billing.nothing"}`))
	require.ErrorContains(t, err, "billing.nothing")
	holder := c.app.JobLease()
	release, ok, err := holder(t.Context(), "billing.sweep", time.Minute)
	require.NoError(t, err)
	require.True(t, ok)
	defer release()
	b, err := c.fn["billing"].Invoke(t.Context(), []byte(`{"job":"billing.sweep"}`))
	require.NoError(t, err)
	assert.JSONEq(t, `{"job":"billing.sweep","status":"busy"}`, string(b), "another process is at it")
}

// scale makes two calls at once, which needs two instances of the proxy, and
// changes the configuration under both.
func (c *cloud) scale(t *testing.T, fake *fakeprovider.Provider) {
	gate := fakeprovider.NewGate()
	fake.Script("openai-fake", fakeprovider.Answer{Text: "held", Before: gate}, fakeprovider.Answer{Text: "held", Before: gate})
	type answer struct {
		res *http.Response
		err error
	}
	answers := make(chan answer, 2)
	for range 2 {
		go func() {
			res, err := c.post(t, false)
			answers <- answer{res, err}
		}()
	}
	<-gate.Reached()
	<-gate.Reached()
	gate.Release()
	for range 2 {
		a := <-answers
		require.NoError(t, a.err)
		b, err := io.ReadAll(a.res.Body)
		require.NoError(t, err)
		require.NoError(t, a.res.Body.Close())
		assert.Equal(t, 200, a.res.StatusCode, string(b))
	}
	assert.Equal(t, 2, c.fn["proxy"].Started())

	_, err := c.app.Desk.SetRate(t.Context(), "test", operator.NewRate{Provider: "fake", Model: "openai-fake",
		Prices: map[hub.Bucket]string{hub.Input: "0", hub.Output: "0"}})
	require.NoError(t, err)
	for range 2 {
		res := c.call(t, false)
		assert.Equal(t, 200, res.StatusCode)
		assert.Equal(t, "0", res.Header.Get("X-Aigne-Hub-Credits"), "each instance notices the new rate by itself")
	}
	var books struct{ OK bool }
	c.ok(200, &books, "billing", c.boss, "GET", "/api/billing/ledger/verify", "")
	assert.True(t, books.OK)
}
