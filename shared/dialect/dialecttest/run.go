package dialecttest

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Run holds a client side to its contract over the recorded answers of an api
// ("openai-chat", "anthropic", "gemini", "bedrock"). It skips when there are no recordings.
func Run(t *testing.T, client dialect.Client, api string, quirksFor func(provider string) dialect.Quirks) {
	t.Helper()
	RunDir(t, client, api, Recorded(t, api), quirksFor)
}

// RunDir is Run over a folder with a manifest.json of the same form, such as a
// package's own testdata. It fails when the folder holds nothing for the api.
func RunDir(t *testing.T, client dialect.Client, api, dir string, quirksFor func(provider string) dialect.Quirks) {
	t.Helper()
	ran := 0
	for _, g := range Load(t, dir).Groups {
		r := runner{client: client, api: api, dir: dir, group: g}
		if quirksFor != nil {
			r.quirks = quirksFor(g.Provider)
		}
		switch g.Kind {
		case "response":
			ran += r.responses(t)
		case "fault":
			ran += r.faults(t)
		case "error":
			if speaks[api][g.Provider] {
				ran++
				t.Run(g.ID, r.failure)
			}
		}
	}
	require.Positive(t, ran, "no group for %s", api)
}

type runner struct {
	client dialect.Client
	api    string
	dir    string
	group  Group
	quirks dialect.Quirks
}

func (r *runner) read(t testing.TB, file string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join(r.dir, filepath.FromSlash(file)))
	require.NoError(t, err)
	return body
}

func (r *runner) responses(t *testing.T) (ran int) {
	for turn, tt := range r.group.turns() {
		for _, v := range tt.Variants {
			if v.API != r.api {
				continue
			}
			ran++
			t.Run(r.group.ID+"/"+turn+"/"+v.Kind, func(t *testing.T) {
				t.Parallel()
				body := r.read(t, v.File)
				if v.Kind == "json" {
					r.whole(t, body, tt.Expect)
				} else {
					r.stream(t, body, tt.Expect)
				}
			})
		}
	}
	return ran
}

// whole reads a complete body with the decoder and the meter.
func (r *runner) whole(t *testing.T, body []byte, want Expect) {
	res, err := r.client.Decode(body, r.quirks)
	require.NoError(t, err)
	r.same(t, want, res)
	m := r.client.Meter(view(t, false), r.quirks)
	require.NoError(t, m.Whole(body))
	r.agree(t, res, m.Report())
}

// stream reads a stream's frames whole and split at every byte.
func (r *runner) stream(t *testing.T, body []byte, want Expect) {
	frames := FramesOf(t, r.client, body)
	got, err := Collect(r.client.Decoder(r.quirks), frames)
	require.NoError(t, err)
	require.True(t, got.End, "the stream reached its end")
	r.same(t, want, got.Response)

	bytewise := cutter(r.client, iotest.OneByteReader(bytes.NewReader(body)))
	split, err := Collect(r.client.Decoder(r.quirks), allFrames(t, bytewise))
	require.NoError(t, err)
	assert.Equal(t, got.Response, split.Response, "split at every byte")

	m := r.client.Meter(view(t, true), r.quirks)
	finish := -1
	for i, f := range frames {
		seen := m.Frame(f)
		require.Nil(t, seen.Err)
		if seen.Finish && finish < 0 {
			finish = i
		}
		if finish >= 0 && i > finish {
			assert.False(t, seen.Content, "content after the finish signal, in frame %d", i)
		}
	}
	require.GreaterOrEqual(t, finish, 0, "the meter saw the finish")
	assert.LessOrEqual(t, finish, got.FinishFrame, "the meter sees the finish no later than the decoder")
	r.agree(t, got.Response, m.Report())
}

func (r *runner) faults(t *testing.T) (ran int) {
	for _, tt := range r.group.turns() {
		for _, v := range tt.Variants {
			if v.API != r.api {
				continue
			}
			ran++
			t.Run(r.group.ID+"/"+v.Kind, func(t *testing.T) {
				t.Parallel()
				r.fault(t, v, tt.Expect)
			})
		}
	}
	return ran
}

func (r *runner) fault(t *testing.T, v Variant, want Expect) {
	body := r.read(t, v.File)
	if v.Status >= 400 {
		assert.NotEqual(t, hub.ClassNone, r.client.Fault(v.Status, headers(v), body).Class)
		return
	}
	if v.Kind == "json" {
		if r.group.Fault == "cut" {
			_, err := r.client.Decode(body, r.quirks)
			assert.NoError(t, onlyWhenCut(err))
		}
		return
	}
	m := r.client.Meter(view(t, true), r.quirks)
	var seen error
	for _, f := range FramesOf(t, r.client, body) {
		if s := m.Frame(f); s.Err != nil {
			seen = s.Err
		}
	}
	got, err := Collect(r.client.Decoder(r.quirks), FramesOf(t, r.client, body))
	text := textOf(got.Response, chat.Text)
	assert.True(t, strings.HasPrefix(text, want.TextBeforeFault), "text before the fault: %q", text)
	switch r.group.Fault {
	case "midstream-error":
		var e *hub.Error
		require.ErrorAs(t, err, &e)
		assert.Len(t, text, len(want.TextBeforeFault), "nothing after the error")
		assert.NotEmpty(t, e.Message)
		assert.NotEqual(t, hub.ClassNone, e.Class)
		assert.Error(t, seen, "the meter sees the error frame")
	case "no-terminator":
		require.NoError(t, err)
		assert.True(t, got.End, "every choice has finished: complete")
	default:
		assert.False(t, got.End && err == nil, "a cut stream is not complete")
	}
}

// onlyWhenCut accepts a body that was cut after its last byte of sense, and an
// error that is a *hub.Error.
func onlyWhenCut(err error) error {
	var e *hub.Error
	if err == nil || errors.As(err, &e) {
		return nil
	}
	return err
}

// failure reads an error body.
func (r *runner) failure(t *testing.T) {
	t.Parallel()
	g := r.group
	err := r.client.Fault(g.Error.Status, headers(*g.Error), r.read(t, g.Error.File))
	require.NotNil(t, err)
	assert.Equal(t, g.Expect.UpstreamStatus, err.Status)
	assert.NotEmpty(t, err.Message)
	assert.NotContains(t, err.Message, "<", "no HTML in messages")
	// The provider's words about the operator's own key are for the log.
	assert.Contains(t, err.Error(), g.Expect.Message)
	class := classOf(&g)
	assert.Equal(t, class, err.Class)
	if class == hub.ClassCredential {
		assert.Equal(t, hub.CodeProviderCredential, err.Code)
	}
	if g.Error.Headers["retry-after"] != "" {
		assert.Positive(t, err.RetryAfter)
	}
}

func classOf(g *Group) hub.Class {
	switch g.Expect.Class {
	case "retry":
		return hub.ClassRetry
	case "rate_limit":
		return hub.ClassRateLimit
	case "credential":
		return hub.ClassCredential
	case "request":
		return hub.ClassRequest
	case "refused":
		return hub.ClassRefused
	}
	status := g.Error.Status
	switch {
	case g.tagged("content-filter"):
		return hub.ClassRefused
	case g.tagged("quota"), g.tagged("401"), status == http.StatusUnauthorized, status == http.StatusPaymentRequired:
		return hub.ClassCredential
	case status == http.StatusTooManyRequests:
		return hub.ClassRateLimit
	case status >= 500, status == http.StatusRequestTimeout, status == http.StatusConflict:
		return hub.ClassRetry
	}
	return hub.ClassRequest
}

func headers(v Variant) http.Header {
	h := http.Header{}
	for k, val := range v.Headers {
		h.Set(k, val)
	}
	return h
}
