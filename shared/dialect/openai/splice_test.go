package openai

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

func TestSpliceChangesOnlyWhatMust(t *testing.T) {
	t.Parallel()
	const tail = `"messages" : [ {"role":"user","content":"<&>"} ]}`
	stream := dialect.Target{Model: "vendor/m", Stream: true, MaxOutput: 100}
	lowered := dialect.Target{Model: "m", LowerTo: 50, MaxOutput: 100}
	for name, tc := range map[string]struct {
		in     string
		target dialect.Target
		want   string
	}{
		"nothing": {`{"model":"m","x":1.0,` + tail, dialect.Target{Model: "m"}, `{"model":"m","x":1.0,` + tail},
		"the model and the gateway's own field": {
			`{"model":"m","route":{"a":1}, ` + tail, dialect.Target{Model: "v\"m"}, `{"model":"v\"m",` + tail,
		},
		"usage for a stream": {
			`{"model":"m","stream":true,` + tail, stream,
			`{"model":"vendor/m","stream":true,` + tail[:len(tail)-1] + `,"stream_options":{"include_usage":true}}`,
		},
		"usage beside another option": {
			`{"model":"vendor/m","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":false},` + tail, stream,
			`{"model":"vendor/m","stream":true,"stream_options":{"include_obfuscation":false,"include_usage":true},` + tail,
		},
		"usage where null stood": {
			`{"model":"vendor/m","stream":true,"stream_options":null,` + tail, stream,
			`{"model":"vendor/m","stream":true,"stream_options":{"include_usage":true},` + tail,
		},
		"usage that was asked for": {
			`{"model":"vendor/m","stream":true,"stream_options": {"include_usage" : true},` + tail, stream,
			`{"model":"vendor/m","stream":true,"stream_options": {"include_usage" : true},` + tail,
		},
		"no usage at a vendor that refuses to be asked": {
			`{"model":"m","stream":true,"stream_options":{"include_usage":true},` + tail,
			dialect.Target{Model: "m", Stream: true, Quirks: dialect.Quirks{NoStreamUsage: true}},
			`{"model":"m","stream":true,` + tail,
		},
		"a limit that is above": {`{"model":"m","max_tokens":80,` + tail, lowered, `{"model":"m","max_tokens":50,` + tail},
		"a limit that is below": {`{"model":"m","max_tokens":20,` + tail, lowered, `{"model":"m","max_tokens":20,` + tail},
		"both limits":           {`{"model":"m","max_tokens":80,"max_completion_tokens":90,` + tail, lowered, `{"model":"m","max_tokens":50,"max_completion_tokens":50,` + tail},
		"no limit":              {`{"model":"m",` + tail, lowered, `{"model":"m",` + tail[:len(tail)-1] + `,"max_completion_tokens":50}`},
		"no limit, an old vendor": {
			`{"model":"m",` + tail, dialect.Target{Model: "m", LowerTo: 50, Quirks: dialect.Quirks{MaxTokensField: "max_tokens"}},
			`{"model":"m",` + tail[:len(tail)-1] + `,"max_tokens":50}`,
		},
		"thinking that only resellers know": {
			`{"model":"m","messages":[{"role":"assistant","content":"<a>", "reasoning_details":[{"type":"reasoning.text"}],"reasoning_content":"r"}]}`,
			dialect.Target{Model: "m"}, `{"model":"m","messages":[{"role":"assistant","content":"<a>", "reasoning_content":"r"}]}`,
		},
		"thinking that this one knows": {
			`{"model":"m","messages":[{"role":"assistant","content":"a", "reasoning_details":[]}]}`,
			dialect.Target{Model: "m", Quirks: dialect.Quirks{ReasoningDetails: true}}, `{"model":"m","messages":[{"role":"assistant","content":"a", "reasoning_details":[]}]}`,
		},
		"a null limit": {`{"model":"m","max_tokens":null,` + tail, lowered, `{"model":"m","max_tokens":null,` + tail[:len(tail)-1] + `,"max_completion_tokens":50}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := viewOf(t, tc.in)
			for range 2 { // v is not changed: every target gets its own
				got, err := Client{}.Splice(v, tc.target)
				require.NoError(t, err)
				assert.Equal(t, tc.want, string(got.Body))
			}
		})
	}
}
