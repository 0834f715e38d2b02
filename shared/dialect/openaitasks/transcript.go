package openaitasks

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"mime"
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// into adds reported usage to a result. Tokens without details are those of the
// recording. Seconds are rounded up, as OpenAI's own figures are.
func (u *listenedUsage) into(res *task.Result) {
	switch {
	case u == nil:
	case u.Type == "duration" || u.Seconds > 0:
		res.Usage[hub.Seconds], res.UsageKnown = wholeSeconds(u.Seconds), true
	case u.InputTokens+u.OutputTokens > 0:
		res.UsageKnown = true
		res.Usage[hub.InputAudio], res.Usage[hub.Output] = u.InputTokens, u.OutputTokens
		if d := u.Details; d != nil && d.Text+d.Audio > 0 {
			res.Usage[hub.InputAudio] = d.Audio
			res.Usage[hub.Input] = max(0, u.InputTokens-d.Audio)
		}
	}
}

func wholeSeconds(s float64) int64 {
	const most = 1 << 40
	if !(s > 0) { // also NaN
		return 0
	}
	return int64(math.Ceil(min(s, most) - 1e-6))
}

// decodeTranscript reads JSON, or text as it is.
func decodeTranscript(a dialect.TaskAnswer, format string) (*task.Result, error) {
	kind, _, _ := mime.ParseMediaType(a.Header.Get("Content-Type"))
	body := bytes.TrimSpace(a.Body)
	if kind != "application/json" && (format == "text" || format == "srt" || format == "vtt" || !bytes.HasPrefix(body, []byte{'{'})) {
		said := strings.TrimSuffix(string(a.Body), "\n")
		if format == "srt" || format == "vtt" {
			said = spoken(said)
		}
		return &task.Result{Transcript: &task.Transcript{Text: said}}, nil
	}
	var text string
	if json.Unmarshal(body, &text) == nil { // some vendors quote it
		return &task.Result{Transcript: &task.Transcript{Text: text}}, nil
	}
	var in struct {
		Text     *string        `json:"text"`
		Language string         `json:"language"`
		Duration float64        `json:"duration"`
		Usage    *listenedUsage `json:"usage"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("transcript: %w", err)
	}
	if in.Text == nil {
		return nil, fmt.Errorf("the answer holds no transcript")
	}
	res := &task.Result{Transcript: &task.Transcript{Text: *in.Text, Language: in.Language, Seconds: in.Duration, Raw: body}}
	in.Usage.into(res)
	if !res.UsageKnown && in.Duration > 0 {
		res.Usage[hub.Seconds], res.UsageKnown = wholeSeconds(in.Duration), true
	}
	return res, nil
}

// spoken is the text of subtitles without their numbers and times.
func spoken(subtitles string) string {
	var lines []string
	for line := range strings.Lines(subtitles) {
		line = strings.TrimSpace(line)
		if line == "" || line == "WEBVTT" || strings.Contains(line, "-->") || strings.Trim(line, "0123456789") == "" {
			continue
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// transcriptFlow watches a stream of transcript.text events. Servers of open
// models stream chunks in the manner of chat instead.
type transcriptFlow struct {
	now  hub.Now
	text strings.Builder
	res  task.Result
}

// Piece looks at a frame.
func (f *transcriptFlow) Piece(frame []byte) dialect.Seen {
	_, data := wire.Data(frame)
	if len(data) == 0 {
		return dialect.Seen{}
	}
	if string(data) == "[DONE]" {
		return dialect.Seen{Finish: true, End: true}
	}
	var ev struct {
		Type    string          `json:"type"`
		Delta   string          `json:"delta"`
		Text    string          `json:"text"`
		Usage   *listenedUsage  `json:"usage"`
		Error   json.RawMessage `json:"error"`
		Choices []struct {
			Delta struct {
				Content string `json:"content"`
			} `json:"delta"`
			Finish *string `json:"finish_reason"`
		} `json:"choices"`
	}
	if err := json.Unmarshal(data, &ev); err != nil {
		return dialect.Seen{Err: brokenEvent(err)}
	}
	if ev.Type == "error" || (len(ev.Error) > 0 && string(ev.Error) != "null") {
		return dialect.Seen{Err: faults.Read(http.StatusInternalServerError, nil, data, f.now)}
	}
	var seen dialect.Seen
	f.text.WriteString(ev.Delta)
	for _, c := range ev.Choices {
		f.text.WriteString(c.Delta.Content)
		seen.Finish = seen.Finish || c.Finish != nil
	}
	seen.Content = f.text.Len() > 0
	ev.Usage.into(&f.res)
	if ev.Type == "transcript.text.done" {
		seen.Finish, seen.End = true, true
		if ev.Text != "" {
			f.text.Reset()
			f.text.WriteString(ev.Text)
		}
	}
	return seen
}

func brokenEvent(err error) *hub.Error {
	return &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Status: http.StatusBadGateway, Cause: err,
		Message: "The provider's answer broke off or could not be understood."}
}

// Result is the transcript so far.
func (f *transcriptFlow) Result() *task.Result {
	f.res.Transcript = &task.Transcript{Text: f.text.String()}
	return &f.res
}
