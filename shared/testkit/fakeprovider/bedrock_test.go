package fakeprovider

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	bedrockClaude = "/model/us.anthropic.claude-fake-4-5-v1%3A0/converse"
	bedrockNova   = "/model/us.amazon.nova-fake-v1%3A0/converse"
	bedrockHello  = `{"messages":[{"role":"user","content":[{"text":"Hello"}]}]}`
)

// signedPost signs a request with Amazon's own signer, lets change spoil it, and
// sends it.
func signedPost(t *testing.T, p *Provider, at time.Time, change func(*http.Request)) *http.Response {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, p.URL+bedrockClaude, strings.NewReader(bedrockHello))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	sum := sha256.Sum256([]byte(bedrockHello))
	keys := aws.Credentials{AccessKeyID: AccessKeyID, SecretAccessKey: DefaultKey, SessionToken: "token"}
	require.NoError(t, v4.NewSigner().SignHTTP(t.Context(), keys, r, hex.EncodeToString(sum[:]), "bedrock", "us-east-1", at))
	if change != nil {
		change(r)
	}
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { res.Body.Close() })
	return res
}

func TestBedrockTakesOnlyGoodSignatures(t *testing.T) {
	t.Parallel()
	p := Start(t, Bedrock, Options{})
	assert.Equal(t, http.StatusOK, signedPost(t, p, time.Now(), nil).StatusCode)
	assert.Equal(t, http.StatusForbidden, signedPost(t, p, time.Now().Add(-time.Hour), nil).StatusCode, "an old one")
	for name, change := range map[string]func(*http.Request){
		"another body": func(r *http.Request) {
			r.Body = io.NopCloser(strings.NewReader(strings.Replace(bedrockHello, "Hello", "Hullo", 1)))
		},
		"another model":   func(r *http.Request) { r.URL.Path, r.URL.RawPath = strings.Replace(r.URL.Path, "4-5", "4-6", 1), "" },
		"another query":   func(r *http.Request) { r.URL.RawQuery = "a=b" },
		"another token":   func(r *http.Request) { r.Header.Set("X-Amz-Security-Token", "other") },
		"another service": func(r *http.Request) { replace(r, "/bedrock/", "/s3/") },
		"another key":     func(r *http.Request) { replace(r, AccessKeyID, "AKIAOTHER") },
		"no signature":    func(r *http.Request) { r.Header.Del("Authorization") },
	} {
		assert.Equal(t, http.StatusForbidden, signedPost(t, p, time.Now(), change).StatusCode, name)
	}
}

func replace(r *http.Request, old, with string) {
	r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, with, 1))
}

func TestBedrockRefusesWhatTheRealOneRefuses(t *testing.T) {
	t.Parallel()
	p := Start(t, Bedrock, Options{})
	send := func(path, body string) int {
		res, err := post(t, p, path, http.Header{"Authorization": {"Bearer " + DefaultKey}}, body)
		require.NoError(t, err)
		defer res.Body.Close()
		return res.StatusCode
	}
	const hi = `{"role":"user","content":[{"text":"Hi"}]}`
	const use = `{"role":"assistant","content":[{"toolUse":{"toolUseId":"a","name":"f","input":{}}}]}`
	const result = `{"role":"user","content":[{"toolResult":{"toolUseId":"a","content":[{"text":"r"}]}}]}`
	const tools = `"toolConfig":{"tools":[{"toolSpec":{"name":"f","inputSchema":{"json":{"type":"object"}}}}]}`
	for name, tt := range map[string]struct{ path, body string }{
		"no messages":                        {bedrockNova, `{"messages":[]}`},
		"the assistant first":                {bedrockNova, `{"messages":[{"role":"assistant","content":[{"text":"Hi"}]}]}`},
		"two of the user":                    {bedrockNova, `{"messages":[` + hi + `,` + hi + `]}`},
		"blank text":                         {bedrockNova, `{"messages":[{"role":"user","content":[{"text":" "}]}]}`},
		"a cache point first":                {bedrockNova, `{"messages":[{"role":"user","content":[{"cachePoint":{"type":"default"}},{"text":"Hi"}]}]}`},
		"tool blocks without toolConfig":     {bedrockNova, `{"messages":[` + hi + `,` + use + `,` + result + `]}`},
		"a call without its result":          {bedrockNova, `{"messages":[` + hi + `,` + use + `,` + hi + `],` + tools + `}`},
		"a result without its call":          {bedrockNova, `{"messages":[` + result + `],` + tools + `}`},
		"no tools":                           {bedrockNova, `{"messages":[` + hi + `],"toolConfig":{"tools":[]}}`},
		"a document without text":            {bedrockNova, `{"messages":[{"role":"user","content":[{"document":{"format":"pdf","name":"a","source":{"bytes":"aa=="}}}]}]}`},
		"a document's name with a dot":       {bedrockNova, `{"messages":[{"role":"user","content":[{"text":"x"},{"document":{"format":"pdf","name":"a.pdf","source":{"bytes":"aa=="}}}]}]}`},
		"an unknown image":                   {bedrockNova, `{"messages":[{"role":"user","content":[{"image":{"format":"jpg","source":{"bytes":"aa=="}}}]}]}`},
		"an unknown field":                   {bedrockNova, `{"messages":[` + hi + `],"model":"x"}`},
		"a temperature above 1":              {bedrockNova, `{"messages":[` + hi + `],"inferenceConfig":{"temperature":1.2}}`},
		"top_k for Nova as Claude spells it": {bedrockNova, `{"messages":[` + hi + `],"additionalModelRequestFields":{"top_k":1}}`},
		"thinking sent to Nova":              {bedrockNova, `{"messages":[` + hi + `,{"role":"assistant","content":[{"reasoningContent":{"redactedContent":"x"}}]}]}`},
		"an output format for Nova":          {bedrockNova, `{"messages":[` + hi + `],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":"{}"}}}}}`},
		"a schema that is no text":           {bedrockClaude, `{"messages":[` + hi + `],"outputConfig":{"textFormat":{"type":"json_schema","structure":{"jsonSchema":{"schema":{}}}}}}`},
		"a thinking budget above the limit":  {bedrockClaude, `{"messages":[` + hi + `],"inferenceConfig":{"maxTokens":2000},"additionalModelRequestFields":{"thinking":{"type":"enabled","budget_tokens":2000}}}`},
		"a forged signature":                 {bedrockClaude, `{"messages":[` + hi + `,{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"t","signature":"forged"}}}]}]}`},
		"five cache points":                  {bedrockClaude, `{"messages":[{"role":"user","content":[{"text":"x"}` + strings.Repeat(`,{"cachePoint":{"type":"default"}}`, 5) + `]}]}`},
		"an unknown model":                   {"/model/none/converse", `{"messages":[` + hi + `]}`},
	} {
		assert.Equal(t, http.StatusBadRequest, send(tt.path, tt.body), name)
	}
	assert.Equal(t, http.StatusOK, send(bedrockNova, `{"messages":[`+hi+`,`+use+`,`+result+`],`+tools+`}`))
	assert.Equal(t, http.StatusNotFound, send("/model/a/b/converse", bedrockHello), "a name is one segment")
}
