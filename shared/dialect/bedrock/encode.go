package bedrock

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// translator makes one request.
type translator struct {
	dialect.Fates
	req    *chat.Request
	t      dialect.Target
	family family
	out    request
	names  map[string]int // documents by name
	// choice is the tool choice in Claude's own words, for what Converse cannot
	// say: it goes by additionalModelRequestFields and takes toolChoice's place.
	choice map[string]any
}

// Encode translates a conversation. What Converse has no field for goes by
// additionalModelRequestFields where the model's vendor documents it.
func (Client) Encode(req *chat.Request, t dialect.Target) (dialect.Encoded, error) {
	req, dropped, err := req.Offered(chat.Tools{Own: func(string) bool { return false }})
	if err != nil {
		return dialect.Encoded{}, err
	}
	tr := &translator{Fates: dialect.Fates{Req: req, Quirks: &t.Quirks, Dropped: dropped}, req: req, t: t, family: familyOf(t.Model), names: map[string]int{}}
	for _, step := range []func() error{
		tr.messages, tr.limit, tr.reasoning, tr.tools, tr.toolChoice, tr.format, tr.sampling, tr.params, tr.extras,
	} {
		if err := step(); err != nil {
			return dialect.Encoded{}, err
		}
	}
	if tr.choice != nil {
		tr.add("tool_choice", tr.choice)
		tr.out.Tools.Choice = nil
	}
	tr.limitCachePoints()
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(&tr.out); err != nil {
		return dialect.Encoded{}, hub.Wrap(hub.CodeInvalid, err, "The request holds a value that is not JSON.")
	}
	return dialect.Encoded{Body: bytes.TrimRight(body.Bytes(), "\n"), Dropped: tr.Dropped}, nil
}

// add sets one of additionalModelRequestFields.
func (tr *translator) add(name string, value any) {
	if tr.out.Additional == nil {
		tr.out.Additional = map[string]any{}
	}
	tr.out.Additional[name] = value
}

func (tr *translator) inference() *inferenceConfig {
	if tr.out.Inference == nil {
		tr.out.Inference = &inferenceConfig{}
	}
	return tr.out.Inference
}

// cached is the cache point that follows a block with a breakpoint, nil for none.
// A cache changes no answer, so models without one get none.
func (tr *translator) cached(c *chat.Cache) *cachePoint {
	switch {
	case c == nil:
		return nil
	case !tr.family.caches():
		tr.Drop("cache_control")
		return nil
	case c.TTL == "1h" && tr.family.cachesAnHour():
		return &cachePoint{Type: "default", TTL: "1h"}
	case c.TTL == "1h":
		tr.Drop("cache_control.ttl")
	}
	return &cachePoint{Type: "default"}
}

// limitCachePoints keeps the last cache points: they cover the longest prefixes.
// The order is that of the prompt: tools, system, messages.
func (tr *translator) limitCachePoints() {
	count := 0
	over := func(isPoint bool) bool {
		if isPoint {
			count++
		}
		return isPoint && count > maxCachePoints
	}
	for i := len(tr.out.Messages) - 1; i >= 0; i-- {
		tr.out.Messages[i].Content = keepLast(tr.out.Messages[i].Content, func(b block) bool { return over(b.CachePoint != nil) })
	}
	tr.out.System = keepLast(tr.out.System, func(b block) bool { return over(b.CachePoint != nil) })
	if tr.out.Tools != nil {
		tr.out.Tools.Tools = keepLast(tr.out.Tools.Tools, func(t toolEntry) bool { return over(t.CachePoint != nil) })
	}
}

// keepLast leaves out elements, asking about the last first.
func keepLast[T any](all []T, out func(T) bool) []T {
	for i := len(all) - 1; i >= 0; i-- {
		if out(all[i]) {
			all = slices.Delete(all, i, i+1)
		}
	}
	return all
}
