package aigne_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/aigne"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func embedView(body string) (*dialect.TaskView, error) {
	return aigne.Embeddings{}.View(httptest.NewRequest(http.MethodPost, "/", nil), []byte(body))
}

func TestBothShapesOfEmbeddings(t *testing.T) {
	t.Parallel()
	result := &task.Result{Vectors: []task.Vector{{Index: 1, Values: []float32{2}}, {Index: 0, Values: []float32{1}}}}
	closing := dialect.Closing{CallID: "c1", Provider: "openai", Model: "m", Usage: hub.Usage{hub.Input: 5}, Credits: money.Credits(1_500_000_000), Billed: true}
	const usage = `"usage":{"inputTokens":5,"outputTokens":0,"aigneHubCredits":1.5,"modelCallId":"c1"},"model":"m","modelWithProvider":"openai/m"`
	for body, want := range map[string]string{
		`{"input":{"input":["a","b"],"modelOptions":{"model":"openai/m"}}}`: `{"embeddings":[[1],[2]],` + usage + `}`,
		`{"model":"openai/m","input":["a",[1,2]]}`:                          `{"data":[{"object":"embedding","index":0,"embedding":[1]},{"object":"embedding","index":1,"embedding":[2]}],` + usage + `}`,
		`{"model":"openai/m","input":["a","b"],"encoding_format":"base64"}`: `{"data":[{"object":"embedding","index":0,"embedding":"AACAPw=="},{"object":"embedding","index":1,"embedding":"AAAAQA=="}],` + usage + `}`,
	} {
		v, err := embedView(body)
		require.NoError(t, err, body)
		assert.Equal(t, "openai/m", v.Request.Model)
		assert.Len(t, v.Request.Embed.Inputs, 2)
		p, err := aigne.Embeddings{}.Whole(v, result, closing)
		require.NoError(t, err)
		assert.JSONEq(t, want, string(p.Body))
	}
}

func TestBadEmbeddingRequestsNameTheirField(t *testing.T) {
	t.Parallel()
	for body, param := range map[string]string{
		`{"input":{"input":"a"}}`:                       "input.modelOptions.model",
		`{"input":"a"}`:                                 "model",
		`{"model":"m"}`:                                 "input",
		`{"model":"m","input":[]}`:                      "input",
		`{"model":"m","input":["a",{}]}`:                "input",
		`{"model":"m","input":"a","dimensions":"many"}`: "dimensions",
		`{"input":{"input":"a","encodingFormat":"x","modelOptions":{"model":"m"}}}`: "input.encodingFormat",
	} {
		_, err := embedView(body)
		require.Error(t, err, body)
		assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err), body)
		assert.Equal(t, param, hub.AsError(err).Param, body)
	}
}
