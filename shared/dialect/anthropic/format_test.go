package anthropic

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

func TestStructuredAnswersAreNativeWhereAModelMayThinkUnasked(t *testing.T) {
	t.Parallel()
	const closedSchema = `{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{},"additionalProperties":false}}},"additionalProperties":false}`
	const openSchema = `{"type":"object","properties":{"a":{"type":"object","properties":{}}},"additionalProperties":false}`
	for _, c := range []struct {
		model, schema string
		native        bool
	}{
		{"claude-opus-4-8", closedSchema, true},
		{"claude-opus-4-8", openSchema, false}, // refused natively
		{"claude-3-7-sonnet", closedSchema, false},
	} {
		req := &chat.Request{Model: "m", Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{{Text: "x"}}}},
			Format: &chat.Format{Kind: "json_schema", Name: "n", Schema: json.RawMessage(c.schema)}}
		enc, err := Client{}.Encode(req, dialect.Target{Model: c.model, MaxOutput: 9})
		require.NoError(t, err)
		var body struct {
			OutputConfig *json.RawMessage `json:"output_config"`
			ToolChoice   *toolChoice      `json:"tool_choice"`
		}
		require.NoError(t, json.Unmarshal(enc.Body, &body))
		assert.Equal(t, c.native, body.OutputConfig != nil, c.model)
		assert.Equal(t, !c.native, body.ToolChoice != nil, c.model)
	}
}
