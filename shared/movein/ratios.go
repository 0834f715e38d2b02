package movein

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// ratios are the prices of one-api and new-api. A call there costs, in quota,
// (prompt + completion × completion ratio) × model ratio × group ratio; models with
// a price of their own cost that many dollars a call instead. Quota becomes dollars
// by QuotaPerUnit.
type ratios struct {
	perToken             *big.Rat // dollars per token of ratio 1, for the group
	group                *big.Rat
	model, completion    map[string]*big.Rat
	read, write, perCall map[string]*big.Rat
	usualCompletion      *big.Rat          // nil: models without one have no price
	others               []string          // groups with another factor, and which
	modes                map[string]string // how models are billed where it is not by ratios
	newAPI               bool
}

func readRatios(options map[string]string, group, completion string, unit *big.Rat) (ratios, error) {
	var p ratios
	var groups map[string]*big.Rat
	for option, into := range map[string]*map[string]*big.Rat{
		"ModelRatio": &p.model, "CompletionRatio": &p.completion, "CacheRatio": &p.read, "CreateCacheRatio": &p.write, "ModelPrice": &p.perCall, "GroupRatio": &groups,
	} {
		m, err := jsonMap(options[option])
		if err != nil {
			return p, hub.Invalid("from", "The option %s is no JSON object of numbers.", option)
		}
		*into = m
	}
	p.group = groups[group]
	if p.group == nil {
		if group != usual {
			return p, hub.Invalid("group", "There is no group %q in the option GroupRatio.", group)
		}
		p.group = big.NewRat(1, 1)
	}
	if text := options["billing_setting.billing_mode"]; text != "" && json.Unmarshal([]byte(text), &p.modes) != nil {
		return p, hub.Invalid("from", "The option billing_setting.billing_mode is no JSON object of texts.")
	}
	if completion != "" {
		r, ok := decimal(completion)
		if !ok || r.Sign() < 0 {
			return p, hub.Invalid("completion-ratio", "The completion ratio must be a decimal of 0 or more, not %q.", completion)
		}
		p.usualCompletion = r
	}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if factor, _ := plain(groups[name], priceDigits); name != group && groups[name].Cmp(p.group) != 0 {
			p.others = append(p.others, name+" × "+factor)
		}
	}
	p.perToken = new(big.Rat).Quo(p.group, unit)
	return p, nil
}

// of finds a ratio of a model: one-api lets those of a type of channels differ.
func of(m map[string]*big.Rat, model string, channelType int64) *big.Rat {
	if r := m[fmt.Sprintf("%s(%d)", model, channelType)]; r != nil {
		return r
	}
	return m[model]
}

// prices are a model's, in dollars per million by bucket; why: there are none.
func (p *ratios) prices(model string, kind hub.CallType, channelType int64) (prices map[string]string, exact bool, why string) {
	prices, exact = map[string]string{}, true
	set := func(b hub.Bucket, perUnit *big.Rat) {
		text, whole := perMillion(perUnit)
		prices[b.String()], exact = text, exact && whole
	}
	if mode := p.modes[model]; strings.Contains(mode, "expr") {
		return nil, false, "it is billed by a formula (" + clipped(mode, 40) + "); set a price by rate set, with tiers by apply"
	}
	if each := p.perCall[model]; each != nil {
		each = new(big.Rat).Mul(each, p.group)
		switch kind {
		case hub.TypeImage:
			set(hub.Images, each)
		case hub.TypeChat:
			set(hub.Input, new(big.Rat))
			set(hub.Output, new(big.Rat))
			set(hub.Requests, each)
		default:
			return nil, false, "it has a price per call, which models of the type " + string(kind) + " cannot have here"
		}
		return prices, exact, ""
	}
	ratio := of(p.model, model, channelType)
	if ratio == nil {
		return nil, false, "its ratio is not in the database but in the program; set a price by rate set, or sell at the catalogue's with a default margin"
	}
	input := new(big.Rat).Mul(ratio, p.perToken)
	switch kind {
	case hub.TypeEmbedding, hub.TypeModeration:
		set(hub.Input, input)
		return prices, exact, ""
	case hub.TypeChat:
	default:
		return nil, false, "models of the type " + string(kind) + " are not priced by tokens here; set a price by rate set"
	}
	completion := of(p.completion, model, channelType)
	if completion == nil {
		completion = p.usualCompletion
	}
	if completion == nil {
		return nil, false, "its completion ratio is not in the database but in the program; give --completion-ratio, or set a price by rate set"
	}
	set(hub.Input, input)
	set(hub.Output, new(big.Rat).Mul(input, completion))
	for bucket, m := range map[hub.Bucket]map[string]*big.Rat{hub.CacheRead: p.read, hub.CacheWrite5m: p.write} {
		if r := m[model]; r != nil {
			set(bucket, new(big.Rat).Mul(input, r))
		}
	}
	if r := p.write[model]; r != nil && p.newAPI {
		set(hub.CacheWrite1h, new(big.Rat).Mul(new(big.Rat).Mul(input, r), hourly))
	}
	return prices, exact, ""
}

// hourly is the price of writing to a cache that lives an hour, per price of one
// that lives five minutes, which new-api computes and does not store.
var hourly = big.NewRat(8, 5)

// kinds of models by words in their names: neither system stores what a model is
// for.
var kindWords = []struct {
	word string
	kind hub.CallType
}{
	{"moderation", hub.TypeModeration}, {"rerank", hub.TypeRerank}, {"embed", hub.TypeEmbedding}, {"bge-", hub.TypeEmbedding},
	{"dall-e", hub.TypeImage}, {"gpt-image", hub.TypeImage}, {"stable-diffusion", hub.TypeImage}, {"flux", hub.TypeImage}, {"imagen", hub.TypeImage},
	{"cogview", hub.TypeImage}, {"wanx", hub.TypeImage}, {"seedream", hub.TypeImage},
	{"whisper", hub.TypeAudio}, {"tts-", hub.TypeAudio}, {"-tts", hub.TypeAudio}, {"transcribe", hub.TypeAudio},
	{"sora", hub.TypeVideo}, {"veo-", hub.TypeVideo}, {"cogvideo", hub.TypeVideo},
}

func kindOf(model string) hub.CallType {
	lower := strings.ToLower(model)
	for _, w := range kindWords {
		if strings.Contains(lower, w.word) {
			return w.kind
		}
	}
	return hub.TypeChat
}
