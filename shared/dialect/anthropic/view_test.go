package anthropic

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func see(t testing.TB, body string) *dialect.View {
	t.Helper()
	v, err := Server{}.View(httptest.NewRequest(http.MethodPost, "/v1/messages?beta=true", nil), []byte(body))
	require.NoError(t, err)
	return v
}

func requireParam(t testing.TB, err error, param string) {
	t.Helper()
	var e *hub.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, hub.CodeInvalid, e.Code)
	assert.Equal(t, param, e.Param)
	assert.NotEmpty(t, e.Message)
}

func TestViewReadsTheHead(t *testing.T) {
	t.Parallel()
	v := see(t, `{"model":"anthropic/claude-x","max_tokens":2048,"stream":true,"thinking":{"type":"enabled","budget_tokens":1500},"messages":[]}`)
	assert.Equal(t, "anthropic/claude-x", v.Model)
	assert.True(t, v.Stream)
	assert.True(t, v.WantsUsage)
	assert.EqualValues(t, 2048, *v.MaxOutput)
	assert.EqualValues(t, 1, v.N)
	assert.EqualValues(t, 1500, v.Thinking)
	assert.False(t, v.OpaqueInput)
	assert.False(t, v.ServerTools)
}

func TestViewOfCountTokensNeedsNoLimit(t *testing.T) {
	t.Parallel()
	v, err := Server{}.View(httptest.NewRequest(http.MethodPost, "/v1/messages/count_tokens", nil), []byte(`{"model":"m","messages":[]}`))
	require.NoError(t, err)
	assert.Nil(t, v.MaxOutput)
}

func TestViewRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ body, param string }{
		"what is no object":                     {`[1]`, ""},
		"a repeated key, by name":               {`{"model":"a","model":"b"}`, "model"},
		"a missing model":                       {`{"max_tokens":1,"messages":[]}`, "model"},
		"a model that is no string":             {`{"model":7,"max_tokens":1,"messages":[]}`, "model"},
		"a missing limit":                       {`{"model":"m","messages":[]}`, "max_tokens"},
		"a limit of null":                       {`{"model":"m","max_tokens":null,"messages":[]}`, "max_tokens"},
		"a limit that is a string":              {`{"model":"m","max_tokens":"9","messages":[]}`, "max_tokens"},
		"a negative limit":                      {`{"model":"m","max_tokens":-1,"messages":[]}`, "max_tokens"},
		"a stream flag that is a string":        {`{"model":"m","max_tokens":1,"messages":[],"stream":"yes"}`, "stream"},
		"missing messages":                      {`{"model":"m","max_tokens":1}`, "messages"},
		"messages that are a string":            {`{"model":"m","max_tokens":1,"messages":"hi"}`, "messages"},
		"a thinking budget below the least":     {`{"model":"m","max_tokens":1,"messages":[],"thinking":{"type":"enabled","budget_tokens":5}}`, "thinking.budget_tokens"},
		"a thinking budget that is not there":   {`{"model":"m","max_tokens":1,"messages":[],"thinking":{"type":"enabled"}}`, "thinking.budget_tokens"},
		"thinking that is a string":             {`{"model":"m","max_tokens":1,"messages":[],"thinking":"on"}`, "thinking"},
		"tools that are no array":               {`{"model":"m","max_tokens":1,"messages":[],"tools":{}}`, "tools"},
		"a tool whose type is given twice":      {`{"model":"m","max_tokens":1,"messages":[],"tools":[{"type":"web_search_20250305","type":"custom"}]}`, "tools[0]"},
		"a body nested deeper than the limit":   {`{"model":"m","max_tokens":1,"messages":` + nest(200) + `}`, ""},
		"a body that goes on behind the object": {`{"model":"m","max_tokens":1,"messages":[]} x`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Server{}.View(httptest.NewRequest(http.MethodPost, "/v1/messages", nil), []byte(c.body))
			requireParam(t, err, c.param)
		})
	}
}

func nest(n int) string {
	b := make([]byte, 0, 2*n)
	for range n {
		b = append(b, '[')
	}
	for range n {
		b = append(b, ']')
	}
	return string(b)
}

func TestViewFindsContentThatIsNotInTheBody(t *testing.T) {
	t.Parallel()
	const head = `{"model":"m","max_tokens":1,"messages":[{"role":"user","content":`
	for name, c := range map[string]struct {
		content string
		opaque  bool
	}{
		"plain text":                             {`"hi"`, false},
		"text that speaks of it":                 {`"{\"source\":{\"type\":\"url\"}}"`, false},
		"an inline picture":                      {`[{"type":"image","source":{"type":"base64","media_type":"image/png","data":"AA=="}}]`, false},
		"a picture by URL":                       {`[{"type":"image","source":{"type":"url","url":"https://x/y.png"}}]`, true},
		"a picture by URL, with an escape":       {`[{"type":"image","source":{"type":"\u0075rl","url":"https://x/y.png"}}]`, true},
		"a picture by URL behind another type":   {`[{"type":"image","source":{"type":"base64","type":"url","url":"https://x/y.png"}}]`, true},
		"a picture by URL before an upper case":  {`[{"type":"image","source":{"type":"url","Type":"base64","url":"https://x/y.png"}}]`, true},
		"an uploaded file":                       {`[{"type":"document","source":{"type":"file","file_id":"file_1"}}]`, true},
		"an uploaded file for the container":     {`[{"type":"container_upload","file_id":"file_1"}]`, true},
		"a picture by URL inside a tool result":  {`[{"type":"tool_result","tool_use_id":"a","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]}]`, true},
		"the word url as another value":          {`[{"type":"tool_use","id":"a","name":"f","input":{"kind":"url"}}]`, false},
		"other escapes":                          {`"caf\u00e9"`, false},
		"a document made of blocks with an URL ": {`[{"type":"document","source":{"type":"content","content":[{"type":"image","source":{"type":"url","url":"https://x"}}]}}]`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, c.opaque, see(t, head+c.content+`}]}`).OpaqueInput)
		})
	}
}

func TestViewFindsToolsThatTheProviderRuns(t *testing.T) {
	t.Parallel()
	const head = `{"model":"m","max_tokens":1,"messages":[],"tools":`
	for tools, server := range map[string]bool{
		`[]`:   false,
		`null`: false,
		`[{"name":"f","input_schema":{"type":"object"}}]`:                                         false,
		`[{"type":"custom","name":"f"},{"type":null,"name":"g"}]`:                                 false,
		`[{"name":"f","input_schema":{"type":"object"}},{"type":"web_search_20250305"}]`:          true,
		`[{"name":"a ] \" b","input_schema":{}} , {"name":"x","type":"code_execution_20250825"}]`: true,
		`[{"type":7}]`: true,
	} {
		assert.Equal(t, server, see(t, head+tools+`}`).ServerTools, tools)
	}
	assert.True(t, see(t, `{"model":"m","max_tokens":1,"messages":[],"mcp_servers":[{}]}`).ServerTools)
}
