package openai

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func viewOf(t testing.TB, body string) *dialect.View {
	t.Helper()
	v, err := Server{}.View(httptest.NewRequest(http.MethodPost, "/v1/chat/completions", nil), []byte(body))
	require.NoError(t, err)
	return v
}

// with puts members before an otherwise complete body.
func with(members string) string {
	if members != "" {
		members += ","
	}
	return `{` + members + `"model":"m","messages":[{"role":"user","content":"hi"}]}`
}

// says makes a body whose user message has the given content.
func says(content string) string {
	return `{"model":"m","messages":[{"role":"system","content":"see http://x"},{"role":"user","content":` + content + `}]}`
}

func TestViewReadsTheHead(t *testing.T) {
	t.Parallel()
	v := viewOf(t, with(`"stream":true,"stream_options":{"x":1,"include_usage":true},"max_tokens":5,"max_completion_tokens":9,"n":3,"reasoning":{"max_tokens":2048}`))
	assert.Equal(t, "m", v.Model)
	assert.True(t, v.Stream)
	assert.True(t, v.WantsUsage)
	assert.Equal(t, int64(9), *v.MaxOutput, "the larger of the two limits")
	assert.Equal(t, int64(3), v.N)
	assert.Equal(t, int64(2048), v.Thinking)
	assert.False(t, v.OpaqueInput)
	assert.False(t, v.ServerTools)

	v = viewOf(t, with(`"stream":null,"max_tokens":null,"stream_options":{"include_usage":true},"n":null`))
	assert.False(t, v.Stream)
	assert.False(t, v.WantsUsage, "no stream, no usage frames")
	assert.Nil(t, v.MaxOutput)
	assert.Equal(t, int64(1), v.N)
}

func TestViewRefusesWithTheField(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ body, param string }{
		"no object":              {`[]`, ""},
		"not JSON":               {`{"model":"m"`, ""},
		"model twice":            {`{"model":"a","messages":[],"model":"b"}`, "model"},
		"no model":               {`{"messages":[]}`, "model"},
		"a model that is blank":  {`{"model":" ","messages":[]}`, "model"},
		"a model that is no str": {`{"model":1,"messages":[]}`, "model"},
		"no messages":            {`{"model":"m"}`, "messages"},
		"messages as a string":   {`{"model":"m","messages":"x"}`, "messages"},
		"stream as a string":     {with(`"stream":"true"`), "stream"},
		"stream_options a list":  {with(`"stream_options":[]`), "stream_options"},
		"include_usage a number": {with(`"stream_options":{"include_usage":1}`), "stream_options.include_usage"},
		"no output at all":       {with(`"max_tokens":0`), "max_tokens"},
		"a fraction of a token":  {with(`"max_completion_tokens":1.5`), "max_completion_tokens"},
		"no answers":             {with(`"n":0`), "n"},
		"too many answers":       {with(`"n":129`), "n"},
		"a list of stand-ins":    {with(`"models":["a","b"]`), "models"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := Server{}.View(nil, []byte(tc.body))
			require.Error(t, err)
			e := hub.AsError(err)
			assert.Equal(t, hub.CodeInvalid, e.Code)
			assert.Equal(t, tc.param, e.Param)
			assert.NotEmpty(t, e.Message)
		})
	}
}

func TestViewSeesContentThatIsNotInTheBody(t *testing.T) {
	t.Parallel()
	pad := strings.Repeat("A", 5000)
	for name, tc := range map[string]struct {
		content string
		opaque  bool
	}{
		"a string":                   {`"http://x/y.png"`, false},
		"text that quotes a URL":     {`[{"type":"text","text":"\"image_url\":{\"url\":\"http://x\"}"}]`, false},
		"an inline image":            {`[{"type":"image_url","image_url":{"url":"data:image/png;base64,` + pad + `","detail":"low"}}]`, false},
		"inline sound":               {`[{"type":"input_audio","input_audio":{"data":"` + pad + `","format":"wav"}}]`, false},
		"an inline file":             {`[{"type":"file","file":{"file_data":"data:application/pdf;base64,` + pad + `","filename":"a.pdf"}}]`, false},
		"an image elsewhere":         {`[{"type":"image_url","image_url":{"url":"https://x/y.png"}}]`, true},
		"an image given as a string": {`[{"type":"image_url","image_url":"https://x/y.png"}]`, true},
		"upper case":                 {`[{"type":"image_url","image_url":{"url":"HTTPS://x/y.png"}}]`, true},
		"an escaped URL":             {`[{"type":"image_url","image_url":{"url":"\u0068ttps:\/\/x"}}]`, true},
		"an escaped key":             {`[{"type":"image_url","image\u005furl":{"\u0075rl":"https://x"}}]`, true},
		"the key twice":              {`[{"type":"image_url","image_url":{"url":"data:,","url":"https://x"}}]`, true},
		"hidden in a text part":      {`[{"type":"text","text":"a","image_url":{"url":"https://x"}}]`, true},
		"a file id":                  {`[{"type":"file","file":{"file_id":"file-1"}}]`, true},
		"a file's URL as data":       {`[{"type":"file","file":{"file_data":"https://x/y.pdf"}}]`, true},
		"sound elsewhere":            {`[{"type":"input_audio","input_audio":{"data":"https:\/\/x","format":"wav"}}]`, true},
		"a kind not known":           {`[{"type":"video_url","video_url":{"url":"data:,"}}]`, true},
		"one part without an array":  {`{"type":"image_url","image_url":{"url":"https://x"}}`, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			assert.Equal(t, tc.opaque, viewOf(t, says(tc.content)).OpaqueInput)
		})
	}
	assert.True(t, viewOf(t, `{"model":"m","messages":[{"role":"assistant","audio":{"id":"audio_1"}}]}`).OpaqueInput)
}

func TestViewSeesToolsThatTheProviderRuns(t *testing.T) {
	t.Parallel()
	for members, found := range map[string]bool{
		`"tools":[{"type":"function","function":{"name":"f"}}]`: false,
		`"tools":[{"type":"custom","custom":{"name":"f"}}]`:     false,
		`"tools":null`:              false,
		`"web_search_options":{}`:   true,
		`"web_search_options":null`: false,
		`"plugins":[{"id":"web"}]`:  true,
		`"tools":[{"type":"function","function":{"name":"f"}},{"type":"web_search"}]`: true,
	} {
		assert.Equal(t, found, viewOf(t, with(members)).ServerTools, members)
	}
}
