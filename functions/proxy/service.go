package proxy

import (
	"slices"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/pricing"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// usualService is a chat call whose tokens cost what they usually do.
const usualService = "default"

// service is the variant that a tier of service is to prices, whatever a language
// calls it: SERVICE_TIER_FLEX is Gemini's.
func service(word string) task.Variant {
	word = strings.TrimPrefix(strings.ToLower(word), "service_tier_")
	if slices.Contains(pricing.Services(), word) {
		return task.Variant{Quality: word}
	}
	return task.Variant{}
}

// serviceAsked is the tier of service that a chat request asks for. Nothing, and
// what leaves it to the provider, is the usual one: held is what that costs.
func serviceAsked(v *dialect.View) task.Variant {
	asked := task.Variant{}
	switch {
	case v.Chat != nil && v.Chat.ServiceTier != "":
		asked = service(v.Chat.ServiceTier)
	case v.Object != nil:
		for _, key := range []string{"service_tier", "serviceTier"} {
			if word, ok := v.Object.String(key); ok && asked == (task.Variant{}) {
				asked = service(word)
			}
		}
	}
	if asked == (task.Variant{}) {
		return task.Variant{Quality: usualService}
	}
	return asked
}

// serviceGiven is the tier that a call is charged for: what the provider says it
// gave, else what was asked for.
func serviceGiven(v *dialect.View, r dialect.Report) task.Variant {
	given := service(r.Service)
	if r.Service == "" {
		if given = serviceAsked(v); given.Quality == usualService {
			return task.Variant{}
		}
	}
	return given
}
