package dialect

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

// The languages of pictures and films, beside those that chat has a name for.
const (
	GeminiMedia   Name = "gemini-media"   // Imagen, Gemini's pictures and Veo
	Ark           Name = "ark"            // Volcano Engine: Seedream, SeedEdit, Seedance
	XAIMedia      Name = "xai-media"      // Grok's pictures and films
	ChatImages    Name = "chat-images"    // pictures by chat completions (OpenRouter, Poe)
	BedrockImages Name = "bedrock-images" // InvokeModel: Nova Canvas, Titan, Stability
)

// JobClient is how work is asked for that takes minutes: it is created, asked
// after, and fetched.
type JobClient interface {
	Name() Name
	// Splice prepares a native creation, under the rules of TaskClient.Splice.
	Splice(v *TaskView, t Target) (TaskEncoded, error)
	// Encode translates a creation, under the rules of Client.Encode.
	Encode(req *task.Request, t Target) (TaskEncoded, error)
	// Job reads the answer to a creation or to Poll.
	Job(a TaskAnswer, t Target) (*task.Job, error)
	// Poll asks after a job.
	Poll(id string, t Target) TaskEncoded
	// Content asks for the bytes of a finished film below the provider's base URL.
	// ok is false where they lie at the film's own URL, which needs no credential.
	Content(id string, film task.File, t Target) (enc TaskEncoded, ok bool)
	// Cancel ends a job. ok is false where the provider has no such thing.
	Cancel(id string, t Target) (enc TaskEncoded, ok bool)
	// DefaultSeconds is how long a film is whose length nobody said.
	DefaultSeconds(t Target) int64
	Fault(status int, header http.Header, body []byte) *hub.Error
}

// URLTaker is a TaskClient or JobClient that can pass on files by URL for a
// model. Others are given files as data only.
type URLTaker interface {
	TakesURL(kind task.Kind, f *task.File, t Target) bool
}

// MediaTaker is a Client that cannot pass on every URL of a conversation's
// content; what it does not take is given to it as data.
type MediaTaker interface {
	TakesURL(kind chat.PartKind, m *chat.Media) bool
}
