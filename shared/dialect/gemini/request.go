package gemini

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// maxStop is how many stopSequences the API takes.
const maxStop = 5

// request is GenerateContentRequest.
type request struct {
	SystemInstruction *content          `json:"systemInstruction,omitempty"`
	Contents          []content         `json:"contents"`
	Tools             []tool            `json:"tools,omitempty"`
	ToolConfig        *toolConfig       `json:"toolConfig,omitempty"`
	GenerationConfig  *generationConfig `json:"generationConfig,omitempty"`
}

type tool struct {
	FunctionDeclarations []functionDeclaration `json:"functionDeclarations"`
}

type functionDeclaration struct {
	Name                 string          `json:"name"`
	Description          string          `json:"description,omitempty"`
	ParametersJSONSchema json.RawMessage `json:"parametersJsonSchema,omitempty"`
}

type toolConfig struct {
	FunctionCallingConfig functionCallingConfig `json:"functionCallingConfig"`
}

type functionCallingConfig struct {
	Mode                 string   `json:"mode"`
	AllowedFunctionNames []string `json:"allowedFunctionNames,omitempty"`
}

type generationConfig struct {
	CandidateCount     *int64          `json:"candidateCount,omitempty"`
	MaxOutputTokens    *int64          `json:"maxOutputTokens,omitempty"`
	Temperature        *float64        `json:"temperature,omitempty"`
	TopP               *float64        `json:"topP,omitempty"`
	TopK               *int64          `json:"topK,omitempty"`
	Seed               *int64          `json:"seed,omitempty"`
	PresencePenalty    *float64        `json:"presencePenalty,omitempty"`
	FrequencyPenalty   *float64        `json:"frequencyPenalty,omitempty"`
	StopSequences      []string        `json:"stopSequences,omitempty"`
	ResponseLogprobs   bool            `json:"responseLogprobs,omitempty"`
	Logprobs           *int64          `json:"logprobs,omitempty"`
	ResponseMIMEType   string          `json:"responseMimeType,omitempty"`
	ResponseJSONSchema json.RawMessage `json:"responseJsonSchema,omitempty"`
	ResponseModalities []string        `json:"responseModalities,omitempty"`
	ThinkingConfig     *thinkingConfig `json:"thinkingConfig,omitempty"`
}

// Encode translates a conversation. Cache breakpoints are not sent: Gemini
// caches common beginnings by itself.
func (Client) Encode(req *chat.Request, t dialect.Target) (dialect.Encoded, error) {
	pruned, dropped, err := fate(req, t.Quirks)
	if err != nil {
		return dialect.Encoded{}, err
	}
	e := encoder{req: pruned, target: t, dropped: dropped, calls: map[string]string{}}
	body, err := e.request()
	if err != nil {
		return dialect.Encoded{}, err
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(body); err != nil {
		return dialect.Encoded{}, hub.Wrap(hub.CodeInvalid, err, "The request holds a value that is not JSON.")
	}
	return dialect.Encoded{Body: bytes.TrimRight(out.Bytes(), "\n"), Dropped: e.dropped}, nil
}

type encoder struct {
	req     *chat.Request
	target  dialect.Target
	dropped []string
	calls   map[string]string // tool call id → function name
}

func (e *encoder) request() (*request, error) {
	var (
		out request
		err error
	)
	if out.SystemInstruction, out.Contents, err = e.conversation(); err != nil {
		return nil, err
	}
	if out.Tools, err = e.tools(); err != nil {
		return nil, err
	}
	if out.ToolConfig, err = e.toolConfig(); err != nil {
		return nil, err
	}
	out.GenerationConfig, err = e.generation()
	return &out, err
}

func (e *encoder) tools() ([]tool, error) {
	if len(e.req.Tools) == 0 {
		return nil, nil
	}
	name := e.req.ParamName("tools")
	declarations := make([]functionDeclaration, 0, len(e.req.Tools))
	strict := false
	for i, t := range e.req.Tools {
		if t.RawType != "" || len(t.Raw) > 0 {
			return nil, hub.Invalid(fmt.Sprintf("%s[%d].type", name, i), "The tool type %q is not supported by this model.", t.RawType)
		}
		d := functionDeclaration{Name: t.Name, Description: t.Description}
		if present(t.Parameters) {
			schema, err := plainSchema(fmt.Sprintf("%s[%d].parameters", name, i), t.Parameters)
			if err != nil {
				return nil, err
			}
			d.ParametersJSONSchema = schema
		}
		strict = strict || t.Strict != nil && *t.Strict
		declarations = append(declarations, d)
	}
	if strict {
		e.dropped = append(e.dropped, name+".strict")
	}
	return []tool{{FunctionDeclarations: declarations}}, nil
}

// plainSchema returns a JSON schema without "$schema", which the API refuses.
func plainSchema(param string, schema json.RawMessage) (json.RawMessage, error) {
	o, err := wire.Parse(schema)
	if err != nil {
		return nil, hub.Invalid(param, "%s must be a JSON schema object: %v.", param, err)
	}
	o.Delete("$schema")
	return o.Bytes(), nil
}

func (e *encoder) toolConfig() (*toolConfig, error) {
	choice := e.req.ToolChoice
	if choice == nil {
		return nil, nil
	}
	param := e.req.ParamName("tool_choice")
	if len(e.req.Tools) == 0 {
		if choice.Mode == "required" || choice.Mode == "tool" {
			return nil, hub.Invalid(param, "%s asks for a tool call, but there are no tools.", param)
		}
		return nil, nil
	}
	c := functionCallingConfig{}
	switch choice.Mode {
	case "auto":
		c.Mode = "AUTO"
	case "none":
		c.Mode = "NONE"
	case "required":
		c.Mode = "ANY"
	case "tool":
		c.Mode, c.AllowedFunctionNames = "ANY", []string{choice.Name}
	default:
		return nil, hub.Invalid(param, "%s %q is not known.", param, choice.Mode)
	}
	return &toolConfig{FunctionCallingConfig: c}, nil
}

func (e *encoder) generation() (*generationConfig, error) {
	r := e.req
	g := generationConfig{
		CandidateCount: r.N, MaxOutputTokens: e.outputLimit(),
		Temperature: r.Temperature, TopP: r.TopP, TopK: r.TopK, Seed: r.Seed,
		PresencePenalty: r.PresencePenalty, FrequencyPenalty: r.FrequencyPenalty,
		StopSequences: r.Stop,
	}
	if len(r.Stop) > maxStop {
		return nil, hub.Invalid(r.ParamName("stop"), "%s may hold at most %d sequences for this model.", r.ParamName("stop"), maxStop)
	}
	if r.Seed != nil && (*r.Seed < math.MinInt32 || *r.Seed > math.MaxInt32) {
		return nil, hub.Invalid(r.ParamName("seed"), "%s must fit in 32 bits for this model.", r.ParamName("seed"))
	}
	if r.Logprobs != nil && *r.Logprobs {
		g.ResponseLogprobs, g.Logprobs = true, r.TopLogprobs
	}
	for _, m := range r.Modalities {
		g.ResponseModalities = append(g.ResponseModalities, strings.ToUpper(m))
	}
	if err := e.format(&g); err != nil {
		return nil, err
	}
	if err := e.thinking(&g); err != nil {
		return nil, err
	}
	if g.empty() {
		return nil, nil
	}
	return &g, nil
}

func (g *generationConfig) empty() bool {
	b, err := json.Marshal(g)
	return err == nil && string(b) == "{}"
}

// outputLimit is what the caller asked for, lowered to what the wallet covers;
// nil leaves the model's own limit.
func (e *encoder) outputLimit() *int64 {
	limit := e.req.MaxOutput
	if low := e.target.LowerTo; low > 0 && (limit == nil || *limit > low) {
		limit = &low
	}
	return limit
}

func (e *encoder) format(g *generationConfig) error {
	f := e.req.Format
	if f == nil {
		return nil
	}
	param := e.req.ParamName("response_format")
	switch f.Kind {
	case "", "text":
		return nil
	case "json_object":
		g.ResponseMIMEType = "application/json"
		return nil
	case "json_schema":
		g.ResponseMIMEType = "application/json"
		if !present(f.Schema) {
			return nil
		}
		schema, err := plainSchema(param+".schema", f.Schema)
		g.ResponseJSONSchema = schema
		return err
	}
	return hub.Invalid(param, "%s %q is not known.", param, f.Kind)
}
