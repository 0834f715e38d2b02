package openaitasks

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/audiofile"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Speech is the server side of POST /v1/audio/speech.
type Speech struct{ Now hub.Now }

var (
	_ dialect.TaskServer = Speech{}
	_ dialect.TaskEvents = Speech{}
)

// Name returns dialect.OpenAI.
func (Speech) Name() dialect.Name { return dialect.OpenAI }

// Kind returns task.Speech.
func (Speech) Kind() task.Kind { return task.Speech }

// Error encodes an error body.
func (s Speech) Error(err *hub.Error, _ string) []byte { return faults.Body(err, s.Now) }

// Fail encodes the event that ends a stream with an error.
func (s Speech) Fail(err *hub.Error) []byte { return failEvent(err, s.Now) }

// soundTypes are the media types of the formats.
var soundTypes = map[string]string{
	"mp3": "audio/mpeg", "opus": "audio/opus", "aac": "audio/aac", "flac": "audio/flac", "wav": "audio/wav", "pcm": "audio/pcm",
}

// View decodes a request.
func (Speech) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	v, err := jsonView(r, body, task.Speech)
	if err != nil {
		return nil, err
	}
	s := &task.Speak{}
	v.Request.Speak = s
	var stream string
	for name, dst := range map[string]*string{
		"input": &s.Input, "instructions": &s.Instructions, "response_format": &s.Format, "stream_format": &stream,
	} {
		if *dst, err = text(v.Object, name); err != nil {
			return nil, err
		}
	}
	if s.Input == "" {
		return nil, hub.Invalid("input", "The request has no input.")
	}
	if s.Voice, err = voice(v.Object); err != nil {
		return nil, err
	}
	if s.Speed, err = decimal(v.Object, "speed"); err != nil {
		return nil, err
	}
	switch stream {
	case "", "audio":
	case "sse":
		s.Events, v.Request.Stream = true, true
	default:
		return nil, hub.Invalid("stream_format", "stream_format must be audio or sse.")
	}
	v.Request.Extra = rest(v.Object, "model", "input", "voice", "instructions", "response_format", "speed", "stream_format", "user")
	return v, nil
}

// voice reads a voice's name, or the id of a voice of one's own.
func voice(o *wire.Object) (string, error) {
	raw, ok := o.Get("voice")
	if !ok || string(raw) == "null" {
		return "", nil // servers of open models have a default
	}
	if name, ok := o.String("voice"); ok {
		return name, nil
	}
	var own struct {
		ID string `json:"id"`
	}
	if json.Unmarshal(raw, &own) != nil || own.ID == "" {
		return "", hub.Invalid("voice", "voice must be a name or an object with an id.")
	}
	return own.ID, nil
}

// decimal reads a number that may be absent or null.
func decimal(o *wire.Object, name string) (*float64, error) {
	raw, ok := o.Get(name)
	if !ok || string(raw) == "null" {
		return nil, nil
	}
	n, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return nil, hub.Invalid(name, "%s must be a number.", name)
	}
	return &n, nil
}

// Whole encodes an answer of another language.
func (Speech) Whole(v *dialect.TaskView, res *task.Result, _ dialect.Closing) (dialect.Payload, error) {
	kind := res.Sound.MIME
	if kind == "" {
		kind = soundTypes[v.Request.Speak.Format]
	}
	return dialect.Payload{Type: kind, Body: res.Sound.Data}, nil
}

type spokenUsage struct {
	InputTokens  int64 `json:"input_tokens"`
	OutputTokens int64 `json:"output_tokens"`
	TotalTokens  int64 `json:"total_tokens"`
}

// Events encodes a complete answer as the events of a stream.
func (Speech) Events(_ *dialect.TaskView, res *task.Result, c dialect.Closing) ([]byte, error) {
	const piece = 24 << 10 // of sound in an event
	var out []byte
	for sound := range slices.Chunk(res.Sound.Data, piece) {
		ev, err := json.Marshal(map[string]string{"type": "speech.audio.delta", "audio": base64.StdEncoding.EncodeToString(sound)})
		if err != nil {
			return nil, err
		}
		out = wire.AppendFrame(out, "", ev)
	}
	u := c.Usage
	done, err := json.Marshal(map[string]any{"type": "speech.audio.done",
		"usage": spokenUsage{u.Prompt(), u.Completion(), u.Prompt() + u.Completion()}})
	return wire.AppendFrame(out, "", done), err
}

// decodeSpeech takes a complete answer in.
func decodeSpeech(a dialect.TaskAnswer, format string) (*task.Result, error) {
	if len(a.Body) == 0 {
		return nil, fmt.Errorf("the answer holds no sound")
	}
	f := speechFlow{format: format}
	f.bytes(a.Body)
	res := f.Result()
	res.Sound = &task.File{MIME: a.Header.Get("Content-Type"), Data: a.Body}
	return res, nil
}

// speechFlow watches sound that passes by, as bytes or in events.
type speechFlow struct {
	now    hub.Now
	format string
	events bool
	head   []byte // the beginning of the sound
	size   int64
	res    task.Result
}

const soundHead = 4 << 10

func (f *speechFlow) bytes(p []byte) {
	f.size += int64(len(p))
	if room := soundHead - len(f.head); room > 0 {
		f.head = append(f.head, p[:min(room, len(p))]...)
	}
}

// Piece looks at sound or at a frame.
func (f *speechFlow) Piece(p []byte) dialect.Seen {
	if !f.events {
		f.bytes(p)
		return dialect.Seen{Content: true}
	}
	_, data := wire.Data(p)
	if len(data) == 0 {
		return dialect.Seen{}
	}
	if string(data) == "[DONE]" {
		return dialect.Seen{Finish: true, End: true}
	}
	var ev struct {
		Type  string          `json:"type"`
		Audio string          `json:"audio"`
		Usage *spokenUsage    `json:"usage"`
		Error json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(data, &ev); err != nil {
		return dialect.Seen{Err: brokenEvent(err)}
	}
	if ev.Type == "error" || (len(ev.Error) > 0 && string(ev.Error) != "null") {
		return dialect.Seen{Err: faults.Read(http.StatusInternalServerError, nil, data, f.now)}
	}
	if ev.Audio != "" {
		sound, err := base64.StdEncoding.DecodeString(ev.Audio)
		if err != nil {
			return dialect.Seen{Err: brokenEvent(err)}
		}
		f.bytes(sound)
	}
	if u := ev.Usage; u != nil && u.InputTokens+u.OutputTokens > 0 {
		f.res.UsageKnown = true
		f.res.Usage[hub.Input], f.res.Usage[hub.OutputAudio] = u.InputTokens, u.OutputTokens
	}
	done := ev.Type == "speech.audio.done"
	return dialect.Seen{Content: ev.Audio != "", Finish: done, End: done}
}

// Result is how much sound there was.
func (f *speechFlow) Result() *task.Result {
	const pcm = 48_000 // bytes a second: 24 kHz, 16 bits, one channel, as OpenAI documents
	rate, ok := audiofile.BytesPerSecond(f.head)
	if !ok && f.format == "pcm" {
		rate, ok = pcm, true
	}
	if ok && rate > 0 {
		f.res.Seconds = float64(f.size) / rate
	}
	return &f.res
}
