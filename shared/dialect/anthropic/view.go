package anthropic

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// View reads the head of a Messages request. max_tokens is demanded, as the API
// does, except on …/count_tokens. 0 is accepted: it fills a prompt cache and
// generates nothing.
func (Server) View(r *http.Request, body []byte) (*dialect.View, error) {
	o, err := wire.Parse(body)
	if err != nil {
		return nil, badBody(err)
	}
	v := &dialect.View{Object: o, Header: r.Header, N: 1, WantsUsage: true}
	if v.Model, _ = o.String("model"); v.Model == "" {
		return nil, hub.Invalid("model", "model is required and must be a string.")
	}
	if raw, ok := o.Get("stream"); ok && o.Has("stream") {
		if s := string(raw); s != "true" && s != "false" {
			return nil, hub.Invalid("stream", "stream must be true or false.")
		}
		v.Stream = o.Bool("stream")
	}
	if v.MaxOutput, err = maxTokens(o); err != nil {
		return nil, err
	}
	if v.MaxOutput == nil && !strings.HasSuffix(r.URL.Path, "/count_tokens") {
		return nil, hub.Invalid("max_tokens", "max_tokens is required: the most output tokens the answer may have.")
	}
	if raw, ok := o.Get("messages"); !ok || raw[0] != '[' {
		return nil, hub.Invalid("messages", "messages is required and must be an array.")
	}
	if v.Thinking, err = thinkingBudget(o); err != nil {
		return nil, err
	}
	if v.ServerTools, err = hasServerTools(o); err != nil {
		return nil, err
	}
	v.OpaqueInput = hasOpaque(o, "messages") || hasOpaque(o, "system") || o.Has("container")
	return v, nil
}

func badBody(err error) error {
	param := ""
	var se *wire.SyntaxError
	if errors.As(err, &se) {
		param = se.Key
	}
	return hub.Invalid(param, "The body is not an acceptable JSON object: %v.", err)
}

func maxTokens(o *wire.Object) (*int64, error) {
	raw, _ := o.Get("max_tokens")
	if !o.Has("max_tokens") {
		return nil, nil
	}
	var n int64
	if json.Unmarshal(raw, &n) != nil || n < 0 {
		return nil, hub.Invalid("max_tokens", "max_tokens must be a whole number that is not negative.")
	}
	return &n, nil
}

func thinkingBudget(o *wire.Object) (int64, error) {
	raw, _ := o.Get("thinking")
	if !o.Has("thinking") {
		return 0, nil
	}
	var th thinkingIn
	if err := into(raw, "thinking", &th); err != nil {
		return 0, err
	}
	if th.Type != "enabled" {
		// A type that is not known here may be known to the provider.
		return 0, nil
	}
	return th.budget()
}

// thinkingIn is the request's "thinking".
type thinkingIn struct {
	Type    string `json:"type"`
	Budget  *int64 `json:"budget_tokens"`
	Display string `json:"display"`
}

func (th *thinkingIn) budget() (int64, error) {
	if th.Budget == nil || *th.Budget < minThinking {
		return 0, hub.Invalid("thinking.budget_tokens", "thinking.budget_tokens must be at least %d.", minThinking)
	}
	return *th.Budget, nil
}

func readThinking(raw []byte) (thinkingIn, error) {
	var th thinkingIn
	if err := into(raw, "thinking", &th); err != nil {
		return th, err
	}
	switch th.Type {
	case "disabled", "adaptive":
		return th, nil
	case "enabled":
		_, err := th.budget()
		return th, err
	}
	return th, hub.Invalid("thinking.type", "thinking.type must be enabled, disabled or adaptive.")
}

// hasServerTools finds tools that are not the caller's own functions. A tool
// with a repeated key is refused: it could be priced as one thing and run as
// another.
func hasServerTools(o *wire.Object) (bool, error) {
	if o.Has("mcp_servers") {
		return true, nil
	}
	raw, _ := o.Get("tools")
	if !o.Has("tools") {
		return false, nil
	}
	if raw[0] != '[' {
		return false, hub.Invalid("tools", "tools must be an array.")
	}
	found := false
	for i, el := range elements(raw) {
		tool, err := wire.Parse(el)
		if err != nil {
			return false, hub.Invalid(fmt.Sprintf("tools[%d]", i), "tools[%d] is not an acceptable object: %v.", i, err)
		}
		if kind, _ := tool.String("type"); tool.Has("type") && kind != "custom" {
			found = true
		}
	}
	return found, nil
}

// hasOpaque reports whether a member holds content by reference: a source of
// type url or file, or a file_id. Nearly all requests are cleared by looking
// for those words as whole strings; escapes of ASCII could hide them, so a body
// with such escapes is decoded too.
func hasOpaque(o *wire.Object, key string) bool {
	raw, ok := o.Get(key)
	if !ok {
		return false
	}
	suspect := false
	for _, word := range []string{`"url"`, `"file"`, `"file_id"`, `\u00`} {
		suspect = suspect || bytes.Contains(raw, []byte(word))
	}
	if !suspect {
		return false
	}
	// A map takes the last of repeated keys and tells upper from lower case, as
	// providers do; a struct would not.
	var tree any
	return json.Unmarshal(raw, &tree) != nil || refersOut(tree)
}

func refersOut(v any) bool {
	switch v := v.(type) {
	case []any:
		for _, el := range v {
			if refersOut(el) {
				return true
			}
		}
	case map[string]any:
		if _, ok := v["file_id"].(string); ok {
			return true
		}
		if src, ok := v["source"].(map[string]any); ok && (src["type"] == "url" || src["type"] == "file") {
			return true
		}
		for _, el := range v {
			if refersOut(el) {
				return true
			}
		}
	}
	return false
}

// into decodes raw and names the field at fault below path.
func into(raw []byte, path string, v any) error {
	err := json.Unmarshal(raw, v)
	if err == nil {
		return nil
	}
	var te *json.UnmarshalTypeError
	if errors.As(err, &te) {
		if te.Field != "" {
			path += "." + te.Field
		}
		return hub.Invalid(path, "%s cannot be a JSON %s.", path, te.Value)
	}
	return hub.Invalid(path, "%s cannot be read: %v.", path, err)
}
