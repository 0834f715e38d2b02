package gemini

import (
	"encoding/json"

	"github.com/aigne-hub/aigne-hub/shared/chat"
)

// searchFor words a search as Google's own (ai.google.dev, "Grounding with Google
// Search"). It knows no domains and no limits, and stands beside functions only
// in a form whose answers need both sides to pass on Google's own calls, so it is
// asked for alone.
func searchFor(req *chat.Request, model string) func(*chat.Search) (chat.Tool, []string, bool) {
	major, _, _, known := generation(model)
	for _, t := range req.Tools {
		known = known && t.Raw != nil
	}
	if !known || major < 2 { // older models have another tool for it
		return nil
	}
	return func(s *chat.Search) (chat.Tool, []string, bool) {
		if len(s.Allowed) > 0 || len(s.Blocked) > 0 || s.MaxUses > 0 {
			return chat.Tool{}, nil, false
		}
		var ignored []string
		if len(s.Location) > 0 {
			ignored = append(ignored, "user_location")
		}
		if s.Size != "" {
			ignored = append(ignored, "search_context_size")
		}
		return chat.Tool{RawType: "googleSearch", Raw: json.RawMessage(`{"googleSearch":{}}`)}, ignored, true
	}
}
