package generate_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/openapi/generate"
)

type tree struct {
	Name string `json:"name"`
	Kids []tree `json:"kids,omitempty"`
}

type common struct {
	ID   string    `json:"id"`
	Made time.Time `json:"made"`
}

type forAdmins struct {
	Cost *money.Credits `json:"cost"`
}

type thing struct {
	common
	*forAdmins
	Price  money.Rate       `json:"price"`
	Role   hub.Role         `json:"role"`
	Note   *string          `json:"note"`
	Counts map[string]int64 `json:"counts" openapi:"null"`
	Tree   *tree            `json:"tree"`
	Raw    json.RawMessage  `json:"raw"`
	Share  float64          `json:"share,omitempty"`
	inner  string
	Hidden string `json:"-"`
}

type order struct {
	Email  string        `json:"email" validate:"required,email,max=254"`
	Kind   string        `json:"kind" validate:"omitempty,oneof=paid free"`
	Amount money.Credits `json:"amount"`
	Count  *int64        `json:"count" validate:"required,min=1,max=9"`
	Names  []string      `json:"names" validate:"required,min=1,dive,required"`
	Secret hub.Secret    `json:"secret"`
	From   *tree         `json:"from"`
}

// describe makes the document of one route and returns what stands at a path in it.
func describe(t *testing.T, rt httpkit.Route, at ...string) string {
	t.Helper()
	b, err := generate.Document([]generate.Function{{Name: "test", Routes: []httpkit.Route{rt}}})
	require.NoError(t, err)
	var v any
	require.NoError(t, json.Unmarshal(b, &v))
	for _, key := range at {
		m, ok := v.(map[string]any)
		require.True(t, ok, "%v", at)
		require.Contains(t, m, key)
		v = m[key]
	}
	out, err := json.Marshal(v)
	require.NoError(t, err)
	return string(out)
}

func TestAnAnswerIsDescribedByItsType(t *testing.T) {
	t.Parallel()
	_ = thing{inner: ""} // what is not exported is not described
	rt := httpkit.Route{Method: "GET", Pattern: "/things/{id}", Who: httpkit.AnyUser, Doc: httpkit.Doc{Response: thing{}}}
	assert.JSONEq(t, `{"type":"object","required":["counts","id","made","note","price","raw","role","tree"],"properties":{
		"id":{"type":"string"},"made":{"type":"string","format":"date-time"},
		"cost":{"type":["string","null"],"pattern":"^-?[0-9]+(\\.[0-9]+)?$","description":"a decimal"},
		"price":{"type":"string","pattern":"^-?[0-9]+(\\.[0-9]+)?$","description":"a decimal per unit"},
		"role":{"type":"string","enum":["owner","admin","member","guest"]},"note":{"type":["string","null"]},
		"counts":{"type":["object","null"],"additionalProperties":{"type":"integer"}},
		"tree":{"anyOf":[{"$ref":"#/components/schemas/Generate_testTree"},{"type":"null"}]},"raw":{},"share":{"type":"number"}}}`,
		describe(t, rt, "components", "schemas", "Generate_testThing"))
	assert.JSONEq(t, `{"type":"object","required":["name"],"properties":{"name":{"type":"string"},
		"kids":{"type":"array","items":{"$ref":"#/components/schemas/Generate_testTree"}}}}`,
		describe(t, rt, "components", "schemas", "Generate_testTree"), "a type may hold itself")
}

func TestABodyIsDescribedByWhatIsAskedOfIt(t *testing.T) {
	t.Parallel()
	rt := httpkit.Route{Method: "POST", Pattern: "/orders", Who: httpkit.Admin, Scope: hub.ScopeAdmin, Data: httpkit.All, Doc: httpkit.Doc{Request: order{}, Response: tree{}, Status: 201}}
	assert.JSONEq(t, `{"type":"object","additionalProperties":false,"required":["count","email","names"],"properties":{
		"email":{"type":"string","format":"email","minLength":1,"maxLength":254},"kind":{"type":"string","enum":["paid","free"]},
		"amount":{"type":"string","pattern":"^-?[0-9]+(\\.[0-9]+)?$","description":"a decimal"},
		"count":{"type":"integer","minimum":1,"maximum":9},"names":{"type":"array","items":{"type":"string"},"minItems":1},
		"secret":{"type":"string","format":"password"},"from":{"anyOf":[{"$ref":"#/components/schemas/Generate_testTreeInput"},{"type":"null"}]}}}`,
		describe(t, rt, "components", "schemas", "Generate_testOrderInput"))
	assert.NotEqual(t, describe(t, rt, "components", "schemas", "Generate_testTree"), describe(t, rt, "components", "schemas", "Generate_testTreeInput"),
		"what must be sent and what is always answered are two things")
}

func TestAnOperationSaysWhoMayUseIt(t *testing.T) {
	t.Parallel()
	rt := httpkit.Route{Method: "POST", Pattern: "/api/things/{name...}", Who: httpkit.Optional, Scope: hub.ScopeUsage, Data: httpkit.OwnUnlessAdmin,
		Doc: httpkit.Doc{Summary: "Does it.", Takes: httpkit.NoBody, Query: []httpkit.Param{{Name: "n", Number: true, Required: true}, httpkit.Query("state", "Of it.", "on", "off")},
			Response: httpkit.Object{"done": true}}}
	assert.JSONEq(t, `{"summary":"Does it.","tags":["test"],"operationId":"postApiThingsName","x-who":"optional","x-scope":"usage","x-data":"own, all for admins",
		"security":[{},{"bearer":[]},{"apiKey":[]},{"google":[]},{"session":[]}],
		"parameters":[{"name":"name","in":"path","required":true,"description":"It may hold slashes.","schema":{"type":"string"}},
			{"name":"n","in":"query","required":true,"schema":{"type":"integer"}},
			{"name":"state","in":"query","description":"Of it.","schema":{"type":"string","enum":["on","off"]}}],
		"responses":{"200":{"description":"OK","content":{"application/json":{"schema":{"type":"object","required":["done"],"properties":{"done":{"type":"boolean"}}}}}},
			"default":{"$ref":"#/components/responses/Error"}}}`,
		describe(t, rt, "paths", "/api/things/{name}", "post"))

	rt = httpkit.Route{Method: "DELETE", Pattern: "/x", Who: httpkit.Anonymous, Data: httpkit.Common}
	assert.JSONEq(t, `{"204":{"description":"No Content"},"default":{"$ref":"#/components/responses/Error"}}`, describe(t, rt, "paths", "/x", "delete", "responses"))
	assert.NotContains(t, describe(t, rt, "paths", "/x", "delete"), "security")

	rt = httpkit.Route{Method: "POST", Pattern: "/v", Who: httpkit.AnyUser, ErrorBody: func(*hub.Error, string) []byte { return nil }, Doc: httpkit.Doc{Vendor: "https://vendor.example"}}
	op := describe(t, rt, "paths", "/v", "post")
	assert.Contains(t, op, `"externalDocs":{"url":"https://vendor.example"}`)
	assert.NotContains(t, op, "#/components/responses/Error", "errors in that API's words")
}

func TestTheSameTablesGiveTheSameDocument(t *testing.T) {
	t.Parallel()
	ok := func(http.ResponseWriter, *http.Request) error { return nil }
	table := []generate.Function{{Name: "a", Routes: []httpkit.Route{
		{Method: "GET", Pattern: "/m/{id...}", Who: httpkit.Anonymous, Handler: ok, Doc: httpkit.Doc{Response: thing{}}},
		{Method: "POST", Pattern: "/m/{call...}", Who: httpkit.Anonymous, Handler: ok, Doc: httpkit.Doc{Request: order{}}},
	}}}
	first, err := generate.Document(table)
	require.NoError(t, err)
	for range 20 {
		again, err := generate.Document(table)
		require.NoError(t, err)
		require.Equal(t, string(first), string(again))
	}
	assert.Contains(t, string(first), `"/m/{id}"`)
	assert.NotContains(t, string(first), `{call}`, "one path has one set of names")
}
