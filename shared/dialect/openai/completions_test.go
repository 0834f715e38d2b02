package openai

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

func completionGolden(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", "completions", name))
	require.NoError(t, err)
	return body
}

func seeCompletion(t testing.TB, body string) *dialect.View {
	t.Helper()
	v, err := CompletionsServer{}.View(nil, []byte(body))
	require.NoError(t, err)
	return v
}

func TestACompletionIsReadWholeAndSplitAtEveryByte(t *testing.T) {
	t.Parallel()
	stream := completionGolden(t, "two.sse")
	want, err := CompletionsClient{}.Decode(completionGolden(t, "two.json"), dialect.Quirks{})
	require.NoError(t, err)
	assert.Equal(t, " upon \"a\" time\n", chat.TextOf(want.Choices[0].Parts, chat.Text))
	assert.Equal(t, chat.FinishLength, want.Choices[1].Finish)
	assert.Equal(t, hub.Usage{hub.Input: 4, hub.Output: 9}, want.Usage)
	for _, frames := range [][][]byte{dialecttest.Frames(t, stream), dialecttest.SplitFrames(t, stream)} {
		got, err := dialecttest.Collect(CompletionsClient{}.Decoder(dialect.Quirks{}), frames)
		require.NoError(t, err)
		assert.True(t, got.End)
		assert.Equal(t, want, got.Response)
	}
}

func TestTheMeterOfCompletionsWaitsForEveryChoice(t *testing.T) {
	t.Parallel()
	v := seeCompletion(t, `{"model":"m","prompt":["a","b"],"stream":true}`)
	assert.EqualValues(t, 2, v.N)
	m := CompletionsClient{}.Meter(v, dialect.Quirks{})
	var finish []bool
	for _, f := range dialecttest.Frames(t, completionGolden(t, "two.sse")) {
		finish = append(finish, m.Frame(f).Finish)
	}
	assert.Equal(t, []bool{false, false, false, true, true, true}, finish)
	assert.Equal(t, hub.Usage{hub.Input: 4, hub.Output: 9}, m.Report().Usage)
	assert.True(t, m.Report().Known)
	assert.EqualValues(t, len(" upon \"a\" time\n there 潮"), m.Report().TextBytes)
	whole := CompletionsClient{}.Meter(v, dialect.Quirks{})
	require.NoError(t, whole.Whole(completionGolden(t, "two.json")))
	assert.Equal(t, m.Report(), whole.Report())
	assert.Error(t, CompletionsClient{}.Meter(nil, dialect.Quirks{}).Whole([]byte(`{"error":{"message":"no"}}`)))
}

func TestWhatIsGeneratedIsCountedByPromptsAndBestOf(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]int64{
		`"prompt":"a"`: 1, `"prompt":"a","n":3`: 3, `"prompt":"a","n":2,"best_of":5`: 5, `"prompt":[1,2,3]`: 1,
		`"prompt":[[1],[2]],"n":2`: 4, `"prompt":["a","b","c"]`: 3,
	} {
		v := seeCompletion(t, `{"model":"m",`+body+`}`)
		assert.Equal(t, want, v.N, body)
		assert.EqualValues(t, 16, *v.MaxOutput, "the API's own default")
	}
	for body, param := range map[string]string{
		`{"model":"m"}`: "prompt", `{"prompt":"x"}`: "model", `{"model":"m","prompt":7}`: "prompt", `{"model":"m","prompt":"x","n":1000}`: "n",
		`{"model":"m","prompt":"x","max_tokens":0}`: "max_tokens",
	} {
		_, err := CompletionsServer{}.View(nil, []byte(body))
		assert.Equal(t, param, hub.AsError(err).Param, body)
	}
}

func TestAnAnswerOfAnyModelIsATextCompletion(t *testing.T) {
	t.Parallel()
	v := seeCompletion(t, `{"model":"m","prompt":"x","stream":true,"stream_options":{"include_usage":true}}`)
	res := &chat.Response{ID: "msg_1", Model: "m-1", Created: 7, Choices: []chat.Choice{{Finish: chat.FinishLength,
		Parts:    []chat.Part{{Kind: chat.Thinking, Text: "hm"}, {Kind: chat.Text, Text: "yes"}},
		Logprobs: json.RawMessage(`{"content":[{"token":"yes","logprob":-0.5,"top_logprobs":[{"token":"no","logprob":-1}]}]}`)}}}
	used := hub.Usage{hub.Input: 2, hub.Output: 1}
	body, err := CompletionsServer{}.Whole(v, res, dialect.Closing{Usage: used})
	require.NoError(t, err)
	o, err := wire.Parse(body)
	require.NoError(t, err)
	choices, _ := o.Get("choices")
	assert.JSONEq(t, `[{"text":"yes","index":0,"finish_reason":"length","logprobs":{"tokens":["yes"],"token_logprobs":[-0.5],"top_logprobs":[{"no":-1}],"text_offset":[0]}}]`, string(choices))

	enc := CompletionsServer{}.Stream(v)
	var out []byte
	for _, ev := range []chat.Event{
		{Kind: chat.EventStart, ID: "msg_1", Model: "m-1"}, {Kind: chat.EventThinking, Text: "hm"}, {Kind: chat.EventText, Text: "ye\""},
		{Kind: chat.EventText, Text: "s"}, {Kind: chat.EventFinish, Finish: chat.FinishToolCalls}, {Kind: chat.EventFinish},
	} {
		out = enc.Event(out, ev)
	}
	out = enc.Close(out, dialect.Closing{Usage: used})
	got, err := dialecttest.Collect(CompletionsClient{}.Decoder(dialect.Quirks{}), dialecttest.Frames(t, out))
	require.NoError(t, err)
	assert.True(t, got.End)
	assert.Equal(t, "ye\"s", chat.TextOf(got.Response.Choices[0].Parts, chat.Text))
	assert.Equal(t, "stop", got.Response.Choices[0].Native)
	assert.Equal(t, used, got.Response.Usage)
	_, err = dialecttest.Collect(CompletionsClient{}.Decoder(dialect.Quirks{}), dialecttest.Frames(t, enc.Fail(nil, hub.Errorf(hub.CodeUpstream, "gone"))))
	assert.Error(t, err)
}

func TestSpliceOfCompletionsTouchesOnlyWhatItMust(t *testing.T) {
	t.Parallel()
	v := seeCompletion(t, `{"model":"a/b","prompt":[1,2],"suffix":"x","max_tokens":900}`)
	enc, err := CompletionsClient{}.Splice(v, dialect.Target{Model: "b", LowerTo: 100})
	require.NoError(t, err)
	bytesAre(t, `{"model":"b","prompt":[1,2],"suffix":"x","max_tokens":100}`, enc.Body)
	v = seeCompletion(t, `{"model":"b","prompt":"x"}`)
	enc, err = CompletionsClient{}.Splice(v, dialect.Target{Model: "b", LowerTo: 100})
	require.NoError(t, err)
	bytesAre(t, `{"model":"b","prompt":"x"}`, enc.Body) // sixteen tokens are less than the wallet covers
}

// bytesAre compares byte for byte, not by meaning.
func bytesAre(t *testing.T, want string, got []byte) {
	t.Helper()
	assert.Equal(t, want, string(got))
}

// FuzzCompletions reads requests and answers: all survive anything.
func FuzzCompletions(f *testing.F) {
	f.Add([]byte(`{"model":"m","prompt":["a"],"n":2,"logprobs":3}`))
	f.Add(completionGolden(f, "two.json"))
	f.Add(completionGolden(f, "two.sse"))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := CompletionsServer{}.View(nil, body)
		if err == nil {
			if req, err := (CompletionsServer{}).Decode(v); err == nil {
				_, err = CompletionsClient{}.Encode(req, dialect.Target{Model: "m"})
				if err != nil {
					assert.Equal(t, hub.CodeInvalid, hub.CodeOf(err))
				}
			}
		}
		m := CompletionsClient{}.Meter(v, dialect.Quirks{})
		if _, err := (CompletionsClient{}).Decode(body, dialect.Quirks{}); err == nil {
			assert.NoError(t, m.Whole(body))
		}
		for b, n := range m.Report().Usage {
			assert.GreaterOrEqual(t, n, int64(0), hub.Bucket(b).String())
		}
	})
}
