package openaitasks

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Transcriptions is the server side of POST /v1/audio/transcriptions and, with
// English set, of POST /v1/audio/translations.
type Transcriptions struct {
	Now     hub.Now
	English bool
}

var (
	_ dialect.TaskServer = Transcriptions{}
	_ dialect.TaskEvents = Transcriptions{}
)

// Name returns dialect.OpenAI.
func (Transcriptions) Name() dialect.Name { return dialect.OpenAI }

// Kind returns task.Transcription or task.Translation.
func (t Transcriptions) Kind() task.Kind {
	if t.English {
		return task.Translation
	}
	return task.Transcription
}

// Error encodes an error body.
func (t Transcriptions) Error(err *hub.Error, _ string) []byte { return faults.Body(err, t.Now) }

// Fail encodes the event that ends a stream with an error.
func (t Transcriptions) Fail(err *hub.Error) []byte { return failEvent(err, t.Now) }

func failEvent(err *hub.Error, now hub.Now) []byte {
	return wire.AppendFrame(nil, "", faults.Body(err, now))
}

// transcriptFormats are those that OpenAI's documents name.
var transcriptFormats = []string{"json", "text", "srt", "verbose_json", "vtt", "diarized_json"}

// View decodes a form.
func (t Transcriptions) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	f, err := wire.ParseForm(r.Header.Get("Content-Type"), body)
	if err != nil {
		return nil, hub.Invalid("", "The request cannot be read: %v.", err)
	}
	v := &dialect.TaskView{Request: &task.Request{Kind: t.Kind()}, Form: f, Header: r.Header, Bytes: int64(len(body))}
	l := &task.Listen{}
	v.Request.Listen = l
	files := f.Values("file")
	if len(files) != 1 || !files[0].IsFile() {
		return nil, hub.Invalid("file", "The form must hold one recording as the file \"file\".")
	}
	if len(files[0].Data) == 0 {
		return nil, hub.Invalid("file", "The recording is empty.")
	}
	l.Audio = task.File{Name: files[0].Filename, MIME: files[0].Type(), Data: files[0].Data}
	for name, dst := range map[string]*string{
		"model": &v.Request.Model, "language": &l.Language, "prompt": &l.Prompt, "response_format": &l.Format,
	} {
		if *dst, _, err = f.Value(name); err != nil {
			return nil, hub.Invalid(name, "%v.", err)
		}
	}
	if l.Format != "" && !slices.Contains(transcriptFormats, l.Format) {
		return nil, hub.Invalid("response_format", "response_format must be json, text, srt, verbose_json, vtt or diarized_json.")
	}
	if err := listenOptions(v); err != nil {
		return nil, err
	}
	return v, nil
}

// listenOptions reads what is no plain text.
func listenOptions(v *dialect.TaskView) error {
	f, l := v.Form, v.Request.Listen
	stream, _, err := f.Value("stream")
	if err != nil {
		return hub.Invalid("stream", "%v.", err)
	}
	switch stream {
	case "", "false", "False", "0":
	case "true", "True", "1":
		v.Request.Stream = true
	default:
		return hub.Invalid("stream", "stream must be true or false.")
	}
	if text, ok, err := f.Value("temperature"); err != nil {
		return hub.Invalid("temperature", "%v.", err)
	} else if ok && text != "" {
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return hub.Invalid("temperature", "temperature must be a number.")
		}
		l.Temperature = &n
	}
	for _, p := range f.Values("timestamp_granularities") {
		l.Timestamps = append(l.Timestamps, string(p.Data))
	}
	for _, p := range f.Values("include") {
		l.Include = append(l.Include, string(p.Data))
	}
	if text, ok, _ := f.Value("chunking_strategy"); ok {
		l.Chunking = json.RawMessage(wire.Quote(text))
		if json.Valid([]byte(text)) {
			l.Chunking = json.RawMessage(text)
		}
	}
	known := []string{"file", "model", "language", "prompt", "response_format", "stream", "temperature", "chunking_strategy",
		"timestamp_granularities", "timestamp_granularities[]", "include", "include[]"}
	for _, p := range f.Parts {
		if slices.Contains(known, p.Name) {
			continue
		}
		if v.Request.Extra == nil {
			v.Request.Extra = map[string]json.RawMessage{}
		}
		v.Request.Extra[p.Name] = json.RawMessage(wire.Quote(string(p.Data)))
	}
	return nil
}

// transcriptOut is the JSON of a transcript.
type transcriptOut struct {
	Text  string         `json:"text"`
	Usage *listenedUsage `json:"usage,omitempty"`
}

// listenedUsage is how OpenAI tells the usage of transcripts: by tokens or by
// duration.
type listenedUsage struct {
	Type         string        `json:"type"`
	Seconds      float64       `json:"seconds,omitempty"`
	InputTokens  int64         `json:"input_tokens,omitempty"`
	OutputTokens int64         `json:"output_tokens,omitempty"`
	TotalTokens  int64         `json:"total_tokens,omitempty"`
	Details      *inputDetails `json:"input_token_details,omitempty"`
}

type inputDetails struct {
	Text  int64 `json:"text_tokens"`
	Audio int64 `json:"audio_tokens"`
}

func usageOut(c dialect.Closing) *listenedUsage {
	u := c.Usage
	if u.Prompt()+u.Completion() == 0 {
		return &listenedUsage{Type: "duration", Seconds: float64(u[hub.Seconds])}
	}
	return &listenedUsage{Type: "tokens", InputTokens: u.Prompt(), OutputTokens: u.Completion(), TotalTokens: u.Prompt() + u.Completion(),
		Details: &inputDetails{Text: u.Prompt() - u[hub.InputAudio], Audio: u[hub.InputAudio]}}
}

// Whole encodes an answer of another language. Formats with times are refused
// where they are encoded, since such answers have none.
func (t Transcriptions) Whole(v *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	if v.Request.Listen.Format == "text" {
		return dialect.Payload{Type: "text/plain; charset=utf-8", Body: []byte(res.Transcript.Text + "\n")}, nil
	}
	return jsonPayload(transcriptOut{Text: res.Transcript.Text, Usage: usageOut(c)})
}

// Events encodes a complete answer as the events of a stream.
func (t Transcriptions) Events(_ *dialect.TaskView, res *task.Result, c dialect.Closing) ([]byte, error) {
	delta, err := json.Marshal(map[string]any{"type": "transcript.text.delta", "delta": res.Transcript.Text})
	if err != nil {
		return nil, err
	}
	done, err := json.Marshal(map[string]any{"type": "transcript.text.done", "text": res.Transcript.Text, "usage": usageOut(c)})
	if err != nil {
		return nil, err
	}
	return wire.AppendFrame(wire.AppendFrame(nil, "", delta), "", done), nil
}
