package dialecttest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

// Through takes the recorded answers of an api, tells them to a caller of
// another language and reads them back: what they say must be the same, whole
// and streamed, both streams arriving byte by byte. It skips without recordings.
func Through(t *testing.T, from dialect.Client, api string, quirksFor func(provider string) dialect.Quirks, to Language) {
	t.Helper()
	dir := Recorded(t, api)
	ran := 0
	for _, g := range Load(t, dir).Groups {
		if g.Kind != "response" {
			continue
		}
		// No api: native words and ids are not compared.
		r := runner{client: from, dir: dir, group: g}
		if quirksFor != nil {
			r.quirks = quirksFor(g.Provider)
		}
		for turn, tt := range g.turns() {
			for _, v := range tt.Variants {
				if v.API != api || to.Can.Words && len(tt.Expect.ToolCalls) > 0 {
					continue
				}
				ran++
				t.Run(g.ID+"/"+turn+"/"+v.Kind, func(t *testing.T) {
					t.Parallel()
					r.through(t, r.read(t, v.File), v.Kind == "json", to, to.Can.told(tt.Expect, r.quirks))
				})
			}
		}
	}
	require.Positive(t, ran, "no group for %s", api)
}

// told is what a language tells of an answer: refusals are text where there is
// no field for them.
func (c *Can) told(want Expect, q dialect.Quirks) Expect {
	if c.Together && want.Usage != nil {
		u := *want.Usage
		if q.ReasoningExtra {
			u.Completion += u.Reasoning
		}
		u.Reasoning, want.Usage = 0, &u
	}
	if c.Words {
		want.ReasoningText = ""
	}
	if c.Filters && want.Refusal != "" {
		want.FinishReason = "content_filter"
	}
	if c.NoFinish {
		want.FinishReason = ""
	}
	if !c.Refusals {
		want.Text, want.Refusal = want.Text+want.Refusal, ""
	}
	return want
}

func (r *runner) through(t *testing.T, body []byte, whole bool, to Language, want Expect) {
	v := to.anyView(t)
	if whole {
		res, err := r.client.Decode(body, r.quirks)
		require.NoError(t, err)
		out, err := to.Server.Whole(v, res, dialect.Closing{Usage: res.Usage, Known: res.UsageKnown})
		require.NoError(t, err)
		again, err := to.Client.Decode(out, to.Target.Quirks)
		require.NoError(t, err, "%s", out)
		r.same(t, want, again)
		to.sameSignatures(t, res, again)
		return
	}
	got, err := Collect(r.client.Decoder(r.quirks), allFrames(t, cutter(r.client, oneByte(body))))
	require.NoError(t, err)
	var out []byte
	enc := to.Server.Stream(v)
	for _, ev := range got.Events {
		out = enc.Event(out, ev)
	}
	out = enc.Close(out, dialect.Closing{Usage: got.Response.Usage, Known: got.Response.UsageKnown})
	again, err := Collect(to.Client.Decoder(to.Target.Quirks), allFrames(t, cutter(to.Client, oneByte(out))))
	require.NoError(t, err, "%s", out)
	assert.True(t, again.End, "the stream reached its end")
	r.same(t, want, again.Response)
	to.sameSignatures(t, got.Response, again.Response)
}

func (l Language) sameSignatures(t *testing.T, want, got *chat.Response) {
	t.Helper()
	if !l.Can.Unsigned {
		assert.Equal(t, signatures(want), signatures(got), "signatures")
	}
}

// signatures are what must come back to the vendor in the next turn, with the
// vendor.
func signatures(res *chat.Response) (all []string) {
	for _, p := range res.Choices[0].Parts {
		if p.Signature != "" && p.SignedBy != "" {
			all = append(all, p.SignedBy+":"+p.Signature)
		}
	}
	return all
}
