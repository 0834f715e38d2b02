package aignemedia

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// maxFilmSeconds is more than any model makes at once.
const maxFilmSeconds = 60

// Videos is the server side of POST /api/v2/video.
type Videos struct{ Now hub.Now }

var _ dialect.TaskServer = Videos{}

// Name returns dialect.AIGNE.
func (Videos) Name() dialect.Name { return dialect.AIGNE }

// Kind returns task.Video.
func (Videos) Kind() task.Kind { return task.Video }

// Error encodes an error body.
func (s Videos) Error(err *hub.Error, _ string) []byte { return faults.Body(err, s.Now) }

// View decodes a request.
func (Videos) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	v, o, err := view(r, body, task.Video)
	if err != nil {
		return nil, err
	}
	p, model := protocol(o)
	if model == "" {
		model = defaultVideoModel
	}
	v.Request.Model = model
	first, last := p.files("image"), p.files("last_frame")
	f := &task.Film{Prompt: p.text("prompt"), Size: p.text("size"), AspectRatio: p.text("aspect_ratio"), Resolution: p.text("resolution"),
		Negative: p.text("negative_prompt"), Seed: p.whole("seed", 0, 1<<53), Persons: p.text("person_generation"),
		References: p.files("reference_images"), Camera: p.flag("camera_fixed"), Sound: p.flag("generate_audio"), URL: p.wantsURL()}
	v.Request.Film = f
	if n := p.whole("seconds", 1, maxFilmSeconds); n != nil {
		f.Seconds = *n
	}
	if len(first) > 1 || len(last) > 1 {
		p.fail(p.name("image"), "A film begins and ends with one picture; send others as referenceImages.")
	}
	if len(first) > 0 {
		f.First = &first[0]
	}
	if len(last) > 0 {
		f.Last = &last[0]
	}
	if f.Prompt == "" {
		p.fail(p.name("prompt"), "The request has no prompt.")
	}
	p.names["input_reference"] = p.name("image")
	return v, p.done(v.Request)
}

// Whole encodes an answer.
func (Videos) Whole(v *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	out := struct {
		Videos  []fileUnion `json:"videos"`
		Usage   usage       `json:"usage"`
		Model   string      `json:"model"`
		Seconds int64       `json:"seconds,omitempty"`
		With    string      `json:"modelWithProvider"`
	}{Videos: make([]fileUnion, len(res.Films)), Usage: usageOf(c), Model: c.Model, With: c.Provider + "/" + c.Model, Seconds: c.Usage[hub.Seconds]}
	for i := range res.Films {
		out.Videos[i] = unionOf(&res.Films[i], v.Request.Film.URL, "video/mp4")
	}
	return payload(out)
}
