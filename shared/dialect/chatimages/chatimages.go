// Package chatimages is the client side of pictures that are asked for in a
// conversation: OpenRouter's chat completions with modalities
// (openrouter.ai/docs, "Image Generation") and Poe's bots, which take nothing but
// the turn and answer with links (creator.poe.com/api-reference/createChatCompletion). It makes no HTTP calls.
package chatimages

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Client is the client side. The zero value is ready.
type Client struct{ Now hub.Now }

var (
	_ dialect.TaskClient = Client{}
	_ dialect.URLTaker   = Client{}
)

// Name returns dialect.ChatImages.
func (Client) Name() dialect.Name { return dialect.ChatImages }

// TakesURL reports true: both take links as chat completions do.
func (Client) TakesURL(task.Kind, *task.File, dialect.Target) bool { return true }

// Splice is never asked for: no caller speaks this language.
func (c Client) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

// Fault reads a non-2xx answer.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}

var ratios = []string{"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"}

type part struct {
	Type  string `json:"type"`
	Text  string `json:"text,omitempty"`
	Image *link  `json:"image_url,omitempty"`
}

type link struct {
	URL string `json:"url"`
}

// Encode writes one user turn. A conversation has one answer, so one picture is
// the most that can be asked for.
func (Client) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	enc := dialect.TaskEncoded{Path: "/chat/completions"}
	i := req.Image
	if i == nil {
		return enc, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for by conversation.")
	}
	takes := []string{"image", "size", "aspect_ratio", "seed", "user", "image_size"}
	if t.Quirks.PlainPictures {
		takes = []string{"image"}
	}
	dropped, err := req.Only(takes...)
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	if i.N > 1 {
		return enc, hub.Invalid(req.ParamName("n"), "%s must be 1: the model's provider makes one picture at a time.", req.ParamName("n"))
	}
	content := []part{{Type: "text", Text: i.Prompt}}
	for n := range i.Inputs {
		if i.Inputs[n].ID != "" {
			field := req.ParamName("image")
			return enc, hub.Invalid(field, "%s must hold the picture or its URL for this model's provider, not the id of a file.", field)
		}
		content = append(content, part{Type: "image_url", Image: &link{i.Inputs[n].Link()}})
	}
	body := map[string]any{"model": t.Model, "messages": []any{map[string]any{"role": "user", "content": content}}}
	if t.Quirks.PlainPictures {
		enc.Body, err = json.Marshal(body)
		return enc, err
	}
	body["modalities"] = []string{"image", "text"}
	config := map[string]any{}
	for name, asked := range map[string]string{"aspect_ratio": i.AspectRatio, "size": i.Size} {
		if asked == "" || asked == "auto" {
			continue
		}
		ratio, ok := task.Ratio(asked, ratios...)
		if !ok {
			return enc, hub.Invalid(req.ParamName(name), "%s: the model makes pictures of these proportions only: %v.", req.ParamName(name), ratios)
		}
		config["aspect_ratio"] = ratio
	}
	if raw, ok := req.Extra["image_size"]; ok {
		config["image_size"] = raw
	}
	if len(config) > 0 {
		body["image_config"] = config
	}
	if i.Seed != nil {
		body["seed"] = *i.Seed
	}
	if req.User != "" {
		body["user"] = req.User
	}
	enc.Body, err = json.Marshal(body)
	return enc, err
}

type answerIn struct {
	ID      string `json:"id"`
	Model   string `json:"model"`
	Choices []struct {
		Message struct {
			Content json.RawMessage `json:"content"`
			Images  []struct {
				URL link `json:"image_url"`
			} `json:"images"`
			Refusal string `json:"refusal"`
		} `json:"message"`
		Finish string `json:"finish_reason"`
	} `json:"choices"`
	Usage *struct {
		Prompt     int64 `json:"prompt_tokens"`
		Completion int64 `json:"completion_tokens"`
		Details    struct {
			Image     int64 `json:"image_tokens"`
			Reasoning int64 `json:"reasoning_tokens"`
		} `json:"completion_tokens_details"`
		PromptDetails struct {
			Cached int64 `json:"cached_tokens"`
		} `json:"prompt_tokens_details"`
	} `json:"usage"`
	Error json.RawMessage `json:"error"`
}

// links are addresses in a text, in Markdown's parentheses or bare.
var links = regexp.MustCompile(`https?://[^\s)\]"'<>]+`)

// Decode reads a complete answer: the message's images, else the links in its
// text.
func (c Client) Decode(_ *task.Request, a dialect.TaskAnswer, _ dialect.Target) (*task.Result, error) {
	var in answerIn
	if err := json.Unmarshal(a.Body, &in); err != nil {
		return nil, err
	}
	if len(in.Error) > 0 && string(in.Error) != "null" {
		return nil, c.Fault(0, a.Header, a.Body)
	}
	res := &task.Result{ID: in.ID, Model: in.Model, UsageKnown: true}
	for _, choice := range in.Choices {
		var text string
		_ = json.Unmarshal(choice.Message.Content, &text) // null where there are only pictures
		for _, image := range choice.Message.Images {
			f, ok := task.ReadLink(image.URL.URL)
			if !ok {
				return nil, errors.New("the answer holds a picture that is no base64")
			}
			res.Pictures = append(res.Pictures, task.Picture{File: f, RevisedPrompt: text})
		}
		if len(choice.Message.Images) == 0 {
			for _, found := range links.FindAllString(text, -1) {
				if !contains(res.Pictures, found) { // Poe shows a picture and links it
					res.Pictures = append(res.Pictures, task.Picture{File: task.File{URL: found}})
				}
			}
		}
		if choice.Finish == "content_filter" || choice.Message.Refusal != "" {
			return nil, &hub.Error{Code: hub.CodeContentFiltered, Class: hub.ClassRefused, Status: http.StatusBadRequest,
				Message: "The provider refused to make this."}
		}
	}
	if len(res.Pictures) == 0 {
		return nil, errors.New("the answer holds no picture")
	}
	if u := in.Usage; u != nil {
		cached := min(u.PromptDetails.Cached, u.Prompt)
		res.Usage[hub.Input], res.Usage[hub.CacheRead] = u.Prompt-cached, cached
		image := min(u.Details.Image, u.Completion)
		thought := min(u.Details.Reasoning, u.Completion-image)
		res.Usage[hub.OutputImage], res.Usage[hub.Reasoning], res.Usage[hub.Output] = image, thought, u.Completion-image-thought
	}
	res.Usage[hub.Images] = int64(len(res.Pictures))
	return res, nil
}

func contains(pictures []task.Picture, url string) bool {
	for i := range pictures {
		if pictures[i].URL == url {
			return true
		}
	}
	return false
}
