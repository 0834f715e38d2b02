package anthropic

import (
	"encoding/json"
	"maps"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// webSearch words a search as the "Web search tool" page has it. How much of the
// pages is read cannot be said, and domains are either allowed or blocked.
func webSearch(s *chat.Search) (chat.Tool, []string, bool) {
	if len(s.Allowed) > 0 && len(s.Blocked) > 0 {
		return chat.Tool{}, nil, false
	}
	const kind, name = "web_search_20250305", "web_search"
	tool := map[string]any{"type": kind, "name": name}
	if len(s.Location) > 0 {
		where := maps.Clone(s.Location)
		where["type"] = "approximate"
		tool["user_location"] = where
	}
	if len(s.Allowed) > 0 {
		tool["allowed_domains"] = s.Allowed
	}
	if len(s.Blocked) > 0 {
		tool["blocked_domains"] = s.Blocked
	}
	if s.MaxUses > 0 {
		tool["max_uses"] = s.MaxUses
	}
	var ignored []string
	if s.Size != "" {
		ignored = append(ignored, "search_context_size")
	}
	raw, err := json.Marshal(tool)
	return chat.Tool{Name: name, RawType: kind, Raw: raw}, ignored, err == nil
}
