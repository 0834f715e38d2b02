package anthropic

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func TestVertexNamesTheModelInThePathAndTheVersionInTheBody(t *testing.T) {
	t.Parallel()
	to := dialect.Target{Model: "claude-sonnet-4-5@20250929", MaxOutput: 100, Quirks: dialect.Quirks{Vertex: true}}
	assert.Equal(t, "/publishers/anthropic/models/claude-sonnet-4-5@20250929:rawPredict", Client{}.Path(to))
	stream := to
	stream.Stream = true
	assert.Equal(t, "/publishers/anthropic/models/claude-sonnet-4-5@20250929:streamRawPredict", Client{}.Path(stream))
	for _, model := range []string{"..", "a/../b", "a:predict?x"} {
		path := Client{}.Path(dialect.Target{Model: model, Quirks: to.Quirks})
		assert.Regexp(t, `^/publishers/anthropic/models/[^/?:]+:rawPredict$`, path)
		assert.NotContains(t, path, "/..:")
	}

	enc, err := Client{}.Encode(&chat.Request{Messages: []chat.Message{say("hi")}}, to)
	require.NoError(t, err)
	assert.JSONEq(t, `{"anthropic_version":"vertex-2023-10-16","max_tokens":100,"messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]}`, string(enc.Body))
	assert.Empty(t, enc.Header)

	o, err := wire.Parse([]byte(`{"model":"vertex/claude-x", "max_tokens":5, "messages":[]}`))
	require.NoError(t, err)
	v := &dialect.View{Object: o, Header: http.Header{"Anthropic-Version": {"2023-06-01"}, "Anthropic-Beta": {"b"}}, MaxOutput: ptr(int64(5))}
	enc, err = Client{}.Splice(v, to)
	require.NoError(t, err)
	assert.JSONEq(t, `{"max_tokens":5,"messages":[],"anthropic_version":"vertex-2023-10-16"}`, string(enc.Body))
	assert.Equal(t, http.Header{"Anthropic-Beta": {"b"}}, enc.Header)
}
