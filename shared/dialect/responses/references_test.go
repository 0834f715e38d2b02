package responses

import (
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func viewOf(t *testing.T, body string) *dialect.View {
	t.Helper()
	o, err := wire.Parse([]byte(body))
	require.NoError(t, err)
	return &dialect.View{Object: o, Model: "m"}
}

func TestAReferenceLeadsToTheItemOfAStoredAnswer(t *testing.T) {
	t.Parallel()
	e := NewServer(time.Now, nil).encoder(viewOf(t, `{"model":"m","input":"Hi"}`))
	for _, ev := range []chat.Event{
		{Kind: chat.EventThinking, Text: "hm"}, {Kind: chat.EventSignature, Text: "sig", SignedBy: "anthropic"},
		{Kind: chat.EventText, Text: "Hello"}, {Kind: chat.EventToolCall, ID: "call_1", Name: "f"}, {Kind: chat.EventToolArgs, Text: "{}"},
		{Kind: chat.EventFinish, Finish: chat.FinishToolCalls},
	} {
		e.Event(nil, ev)
	}
	response := e.Response(dialect.Closing{})
	var answer struct {
		ID     string `json:"id"`
		Output []struct {
			ID string `json:"id"`
		} `json:"output"`
	}
	require.NoError(t, json.Unmarshal(response, &answer))
	require.Len(t, answer.Output, 3)
	asked := 0
	find := func(id string) (*Stored, error) {
		asked++
		if id != answer.ID {
			return nil, nil
		}
		return &Stored{Response: response}, nil
	}
	refer := func(i int) string { return `{"type":"item_reference","id":"` + answer.Output[i].ID + `"}` }
	body, changed, err := Resolve(viewOf(t, `{"model":"m","input":[{"role":"user","content":"Hi"},`+refer(0)+`,{"id":"`+answer.Output[1].ID+`"},`+
		refer(2)+`,{"type":"item_reference","id":"msg_`+answer.ID+`_9"},{"type":"item_reference","id":"msg_0a1b"}]}`), find)
	require.NoError(t, err)
	require.True(t, changed)
	assert.Equal(t, 2, asked, "one look for each answer")
	var next struct {
		Input []map[string]any `json:"input"`
	}
	require.NoError(t, json.Unmarshal(body, &next))
	kinds := make([]any, len(next.Input))
	for i, item := range next.Input {
		kinds[i] = item["type"]
	}
	assert.Equal(t, []any{nil, "reasoning", "message", "function_call", "item_reference", "item_reference"}, kinds)
	assert.Equal(t, answer.Output[0].ID, next.Input[1]["id"])
	assert.NotEmpty(t, next.Input[1]["encrypted_content"])
	assert.NotContains(t, next.Input[2], "id")
	assert.Equal(t, "call_1", next.Input[3]["call_id"])

	_, changed, err = Resolve(viewOf(t, `{"model":"m","input":[{"type":"item_reference","id":"msg_0a1b"},{"role":"user","content":"Hi","id":"`+answer.Output[1].ID+`"}]}`), find)
	require.NoError(t, err)
	assert.False(t, changed, "what needs no change is sent on as it came")
	gone := errors.New("the database is away")
	_, _, err = Resolve(viewOf(t, `{"model":"m","input":[`+refer(1)+`]}`), func(string) (*Stored, error) { return nil, gone })
	assert.ErrorIs(t, err, gone)
}
