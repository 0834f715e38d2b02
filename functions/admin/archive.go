package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// archiveTime is how long a run that an administrator asks for may take: API
// Gateway gives up after 30 s. What is left is done by the job, or the next request.
const archiveTime = 20 * time.Second

func (h *handler) archiveRoutes(admin administered) []httpkit.Route {
	return []httpkit.Route{
		admin("GET", "/api/admin/archive", h.listArchives),
		admin("GET", "/api/admin/archive/runs", h.listArchiveRuns),
		admin("POST", "/api/admin/archive/runs", h.runArchive),
	}
}

func archiveDocs() map[string]httpkit.Doc {
	return map[string]httpkit.Doc{
		"GET /api/admin/archive":      {Summary: "Lists the archives that old calls were moved to, newest first.", Response: archivePage{}},
		"GET /api/admin/archive/runs": {Summary: "Lists runs of the archiver, newest first.", Query: httpkit.Cursors(), Response: httpkit.Listing[operator.ArchiveRunView]{}},
		"POST /api/admin/archive/runs": {Summary: "Moves old calls to the archives, for up to 20 seconds; with dry_run it says what would be moved.",
			Request: newArchiveRun{}, Response: archive.Report{}},
	}
}

// archivePage shows the archives, and when calls move there.
type archivePage struct {
	Data    []operator.ArchiveView `json:"data"`
	Enabled bool                   `json:"enabled"`
	After   string                 `json:"after"`  // the age at which calls move
	Keep    string                 `json:"keep"`   // how long archives are kept; "" for ever
	Cutoff  *time.Time             `json:"cutoff"` // calls admitted before are due; null: none ever is
	// FreeBytes is what is free on the disk; null: not known. Below NeedBytes nothing
	// moves; 0: that is not looked at.
	FreeBytes *int64 `json:"free_bytes"`
	NeedBytes int64  `json:"need_bytes"`
}

func (h *handler) listArchives(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	all, err := h.Desk.Archives(r.Context())
	if err != nil {
		return err
	}
	k := h.Desk.Archive
	page := archivePage{Data: all, Enabled: k.Ready(), NeedBytes: k.Settings.Free}
	if _, free, known, err := k.FreeRoom(); err != nil {
		return err
	} else if known {
		page.FreeBytes = &free
	}
	if k.Enabled() {
		cutoff := k.Cutoff()
		page.After, page.Cutoff = k.Settings.After.String(), &cutoff
	}
	if k.Settings.Keep > 0 {
		page.Keep = k.Settings.Keep.String()
	}
	return httpkit.WriteJSON(w, http.StatusOK, page)
}

func (h *handler) listArchiveRuns(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	before, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.ArchiveRuns(r.Context(), before, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(x store.ArchiveRun) string { return x.ID }, operator.ViewArchiveRun))
}

type newArchiveRun struct {
	DryRun bool `json:"dry_run"`
}

func (h *handler) runArchive(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newArchiveRun](r)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), archiveTime)
	defer cancel()
	if in.DryRun {
		report, err := h.Desk.Archive.Rehearse(ctx)
		if err != nil {
			return err
		}
		return httpkit.WriteJSON(w, http.StatusOK, report)
	}
	report, err := h.Desk.RunArchive(ctx, c.Email)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, report)
}
