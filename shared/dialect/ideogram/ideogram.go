// Package ideogram is the client side of Ideogram 3.0
// (developer.ideogram.ai/api-reference): generate, remix and edit, as forms. Its
// answers hold links that end soon. It makes no HTTP calls.
package ideogram

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Client is the client side. The zero value is ready.
type Client struct{ Now hub.Now }

var _ dialect.TaskClient = Client{}

// Name returns dialect.Ideogram.
func (Client) Name() dialect.Name { return dialect.Ideogram }

// Splice is never asked for: no caller speaks this language.
func (c Client) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

// Fault reads a non-2xx answer.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}

const maxPictures = 8

var (
	ratios = []string{"1:3", "3:1", "1:2", "2:1", "9:16", "16:9", "10:16", "16:10", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "1:1"}
	// resolutions are those of the documents that callers of other languages name.
	resolutions = []string{"512x1536", "576x1408", "640x1536", "704x1408", "736x1312", "768x1344", "800x1280", "832x1248", "864x1152",
		"896x1152", "1024x1024", "1152x864", "1152x896", "1248x832", "1280x800", "1312x736", "1344x768", "1408x704", "1408x576",
		"1536x640", "1536x512"}
	passed = []string{"rendering_speed", "magic_prompt", "style_type", "style_codes", "color_palette", "resolution", "style_preset", "image_weight"}
	// speeds are what OpenAI's callers call quality.
	speeds = map[string]string{"low": "TURBO", "medium": "DEFAULT", "standard": "DEFAULT", "high": "QUALITY", "hd": "QUALITY"}
)

// Encode writes a form. A picture to work from makes it a remix; with a mask, an
// edit.
func (Client) Encode(req *task.Request, _ dialect.Target) (dialect.TaskEncoded, error) {
	enc := dialect.TaskEncoded{Path: "/v1/ideogram-v3/generate"}
	i := req.Image
	if i == nil {
		return enc, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for in Ideogram's language.")
	}
	dropped, err := req.Only(append([]string{"image", "mask", "size", "aspect_ratio", "quality", "style", "seed", "negative_prompt", "strength"}, passed...)...)
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	if i.N > maxPictures {
		return enc, hub.Invalid(req.ParamName("n"), "%s must be at most %d.", req.ParamName("n"), maxPictures)
	}
	f := wire.NewForm()
	f.Add("prompt", i.Prompt)
	f.Add("num_images", strconv.FormatInt(i.N, 10))
	if err := options(req, f); err != nil {
		return enc, err
	}
	switch {
	case len(i.Inputs) > 1:
		return enc, hub.Invalid(req.ParamName("image"), "%s must be one picture for this model's provider.", req.ParamName("image"))
	case len(i.Inputs) == 1:
		enc.Path = "/v1/ideogram-v3/remix"
		if i.Mask != nil {
			enc.Path = "/v1/ideogram-v3/edit"
		}
		if err := errors.Join(upload(req, f, "image", &i.Inputs[0]), upload(req, f, "mask", i.Mask)); err != nil {
			return enc, hub.AsError(err)
		}
	}
	enc.Type = f.ContentType()
	enc.Body, err = f.Bytes()
	return enc, err
}

func upload(req *task.Request, f *wire.Form, name string, file *task.File) error {
	switch {
	case file == nil:
		return nil
	case len(file.Data) == 0:
		return hub.Invalid(req.ParamName(name), "%s must hold the picture itself for this model's provider, not the id of a file.", req.ParamName(name))
	}
	kind := file.Type()
	if kind == "" {
		kind = "image/png"
	}
	data := file.Data
	if name == "mask" {
		black, err := task.BlackMask(data)
		if err != nil {
			return hub.Invalid(req.ParamName(name), "%s", hub.AsError(err).Message)
		}
		data, kind = black, "image/png"
	}
	f.AddFile(name, name+"."+strings.TrimPrefix(kind, "image/"), kind, data)
	return nil
}

func options(req *task.Request, f *wire.Form) error {
	i := req.Image
	switch {
	case i.AspectRatio != "" && i.AspectRatio != "auto":
		ratio, ok := task.Ratio(i.AspectRatio, ratios...)
		if !ok {
			return req.Unsupported("aspect_ratio")
		}
		f.Add("aspect_ratio", strings.Replace(ratio, ":", "x", 1))
	case i.Size == "" || i.Size == "auto":
	case slices.Contains(resolutions, i.Size):
		f.Add("resolution", i.Size)
	default:
		ratio, ok := task.Ratio(i.Size, ratios...)
		if !ok {
			return req.Unsupported("size")
		}
		f.Add("aspect_ratio", strings.Replace(ratio, ":", "x", 1))
	}
	if q := i.Quality; q != "" && q != "auto" {
		speed, ok := speeds[strings.ToLower(q)]
		if !ok {
			return req.Unsupported("quality")
		}
		f.Add("rendering_speed", speed)
	}
	if i.Style != "" {
		f.Add("style_type", strings.ToUpper(i.Style))
	}
	if i.Seed != nil {
		f.Add("seed", strconv.FormatInt(*i.Seed, 10))
	}
	if i.Negative != "" {
		f.Add("negative_prompt", i.Negative)
	}
	if i.Strength != nil {
		if len(i.Inputs) == 0 {
			return req.Unsupported("strength") // there is nothing to change
		}
		f.Add("image_weight", strconv.Itoa(int(math.Round(100*(1-*i.Strength)))))
	}
	for _, name := range passed {
		raw, ok := req.Extra[name]
		if !ok {
			continue
		}
		var text string
		if json.Unmarshal(raw, &text) != nil {
			text = string(raw)
		}
		f.Set(name, text)
	}
	return nil
}

// Decode reads a complete answer. Pictures that the provider holds unsafe have no
// link and are not counted.
func (Client) Decode(_ *task.Request, a dialect.TaskAnswer, _ dialect.Target) (*task.Result, error) {
	var in struct {
		Data []struct {
			Prompt     string `json:"prompt"`
			Resolution string `json:"resolution"`
			Safe       *bool  `json:"is_image_safe"`
			URL        string `json:"url"`
		} `json:"data"`
	}
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, err
	}
	res, unsafe := &task.Result{UsageKnown: true}, false
	for _, d := range in.Data {
		if d.URL == "" {
			unsafe = unsafe || d.Safe != nil && !*d.Safe
			continue
		}
		res.Variant.Size = d.Resolution
		res.Pictures = append(res.Pictures, task.Picture{File: task.File{URL: d.URL}, RevisedPrompt: d.Prompt})
	}
	switch {
	case len(res.Pictures) > 0:
	case unsafe:
		return nil, &hub.Error{Code: hub.CodeContentFiltered, Class: hub.ClassRefused, Status: http.StatusBadRequest,
			Message: "The provider holds the picture unsafe and did not release it."}
	default:
		return nil, errors.New("the answer holds no picture")
	}
	res.Usage[hub.Images] = int64(len(res.Pictures))
	return res, nil
}
