package openai

import (
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
)

func quirksOf(provider string) dialect.Quirks {
	return dialect.Quirks{ReasoningExtra: provider == "xai"}
}

func TestContractOverRecordings(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, Client{}, "openai-chat", quirksOf)
}

func TestContractOverOwnAnswers(t *testing.T) {
	t.Parallel()
	dialecttest.RunDir(t, Client{}, "openai-chat", "testdata", quirksOf)
}
