package usage_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/testkit/blank"
)

// past is when the calls of these tests begin.
var past = time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC)

// desk is a hub with a member and an admin, and the function over it.
type desk struct {
	t             *testing.T
	app           *boot.App
	deps          usage.Deps
	member, admin store.User
	keys          map[string]hub.Secret
	key           store.APIKey // of the member
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	a := open(t, "on")
	d := &desk{t: t, app: a, keys: map[string]hub.Secret{}}
	for name, role := range map[string]hub.Role{"member": hub.RoleMember, "admin": hub.RoleAdmin} {
		u, err := a.Desk.CreateUser(t.Context(), "test", name+"@example.com", role, "")
		require.NoError(t, err)
		secret, key, err := a.Desk.CreateKey(t.Context(), "test", name+"@example.com", "=cmd|' /c calc'!A1", nil)
		require.NoError(t, err)
		d.keys[name] = secret
		if role == hub.RoleMember {
			d.member, d.key = u, key
		} else {
			d.admin = u
		}
	}
	d.deps = usage.Deps{Deps: a.HTTP(), Store: a.Store, Routes: a.Routes, CreditPrice: "1", Book: a.Book, Desk: a.Desk, Blobs: a.Blobs, Vault: a.Vault,
		PublicURL: "https://hub.test"}
	return d
}

// call is what differs among the calls that these tests make.
type call struct {
	at                                        time.Time
	id, user, key, app, request, model, error string
	status                                    string
	durationMS, credits                       int64
}

func (d *desk) add(s *store.Store, all ...call) (ids []string) {
	d.t.Helper()
	for chunk := range slices.Chunk(all, 500) {
		u := &store.Unit{}
		for _, c := range chunk {
			if c.id == "" {
				c.id = ulid.MustNew(ulid.Timestamp(c.at), ulid.DefaultEntropy()).String()
			}
			if c.user == "" {
				c.user = d.member.ID
			}
			if c.status == "" {
				c.status = "success"
			}
			account := d.member.AccountID
			if c.user == d.admin.ID {
				account = d.admin.AccountID
			}
			u.Add(`INSERT INTO model_calls (id, created_at, user_id, api_key_id, app_id, account_id, type, dialect, requested_model, stream, status, owner,
  config_version, request_id, billing, on_abort, on_failure, plan_json, provider, model, credits_nano, cost_nano, error_text, duration_ms, credential, http_status, input, output, other_units_json)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'chatCompletion', 'openai', ?7, 1, ?8, 'o', 1, ?9, 0, 'reported', 'free', '{"targets":[]}', 'first-vendor', ?7, ?10, 77, ?11, ?12, 'hush', 200, 10, 5, '{"images":2}')`,
				c.id, c.at.UnixMilli(), c.user, c.key, c.app, account, c.model, c.status, c.request, c.credits, c.error, c.durationMS)
			ids = append(ids, c.id)
		}
		require.NoError(d.t, s.Do(d.t.Context(), u))
	}
	return ids
}

func (d *desk) send(as, method, target string, header ...string) *httptest.ResponseRecorder {
	d.t.Helper()
	r := httptest.NewRequestWithContext(d.t.Context(), method, target, nil)
	r.Header.Set("Authorization", "Bearer "+d.keys[as].Reveal())
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	usage.New(d.deps).ServeHTTP(w, r)
	return w
}

func (d *desk) get(as, target string) *httptest.ResponseRecorder {
	d.t.Helper()
	w := d.send(as, http.MethodGet, target)
	require.Equal(d.t, http.StatusOK, w.Code, target+"\n"+w.Body.String())
	return w
}

func read[T any](t *testing.T, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &v), w.Body.String())
	return v
}

// list leafs through a list by cursor.
func (d *desk) list(as, query string) (ids []string) {
	d.t.Helper()
	type page struct {
		Data []struct{ ID string }
		Next *string `json:"next_cursor"`
	}
	before := ""
	for range 1000 {
		p := read[page](d.t, d.get(as, "/api/user/model-calls?"+query+before))
		for _, c := range p.Data {
			ids = append(ids, c.ID)
		}
		if p.Next == nil {
			return ids
		}
		before = "&before=" + *p.Next
	}
	require.Fail(d.t, "the list has no end")
	return nil
}

// shelf is archives of tests: all of them may hold anything.
type shelf []*store.Store

func (s shelf) Of(context.Context, time.Time, time.Time) ([]*store.Store, error) { return s, nil }

func (s shelf) Newest(context.Context, time.Time, time.Time) ([]*store.Store, string, error) {
	return s, "", nil
}

func (s shelf) First(context.Context) (at time.Time, ok bool, err error) { return at, false, nil }

func (d *desk) archive() *store.Store {
	d.t.Helper()
	url := "file:" + filepath.Join(d.t.TempDir(), "archive.db")
	blank.At(d.t, url)
	s, err := store.Open(d.t.Context(), store.Options{URL: url})
	require.NoError(d.t, err)
	d.t.Cleanup(func() { require.NoError(d.t, s.Close()) })
	for _, u := range []store.User{d.member, d.admin} {
		require.NoError(d.t, s.Exec(d.t.Context(), "INSERT INTO users (id, email, role, created_at) VALUES (?1, ?1, 'member', 0)", u.ID))
		require.NoError(d.t, s.Exec(d.t.Context(), "INSERT INTO accounts (id, kind, user_id, created_at) VALUES (?1, 'wallet', ?2, 0)", u.AccountID, u.ID))
	}
	return s
}

func reversed(ids []string) []string {
	out := slices.Clone(ids)
	slices.Reverse(out)
	return out
}

func TestArchivedCallsAreListedAndShownLikeOthers(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	older, newer := d.archive(), d.archive()
	d.deps.Archives = shelf{newer, older}
	var calls []call
	for i := range 90 {
		calls = append(calls, call{at: past.Add(time.Duration(i) * time.Hour), model: fmt.Sprintf("m-%d", i%3), id: ulid.MustNew(ulid.Timestamp(past.Add(time.Duration(i)*time.Hour)), ulid.DefaultEntropy()).String()})
	}
	d.add(older, calls[:40]...)
	d.add(newer, calls[35:70]...)           // five of them are just being moved
	d.add(d.app.Store, calls[60:]...)       // ten too
	d.add(d.app.Store, calls[3], calls[50]) // and two stayed behind
	var want, ones []string
	for i, c := range calls {
		want = append(want, c.id)
		if i%3 == 1 {
			ones = append(ones, c.id)
		}
	}
	want, ones = reversed(want), reversed(ones)
	for _, size := range []int{7, 20, 100} {
		assert.Equal(t, want, d.list("member", fmt.Sprintf("pageSize=%d", size)))
		assert.Equal(t, ones, d.list("admin", fmt.Sprintf("scope=all&model=m-1&pageSize=%d", size)))
	}
	from, until := past.Add(20*time.Hour).Unix(), past.Add(65*time.Hour).Unix()
	assert.Equal(t, want[25:70], d.list("member", fmt.Sprintf("startTime=%d&endTime=%d", from, until)))
	require.NoError(t, older.Exec(t.Context(), `INSERT INTO model_call_attempts (call_id, number, provider, model, credential, http_status, category, error_text, duration_ms)
		VALUES (?1, 1, 'second-vendor', 'm', 'spent', 429, 'rate_limited', 'x', 5)`, calls[1].id))
	body := d.get("member", "/api/user/model-calls/"+calls[1].id).Body.String()
	assert.Contains(t, body, `"category":"rate_limited"`)
	assert.Contains(t, body, `"user":"member@example.com"`)
	assert.Equal(t, 404, d.send("member", "GET", "/api/user/model-calls/"+ulid.Make().String()).Code)
	// By number too.
	type page struct {
		Count  int
		List   []struct{ ID string }
		Paging struct{ AsOf string }
	}
	var got []string
	for n := 1; n <= 5; n++ {
		p := read[page](t, d.get("member", fmt.Sprintf("/api/user/model-calls?page=%d&pageSize=25", n)))
		assert.Equal(t, 90, p.Count)
		for _, c := range p.List {
			got = append(got, c.ID)
		}
	}
	assert.Equal(t, want, got)
}

func TestNumberedPagesStayWhereTheyAreWhileCallsAreAdded(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	at := past
	grow := func(n int) (ids []string) {
		for range n {
			at = at.Add(time.Minute)
			ids = append(ids, d.add(d.app.Store, call{at: at, model: "m"})...)
		}
		return ids
	}
	want := reversed(grow(23))
	var got []string
	asOf := ""
	for n := 1; n <= 5; n++ {
		p := read[struct {
			Count      int
			CountExact bool
			List       []struct{ ID string }
			Paging     struct{ AsOf string }
		}](t, d.get("member", fmt.Sprintf("/api/user/model-calls?page=%d&pageSize=5&asOf=%s", n, asOf)))
		assert.Equal(t, 23, p.Count)
		assert.True(t, p.CountExact)
		asOf = p.Paging.AsOf
		for _, c := range p.List {
			got = append(got, c.ID)
		}
		grow(4)
	}
	assert.Equal(t, want, got)
	w := d.send("member", "GET", "/api/user/model-calls?page=10000&pageSize=100")
	assert.Equal(t, 400, w.Code)
	assert.Contains(t, w.Body.String(), "go on with before=")
}

func TestANumberedPageHasTheShapeOfAIGNEHub(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	ids := d.add(d.app.Store, call{at: past, model: "m", app: "zApp", request: "r-1", credits: 1_500_000_000, durationMS: 2340, error: "no", status: "failed"})
	provider, err := d.app.Store.ProviderByName(t.Context(), "first-vendor")
	require.NoError(t, err)
	item := `{"id":"` + ids[0] + `","callTime":1774744200,"createdAt":"2026-03-29T00:30:00.000Z","requestId":"r-1","traceId":"","model":"m",
		"providerId":"` + provider.ID + `","type":"chatCompletion","status":"failed","duration":2.3,"totalUsage":15,
		"usageMetrics":{"inputTokens":10,"outputTokens":5,"totalTokens":15,"numberOfImageGeneration":2},"credits":1.5,"errorReason":"no","appDid":"zApp",
		"userDid":"` + d.member.ID + `","ttfb":null,"providerTtfb":null,"provider":{"id":"` + provider.ID + `","name":"first-vendor","displayName":"` + provider.DisplayName + `"},
		"appInfo":{"appDid":"zApp","appName":""},"userInfo":{"did":"` + d.member.ID + `","email":"member@example.com"}}`
	w := d.get("member", "/api/user/model-calls?page=1&pageSize=50&startTime=1774744200&status=failed&providerId="+provider.ID+"&minDurationSeconds=2.3")
	assert.JSONEq(t, `{"count":1,"countExact":true,"list":[`+item+`],"paging":{"page":1,"pageSize":50,"asOf":"`+ids[0]+`"}}`, w.Body.String())
	w = d.get("admin", "/api/usage/projects/calls?appDid=zApp&allUsers=true&page=1")
	assert.JSONEq(t, `{"count":1,"list":[`+item+`],"page":1,"pageSize":20}`, w.Body.String())
	assert.Equal(t, 400, d.send("admin", "GET", "/api/usage/projects/calls").Code)
}

func TestASearchFindsByBoundedFields(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	made := ulid.MustNew(ulid.Timestamp(past.Add(-time.Second)), ulid.DefaultEntropy()).String()
	ids := d.add(d.app.Store, call{at: past, model: "claude-9", request: made, key: d.key.ID}, call{at: past.Add(time.Minute), model: "gpt-9", request: "mine"},
		call{at: past.Add(2 * time.Hour), model: "gpt-8", request: "theirs", user: d.admin.ID})
	for query, want := range map[string][]string{
		"search=" + ids[0]:     {ids[0]},
		"search=" + made:       {ids[0]},
		"search=mine":          {ids[1]},
		"search=GPT":           {ids[1]},
		"search=gpt&scope=all": {ids[2], ids[1]},
		"search=gpt&searchFields=id,traceId&scope=all":              nil,
		"search=" + d.member.ID + "&scope=all":                      {ids[1], ids[0]},
		"search=" + d.admin.ID + "&searchFields=userDid&allUsers=1": {ids[2]},
		"search=" + url.QueryEscape("%"):                            nil,
		"search=" + ids[2]:                                          nil, // somebody else's
		"keyId=" + d.key.ID:                                         {ids[0]},
		"scope=all&keyId=" + d.key.ID:                               {ids[0]},
		"userId=" + d.admin.ID:                                      {ids[2]},
		"userId=" + d.admin.Email:                                   {ids[2]},
	} {
		as := "admin"
		if query == "search=mine" || query == "search=GPT" || query == "search="+ids[2] || query == "search="+ids[0] || query == "search="+made || query == "keyId="+d.key.ID {
			as = "member"
		}
		assert.Equal(t, want, d.list(as, query), query)
	}
	for query, status := range map[string]int{
		"search=" + strings.Repeat("x", 101): 400,
		"searchFields=plan_json":             400, "status=lost": 400, "type=chat": 400, "minDurationSeconds=NaN": 400, "minDurationSeconds=-1": 400, "minCredits=1.0000000001": 400,
		"minCost=1": 403, "userId=" + d.admin.ID: 403, "userId=" + d.admin.Email: 403, "scope=all": 403, "allUsers=true": 403, "providerId=nope": 400, "before=x": 400, "page=1&cursor=x": 400, "model=%00": 400,
	} {
		assert.Equal(t, status, d.send("member", "GET", "/api/user/model-calls?"+query).Code, query)
	}
}
