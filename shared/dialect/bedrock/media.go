package bedrock

import (
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/chat"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The formats that the API knows, by MIME type without its group.
var (
	imageFormats = map[string]string{"png": "png", "jpeg": "jpeg", "jpg": "jpeg", "gif": "gif", "webp": "webp"}
	audioFormats = map[string]string{
		"mp3": "mp3", "mpeg": "mp3", "wav": "wav", "x-wav": "wav", "wave": "wav", "aac": "aac", "x-aac": "x-aac", "flac": "flac",
		"x-flac": "flac", "ogg": "ogg", "opus": "opus", "mp4": "mp4", "m4a": "m4a", "x-m4a": "m4a", "webm": "webm",
		"pcm": "pcm", "l16": "pcm",
	}
	videoFormats = map[string]string{
		"mp4": "mp4", "quicktime": "mov", "x-matroska": "mkv", "webm": "webm", "x-flv": "flv", "mpeg": "mpeg", "x-ms-wmv": "wmv",
		"3gpp": "three_gp",
	}
	documentFormats = map[string]string{
		"application/pdf": "pdf", "text/csv": "csv", "application/msword": "doc",
		"application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
		"application/vnd.ms-excel": "xls", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
		"text/html": "html", "text/plain": "txt", "text/markdown": "md",
	}
)

// media translates a picture, a sound, a film or a document. The API takes the
// data itself or, for some models, a place in Amazon S3.
func (tr *translator) media(p chat.Part, at string) (*block, error) {
	m := p.Media
	if m == nil {
		return nil, hub.Invalid(at, "%s holds no data.", at)
	}
	if m.Detail != "" && m.Detail != "auto" {
		tr.Drop("image_url.detail")
	}
	src, err := sourceOf(m, at)
	if err != nil {
		return nil, err
	}
	mime, _, _ := strings.Cut(strings.ToLower(m.MIME), ";")
	if mime == "" {
		mime = guess(m)
	}
	group, format, _ := strings.Cut(mime, "/")
	out := &media{Source: src}
	var known map[string]string
	b := &block{}
	switch group {
	case "image":
		known, b.Image = imageFormats, out
	case "audio":
		known, b.Audio = audioFormats, out
	case "video":
		known, b.Video = videoFormats, out
	default:
		known, format, b.Document = documentFormats, mime, out
		out.Name = tr.documentName(m.Filename)
	}
	out.Format = known[format]
	if out.Format == "" && b.Document != nil && group == "text" {
		out.Format = "txt"
	}
	if out.Format == "" || p.Kind == chat.Image && b.Image == nil || p.Kind == chat.Audio && b.Audio == nil {
		return nil, hub.Invalid(at, "%s: the provider of this model does not take data of the type %q here.", at, mime)
	}
	return b, nil
}

func sourceOf(m *chat.Media, at string) (source, error) {
	switch {
	case m.Data != "":
		return source{Bytes: m.Data}, nil
	case strings.HasPrefix(m.URL, "s3://"):
		return source{S3: &s3Location{URI: m.URL}}, nil
	case m.URL != "":
		return source{}, hub.Invalid(at, "%s: the provider of this model fetches nothing from the web; send the data itself.", at)
	case m.FileID != "":
		return source{}, hub.Invalid(at, "%s: a file id of another provider means nothing to the provider of this model; send the data itself.", at)
	}
	return source{}, hub.Invalid(at, "%s holds no data.", at)
}

// guess finds the type of data that came without one: by the name's ending, else
// by the first bytes.
func guess(m *chat.Media) string {
	name := m.Filename
	if name == "" {
		name = m.URL
	}
	ending := strings.ToLower(name[strings.LastIndexByte(name, '.')+1:])
	for mime, format := range documentFormats {
		if format == ending {
			return mime
		}
	}
	if f := imageFormats[ending]; f != "" {
		return "image/" + f
	}
	head, err := base64.StdEncoding.DecodeString(m.Data[:min(len(m.Data), 512)&^3])
	if err != nil || len(head) == 0 {
		return ""
	}
	mime, _, _ := strings.Cut(http.DetectContentType(head), ";")
	return mime
}

// maxDocumentName is how long a document's name may be.
const maxDocumentName = 200

// documentName makes a name as the API wants it: letters, digits, single spaces,
// hyphens, parentheses and square brackets, and no two alike.
func (tr *translator) documentName(file string) string {
	if i := strings.LastIndexByte(file, '.'); i > 0 {
		file = file[:i]
	}
	name := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-()[]", r) {
			return r
		}
		return ' '
	}, file)
	name = strings.Join(strings.Fields(name), " ")
	name = strings.TrimSpace(name[:min(len(name), maxDocumentName-8)])
	if name == "" {
		name = "document"
	}
	tr.names[name]++
	if n := tr.names[name]; n > 1 {
		return tr.documentName(name + " (" + strconv.Itoa(n) + ")")
	}
	return name
}
