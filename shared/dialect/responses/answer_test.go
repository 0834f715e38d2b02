package responses

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

const asking = `{"model":"boat","input":"x","tools":[{"type":"function","name":"look"},{"type":"custom","name":"patch"},
	{"type":"namespace","name":"mail","tools":[{"type":"function","name":"send"}]}]}`

// everything is an answer with all that this language can tell.
func everything() *chat.Response {
	return &chat.Response{ID: "msg_9", Model: "boat-1", Choices: []chat.Choice{{Finish: chat.FinishToolCalls, Parts: []chat.Part{
		{Kind: chat.Thinking, Text: "Hm <b>.", Signature: "c2ln", SignedBy: chat.SignedAnthropic},
		{Kind: chat.RedactedThinking, Signature: "b3A=", SignedBy: chat.SignedAnthropic},
		{Kind: chat.Text, Text: "Tab\t\"q\" 潮", Annotations: json.RawMessage(`[{"type":"url_citation","url_citation":{"start_index":0,"end_index":3,"url":"https://x","title":"X"}}]`)},
		{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "c1", Name: "look", Arguments: `{"at":1}`}, Signature: "Z29v", SignedBy: chat.SignedGoogle},
		{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "c2", Name: "patch", Arguments: `{"input":"a\nb"}`}},
		{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "c3", Name: "mail__send", Arguments: `{}`}},
	}}}}
}

var used = hub.Usage{hub.Input: 10, hub.CacheRead: 5, hub.CacheWrite5m: 2, hub.Output: 7, hub.Reasoning: 3}

// readStrictly reads a stream as openai-node does and returns the last answer.
func readStrictly(t testing.TB, stream []byte) map[string]any {
	t.Helper()
	var last map[string]any
	id, items := "", map[float64]any{}
	for i, f := range dialecttest.Frames(t, stream) {
		event, data := wire.Data(f)
		var ev map[string]any
		require.NoError(t, json.Unmarshal(data, &ev), "%s", data)
		require.Equal(t, event, ev["type"])
		require.EqualValues(t, i, ev["sequence_number"])
		at, _ := ev["output_index"].(float64)
		switch event {
		case "response.output_item.added":
			require.Equal(t, len(items), int(at))
			items[at] = ev["item"].(map[string]any)["id"]
		case "response.output_item.done":
			require.Equal(t, items[at], ev["item"].(map[string]any)["id"])
		default:
			if of, ok := ev["item_id"]; ok {
				require.Equal(t, items[at], of, event)
			}
		}
		if res, ok := ev["response"].(map[string]any); ok {
			if i == 0 {
				id = res["id"].(string)
			}
			require.Equal(t, id, res["id"])
			last = res
		}
	}
	return last
}

func streamed(t testing.TB, body string, res *chat.Response) []byte {
	t.Helper()
	enc := server.Stream(see(t, body))
	out := enc.Event(nil, chat.Event{Kind: chat.EventStart, ID: res.ID, Model: res.Model})
	for _, ev := range eventsOf(&res.Choices[0]) {
		out = enc.Event(out, ev)
	}
	out = enc.Event(out, chat.Event{Kind: chat.EventUsage, Usage: used})
	return enc.Close(out, dialect.Closing{Usage: used})
}

func TestAWholeAnswerTellsEverythingUnderTheCallersNames(t *testing.T) {
	t.Parallel()
	body, err := server.Whole(see(t, asking), everything(), dialect.Closing{Usage: used})
	require.NoError(t, err)
	assert.Contains(t, string(body), "Hm <b>.")
	var got struct {
		ID, Object, Status, Model string
		Output                    []map[string]any
		Usage                     map[string]any
		Store                     bool
	}
	require.NoError(t, json.Unmarshal(body, &got))
	assert.Regexp(t, `^resp_`, got.ID, "ids of other languages may not be unique enough to be found again")
	assert.Equal(t, []any{"response", "completed", "boat-1", true}, []any{got.Object, got.Status, got.Model, got.Store})
	assert.JSONEq(t, `{"input_tokens":17,"input_tokens_details":{"cached_tokens":5,"cache_write_tokens":2},"output_tokens":10,"output_tokens_details":{"reasoning_tokens":3},"total_tokens":27}`,
		string(encodeJSON(got.Usage)))
	var kinds []any
	for _, it := range got.Output {
		kinds = append(kinds, it["type"])
	}
	assert.Equal(t, []any{"reasoning", "reasoning", "message", "function_call", "reasoning", "custom_tool_call", "function_call"}, kinds)
	assert.Equal(t, []any{map[string]any{"type": "url_citation", "start_index": 0.0, "end_index": 3.0, "url": "https://x", "title": "X"}},
		got.Output[2]["content"].([]any)[0].(map[string]any)["annotations"])
	assert.Equal(t, "a\nb", got.Output[5]["input"])
	assert.Equal(t, []any{"mail", "send", "{}"}, []any{got.Output[6]["namespace"], got.Output[6]["name"], got.Output[6]["arguments"]})
}

func TestAnAnswerSentBackIsWhatItWas(t *testing.T) {
	t.Parallel()
	whole, err := server.Whole(see(t, asking), everything(), dialect.Closing{Usage: used})
	require.NoError(t, err)
	for name, answer := range map[string][]byte{"whole": whole, "streamed": encodeJSON(readStrictly(t, streamed(t, asking, everything())))} {
		req := decoded(t, `{"model":"m","input":`+string(wire.Member(answer, "output"))+`}`)
		require.Len(t, req.Messages, 1, name)
		parts := req.Messages[0].Parts
		for i := range parts {
			parts[i].ID = ""
		}
		want := everything().Choices[0].Parts
		want[2].Annotations = parts[2].Annotations
		assert.JSONEq(t, string(everything().Choices[0].Parts[2].Annotations), string(parts[2].Annotations))
		assert.Equal(t, want, parts, "%s: thoughts and signatures of other vendors come back to them", name)
	}
}

func TestAStreamIsReadByItsOwnDecoder(t *testing.T) {
	t.Parallel()
	res := everything()
	res.Choices[0].Parts = append(res.Choices[0].Parts[2:4:4], chat.Part{Kind: chat.Text, Text: "after"}, chat.Part{Kind: chat.Image, Media: &chat.Media{MIME: "image/png", Data: "AA=="}})
	frames := dialecttest.Frames(t, streamed(t, asking, res))
	got, err := dialecttest.Collect(client.Decoder(dialect.Quirks{}), frames)
	require.NoError(t, err)
	require.True(t, got.End)
	assert.Equal(t, "Tab\t\"q\" 潮after", chat.TextOf(got.Response.Choices[0].Parts, chat.Text))
	assert.Equal(t, used, got.Response.Usage)
	m := client.Meter(nil, dialect.Quirks{})
	for _, f := range frames {
		m.Frame(f)
	}
	assert.Equal(t, used, m.Report().Usage)
}

func TestInterleavedCallsStayApart(t *testing.T) {
	t.Parallel()
	enc := server.Stream(see(t, asking))
	var out []byte
	for _, ev := range []chat.Event{
		{Kind: chat.EventToolCall, Index: 0, ID: "a", Name: "look"}, {Kind: chat.EventToolCall, Index: 1, ID: "b", Name: "patch"},
		{Kind: chat.EventToolArgs, Index: 1, Text: `{"input"`}, {Kind: chat.EventToolArgs, Index: 0, Text: `{"n":`},
		{Kind: chat.EventToolArgs, Index: 1, Text: `:"x"}`}, {Kind: chat.EventToolArgs, Index: 0, Text: `0}`},
		{Kind: chat.EventToolArgs, Index: 9, Text: "of no call"}, {Kind: chat.EventText, Choice: 1, Text: "another choice"},
		{Kind: chat.EventFinish, Finish: chat.FinishToolCalls},
	} {
		out = enc.Event(out, ev)
	}
	last := readStrictly(t, enc.Close(out, dialect.Closing{}))
	items := last["output"].([]any)
	require.Len(t, items, 2)
	assert.Equal(t, `{"n":0}`, items[0].(map[string]any)["arguments"])
	assert.Equal(t, "x", items[1].(map[string]any)["input"])
}

func TestAnAnswerTellsWhyItEnded(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		choice chat.Choice
		status string
		reason any
	}{
		"stop":      {chat.Choice{Finish: chat.FinishStop, Parts: []chat.Part{{Kind: chat.Text, Text: "x"}}}, "completed", nil},
		"the limit": {chat.Choice{Finish: chat.FinishLength, Parts: []chat.Part{{Kind: chat.Text, Text: "x"}}}, "incomplete", "max_output_tokens"},
		"a filter":  {chat.Choice{Finish: chat.FinishContentFilter}, "incomplete", "content_filter"},
		"a refusal": {chat.Choice{Finish: chat.FinishContentFilter, Parts: []chat.Part{{Kind: chat.Refusal, Text: "no"}}}, "completed", nil},
		"no finish": {chat.Choice{}, "completed", nil},
	} {
		last := readStrictly(t, streamed(t, asking, &chat.Response{Choices: []chat.Choice{c.choice}}))
		assert.Equal(t, c.status, last["status"], name)
		reason, _ := last["incomplete_details"].(map[string]any)
		assert.Equal(t, c.reason, reason["reason"], name)
	}
}

func TestWhatWasCutOffIsIncomplete(t *testing.T) {
	t.Parallel()
	last := readStrictly(t, streamed(t, asking, &chat.Response{Choices: []chat.Choice{{Finish: chat.FinishLength, Parts: []chat.Part{
		{Kind: chat.Text, Text: "whole"},
		{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "a", Name: "look", Arguments: `{"n":1}`}},
		{Kind: chat.ToolCallPart, ToolCall: &chat.ToolCall{ID: "b", Name: "look", Arguments: `{"n":`}},
	}}}}))
	var states []any
	for _, it := range last["output"].([]any) {
		states = append(states, it.(map[string]any)["status"])
	}
	assert.Equal(t, []any{"completed", "completed", "incomplete"}, states)
}

func TestAFailureIsToldUnderTheAnswersID(t *testing.T) {
	t.Parallel()
	enc := server.Stream(see(t, asking))
	out := enc.Event(nil, chat.Event{Kind: chat.EventText, Text: "begun"})
	out = enc.Fail(out, &hub.Error{Code: hub.CodeRateLimited, Message: "slow"})
	last := readStrictly(t, out)
	assert.Equal(t, "failed", last["status"])
	assert.Equal(t, map[string]any{"code": "rate_limit_exceeded", "message": "slow"}, last["error"])
	readStrictly(t, server.Stream(see(t, asking)).Fail(nil, &hub.Error{Code: hub.CodeUpstream, Message: "x"}))
}

func TestSpliceTouchesOnlyWhatItMust(t *testing.T) {
	t.Parallel()
	body := `{ "model":"a/b", "input":[{"role":"user","content":"x"}], "odd":{"k":[1, 2]} }`
	enc, err := client.Splice(see(t, body), dialect.Target{Model: "b"})
	require.NoError(t, err)
	bytesAre(t, `{ "model":"b", "input":[{"role":"user","content":"x"}], "odd":{"k":[1, 2]} }`, enc.Body)
	enc, err = client.Splice(see(t, `{"model":"b","input":"x","max_output_tokens":900}`), dialect.Target{Model: "b", LowerTo: 100})
	require.NoError(t, err)
	bytesAre(t, `{"model":"b","input":"x","max_output_tokens":100}`, enc.Body)
	enc, err = client.Splice(see(t, `{"model":"b","input":"x"}`), dialect.Target{Model: "b", LowerTo: 100})
	require.NoError(t, err)
	assert.JSONEq(t, `{"model":"b","input":"x","max_output_tokens":100}`, string(enc.Body))
	enc, err = client.Splice(see(t, `{"model":"b","input":[{"type":"reasoning","encrypted_content":"`+chat.Seal(chat.SignedAnthropic, "t", "s")+`"},{"role":"user","content":"x"}]}`), dialect.Target{Model: "b"})
	require.NoError(t, err)
	bytesAre(t, `{"model":"b","input":[{"role":"user","content":"x"}]}`, enc.Body)
}

// bytesAre compares byte for byte, not by meaning.
func bytesAre(t *testing.T, want string, got []byte) {
	t.Helper()
	assert.Equal(t, want, string(got))
}

func TestEncodeRefusesAndDropsByTheCallersNames(t *testing.T) {
	t.Parallel()
	ask := func(change func(*chat.Request)) *chat.Request {
		r := &chat.Request{Model: "m", Messages: []chat.Message{{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "x"}}}}, Names: map[string]string{"stop": "stop_sequences"}}
		change(r)
		return r
	}
	for param, change := range map[string]func(*chat.Request){
		"stop_sequences": func(r *chat.Request) { r.Stop = []string{"x"} },
		"seed":           func(r *chat.Request) { r.Seed = new(int64(1)) },
		"n":              func(r *chat.Request) { r.N = new(int64(2)) },
		"top_k":          func(r *chat.Request) { r.TopK = new(int64(2)) },
		"prediction":     func(r *chat.Request) { r.Extra = map[string]json.RawMessage{"prediction": json.RawMessage(`{}`)} },
		"tools[0].type":  func(r *chat.Request) { r.Tools = []chat.Tool{{RawType: "bash", Raw: json.RawMessage(`{}`)}} },
	} {
		_, err := client.Encode(ask(change), dialect.Target{Model: "m"})
		require.Equal(t, hub.CodeInvalid, hub.CodeOf(err), param)
		assert.Equal(t, param, hub.AsError(err).Param)
	}
	enc, err := client.Encode(ask(func(r *chat.Request) {
		r.N = new(int64(1))
		r.Extra = map[string]json.RawMessage{"store": json.RawMessage("true")}
		r.Messages = append(r.Messages, chat.Message{Role: chat.Assistant, Parts: []chat.Part{{Kind: chat.Thinking, Text: "t", Signature: "s", SignedBy: chat.SignedAnthropic}, {Kind: chat.Text, Text: "y"}}})
	}), dialect.Target{Model: "m", LowerTo: 50})
	require.NoError(t, err)
	assert.Equal(t, []string{"store"}, enc.Dropped)
	assert.JSONEq(t, `{"model":"m","max_output_tokens":50,"store":false,"include":["reasoning.encrypted_content"],"input":[
		{"type":"message","role":"user","content":[{"type":"input_text","text":"x"}]},{"type":"message","role":"assistant","content":[{"type":"output_text","text":"y"}]}]}`, string(enc.Body))
}

func TestAStoredConversationGoesOn(t *testing.T) {
	t.Parallel()
	first := see(t, `{"model":"m","input":"one","instructions":"gone next time"}`)
	answer, err := server.Whole(first, everything(), dialect.Closing{})
	require.NoError(t, err)
	kept, err := Keep(first, answer)
	require.NoError(t, err)
	body, err := kept.Continue(see(t, `{"model":"m","previous_response_id":"resp_1","input":[{"role":"user","content":"two"}]}`))
	require.NoError(t, err)
	req := decoded(t, string(body))
	require.Len(t, req.Messages, 3)
	assert.Equal(t, "one", chat.TextOf(req.Messages[0].Parts, chat.Text))
	assert.Len(t, req.Messages[1].Parts, 6)
	assert.Equal(t, "two", chat.TextOf(req.Messages[2].Parts, chat.Text))

	next, err := Keep(see(t, string(body)), answer)
	require.NoError(t, err)
	page, err := next.Items("", 2, true)
	require.NoError(t, err)
	assert.Len(t, page.Data, 2)
	assert.True(t, page.HasMore)
	rest, err := next.Items(*page.LastID, 100, true)
	require.NoError(t, err)
	assert.Len(t, rest.Data, len(next.Input)-2)
	assert.False(t, rest.HasMore)
	_, err = next.Items("msg_unknown", 2, false)
	assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
}

func TestFaultsWithinStreamsHaveTheirClass(t *testing.T) {
	t.Parallel()
	for data, class := range map[string]hub.Class{
		`{"type":"error","code":"rate_limit_exceeded","message":"slow down"}`:                                                 hub.ClassRateLimit,
		`{"type":"error","error":{"type":"insufficient_quota","code":"insufficient_quota","message":"quota"}}`:                hub.ClassCredential,
		`{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"server_error","message":"oops"}}}`: hub.ClassRetry,
		`{"type":"response.failed","response":{"id":"r","status":"failed","error":{"code":"invalid_prompt","message":"no"}}}`: hub.ClassRequest,
	} {
		for _, frame := range []string{"data: " + data + "\n\n", "event: " + wordOf(wire.Member([]byte(data), "type")) + "\ndata: " + data + "\n\n"} {
			_, err := client.Decoder(dialect.Quirks{}).Frame([]byte(frame))
			require.Error(t, err, frame)
			assert.Equal(t, class, hub.AsError(err).Class, frame)
			assert.Equal(t, class, client.Meter(nil, dialect.Quirks{}).Frame([]byte(frame)).Err.Class, frame)
		}
	}
	_, err := client.Decode([]byte(`{"id":"r","status":"failed","error":{"code":"server_error","message":"oops"}}`), dialect.Quirks{})
	assert.Equal(t, hub.ClassRetry, hub.AsError(err).Class)
	for _, body := range []string{`[]`, `{}`, `{"hello":"world"}`, `<html>`} {
		_, err := client.Decode([]byte(body), dialect.Quirks{})
		assert.Equal(t, hub.CodeUpstream, hub.CodeOf(err), body)
	}
}
