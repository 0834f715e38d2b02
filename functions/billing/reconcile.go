package billing

import (
	"mime"
	"net/http"
	"slices"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/reconcile"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// exportTypes are what an export's body may be called. A form on a foreign page
// can send none of them.
var exportTypes = []string{"text/csv", "text/tab-separated-values", "application/json", "application/x-ndjson"}

// importBill reads a provider's export, which is the body: ?provider=, ?format=,
// and for csv ?zone=, ?map= and ?calls=true.
func (h *handler) importBill(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || !slices.Contains(exportTypes, kind) {
		return hub.Errorf(hub.CodeUnsupportedMedia, "Send the export as it is, with the header Content-Type: text/csv or application/json.")
	}
	q := r.URL.Query()
	o := reconcile.Options{Provider: q.Get("provider"), Format: reconcile.Format(q.Get("format")), Calls: q.Get("calls") == "true"}
	var err error
	if o.Columns, err = reconcile.ParseColumns(q.Get("map")); err != nil {
		return err
	}
	if o.Zone, err = reconcile.ParseZone(q.Get("zone")); err != nil {
		return err
	}
	in, err := h.Desk.ImportBill(r.Context(), c.Email, r.Body, o)
	if err != nil {
		return err
	}
	status := http.StatusCreated
	if in.ID == "" {
		status = http.StatusOK // nothing that was not there
	}
	return httpkit.WriteJSON(w, status, in)
}

// listBills lists imports, newest first: ?cursor=, ?pageSize=.
func (h *handler) listBills(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	before := ""
	if paging.Cursor != "" {
		keys, err := httpkit.DecodeCursor(paging.Cursor, 1)
		if err != nil {
			return err
		}
		before = keys[0]
	}
	all, err := h.Store.BillImports(r.Context(), before, paging.Size+1)
	if err != nil {
		return err
	}
	out := struct {
		Data       []store.BillImport `json:"data"`
		NextCursor *string            `json:"next_cursor"`
	}{Data: []store.BillImport{}}
	if len(all) > paging.Size {
		all = all[:paging.Size]
		out.NextCursor = new(httpkit.EncodeCursor(all[len(all)-1].ID))
	}
	out.Data = append(out.Data, all...)
	return httpkit.WriteJSON(w, http.StatusOK, out)
}

// reportBills sets bills against what was recorded: ?provider=, ?from= and ?to=
// (days), ?tolerance= (percent), ?min_cost= (dollars), ?over=true for what is
// beyond, ?page=, ?pageSize=.
func (h *handler) reportBills(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	switch {
	case err != nil:
		return err
	case paging.Cursor != "":
		return hub.Invalid("cursor", "This list has no cursor; use page.")
	}
	v := r.URL.Query()
	q, err := reconcile.ParseQuery(v.Get("provider"), v.Get("from"), v.Get("to"), v.Get("tolerance"), v.Get("min_cost"), h.Now())
	if err != nil {
		return err
	}
	report, err := h.Desk.Bills().Report(r.Context(), q)
	if err != nil {
		return err
	}
	if v.Get("over") == "true" {
		report.Drifts = slices.DeleteFunc(report.Drifts, func(d reconcile.Drift) bool { return !d.Over })
	}
	count := len(report.Drifts)
	report.Drifts = report.Drifts[min(paging.Offset(), count):min(paging.Offset()+paging.Size, count)]
	return httpkit.WriteJSON(w, http.StatusOK, reportPage{report, count})
}

type reportPage struct {
	reconcile.Report
	Count int `json:"count"`
}

// billedCall is a call behind a figure.
type billedCall struct {
	ID         string           `json:"id"`
	CreatedAt  time.Time        `json:"created_at"`
	Model      string           `json:"model"`
	Credential string           `json:"credential"`
	Status     hub.CallStatus   `json:"status"`
	Usage      map[string]int64 `json:"usage"`
	Source     hub.UsageSource  `json:"usage_source"`
	CostUSD    *money.Credits   `json:"cost_usd"`
	Credits    money.Credits    `json:"credits"`
}

// billedCalls lists the calls behind a line of the report, oldest first:
// ?provider=, ?day= and ?until= as the report has them, ?model=, ?credential=,
// ?cursor=, ?pageSize=.
func (h *handler) billedCalls(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	paging, err := httpkit.ParsePaging(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	f := store.BilledFilter{Provider: q.Get("provider"), Model: q.Get("model"), Credential: q.Get("credential"), Limit: paging.Size + 1}
	if f.Provider == "" {
		return hub.Invalid("provider", "Name the provider.")
	}
	if f.From, f.Until, err = reconcile.ParseDay(q.Get("day"), q.Get("until")); err != nil {
		return err
	}
	if paging.Cursor != "" {
		keys, err := httpkit.DecodeCursor(paging.Cursor, 1)
		if err != nil {
			return err
		}
		f.After = keys[0]
	}
	found, err := h.Desk.Bills().Calls(r.Context(), f)
	if err != nil {
		return err
	}
	out := struct {
		Data       []billedCall `json:"data"`
		NextCursor *string      `json:"next_cursor"`
	}{Data: []billedCall{}}
	if len(found) > paging.Size {
		found = found[:paging.Size]
		out.NextCursor = new(httpkit.EncodeCursor(found[len(found)-1].ID))
	}
	for i := range found {
		c := &found[i]
		v := billedCall{ID: c.ID, CreatedAt: c.CreatedAt, Model: c.Model, Credential: c.Credential, Status: c.Status, Usage: map[string]int64{},
			Source: c.Source, CostUSD: c.Cost, Credits: c.Credits}
		for b, n := range c.Usage {
			if n != 0 {
				v.Usage[hub.Bucket(b).String()] = n
			}
		}
		out.Data = append(out.Data, v)
	}
	return httpkit.WriteJSON(w, http.StatusOK, out)
}

type billKey struct {
	Provider   string `json:"provider" validate:"required,max=64"`
	Key        string `json:"key" validate:"required,max=200"`
	Credential string `json:"credential" validate:"max=200"` // "" takes the mapping back
}

// mapBillKey says which credential a key of an export is.
func (h *handler) mapBillKey(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[billKey](r)
	if err != nil {
		return err
	}
	if err := h.Desk.MapBillKey(r.Context(), c.Email, in.Provider, in.Key, in.Credential); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
