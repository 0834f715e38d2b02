package httpkit

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The bounds of paging.
const (
	DefaultPageSize = 20
	MaxPageSize     = 100
	// maxPage keeps offsets small; whoever needs to go further uses cursors.
	maxPage   = 10_000
	maxCursor = 1 << 10
)

// Paging is which part of a list is wanted.
type Paging struct {
	Page   int    // from 1
	Size   int    // 1 to MaxPageSize
	Cursor string // opaque, for DecodeCursor; "" from the start
}

// Offset is how many rows come before the page.
func (p Paging) Offset() int { return (p.Page - 1) * p.Size }

// ParsePaging reads page (from 1), pageSize (1 to 100, else 20) and cursor from
// the query. A cursor together with a page is refused: they contradict.
func ParsePaging(r *http.Request) (Paging, error) {
	q := r.URL.Query()
	p := Paging{Page: 1, Size: DefaultPageSize, Cursor: q.Get("cursor")}
	if q.Get("page") != "" && p.Cursor != "" {
		return p, hub.Invalid("page", "Send page or cursor, not both.")
	}
	if len(p.Cursor) > maxCursor {
		return p, badCursor()
	}
	if err := queryInt(q.Get("page"), "page", maxPage, &p.Page); err != nil {
		return p, err
	}
	return p, queryInt(q.Get("pageSize"), "pageSize", MaxPageSize, &p.Size)
}

func queryInt(text, name string, most int, into *int) error {
	if text == "" {
		return nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > most {
		return hub.Invalid(name, "%s must be a whole number from 1 to %d.", name, most)
	}
	*into = n
	return nil
}

// EncodeCursor makes the cursor that starts after the row with these sort keys.
func EncodeCursor(keys ...string) string {
	b, err := json.Marshal(keys)
	if err != nil { // strings always encode
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(b)
}

// DecodeCursor returns the n sort keys in a cursor. They come from the caller:
// bind them, never trust them.
func DecodeCursor(cursor string, n int) ([]string, error) {
	b, err := base64.RawURLEncoding.DecodeString(cursor)
	if err != nil {
		return nil, badCursor()
	}
	var keys []string
	if json.Unmarshal(b, &keys) != nil || len(keys) != n {
		return nil, badCursor()
	}
	return keys, nil
}

func badCursor() error {
	return hub.Invalid("cursor", "cursor is not one that this list gave out.")
}
