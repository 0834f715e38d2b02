package gemini

import (
	"net/url"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
)

var _ dialect.MediaTaker = Client{}

// TakesURL reports what fileData.fileUri may name: files of Google's own stores,
// and films on YouTube (ai.google.dev/gemini-api/docs/file-input-methods). Other
// addresses are not read by every model.
func (Client) TakesURL(_ chat.PartKind, m *chat.Media) bool {
	u, err := url.Parse(m.URL)
	if err != nil {
		return false
	}
	switch strings.ToLower(u.Hostname()) {
	case "generativelanguage.googleapis.com":
		return u.Scheme == "https" && strings.Contains(u.Path, "/files/")
	case "www.youtube.com", "youtube.com", "m.youtube.com", "youtu.be":
		return true
	}
	return u.Scheme == "gs"
}
