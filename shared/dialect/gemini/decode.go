package gemini

import (
	"encoding/json"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Decode reads the whole conversation. What has no canonical meaning goes to
// Extra by its path, so that a client side that cannot send it refuses it by
// the name the caller knows.
func (Server) Decode(v *dialect.View) (*chat.Request, error) {
	f, err := fieldsOf("", v.Object)
	if err != nil {
		return nil, err
	}
	d := requestDecoder{req: &chat.Request{Model: v.Model, Stream: v.Stream, MaxOutput: v.MaxOutput, Names: map[string]string{}}, calls: map[string][]string{}}
	for _, name := range f.names {
		if err := d.member(f, name); err != nil {
			return nil, err
		}
	}
	// These come in any order in the body, and need each other in this one.
	for _, step := range []func(fields) error{d.tools, d.toolConfig, d.system, d.contents} {
		if err := step(f); err != nil {
			return nil, err
		}
	}
	return d.req, nil
}

type requestDecoder struct {
	req   *chat.Request
	calls map[string][]string // ids of calls not answered yet, by function name
	made  int                 // ids made so far
}

func (d *requestDecoder) called(canonical string, f fields, key string) {
	d.req.Names[canonical] = f.where(key)
}

func (d *requestDecoder) extra(name string, raw json.RawMessage) {
	if d.req.Extra == nil {
		d.req.Extra = map[string]json.RawMessage{}
	}
	d.req.Extra[name] = raw
}

func (d *requestDecoder) member(f fields, name string) error {
	switch name {
	case "contents":
		d.called("messages", f, name)
		d.req.Names["content"], d.req.Names["tool_calls"] = "parts", "parts"
	case "tools":
		d.called("tools", f, name)
	case "systemInstruction", "toolConfig":
	case "model", "route": // the path names the model; route is the hub's own
	case "generationConfig":
		return d.generationConfig(f)
	case "safetySettings":
		return d.safety(f)
	case "labels":
		d.called("metadata", f, name)
		return f.read(name, &d.req.Metadata, "an object of strings")
	case "serviceTier":
		return d.serviceTier(f)
	default:
		d.extra(f.where(name), f.raw(name))
	}
	return nil
}

// tiers are the service tiers of the API and OpenAI's words for them.
var tiers = map[string]string{"standard": "default", "flex": "flex", "priority": "priority", "unspecified": ""}

func (d *requestDecoder) serviceTier(f fields) error {
	d.called("service_tier", f, "serviceTier")
	tier, err := f.text("serviceTier")
	if err != nil {
		return err
	}
	tier = strings.TrimPrefix(strings.ToLower(tier), "service_tier_")
	word, known := tiers[tier]
	if !known {
		return hub.Invalid(f.where("serviceTier"), "%s must be standard, flex or priority.", f.where("serviceTier"))
	}
	d.req.ServiceTier = word
	return nil
}

// safety lets thresholds pass that switch filters off: a model without such
// filters has granted them. Others are for the target to judge.
func (d *requestDecoder) safety(f fields) error {
	all, err := f.list("safetySettings")
	if err != nil {
		return err
	}
	for i, raw := range all {
		s, err := readFields(element(f.where("safetySettings"), i), raw)
		if err != nil {
			return err
		}
		threshold, err := s.text("threshold")
		if err != nil {
			return err
		}
		if threshold != "OFF" && threshold != "BLOCK_NONE" {
			d.extra(f.where("safetySettings"), f.raw("safetySettings"))
			return nil
		}
	}
	return nil
}

// configNames maps fields of generationConfig to canonical parameters.
var configNames = map[string]string{
	"maxOutputTokens": "max_completion_tokens", "temperature": "temperature", "topP": "top_p", "topK": "top_k",
	"candidateCount": "n", "stopSequences": "stop", "seed": "seed", "presencePenalty": "presence_penalty",
	"frequencyPenalty": "frequency_penalty", "responseLogprobs": "logprobs", "logprobs": "top_logprobs",
	"responseModalities": "modalities", "responseMimeType": "response_format", "thinkingConfig": "reasoning",
}

func (d *requestDecoder) generationConfig(f fields) error {
	c, err := f.object("generationConfig")
	if err != nil {
		return err
	}
	for _, name := range c.names {
		if canonical, ok := configNames[name]; ok {
			d.called(canonical, c, name)
		}
		if err := d.setting(c, name); err != nil {
			return err
		}
	}
	return d.format(c)
}

func (d *requestDecoder) setting(c fields, name string) (err error) {
	r := d.req
	switch name {
	case "maxOutputTokens": // read by View
	case "responseMimeType", "responseSchema", "responseJsonSchema": // read by format
	case "temperature":
		r.Temperature, err = c.number(name)
	case "topP":
		r.TopP, err = c.number(name)
	case "topK":
		r.TopK, err = c.integer(name)
	case "candidateCount":
		r.N, err = c.integer(name)
	case "stopSequences":
		err = c.read(name, &r.Stop, "an array of strings")
	case "seed":
		r.Seed, err = c.integer(name)
	case "presencePenalty":
		r.PresencePenalty, err = c.number(name)
	case "frequencyPenalty":
		r.FrequencyPenalty, err = c.number(name)
	case "responseLogprobs":
		err = c.read(name, &r.Logprobs, "true or false")
	case "logprobs":
		r.TopLogprobs, err = c.integer(name)
	case "responseModalities":
		err = c.read(name, &r.Modalities, "an array of strings")
		for i, m := range r.Modalities {
			r.Modalities[i] = strings.ToLower(m)
		}
	case "thinkingConfig":
		return d.thinkingConfig(c)
	default:
		d.extra(c.where(name), c.raw(name))
	}
	return err
}

func (d *requestDecoder) thinkingConfig(c fields) error {
	t, err := c.object("thinkingConfig")
	if err != nil {
		return err
	}
	d.called("reasoning_effort", c, "thinkingConfig")
	shown, err := t.truth("includeThoughts")
	if err != nil {
		return err
	}
	budget, err := t.integer("thinkingBudget")
	if err != nil {
		return err
	}
	level, err := t.text("thinkingLevel")
	if err != nil {
		return err
	}
	level = strings.ToLower(level)
	r := &chat.Reasoning{Hidden: !shown}
	switch {
	case budget != nil && level != "":
		return hub.Invalid(t.where("thinkingBudget"), "%s and %s exclude each other.", t.where("thinkingBudget"), t.where("thinkingLevel"))
	case budget != nil && *budget == 0:
		r = &chat.Reasoning{Disabled: true}
	case budget != nil && *budget < 0:
		r.Adaptive = true
	case budget != nil:
		r.Budget = budget
	case level == "" || level == "thinking_level_unspecified":
		if !shown {
			return nil
		}
	case level == "minimal" || level == "low" || level == "medium" || level == "high":
		r.Effort = level
	default:
		return hub.Invalid(t.where("thinkingLevel"), "%s must be minimal, low, medium or high.", t.where("thinkingLevel"))
	}
	d.req.Reasoning = r
	return nil
}

// formatName names a schema, which this language does not.
const formatName = "output"

func (d *requestDecoder) format(c fields) error {
	mime, err := c.text("responseMimeType")
	if err != nil {
		return err
	}
	key := "responseSchema"
	if c.has("responseJsonSchema") {
		if c.has("responseSchema") {
			return hub.Invalid(c.where("responseSchema"), "%s and %s exclude each other.", c.where("responseSchema"), c.where("responseJsonSchema"))
		}
		key = "responseJsonSchema"
	}
	switch mime {
	case "", "text/plain":
		if c.has(key) {
			return hub.Invalid(c.where(key), "%s needs the responseMimeType application/json.", c.where(key))
		}
		return nil
	case "application/json":
	default: // text/x.enum is a way of answering that only Google's models know
		d.extra(c.where("responseMimeType"), c.raw("responseMimeType"))
		return nil
	}
	if !c.has(key) {
		d.req.Format = &chat.Format{Kind: "json_object"}
		return nil
	}
	d.called("response_format", c, key)
	schema := c.raw(key)
	if key == "responseSchema" {
		if schema, err = jsonSchema(c.where(key), schema, 0); err != nil {
			return err
		}
	} else if schema[0] != '{' {
		return hub.Invalid(c.where(key), "%s must be a JSON schema object.", c.where(key))
	}
	d.req.Format = &chat.Format{Kind: "json_schema", Name: formatName, Schema: schema}
	return nil
}
