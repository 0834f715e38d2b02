package gemini

import (
	"encoding/base64"
	"net/http"
	"path"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// extensions gives the MIME types that the API documents for prompts. The
// system's own table differs from machine to machine.
var extensions = map[string]string{
	".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".png": "image/png", ".webp": "image/webp",
	".gif": "image/gif", ".heic": "image/heic", ".heif": "image/heif",
	".wav": "audio/wav", ".mp3": "audio/mp3", ".aiff": "audio/aiff", ".aac": "audio/aac",
	".ogg": "audio/ogg", ".flac": "audio/flac", ".m4a": "audio/mp4",
	".mp4": "video/mp4", ".mpeg": "video/mpeg", ".mov": "video/mov", ".webm": "video/webm",
	".pdf": "application/pdf", ".txt": "text/plain", ".md": "text/markdown", ".html": "text/html",
	".csv": "text/csv", ".xml": "text/xml", ".json": "application/json",
}

// fallbacks are the types when nothing tells.
var fallbacks = map[chat.PartKind]string{
	chat.Image: "image/jpeg", chat.Audio: "audio/wav", chat.File: "application/pdf",
}

func mediaPart(at string, p chat.Part) (part, error) {
	m := p.Media
	if m == nil {
		return part{}, hub.Invalid(at, "The content holds no data and no URL.")
	}
	if rest, ok := strings.CutPrefix(m.URL, "data:"); ok {
		return dataURL(at, rest, p)
	}
	switch {
	case m.Data != "":
		return part{InlineData: &blob{MIMEType: mimeOf(p, m.Data), Data: m.Data}}, nil
	case m.URL != "":
		return part{FileData: &fileData{MIMEType: mimeOf(p, ""), FileURI: m.URL}}, nil
	case strings.HasPrefix(m.FileID, "https://"), strings.HasPrefix(m.FileID, "gs://"): // files at Google are addresses
		return part{FileData: &fileData{MIMEType: m.MIME, FileURI: m.FileID}}, nil
	case m.FileID != "":
		return part{}, hub.Invalid(at+".file_id", "This model cannot read the file id %q; send the file's data or a URL.", m.FileID)
	}
	return part{}, hub.Invalid(at, "The content holds no data and no URL.")
}

// videos begins addresses of the one site whose videos every model can fetch.
var videos = []string{"https://www.youtube.com/", "https://youtube.com/", "https://youtu.be/"}

// takesURLs reports whether a model fetches what a URL names. Before 2.5 models
// know only files at Google and videos (ai.google.dev, "File input methods").
func takesURLs(model, url string) bool {
	major, minor, _, ok := generation(model)
	if !ok || major >= 3 || major == 2 && minor >= 5 || strings.HasPrefix(url, ownFiles) {
		return true
	}
	for _, v := range videos {
		if strings.HasPrefix(url, v) {
			return true
		}
	}
	return false
}

func dataURL(at, rest string, p chat.Part) (part, error) {
	head, data, ok := strings.Cut(rest, ",")
	kind, b64 := strings.CutSuffix(head, ";base64")
	if !ok || !b64 {
		return part{}, hub.Invalid(at+".url", "A data URL must be base64: data:<type>;base64,<data>.")
	}
	if kind, _, _ = strings.Cut(kind, ";"); kind == "" {
		kind = mimeOf(p, data)
	}
	return part{InlineData: &blob{MIMEType: kind, Data: data}}, nil
}

// mimeOf finds a type: what the caller said, the name's ending, the data's first
// bytes, the kind's usual type.
func mimeOf(p chat.Part, data string) string {
	m := p.Media
	if m.MIME == "audio/mpeg" {
		return "audio/mp3" // the only name that the API documents for it
	}
	if m.MIME != "" {
		return m.MIME
	}
	for _, name := range []string{m.Filename, m.URL} {
		name, _, _ = strings.Cut(name, "?")
		name, _, _ = strings.Cut(name, "#")
		if t, ok := extensions[strings.ToLower(path.Ext(name))]; ok {
			return t
		}
	}
	if head, err := base64.StdEncoding.DecodeString(data[:min(len(data), 64)/4*4]); err == nil && len(head) > 0 {
		t, _, _ := strings.Cut(http.DetectContentType(head), ";")
		if t != "application/octet-stream" && t != "text/plain" {
			return t
		}
	}
	return fallbacks[p.Kind]
}
