package httpkit

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// CursorPage reads the paging of a list that goes on by cursor. after is the id
// to go on behind, "" at the start.
func CursorPage(r *http.Request) (after string, size int, err error) {
	p, err := ParsePaging(r)
	if err != nil {
		return "", 0, err
	}
	if p.Page > 1 {
		return "", 0, hub.Invalid("page", "This list has no pages; go on with cursor=<next_cursor>.")
	}
	if p.Cursor == "" {
		return "", p.Size, nil
	}
	keys, err := DecodeCursor(p.Cursor, 1)
	if err != nil {
		return "", 0, err
	}
	return keys[0], p.Size, nil
}

// Listing is a page of a list.
type Listing[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor"` // null at the end
}

// Listed makes a page of rows, of which there is one more than size when the
// list goes on.
func Listed[R, V any](rows []R, size int, id func(R) string, view func(R) V) Listing[V] {
	var out Listing[V]
	if len(rows) > size {
		rows = rows[:size]
		next := EncodeCursor(id(rows[size-1]))
		out.NextCursor = &next
	}
	out.Data = make([]V, len(rows))
	for i, r := range rows {
		out.Data[i] = view(r)
	}
	return out
}
