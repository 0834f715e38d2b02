package responses

import (
	"testing"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/dialect/dialecttest"
	"github.com/aigne-hub/aigne-hub/shared/dialect/openai"
)

// server and client as the hub wires them: OpenAI's error bodies are the same
// on all of its surfaces.
var (
	server = NewServer(func() time.Time { return time.Unix(1767225600, 0) }, openai.Server{}.Error)
	client = NewClient(openai.Client{}.Fault)
)

func TestContractOverRecordedAnswers(t *testing.T) {
	t.Parallel()
	dialecttest.Run(t, client, "openai-responses", nil)
}

func TestContractOverOwnAnswers(t *testing.T) {
	t.Parallel()
	dialecttest.RunDir(t, client, "openai-responses", "testdata", nil)
}
