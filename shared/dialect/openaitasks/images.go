package openaitasks

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// The most that one request may ask for, as OpenAI documents.
const (
	maxPictures      = 10
	maxInputPictures = 16
	maxPartials      = 3
)

// Images is the server side of POST /v1/images/generations, /v1/images/edits and
// /v1/images/variations.
type Images struct {
	Now       hub.Now
	Of        task.Kind // ImageGeneration or ImageEdit
	Variation bool      // /v1/images/variations
}

var _ dialect.TaskServer = Images{}

// Name returns dialect.OpenAI.
func (Images) Name() dialect.Name { return dialect.OpenAI }

// Kind returns what the surface asks for.
func (s Images) Kind() task.Kind { return s.Of }

// Error encodes an error body.
func (s Images) Error(err *hub.Error, _ string) []byte { return faults.Body(err, s.Now) }

// View decodes a request: JSON, or a form where pictures are uploaded.
func (s Images) View(r *http.Request, body []byte) (*dialect.TaskView, error) {
	var f fields
	var v *dialect.TaskView
	if isForm(r) {
		form, err := wire.ParseForm(r.Header.Get("Content-Type"), body)
		if err != nil {
			return nil, hub.Invalid("", "The request body cannot be read: %v.", err)
		}
		f.form = form
		v = &dialect.TaskView{Request: &task.Request{Kind: s.Of}, Form: form, Header: r.Header, Bytes: int64(len(body))}
		v.Request.Model, v.Request.User = f.text("model"), f.text("user")
	} else {
		var err error
		if v, err = jsonView(r, body, s.Of); err != nil {
			return nil, err
		}
		f.object = v.Object
	}
	s.read(&f, v.Request)
	if f.fault != nil {
		return nil, f.fault
	}
	return v, nil
}

func isForm(r *http.Request) bool {
	return strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "multipart/form-data")
}

// imageFields are the parameters with a meaning here.
var imageFields = []string{"model", "user", "prompt", "n", "size", "quality", "style", "background", "moderation", "output_format",
	"output_compression", "response_format", "stream", "partial_images", "input_fidelity", "seed", "negative_prompt", "aspect_ratio",
	"image", "image[]", "images", "mask"}

func (s Images) read(f *fields, r *task.Request) {
	i := &task.Image{N: 1, Variation: s.Variation, Prompt: f.text("prompt"), Size: f.text("size"), Quality: f.text("quality"),
		Style: f.text("style"), Background: f.text("background"), Moderation: f.text("moderation"), OutputFormat: f.text("output_format"),
		InputFidelity: f.text("input_fidelity"), Negative: f.text("negative_prompt"), AspectRatio: f.text("aspect_ratio"),
		Compression: f.whole("output_compression", 0, 100), PartialImages: f.whole("partial_images", 0, maxPartials),
		Seed: f.whole("seed", 0, 1<<53)}
	r.Image, r.Stream = i, f.flag("stream")
	if n := f.whole("n", 1, maxPictures); n != nil {
		i.N = *n
	}
	if i.Prompt == "" && !s.Variation {
		f.fail("prompt", "The request has no prompt.")
	}
	switch f.text("response_format") {
	case "", "b64_json":
	case "url":
		i.URL = true
	default:
		f.fail("response_format", "response_format must be url or b64_json.")
	}
	if s.Of == task.ImageEdit {
		i.Inputs, i.Mask = f.pictures()
		if len(i.Inputs) == 0 || len(i.Inputs) > maxInputPictures {
			f.fail("image", "The request must hold 1 to %d images to work from.", maxInputPictures)
		}
	}
	r.Extra = f.rest(imageFields...)
}

// Whole encodes an answer.
func (Images) Whole(v *dialect.TaskView, res *task.Result, c dialect.Closing) (dialect.Payload, error) {
	out := imagesOut{Created: res.Created, Data: make([]imageOut, len(res.Pictures)), Quality: res.Variant.Quality, Size: res.Variant.Size}
	for i := range res.Pictures {
		p := &res.Pictures[i]
		out.Data[i].RevisedPrompt = p.RevisedPrompt
		if v.Request.Image.URL && p.URL != "" {
			out.Data[i].URL = p.URL
			continue
		}
		out.Data[i].Base64 = base64.StdEncoding.EncodeToString(p.Data)
		if _, format, ok := strings.Cut(p.Type(), "image/"); ok {
			out.OutputFormat = format
		}
	}
	out.Usage = imageUsageOut(c.Usage)
	return jsonPayload(out)
}

type imagesOut struct {
	Created      int64      `json:"created"`
	Data         []imageOut `json:"data"`
	OutputFormat string     `json:"output_format,omitempty"`
	Quality      string     `json:"quality,omitempty"`
	Size         string     `json:"size,omitempty"`
	Usage        *imageUse  `json:"usage,omitempty"`
}

type imageOut struct {
	Base64        string `json:"b64_json,omitempty"`
	URL           string `json:"url,omitempty"`
	RevisedPrompt string `json:"revised_prompt,omitempty"`
}

// imageUse is OpenAI's count of the tokens of pictures.
type imageUse struct {
	Input         int64       `json:"input_tokens"`
	InputDetails  *imageParts `json:"input_tokens_details,omitempty"`
	Output        int64       `json:"output_tokens"`
	OutputDetails *imageParts `json:"output_tokens_details,omitempty"`
	Total         int64       `json:"total_tokens"`
}

type imageParts struct {
	Text   int64 `json:"text_tokens"`
	Image  int64 `json:"image_tokens"`
	Cached int64 `json:"cached_tokens,omitempty"`
}

// imageUsageOut is nil where the provider counted no tokens.
func imageUsageOut(u hub.Usage) *imageUse {
	in, out := u.Prompt(), u.Completion()
	if in+out == 0 {
		return nil
	}
	return &imageUse{Input: in, Output: out, Total: in + out, InputDetails: &imageParts{Image: u[hub.InputImage], Text: in - u[hub.InputImage]}}
}

// add puts the counts into buckets: pictures generate image tokens unless the
// details say that some were text.
func (n *imageUse) add(u *hub.Usage) {
	if n == nil {
		return
	}
	if d := n.InputDetails; d != nil {
		u[hub.InputImage] += d.Image
		u[hub.CacheRead] += min(d.Cached, n.Input-d.Image)
		u[hub.Input] += n.Input - d.Image - min(d.Cached, n.Input-d.Image)
	} else {
		u[hub.Input] += n.Input
	}
	var text int64
	if n.OutputDetails != nil {
		text = min(n.OutputDetails.Text, n.Output)
	}
	u[hub.Output] += text
	u[hub.OutputImage] += n.Output - text
}

// decodeImages reads an answer and counts what it holds, not what was asked for.
func decodeImages(body []byte) (*task.Result, error) {
	var in imagesOut
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	res := &task.Result{Created: in.Created, UsageKnown: true, Variant: task.Variant{Quality: in.Quality, Size: in.Size}}
	for _, d := range in.Data {
		p := task.Picture{RevisedPrompt: d.RevisedPrompt, File: task.File{URL: d.URL}}
		if in.OutputFormat != "" {
			p.MIME = "image/" + in.OutputFormat
		}
		// Content that is no whole base64 is passed on natively, so it is no fault here.
		p.Data, _ = base64.StdEncoding.DecodeString(d.Base64)
		res.Pictures = append(res.Pictures, p)
	}
	if len(res.Pictures) == 0 {
		return nil, errNoPicture
	}
	in.Usage.add(&res.Usage)
	res.Usage[hub.Images] = int64(len(res.Pictures))
	return res, nil
}
