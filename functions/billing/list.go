package billing

import (
	"net/http"
	"time"
)

// now is the injected clock.
func (h *handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
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
