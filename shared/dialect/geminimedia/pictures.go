package geminimedia

import (
	"encoding/base64"
	"encoding/json"
	"errors"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

var geminiRatios = []string{"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"}

type part struct {
	Text       string  `json:"text,omitempty"`
	InlineData *inline `json:"inlineData,omitempty"`
	Thought    bool    `json:"thought,omitempty"`
}

// encodeGemini writes a :generateContent request whose answer is a picture; what
// is to be changed goes along inline.
func encodeGemini(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	i := req.Image
	enc := dialect.TaskEncoded{Path: method(t.Model, "generateContent")}
	dropped, err := req.Only("image", "size", "aspect_ratio", "seed", "image_size")
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	parts := make([]part, 0, len(i.Inputs)+1)
	for n := range i.Inputs {
		f := &i.Inputs[n]
		if len(f.Data) == 0 {
			field := req.ParamName("image")
			return enc, hub.Invalid(field, "%s must hold the picture itself for this model's provider, not the id of a file.", field)
		}
		parts = append(parts, part{InlineData: inlineOf(f)})
	}
	config := map[string]any{"responseModalities": []string{"TEXT", "IMAGE"}}
	if i.N > 1 {
		config["candidateCount"] = i.N
	}
	if i.Seed != nil {
		config["seed"] = *i.Seed
	}
	shape := map[string]any{}
	if ratio, _, err := ratioOf(req, geminiRatios); err != nil {
		return enc, err
	} else if ratio != "" {
		shape["aspectRatio"] = ratio
		if r := resolution(i.Size); r != "1K" {
			shape["imageSize"] = r
		}
	}
	if raw, ok := req.Extra["image_size"]; ok {
		shape["imageSize"] = raw
	}
	if len(shape) > 0 {
		config["imageConfig"] = shape
	}
	return payload(enc, map[string]any{
		"contents":         []any{map[string]any{"role": "user", "parts": append(parts, part{Text: i.Prompt})}},
		"generationConfig": config,
	})
}

func inlineOf(f *task.File) *inline {
	kind := f.Type()
	if kind == "" {
		kind = "image/png"
	}
	return &inline{MIMEType: kind, Data: base64.StdEncoding.EncodeToString(f.Data)}
}

type counted struct {
	Modality string `json:"modality"`
	Tokens   int64  `json:"tokenCount"`
}

type answerIn struct {
	Candidates []struct {
		Content struct {
			Parts []part `json:"parts"`
		} `json:"content"`
		Finish  string `json:"finishReason"`
		Message string `json:"finishMessage"`
	} `json:"candidates"`
	Feedback struct {
		Reason string `json:"blockReason"`
	} `json:"promptFeedback"`
	Usage *struct {
		Prompt     int64     `json:"promptTokenCount"`
		Candidates int64     `json:"candidatesTokenCount"`
		Thoughts   int64     `json:"thoughtsTokenCount"`
		PromptIn   []counted `json:"promptTokensDetails"`
		Out        []counted `json:"candidatesTokensDetails"`
	} `json:"usageMetadata"`
	Model string `json:"modelVersion"`
	ID    string `json:"responseId"`
}

func decodeGemini(body []byte) (*task.Result, error) {
	var in answerIn
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	res, finish := &task.Result{ID: in.ID, Model: in.Model, UsageKnown: true}, ""
	for _, c := range in.Candidates {
		text := ""
		for _, p := range c.Content.Parts {
			switch {
			case p.Thought:
			case p.InlineData == nil:
				text += p.Text
			default:
				pic, err := picture(p.InlineData.MIMEType, p.InlineData.Data)
				if err != nil {
					return nil, err
				}
				res.Pictures = append(res.Pictures, pic)
			}
		}
		finish = c.Finish
		if n := len(res.Pictures); n > 0 {
			res.Pictures[n-1].RevisedPrompt = text
		}
	}
	switch {
	case len(res.Pictures) > 0:
	case in.Feedback.Reason != "":
		return nil, refusal(in.Feedback.Reason)
	case finish != "" && finish != "STOP" && finish != "MAX_TOKENS":
		return nil, refusal(finish)
	default:
		return nil, errors.New("the answer holds no picture")
	}
	if u := in.Usage; u != nil {
		image := ofModality(u.PromptIn, "IMAGE")
		res.Usage[hub.InputImage], res.Usage[hub.Input] = image, u.Prompt-image
		made := ofModality(u.Out, "IMAGE")
		res.Usage[hub.OutputImage], res.Usage[hub.Output] = made, u.Candidates-made
		res.Usage[hub.Reasoning] = u.Thoughts
	}
	res.Usage[hub.Images] = int64(len(res.Pictures))
	return res, nil
}

func ofModality(list []counted, name string) (n int64) {
	for _, c := range list {
		if c.Modality == name {
			n += c.Tokens
		}
	}
	return n
}
