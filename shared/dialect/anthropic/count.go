package anthropic

import (
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

var (
	_ dialect.Counter       = Server{}
	_ dialect.PromptCounter = Client{}
)

// Counted encodes the answer to count_tokens
// (docs.claude.com/en/api/messages-count-tokens).
func (Server) Counted(tokens int64) []byte {
	return append(strconv.AppendInt([]byte(`{"input_tokens":`), tokens, 10), '}')
}

// Count prepares count_tokens: the caller's own bytes, as for an answer.
func (c Client) Count(v *dialect.View, t dialect.Target) (string, dialect.Encoded, error) {
	t.LowerTo = 0 // a count has no output limit
	enc, err := c.Splice(v, t)
	return "/messages/count_tokens", enc, err
}
