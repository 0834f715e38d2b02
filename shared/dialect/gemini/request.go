package gemini

import (
	"bytes"
	"encoding/json"
	"math"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// maxStop is how many stopSequences the API takes.
const maxStop = 5

// request is GenerateContentRequest.
type request struct {
	SystemInstruction *content          `json:"systemInstruction,omitempty"`
	Contents          []content         `json:"contents"`
	Tools             []json.RawMessage `json:"tools,omitempty"`
	ToolConfig        *toolConfig       `json:"toolConfig,omitempty"`
	GenerationConfig  *generationConfig `json:"generationConfig,omitempty"`
	SafetySettings    json.RawMessage   `json:"safetySettings,omitempty"`
	ServiceTier       string            `json:"serviceTier,omitempty"`
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

// Encode translates a conversation. Cache breakpoints are dropped: Gemini
// caches common beginnings by itself.
func (Client) Encode(req *chat.Request, t dialect.Target) (dialect.Encoded, error) {
	req, left, err := req.Offered(chat.Tools{Own: func(kind string) bool { return ownTool[kind] }, Search: searchFor(req, t.Model)})
	if err != nil {
		return dialect.Encoded{}, err
	}
	pruned, dropped, err := fate(req, t.Quirks)
	if err != nil {
		return dialect.Encoded{}, err
	}
	dropped = append(left, dropped...)
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
	format  formatWay
}

// drop notes a parameter that is left out, by the caller's name for it.
func (e *encoder) drop(name string) {
	if !slices.Contains(e.dropped, name) {
		e.dropped = append(e.dropped, name)
	}
}

// cached notes a cache breakpoint that is left out.
func (e *encoder) cached(c *chat.Cache) {
	if c != nil {
		e.drop(e.req.ParamName("cache_control"))
	}
}

func (e *encoder) request() (*request, error) {
	var (
		out request
		err error
	)
	if out.SystemInstruction, out.Contents, err = e.conversation(); err != nil {
		return nil, err
	}
	e.format = e.formatWay()
	if out.Tools, err = e.tools(); err != nil {
		return nil, err
	}
	if out.ToolConfig, err = e.toolConfig(); err != nil {
		return nil, err
	}
	out.SafetySettings = e.req.Extra["safetySettings"]
	out.ServiceTier = e.tier()
	out.GenerationConfig, err = e.generation()
	return &out, err
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
	if err := e.setFormat(&g); err != nil {
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

// tier is the service tier in the API's words; "auto" is what it does by itself.
func (e *encoder) tier() string {
	for word, own := range tiers {
		if own == e.req.ServiceTier && own != "" {
			return word
		}
	}
	if e.req.ServiceTier != "" {
		e.drop(e.req.ParamName("service_tier"))
	}
	return ""
}
