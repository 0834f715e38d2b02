package anthropic

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// params decides on what is neither conversation nor tools nor thinking. What
// Anthropic's "OpenAI SDK compatibility" page lists as ignored is dropped and
// reported, unless leaving it out would give the caller something else than was
// asked for (several answers, log-probabilities, sound): that is refused.
func (tr *translator) params() error {
	for _, step := range []func() error{tr.sampling, tr.stops, tr.user, tr.tier} {
		if err := step(); err != nil {
			return err
		}
	}
	r := tr.req
	refused := map[string]bool{
		"n":            r.N != nil && *r.N > 1,
		"logprobs":     r.Logprobs != nil && *r.Logprobs,
		"top_logprobs": r.TopLogprobs != nil && *r.TopLogprobs > 0,
		"modalities":   slices.ContainsFunc(r.Modalities, func(m string) bool { return !strings.EqualFold(m, "text") }),
	}
	ignored := map[string]bool{
		"frequency_penalty": r.FrequencyPenalty != nil && *r.FrequencyPenalty != 0,
		"presence_penalty":  r.PresencePenalty != nil && *r.PresencePenalty != 0,
		"seed":              r.Seed != nil,
		"logit_bias":        hasMembers(r.LogitBias),
		"metadata":          len(r.Metadata) > 0,
	}
	for _, name := range []string{"n", "logprobs", "top_logprobs", "modalities"} {
		if refused[name] {
			if err := tr.Cannot(name); err != nil {
				return err
			}
		}
	}
	for _, name := range []string{"frequency_penalty", "presence_penalty", "seed", "logit_bias", "metadata"} {
		send, err := tr.Want(name, ignored[name])
		if err != nil {
			return err
		}
		if send {
			tr.Drop(name)
		}
	}
	return nil
}

func hasMembers(raw json.RawMessage) bool {
	s := strings.Join(strings.Fields(string(raw)), "")
	return s != "" && s != "null" && s != "{}"
}

// sampling maps temperature, top_p and top_k. The compatibility page caps
// temperature at 1. Thinking allows none of them but a top_p of 0.95 or more,
// and newer models take only one of temperature and top_p, so one that is at
// its neutral value gives way.
func (tr *translator) sampling() error {
	r := tr.req
	temp, topP, topK, err := tr.Sampling(tr.thinks(), true)
	if err != nil {
		return err
	}
	if temp {
		t := min(*r.Temperature, 1)
		tr.out.Temperature = &t
	}
	if topP {
		tr.out.TopP = r.TopP
	}
	if topK {
		tr.out.TopK = r.TopK
	}
	return nil
}

func (tr *translator) stops() error {
	send, err := tr.Want("stop", len(tr.req.Stop) > 0)
	if err != nil || !send {
		return err
	}
	for i, s := range tr.req.Stop {
		if strings.TrimSpace(s) == "" {
			return tr.Refuse("stop", fmt.Sprintf("sequence %d is only white space", i))
		}
	}
	tr.out.Stop = tr.req.Stop
	return nil
}

// user maps the caller's end user. An e-mail address is dropped: the API
// refuses whatever tells who somebody is, and the compatibility page lists user
// as ignored.
func (tr *translator) user() error {
	name, id := "user", tr.req.User
	if id == "" {
		// OpenAI's newer name for the same.
		name, id = safetyIdentifier, wire.Text(tr.req.Extra[safetyIdentifier])
	}
	send, err := tr.Want(name, id != "")
	if err != nil || !send {
		return err
	}
	if strings.Contains(id, "@") {
		tr.Drop(name)
		return nil
	}
	tr.out.Metadata = &metadata{UserID: id}
	return nil
}

const safetyIdentifier = "safety_identifier"

func (tr *translator) tier() error {
	send, err := tr.Want("service_tier", tr.req.ServiceTier != "")
	if err != nil || !send {
		return err
	}
	switch tr.req.ServiceTier {
	case "auto":
		tr.out.ServiceTier = "auto"
	case "default", "standard_only":
		tr.out.ServiceTier = "standard_only"
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
		switch name {
		case "container", "context_management", "mcp_servers", "inference_geo", "cache_control":
			send, err := tr.Want(name, true)
			if err != nil {
				return err
			}
			if send {
				tr.extra = append(tr.extra, name)
			}
		case safetyIdentifier:
			if tr.req.User != "" {
				tr.Drop(name)
			}
		// The prompt_cache ones say where and how long to keep a prefix that this
		// API caches by breakpoints; answers are the same without them.
		case "store", "prediction", "audio", "prompt_cache_key", "prompt_cache_retention":
			send, err := tr.Want(name, true)
			if err != nil {
				return err
			}
			if send {
				tr.Drop(name)
			}
		case "stream_options":
			// Usage is part of every stream of this language.
		default:
			if err := tr.Cannot(name); err != nil {
				return err
			}
		}
	}
	return nil
}
