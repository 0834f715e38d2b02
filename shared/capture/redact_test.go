package capture

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSecretsAreTakenOutWhateverTheyStandIn(t *testing.T) {
	t.Parallel()
	jwt := "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLWhlcmU"
	for name, c := range map[string]struct{ in, hidden string }{
		"an OpenAI key in a message": {`{"content":"my key is sk-proj-Ab12Cd34Ef56Gh78, use it"}`, "Ab12Cd34Ef56Gh78"},
		"the hub's own key":          {`{"content":"sk-hub-0123456789abcdef0123456789"}`, "0123456789abcdef"},
		"an Anthropic key":           {`sk-ant-api03-AAAABBBBCCCCDDDD`, "AAAABBBB"},
		"an escaped one":             {`{"content":"s\u006b-proj-Ab12Cd34Ef56Gh78"}`, "Ab12Cd34Ef56Gh78"},
		"a bearer token":             {`{"headers":"Authorization: Bearer abc123.def456-ghi"}`, "abc123.def456"},
		"a curl command":             {`{"text":"curl -H 'x-api-key: topsecretvalue' https://x"}`, "topsecretvalue"},
		"basic credentials":          {`Basic dXNlcjpwYXNzd29yZA==`, "dXNlcjpwYXNz"},
		"a value by its name":        {`{"api_key":"hunter2"}`, "hunter2"},
		"a name with a prefix":       {`{"db.password": "hunter2"}`, "hunter2"},
		"a name in another case":     {`{"Client_Secret" : "hunter2"}`, "hunter2"},
		"JSON in a string":           {`{"arguments":"{\"password\":\"hunter22\"}"}`, "hunter22"},
		"an AWS key":                 {`AKIAIOSFODNN7EXAMPLE`, "IOSFODNN7"},
		"a Google key":               {`{"t":"AIzaSyA-1234567890abcdefghijklmnopqrstu"}`, "SyA-1234567890"},
		"a GitHub token":             {`ghp_abcdefghijklmnopqrstuvwxyz0123456789`, "abcdefghijkl"},
		"a Slack token":              {`xoxb-123456789012-abcdefghij`, "123456789012"},
		"a web token":                {`{"t":"` + jwt + `"}`, jwt},
		"a password in a URL":        {`postgres://me:hunter2@db/x`, "hunter2"},
		"a private key":              {"-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nAAAA\n-----END RSA PRIVATE KEY-----", "MIIEow"},
		"a private key in JSON":      {`{"k":"-----BEGIN PRIVATE KEY-----\nMIIEow\n-----END PRIVATE KEY-----\n"}`, "MIIEow"},
		"a private key that was cut": {`-----BEGIN PRIVATE KEY-----` + "\nMIIEow", "MIIEow"},
		"in a stream":                {"data: {\"delta\":\"sk-proj-Ab12Cd34Ef56Gh78\"}\n\ndata: [DONE]\n", "Ab12Cd34Ef56Gh78"},
		"in an unfinished string":    {`{"content":"sk-proj-Ab12Cd34Ef56Gh78`, "Ab12Cd34Ef56Gh78"},
		"an environment file":        {"OPENAI_API_KEY=abcd1234efgh\nX=1", "abcd1234efgh"},
		"in a form":                  {"grant_type=x&client_secret=abcdefgh&y=1", "abcdefgh"},
		"a number by its name":       {`{"password": 12345678}`, "12345678"},
		"a cookie":                   {`{"cookie":"aigne_hub_session=abcdefgh"}`, "abcdefgh"},
	} {
		r := newRedactor(nil)
		got := r.body([]byte(c.in))
		assert.NotContains(t, got, c.hidden, name)
		assert.Contains(t, got, "[secret]", name)
		assert.Positive(t, r.found[secret], name)
		if json.Valid([]byte(c.in)) {
			assert.True(t, json.Valid([]byte(got)), "%s: JSON stays JSON: %s", name, got)
		}
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{"model":"gpt-x","messages":[{"role":"user","content":"What is a secret? Tell me about tokens: 5 of them."}],"max_tokens":1000}`,
		`{"usage":{"prompt_tokens":12,"completion_tokens":1700000000},"created":1700000000,"id":"chatcmpl-1"}`,
		"data: {\"choices\":[{\"delta\":{\"content\":\"a \\\"quoted\\\" word\"}}]}\n\n",
		`{"text":"2026-03-29 10:30, 1.234.567 pieces, v1.2.3, 192.168.0.1"}`, `{"a":"\u4f60\u597d ünï","b":[true,null,-1.5e3]}`, "", "\n\n", `"`, `{"x":"task-force"}`,
	} {
		r := newRedactor(Kinds())
		assert.Equal(t, in, r.body([]byte(in)))
		assert.Empty(t, r.found, in)
	}
}

func TestPersonalDataIsTakenOutByChoice(t *testing.T) {
	t.Parallel()
	const in = `{"content":"Mail jörg.o'neil+x@mail.example.co.uk or call +49 (0)30 1234-5678, 030 123 4567 8; card 4111 1111 1111 1111, not 4111 1111 1111 1112","card":5500005555555559}`
	for _, c := range []struct {
		pii    []string
		counts map[string]int
		gone   []string
		stays  []string
	}{
		{nil, map[string]int{}, nil, []string{"example.co.uk", "1234-5678", "4111 1111 1111 1111", "5500005555555559"}},
		{[]string{Email}, map[string]int{Email: 1}, []string{"jörg", "example.co"}, []string{"1234-5678", "4111 1111 1111 1111"}},
		{[]string{Card}, map[string]int{Card: 2}, []string{"4111 1111 1111 1111", "5500005555555559"}, []string{"4111 1111 1111 1112", "example.co.uk"}},
		{[]string{Phone}, map[string]int{Phone: 2}, []string{"1234-5678", "123 4567"}, []string{"example.co.uk"}},
		{Kinds(), map[string]int{Email: 1, Phone: 2, Card: 2}, []string{"jörg", "1234-5678", "4111 1111 1111 1111"}, []string{"Mail", "or call"}},
	} {
		r := newRedactor(c.pii)
		got := r.body([]byte(in))
		for _, s := range c.gone {
			assert.NotContains(t, got, s, c.pii)
		}
		assert.True(t, json.Valid([]byte(got)), got)
		for _, s := range c.stays {
			assert.Contains(t, got, s, c.pii)
		}
		for kind, n := range c.counts {
			if kind == Phone {
				assert.GreaterOrEqual(t, r.found[kind], n, "%v: %s", c.pii, got)
				continue
			}
			assert.Equal(t, n, r.found[kind], "%v: %s", c.pii, got)
		}
	}
}

func TestPicturesBecomeSizeAndDigest(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("iVBORw0KGgo/AA+A", 100) + "AA=="
	for name, in := range map[string]string{
		"a data URL":      `{"url":"data:image/png;base64,` + content + `"}`,
		"escaped slashes": `{"url":"data:image\/png;base64,` + strings.ReplaceAll(content, "/", `\/`) + `"}`,
		"bare":            `{"source":{"media_type":"image/png","data":"` + content + `"}}`,
		"cut":             `{"url":"data:image/png;base64,` + content[:1000],
	} {
		r := newRedactor(nil)
		got := r.body([]byte(in))
		assert.NotContains(t, got, "iVBOR", name)
		assert.Less(t, len(got), 150, name)
		assert.Regexp(t, `\[(image/png|base64), \d+ bytes, sha256 of base64 [0-9a-f]{16}\]`, got, name)
		assert.Equal(t, 1, r.found["media"], name)
	}
	small := newRedactor(nil).body([]byte(`"data:image/gif;base64,R0lGODlhAQABAAAAACw="`))
	assert.NotContains(t, small, "R0lGOD")
}

func TestWhatIsSpreadOverAStreamIsTakenOutToo(t *testing.T) {
	t.Parallel()
	const text = "Your key is sk-proj-Ab12Cd34Ef56Gh78, mail me@example.com; say \"hi\""
	for name, frame := range map[string]string{
		"OpenAI": `{"id":"c","choices":[{"index":0,"delta":{"content":%s}}]}`, "Anthropic": `{"type":"content_block_delta","delta":{"type":"text_delta","text":%s}}`,
		"Responses": `{"type":"response.output_text.delta","delta":%s}`, "tool calls": `{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":%s}}]}}]}`,
	} {
		for size := 1; size < 12; size++ {
			var in strings.Builder
			for at := 0; at < len(text); at += size {
				fmt.Fprintf(&in, "data: "+frame+"\n\n", quote(text[at:min(len(text), at+size)]))
			}
			in.WriteString("data: [DONE]\n\n")
			r := newRedactor([]string{Email})
			got := r.body([]byte(in.String()))
			var said strings.Builder
			for line := range strings.Lines(got) {
				data, ok := strings.CutPrefix(strings.TrimSpace(line), "data: ")
				if !ok || data == "[DONE]" {
					continue
				}
				require.True(t, json.Valid([]byte(data)), "%s: %s", name, data)
				texts := map[string][]*piece{}
				pieces(texts, data, 0)
				for _, f := range []string{"content", "text", "delta", "arguments"} {
					for _, p := range texts[f] {
						said.WriteString(p.meant)
					}
				}
			}
			assert.Equal(t, `Your key is [secret], mail [email]; say "hi"`, said.String(), "%s in pieces of %d", name, size)
			assert.Equal(t, 1, r.found[secret])
		}
	}
}

func BenchmarkRedact(b *testing.B) {
	body := []byte(`{"picture":"` + strings.Repeat("iVBORw0KGgo/AA+A", 1<<14) + `","say":"` + strings.Repeat("words, keys and 12 numbers. ", 1<<13) + `"}`)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		newRedactor(Kinds()).body(body)
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range []string{`{"a":"sk-proj-Ab12Cd34Ef56Gh78"}`, "data: {\"x\":\"\\\"\"}\n", `"\`, "\xff\"", `{"password":`, `{"password":{"x":"y"}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got := newRedactor(Kinds()).body(b)
		if json.Valid(b) {
			assert.True(t, json.Valid([]byte(got)), "%s -> %s", b, got)
		}
	})
}
