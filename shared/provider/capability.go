package provider

import "slices"

// Capability is what callers may want of a conversation. That a kind offers one
// says that the hub carries it there and the vendor takes it; whether a model is
// able is the model's own.
type Capability string

// The capabilities.
const (
	Chat             Capability = "chat"
	Tools            Capability = "tools"             // function calls
	ImageInput       Capability = "image input"       // pictures in prompts
	StructuredOutput Capability = "structured output" // an answer after a JSON schema
	Thinking         Capability = "thinking"          // asked for, and shown
)

// Capabilities lists all of them in the order in which tables show them.
func Capabilities() []Capability {
	return []Capability{Chat, Tools, ImageInput, StructuredOutput, Thinking}
}

// without is the parameter whose refusal takes a capability away.
var without = map[Capability]string{Tools: "tools", ImageInput: "image_url", StructuredOutput: "response_format", Thinking: "reasoning_effort"}

// Offers reports whether conversations with the kind have a capability.
func (k Kind) Offers(c Capability) bool {
	return len(k.Dialects) > 0 && !slices.Contains(k.Quirks.Refuses, without[c])
}
