package anthropic

import (
	"encoding/json"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// requestOut is a translated request.
type requestOut struct {
	Model        string        `json:"model,omitempty"`
	Version      string        `json:"anthropic_version,omitempty"` // on Vertex AI
	MaxTokens    int64         `json:"max_tokens"`
	System       []any         `json:"system,omitempty"`
	Messages     []turn        `json:"messages"`
	Tools        []any         `json:"tools,omitempty"`
	ToolChoice   *toolChoice   `json:"tool_choice,omitempty"`
	Thinking     *thinkingOut  `json:"thinking,omitempty"`
	OutputConfig *outputConfig `json:"output_config,omitempty"`
	Stop         []string      `json:"stop_sequences,omitempty"`
	Temperature  *float64      `json:"temperature,omitempty"`
	TopP         *float64      `json:"top_p,omitempty"`
	TopK         *int64        `json:"top_k,omitempty"`
	Metadata     *metadata     `json:"metadata,omitempty"`
	ServiceTier  string        `json:"service_tier,omitempty"`
	Stream       bool          `json:"stream,omitempty"`
}

type toolOut struct {
	Name        string          `json:"name"`
	Description string          `json:"description,omitempty"`
	InputSchema json.RawMessage `json:"input_schema"`
	Cache       *cacheControl   `json:"cache_control,omitempty"`
}

type toolChoice struct {
	Type            string `json:"type"`
	Name            string `json:"name,omitempty"`
	DisableParallel bool   `json:"disable_parallel_tool_use,omitempty"`
}

type thinkingOut struct {
	Type    string `json:"type"`
	Budget  int64  `json:"budget_tokens,omitempty"`
	Display string `json:"display,omitempty"`
}

type outputConfig struct {
	Effort string     `json:"effort,omitempty"`
	Format *formatOut `json:"format,omitempty"`
}

type formatOut struct {
	Type   string          `json:"type"`
	Schema json.RawMessage `json:"schema"`
}

type metadata struct {
	UserID string `json:"user_id"`
}

// translator makes one request.
type translator struct {
	dialect.Fates
	req   *chat.Request
	t     dialect.Target
	out   requestOut
	extra []string // names of Extra to be forwarded
	files bool     // an uploaded file is named
}

// Encode translates a conversation. System and developer messages, wherever
// they stand, become the system prompt, in order: the Messages API has no other
// place for them on all models. The rules for parameters are at params.
func (Client) Encode(req *chat.Request, t dialect.Target) (dialect.Encoded, error) {
	req, dropped, err := req.Offered(chat.Tools{Own: ownTool, Search: webSearch})
	if err != nil {
		return dialect.Encoded{}, err
	}
	tr := &translator{Fates: dialect.Fates{Req: req, Quirks: &t.Quirks, Dropped: dropped}, req: req, t: t}
	tr.out.Model, tr.out.Stream = t.Model, t.Stream
	if t.Quirks.Vertex {
		tr.out.Model, tr.out.Version = "", vertexVersion
	}
	for _, step := range []func() error{tr.messages, tr.tools, tr.reasoning, tr.toolChoice, tr.format, tr.params, tr.extras} {
		if err := step(); err != nil {
			return dialect.Encoded{}, err
		}
	}
	tr.limitBreakpoints()
	body, err := marshal(&tr.out)
	if err != nil {
		return dialect.Encoded{}, hub.Wrap(hub.CodeInternal, err, "The request could not be written.")
	}
	for _, name := range tr.extra {
		key, _ := json.Marshal(name)
		body = append(append(append(body[:len(body)-1], ','), key...), ':')
		body = append(append(body, req.Extra[name]...), '}')
	}
	h := http.Header{}
	if !t.Quirks.Vertex {
		h.Set("anthropic-version", defaultVersion)
	}
	if tr.files {
		h.Set("anthropic-beta", filesBeta)
	}
	return dialect.Encoded{Body: body, Header: h, Dropped: tr.Dropped}, nil
}

func (tr *translator) tools() error {
	send, err := tr.Want("tools", len(tr.req.Tools) > 0)
	if err != nil || !send {
		return err
	}
	for i, t := range tr.req.Tools {
		path := tr.req.ToolAt(i)
		if t.Raw != nil {
			tr.out.Tools = append(tr.out.Tools, t.Raw)
			continue
		}
		if t.Name == formatTool {
			return hub.Invalid(path, "%s: the name %s is reserved for structured answers. Choose another.", path, formatTool)
		}
		schema, err := dialect.ObjectSchema(t.Parameters)
		if err != nil {
			return hub.Invalid(path, "%s: its parameters must be a JSON schema of an object.", path)
		}
		// Only some models know strict tools; Anthropic's compatibility page lists
		// it as ignored.
		if t.Strict != nil && *t.Strict {
			tr.Drop("tools.strict")
		}
		tr.out.Tools = append(tr.out.Tools, &toolOut{Name: t.Name, Description: t.Description, InputSchema: schema, Cache: breakpoint(t.Cache)})
	}
	return nil
}

func breakpoint(c *chat.Cache) *cacheControl {
	switch {
	case c == nil:
		return nil
	case c.TTL == "1h":
		return &cacheControl{Type: "ephemeral", TTL: "1h"}
	}
	return &cacheControl{Type: "ephemeral"}
}

// limitBreakpoints keeps the last breakpoints: they cover the longest prefixes.
// The order is that of the API's prefix: tools, system, messages.
func (tr *translator) limitBreakpoints() {
	var marks []**cacheControl
	for _, t := range tr.out.Tools {
		if t, ok := t.(*toolOut); ok && t.Cache != nil {
			marks = append(marks, &t.Cache)
		}
	}
	contents := [][]any{tr.out.System}
	for _, t := range tr.out.Messages {
		contents = append(contents, t.Content)
	}
	for _, blocks := range contents {
		for _, b := range blocks {
			if b, ok := b.(*block); ok && b.Cache != nil {
				marks = append(marks, &b.Cache)
			}
		}
	}
	for i := 0; i < len(marks)-maxBreakpoints; i++ {
		*marks[i] = nil
	}
}

func (tr *translator) toolChoice() error {
	tc, parallel := tr.req.ToolChoice, tr.req.ParallelToolCalls
	if len(tr.out.Tools) == 0 {
		if tc != nil && tc.Mode != "auto" && tc.Mode != "none" {
			return hub.Invalid(tr.req.ParamName("tool_choice"), "tool_choice demands a tool, but tools is empty.")
		}
		return nil
	}
	send, err := tr.Want("tool_choice", tc != nil)
	if err != nil {
		return err
	}
	var out toolChoice
	if send {
		switch tc.Mode {
		case "auto", "none":
			out.Type = tc.Mode
		case "required":
			out.Type = "any"
		case "tool":
			out.Type, out.Name = "tool", tc.Name
		default:
			return hub.Invalid(tr.req.ParamName("tool_choice"), "tool_choice %q is not known.", tc.Mode)
		}
	}
	if tr.thinks() && (out.Type == "any" || out.Type == "tool") {
		return tr.Refuse("tool_choice", "a model that thinks cannot be made to call a tool; use auto, or no reasoning")
	}
	one, err := tr.Want("parallel_tool_calls", parallel != nil && !*parallel)
	if err != nil {
		return err
	}
	if one && out.Type != "none" {
		out.DisableParallel = true
		out.Type = firstOf(out.Type, "auto")
	}
	if out.Type != "" {
		tr.out.ToolChoice = &out
	}
	return nil
}
