package chat

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The rule for tools that are not functions of the caller's (Tool.Raw, and
// OpenAI's web_search_options), the same between all languages:
//
//   - A target that knows such a tool by its type gets it as it stands.
//   - A web search is asked for in the target's own words where the target has
//     one that says as much; it is counted as hub.WebSearches.
//   - Any other tool that its vendor runs is left out and named among what was
//     dropped: agentic clients offer such tools always, and the model may do
//     without. Where a tool is demanded the request is refused instead.
//   - A tool of a vendor's making that the caller runs (a shell, an editor, a
//     screen) is refused: the caller counts on its being used.

// Search is a wish that the provider search the web.
type Search struct {
	Location map[string]string // city, region, country, timezone; as OpenAI and Anthropic spell them
	Allowed  []string          // domains, no others
	Blocked  []string          // domains
	MaxUses  int64             // 0: not said
	Size     string            // OpenAI's search_context_size
}

// Tools says which tools beside functions a target has.
type Tools struct {
	// Own reports whether the target knows a tool of this type; web_search_options
	// counts as one.
	Own func(rawType string) bool
	// Search words a search, and lists the members of Search's source that say
	// nothing here; nil, or false, where the target has no such search.
	Search func(s *Search) (t Tool, ignored []string, ok bool)
}

// callerRun are the beginnings of the types of tools that the caller runs.
var callerRun = []string{"custom", "bash", "text_editor", "computer", "memory", "computerUse", "local_shell", "shell", "apply_patch"}

// Offered is the request with the tools that a target has, and the names of what
// was left out. r itself is not changed; without such tools it is given back.
func (r *Request) Offered(has Tools) (*Request, []string, error) {
	options, asked := r.Extra[searchOptions]
	asked = asked && string(options) != "null" && !has.Own(searchOptions)
	foreign := func(t Tool) bool { return (t.Raw != nil || t.RawType != "") && !has.Own(t.RawType) }
	if !asked && !slices.ContainsFunc(r.Tools, foreign) {
		return r, nil, nil
	}
	o := offer{has: has, out: *r}
	o.out.Names, o.out.Tools = maps.Clone(r.Names), nil
	for i := range r.Tools {
		if err := o.tool(r, i); err != nil {
			return nil, nil, err
		}
	}
	if asked {
		o.out.Extra = maps.Clone(r.Extra)
		delete(o.out.Extra, searchOptions)
		if name := r.ParamName(searchOptions); !o.search(name, options) {
			o.dropped = append(o.dropped, name)
		}
	}
	if len(o.out.Tools) == 0 {
		o.out.ToolChoice, o.out.ParallelToolCalls = nil, nil // there is nothing to choose from
	}
	return &o.out, o.dropped, nil
}

const searchOptions = "web_search_options"

type offer struct {
	has      Tools
	out      Request
	dropped  []string
	searches bool
}

func (o *offer) tool(r *Request, i int) error {
	t, at, choice := r.Tools[i], r.ToolAt(i), r.ToolChoice
	if t.Raw == nil && t.RawType == "" || o.has.Own(t.RawType) {
		o.add(t, at)
		return nil
	}
	if slices.ContainsFunc(callerRun, func(kind string) bool { return strings.HasPrefix(t.RawType, kind) }) {
		at += ".type"
		return hub.Invalid(at, "%s: a tool of type %q is not known to the model %q; offer a function instead.", at, t.RawType, r.Model)
	}
	named := choice != nil && choice.Mode == "tool" && choice.Name == t.Name
	searches := strings.HasPrefix(t.RawType, "web_search") || t.RawType == "googleSearch"
	if !named && searches && o.search(at, t.Raw) {
		return nil
	}
	if named || choice != nil && choice.Mode == "required" {
		return hub.Invalid(at, "%s: a tool of type %q cannot be run by the provider of the model %q, and %s demands a tool.", at, t.RawType, r.Model, r.ParamName("tool_choice"))
	}
	o.dropped = append(o.dropped, fmt.Sprintf("%s (%s)", at, t.RawType))
	return nil
}

func (o *offer) add(t Tool, at string) {
	o.out.PlaceTool(len(o.out.Tools), at)
	o.out.Tools = append(o.out.Tools, t)
}

// search asks for a search in the target's words, once: the limits of two could
// not both be kept.
func (o *offer) search(at string, raw json.RawMessage) bool {
	if o.has.Search == nil || o.searches {
		return false
	}
	s, ok := readSearch(raw)
	if !ok {
		return false
	}
	t, ignored, ok := o.has.Search(s)
	if !ok {
		return false
	}
	for _, name := range ignored {
		o.dropped = append(o.dropped, at+"."+name)
	}
	o.searches = true
	o.add(t, at)
	return true
}

// readSearch reads a search in any language's form, false when it says something
// that is not known here.
func readSearch(raw json.RawMessage) (*Search, bool) {
	type location struct {
		Type        string            `json:"type"`
		City        string            `json:"city"`
		Region      string            `json:"region"`
		Country     string            `json:"country"`
		Timezone    string            `json:"timezone"`
		Approximate map[string]string `json:"approximate"` // of web_search_options
	}
	var in struct {
		Type    string          `json:"type"`
		Name    string          `json:"name"`
		Cache   json.RawMessage `json:"cache_control"`
		Where   *location       `json:"user_location"`
		Size    string          `json:"search_context_size"`
		MaxUses int64           `json:"max_uses"`
		Allowed []string        `json:"allowed_domains"`
		Blocked []string        `json:"blocked_domains"`
		Filters struct {
			Allowed []string `json:"allowed_domains"`
		} `json:"filters"`
		Google *struct{} `json:"googleSearch"`
	}
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.DisallowUnknownFields()
	if d.Decode(&in) != nil {
		return nil, false
	}
	s := &Search{Allowed: append(in.Allowed, in.Filters.Allowed...), Blocked: in.Blocked, MaxUses: in.MaxUses, Size: in.Size}
	if w := in.Where; w != nil {
		s.Location = map[string]string{"city": w.City, "region": w.Region, "country": w.Country, "timezone": w.Timezone}
		maps.Copy(s.Location, w.Approximate)
		maps.DeleteFunc(s.Location, func(_, v string) bool { return v == "" })
	}
	return s, true
}
