package fakeprovider

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// BytesPerSecond is how the fakes measure recordings, whatever their format.
const BytesPerSecond = 16_000

var listenFields = set("file", "model", "language", "prompt", "response_format", "temperature", "timestamp_granularities[]",
	"include[]", "chunking_strategy", "known_speaker_names[]", "known_speaker_references[]", "stream")

// readForm reads a form as strictly as the API: known fields only, one file.
func readForm(r *http.Request, body []byte) (fields map[string]string, file []byte, f *fixed) {
	l := openAI{}
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" {
		return nil, nil, l.bad("", "unsupported_content_type", "Unsupported content type. This API method only accepts 'multipart/form-data' requests.")
	}
	fields = map[string]string{}
	reader := multipart.NewReader(bytes.NewReader(body), params["boundary"])
	for {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return fields, file, nil
		}
		if err != nil {
			return nil, nil, l.bad("", "", "Could not parse multipart form")
		}
		data, err := io.ReadAll(part)
		if err != nil {
			return nil, nil, l.bad("", "", "Could not parse multipart form")
		}
		name := part.FormName()
		if !listenFields[name] {
			return nil, nil, l.bad(name, "unknown_parameter", "Unknown parameter: '%s'.", name)
		}
		if name == "file" {
			if part.FileName() == "" || !strings.Contains(part.FileName(), ".") {
				return nil, nil, l.bad("file", "", "Unrecognized file format. Supported formats: ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm']")
			}
			file = data
			continue
		}
		fields[name] = string(data)
	}
}

func openAITranscriptions(p *Provider, r *http.Request, rec *Request) (*piece, *fixed) {
	l := openAI{}
	fields, file, f := readForm(r, rec.Body)
	if f != nil {
		return nil, f
	}
	model, format := fields["model"], fields["response_format"]
	whisper := strings.HasPrefix(model, "whisper")
	switch {
	case model == "":
		return nil, l.bad("model", "", "you must provide a model parameter")
	case !p.servesWork(model):
		return nil, openAIUnknownModel(model)
	case len(file) == 0:
		return nil, l.bad("file", "", "Missing required parameter: 'file'.")
	case format == "" || format == "json" || whisper && slices.Contains([]string{"text", "srt", "vtt", "verbose_json"}, format) || format == "text":
	default:
		return nil, l.bad("response_format", "unsupported_value", "response_format '%s' is not compatible with model '%s'. Use 'json' or 'text' instead.", format, model)
	}
	t := &transcription{whisper: whisper, format: format}
	one := &piece{model: model, kind: "application/json", render: t.whole,
		cost: func(a Answer) (hub.Usage, bool) {
			seconds := int64(len(file)+BytesPerSecond-1) / BytesPerSecond
			if whisper {
				return hub.Usage{hub.Seconds: seconds}, format == "" || strings.Contains(format, "json")
			}
			return hub.Usage{hub.InputAudio: seconds * 10, hub.Input: Tokens(len(fields["prompt"])), hub.Output: Tokens(len(a.Text))}, format != "text"
		}}
	if !strings.Contains(format, "json") && format != "" {
		one.kind = "text/plain; charset=utf-8"
	}
	if fields["stream"] == "true" && !whisper { // whisper-1 ignores it
		one.stream, one.kind, one.render = true, "text/event-stream; charset=utf-8", t.events
	}
	return one, nil
}

type transcription struct {
	whisper bool
	format  string
}

func (t *transcription) whole(a Answer, u hub.Usage, known bool) [][]byte {
	switch t.format {
	case "text":
		return [][]byte{[]byte(a.Text + "\n")}
	case "srt":
		return [][]byte{[]byte("1\n" + stamp(0) + " --> " + stamp(2) + "\n" + a.Text + "\n\n")}
	case "vtt":
		return [][]byte{[]byte("WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n" + a.Text + "\n")}
	}
	body := object{"text": a.Text}
	if t.format == "verbose_json" {
		body["task"], body["language"], body["duration"] = "transcribe", "english", float64(u[hub.Seconds])-0.25
		body["segments"] = []any{object{"id": 0, "start": 0, "end": 2, "text": a.Text}}
	}
	if known {
		body["usage"] = tokensOf(u)
		if t.whisper {
			body["usage"] = secondsOf(u)
		}
	}
	return [][]byte{encode(body)}
}

func (t *transcription) events(a Answer, u hub.Usage, known bool) (out [][]byte) {
	for _, part := range chunksOf(a.Text, 4) {
		out = append(out, sse("", encode(object{"type": "transcript.text.delta", "delta": part})))
	}
	done := object{"type": "transcript.text.done", "text": a.Text}
	if known {
		done["usage"] = tokensOf(u)
	}
	return append(out, sse("", encode(done)))
}
