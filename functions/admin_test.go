package functions_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAdminsKeepProviders(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_MASTER_KEY=MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=")
	w.secrets = append(w.secrets, "sk-typed-key-1", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=")
	const path = "/api/admin/providers"
	const env = `{"name":"openai","kind":"openai","display_name":"","base_url":"https://api.openai.com/v1","region":"","enabled":true,"source":"env","credentials":1}`
	stored := func(credentials string) string {
		return `{"id":"ID","name":"mine","kind":"openai","display_name":"My models","base_url":"https://llm.example/v1","region":"","enabled":true,
			"source":"stored","credentials":` + credentials + `,"created_at":"TIME"}`
	}
	w.golden("admin", []apiCase{
		{"a list needs a key", "", "GET " + path, "", 401, noKey},
		{"members see none", "member", "GET " + path, "", 403, adminsOnly},
		{"the environment's are listed", "admin", "GET " + path, "", 200, `{"data":[` + env + `]}`},
		{"a kind is needed", "admin", "POST " + path, `{}`, 400, invalid("kind", "kind is required.")},
		{"a body is needed", "admin", "POST " + path, ``, 415, needJSON},
		{"the base URL must be one", "admin", "POST " + path, `{"kind":"openai","name":"mine","base_url":"llm.example"}`, 400,
			invalid("base_url", "The base URL must begin with https:// or http://.")},
		{"the base URL holds no password", "admin", "POST " + path, `{"kind":"openai","name":"mine","base_url":"https://u:sk-typed-key-1@llm.example"}`, 400,
			invalid("base_url", "The base URL must not hold a user or password; store a credential instead.")},
		{"names are plain", "admin", "POST " + path, `{"kind":"openai","name":"Mine!"}`, 400,
			invalid("name", "A provider's name has 1 to 64 of a-z, 0-9, dot, dash and underscore, and begins with a letter or digit.")},
		{"a credential of two lines is refused and not repeated", "admin", "POST " + path, `{"kind":"openai","name":"mine","credential":"sk-typed-key-1\nx"}`, 400,
			invalid("credential", "The credential has more than one line.")},
		{"one is added with its credential", "admin", "POST " + path,
			`{"kind":"openai","name":"mine","display_name":"My models","base_url":"https://llm.example/v1/","credential":"sk-typed-key-1"}`, 201, stored("1")},
		{"a name is taken once", "owner", "POST " + path, `{"kind":"openai","name":"mine"}`, 409,
			refused("invalid_request_error", "conflict", "There is a provider named mine already.")},
		{"it is listed without its secret", "admin", "GET " + path, "", 200, `{"data":[` + stored("1") + `,` + env + `]}`},
		{"members test none", "member", "POST " + path + "/mine/test", `{}`, 403, adminsOnly},
		{"an unknown one cannot be tested", "admin", "POST " + path + "/nope/test", `{}`, 404, notFound("There is no provider in use with this name.")},
		{"a time-out is a duration", "admin", "PATCH " + path + "/mine", `{"timeouts":{"idle":"soon"}}`, 400,
			invalid("timeouts.idle", `timeouts.idle: must be a duration such as 30s or 5m, from 1ms to 24h, not "soon".`)},
		{"its time-outs are set", "admin", "PATCH " + path + "/mine", `{"timeouts":{"first_byte":"5s","total":"2m"}}`, 200,
			strings.Replace(stored("1"), `"credentials"`, `"timeouts":{"first_byte":"5s","total":"2m0s"},"credentials"`, 1)},
		{"and given up again", "admin", "PATCH " + path + "/mine", `{"timeouts":{}}`, 200, stored("1")},
		{"members remove none", "member", "DELETE " + path + "/mine", "", 403, adminsOnly},
		{"one of the environment cannot be removed", "admin", "DELETE " + path + "/openai", "", 404, notFound("There is no stored provider named openai.")},
		{"a stored one can", "admin", "DELETE " + path + "/mine", "", 204, ""},
		{"and is gone", "admin", "DELETE " + path + "/mine", "", 404, notFound("There is no stored provider named mine.")},
	})
	w.audited("admin@example.com", "provider.add", "provider.timeouts", "provider.timeouts", "provider.remove")
}

// audited checks who is on record for the newest acts of a test.
func (w *world) audited(actor string, actions ...string) {
	w.t.Helper()
	var got []string
	require.NoError(w.t, w.app.Store.Tx(w.t.Context(), readAudit(actor, &got)))
	assert.Equal(w.t, actions, got, "acts on record for %s", actor)
}

func TestAdminsKeepCredentials(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	w.secrets = append(w.secrets, "sk-typed-key-2", "sk-typed-key-3")
	const path = "/api/admin/providers/alpha/credentials"
	row := func(name, weight, active, reason string) string {
		return `{"id":"ID","name":"` + name + `","type":"api_key","weight":` + weight + `,"active":` + active + `,"error":"` + reason + `","created_at":"TIME","max_concurrent":0}`
	}
	w.golden("admin", []apiCase{
		{"members see none", "member", "GET " + path, "", 403, adminsOnly},
		{"they are listed without values", "admin", "GET " + path, "", 200, `{"data":[` + row("hush", "100", "true", "") + `]}`},
		{"of an unknown provider there are none", "admin", "GET /api/admin/providers/nope/credentials", "", 404,
			notFound("There is no stored provider with this name.")},
		{"a value is needed", "admin", "POST " + path, `{"name":"second"}`, 400, invalid("value", "value is required.")},
		{"a weight is positive", "admin", "POST " + path, `{"name":"second","value":"sk-typed-key-2","weight":0}`, 400,
			invalid("weight", "weight must be at least 1.")},
		{"one is added", "admin", "POST " + path, `{"name":"second","value":"sk-typed-key-2","weight":7}`, 201, row("second", "7", "true", "")},
		{"a name is taken once", "admin", "POST " + path, `{"name":"second","value":"sk-typed-key-2"}`, 409,
			refused("invalid_request_error", "conflict", "The provider alpha has a credential named second already.")},
		{"of an unknown provider none is added", "admin", "POST /api/admin/providers/nope/credentials", `{"name":"x","value":"sk-typed-key-2"}`, 404,
			notFound("There is no stored provider named nope.")},
		{"a change says what", "admin", "PATCH " + path + "/second", `{}`, 400, invalid("active", "There is nothing to change: give active, weight, max_concurrent or value.")},
		{"its value is replaced, and not shown", "admin", "PATCH " + path + "/second", `{"value":"sk-typed-key-3"}`, 200, row("second", "7", "true", "")},
		{"a weight is positive there too", "admin", "PATCH " + path + "/second", `{"weight":0}`, 400, invalid("weight", "The weight must be 1 to 1000000.")},
		{"its use changes", "admin", "PATCH " + path + "/second", `{"weight":9,"max_concurrent":3}`, 200,
			strings.Replace(row("second", "9", "true", ""), `"max_concurrent":0`, `"max_concurrent":3`, 1)},
		{"and back", "admin", "PATCH " + path + "/second", `{"weight":7,"max_concurrent":0}`, 200, row("second", "7", "true", "")},
		{"one is switched off", "admin", "PATCH " + path + "/second", `{"active":false}`, 200, row("second", "7", "false", "disabled by admin@example.com")},
		{"and on again", "admin", "PATCH " + path + "/second", `{"active":true}`, 200, row("second", "7", "true", "")},
		{"an unknown one is not", "admin", "PATCH " + path + "/third", `{"active":true}`, 404, notFound("The provider alpha has no credential named third.")},
		{"one is removed", "admin", "DELETE " + path + "/second", "", 204, ""},
		{"once", "admin", "DELETE " + path + "/second", "", 404, notFound("The provider alpha has no credential named second.")},
	})
	w.audited("admin@example.com", "credential.add", "credential.change", "credential.use", "credential.use", "credential.active", "credential.active", "credential.remove")
}

func TestAdminsSetRates(t *testing.T) {
	t.Parallel()
	w := open(t, "AIGNE_HUB_CREDIT_PRICE=0.5")
	const path = "/api/admin/rates"
	const first = `{"id":"ID","provider":"alpha","model":"org/m","type":"chatCompletion","version":1,"credits_per_million":{"input":"4","cache_read":"0","output":"20"},
		"cost_usd_per_million":{"input":"1.25"},"context":128000,"max_output":4096,"effective_from":"TIME","margin":"","display":"","description":"","deprecated_at":null,"deprecated_reason":"","refused_from":null}`
	const second = `{"id":"ID","provider":"beta","model":"e","type":"embedding","version":2,"credits_per_million":{"input":"0.2"},
		"cost_usd_per_million":null,"context":0,"max_output":0,"effective_from":"TIME","margin":"","display":"","description":"","deprecated_at":null,"deprecated_reason":"","refused_from":null}`
	w.golden("admin", []apiCase{
		{"members see none", "member", "GET " + path, "", 403, adminsOnly},
		{"there are none at first", "admin", "GET " + path, "", 200, `{"data":[],"total":0}`},
		{"a rate is set, in credits", "admin", "PUT " + path, `{"provider":"alpha","model":"org/m","usd_per_million":{"input":"2","output":"10","cache_read":"0"},
			"cost_usd_per_million":{"input":"1.25"},"context":128000,"max_output":4096}`, 200, first},
		{"another type is another rate", "admin", "PUT " + path, `{"provider":"beta","model":"e","type":"embedding","usd_per_million":{"input":"9"}}`, 200,
			`{"id":"ID","provider":"beta","model":"e","type":"embedding","version":1,"credits_per_million":{"input":"18"},
			"cost_usd_per_million":null,"context":0,"max_output":0,"effective_from":"TIME","margin":"","display":"","description":"","deprecated_at":null,"deprecated_reason":"","refused_from":null}`},
		{"a rate is replaced", "admin", "PUT " + path, `{"provider":"beta","model":"e","type":"embedding","usd_per_million":{"input":"0.1"}}`, 200, second},
		{"rates are listed", "admin", "GET " + path, "", 200, `{"data":[` + first + `,` + second + `],"total":2}`},
		{"by provider", "admin", "GET " + path + "?provider=beta", "", 200, `{"data":[` + second + `],"total":1}`},
		{"page by page", "admin", "GET " + path + "?page=2&pageSize=1", "", 200, `{"data":[` + second + `],"total":2}`},
		{"without a cursor", "admin", "GET " + path + "?cursor=x", "", 400, invalid("cursor", "This list has no cursor; use page.")},
		{"members set none", "member", "PUT " + path, `{"provider":"beta","model":"e","usd_per_million":{"input":"0"}}`, 403, adminsOnly},
		{"prices are needed", "admin", "PUT " + path, `{"provider":"beta","model":"e"}`, 400, invalid("usd_per_million", "usd_per_million is required.")},
		{"units are known", "admin", "PUT " + path, `{"provider":"beta","model":"e","usd_per_million":{"tokens":"1"}}`, 400,
			invalid("usd_per_million", `usd_per_million has an entry that is no billable unit: "tokens".`)},
		{"prices are decimals", "admin", "PUT " + path, `{"provider":"beta","model":"e","usd_per_million":{"input":"cheap"}}`, 400,
			invalid("input", `The price of input must be dollars per million units with at most six decimals; "cheap" is not.`)},
		{"prices are text", "admin", "PUT " + path, `{"provider":"beta","model":"e","usd_per_million":{"input":1}}`, 400,
			invalid("usd_per_million", "usd_per_million must be a string, not a number.")},
		{"types are known", "admin", "PUT " + path, `{"provider":"beta","model":"e","type":"smell","usd_per_million":{"input":"1"}}`, 400,
			invalid("type", "The type must be chatCompletion, embedding, imageGeneration, audioGeneration, video, moderation or rerank.")},
	})
	w.audited("admin@example.com", "rate.set", "rate.set", "rate.set")
}

func TestTieredRatesAreShownWhole(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.priced()
	require.NoError(t, w.app.Store.Exec(t.Context(), `UPDATE ai_model_rates SET costs_json = NULL,
  prices_json = '{"input":"0.000002","tiers":[{"above":200000,"input":"0.000004"}]}' WHERE provider = 'beta'`))
	w.golden("admin", []apiCase{{"a tier has its own table", "admin", "GET /api/admin/rates?provider=beta", "", 200,
		`{"data":[{"id":"ID","provider":"beta","model":"m","type":"chatCompletion","version":1,"credits_per_million":{"input":"2"},
		"tiers":[{"above_prompt_tokens":200000,"per_million":{"input":"4"}}],"cost_usd_per_million":null,"context":0,"max_output":0,
		"effective_from":"TIME","margin":"","display":"","description":"","deprecated_at":null,"deprecated_reason":"","refused_from":null}],"total":1}`}})
}

func TestAdminsMakeUsers(t *testing.T) {
	t.Parallel()
	w := open(t)
	w.secrets = append(w.secrets, "a password to keep")
	const path = "/api/admin/users"
	row := func(email, role string) string {
		return `{"id":"ID","email":"` + email + `","name":"","role":"` + role + `","groups":[],"did":"","created_at":"TIME","disabled_at":null}`
	}
	w.golden("admin", []apiCase{
		{"members make none", "member", "POST " + path, `{"email":"n@example.com","role":"owner"}`, 403, adminsOnly},
		{"an admin makes a user", "admin", "POST " + path, `{"email":"n@example.com","role":"member","password":"a password to keep"}`, 201, row("n@example.com", "member")},
		{"an e-mail address is taken once, in any case", "admin", "POST " + path, `{"email":"N@example.com","role":"guest"}`, 409,
			refused("invalid_request_error", "conflict", "There is a user with the e-mail address N@example.com already.")},
		{"an admin makes no owner", "admin", "POST " + path, `{"email":"o2@example.com","role":"owner"}`, 403,
			refused("permission_error", "forbidden", "Only an owner may give an owner's powers.")},
		{"an owner may", "owner", "POST " + path, `{"email":"o2@example.com","role":"owner"}`, 201, row("o2@example.com", "owner")},
		{"roles are known", "admin", "POST " + path, `{"email":"x@example.com","role":"king"}`, 400,
			invalid("role", "The role must be owner, admin, member or guest.")},
		{"the e-mail address is one", "admin", "POST " + path, `{"email":"x","role":"guest"}`, 400, invalid("email", `"x" is not an e-mail address.`)},
		{"a password is long", "admin", "POST " + path, `{"email":"x@example.com","role":"guest","password":"short"}`, 400,
			invalid("password", "A password must have 10 to 256 characters.")},
		{"members put nobody into groups", "member", "PUT " + path + "/member@example.com/groups", `{"groups":["pilots"]}`, 403, adminsOnly},
		{"an admin does", "admin", "PUT " + path + "/n@example.com/groups", `{"groups":["pilots","beta"]}`, 200,
			`{"id":"ID","email":"n@example.com","name":"","role":"member","groups":["pilots","beta"],"did":"","created_at":"TIME","disabled_at":null}`},
		{"and out of them", "admin", "PUT " + path + "/n@example.com/groups", `{"groups":[]}`, 200, row("n@example.com", "member")},
		{"groups are named", "admin", "PUT " + path + "/n@example.com/groups", `{}`, 400, invalid("groups", "groups is required.")},
		{"a role is no group to be put into", "admin", "PUT " + path + "/n@example.com/groups", `{"groups":["owner"]}`, 400,
			invalid("groups", "owner is a role; every user's role is a group already.")},
		{"a group has a plain name", "admin", "PUT " + path + "/n@example.com/groups", `{"groups":["a b"]}`, 400,
			invalid("groups", `"a b" is no name of a group: 1 to 50 letters, digits, dots, dashes and underscores.`)},
		{"nobody is in no group", "admin", "PUT " + path + "/x@example.com/groups", `{"groups":[]}`, 404,
			notFound("There is no user with the e-mail address x@example.com.")},
		{"members see none", "member", "GET " + path, "", 403, adminsOnly},
		{"a list has no pages", "admin", "GET " + path + "?page=2", "", 400, invalid("page", "This list has no pages; go on with cursor=<next_cursor>.")},
		{"a cursor is one of ours", "admin", "GET " + path + "?cursor=x", "", 400, invalid("cursor", "cursor is not one that this list gave out.")},
	})
	w.audited("admin@example.com", "user.create", "user.groups", "user.groups")

	var ids []string
	target := path + "?pageSize=3"
	for target != "" {
		res := w.do("admin", "admin", "GET", target, "")
		require.Equal(t, 200, res.Code)
		assert.NotContains(t, res.Body.String(), "argon2")
		page, next := idsOf(t, res)
		ids = append(ids, page...)
		if target = ""; next != "" {
			target = path + "?pageSize=3&cursor=" + next
		}
	}
	assert.Len(t, ids, 7)
	assert.IsIncreasing(t, ids)
}

func TestAdminsKeepKeys(t *testing.T) {
	t.Parallel()
	w := open(t)
	const path = "/api/admin/keys"
	const laptop = `{"id":"ID","user_id":"ID","name":"laptop","hint":"HINT","created_at":"TIME","expires_at":null,"revoked_at":null,"last_used_at":"USED","wallet_id":"","models":null,"ips":null,"scopes":null,"app":"","rotated_at":null,"old":null}`
	id := field(t, w.do("auth", "member", "GET", "/api/auth/me", ""), "key", "id")
	w.golden("admin", []apiCase{
		{"members see none", "member", "GET " + path, "", 403, adminsOnly},
		{"a user's are listed", "admin", "GET " + path + "?user=member@example.com", "", 200, `{"data":[` + laptop + `],"next_cursor":null}`},
		{"everybody's are listed", "admin", "GET " + path, "", 200,
			`{"data":[` + laptop + `,` + laptop + `,` + laptop + `,` + laptop + `,` + laptop + `],"next_cursor":null}`},
		{"of an unknown user there are none", "admin", "GET " + path + "?user=nobody@example.com", "", 404,
			notFound("There is no user with the e-mail address nobody@example.com.")},
		{"a user is needed", "admin", "POST " + path, `{"name":"ci"}`, 400, invalid("user", "user is required.")},
		{"one is made and shown once", "admin", "POST " + path, `{"user":"member@example.com","name":"ci"}`, 201,
			`{"id":"ID","user":"member@example.com","name":"ci","key":"KEY"}`},
		{"an admin makes none for an owner", "admin", "POST " + path, `{"user":"owner@example.com","name":"ci"}`, 403,
			refused("permission_error", "forbidden", "Only an owner may give an owner's powers.")},
		{"an owner may", "owner", "POST " + path, `{"user":"owner@example.com","name":"ci"}`, 201,
			`{"id":"ID","user":"owner@example.com","name":"ci","key":"KEY"}`},
		{"of an unknown user none is made", "admin", "POST " + path, `{"user":"nobody@example.com","name":"ci"}`, 404,
			notFound("There is no user with the e-mail address nobody@example.com.")},
		{"one is made with limits", "admin", "POST " + path, `{"user":"member@example.com","name":"slow","rpm":5,"concurrency":1,"budget_month":"2.5"}`, 201,
			`{"id":"ID","user":"member@example.com","name":"slow","key":"KEY"}`},
		{"limits are not negative", "admin", "POST " + path, `{"user":"member@example.com","name":"ci","tpm":-1}`, 400,
			invalid("tpm", "tpm must not be negative.")},
		{"a budget is credits", "admin", "POST " + path, `{"user":"member@example.com","name":"ci","budget_month":"much"}`, 400,
			invalid("budget_month", `budget_month must be credits with at most nine decimals, not "much".`)},
		{"the expiry lies ahead", "admin", "POST " + path, `{"user":"member@example.com","name":"ci","expires_at":"2020-01-01T00:00:00Z"}`, 400,
			invalid("expires_at", "The expiry must lie in the future.")},
		{"members revoke none", "member", "DELETE " + path + "/" + id, "", 403, adminsOnly},
		{"one is revoked", "admin", "DELETE " + path + "/" + id, "", 204, ""},
		{"an unknown one is not", "admin", "DELETE " + path + "/nope", "", 404, notFound("There is no API key with the id nope.")},
	})
	w.audited("admin@example.com", "key.create", "key.create", "limit.set", "limit.set", "limit.set", "key.revoke")
	require.NoError(t, w.app.Reload(t.Context()))
	assert.Equal(t, 401, w.do("auth", "member", "GET", "/api/auth/me", "").Code, "the revoked key admits nothing")
}

func TestAdminsSetLimitsAndAliases(t *testing.T) {
	t.Parallel()
	w := open(t)
	const limits, aliases = "/api/admin/limits", "/api/admin/aliases"
	limit := func(scope, subject, metric, period, amount string) string {
		return `{"id":"ID","scope":"` + scope + `","subject":"` + subject + `","metric":"` + metric + `","period":"` + period + `","amount":"` + amount + `"}`
	}
	used := func(limit, name string) string {
		return strings.TrimSuffix(limit, "}") + `,"name":"` + name + `","owner":"","used":"0","used_by":"","counted":0,"ends":"TIME"}`
	}
	const alias = `{"name":"team/smart","rules":[{"when":{"groups":["pilots"]},"policy":"cheap","steps":[{"targets":[{"model":"openai/gpt-4o","weight":3}]}]}]}`
	w.golden("admin", []apiCase{
		{"members set no limit", "member", "PUT " + limits, `{"scope":"key"}`, 403, adminsOnly},
		{"a limit of each", "admin", "PUT " + limits, `{"scope":"key","subject":"*","metric":"requests","period":"minute","amount":"60"}`, 200, limit("key", "*", "requests", "minute", "60")},
		{"is replaced", "admin", "PUT " + limits, `{"scope":"key","subject":"*","metric":"requests","period":"minute","amount":"30"}`, 200, limit("key", "*", "requests", "minute", "30")},
		{"a user is named by address", "admin", "PUT " + limits, `{"scope":"user","subject":"member@example.com","metric":"credits","period":"month","amount":"2.5"}`, 200, limit("user", "ID", "credits", "month", "2.5")},
		{"a limit of nobody", "admin", "PUT " + limits, `{"scope":"user","subject":"x@example.com","metric":"credits","period":"month","amount":"2.5"}`, 404,
			notFound("There is no user with the e-mail address x@example.com.")},
		{"a metric is known", "admin", "PUT " + limits, `{"scope":"user","subject":"*","metric":"joy","period":"month","amount":"2"}`, 400,
			invalid("metric", "The metric must be requests, tokens, concurrency or credits.")},
		{"limits are listed", "admin", "GET " + limits, "", 200, `{"data":[` + used(limit("user", "ID", "credits", "month", "2.5"), "member@example.com") + `,` +
			used(limit("key", "*", "requests", "minute", "30"), "") + `],"next_cursor":null}`},
		{"an unknown one is not removed", "admin", "DELETE " + limits + "/nope", "", 404, notFound("There is no limit nope.")},
		{"an alias is defined", "admin", "PUT " + aliases, alias, 200, alias},
		{"and listed", "admin", "GET " + aliases, "", 200, `{"data":[` + alias + `]}`},
		{"an alias leads to models", "admin", "PUT " + aliases, `{"name":"b","rules":[{"when":{},"steps":[{"targets":[{"model":"TEAM/smart"}]}]}]}`, 400,
			invalid("rules[0].steps[0].targets[0].model", "TEAM/smart is an alias itself; targets are models.")},
		{"a slash in its name is no hindrance", "admin", "DELETE " + aliases + "/team/smart", "", 204, ""},
		{"it is gone", "admin", "DELETE " + aliases + "/team/smart", "", 404, notFound("There is no alias team/smart.")},
	})
	w.audited("admin@example.com", "limit.set", "limit.set", "limit.set", "alias.set", "alias.remove")
}
