// Package openaitasks is OpenAI's language beside chat, both sides: embeddings
// and what else its API reference (platform.openai.com/docs/api-reference) lists
// under its own paths. Many vendors copy it. It makes no HTTP calls.
package openaitasks

import (
	"mime"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Client is the client side. The zero value is ready.
type Client struct{ Now hub.Now }

var (
	_ dialect.TaskClient   = Client{}
	_ dialect.TaskStreamer = Client{}
)

// Name returns dialect.OpenAI.
func (Client) Name() dialect.Name { return dialect.OpenAI }

// Splice returns the caller's own body with the model of the target.
func (Client) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	enc := dialect.TaskEncoded{Path: pathOf(v.Request)}
	if v.Form != nil {
		f := v.Form.Clone()
		f.Set("model", t.Model)
		if format, _, _ := f.Value("response_format"); needless(v.Request, t, format) {
			f.Delete("response_format")
		}
		body, err := f.Bytes()
		if err != nil {
			return enc, hub.Wrap(hub.CodeInvalid, err, "The form cannot be sent on.")
		}
		enc.Body, enc.Type = body, f.ContentType()
		return enc, nil
	}
	o := v.Object.Clone()
	o.Set("model", wire.Quote(t.Model))
	if format, _ := o.String("response_format"); needless(v.Request, t, format) {
		o.Delete("response_format")
	}
	enc.Body = o.Bytes()
	return enc, nil
}

// needless reports a format that says what the model does anyway and yet would
// be refused: SDKs that know OpenAI's models by name, such as the AI SDK, send it
// for a name that has its provider in front.
func needless(r *task.Request, t dialect.Target, format string) bool {
	return r.Image != nil && format == "b64_json" && alwaysInline(t.Model)
}

// paths are where work is asked for below the base URL.
var paths = map[task.Kind]string{
	task.Embedding:       "/embeddings",
	task.ImageGeneration: "/images/generations",
	task.ImageEdit:       "/images/edits",
	task.Transcription:   "/audio/transcriptions",
	task.Translation:     "/audio/translations",
	task.Speech:          "/audio/speech",
	task.Moderation:      "/moderations",
	task.Rerank:          "/rerank",
	task.Video:           "/videos",
}

// Encode translates.
func (Client) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	switch req.Kind {
	case task.Embedding:
		return encodeEmbedding(req, t)
	case task.ImageGeneration, task.ImageEdit:
		return encodeImage(req, t)
	case task.Video:
		return encodeVideo(req, t)
	}
	return dialect.TaskEncoded{}, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for in OpenAI's language.")
}

// Decode reads a complete answer.
func (Client) Decode(req *task.Request, a dialect.TaskAnswer, _ dialect.Target) (*task.Result, error) {
	switch req.Kind {
	case task.Embedding:
		return decodeEmbedding(a.Body)
	case task.Transcription, task.Translation:
		return decodeTranscript(a, req.Listen.Format)
	case task.Speech:
		return decodeSpeech(a, req.Speak.Format)
	case task.Moderation:
		return decodeModeration(a.Body)
	case task.Rerank:
		return decodeRerank(a.Body)
	case task.ImageGeneration, task.ImageEdit:
		return decodeImages(a.Body)
	}
	return nil, hub.Errorf(hub.CodeInternal, "This kind of work is not answered in OpenAI's language.")
}

// Flow lets speech pass as it comes, and transcripts that are streamed.
func (c Client) Flow(v *dialect.TaskView, header http.Header) (flow dialect.TaskFlow, events bool) {
	kind, _, _ := mime.ParseMediaType(header.Get("Content-Type"))
	events = kind == "text/event-stream"
	switch r := v.Request; {
	case r.Listen != nil && events:
		return &transcriptFlow{now: c.Now}, true
	case r.Speak != nil && events == r.Stream:
		return &speechFlow{now: c.Now, format: r.Speak.Format, events: events}, events
	}
	return nil, false
}

// Fault reads a non-2xx answer.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}
