package bedrocktasks_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/bedrocktasks"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

const titan, cohere = "amazon.titan-embed-text-v2:0", "us.cohere.embed-v4:0"

func embed(texts ...string) *task.Request {
	e := &task.Embed{}
	for _, text := range texts {
		e.Inputs = append(e.Inputs, task.EmbedInput{Text: text})
	}
	return &task.Request{Kind: task.Embedding, Embed: e}
}

func TestEachVendorGetsItsOwnBody(t *testing.T) {
	t.Parallel()
	short := embed("one")
	short.Embed.Dimensions, short.User = new(int64(256)), "u1"
	search := embed("one", "two")
	search.Embed.Purpose = "RETRIEVAL_QUERY"
	for _, tt := range []struct {
		model   string
		req     *task.Request
		path    string
		body    string
		dropped []string
	}{
		{titan, embed("one"), "/model/amazon.titan-embed-text-v2:0/invoke", `{"inputText":"one"}`, nil},
		{titan, short, "/model/amazon.titan-embed-text-v2:0/invoke", `{"inputText":"one","dimensions":256}`, []string{"user"}},
		{cohere, search, "/model/us.cohere.embed-v4:0/invoke", `{"texts":["one","two"],"input_type":"search_query","embedding_types":["float"]}`, nil},
		{"arn:aws:bedrock:us-east-1:1:inference-profile/cohere.embed-x", embed("one"), "/model/arn:aws:bedrock:us-east-1:1:inference-profile%2Fcohere.embed-x/invoke",
			`{"texts":["one"],"input_type":"search_document","embedding_types":["float"]}`, nil},
	} {
		enc, err := bedrocktasks.Client{}.Encode(tt.req, dialect.Target{Model: tt.model})
		require.NoError(t, err)
		assert.Equal(t, tt.path, enc.Path)
		assert.JSONEq(t, tt.body, string(enc.Body))
		assert.Equal(t, tt.dropped, enc.Dropped)
	}
}

func TestWhatAModelCannotDoIsRefusedByName(t *testing.T) {
	t.Parallel()
	tokens, extra := embed("one"), embed("one")
	tokens.Embed.Inputs[0] = task.EmbedInput{Tokens: []int64{1}}
	extra.Extra = map[string]json.RawMessage{"truncate": []byte(`"END"`)}
	for _, tt := range []struct {
		model, param string
		req          *task.Request
	}{
		{titan, "input", embed("one", "two")}, {titan, "input", tokens}, {cohere, "truncate", extra}, {"amazon.nova-lite-v1:0", "model", embed("one")},
	} {
		_, err := bedrocktasks.Client{}.Encode(tt.req, dialect.Target{Model: tt.model})
		require.Error(t, err)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
		assert.Equal(t, tt.param, hub.AsError(err).Param)
	}
}

func TestTokensAreReadFromTheBodyOrTheHeader(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		body, header string
		tokens       int64
		vectors      int
	}{
		"Titan":         {`{"embedding":[0.5,1],"inputTextTokenCount":3,"embeddingsByType":{"float":[0.5,1]}}`, "3", 3, 1},
		"Cohere":        {`{"id":"x","embeddings":{"float":[[1,2],[3,4]]},"response_type":"embeddings_by_type"}`, "7", 7, 2},
		"an older one":  {`{"id":"x","embeddings":[[1,2],[3,4]],"response_type":"embeddings_floats"}`, "7", 7, 2},
		"without count": {`{"id":"x","embeddings":[[1,2]]}`, "", 0, 1},
	} {
		h := http.Header{}
		if tt.header != "" {
			h.Set("X-Amzn-Bedrock-Input-Token-Count", tt.header)
		}
		res, err := bedrocktasks.Client{}.Decode(embed("a"), dialect.TaskAnswer{Header: h, Body: []byte(tt.body)}, dialect.Target{Model: titan})
		require.NoError(t, err, name)
		assert.Len(t, res.Vectors, tt.vectors, name)
		assert.Equal(t, hub.Usage{hub.Input: tt.tokens}, res.Usage, name)
		assert.Equal(t, tt.tokens > 0, res.UsageKnown, name)
	}
	_, err := bedrocktasks.Client{}.Decode(embed("a"), dialect.TaskAnswer{Body: []byte(`{"embeddings":[]}`)}, dialect.Target{})
	require.Error(t, err)
}
