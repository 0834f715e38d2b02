// Package bedrockimages is the client side of pictures on Amazon Bedrock: the
// bodies of InvokeModel for Amazon's Nova Canvas and Titan and for Stability's
// models (docs.aws.amazon.com/nova/latest/userguide, …/bedrock/latest/userguide).
// It signs nothing and makes no HTTP calls.
package bedrockimages

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Client is the client side. The zero value is ready.
type Client struct{ Now hub.Now }

var _ dialect.TaskClient = Client{}

// Name returns dialect.BedrockImages.
func (Client) Name() dialect.Name { return dialect.BedrockImages }

// Splice is never asked for: no caller speaks this language.
func (c Client) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

// Fault reads a non-2xx answer.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}

// Encode writes an InvokeModel body.
func (Client) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	enc := dialect.TaskEncoded{Path: "/model/" + strings.ReplaceAll(url.PathEscape(t.Model), ":", "%3A") + "/invoke",
		Header: http.Header{"Accept": {"application/json"}}}
	if req.Image == nil {
		return enc, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for in Bedrock's language of pictures.")
	}
	if req.Image.Strength != nil && len(req.Image.Inputs) == 0 {
		return enc, req.Unsupported("strength") // there is nothing to change
	}
	for i := range req.Image.Inputs {
		if len(req.Image.Inputs[i].Data) == 0 {
			field := req.ParamName("image")
			return enc, hub.Invalid(field, "%s must hold the picture itself for this model's provider, not the id of a file.", field)
		}
	}
	body := amazonBody
	if strings.Contains(t.Model, "stability.") {
		body = stabilityBody
	}
	fields, dropped, err := body(req)
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	enc.Body, err = json.Marshal(fields)
	return enc, err
}

func b64(f *task.File) string { return base64.StdEncoding.EncodeToString(f.Data) }

// amazonBody is the language of Nova Canvas and Titan Image.
func amazonBody(req *task.Request) (map[string]any, []string, error) {
	i := req.Image
	dropped, err := req.Only("image", "mask", "size", "quality", "style", "seed", "negative_prompt", "strength", "variation", "cfgScale")
	if err != nil {
		return nil, nil, err
	}
	config := map[string]any{"numberOfImages": i.N}
	if i.Size != "" && i.Size != "auto" {
		w, h, ok := task.Pixels(i.Size)
		if !ok {
			return nil, nil, hub.Invalid(req.ParamName("size"), "%s must be written WIDTHxHEIGHT.", req.ParamName("size"))
		}
		config["width"], config["height"] = w, h
	}
	switch i.Quality {
	case "", "auto":
	case "standard", "premium":
		config["quality"] = i.Quality
	case "low", "medium":
		config["quality"] = "standard"
	case "high", "hd":
		config["quality"] = "premium"
	default:
		return nil, nil, req.Unsupported("quality")
	}
	if i.Seed != nil {
		config["seed"] = *i.Seed
	}
	if raw, ok := req.Extra["cfgScale"]; ok {
		config["cfgScale"] = raw
	}
	body := map[string]any{"imageGenerationConfig": config}
	params := map[string]any{}
	if i.Prompt != "" {
		params["text"] = i.Prompt
	}
	if i.Negative != "" {
		params["negativeText"] = i.Negative
	}
	switch {
	case len(i.Inputs) == 0:
		if i.Style != "" {
			params["style"] = i.Style
		}
		body["taskType"], body["textToImageParams"] = "TEXT_IMAGE", params
	case i.Style != "":
		return nil, nil, req.Unsupported("style")
	case i.Mask != nil:
		if len(i.Inputs) > 1 || len(i.Mask.Data) == 0 {
			return nil, nil, req.Unsupported("mask")
		}
		mask, err := task.BlackMask(i.Mask.Data)
		if err != nil {
			return nil, nil, hub.Invalid(req.ParamName("mask"), "%s", hub.AsError(err).Message)
		}
		params["image"], params["maskImage"] = b64(&i.Inputs[0]), b64(&task.File{Data: mask})
		body["taskType"], body["inPaintingParams"] = "INPAINTING", params
	default:
		images := make([]string, len(i.Inputs))
		for n := range i.Inputs {
			images[n] = b64(&i.Inputs[n])
		}
		params["images"] = images
		if i.Strength != nil {
			params["similarityStrength"] = 1 - *i.Strength
		}
		body["taskType"], body["imageVariationParams"] = "IMAGE_VARIATION", params
	}
	return body, dropped, nil
}

var stabilityRatios = []string{"16:9", "1:1", "21:9", "2:3", "3:2", "4:5", "5:4", "9:16", "9:21"}

// stabilityBody is the language of Stable Image and Stable Diffusion 3.5.
func stabilityBody(req *task.Request) (map[string]any, []string, error) {
	i := req.Image
	dropped, err := req.Only("image", "size", "aspect_ratio", "output_format", "seed", "negative_prompt", "strength")
	switch {
	case err != nil:
		return nil, nil, err
	case i.N > 1:
		return nil, nil, hub.Invalid(req.ParamName("n"), "%s must be 1: the model makes one picture at a time.", req.ParamName("n"))
	case len(i.Inputs) > 1:
		return nil, nil, hub.Invalid(req.ParamName("image"), "%s must be one picture for this model.", req.ParamName("image"))
	}
	body := map[string]any{"prompt": i.Prompt}
	for name, asked := range map[string]string{"aspect_ratio": i.AspectRatio, "size": i.Size} {
		if asked == "" || asked == "auto" {
			continue
		}
		ratio, ok := task.Ratio(asked, stabilityRatios...)
		if !ok {
			return nil, nil, hub.Invalid(req.ParamName(name), "%s: the model makes pictures of these proportions only: %v.", req.ParamName(name), stabilityRatios)
		}
		body["aspect_ratio"] = ratio
	}
	if i.Negative != "" {
		body["negative_prompt"] = i.Negative
	}
	if i.Seed != nil {
		body["seed"] = *i.Seed
	}
	if i.OutputFormat != "" {
		body["output_format"] = i.OutputFormat
	}
	if len(i.Inputs) == 1 {
		const usual = 0.7                              // how far a picture is changed when nobody says
		if _, shaped := body["aspect_ratio"]; shaped { // the picture's own are kept
			return nil, nil, hub.Invalid(req.ParamName("size"), "The proportions of a picture to work from cannot be changed by this model.")
		}
		body["mode"], body["image"], body["strength"] = "image-to-image", b64(&i.Inputs[0]), usual
		if i.Strength != nil {
			body["strength"] = *i.Strength
		}
	}
	return body, dropped, nil
}

// Decode reads a complete answer, which is nearly the same for both.
func (Client) Decode(_ *task.Request, a dialect.TaskAnswer, _ dialect.Target) (*task.Result, error) {
	var in struct {
		Images []string  `json:"images"`
		Error  string    `json:"error"`
		Finish []*string `json:"finish_reasons"`
	}
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, err
	}
	res := &task.Result{UsageKnown: true}
	reason := in.Error
	for n, text := range in.Images {
		if n < len(in.Finish) && in.Finish[n] != nil {
			reason = *in.Finish[n]
			continue
		}
		data, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return nil, err
		}
		res.Pictures = append(res.Pictures, task.Picture{File: task.File{Data: data}})
	}
	for _, f := range in.Finish {
		if f != nil {
			reason = *f
		}
	}
	switch {
	case len(res.Pictures) > 0:
	case reason != "":
		return nil, &hub.Error{Code: hub.CodeContentFiltered, Class: hub.ClassRefused, Status: http.StatusBadRequest, Message: reason}
	default:
		return nil, errors.New("the answer holds no picture")
	}
	res.Usage[hub.Images] = int64(len(res.Pictures))
	return res, nil
}
