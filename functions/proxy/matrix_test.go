package proxy_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/provider"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/testkit/fakeprovider"
)

// chatFakes play the languages that providers speak: the fake, its own base path
// and what the paths of the language end in.
var chatFakes = map[dialect.Name]struct {
	kind       fakeprovider.Kind
	base, ends string
}{
	dialect.OpenAIChat: {fakeprovider.OpenAI, "/v1", "/chat/completions"},
	dialect.Anthropic:  {fakeprovider.Anthropic, "/v1", "/messages"},
	dialect.Gemini:     {fakeprovider.Gemini, "/v1beta", "ontent"},
	dialect.Bedrock:    {fakeprovider.Bedrock, "", "/converse"},
	// Served by the same fake as OpenAI's chat.
	dialect.Responses:   {fakeprovider.OpenAI, "/v1", "/responses"},
	dialect.Completions: {fakeprovider.OpenAI, "/v1", "/completions"},
}

// vendor is one kind of provider played strictly: each language at its own path,
// what the kind refuses refused.
type vendor struct {
	t     *testing.T
	kind  provider.Kind
	model string
	base  string // what an operator would configure
	key   string // the credential
	paths map[dialect.Name]string
	fakes map[dialect.Name]*fakeprovider.Provider
	work  http.HandlerFunc // answers work beside chat
}

func startVendor(t *testing.T, k provider.Kind) *vendor {
	t.Helper()
	v := &vendor{t: t, kind: k, model: "vendor-model", key: fakeprovider.DefaultKey, paths: map[dialect.Name]string{}, fakes: map[dialect.Name]*fakeprovider.Provider{}}
	srv := httptest.NewServer(v)
	t.Cleanup(srv.Close)
	own, err := url.Parse(strings.ReplaceAll(k.BaseURL, "{region}", "us-east-1"))
	require.NoError(t, err)
	v.base = srv.URL + own.Path
	if k.BaseURL == "" {
		v.base = srv.URL + "/v1"
	}
	if k.ID == provider.Azure {
		v.base = srv.URL + "/openai/v1"
	}
	if k.Auth == provider.SigV4 {
		v.model, v.key = claudeFake, fakeprovider.KeyPair()
	}
	if slices.Contains(k.Dialects, dialect.Gemini) {
		v.model = "gemini-2.5-flash" // how a Gemini is told to think depends on its name
	}
	for i, name := range k.Dialects {
		kind, known := chatFakes[name]
		if !known {
			continue // TestEachClaimOfTheProviderTableIsTrue says so
		}
		o := fakeprovider.Options{Models: []string{v.model}, Vendor: &dialect.Quirks{ReasoningField: "reasoning_content"}}
		if i == 0 {
			o.Vendor = &k.Quirks
			if k.Quirks.ReasoningField == "reasoning" {
				o.ReasoningField = k.Quirks.ReasoningField
			}
		}
		if name == dialect.Responses || name == dialect.Completions {
			v.fakes[name] = v.fakes[dialect.OpenAIChat]
		} else {
			v.fakes[name] = fakeprovider.New(kind.kind, o)
		}
		base, ok := k.BaseFor(name, v.base)
		require.True(t, ok, "%s is not reached from the default base URL", name)
		v.paths[name] = strings.TrimPrefix(base, srv.URL)
	}
	return v
}

// front puts Vertex AI before the fakes.
func (v *vendor) front(t *testing.T) {
	t.Helper()
	claude := fakeprovider.New(fakeprovider.Anthropic, fakeprovider.Options{Models: []string{v.model}})
	vertex := fakeprovider.StartVertex(t, v.fakes[dialect.Gemini], claude)
	v.base, v.key = vertex.BaseURL(), vertex.Account(t)
}

// ServeHTTP leads to the fake whose language is spoken at a path.
func (v *vendor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if key := r.Header.Get("Api-Key"); key != "" {
		r.Header.Set("Authorization", "Bearer "+key) // Azure before OpenAI's fake
	}
	if v.kind.ID == provider.Azure && !fakeprovider.AzureServes(r.URL) {
		http.Error(w, `{"error":{"code":"404","message":"Resource not found"}}`, http.StatusNotFound)
		return
	}
	if v.work != nil {
		v.work(w, r)
		return
	}
	for _, name := range v.kind.Dialects {
		rest, ok := strings.CutPrefix(r.URL.Path, v.paths[name])
		if ok && strings.HasSuffix(strings.TrimSuffix(rest, "-stream"), chatFakes[name].ends) {
			if base := chatFakes[name].base; base != "" { // signatures are over the path
				r.URL.Path = base + rest
			}
			v.fakes[name].ServeHTTP(w, r)
			return
		}
	}
	http.Error(w, `{"error":{"message":"there is nothing at this path"}}`, http.StatusNotFound)
}

// caller is a language that requests come in, with what an answer shows.
type caller struct {
	name, path string
	body       func(wish) string
	shows      map[provider.Capability]string // a mark of the capability in the answer
}

// wish is what a request asks for.
type wish struct {
	model  string
	stream bool
	want   provider.Capability
}

const (
	thought = "The caller wants an answer" // how a fake begins its thinking
	picture = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
	schema  = `{"type":"object","properties":{"city":{"type":"string"}},"required":["city"],"additionalProperties":false}`
)

var callers = []caller{
	{"openai", "/v1/chat/completions", openAIAsk, map[provider.Capability]string{
		provider.Tools: `"name":"weather"`, provider.Thinking: thought,
	}},
	{"anthropic", "/v1/messages", anthropicAsk, map[provider.Capability]string{
		provider.Tools: `"type":"tool_use"`, provider.Thinking: thought,
	}},
	{"aigne", "/api/v2/chat", aigneAsk, map[provider.Capability]string{
		provider.Tools: `"weather"`, provider.Thinking: thought,
	}},
}

func words(c provider.Capability) string {
	if c == provider.Tools {
		return "Please use tool weather now."
	}
	return "Give me a city as json."
}

func openAIAsk(a wish) string {
	content := fmt.Sprintf("%q", words(a.want))
	more := ""
	switch a.want {
	case provider.Tools:
		more = `,"tools":[{"type":"function","function":{"name":"weather","parameters":` + schema + `}}]`
	case provider.ImageInput:
		content = `[{"type":"text","text":` + content + `},{"type":"image_url","image_url":{"url":"data:image/png;base64,` + picture + `"}}]`
	case provider.StructuredOutput:
		more = `,"response_format":{"type":"json_schema","json_schema":{"name":"place","schema":` + schema + `}}`
	case provider.Thinking:
		more = `,"reasoning_effort":"high"`
	}
	return fmt.Sprintf(`{"model":%q,"stream":%t,"max_completion_tokens":3000%s,"messages":[{"role":"user","content":%s}]}`, a.model, a.stream, more, content)
}

func anthropicAsk(a wish) string {
	content := fmt.Sprintf("%q", words(a.want))
	more := ""
	switch a.want {
	case provider.Tools:
		more = `,"tools":[{"name":"weather","input_schema":` + schema + `}]`
	case provider.ImageInput:
		content = `[{"type":"text","text":` + content + `},{"type":"image","source":{"type":"base64","media_type":"image/png","data":"` + picture + `"}}]`
	case provider.StructuredOutput:
		more = `,"output_config":{"format":{"type":"json_schema","schema":` + schema + `}}`
	case provider.Thinking:
		more = `,"thinking":{"type":"enabled","budget_tokens":2000}`
	}
	return fmt.Sprintf(`{"model":%q,"stream":%t,"max_tokens":3000,"metadata":{"user_id":"someone"}%s,"messages":[{"role":"user","content":%s}]}`,
		a.model, a.stream, more, content)
}

func aigneAsk(a wish) string {
	content := fmt.Sprintf("%q", words(a.want))
	more, options := "", ""
	switch a.want {
	case provider.Tools:
		more = `,"tools":[{"type":"function","function":{"name":"weather","parameters":` + schema + `}}]`
	case provider.ImageInput:
		content = `[{"type":"text","text":` + content + `},{"type":"file","mimeType":"image/png","data":"` + picture + `"}]`
	case provider.StructuredOutput:
		more = `,"responseFormat":{"type":"json_schema","jsonSchema":{"name":"place","schema":` + schema + `}}`
	case provider.Thinking:
		options = `,"reasoningEffort":"high"`
	}
	return fmt.Sprintf(`{"input":{"modelOptions":{"model":%q%s},"messages":[{"role":"user","content":%s}]%s},"options":{"streaming":%t}}`,
		a.model, options, content, more, a.stream)
}

// TestEachClaimOfTheProviderTableIsTrue runs every cell of README's table over
// a hub and a strict fake of the vendor, from three languages, whole and streamed.
// A kind with a language or a task that has no fake here fails: its claims are
// not proven until one is added.
func TestEachClaimOfTheProviderTableIsTrue(t *testing.T) {
	t.Parallel()
	h := start(t, fetching())
	for _, k := range provider.All() {
		v := startVendor(t, k)
		if k.Auth == provider.GoogleAccount {
			v.front(t)
		}
		h.add(k.ID, k.ID, v.base, v.key)
		t.Run(k.ID, func(t *testing.T) {
			for _, name := range k.Dialects {
				require.Contains(t, chatFakes, name, "no fake speaks %s, so nothing proves what README says of %s", name, k.ID)
			}
			for _, c := range provider.Capabilities() {
				for _, from := range callers {
					for _, stream := range []bool{false, true} {
						t.Run(fmt.Sprintf("%s from %s stream=%t", c, from.name, stream), func(t *testing.T) {
							h.prove(t, v, from, wish{k.ID + "/" + v.model, stream, c})
						})
					}
				}
			}
			for _, work := range task.Kinds() {
				t.Run(string(work), func(t *testing.T) {
					if language, does := k.Tasks[work]; does {
						h.proveWork(t, v, work, language)
					} else {
						h.proveNoWork(t, v, work)
					}
				})
			}
		})
	}
}

func (h *testHub) prove(t *testing.T, v *vendor, from caller, a wish) {
	t.Helper()
	before := v.asked()
	res, text := h.send(from.path, from.body(a))
	native := v.kind.Speaks(dialect.Name(from.name), "") || from.name == "openai" && v.kind.Speaks(dialect.OpenAIChat, "")
	if !v.kind.Offers(a.want) {
		if !native && v.kind.Offers(provider.Chat) {
			assert.Equal(t, http.StatusBadRequest, res.StatusCode, "what is not offered is refused: %s", text)
			assert.Equal(t, before, v.asked(), "before the vendor is asked")
		}
		return
	}
	if native && from.name == "openai" && !v.natively(a.want) {
		return // the caller's bytes pass as they are; the vendor's own refusal is shown
	}
	require.Equal(t, http.StatusOK, res.StatusCode, text)
	assert.Equal(t, before+1, v.asked())
	if mark := from.shows[a.want]; mark != "" {
		assert.Contains(t, text, mark)
	}
	q := v.kind.Quirks
	byWords := q.NoJSONSchema && q.ToolModes != nil && !slices.Contains(q.ToolModes, "tool") // a fake reads no prose
	if a.want == provider.StructuredOutput && !a.stream && !byWords {
		assert.Contains(t, text, "Paris", "the fake's example of the schema")
		assert.NotContains(t, text, "hub_structured_answer")
	}
	if a.want == provider.ImageInput {
		assert.True(t, v.got(picture), "the picture has reached the vendor")
	}
}

// got reports whether the newest request of some fake holds a text.
func (v *vendor) got(text string) bool {
	for _, f := range v.fakes {
		if strings.Contains(string(f.Last().Body), text) {
			return true
		}
	}
	return false
}

// natively reports whether the vendor takes the caller's own OpenAI words.
func (v *vendor) natively(c provider.Capability) bool {
	q := v.kind.Quirks
	if v.kind.Dialects[0] != dialect.OpenAIChat {
		return true // quirks are those of another language
	}
	switch c {
	case provider.StructuredOutput:
		return !q.NoJSONSchema && !q.SchemaInObject
	case provider.Thinking:
		return q.Efforts == nil || strings.Contains(strings.Join(q.Efforts, " "), "high")
	}
	return true
}

func (v *vendor) asked() (n int) {
	counted := map[*fakeprovider.Provider]bool{}
	for _, f := range v.fakes {
		if !counted[f] {
			counted[f] = true
			n += len(f.Requests())
		}
	}
	return n
}
