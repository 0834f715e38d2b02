package geminimedia

import (
	"encoding/json"
	"errors"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

var imagenRatios = []string{"1:1", "3:4", "4:3", "9:16", "16:9"}

// encodeImagen writes a :predict request. Imagen on the Gemini API edits nothing
// and takes neither seeds nor negative prompts.
func encodeImagen(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	i := req.Image
	enc := dialect.TaskEncoded{Path: method(t.Model, "predict")}
	dropped, err := req.Only("size", "aspect_ratio", "output_format", "output_compression", "safety_level", "person_generation", "image_size")
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	params := map[string]any{"sampleCount": i.N, "includeRaiReason": true}
	if ratio, name, err := ratioOf(req, imagenRatios); err != nil {
		return enc, err
	} else if ratio != "" {
		params["aspectRatio"] = ratio
		if r := resolution(i.Size); name == "size" && r != "1K" {
			params["sampleImageSize"] = r
		}
	}
	if raw, ok := req.Extra["image_size"]; ok {
		params["sampleImageSize"] = raw
	}
	if i.OutputFormat != "" || i.Compression != nil {
		options := map[string]any{}
		switch i.OutputFormat {
		case "", "auto":
		case "png", "jpeg":
			options["mimeType"] = "image/" + i.OutputFormat
		default:
			return enc, req.Unsupported("output_format")
		}
		if i.Compression != nil {
			options["compressionQuality"] = *i.Compression
		}
		params["outputOptions"] = options
	}
	if i.SafetyLevel != "" {
		params["safetySetting"] = i.SafetyLevel
	}
	if i.PersonsAllowed != "" {
		params["personGeneration"] = i.PersonsAllowed
	}
	return payload(enc, map[string]any{"instances": []any{map[string]any{"prompt": i.Prompt}}, "parameters": params})
}

// ratioOf finds the aspect ratio that a request asks for, and by which
// parameter; "" when it asks for none. Google's models have no pixel sizes.
func ratioOf(req *task.Request, ratios []string) (ratio, name string, err error) {
	asked, name := req.Image.AspectRatio, "aspect_ratio"
	if asked == "" || asked == "auto" {
		asked, name = req.Image.Size, "size"
	}
	if asked == "" || asked == "auto" {
		return "", "", nil
	}
	ratio, ok := task.Ratio(asked, ratios...)
	if !ok {
		field := req.ParamName(name)
		return "", "", hub.Invalid(field, "%s: the model makes pictures of these proportions only: %v.", field, ratios)
	}
	return ratio, name, nil
}

// resolution is Google's word for how large a picture is.
func resolution(size string) string {
	const large = 1600 // pixels of the longer side, from which on 2K is nearer than 1K
	w, h, ok := task.Pixels(size)
	if ok && max(w, h) >= 2*large {
		return "4K"
	}
	if ok && max(w, h) > large+200 {
		return "2K"
	}
	return "1K"
}

func decodeImagen(body []byte) (*task.Result, error) {
	var in struct {
		Predictions []struct {
			Data   string `json:"bytesBase64Encoded"`
			MIME   string `json:"mimeType"`
			Prompt string `json:"prompt"`
			Reason string `json:"raiFilteredReason"`
		} `json:"predictions"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	res, reason := &task.Result{UsageKnown: true}, ""
	for _, p := range in.Predictions {
		if p.Data == "" {
			reason = p.Reason
			continue
		}
		pic, err := picture(p.MIME, p.Data)
		if err != nil {
			return nil, err
		}
		pic.RevisedPrompt = p.Prompt
		res.Pictures = append(res.Pictures, pic)
	}
	switch {
	case len(res.Pictures) > 0:
	case reason != "":
		return nil, refusal(reason)
	case len(in.Predictions) == 0:
		return nil, refusal("every picture was filtered")
	default:
		return nil, errors.New("the answer holds no picture")
	}
	res.Usage[hub.Images] = int64(len(res.Pictures))
	return res, nil
}
