package routing

import (
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

const (
	noRate       = "no rate"
	noCredential = "no active credential"
	notServed    = "this kind of provider does not serve such calls yet"
	retired      = "the operator has retired it"
)

// priceFlags are the flags of `rate set` that price what is counted of a call.
func priceFlags(r *Request) string {
	switch r.Task {
	case "":
		return "--input P --output P"
	case task.Embedding, task.Moderation:
		return "--type " + string(r.Type) + " --input P"
	case task.Speech:
		return "--type " + string(r.Type) + " --price characters=P"
	case task.Rerank:
		return "--type " + string(r.Type) + " --per-unit requests=P"
	case task.ImageGeneration, task.ImageEdit:
		return "--type " + string(r.Type) + " --per-unit images=P"
	}
	return "--type " + string(r.Type) + " --per-unit seconds=P"
}

func refused(model string, r *Request, unpriced *Target, all []Refusal) error {
	if unpriced != nil {
		return hub.Invalid("model", "The model %s has no rate, so it cannot be billed. The operator sets one with `aigne-hub rate set --provider %s --model %s %s`.",
			model, unpriced.Provider.Name, unpriced.Model, priceFlags(r))
	}
	if all[0].Reason == notServed || all[0].Reason == retired {
		return hub.Invalid("model", "%s: %s.", all[0].Target, all[0].Reason)
	}
	return hub.Errorf(hub.CodeUnavailable, "No provider can serve %s now: %s has %s.", model, all[0].Target, all[0].Reason)
}
