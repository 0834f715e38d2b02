// Package openai speaks OpenAI's chat-completions language, which most vendors
// speak too: what callers send to us (Server), what providers get from us
// (Client) and the meter. The wire format is that of
// https://platform.openai.com/docs/api-reference/chat with the extensions that
// DeepSeek (reasoning_content), OpenRouter (reasoning, images) and xAI document.
// The Responses, embeddings, image and audio APIs are not here.
package openai

import (
	"crypto/rand"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/faults"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Server is the side that callers speak. Its zero value works.
type Server struct {
	Now hub.Now // nil: the system's clock
}

// Client is the side that providers understand. Its zero value works.
type Client struct {
	Now hub.Now // nil: the system's clock; turns Retry-After dates into spans
}

var (
	_ dialect.Server = Server{}
	_ dialect.Client = Client{}
)

// Name is dialect.OpenAIChat.
func (Server) Name() dialect.Name { return dialect.OpenAIChat }

// Name is dialect.OpenAIChat.
func (Client) Name() dialect.Name { return dialect.OpenAIChat }

// Path is the same for every model.
func (Client) Path(dialect.Target) string { return "/chat/completions" }

// Fault reads a non-2xx answer.
func (c Client) Fault(status int, header http.Header, body []byte) *hub.Error {
	return faults.Read(status, header, body, c.Now)
}

func clock(now hub.Now) time.Time {
	if now == nil {
		return time.Now()
	}
	return now()
}

func randomID(prefix string) string { return prefix + rand.Text()[:24] }
