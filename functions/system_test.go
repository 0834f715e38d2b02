package functions_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// read asks for something and reads the answer.
func read[T any](w *world, fn, as, target string) (v T) {
	w.t.Helper()
	res := w.do(fn, as, "GET", target, "")
	require.Equal(w.t, 200, res.Code, res.Body.String())
	require.NoError(w.t, json.Unmarshal(res.Body.Bytes(), &v))
	return v
}

// jobs lets the world's process run jobs, as serve does.
func (w *world) jobs(all ...schedule.Job) {
	w.t.Helper()
	runner, err := schedule.New(w.app.Noted(all), schedule.Options{Lease: w.app.JobLease(), Log: w.app.Log})
	require.NoError(w.t, err)
	w.app.Runner = runner
}

type jobNow struct {
	Name      string
	Here      bool
	Running   bool
	Failures  int64
	Error     string
	StartedAt *time.Time `json:"started_at"`
	OKAt      *time.Time `json:"ok_at"`
	NextAt    *time.Time `json:"next_at"`
}

func (w *world) jobsNow() map[string]jobNow {
	w.t.Helper()
	out := map[string]jobNow{}
	for _, j := range read[struct{ Data []jobNow }](w, "admin", "admin", "/api/admin/jobs").Data {
		out[j.Name] = j
	}
	return out
}

func TestJobsAreShownAndRunByHand(t *testing.T) {
	t.Parallel()
	w := open(t)
	assert.Empty(t, w.jobsNow(), "a process without jobs shows what others noted: nothing")
	fault := errors.New("the disk is full")
	var slow chan struct{}
	w.jobs(
		schedule.Job{Name: "test.fine", Every: time.Hour, Run: func(context.Context) error { return nil }},
		schedule.Job{Name: "test.bad", Every: time.Minute, Run: func(context.Context) error { return fault }},
		schedule.Job{Name: "test.slow", Run: func(ctx context.Context) error {
			select {
			case <-slow:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}},
	)
	slow = make(chan struct{})
	assert.JSONEq(t, `{"state":"done"}`, w.do("admin", "admin", "POST", "/api/admin/jobs/test.fine/run", "").Body.String())
	assert.JSONEq(t, `{"state":"failed","error":"job test.bad: the disk is full"}`, w.do("admin", "owner", "POST", "/api/admin/jobs/test.bad/run", "").Body.String())
	w.do("admin", "owner", "POST", "/api/admin/jobs/test.bad/run", "")
	assert.Equal(t, 404, w.do("admin", "admin", "POST", "/api/admin/jobs/test.other/run", "").Code)
	assert.Equal(t, 403, w.do("admin", "member", "POST", "/api/admin/jobs/test.fine/run", "").Code)
	all := w.jobsNow()
	require.Len(t, all, 3)
	fine, bad := all["test.fine"], all["test.bad"]
	assert.True(t, fine.Here && fine.OKAt != nil && fine.Failures == 0)
	assert.Equal(t, fine.StartedAt.Add(time.Hour), *fine.NextAt)
	assert.Equal(t, int64(2), bad.Failures)
	assert.Equal(t, "the disk is full", bad.Error)
	assert.Nil(t, bad.OKAt)
	o := read[struct{ Jobs []jobNow }](w, "admin", "admin", "/api/admin/overview")
	require.Len(t, o.Jobs, 1)
	assert.Equal(t, "test.bad", o.Jobs[0].Name, "a job that fails needs a hand")

	assert.JSONEq(t, `{"state":"running"}`, w.do("admin", "admin", "POST", "/api/admin/jobs/test.slow/run", "").Body.String(), "a long one goes on without its request")
	assert.True(t, w.jobsNow()["test.slow"].Running)
	res := w.do("admin", "admin", "POST", "/api/admin/jobs/test.slow/run", "")
	assert.Equal(t, 409, res.Code, res.Body.String())
	close(slow)
	require.Eventually(t, func() bool { return w.jobsNow()["test.slow"].OKAt != nil }, 10*time.Second, 20*time.Millisecond)

	fault = nil
	w.do("admin", "admin", "POST", "/api/admin/jobs/test.bad/run", "")
	assert.Zero(t, w.jobsNow()["test.bad"].Failures, "one run that ends well and nothing is wrong any more")
}

func TestTheSystemShowsWhatRunsAndNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "smtps://user:hush-hush@mail.example.com:465?from=hub@example.com"
	w := open(t, "AIGNE_HUB_SMTP_URL="+secret, "AIGNE_HUB_BILLING=on")
	type system struct {
		Go       string
		Database struct {
			Kind, Engine, URL string
			Size              int64 `json:"size_bytes"`
			Migrations        []struct{ Name string }
		}
		Places struct{ Master string }
	}
	res := w.do("admin", "admin", "GET", "/api/admin/system", "")
	require.Equal(t, 200, res.Code, res.Body.String())
	assert.NotContains(t, res.Body.String(), "hush-hush")
	var v system
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &v))
	assert.Equal(t, "file", v.Database.Kind)
	assert.NotEmpty(t, v.Database.Engine)
	assert.Positive(t, v.Database.Size)
	assert.Equal(t, "file", v.Places.Master)
	require.NotEmpty(t, v.Database.Migrations)
	assert.Equal(t, 403, w.do("admin", "member", "GET", "/api/admin/system", "").Code)
}

func TestTheVaultsKeysAreRotatedByHand(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	type vault struct {
		Rotating bool
		Data     []struct {
			State  string
			Values map[string]int64
		}
	}
	before := read[vault](w, "admin", "admin", "/api/admin/vault")
	require.Len(t, before.Data, 1)
	assert.Equal(t, int64(2), before.Data[0].Values["ai_credentials"])
	res := w.do("admin", "owner", "POST", "/api/admin/vault/rotate", "")
	require.Equal(t, 200, res.Code, res.Body.String())
	assert.JSONEq(t, `{"state":"running"}`, res.Body.String())
	assert.Equal(t, 409, w.do("admin", "owner", "POST", "/api/admin/vault/rotate", "").Code, "one at a time")
	assert.True(t, read[vault](w, "admin", "admin", "/api/admin/vault").Rotating)
	require.Eventually(t, func() bool {
		v := read[vault](w, "admin", "admin", "/api/admin/vault")
		return !v.Rotating && len(v.Data) == 2 && v.Data[0].State == "retired"
	}, 20*time.Second, 100*time.Millisecond)
	after := read[vault](w, "admin", "admin", "/api/admin/vault")
	assert.Equal(t, int64(2), after.Data[1].Values["ai_credentials"], "every value is under the new key")
	require.Eventually(t, func() bool {
		return strings.Contains(w.do("admin", "admin", "GET", "/api/admin/audit?action=vault.rotated", "").Body.String(), "resealed")
	}, 5*time.Second, 50*time.Millisecond, "what came of it is on record")
}

func TestAPlanIsExplainedForSomebodyElse(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	_, err := w.app.Desk.SetGroups(t.Context(), "test", "member@example.com", []string{"beta"})
	require.NoError(t, err)
	one := func(model string) []routing.Step {
		return []routing.Step{{Targets: []routing.Weighted{{Model: model}}}}
	}
	require.NoError(t, w.app.Desk.SetAlias(t.Context(), "test", routing.Alias{Name: "smart", Rules: []routing.Rule{
		{When: routing.When{Groups: []string{"beta"}}, Steps: one("beta/m")}, {Steps: append(one("alpha/m"), one("nowhere/m")...)},
	}}))
	require.NoError(t, w.app.Reload(t.Context()))
	type plan struct {
		Why, Fault, User string
		Groups           []string
		Targets          []struct {
			Target               string
			Credentials, Resting int
		}
		Refused []routing.Refusal
	}
	ask := func(query string) plan { return read[plan](w, "admin", "admin", "/api/admin/plan?model=smart"+query) }
	anyone := ask("")
	require.Len(t, anyone.Targets, 1)
	assert.Equal(t, "alpha/m", anyone.Targets[0].Target)
	assert.Equal(t, 1, anyone.Targets[0].Credentials)
	require.Len(t, anyone.Refused, 1)
	assert.Equal(t, "nowhere/m", anyone.Refused[0].Target)
	member := ask("&user=member@example.com")
	assert.Equal(t, "alias smart, rule 1", member.Why)
	assert.Equal(t, []string{"member", "beta"}, member.Groups)
	assert.Equal(t, "beta/m", member.Targets[0].Target)

	_, key, err := w.app.Desk.CreateLimitedKey(t.Context(), "test", "member@example.com", "narrow", nil, operator.KeyLimits{Models: []string{"alpha/*"}})
	require.NoError(t, err)
	narrow := ask("&keyId=" + key.ID)
	assert.Equal(t, "member@example.com", narrow.User)
	assert.Empty(t, narrow.Targets)
	assert.NotEmpty(t, narrow.Fault, "a key that may not use the model has nowhere to go, and the answer says so")
	for query, param := range map[string]string{"&user=nobody@example.com": "user", "&keyId=01HZZZZZZZZZZZZZZZZZZZZZZZ": "keyId", "&tokens=-1": "tokens", "&needs=wings": "needs"} {
		res := w.do("admin", "admin", "GET", "/api/admin/plan?model=smart"+query, "")
		assert.Equal(t, 400, res.Code, query)
		assert.Contains(t, res.Body.String(), `"param":"`+param+`"`, query)
	}
}

func TestLimitsTellHowMuchIsUsedAndByWhom(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	for _, n := range []operator.NewLimit{
		{Scope: "user", Subject: "*", Metric: "requests", Period: "day", Amount: "10"},
		{Scope: "user", Subject: "member@example.com", Metric: "credits", Period: "month", Amount: "2.5"},
		{Scope: "model", Subject: "alpha/m", Metric: "concurrency", Amount: "3"},
	} {
		_, err := w.app.Desk.SetLimit(t.Context(), "test", n)
		require.NoError(t, err)
	}
	require.NoError(t, w.app.Reload(t.Context()))
	w.call("member")
	w.admit("member") // stays open
	type limit struct {
		Scope, Name, Used, Amount string
		UsedBy                    string `json:"used_by"`
		Counted                   int64
		Ends                      *time.Time
	}
	type page struct {
		Data []limit
		Next *string `json:"next_cursor"`
	}
	p := read[page](w, "admin", "admin", "/api/admin/limits?pageSize=2")
	require.Len(t, p.Data, 2)
	require.NotNil(t, p.Next)
	assert.Equal(t, "model", p.Data[0].Scope)
	assert.Equal(t, []string{"1", "3"}, []string{p.Data[0].Used, p.Data[0].Amount}, "one call is open")
	assert.Nil(t, p.Data[0].Ends)
	budget := p.Data[1]
	assert.Equal(t, "member@example.com", budget.Name)
	assert.Equal(t, "2.5", budget.Amount)
	assert.NotEqual(t, "0", budget.Used)
	assert.True(t, budget.Ends.After(w.app.Now()))
	rest := read[page](w, "admin", "admin", "/api/admin/limits?pageSize=2&cursor="+*p.Next)
	require.Len(t, rest.Data, 1)
	assert.Equal(t, "2", rest.Data[0].Used)
	assert.Equal(t, int64(1), rest.Data[0].Counted)
	assert.NotEmpty(t, rest.Data[0].UsedBy)
	assert.Nil(t, rest.Next)
	assert.Len(t, read[page](w, "admin", "admin", "/api/admin/limits?scope=user&subject=member@example.com").Data, 1)
	assert.Len(t, read[page](w, "admin", "admin", "/api/admin/limits?metric=concurrency").Data, 1)
}

func TestAProviderAndACredentialAreChanged(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	const at = "/api/admin/providers/alpha"
	w.secrets = append(w.secrets, "sk-the-next-key")
	res := w.do("admin", "admin", "PATCH", at, `{"display_name":"Alpha Inc.","base_url":"http://127.0.0.1:2/v1","enabled":false}`)
	require.Equal(t, 200, res.Code, res.Body.String())
	var v struct {
		DisplayName string `json:"display_name"`
		BaseURL     string `json:"base_url"`
		Enabled     bool
	}
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &v))
	assert.Equal(t, "Alpha Inc.", v.DisplayName)
	assert.Equal(t, "http://127.0.0.1:2/v1", v.BaseURL)
	assert.False(t, v.Enabled)
	require.NoError(t, w.app.Reload(t.Context()))
	_, err := w.app.Routes().Plan(routing.Request{Model: "alpha/m", Type: hub.TypeChat})
	require.Error(t, err, "nothing goes to a provider that is switched off")
	assert.Equal(t, 400, w.do("admin", "admin", "PATCH", at, `{}`).Code)
	assert.Equal(t, 200, w.do("admin", "admin", "PATCH", at, `{"enabled":true}`).Code)

	before, err := w.app.Store.Credentials(t.Context())
	require.NoError(t, err)
	res = w.do("admin", "admin", "PATCH", at+"/credentials/hush", `{"value":"sk-the-next-key","active":true}`)
	require.Equal(t, 200, res.Code, res.Body.String())
	after, err := w.app.Store.Credentials(t.Context())
	require.NoError(t, err)
	changed := 0
	for i := range before {
		if before[i].Sealed != after[i].Sealed {
			changed++
		}
	}
	assert.Equal(t, 1, changed, "one credential has another value, under its own name")
	require.NoError(t, w.app.Reload(t.Context()))
	for _, p := range w.app.Routes().Providers() {
		if p.Name == "alpha" {
			assert.Equal(t, "sk-the-next-key", p.Credentials[0].Secret.Reveal())
		}
	}
}

func TestAModelIsCalledToTryIt(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	var v struct {
		OK    bool
		Code  string
		Error string
	}
	res := w.do("proxy", "admin", "POST", "/api/ai/probe", `{"provider":"alpha","model":"m"}`)
	require.Equal(t, 200, res.Code, res.Body.String())
	require.NoError(t, json.Unmarshal(res.Body.Bytes(), &v))
	assert.False(t, v.OK)
	assert.NotEmpty(t, v.Error, "nobody listens there, and that is the answer")
	probes := read[struct {
		Data []struct{ Provider, Model string }
	}](w, "admin", "admin", "/api/admin/probes")
	require.Len(t, probes.Data, 1)
	assert.Equal(t, "alpha", probes.Data[0].Provider)
	assert.Equal(t, 403, w.do("proxy", "member", "POST", "/api/ai/probe", `{"provider":"alpha","model":"m"}`).Code)
	assert.Equal(t, 400, w.do("proxy", "admin", "POST", "/api/ai/probe", `{"provider":"alpha"}`).Code)
}
