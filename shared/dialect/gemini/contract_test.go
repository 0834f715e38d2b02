package gemini_test

import (
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/gemini"
)

func TestContractOverOwnFixtures(t *testing.T) {
	t.Parallel()
	dialecttest.RunDir(t, gemini.Client{}, "gemini", "testdata", nil)
}

func TestContractOverRecordedAnswers(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, gemini.Client{}, "gemini", nil)
}
