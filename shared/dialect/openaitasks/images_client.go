package openaitasks

import (
	"encoding/json"
	"errors"
	"path"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

var errNoPicture = errors.New("the answer holds no picture")

// pathOf is where a piece of work is asked for below the base URL.
func pathOf(r *task.Request) string {
	if r.Image != nil && r.Image.Variation {
		return "/images/variations"
	}
	return paths[r.Kind]
}

// alwaysInline reports models that answer with base64 only and refuse
// response_format.
func alwaysInline(model string) bool {
	return strings.Contains(model, "gpt-image")
}

// encodeImage asks for pictures inline: a link of the provider's is gone within
// the hour, and the hub keeps its own where one is wanted.
func encodeImage(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	i := req.Image
	enc := dialect.TaskEncoded{Path: pathOf(req)}
	dropped, err := req.Only("image", "mask", "size", "quality", "style", "background", "moderation", "output_format",
		"output_compression", "input_fidelity", "variation", "user")
	if err != nil {
		return enc, err
	}
	enc.Dropped = dropped
	body := map[string]any{"model": t.Model, "n": i.N}
	for name, value := range map[string]string{"prompt": i.Prompt, "size": i.Size, "quality": i.Quality, "style": i.Style,
		"background": i.Background, "moderation": i.Moderation, "output_format": i.OutputFormat, "input_fidelity": i.InputFidelity, "user": req.User} {
		if value != "" {
			body[name] = value
		}
	}
	if i.Compression != nil {
		body["output_compression"] = *i.Compression
	}
	if !alwaysInline(t.Model) {
		body["response_format"] = "b64_json"
	}
	if req.Kind == task.ImageGeneration {
		enc.Body, err = json.Marshal(body)
		return enc, err
	}
	return editForm(req, enc, body)
}

// editForm writes the form of an edit: pictures can only be uploaded to every
// server that speaks this language.
func editForm(req *task.Request, enc dialect.TaskEncoded, fields map[string]any) (dialect.TaskEncoded, error) {
	f := wire.NewForm()
	for _, name := range sortedKeys(fields) {
		switch v := fields[name].(type) {
		case string:
			f.Add(name, v)
		case int64:
			f.Add(name, strconv.FormatInt(v, 10))
		}
	}
	name := "image"
	if len(req.Image.Inputs) > 1 {
		name = "image[]"
	}
	for n := range req.Image.Inputs {
		if err := addPicture(f, req, name, &req.Image.Inputs[n], n); err != nil {
			return enc, err
		}
	}
	if m := req.Image.Mask; m != nil {
		if err := addPicture(f, req, "mask", m, 0); err != nil {
			return enc, err
		}
	}
	var err error
	enc.Type = f.ContentType()
	enc.Body, err = f.Bytes()
	return enc, err
}

func addPicture(f *wire.Form, req *task.Request, name string, file *task.File, n int) error {
	if len(file.Data) == 0 {
		field := req.ParamName(strings.TrimSuffix(name, "[]"))
		return hub.Invalid(field, "%s must hold the picture itself for this model's provider, not the id of a file.", field)
	}
	kind := file.Type()
	if kind == "" {
		kind = "image/png"
	}
	filename := path.Base(file.Name)
	if file.Name == "" {
		filename = "image" + strconv.Itoa(n) + "." + strings.TrimPrefix(kind, "image/")
	}
	f.AddFile(name, filename, kind, file.Data)
	return nil
}
