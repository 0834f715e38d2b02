package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/reseal"
)

// systemView is what runs, and over what.
type systemView struct {
	Version   string       `json:"version"`
	Revision  string       `json:"revision"` // of the source it was built from; "" where nobody said it
	BuiltAt   string       `json:"built_at"` // when that revision was made
	Go        string       `json:"go"`
	Platform  string       `json:"platform"`
	Lambda    bool         `json:"lambda"`
	StartedAt time.Time    `json:"started_at"` // of the process that answers
	Memory    int64        `json:"memory_bytes"`
	Routines  int          `json:"goroutines"`
	Database  databaseView `json:"database"`
	Places    placesView   `json:"places"`
}

type databaseView struct {
	Kind        string          `json:"kind"` // file or server
	URL         string          `json:"url"`  // without its token
	Engine      string          `json:"engine"`
	Synchronous string          `json:"synchronous"` // NORMAL or FULL; "" of a server
	Size        int64           `json:"size_bytes"`  // 0: a server does not tell
	Free        int64           `json:"free_bytes"`  // of them, that hold nothing
	WAL         int64           `json:"wal_bytes"`
	DiskFree    uint64          `json:"disk_free_bytes"` // 0 of 0: nobody knows
	DiskSize    uint64          `json:"disk_size_bytes"`
	Migrations  []migrationView `json:"migrations"` // the newest first
	Waiting     int             `json:"writes_waiting"`
	Written     int64           `json:"writes"` // since the process started
	Refused     int64           `json:"writes_failed"`
}

type migrationView struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

// placesView is where things lie beside the database.
type placesView struct {
	Data    string `json:"data"`     // the folder
	Master  string `json:"master"`   // of the vault's keys: file, setting or kms
	KeyFile string `json:"key_file"` // "" unless Master is file
	Files   string `json:"files"`    // folder or bucket
	Archive string `json:"archive"`  // folder or bucket; "": calls stay
}

// system shows what runs.
func (h *handler) system(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	v, err := h.System(r.Context())
	if err != nil {
		return err
	}
	facts, err := h.Store.Facts(r.Context())
	if err != nil {
		return err
	}
	d := &v.Database
	d.Engine, d.Size, d.Free = facts.Engine, facts.Size, facts.Free
	d.Migrations = make([]migrationView, len(facts.Migrations))
	for i, m := range facts.Migrations {
		d.Migrations[i] = migrationView(m)
	}
	stats := h.Store.WriteStats()
	settling, admitting, background := stats.Waiting()
	d.Waiting, d.Written, d.Refused = settling+admitting+background, stats.Units(), stats.Failed()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	v.Go, v.Platform, v.Memory, v.Routines = runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH, int64(min(memory.Sys, 1<<62)), runtime.NumGoroutine()
	v.Lambda = !h.Streams
	return httpkit.WriteJSON(w, http.StatusOK, v)
}

// vaultView is the keys that seal secrets.
type vaultView struct {
	Rotating bool               `json:"rotating"`
	Data     []reseal.KeyStatus `json:"data"`
}

// vaultLease is what a rotation holds.
const vaultLease = "vault.rotate"

// vault lists the keys that seal secrets, and how many values each seals.
func (h *handler) vault(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	keys, err := h.Rotator().Status(r.Context())
	if err != nil {
		return err
	}
	rotating, err := h.rotating(r.Context())
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, vaultView{Rotating: rotating, Data: keys})
}

func (h *handler) rotating(ctx context.Context) (bool, error) {
	running, err := h.Store.RunningJobs(ctx)
	return slices.Contains(running, vaultLease), err
}

// rotateVault seals everything under a new key. It goes on when the request is
// over; one that is interrupted is brought to its end by the job admin.vault.
func (h *handler) rotateVault(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if rotating, err := h.rotating(r.Context()); err != nil {
		return err
	} else if rotating {
		return hub.Errorf(hub.CodeConflict, "The keys are being rotated already.")
	}
	if err := h.Desk.Note(r.Context(), c.Email, "vault.rotate", "", nil, nil); err != nil {
		return err
	}
	state := h.detached(r, func(ctx context.Context) error {
		out, err := h.Rotator().Rotate(ctx)
		if err != nil {
			httpkit.Log(ctx).ErrorContext(ctx, "the rotation of the vault's keys was not finished", "error", err)
		}
		if out.Active == "" {
			return err
		}
		after := map[string]any{}
		if text, err := json.Marshal(out); err == nil {
			_ = json.Unmarshal(text, &after) // what was just written
		}
		// The request may be over, but what was done stays on record.
		if noted := h.Desk.Note(context.WithoutCancel(ctx), c.Email, "vault.rotated", out.Active, nil, after); noted != nil && err == nil {
			err = noted
		}
		return err
	})
	return httpkit.WriteJSON(w, http.StatusOK, state)
}

func systemDocs() map[string]httpkit.Doc {
	plan := []httpkit.Param{
		{Name: "model", Required: true}, httpkit.Query("user", "The address of who would call."), httpkit.Query("keyId", "The id of the API key that would."),
		httpkit.Query("type", "chat or a kind of work"), httpkit.Query("dialect", "In which the call comes."), httpkit.Query("region", ""),
		httpkit.Query("route", "A wish, such as cheap."), httpkit.Query("tags", "By comma."), httpkit.Query("needs", "By comma."), {Name: "tokens", Number: true},
	}
	return map[string]httpkit.Doc{
		"GET /api/admin/overview":         {Summary: "Shows how the hub fares now, and what needs a hand.", Response: overviewView{}},
		"GET /api/admin/plan":             {Summary: "Shows how a call of somebody would be routed, without making it.", Query: plan, Response: planView{}},
		"GET /api/admin/system":           {Summary: "Shows what runs, over which database, and where things lie.", Response: systemView{}},
		"GET /api/admin/jobs":             {Summary: "Lists scheduled jobs and how they fare.", Response: httpkit.Object{"data": []jobView{}}},
		"POST /api/admin/jobs/{name}/run": {Summary: "Runs a job now; a long one goes on when the request is over.", Takes: httpkit.NoBody, Response: startedWork{}},
		"GET /api/admin/vault":            {Summary: "Lists the keys that seal secrets, and how many values each seals.", Response: vaultView{}},
		"POST /api/admin/vault/rotate":    {Summary: "Seals every secret under a new key; it goes on when the request is over.", Takes: httpkit.NoBody, Response: startedWork{}},
	}
}

func (h *handler) systemRoutes(admin administered) []httpkit.Route {
	return []httpkit.Route{
		admin("GET", "/api/admin/overview", h.overview),
		admin("GET", "/api/admin/plan", h.plan),
		admin("GET", "/api/admin/system", h.system),
		admin("GET", "/api/admin/jobs", h.listJobs),
		admin("POST", "/api/admin/jobs/{name}/run", h.runJob),
		admin("GET", "/api/admin/vault", h.vault),
		admin("POST", "/api/admin/vault/rotate", h.rotateVault),
	}
}
