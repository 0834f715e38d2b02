package bedrock

import (
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
)

func TestContractOverRecordedAnswers(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, Client{}, "bedrock", nil)
}
