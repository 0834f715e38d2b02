package gemini

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// Server is the side that callers such as the @google/genai SDK speak. Its zero
// value is ready to use.
type Server struct{}

var _ dialect.Server = Server{}

// Name returns dialect.Gemini.
func (Server) Name() dialect.Name { return dialect.Gemini }

// The methods of a model that generate or count.
const (
	Generate       = "generateContent"
	StreamGenerate = "streamGenerateContent"
	CountTokens    = "countTokens"
)

// Method splits what follows the collection in a path, such as
// "openai/gpt-x:generateContent", into the model's name and the method. A model
// name may itself hold slashes and colons.
func Method(call string) (model, method string) {
	i := strings.LastIndexByte(call, ':')
	if i < 0 {
		return strings.TrimPrefix(call, "models/"), ""
	}
	return strings.TrimPrefix(call[:i], "models/"), call[i+1:]
}

// View reads the head of a request for generateContent, streamGenerateContent or
// countTokens. Model and method stand in the path; a stream without alt=sse is
// one JSON array.
func (Server) View(r *http.Request, body []byte) (*dialect.View, error) {
	o, err := wire.Parse(body)
	if err != nil {
		return nil, hub.Invalid("", "The body is not an acceptable JSON object: %v.", err)
	}
	_, call, ok := strings.Cut(r.URL.Path, "/models/")
	if !ok { // the AI SDK takes a name with a slash for a whole resource name
		_, call, _ = strings.Cut(r.URL.Path, "/v1beta/")
	}
	model, method := Method(call)
	v := &dialect.View{Object: o, Header: r.Header, N: 1, WantsUsage: true, Model: model, Stream: method == StreamGenerate}
	if v.Model == "" {
		return nil, hub.Invalid("model", "The path names no model: /v1beta/models/{model}:%s.", Generate)
	}
	v.Array = v.Stream && r.URL.Query().Get("alt") != "sse"
	f, err := fieldsOf("", o)
	if err != nil {
		return nil, err
	}
	if method == CountTokens && f.has("generateContentRequest") {
		if f, err = f.object("generateContentRequest"); err != nil {
			return nil, err
		}
	}
	return v, look(v, f)
}

// look reads what must be known before routing.
func look(v *dialect.View, f fields) error {
	if !f.has("contents") {
		return hub.Invalid(f.at("contents"), "%s is required.", f.at("contents"))
	}
	config, err := f.object("generationConfig")
	if err != nil {
		return err
	}
	if v.MaxOutput, err = config.integer("maxOutputTokens"); err != nil {
		return err
	}
	if v.MaxOutput != nil && *v.MaxOutput < 1 {
		return hub.Invalid(config.where("maxOutputTokens"), "%s must be greater than 0.", config.where("maxOutputTokens"))
	}
	n, err := config.integer("candidateCount")
	if err != nil {
		return err
	}
	if n != nil {
		if *n < 1 || *n > maxCandidates {
			return hub.Invalid(config.where("candidateCount"), "%s must be from 1 to %d.", config.where("candidateCount"), maxCandidates)
		}
		v.N = *n
	}
	think, err := config.object("thinkingConfig")
	if err != nil {
		return err
	}
	budget, err := think.integer("thinkingBudget")
	if err != nil {
		return err
	}
	if budget != nil {
		v.Thinking = max(*budget, 0)
	}
	v.OpaqueInput = f.has("cachedContent") || holdsMedia(f.raw("contents")) || holdsMedia(f.raw("systemInstruction"))
	v.ServerTools, err = hasServerTools(f)
	return err
}

// maxCandidates is the most candidates the API gives.
const maxCandidates = 8

// hasServerTools finds tools that are not the caller's own functions.
func hasServerTools(f fields) (bool, error) {
	all, err := f.list("tools")
	if err != nil {
		return false, err
	}
	found := false
	for i, raw := range all {
		t, err := readFields(element(f.where("tools"), i), raw)
		if err != nil {
			return false, err
		}
		for _, name := range t.names {
			found = found || name != "functionDeclarations"
		}
	}
	return found, nil
}

// holdsMedia reports content whose tokens have nothing to do with its bytes:
// inline data and references. Most requests are cleared by looking for the names
// as whole strings; escapes of ASCII could hide them, so a body with such escapes
// is decoded too.
func holdsMedia(raw []byte) bool {
	suspect := false
	for _, word := range [][]byte{[]byte(`"inlineData"`), []byte(`"inline_data"`), []byte(`"fileData"`), []byte(`"file_data"`), []byte(`\u00`)} {
		suspect = suspect || bytes.Contains(raw, word)
	}
	if !suspect {
		return false
	}
	var tree any
	return json.Unmarshal(raw, &tree) != nil || refers(tree)
}

func refers(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, el := range v {
			if refers(el) {
				return true
			}
		}
	case map[string]any:
		for name, el := range v {
			if key := camelName(name); key == "inlineData" || key == "fileData" || refers(el) {
				return true
			}
		}
	}
	return false
}
