package proxy

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/wire"
)

// The headers by which a caller says how a call is to be routed.
const (
	routeHeader  = "x-aigne-hub-route"  // a policy, or providers and provider/model in order
	tagHeader    = "x-aigne-hub-tag"    // words for the operator's rules, separated by commas
	regionHeader = "x-aigne-hub-region" // where the call may be served
)

// theirs is the one value of "route" that belongs to a provider (OpenRouter).
const theirs = "fallback"

// maxWish bounds what is read of these headers.
const maxWish = 500

// marks are what bodies of any dialect hold when they ask something of a model.
// Quoted in a text they would be escaped.
var marks = []struct {
	text []byte
	need routing.Need
}{
	{[]byte(`"image_url"`), routing.NeedVision}, {[]byte(`"imageUrl"`), routing.NeedVision}, {[]byte(`"input_image"`), routing.NeedVision},
	{[]byte(`"image"`), routing.NeedVision}, {[]byte(`"image/`), routing.NeedVision},
	{[]byte(`"input_audio"`), routing.NeedAudio}, {[]byte(`"audio/`), routing.NeedAudio},
	{[]byte(`"document"`), routing.NeedFiles}, {[]byte(`"input_file"`), routing.NeedFiles}, {[]byte(`"application/pdf"`), routing.NeedFiles},
	{[]byte(`"json_schema"`), routing.NeedSchema}, {[]byte(`"responseSchema"`), routing.NeedSchema}, {[]byte(`"responseJsonSchema"`), routing.NeedSchema},
}

// traits reads what routing may depend on. The body is looked through only where
// something can depend on it: for an alias, or when the caller has a wish.
func (h *handler) traits(r *http.Request, c hub.Caller, v *dialect.View) (routing.Traits, error) {
	t, matters, err := h.told(r, c, v.Model, &v.Object)
	if err != nil || !matters {
		return t, err
	}
	body := v.Object.Raw()
	if v.Object.Has("tools") {
		t.Needs = append(t.Needs, routing.NeedTools)
	}
	if v.Thinking > 0 || v.Object.Has("reasoning_effort") || v.Object.Has("reasoning") {
		t.Needs = append(t.Needs, routing.NeedThinking)
	}
	have := map[routing.Need]bool{}
	for _, m := range marks {
		if !have[m.need] && bytes.Contains(body, m.text) {
			have[m.need] = true
			t.Needs = append(t.Needs, m.need)
		}
	}
	t.Tokens = textBytes(body) / bytesPerToken
	if v.MaxOutput != nil {
		t.Tokens += *v.MaxOutput
	}
	t.Sticky = sticky(c, v)
	return t, nil
}

// told reads what the caller says beside the body proper; matters is false where
// routing does not depend on anything of it.
func (h *handler) told(r *http.Request, c hub.Caller, model string, body **wire.Object) (t routing.Traits, matters bool, err error) {
	if t.Prefer, err = wish(r, body); err != nil {
		return t, false, err
	}
	if t.Prefer == "" && !h.Routes().Named(model) {
		return t, false, nil
	}
	t.Draw = rand.Uint64()
	t.Region = header(r, regionHeader)
	t.Tags = routing.Words(header(r, tagHeader))
	t.Groups = groupsOf(c)
	return t, true, nil
}

// groupsOf are the groups that rules may ask for: a role is one too.
func groupsOf(c hub.Caller) []string { return append([]string{string(c.Role)}, c.Groups...) }

// workTraits reads what the routing of work beside chat may depend on: what the
// caller says. Its body is no conversation whose needs could be read.
func (h *handler) workTraits(r *http.Request, c hub.Caller, v *dialect.TaskView) (routing.Traits, error) {
	t, _, err := h.told(r, c, v.Request.Model, &v.Object)
	if v.Object != nil && !v.Object.Has("route") {
		delete(v.Request.Extra, "route")
	}
	return t, err
}

// wish is how the caller wants to be routed: by header or by a body member
// "route", which no provider gets to see.
func wish(r *http.Request, body **wire.Object) (string, error) {
	w := header(r, routeHeader)
	if *body == nil { // a form
		return w, nil
	}
	raw, ok := (*body).Get("route")
	if !ok {
		return w, nil
	}
	in, ok := (*body).String("route")
	if !ok || len(in) > maxWish {
		return "", hub.Invalid("route", "route must be a policy or a list of providers, as a string: %.20s is not.", raw)
	}
	if in == theirs {
		return w, nil
	}
	o := (*body).Clone()
	o.Delete("route")
	rest, err := wire.Parse(o.Bytes())
	if err != nil {
		return "", err
	}
	*body = rest
	if w == "" {
		w = strings.TrimSpace(in)
	}
	return w, nil
}

func header(r *http.Request, name string) string {
	return strings.TrimSpace(clip(r.Header.Get(name), maxWish))
}

func clip(s string, n int) string { return s[:min(len(s), n)] }

// sticky names the conversation that a provider's prompt cache may know: what the
// caller calls it, else nothing.
func sticky(c hub.Caller, v *dialect.View) string {
	for _, name := range []string{"prompt_cache_key", "session_id", "conversation"} {
		if key, ok := v.Object.String(name); ok && key != "" {
			return c.UserID + "\n" + key
		}
	}
	// Callers of Anthropic's language mark what is to be cached, and name the
	// conversation, if at all, as a user.
	raw, ok := v.Object.Get("metadata")
	if !ok || !bytes.Contains(v.Object.Raw(), []byte(`"cache_control"`)) {
		return ""
	}
	var said struct {
		UserID string `json:"user_id"`
	}
	if json.Unmarshal(raw, &said) != nil || said.UserID == "" {
		return ""
	}
	return c.UserID + "\n" + said.UserID
}
