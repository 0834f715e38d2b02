package fakeprovider

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

var (
	geminiParts = set("text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode",
		"codeExecutionResult", "thought", "thoughtSignature", "videoMetadata", "mediaResolution", "partMetadata")
	// geminiPayload lists the members of which a part has exactly one.
	geminiPayload = []string{"text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult"}
)

func (l gemini) system(t *turn, body object) *fixed {
	raw, given := body["systemInstruction"]
	if !given {
		return nil
	}
	content := dict(raw)
	if content == nil {
		return l.bad("Invalid value at 'system_instruction' (type.googleapis.com/google.ai.generativelanguage.v1beta.Content)")
	}
	for _, v := range list(content["parts"]) {
		said, ok := dict(v)["text"].(string)
		if !ok {
			return l.bad("system_instruction: only text parts are supported.")
		}
		t.addText(said)
	}
	return nil
}

// geminiTurn is what one content holds.
type geminiTurn struct {
	role             string
	calls, responses int
	said             string
	signed           bool // the first functionCall carries a thoughtSignature
}

// add joins the next piece of a turn.
func (g *geminiTurn) add(next geminiTurn) {
	if g.calls == 0 {
		g.signed = next.signed
	}
	g.calls += next.calls
	g.said += next.said
}

func (l gemini) contents(t *turn, body object) *fixed {
	contents := list(body["contents"])
	if len(contents) == 0 {
		return l.bad("* GenerateContentRequest.contents: contents is not specified")
	}
	var turns []geminiTurn
	for i, v := range contents {
		turn, f := l.content(t, fmt.Sprintf("contents[%d]", i), dict(v), len(contents) == 1)
		if f != nil {
			return f
		}
		// The SDK's chats send back each piece of a stream as a content.
		if n := len(turns); n > 0 && turn.role == "model" && turns[n-1].role == "model" {
			turns[n-1].add(turn)
			continue
		}
		if f := l.order(turns, turn); f != nil {
			return f
		}
		turns = append(turns, turn)
	}
	last := turns[len(turns)-1]
	if last.calls > 0 {
		return l.bad("Please ensure that function response turn comes immediately after a function call turn.")
	}
	t.lastText, t.lastIsUser = last.said, last.role == "user" && last.responses == 0
	return l.signatures(t, turns)
}

// order checks a turn against the one before it.
func (l gemini) order(before []geminiTurn, now geminiTurn) *fixed {
	var prev geminiTurn
	if len(before) > 0 {
		prev = before[len(before)-1]
	}
	switch {
	case now.calls > 0 && prev.role != "user":
		return l.bad("Please ensure that function call turn comes immediately after a user turn or after a function response turn.")
	case now.responses > 0 && prev.calls == 0:
		return l.bad("Please ensure that function response turn comes immediately after a function call turn.")
	case prev.calls > 0 && now.responses == 0:
		return l.bad("Please ensure that function response turn comes immediately after a function call turn.")
	case now.responses > 0 && now.responses != prev.calls:
		return l.bad("Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.")
	}
	return nil
}

// signatures: Gemini 3 refuses calls of the current turn whose thought signature
// was lost on the way.
func (l gemini) signatures(t *turn, turns []geminiTurn) *fixed {
	if !strings.HasPrefix(t.model, "gemini-3") {
		return nil
	}
	for i := len(turns) - 1; i >= 0; i-- {
		turn := turns[i]
		if turn.role == "user" && turn.responses == 0 {
			return nil
		}
		if turn.calls > 0 && !turn.signed {
			return l.bad("Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly.")
		}
	}
	return nil
}

func (l gemini) content(t *turn, at string, raw object, only bool) (geminiTurn, *fixed) {
	out := geminiTurn{role: text(raw["role"])}
	if name, found := firstUnknown(raw, set("role", "parts")); found {
		return out, l.unknown(name, at)
	}
	if out.role == "" && only {
		out.role = "user"
	}
	if out.role == "function" {
		out.role = "user"
	}
	if out.role != "user" && out.role != "model" {
		return out, l.bad("Please use a valid role: user, model.")
	}
	parts := list(raw["parts"])
	if len(parts) == 0 {
		return out, l.bad("* GenerateContentRequest.%s.parts: contents.parts must not be empty.", at)
	}
	for i, v := range parts {
		part := camel(dict(v))
		where := fmt.Sprintf("%s.parts[%d]", at, i)
		if f := l.part(&out, where, part); f != nil {
			return out, f
		}
		t.addText(text(part["text"]))
		out.said += text(part["text"])
		if r := dict(dict(part["functionResponse"])["response"]); r != nil {
			said := string(encode(r))
			t.addText(said)
			out.said += said
		}
		if c := dict(part["functionCall"]); c != nil {
			t.addText(string(encode(c["args"])))
		}
	}
	return out, nil
}

func (l gemini) part(turn *geminiTurn, at string, part object) *fixed {
	if name, found := firstUnknown(part, geminiParts); found {
		return l.unknown(name, at)
	}
	payloads := 0
	for _, name := range geminiPayload {
		if _, given := part[name]; given {
			payloads++
		}
	}
	if payloads != 1 {
		return l.bad("* GenerateContentRequest.%s.data: required oneof field 'data' must have one initialized field", at)
	}
	if data := camel(dict(part["inlineData"])); data != nil && (text(data["mimeType"]) == "" || text(data["data"]) == "") {
		return l.bad("* GenerateContentRequest.%s.inline_data: mime_type and data are required.", at)
	}
	if call, given := part["functionCall"]; given {
		if turn.role != "model" || text(dict(call)["name"]) == "" {
			return l.bad("* GenerateContentRequest.%s.function_call: a named call in a model turn is required.", at)
		}
		if turn.calls == 0 {
			turn.signed = text(part["thoughtSignature"]) != ""
		}
		turn.calls++
	}
	if v, given := part["functionResponse"]; given {
		response := dict(v)
		if turn.role != "user" || text(response["name"]) == "" {
			return l.bad("* GenerateContentRequest.%s.function_response.name: Name cannot be empty.", at)
		}
		if dict(response["response"]) == nil {
			return l.bad("Invalid value at '%s.function_response.response' (type.googleapis.com/google.protobuf.Struct)", at)
		}
		turn.responses++
	}
	return nil
}

// count answers countTokens (ai.google.dev/api/tokens): contents alone, or a
// whole request that names the model again.
func (l gemini) count(r *http.Request, raw object, models []string) *fixed {
	body := camel(raw)
	if name, found := firstUnknown(body, set("contents", "generateContentRequest", "model")); found {
		return l.unknown(name, "")
	}
	if inner, given := body["generateContentRequest"]; given {
		if body["contents"] != nil {
			return l.bad("contents and generate_content_request must not both be set.")
		}
		rest, _ := geminiModelPath(r)
		model, _, _ := strings.Cut(rest, ":")
		body = camel(dict(inner))
		if text(body["model"]) != "models/"+model {
			return l.bad("* CountTokensRequest.generate_content_request.model: the model must be models/%s.", model)
		}
	}
	t, f := l.read(r, body, func(m string) bool { return slices.Contains(models, m) })
	if f != nil {
		return f
	}
	n := Tokens(t.promptBytes)
	return &fixed{status: http.StatusOK, body: encode(object{
		"totalTokens": n, "promptTokensDetails": []any{object{"modality": "TEXT", "tokenCount": n}},
	})}
}
