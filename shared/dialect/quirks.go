package dialect

// ThinkingParts is the Quirks.ReasoningField of vendors (Mistral) where thinking
// that is sent back is a part of the message's content.
const ThinkingParts = "thinking_parts"

// Switch is a vendor's own way to turn thinking on and off.
type Switch string

// The switches.
const (
	SwitchThinking Switch = "thinking"        // thinking: {"type": "enabled" or "disabled"} (Zhipu, DeepSeek)
	SwitchEnable   Switch = "enable_thinking" // enable_thinking: true or false, with a thinking_budget (Qwen, SiliconFlow)
)
