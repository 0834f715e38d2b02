package responses

import (
	"maps"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// search asks for a search as the "Web search" guide of OpenAI's documents words
// it. Domains can be allowed, not blocked; how often it may search is a limit of
// all of the provider's own tools, of which there are no others here.
func (e *translator) search(s *chat.Search) (chat.Tool, []string, bool) {
	if len(s.Blocked) > 0 {
		return chat.Tool{}, nil, false
	}
	tool := map[string]any{"type": "web_search"}
	if s.Size != "" {
		tool["search_context_size"] = s.Size
	}
	if len(s.Location) > 0 {
		where := maps.Clone(s.Location)
		where["type"] = "approximate"
		tool["user_location"] = where
	}
	if len(s.Allowed) > 0 {
		tool["filters"] = map[string]any{"allowed_domains": s.Allowed}
	}
	e.out.MaxCalls = s.MaxUses
	return chat.Tool{RawType: "web_search", Raw: encodeJSON(tool)}, nil, true
}
