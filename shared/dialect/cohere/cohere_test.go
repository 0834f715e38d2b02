package cohere_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/cohere"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

var target = dialect.Target{Model: "embed-v4.0"}

func embed(change func(*task.Request)) *task.Request {
	r := &task.Request{Kind: task.Embedding, Names: map[string]string{"task_type": "input_type"},
		Embed: &task.Embed{Inputs: []task.EmbedInput{{Text: "one"}, {Text: "two"}}}}
	if change != nil {
		change(r)
	}
	return r
}

func TestRequestsAreInCoheresWords(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		req     *task.Request
		path    string
		body    string
		dropped []string
	}{
		"vectors": {embed(nil), "/embed",
			`{"model":"embed-v4.0","texts":["one","two"],"input_type":"search_document","embedding_types":["float"]}`, nil},
		"for a search, shorter": {embed(func(r *task.Request) {
			r.Embed.Purpose, r.Embed.Dimensions, r.User = "RETRIEVAL_QUERY", new(int64(256)), "u1"
		}), "/embed",
			`{"model":"embed-v4.0","texts":["one","two"],"input_type":"search_query","embedding_types":["float"],"output_dimension":256}`, []string{"user"}},
		"in Cohere's own word": {embed(func(r *task.Request) { r.Embed.Purpose = "clustering" }), "/embed",
			`{"model":"embed-v4.0","texts":["one","two"],"input_type":"clustering","embedding_types":["float"]}`, nil},
		"a ranking": {&task.Request{Kind: task.Rerank, Extra: map[string]json.RawMessage{"max_tokens_per_doc": []byte("512")},
			Rank: &task.Rank{Query: "q", Documents: []string{"a", "b"}, TopN: new(int64(1)), Return: true}}, "/rerank",
			`{"model":"embed-v4.0","query":"q","documents":["a","b"],"top_n":1,"max_tokens_per_doc":512}`, nil},
	} {
		enc, err := cohere.Client{}.Encode(tt.req, target)
		require.NoError(t, err, name)
		assert.Equal(t, tt.path, enc.Path, name)
		assert.JSONEq(t, tt.body, string(enc.Body), name)
		assert.Equal(t, tt.dropped, enc.Dropped, name)
	}
}

func TestWhatCohereHasNotIsRefusedByName(t *testing.T) {
	t.Parallel()
	for param, req := range map[string]*task.Request{
		"input":      embed(func(r *task.Request) { r.Embed.Inputs[1] = task.EmbedInput{Tokens: []int64{1}} }),
		"input_type": embed(func(r *task.Request) { r.Embed.Purpose = "FACT_VERIFICATION" }),
		"late":       embed(func(r *task.Request) { r.Extra = map[string]json.RawMessage{"late": []byte("true")} }),
	} {
		_, err := cohere.Client{}.Encode(req, target)
		require.Error(t, err)
		assert.Equal(t, param, hub.AsError(err).Param)
	}
}

func TestAnswersTellWhatWasBilled(t *testing.T) {
	t.Parallel()
	res, err := cohere.Client{}.Decode(embed(nil), dialect.TaskAnswer{Body: []byte(
		`{"id":"e1","embeddings":{"float":[[0.5,-1],[2,3]]},"texts":["one","two"],"meta":{"api_version":{"version":"2"},"billed_units":{"input_tokens":4}}}`)}, target)
	require.NoError(t, err)
	assert.Equal(t, []task.Vector{{Index: 0, Values: []float32{0.5, -1}}, {Index: 1, Values: []float32{2, 3}}}, res.Vectors)
	assert.Equal(t, hub.Usage{hub.Input: 4}, res.Usage)
	assert.True(t, res.UsageKnown)
	res, err = cohere.Client{}.Decode(&task.Request{Kind: task.Rerank}, dialect.TaskAnswer{Body: []byte(
		`{"id":"r1","results":[{"index":3,"relevance_score":0.99},{"index":0,"relevance_score":0.1}],"meta":{"billed_units":{"search_units":2}}}`)}, target)
	require.NoError(t, err)
	assert.Equal(t, []task.Ranked{{Index: 3, Score: 0.99}, {Index: 0, Score: 0.1}}, res.Ranking)
	assert.Equal(t, hub.Usage{hub.Requests: 2}, res.Usage)
	for _, bad := range []string{`{"embeddings":{}}`, `[]`, ``} {
		_, err := cohere.Client{}.Decode(embed(nil), dialect.TaskAnswer{Body: []byte(bad)}, target)
		require.Error(t, err)
	}
}

func TestFaultsKeepCoheresWords(t *testing.T) {
	t.Parallel()
	e := cohere.Client{}.Fault(http.StatusBadRequest, nil, []byte(`{"id":"x","message":"invalid request: texts must not be empty"}`))
	assert.Equal(t, hub.ClassRequest, e.Class)
	assert.Contains(t, e.Message, "texts must not be empty")
	e = cohere.Client{}.Fault(http.StatusUnauthorized, nil, []byte(`{"message":"invalid api token"}`))
	assert.Equal(t, hub.ClassCredential, e.Class)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"embeddings":{"float":[[1]]},"meta":{"billed_units":{"input_tokens":1e300}}}`))
	f.Fuzz(func(_ *testing.T, body []byte) {
		for _, kind := range []task.Kind{task.Embedding, task.Rerank} {
			_, _ = cohere.Client{}.Decode(&task.Request{Kind: kind}, dialect.TaskAnswer{Body: body}, target)
		}
	})
}
