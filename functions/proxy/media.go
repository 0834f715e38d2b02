package proxy

import (
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/blob"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// mediaPath is where kept files are read, by whoever knows their names.
const mediaPath = "/media/"

// media serves a kept file. Its name is a secret that only the answer to its
// maker held; nothing served here runs in a browser.
func (h *handler) media(w http.ResponseWriter, r *http.Request) error {
	f, err := h.Blobs.Open(r.Context(), r.PathValue("name"))
	if err != nil {
		return err
	}
	defer f.Close()
	kind, disposition := blob.Header(f.Type)
	hd := w.Header()
	hd.Set("content-type", kind)
	hd.Set("content-disposition", disposition)
	hd.Set("content-security-policy", "default-src 'none'; sandbox")
	hd.Set("x-content-type-options", "nosniff")
	hd.Set("cross-origin-resource-policy", "cross-origin")
	hd.Set("referrer-policy", "no-referrer")
	hd.Set("cache-control", "private, max-age=3600, immutable")
	hd.Set("expires", f.ExpiresAt.Format(http.TimeFormat))
	http.ServeContent(w, r, "", f.CreatedAt.Truncate(time.Second), f)
	return nil
}

// deleteMedia removes the caller's own file.
func (h *handler) deleteMedia(w http.ResponseWriter, r *http.Request, caller hub.Caller) error {
	if err := h.Blobs.Delete(r.Context(), r.PathValue("name"), caller.UserID); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
