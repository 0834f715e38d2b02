package chat

// Thinking budgets (tokens) from which on an effort is asked for, where a
// language has words, not numbers.
const (
	budgetHigh   = 5000
	budgetMedium = 1000
	budgetLow    = 500
)

// EffortFor maps a thinking budget to a word of OpenAI's: above 5,000 tokens
// high, above 1,000 medium, above 500 low, else minimal.
func EffortFor(budget int64) string {
	switch {
	case budget > budgetHigh:
		return "high"
	case budget > budgetMedium:
		return "medium"
	case budget > budgetLow:
		return "low"
	}
	return "minimal"
}
