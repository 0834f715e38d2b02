package billing

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// now is the injected clock.
func (h *handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// cursorPage reads the paging of a list that goes on by cursor. after is the key
// to go on behind, "" at the start.
func cursorPage(r *http.Request) (after string, size int, err error) {
	p, err := httpkit.ParsePaging(r)
	if err != nil {
		return "", 0, err
	}
	if p.Page > 1 {
		return "", 0, hub.Invalid("page", "This list has no pages; go on with cursor=<next_cursor>.")
	}
	if p.Cursor == "" {
		return "", p.Size, nil
	}
	keys, err := httpkit.DecodeCursor(p.Cursor, 1)
	if err != nil {
		return "", 0, err
	}
	return keys[0], p.Size, nil
}

// listing is a page of a list.
type listing[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"` // null at the end
}

// page makes a page of items, of which there is one more than size when the list
// goes on.
func page[T any](items []T, size int, key func(T) string) listing[T] {
	out := listing[T]{Data: items}
	if len(items) > size {
		out.Data = items[:size]
		next := httpkit.EncodeCursor(key(items[size-1]))
		out.NextCursor = &next
	}
	if out.Data == nil {
		out.Data = []T{}
	}
	return out
}

// csvHeaders announces a CSV file that is not to be kept on the way.
func csvHeaders(w http.ResponseWriter, name string) {
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
}

func textOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
