package movein

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

// SystemLiteLLM is LiteLLM's proxy, as far as its configuration file goes.
const SystemLiteLLM = "litellm"

// LiteLLMOptions says what a configuration refers to.
type LiteLLMOptions struct {
	// Env looks environment variables up.
	Env func(name string) (string, bool)
}

// fields are a mapping whose values are read as they were written: prices must not
// become binary numbers on the way.
type fields map[string]yaml.Node

func (f fields) text(name string) string {
	n, ok := f[name]
	if !ok || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return strings.TrimSpace(n.Value)
}

type liteFile struct {
	Models []struct {
		Name   string `yaml:"model_name"`
		Params fields `yaml:"litellm_params"`
		Info   fields `yaml:"model_info"`
	} `yaml:"model_list"`
	Router      fields            `yaml:"router_settings"`
	Settings    fields            `yaml:"litellm_settings"`
	General     fields            `yaml:"general_settings"`
	Env         map[string]string `yaml:"environment_variables"`
	Credentials []struct {
		Name   string `yaml:"credential_name"`
		Values fields `yaml:"credential_values"`
	} `yaml:"credential_list"`
	Rest map[string]yaml.Node `yaml:",inline"`
}

// lite is a configuration being read.
type lite struct {
	LiteLLMOptions
	file   liteFile
	s      *Source
	taken  names
	places map[string]string       // of providers by where they lead and with which key
	groups map[string][]deployment // by model_name
	order  []string
	rated  map[string]string
}

// deployment is one entry of model_list.
type deployment struct {
	target string // provider/model
	weight int64
	order  int64
}

// ReadLiteLLM describes a LiteLLM configuration.
func ReadLiteLLM(config []byte, o LiteLLMOptions) (*Source, error) {
	l := &lite{LiteLLMOptions: o, s: &Source{System: SystemLiteLLM}, taken: names{}, places: map[string]string{}, groups: map[string][]deployment{}, rated: map[string]string{}}
	dec := yaml.NewDecoder(bytes.NewReader(config))
	if err := dec.Decode(&l.file); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, hub.Invalid("file", "The file is empty.")
		}
		return nil, hub.Invalid("file", "The file is no configuration of LiteLLM: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(l.file.Models) == 0 {
		return nil, hub.Invalid("file", "The file has no model_list.")
	}
	for i := range l.file.Models {
		m := &l.file.Models[i]
		l.deploy(m.Name, l.withCredential(m.Params), m.Info)
	}
	l.aliases()
	l.leaveRest()
	return l.s, nil
}

// withCredential fills in what litellm_credential_name refers to.
func (l *lite) withCredential(params fields) fields {
	name := params.text("litellm_credential_name")
	if name == "" {
		return params
	}
	for _, c := range l.file.Credentials {
		if c.Name == name {
			all := maps.Clone(c.Values)
			if all == nil {
				all = fields{}
			}
			maps.Copy(all, params)
			return all
		}
	}
	return params
}

func (l *lite) deploy(name string, params, info fields) {
	title := fmt.Sprintf("%.80s → %.80s", name, params.text("model"))
	at, why := findPlace(params)
	if why != "" {
		l.s.leave("model", title, why)
		return
	}
	providerName, why := l.provider(at, params, title)
	if why != "" {
		l.s.leave("model", title, why)
		return
	}
	if strings.Contains(at.model, "*") || strings.Contains(name, "*") {
		l.s.leave("alias", title, "all models of the provider can be called by its name: "+providerName+"/MODEL")
		return
	}
	if strings.ContainsAny(at.model, " \t\r\n") || at.model == "" {
		l.s.leave("model", title, "its name cannot be used here")
		return
	}
	l.rate(providerName, at.model, title, params, info)
	for _, limit := range []string{"rpm", "tpm", "max_parallel_requests", "max_budget"} {
		if v := params.text(limit); v != "" {
			l.s.leave("limit", title, limit+" "+v+" is no limit here, where a deployment at its limit would refuse calls: limit set --scope model makes one")
		}
	}
	l.leaveParams(title, params)
	d := deployment{target: providerName + "/" + at.model, order: whole(params.text("order"))}
	for _, field := range []string{"weight", "rpm", "tpm"} { // what LiteLLM shuffles by, in this order
		if d.weight == 0 {
			d.weight = whole(params.text(field))
		}
	}
	if _, seen := l.groups[name]; !seen {
		l.order = append(l.order, name)
	}
	for i, other := range l.groups[name] {
		if other.target == d.target {
			l.groups[name][i].weight += d.weight
			return
		}
	}
	l.groups[name] = append(l.groups[name], d)
}

// takenParams are what is read of a deployment; prices are too.
var takenParams = []string{
	"model", "custom_llm_provider", "litellm_credential_name", "api_key", "api_base", "base_url", "api_version", "weight", "order", "rpm", "tpm",
	"max_parallel_requests", "max_budget", "aws_access_key_id", "aws_secret_access_key", "aws_session_token", "aws_region_name", "aws_role_name", "aws_profile_name",
	"vertex_credentials", "vertex_location", "vertex_project",
}

// leaveParams names what else a deployment says, never the values.
func (l *lite) leaveParams(title string, params fields) {
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !slices.Contains(takenParams, name) && !strings.Contains(name, "cost") {
			rest = append(rest, name)
		}
	}
	if len(rest) > 0 {
		l.s.leave("parameters", title, clipped(strings.Join(rest, ", "), 200)+": clients say these themselves, and time-outs are set by provider set")
	}
}

// whole is a number that is 0 or more, without what follows the point.
func whole(text string) int64 {
	d, ok := decimal(text)
	if !ok || d.Sign() < 0 {
		return 0
	}
	d = rounded(d, 0)
	if !d.Num().IsInt64() {
		return 0
	}
	return min(d.Num().Int64(), 1_000_000)
}

// provider finds or makes the provider of a deployment. Deployments with another
// key are another provider, so that weights stay theirs.
func (l *lite) provider(at litePlace, params fields, title string) (name, why string) {
	kind, _ := provider.Find(at.kind)
	base, region := "", ""
	if raw := l.plain(cmp.Or(params.text("api_base"), params.text("base_url"), at.base)); raw != "" {
		var err error
		if base, err = provider.NormaliseBaseURL(kind, raw); err != nil {
			return "", hub.AsError(err).Message
		}
		if openAI, _ := provider.Find(provider.OpenAI); at.name == "openai" && base == openAI.BaseURL {
			kind = openAI // said in full
		}
		if base == kind.BaseURL {
			base = ""
		}
	} else if kind.BaseURL == "" {
		return "", "it names no api_base"
	}
	switch kind.ID {
	case provider.Bedrock:
		region = l.plain(cmp.Or(params.text("aws_region_name"), at.region, "os.environ/AWS_REGION"))
	case provider.Vertex:
		region = l.plain(cmp.Or(params.text("vertex_location"), "global"))
	}
	if _, err := provider.RegionURL(cmp.Or(base, kind.BaseURL), region); err != nil {
		return "", hub.AsError(err).Message
	}
	cred, note := l.credential(kind, params)
	key := strings.Join([]string{kind.ID, base, region, cred.Env, cred.Value.Reveal()}, "\x00")
	if name = l.places[key]; name != "" {
		return name, ""
	}
	name = l.taken.take(at.name, kind.ID)
	l.places[key] = name
	p := Provider{Kind: kind.ID, Name: name, BaseURL: base, Region: region}
	switch {
	case note != "":
		l.s.leave("credential", title, note)
	case cred.Value != "":
		if _, err := provider.CheckCredential(kind, cred.Value); err != nil {
			l.s.leave("credential", title, hub.AsError(err).Message)
			break
		}
		p.Credentials = []Credential{cred}
	}
	if params.text("api_version") != "" && kind.ID == provider.Azure {
		l.s.leave("api_version", title, "Azure's v1 API is called, which has no versions")
	}
	l.s.Providers = append(l.s.Providers, p)
	return name, ""
}

const environ = "os.environ/"

// lookup finds a variable, in the file's own section first.
func (l *lite) lookup(name string) string {
	if v, ok := l.file.Env[name]; ok && !strings.HasPrefix(v, environ) {
		return v
	}
	v, _ := l.Env(name)
	return strings.TrimSpace(v)
}

// plain is a value, or that of the variable it refers to.
func (l *lite) plain(text string) string {
	if name, ok := strings.CutPrefix(text, environ); ok {
		return l.lookup(name)
	}
	return text
}

// credential is a deployment's; note: why it has none.
func (l *lite) credential(kind provider.Kind, params fields) (c Credential, note string) {
	c.Name = "default"
	need := func(field, otherwise string) string {
		text := cmp.Or(params.text(field), otherwise)
		variable, isEnv := strings.CutPrefix(text, environ)
		value := l.plain(text)
		if isEnv {
			c.Env = strings.TrimPrefix(c.Env+" "+variable, " ")
			if value == "" && note == "" {
				note = "the environment variable " + variable + " is not set"
			}
		}
		return value
	}
	switch kind.ID {
	case provider.Bedrock:
		if params.text("api_key") != "" {
			c.Value = hub.Secret(need("api_key", ""))
			break
		}
		if params.text("aws_role_name") != "" || params.text("aws_profile_name") != "" {
			return c, "roles and profiles are not used here; add access keys with credential add"
		}
		pair := provider.AccessKeys{ID: need("aws_access_key_id", environ+"AWS_ACCESS_KEY_ID"), Secret: hub.Secret(need("aws_secret_access_key", environ+"AWS_SECRET_ACCESS_KEY"))}
		if params.text("aws_session_token") != "" {
			pair.Token = hub.Secret(need("aws_session_token", ""))
		}
		if note == "" {
			c.Value = pair.Encode()
		}
	case provider.Vertex:
		text := need("vertex_credentials", environ+"GOOGLE_APPLICATION_CREDENTIALS")
		if note == "" && !strings.HasPrefix(text, "{") {
			return c, "it is a file; add what is in it with credential add --credential-stdin"
		}
		c.Value = hub.Secret(text)
	default:
		otherwise := ""
		if len(kind.EnvKeys) > 0 && !kind.KeyOptional {
			otherwise = environ + kind.EnvKeys[0]
		}
		c.Value = hub.Secret(need("api_key", otherwise))
	}
	if note != "" {
		c.Value = ""
	}
	return c, note
}

// priceFields are LiteLLM's names of prices, in dollars per unit.
var priceFields = []struct {
	field  string
	bucket hub.Bucket
}{
	{"input_cost_per_token", hub.Input}, {"output_cost_per_token", hub.Output}, {"cache_read_input_token_cost", hub.CacheRead},
	{"cache_creation_input_token_cost", hub.CacheWrite5m}, {"cache_creation_input_token_cost_above_1hr", hub.CacheWrite1h},
	{"output_cost_per_reasoning_token", hub.Reasoning}, {"input_cost_per_audio_token", hub.InputAudio}, {"output_cost_per_audio_token", hub.OutputAudio},
	{"output_cost_per_image", hub.Images}, {"input_cost_per_character", hub.Characters}, {"input_cost_per_second", hub.Seconds}, {"output_cost_per_second", hub.Seconds},
}

var modes = map[string]hub.CallType{
	"chat": hub.TypeChat, "completion": hub.TypeChat, "responses": hub.TypeChat, "embedding": hub.TypeEmbedding, "image_generation": hub.TypeImage,
	"audio_transcription": hub.TypeAudio, "audio_speech": hub.TypeAudio, "video_generation": hub.TypeVideo, "moderation": hub.TypeModeration, "rerank": hub.TypeRerank,
}

// rate takes over prices of the operator's own; models without are priced by the
// catalogue in LiteLLM as well.
func (l *lite) rate(providerName, model, title string, params, info fields) {
	kind, ok := modes[cmp.Or(info.text("mode"), "chat")]
	if !ok {
		kind = hub.TypeChat
	}
	if info.text("mode") == "" {
		kind = kindOf(model)
	}
	n := Rate{Provider: providerName, Model: model, Type: kind, Prices: map[string]string{}, Costs: map[string]string{},
		Context: whole(info.text("max_input_tokens")), MaxOutput: whole(info.text("max_output_tokens"))}
	for _, f := range priceFields {
		text := cmp.Or(params.text(f.field), info.text(f.field))
		if text == "" {
			continue
		}
		r, ok := decimal(text)
		if !ok || r.Sign() < 0 {
			l.s.leave("rate", title, f.field+" is no decimal of 0 or more")
			return
		}
		price, exact := perMillion(r)
		l.s.noteRounded(title, f.field, exact)
		if had, there := n.Prices[f.bucket.String()]; !there || had == "0" {
			n.Prices[f.bucket.String()], n.Costs[f.bucket.String()] = price, price
		}
	}
	for _, set := range []fields{params, info} {
		for _, field := range slices.Sorted(maps.Keys(set)) {
			if strings.Contains(field, "cost") && strings.Contains(field, "_above_") && strings.HasSuffix(field, "_tokens") {
				l.s.leave("prices", title, field+" is not taken over; apply knows prices by the length of prompts as tiers")
			}
		}
	}
	if len(n.Prices) == 0 {
		return
	}
	target := providerName + "/" + model + " " + string(kind)
	if other, there := l.rated[target]; there {
		if other != fmt.Sprint(n.Prices) {
			l.s.leave("rate", title, "the same model has another price in another entry; the first one is taken over")
		}
		return
	}
	l.rated[target] = fmt.Sprint(n.Prices)
	l.s.Rates = append(l.s.Rates, n)
}
