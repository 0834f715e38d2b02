package bedrock

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// sampling maps temperature, top_p, top_k and stop. Claude's thinking allows none
// of the first three but a top_p of 0.95 or more, and newer Claude models take
// only one of temperature and top_p, so one that is at its neutral value gives
// way.
func (tr *translator) sampling() error {
	r := tr.req
	temp, topP, topK, err := tr.Sampling(tr.thinks(), tr.family.claude())
	if err != nil {
		return err
	}
	if temp && *r.Temperature > 1 {
		return tr.Refuse("temperature", "it must be between 0 and 1")
	}
	if temp {
		tr.inference().Temperature = r.Temperature
	}
	if topP {
		tr.inference().TopP = r.TopP
	}
	if topK {
		if err := tr.topK(*r.TopK); err != nil {
			return err
		}
	}
	return tr.stops()
}

// topK is not in Converse; each vendor spells it its own way ("Inference
// parameters" of the vendors in the user guide).
func (tr *translator) topK(k int64) error {
	switch {
	case tr.family.claude(), tr.family.vendor == "mistral":
		tr.add("top_k", k)
	case tr.family.nova():
		tr.add("inferenceConfig", map[string]int64{"topK": k})
	case tr.family.vendor == "cohere":
		tr.add("k", k)
	default:
		return tr.Cannot("top_k")
	}
	return nil
}

func (tr *translator) stops() error {
	send, err := tr.Want("stop", len(tr.req.Stop) > 0)
	if err != nil || !send {
		return err
	}
	if len(tr.req.Stop) > maxStops {
		return tr.Refuse("stop", fmt.Sprintf("it takes at most %d sequences", maxStops))
	}
	for i, s := range tr.req.Stop {
		if s == "" || tr.family.claude() && strings.TrimSpace(s) == "" {
			return tr.Refuse("stop", fmt.Sprintf("sequence %d is empty or only white space", i))
		}
	}
	tr.inference().Stop = tr.req.Stop
	if tr.family.claude() {
		tr.out.Paths = []string{"/stop_sequence"} // Converse does not say which one was met
	}
	return nil
}

// params decides on what is neither conversation nor tools nor thinking nor
// sampling. What would give the caller something else than was asked for is
// refused. Claude's vendor documents penalties and biases as ignored ("OpenAI SDK
// compatibility"); a seed promises nothing anywhere.
func (tr *translator) params() error {
	r := tr.req
	given := []struct {
		name    string
		set     bool
		ignored bool
	}{
		{"n", r.N != nil && *r.N > 1, false},
		{"logprobs", r.Logprobs != nil && *r.Logprobs, false},
		{"top_logprobs", r.TopLogprobs != nil && *r.TopLogprobs > 0, false},
		{"modalities", slices.ContainsFunc(r.Modalities, func(m string) bool { return !strings.EqualFold(m, "text") }), false},
		{"frequency_penalty", r.FrequencyPenalty != nil && *r.FrequencyPenalty != 0, tr.family.claude()},
		{"presence_penalty", r.PresencePenalty != nil && *r.PresencePenalty != 0, tr.family.claude()},
		{"logit_bias", hasMembers(r.LogitBias), tr.family.claude()},
		{"seed", r.Seed != nil, true},
		{"user", r.User != "", true}, // an id for the vendor's own guard against abuse
	}
	for _, p := range given {
		send, err := tr.Want(p.name, p.set)
		switch {
		case err != nil:
			return err
		case !send:
		case p.ignored:
			tr.Drop(p.name)
		default:
			if err := tr.Cannot(p.name); err != nil {
				return err
			}
		}
	}
	if err := tr.metadata(); err != nil {
		return err
	}
	return tr.tier()
}

func hasMembers(raw json.RawMessage) bool {
	s := strings.Join(strings.Fields(string(raw)), "")
	return s != "" && s != "null" && s != "{}"
}

// What requestMetadata may hold: at most 16 pairs of at most 256 characters.
var (
	metadataKey   = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$`)
	metadataValue = regexp.MustCompile(`^[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}$`)
)

const maxMetadata = 16

// metadata goes to the invocation log; pairs that cannot stand there are dropped.
func (tr *translator) metadata() error {
	send, err := tr.Want("metadata", len(tr.req.Metadata) > 0)
	if err != nil || !send {
		return err
	}
	if len(tr.req.Metadata) > maxMetadata {
		tr.Drop("metadata")
		return nil
	}
	for key, value := range tr.req.Metadata {
		if !metadataKey.MatchString(key) || !metadataValue.MatchString(value) {
			tr.Drop("metadata." + key)
			continue
		}
		if tr.out.Metadata == nil {
			tr.out.Metadata = map[string]string{}
		}
		tr.out.Metadata[key] = value
	}
	slices.Sort(tr.Dropped)
	return nil
}

func (tr *translator) tier() error {
	send, err := tr.Want("service_tier", tr.req.ServiceTier != "")
	if err != nil || !send {
		return err
	}
	switch tr.req.ServiceTier {
	case "auto", "default", "standard_only": // is what a request without one gets, also from models without tiers
	case "flex", "priority", "reserved":
		tr.out.Tier = &tier{Type: tr.req.ServiceTier}
	default:
		tr.Drop("service_tier")
	}
	return nil
}

// extras decides on the source dialect's own parameters.
func (tr *translator) extras() error {
	names := make([]string, 0, len(tr.req.Extra))
	for name, raw := range tr.req.Extra {
		if s := strings.TrimSpace(string(raw)); s != "null" && s != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		var err error
		switch name {
		case "stream_options": // usage is part of every stream of this language
		// Where and how long to keep a prompt, a guess at the answer, who asks: the
		// answer is the same without them.
		case "store", "prediction", "audio", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "cache_control":
			var send bool
			if send, err = tr.Want(name, true); send {
				tr.Drop(name)
			}
		// Bedrock's own. They change what a call costs or may say, or belong to a
		// prompt that the operator stored.
		case "guardrailConfig", "performanceConfig", "promptVariables", "additionalModelRequestFields", "additionalModelResponseFieldPaths":
			err = hub.Invalid(name, "%s cannot be set by callers of the hub.", name)
		default:
			err = tr.Cannot(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
