package responses

import (
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// responseIn is an answer as a provider sends it, as far as it is understood.
type responseIn struct {
	ID         string          `json:"id"`
	Model      string          `json:"model"`
	Created    float64         `json:"created_at"`
	Status     string          `json:"status"`
	Error      json.RawMessage `json:"error"`
	Incomplete struct {
		Reason string `json:"reason"`
	} `json:"incomplete_details"`
	Output []itemIn `json:"output"`
	Tier   string   `json:"service_tier"`
	Usage  *usageIn `json:"usage"`
}

// native is the provider's own word for why the answer ended: its status, or
// the reason of an incomplete one.
func (r *responseIn) native() string {
	if r.Status == "incomplete" && r.Incomplete.Reason != "" {
		return r.Incomplete.Reason
	}
	return r.Status
}

// searches counts the searches of the web that the provider made.
func (r *responseIn) searches() (n int64) {
	for i := range r.Output {
		if r.Output[i].Type == "web_search_call" {
			n++
		}
	}
	return n
}

// itemIn is an item of an input or an output: the union of all kinds.
type itemIn struct {
	Type      string          `json:"type"`
	ID        string          `json:"id"`
	Role      string          `json:"role"`
	Status    string          `json:"status"`
	Content   json.RawMessage `json:"content"`
	Name      string          `json:"name"`
	Namespace string          `json:"namespace"`
	CallID    string          `json:"call_id"`
	Arguments string          `json:"arguments"`
	Input     string          `json:"input"`
	Output    json.RawMessage `json:"output"`
	Summary   []partIn        `json:"summary"`
	Encrypted string          `json:"encrypted_content"`
	Result    string          `json:"result"` // image_generation_call: base64
}

// partIn is a piece of a message, a summary or a tool's output.
type partIn struct {
	Type        string          `json:"type"`
	Text        string          `json:"text"`
	Refusal     string          `json:"refusal"`
	Annotations json.RawMessage `json:"annotations"`
	Logprobs    json.RawMessage `json:"logprobs"`
	ImageURL    string          `json:"image_url"`
	Detail      string          `json:"detail"`
	FileID      string          `json:"file_id"`
	FileURL     string          `json:"file_url"`
	FileData    string          `json:"file_data"`
	Filename    string          `json:"filename"`
	Audio       *struct {
		Data   string `json:"data"`
		Format string `json:"format"`
	} `json:"input_audio"`
}

// parts are the pieces of an answer's message; a message with a plain text has
// one.
func (it *itemIn) parts() []partIn {
	if len(it.Content) == 0 || it.Content[0] == '"' {
		if s := wire.Text(it.Content); s != "" {
			return []partIn{{Type: "output_text", Text: s}}
		}
		return nil
	}
	var all []partIn
	if json.Unmarshal(it.Content, &all) != nil || it.Type == "reasoning" {
		return nil
	}
	return all
}

// summaryGap stands between the parts of a summary that become one thought.
const summaryGap = "\n\n"

// thought is the text of a reasoning item: its summary, else its content, which
// open-weight models show.
func (it *itemIn) thought() string {
	if it.Type != "reasoning" {
		return ""
	}
	parts := it.Summary
	if len(parts) == 0 && len(it.Content) > 0 && it.Content[0] == '[' {
		if json.Unmarshal(it.Content, &parts) != nil {
			return ""
		}
	}
	texts := make([]string, 0, len(parts))
	for _, p := range parts {
		texts = append(texts, p.Text)
	}
	return strings.Join(texts, summaryGap)
}

// broken reads an error event or the event of a failed answer.
func (c Client) broken(data []byte) *hub.Error {
	raw := wire.Member(data, "error")
	if answer := wire.Member(data, "response"); answer != nil {
		raw = wire.Member(answer, "error")
	}
	if absent(raw) { // the error event of the documents: code, message and param
		raw = data
	}
	return c.complaint(raw)
}

// complaint words a bare error object as an error body and has it read.
func (c Client) complaint(raw []byte) *hub.Error {
	code, kind := wire.Text(wire.Member(raw, "code")), wire.Text(wire.Member(raw, "type"))
	status := 0
	switch {
	case code == "rate_limit_exceeded":
		kind = "rate_limit_error" // without a status the kind decides
	case code == "invalid_prompt", strings.Contains(code, "image"):
		kind = "invalid_request_error"
	case code == "server_error", code == "vector_store_timeout":
		status = 500
	}
	if kind == "error" { // the event's own type
		kind = ""
	}
	err := c.fault(status, nil, encodeJSON(map[string]any{"error": map[string]any{
		"message": wire.Text(wire.Member(raw, "message")), "code": code, "type": kind, "param": wire.Text(wire.Member(raw, "param")),
	}}))
	err.Status = 0
	return err
}

// failed finds the failure that a whole answer tells of, in a body or in the
// last event.
func (c Client) failed(r *responseIn, raw []byte) *hub.Error {
	switch {
	case !absent(r.Error):
		return c.complaint(r.Error)
	case r.Status == "failed", r.Status == "cancelled":
		return &hub.Error{Code: hub.CodeUpstream, Class: hub.ClassRetry, Message: "The provider gave up on the answer without saying why."}
	case r.ID == "" && r.Status == "" && r.Output == nil && wire.Member(raw, "output") == nil:
		return unreadable()
	}
	return nil
}
