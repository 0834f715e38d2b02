package aignemedia

import (
	"encoding/base64"
	"encoding/json"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

const (
	maxPictures      = 10
	maxInputPictures = 16
	// defaultImageModel is what the original takes where nobody names a model.
	defaultImageModel = "openai/dall-e-2"
	defaultVideoModel = "openai/sora-2"
)

// Images is the server side of POST /api/v2/image.
type Images struct{ Now hub.Now }

// RestImages is the server side of POST /api/v2/image/generations and
// /api/v1/image/generations.
type RestImages struct{ Now hub.Now }

var (
	_ dialect.TaskServer = Images{}
	_ dialect.TaskServer = RestImages{}
)

// Name returns dialect.AIGNE.
func (Images) Name() dialect.Name { return dialect.AIGNE }

// Name returns dialect.AIGNERest.
func (RestImages) Name() dialect.Name { return dialect.AIGNERest }

// Kind returns task.ImageGeneration; with pictures to work from a request is an edit.
func (Images) Kind() task.Kind { return task.ImageGeneration }

// Kind returns task.ImageGeneration; with pictures to work from a request is an edit.
func (RestImages) Kind() task.Kind { return task.ImageGeneration }

// Error encodes an error body.
func (s Images) Error(err *hub.Error, _ string) []byte { return faults.Body(err, s.Now) }

// Error encodes an error body.
func (s RestImages) Error(err *hub.Error, _ string) []byte { return faults.Body(err, s.Now) }

// View decodes a request of the protocol.
func (Images) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	v, o, err := view(r, body, task.ImageGeneration)
	if err != nil {
		return nil, err
	}
	p, model := protocol(o)
	v.Request.Model = model
	return v, p.image(v.Request)
}

// View decodes a REST request.
func (RestImages) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	v, o, err := view(r, body, task.ImageGeneration)
	if err != nil {
		return nil, err
	}
	p := newParams()
	p.add("", o)
	p.take("access_token")
	v.Request.Model = p.text("model")
	return v, p.image(v.Request)
}

func (p *params) image(r *task.Request) error {
	if r.Model == "" {
		r.Model = defaultImageModel
	}
	i := &task.Image{N: 1, Prompt: p.text("prompt"), Size: p.text("size"), Quality: p.text("quality"), Style: p.text("style"),
		Background: p.text("background"), Moderation: p.text("moderation"), OutputFormat: p.text("output_format"),
		Compression: p.whole("output_compression", 0, 100), InputFidelity: p.text("input_fidelity"), Seed: p.whole("seed", 0, 1<<53),
		Negative: p.text("negative_prompt"), AspectRatio: p.text("aspect_ratio"), SafetyLevel: p.text("safety_level"),
		PersonsAllowed: p.text("person_generation"), Inputs: p.files("image"), URL: p.wantsURL()}
	r.Image = i
	if masks := p.files("mask"); len(masks) > 0 {
		i.Mask = &masks[0]
	}
	if n := p.whole("n", 1, maxPictures); n != nil {
		i.N = *n
	}
	if s := p.flag("stream"); s != nil && *s {
		p.fail(p.name("stream"), "%s is not supported here: the pictures come in one answer.", p.name("stream"))
	}
	if i.Prompt == "" {
		p.fail(p.name("prompt"), "The request has no prompt.")
	}
	if len(i.Inputs) > 0 {
		r.Kind = task.ImageEdit
	}
	if len(i.Inputs) > maxInputPictures {
		p.fail(p.name("image"), "%s must hold at most %d pictures.", p.name("image"), maxInputPictures)
	}
	return p.done(r)
}

// fileUnion is the protocol's file: data in base64, or a URL.
type fileUnion struct {
	Type     string `json:"type"`
	Data     string `json:"data,omitempty"`
	URL      string `json:"url,omitempty"`
	MIMEType string `json:"mimeType,omitempty"`
	Filename string `json:"filename,omitempty"`
}

func unionOf(f *task.File, url bool, fallback string) fileUnion {
	kind := f.Type()
	if kind == "" {
		kind = fallback
	}
	if url && f.URL != "" || len(f.Data) == 0 {
		return fileUnion{Type: "url", URL: f.URL, MIMEType: kind, Filename: f.Name}
	}
	return fileUnion{Type: "file", Data: base64.StdEncoding.EncodeToString(f.Data), MIMEType: kind, Filename: f.Name}
}

// usage counts as the protocol does.
type usage struct {
	Input   int64       `json:"inputTokens"`
	Output  int64       `json:"outputTokens"`
	Credits json.Number `json:"aigneHubCredits,omitempty"`
	CallID  string      `json:"modelCallId,omitempty"`
}

func usageOf(c dialect.Closing) usage {
	u := usage{Input: c.Usage.Prompt(), Output: c.Usage.Completion()}
	if c.Billed && c.Credits > 0 {
		u.Credits, u.CallID = json.Number(c.Credits.String()), c.CallID
	}
	return u
}

func payload(v any) (dialect.Payload, error) {
	body, err := json.Marshal(v)
	return dialect.Payload{Type: "application/json", Body: body}, err
}

// Whole encodes an answer of the protocol.
func (Images) Whole(v *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	out := struct {
		Images []fileUnion `json:"images"`
		Usage  usage       `json:"usage"`
		Model  string      `json:"model"`
		With   string      `json:"modelWithProvider"`
	}{Images: make([]fileUnion, len(res.Pictures)), Usage: usageOf(c), Model: c.Model, With: c.Provider + "/" + c.Model}
	for i := range res.Pictures {
		out.Images[i] = unionOf(&res.Pictures[i].File, v.Request.Image.URL, "image/png")
	}
	return payload(out)
}

type restImage struct {
	Base64   string `json:"base64,omitempty"`
	B64Snake string `json:"b64_json,omitempty"`
	B64Camel string `json:"b64Json,omitempty"`
	URL      string `json:"url,omitempty"`
	Revised  string `json:"revised_prompt,omitempty"`
}

// Whole encodes a REST answer: the old shape and OpenAI's at once.
func (RestImages) Whole(v *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	type both struct {
		usage
		In    int64 `json:"input_tokens"`
		Out   int64 `json:"output_tokens"`
		Total int64 `json:"total_tokens"`
	}
	out := struct {
		Created int64       `json:"created"`
		Images  []restImage `json:"images"`
		Data    []restImage `json:"data"`
		Model   string      `json:"model"`
		Usage   both        `json:"usage"`
		With    string      `json:"modelWithProvider"`
	}{Created: res.Created, Images: make([]restImage, len(res.Pictures)), Model: c.Model, With: c.Provider + "/" + c.Model}
	out.Usage.usage = usageOf(c)
	out.Usage.In, out.Usage.Out = out.Usage.Input, out.Usage.Output
	out.Usage.Total = out.Usage.In + out.Usage.Out
	for i := range res.Pictures {
		p := &res.Pictures[i]
		if v.Request.Image.URL && p.URL != "" {
			out.Images[i] = restImage{URL: p.URL, Revised: p.RevisedPrompt}
			continue
		}
		data := base64.StdEncoding.EncodeToString(p.Data)
		out.Images[i] = restImage{Base64: data, B64Snake: data, B64Camel: data, Revised: p.RevisedPrompt}
	}
	out.Data = out.Images
	return payload(out)
}
