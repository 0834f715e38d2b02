package anthropic

import (
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
)

func TestContractOverRecordedAnswers(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, Client{}, "anthropic", nil)
}

func TestContractOverOwnAnswers(t *testing.T) {
	t.Parallel()
	dialecttest.RunDir(t, Client{}, "anthropic", "testdata", nil)
}
