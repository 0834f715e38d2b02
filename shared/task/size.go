package task

import (
	"encoding/base64"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// Pixels reads a size written WIDTHxHEIGHT.
func Pixels(size string) (width, height int64, ok bool) {
	w, h, found := strings.Cut(strings.ToLower(size), "x")
	if !found {
		return 0, 0, false
	}
	width, errW := strconv.ParseInt(w, 10, 32)
	height, errH := strconv.ParseInt(h, 10, 32)
	return width, height, errW == nil && errH == nil && width > 0 && height > 0
}

// nearRatio is by how much a picture's proportions may differ from those asked
// for: OpenAI's 1792x1024 is sold as 16:9.
const nearRatio = 0.03

// Ratio finds, among ratios written W:H, the one that a size or a ratio asks for.
func Ratio(asked string, ratios ...string) (string, bool) {
	want, ok := proportion(asked)
	if !ok {
		return "", false
	}
	best, least := "", math.Inf(1)
	for _, r := range ratios {
		if have, ok := proportion(r); ok {
			if d := math.Abs(have/want - 1); d < least {
				best, least = r, d
			}
		}
	}
	return best, least <= nearRatio
}

func proportion(s string) (float64, bool) {
	w, h, ok := strings.Cut(strings.ToLower(s), ":")
	if !ok {
		w, h, ok = strings.Cut(strings.ToLower(s), "x")
	}
	x, errX := strconv.ParseFloat(w, 64)
	y, errY := strconv.ParseFloat(h, 64)
	if !ok || errX != nil || errY != nil || x <= 0 || y <= 0 {
		return 0, false
	}
	return x / y, true
}

// Type is the file's media type: what was said, else what its first bytes show,
// else "".
func (f *File) Type() string {
	if f.MIME != "" {
		return f.MIME
	}
	kind, _, _ := strings.Cut(http.DetectContentType(f.Data), ";")
	if len(f.Data) == 0 || kind == "application/octet-stream" || kind == "text/plain" {
		return ""
	}
	return kind
}

// Link is a URL for the file: its own, else a data URL.
func (f *File) Link() string {
	if f.URL != "" {
		return f.URL
	}
	kind := f.Type()
	if kind == "" {
		kind = "image/png"
	}
	return "data:" + kind + ";base64," + base64.StdEncoding.EncodeToString(f.Data)
}

// ReadLink makes a file of a URL; the content of a data URL is taken out. ok is
// false for a data URL that is not base64.
func ReadLink(url string) (f File, ok bool) {
	rest, inline := strings.CutPrefix(url, "data:")
	if !inline {
		return File{URL: url}, url != ""
	}
	head, text, found := strings.Cut(rest, ",")
	kind, b64 := strings.CutSuffix(head, ";base64")
	if !found || !b64 {
		return File{}, false
	}
	data, err := base64.StdEncoding.DecodeString(text)
	f.MIME, _, _ = strings.Cut(kind, ";")
	f.Data = data
	return f, err == nil && len(data) > 0
}
