// Package generate makes the OpenAPI document of the hub from its route tables:
// paths and who may use them, bodies and answers from the Go types that are decoded
// and encoded. It runs when the document is written, not where it is served.
package generate

import (
	"bytes"
	"encoding/json"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
)

// Function is a part of the hub and what it serves.
type Function struct {
	Name   string
	Routes []httpkit.Route
}

// Document is the OpenAPI 3.1 document (spec.openapis.org/oas/v3.1.1) of functions.
// The same tables give the same bytes.
func Document(functions []Function) ([]byte, error) {
	s := &schemas{named: map[string]any{"Error": errorSchema}, types: map[string]reflect.Type{}}
	paths, shapes, tags := map[string]map[string]any{}, map[string][]string{}, []any{}
	for _, f := range functions {
		tags = append(tags, map[string]any{"name": f.Name})
		for _, rt := range f.Routes {
			path, params := parameters(rt.Pattern, shapes)
			if paths[path] == nil {
				paths[path] = map[string]any{}
			}
			method := strings.ToLower(rt.Method)
			if method == "" {
				method = "get"
			}
			op := s.operation(f.Name, rt, params)
			op["operationId"] = operationID(method, path)
			paths[path][method] = op
		}
	}
	doc := map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "AIGNE Hub", "version": "1",
			"description": "Every path of the hub, with who may use it. x-who is anonymous, optional, guest, user, admin or owner (each includes those after it); " +
				"x-scope is what an API key that is restricted to scopes must have; x-data is whose data is served.",
		},
		"security":   []any{},
		"tags":       tags,
		"paths":      paths,
		"components": map[string]any{"schemas": s.named, "securitySchemes": schemes, "responses": map[string]any{"Error": errorResponse}},
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	err := enc.Encode(doc)
	return out.Bytes(), err
}

// schemes are the ways to say who one is, as shared/identity reads them.
var schemes = map[string]any{
	"bearer":  map[string]any{"type": "http", "scheme": "bearer", "description": "An API key, sk-hub-…"},
	"apiKey":  map[string]any{"type": "apiKey", "in": "header", "name": "x-api-key", "description": "The same, as Anthropic's SDKs send it."},
	"google":  map[string]any{"type": "apiKey", "in": "header", "name": "x-goog-api-key", "description": "The same, as Google's SDKs send it."},
	"session": map[string]any{"type": "apiKey", "in": "cookie", "name": "aigne_hub_session", "description": "A browser's session; over https the name has the prefix __Host-, or __Secure- below a path."},
}

var errorSchema = schema{
	"type": "object", "required": []string{"error"}, "properties": schema{"error": schema{
		"type": "object", "required": []string{"message", "type", "code"}, "properties": schema{
			"message": schema{"type": "string"}, "type": schema{"type": "string"}, "code": schema{"type": "string"},
			"param":     schema{"type": "string", "description": "the field at fault"},
			"link":      schema{"type": "string", "description": "where credits can be had"},
			"timestamp": schema{"type": "string"},
		},
	}},
}

var errorResponse = map[string]any{
	"description": "What went wrong, and which field is at fault.",
	"content":     map[string]any{"application/json": map[string]any{"schema": schema{"$ref": "#/components/schemas/Error"}}},
}

func (s *schemas) operation(function string, rt httpkit.Route, params []any) map[string]any {
	d := rt.Doc
	op := map[string]any{"summary": d.Summary, "tags": []string{function}, "x-who": rt.Who.String(), "x-data": string(rt.Data)}
	if rt.Scope != "" {
		op["x-scope"] = string(rt.Scope)
	}
	if rt.Who != httpkit.Anonymous {
		security := []any{}
		if rt.Who == httpkit.Optional {
			security = append(security, map[string]any{})
		}
		ways := []string{"bearer", "apiKey", "google", "session"}
		if rt.Session {
			ways = ways[3:]
		}
		for _, name := range ways {
			security = append(security, map[string]any{name: []string{}})
		}
		op["security"] = security
	}
	for _, q := range d.Query {
		params = append(params, query(q))
	}
	if len(params) > 0 {
		op["parameters"] = params
	}
	if d.Vendor != "" {
		op["externalDocs"] = map[string]any{"url": d.Vendor}
	}
	if content := s.content(d.Request, d.Takes, d.Vendor != "" && rt.Method == http.MethodPost, request); content != nil {
		op["requestBody"] = map[string]any{"required": !d.Optional, "content": content}
	}
	success := map[string]any{"description": http.StatusText(d.Success())}
	if content := s.content(d.Response, d.Gives, d.Vendor != "", response); content != nil {
		success["content"] = content
	}
	fault := map[string]any{"$ref": "#/components/responses/Error"}
	if rt.ErrorBody != nil {
		fault = map[string]any{"description": "An error in the words of that API."}
	}
	answers := map[string]any{"default": fault}
	for _, status := range append([]int{d.Success()}, d.Also...) {
		answers[strconv.Itoa(status)] = success
	}
	op["responses"] = answers
	return op
}

// content is a body by media type. Those of a vendor's API have no schema here.
func (s *schemas) content(of any, kinds string, vendor bool, d direction) map[string]any {
	if kinds == httpkit.NoBody {
		return nil
	}
	out := map[string]any{}
	for kind := range strings.SplitSeq(kinds, ",") {
		if kind = strings.TrimSpace(kind); kind != "" {
			out[kind] = map[string]any{}
		}
	}
	switch {
	case of != nil:
		out["application/json"] = map[string]any{"schema": s.of(of, d)}
	case vendor && len(out) == 0:
		out["application/json"] = map[string]any{}
	case len(out) == 0:
		return nil
	}
	return out
}

func query(q httpkit.Param) map[string]any {
	of := schema{"type": "string"}
	switch {
	case q.Number:
		of = schema{"type": "integer"}
	case len(q.Enum) > 0:
		of = words(q.Enum...)
	}
	p := map[string]any{"name": q.Name, "in": "query", "schema": of}
	if q.Doc != "" {
		p["description"] = q.Doc
	}
	if q.Required {
		p["required"] = true
	}
	return p
}

var placeholder = regexp.MustCompile(`\{([^}.]+)(\.\.\.)?\}`)

// parameters is a pattern of http.ServeMux as a path of OpenAPI, with its parameters.
// Patterns that differ in the names of their parameters only are one path: the names
// of the first are kept in shapes.
func parameters(pattern string, shapes map[string][]string) (path string, params []any) {
	found := placeholder.FindAllStringSubmatch(pattern, -1)
	names := make([]string, len(found))
	for i, m := range found {
		names[i] = m[1]
	}
	shape := placeholder.ReplaceAllString(pattern, "{}")
	if first, ok := shapes[shape]; ok {
		names = first
	}
	shapes[shape] = names
	params = []any{}
	for i, m := range found {
		p := map[string]any{"name": names[i], "in": "path", "required": true, "schema": schema{"type": "string"}}
		if m[2] != "" {
			p["description"] = "It may hold slashes."
		}
		params = append(params, p)
	}
	i := -1
	path = placeholder.ReplaceAllStringFunc(pattern, func(string) string {
		i++
		return "{" + names[i] + "}"
	})
	return path, params
}

// operationID is a name that code generators can use.
func operationID(method, path string) string {
	parts := strings.FieldsFunc(path, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	for i, p := range parts {
		parts[i] = upper(p)
	}
	return method + strings.Join(parts, "")
}
