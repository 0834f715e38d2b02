package functions_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// stats asks for a statistic, which must succeed.
func (w *world) stats(as, target string) object {
	w.t.Helper()
	res := w.do("usage", as, "GET", target, "")
	require.Equal(w.t, 200, res.Code, "%s: %s", target, res.Body.String())
	var v object
	d := json.NewDecoder(strings.NewReader(res.Body.String()))
	d.UseNumber()
	require.NoError(w.t, d.Decode(&v))
	return v
}

// at takes a value out of an answer by its path.
func at(v any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			v = v.(object)[p]
		case int:
			v = v.([]any)[p]
		}
	}
	return v
}

// TestStatisticsAreOnesOwnUnlessAskedForAll: three calls of member, two of other.
func TestStatisticsAreOnesOwnUnlessAskedForAll(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on", "AIGNE_HUB_CREDIT_PRICE=2")
	w.priced()
	for user, n := range map[string]int{"member": 3, "other": 2} {
		w.grant(user+"@example.com", "1")
		for range n {
			w.call(user)
		}
	}
	require.NoError(t, w.app.Roller.Run(t.Context()))
	for _, c := range []struct {
		as, target string
		path       []any
		want       string
	}{
		{"member", "/api/usage/summary", []any{"calls"}, "3"},
		{"member", "/api/usage/summary", []any{"credits"}, "0.00456"},
		{"member", "/api/usage/summary", []any{"previous", "calls"}, "0"},
		{"member", "/api/usage/summary", []any{"statuses", "success"}, "3"},
		{"member", "/api/usage/summary", []any{"input_tokens"}, "3060"},
		{"other", "/api/usage/summary?compare=none", []any{"calls"}, "2"},
		{"other", "/api/usage/summary?compare=none", []any{"previous"}, "<nil>"},
		{"admin", "/api/usage/summary", []any{"calls"}, "0"},
		{"admin", "/api/usage/summary?allUsers=true", []any{"calls"}, "5"},
		{"admin", "/api/usage/summary?scope=all", []any{"revenue_usd"}, "0.0152"},
		{"admin", "/api/usage/summary?allUser=1", []any{"cost_usd"}, "0.0076"},
		{"admin", "/api/usage/summary?allUser=1", []any{"margin_usd"}, "0.0076"},
		{"admin", "/api/usage/summary?user=other@example.com", []any{"calls"}, "2"},
		{"admin", "/api/usage/summary?allUsers=true&model=nothing", []any{"calls"}, "0"},
		{"admin", "/api/usage/breakdown?allUsers=true&by=user", []any{"data", 0, "email"}, "member@example.com"},
		{"admin", "/api/usage/breakdown?allUsers=true&by=user", []any{"data", 0, "share"}, "0.6"},
		{"admin", "/api/usage/breakdown?allUsers=true&by=user&pageSize=1&page=2", []any{"data", 0, "email"}, "other@example.com"},
		{"admin", "/api/usage/breakdown?allUsers=true&by=key&sort=cost", []any{"data", 0, "name"}, "laptop"},
		{"admin", "/api/usage/breakdown?allUsers=true&by=group", []any{"total"}, "1"},
		{"member", "/api/usage/breakdown", []any{"data", 0, "key"}, "alpha/m"},
		{"member", "/api/usage/breakdown?by=provider", []any{"data", 0, "name"}, "alpha"},
		{"member", "/api/usage/breakdown?by=type", []any{"data", 0, "key"}, "chatCompletion"},
		{"member", "/api/usage/breakdown?by=status", []any{"data", 0, "key"}, "success"},
		{"member", "/api/usage/trends?timeRange=1", []any{"granularity"}, "hour"},
		{"member", "/api/usage/trends?timeRange=2&timezone=Asia/Kolkata", []any{"timezone"}, "Asia/Kolkata"},
		{"member", "/api/usage/trends?timeRange=2&timezoneOffset=-330", []any{"timezone"}, "UTC+05:30"},
		{"member", "/api/usage/projects", []any{"projects", 0, "totalCalls"}, "3"},
		{"member", "/api/usage/projects", []any{"projects", 0, "successRate"}, "100.00"},
		{"admin", "/api/usage/projects?allUsers=true&sortBy=totalCredits", []any{"projects", 0, "totalCredits"}, "0.0076"},
		{"member", "/api/usage/projects/group-trends", []any{"granularity"}, "day"},
		{"member", "/api/usage/projects/trends?appDid=zNobody", []any{"project", "appDid"}, "zNobody"},
		{"member", "/api/usage/errors", []any{"calls"}, "3"},
		{"member", "/api/usage/errors", []any{"errors"}, "0"},
		{"member", "/api/user/usage-stats?timeRange=7", []any{"modelStats", "list", 0, "totalCalls"}, "3"},
		{"admin", "/api/user/admin/user-stats", []any{"modelStats", "list", 0, "totalCalls"}, "5"},
		{"admin", "/api/user/admin/user-stats", []any{"modelStats", "list", 0, "provider", "name"}, "alpha"},
		{"admin", "/api/usage/group-trends?allUsers=true&by=user&top=1", []any{"series", 0, "email"}, "member@example.com"},
		{"admin", "/api/usage/group-trends?allUsers=true&by=user&top=1", []any{"series", 0, "total", "cost_usd"}, "0.00456"},
		{"member", "/api/usage/group-trends?by=model", []any{"series", 0, "total", "totalCalls"}, "3"},
	} {
		v := w.stats(c.as, c.target)
		got := fmt.Sprint(at(v, c.path...))
		if strings.HasPrefix(c.want, "0.0") || c.path[len(c.path)-1] == "credits" {
			assert.NotEmpty(t, got)
		}
		assert.Equal(t, c.want, got, "%s of %s as %s", c.path, c.target, c.as)
		if c.as != "admin" {
			for _, hidden := range []string{"cost_usd", "margin_usd", "revenue_usd", "calls_without_cost", "shortfall"} {
				b, _ := json.Marshal(v)
				assert.NotContains(t, string(b), hidden, c.target)
			}
		}
	}
	assert.NotEmpty(t, at(w.stats("admin", "/api/user/admin/user-stats"), "modelStats", "list", 0, "providerId"))
	caller, err := w.app.Keys.Caller(t.Context(), w.keys["member"])
	require.NoError(t, err)
	key := w.act("admin", "GET /api/admin/keys/"+caller.KeyID, "")
	assert.EqualValues(t, 3, at(key, "use", "calls"))
	assert.Equal(t, "0.00456", at(key, "use", "cost_usd"))
}

// TestTrendsHaveEveryPoint: thirty days and today, though nothing was called before.
func TestTrendsHaveEveryPoint(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	w.call("member")
	trends := at(w.stats("member", "/api/usage/trends"), "trends").([]any)
	require.Len(t, trends, 31)
	assert.Equal(t, "0", fmt.Sprint(at(trends[3], "calls")))
	last := trends[30].(object)
	for name, want := range map[string]string{"calls": "1", "successCalls": "1", "successRate": "100.00", "totalCredits": "0.00304", "totalUsage": "1120", "avgTtfb": "0"} {
		assert.Equal(t, want, fmt.Sprint(last[name]), name)
	}
	day := time.Now().UTC().Truncate(24 * time.Hour).Unix()
	assert.Equal(t, fmt.Sprint(day), fmt.Sprint(last["timestamp"]))
	rows := at(w.stats("member", "/api/usage/group-trends?by=model&granularity=week"), "trends").([]any)
	assert.Equal(t, "1", fmt.Sprint(at(rows[len(rows)-1], "values", "alpha/m", "totalCalls")))
}

func TestStatisticsThatCannotBeGiven(t *testing.T) {
	t.Parallel()
	w := open(t)
	const usage = "/api/usage/"
	for target, want := range map[string]int{
		usage + "summary?allUsers=true": 403, usage + "summary?allUser=1": 403, usage + "summary?scope=all": 403, usage + "summary?user=other@example.com": 403,
		usage + "breakdown?sort=cost": 403, usage + "breakdown?by=user&scope=all": 403,
		usage + "summary?startTime=x": 400, usage + "summary?timezone=Mars": 400, usage + "summary?timezoneOffset=900": 400, usage + "summary?compare=all": 400,
		usage + "summary?allUsers=maybe": 400, usage + "summary?status=processing": 400, usage + "summary?type=poem": 400, usage + "summary?startTime=99999999999": 400,
		usage + "trends?granularity=minute": 400, usage + "trends?granularity=hour&timeRange=300": 400, usage + "breakdown?by=weather": 400,
		usage + "breakdown?sort=luck": 400, usage + "group-trends?top=0": 400, usage + "projects?sortBy=name": 400, usage + "projects?sortOrder=up": 400,
		usage + "projects/trends": 400, usage + "summary?model=" + strings.Repeat("m", 300): 400,
		"/api/user/admin/user-stats": 403,
	} {
		res := w.do("usage", "member", "GET", target, "")
		assert.Equal(t, want, res.Code, "%s: %s", target, res.Body.String())
	}
	assert.Equal(t, 401, w.do("usage", "", "GET", usage+"summary", "").Code)
	assert.Equal(t, 400, w.do("usage", "admin", "GET", usage+"summary?user=nobody@example.com", "").Code)
	assert.Equal(t, 400, w.do("usage", "admin", "GET", usage+"summary?scope=all&keyId=nothing", "").Code)
}

func TestSumsAreMadeAgainOnDemand(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_BILLING=on")
	w.priced()
	w.grant("member@example.com", "1")
	w.call("member")
	today := time.Now().UTC().Format(time.DateOnly)
	v := w.act("usage", "POST /api/usage/stats/backfill", fmt.Sprintf(`{"startDate":"%s","endDate":"%s"}`, time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly), today))
	assert.EqualValues(t, 24, v["processed"])
	assert.EqualValues(t, 1, v["ranges"])
	require.NoError(t, w.app.Roller.Run(t.Context()))
	for body, field := range map[string]string{
		`{"startDate":"yesterday","endDate":"2026-01-01"}`:  "startDate",
		`{"startDate":"2026-01-01","endDate":"2026-13-01"}`: "endDate",
		`{"startDate":"2024-01-01","endDate":"2026-01-01"}`: "startDate",
		`{"startDate":"2026-01-02","endDate":"2026-01-01"}`: "startDate",
	} {
		res := w.do("usage", "admin", "POST", "/api/usage/stats/backfill", body)
		assert.Equal(t, 400, res.Code, body)
		assert.Equal(t, field, at(mustObject(t, res.Body.String()), "error", "param"), body)
	}
	assert.Equal(t, 403, w.do("usage", "member", "POST", "/api/usage/stats/backfill", `{"startDate":"2026-01-01","endDate":"2026-01-02"}`).Code)
}

func mustObject(t *testing.T, text string) (v object) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &v))
	return v
}
