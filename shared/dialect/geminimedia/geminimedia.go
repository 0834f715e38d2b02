// Package geminimedia is the client side of Google's pictures and films on the
// Gemini API (ai.google.dev/api): Imagen by :predict, Gemini's image models by
// :generateContent, Veo by :predictLongRunning. It makes no HTTP calls.
package geminimedia

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// Client is the client side of pictures. The zero value is ready.
type Client struct{ Now hub.Now }

var _ dialect.TaskClient = Client{}

// Name returns dialect.GeminiMedia.
func (Client) Name() dialect.Name { return dialect.GeminiMedia }

// Splice is never asked for: no caller speaks this language.
func (c Client) Splice(v *dialect.TaskView, t dialect.Target) (dialect.TaskEncoded, error) {
	return c.Encode(v.Request, t)
}

// Encode translates.
func (Client) Encode(req *task.Request, t dialect.Target) (dialect.TaskEncoded, error) {
	if req.Image == nil {
		return dialect.TaskEncoded{}, hub.Errorf(hub.CodeInternal, "This kind of work is not asked for in Gemini's language of pictures.")
	}
	if isImagen(t.Model) {
		return encodeImagen(req, t)
	}
	return encodeGemini(req, t)
}

// Decode reads a complete answer.
func (Client) Decode(_ *task.Request, a dialect.TaskAnswer, t dialect.Target) (*task.Result, error) {
	if isImagen(t.Model) {
		return decodeImagen(a.Body)
	}
	return decodeGemini(a.Body)
}

// Fault reads a non-2xx answer.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}

func isImagen(model string) bool { return strings.Contains(strings.ToLower(model), "imagen") }

// method is the path of a model's method.
func method(model, name string) string {
	model = strings.TrimPrefix(model, "models/")
	return "/models/" + strings.ReplaceAll(url.PathEscape(model), ":", "%3A") + ":" + name
}

type inline struct {
	MIMEType string `json:"mimeType"`
	Data     string `json:"data"`
}

// refusal is the fault of content that Google would not make.
func refusal(reason string) *hub.Error {
	return &hub.Error{Code: hub.CodeContentFiltered, Class: hub.ClassRefused, Status: http.StatusBadRequest, NativeCode: reason,
		Message: fmt.Sprintf("The provider refused to make this (%s).", reason)}
}

func picture(mime, text string) (task.Picture, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	return task.Picture{File: task.File{MIME: mime, Data: data}}, err
}

func payload(enc dialect.TaskEncoded, body any) (dialect.TaskEncoded, error) {
	var err error
	enc.Body, err = json.Marshal(body)
	return enc, err
}
