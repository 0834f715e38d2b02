package dialecttest

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Requests checks that a conversation encoded for a provider and read by the
// server side is what it was.
func (l Language) Requests(t *testing.T, seeds int) {
	t.Helper()
	for seed := range uint64(seeds) {
		want := NewGenerator(l.Can, seed).Request()
		target := l.Target
		target.Model, target.Stream = want.Model, want.Stream
		enc, err := l.Client.Encode(want, target)
		require.NoError(t, err, "seed %d: %s", seed, show(want))
		require.Empty(t, enc.Dropped, "seed %d: %s", seed, show(want))
		l.Path = l.pathOf(target)
		got, err := l.decode(enc.Body)
		require.NoError(t, err, "seed %d: %s", seed, enc.Body)
		got.Names = nil
		if l.Request != nil {
			l.Request(want)
			l.Request(got)
		}
		require.JSONEq(t, show(want), show(got), "seed %d: %s", seed, enc.Body)
	}
}

func (l Language) pathOf(t dialect.Target) string {
	if l.Below == "" {
		return l.Path
	}
	return l.Below + l.Client.Path(t)
}

func (l Language) view(body []byte) (*dialect.View, error) {
	path := l.Path
	if path == "" {
		path = "/"
	}
	return l.Server.View(httptest.NewRequest(http.MethodPost, path, nil), body)
}

func (l Language) decode(body []byte) (*chat.Request, error) {
	v, err := l.view(body)
	if err != nil {
		return nil, err
	}
	return l.Server.Decode(v)
}

// Responses checks that an answer told to a caller and read by the client side
// is what it was, whole and streamed.
func (l Language) Responses(t *testing.T, seeds int) {
	t.Helper()
	v := l.anyView(t)
	for seed := range uint64(seeds) {
		g := NewGenerator(l.Can, seed)
		want := g.Response()
		closing := dialect.Closing{Usage: want.Usage, Known: true}
		body, err := l.Server.Whole(v, want, closing)
		require.NoError(t, err, "seed %d: %s", seed, show(want))
		whole, err := l.Client.Decode(body, l.Target.Quirks)
		require.NoError(t, err, "seed %d: %s", seed, body)

		var stream []byte
		enc := l.Server.Stream(v)
		for _, ev := range g.Events(want) {
			stream = enc.Event(stream, ev)
		}
		stream = enc.Close(stream, closing)
		streamed, err := Collect(l.Client.Decoder(l.Target.Quirks), l.frames(t, stream))
		require.NoError(t, err, "seed %d: %s", seed, stream)
		require.True(t, streamed.End, "seed %d: the stream reached its end", seed)
		if l.Response != nil {
			l.Response(want)
			l.Response(whole)
			l.Response(streamed.Response)
		}
		require.JSONEq(t, show(want), show(whole), "whole, seed %d: %s", seed, body)
		require.JSONEq(t, show(want), show(streamed.Response), "stream, seed %d: %s", seed, stream)
	}
}

// anyView is the head of a request for streams with usage.
func (l Language) anyView(t *testing.T) *dialect.View {
	t.Helper()
	target := l.Target
	target.Model, target.Stream = "vendor/model", true
	enc, err := l.Client.Encode(question(), target)
	require.NoError(t, err)
	l.Path = l.pathOf(target)
	v, err := l.view(enc.Body)
	require.NoError(t, err)
	v.Stream, v.WantsUsage = true, true
	return v
}

func (l Language) frames(t *testing.T, stream []byte) [][]byte {
	t.Helper()
	f, ok := l.Client.(dialect.Framer)
	if !ok {
		return Frames(t, stream)
	}
	return allFrames(t, f.Frames(bytes.NewReader(stream)))
}

// question is the smallest conversation.
func question() *chat.Request {
	return &chat.Request{Model: "vendor/model", MaxOutput: new(int64(4096)), Messages: []chat.Message{
		{Role: chat.User, Parts: []chat.Part{{Kind: chat.Text, Text: "What is the tide?"}}},
	}}
}

// show is a value as JSON: what it says, without the difference between nil and
// empty.
func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	o, err := wire.Parse(b)
	if err != nil {
		return string(b)
	}
	for _, k := range slices.Clone(o.Keys()) {
		if raw, _ := o.Get(k); string(raw) == "null" || string(raw) == "{}" || string(raw) == "[]" {
			o.Delete(k)
		}
	}
	return string(o.Bytes())
}
