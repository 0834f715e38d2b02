package responses

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func TestANativeStreamIsEndedWithEverythingClosedAndRepeated(t *testing.T) {
	t.Parallel()
	object, err := wire.Parse([]byte(`{"model":"m","input":"Hi"}`))
	require.NoError(t, err)
	e := Server{now: func() time.Time { return time.Unix(7, 0) }}.Ender(&dialect.View{Object: object, Model: "m"})
	for _, data := range []string{
		`{"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","status":"in_progress","model":"m-1","output":[],"store":true,"odd":{"kept":1}}}`,
		`{"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}`,
		`{"type":"response.output_item.done","sequence_number":2,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[],"encrypted_content":"x"}}`,
		`{"type":"response.output_item.added","sequence_number":3,"output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}`,
		`{"type":"response.content_part.added","sequence_number":4,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","text":"","annotations":[]}}`,
		`{"type":"response.output_text.delta","sequence_number":5,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"gr\u00fc\u00df "}`,
		`{"type":"response.output_text.delta","sequence_number":6,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"\"dich\""}`,
		`{"type":"response.output_text.annotation.added","sequence_number":7,"item_id":"msg_1","output_index":1,"content_index":0,"annotation_index":0,"annotation":{"type":"url_citation","url":"u"}}`,
		`{"type":"response.output_item.added","sequence_number":8,"output_index":2,"item":{"id":"fc_1","type":"function_call","status":"in_progress","call_id":"c","name":"look","arguments":""}}`,
		`{"type":"response.function_call_arguments.delta","sequence_number":9,"item_id":"fc_1","output_index":2,"delta":"{\"city\":"}`,
	} {
		e.Saw([]byte("event: " + wire.Text(wire.Member([]byte(data), "type")) + "\ndata: " + data + "\n\n"))
	}
	var got []string
	for _, frame := range strings.Split(strings.TrimSpace(string(e.End(nil, dialect.Closing{Model: "m", Usage: hub.Usage{hub.Input: 3, hub.Output: 4}}))), "\n\n") {
		_, data, ok := strings.Cut(frame, "\ndata: ")
		require.True(t, ok, frame)
		got = append(got, data)
	}
	want := []string{
		`{"type":"response.output_text.done","sequence_number":10,"item_id":"msg_1","output_index":1,"content_index":0,"text":"grüß \"dich\"","logprobs":[]}`,
		`{"type":"response.content_part.done","sequence_number":11,"item_id":"msg_1","output_index":1,"content_index":0,"part":{"type":"output_text","text":"grüß \"dich\"","annotations":[{"type":"url_citation","url":"u"}]}}`,
		`{"type":"response.output_item.done","sequence_number":12,"output_index":1,"item":{"id":"msg_1","type":"message","status":"incomplete","role":"assistant","content":[{"type":"output_text","text":"grüß \"dich\"","annotations":[{"type":"url_citation","url":"u"}]}]}}`,
		`{"type":"response.function_call_arguments.done","sequence_number":13,"item_id":"fc_1","output_index":2,"name":"look","arguments":"{\"city\":"}`,
		`{"type":"response.output_item.done","sequence_number":14,"output_index":2,"item":{"id":"fc_1","type":"function_call","status":"incomplete","call_id":"c","name":"look","arguments":"{\"city\":"}}`,
	}
	require.Len(t, got, len(want)+1)
	for i := range want {
		assert.JSONEq(t, want[i], got[i])
	}
	var last struct {
		Type     string
		Response struct {
			ID, Status, Model string
			Store             bool
			Odd               map[string]int
			Incomplete        struct{ Reason string } `json:"incomplete_details"`
			Output            []struct{ ID string }
			Usage             map[string]any
		}
	}
	require.NoError(t, json.Unmarshal([]byte(got[len(want)]), &last))
	assert.Equal(t, "response.incomplete", last.Type)
	assert.Equal(t, []string{"resp_1", "incomplete", "m-1", "max_output_tokens"},
		[]string{last.Response.ID, last.Response.Status, last.Response.Model, last.Response.Incomplete.Reason})
	assert.False(t, last.Response.Store, "nobody stores it")
	assert.Equal(t, map[string]int{"kept": 1}, last.Response.Odd, "what is not understood stays")
	assert.Len(t, last.Response.Output, 3)
	assert.EqualValues(t, 4, last.Response.Usage["output_tokens"])
}

func TestAnEndOfAStreamOfWhichNothingWasSeenIsStillAnAnswer(t *testing.T) {
	t.Parallel()
	object, err := wire.Parse([]byte(`{"model":"m","input":"Hi"}`))
	require.NoError(t, err)
	e := Server{now: time.Now}.Ender(&dialect.View{Object: object, Model: "m"})
	for _, odd := range []string{": ping\n\n", "data: [DONE]\n\n", "event: response.output_text.delta\ndata: {\"output_index\":-4,\"content_index\":99999999,\"delta\":\"x\"}\n\n"} {
		e.Saw([]byte(odd))
	}
	got := string(e.End(nil, dialect.Closing{}))
	assert.Contains(t, got, "event: response.incomplete")
	assert.Contains(t, got, `"status":"incomplete"`)
}
