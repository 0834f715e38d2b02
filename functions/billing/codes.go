package billing

import (
	"encoding/csv"
	"net/http"
	"strconv"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/selling"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func (h *handler) codeRoutes() []httpkit.Route {
	return []httpkit.Route{
		{Method: "POST", Pattern: "/api/user/credit/redeem", Who: httpkit.AnyUser, As: h.redeem, Scope: hub.ScopeBilling, Data: httpkit.Own, MaxBody: maxForm},
		{Method: "GET", Pattern: "/api/billing/codes", Who: httpkit.Admin, As: h.listCodes, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/codes", Who: httpkit.Admin, As: h.createCodes, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "GET", Pattern: "/api/billing/codes/export", Who: httpkit.Admin, As: h.exportCodes, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/codes/{id}/disable", Who: httpkit.Admin, As: h.disableCode, Scope: hub.ScopeAdmin, Data: httpkit.All},
		{Method: "POST", Pattern: "/api/billing/codes/batches/{batch}/disable", Who: httpkit.Admin, As: h.disableBatch, Scope: hub.ScopeAdmin, Data: httpkit.All},
	}
}

// maxForm is the limit of small bodies in bytes.
const maxForm = 16 << 10

// redeem gives the caller a code's credits.
func (h *handler) redeem(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[struct {
		Code string `json:"code"`
	}](r)
	if err != nil {
		return err
	}
	g, err := h.Codes.Redeem(r.Context(), c, hub.Secret(in.Code))
	if err != nil {
		return err
	}
	if err := h.Desk.Note(r.Context(), c.Email, "codes.redeem", c.Email, nil, map[string]any{"grant": g.ID, "amount": g.Amount.String()}); err != nil {
		return err
	}
	a, err := h.Book.Balance(r.Context(), c.AccountID)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusCreated, map[string]any{"grant": viewGrant(g), "balance": a.Balance, "available": a.Available()})
}

type newCodes struct {
	Count     int           `json:"count"`
	Amount    money.Credits `json:"amount"` // decimal text, at most nine decimals
	Batch     string        `json:"batch"`
	Prefix    string        `json:"prefix"`
	Kind      string        `json:"kind"`
	Priority  int64         `json:"priority"`
	LifeDays  int           `json:"life_days"` // of the credits once redeemed; 0: for ever
	MaxUses   int64         `json:"max_uses"`
	ExpiresAt *time.Time    `json:"expires_at"` // of the codes
}

// codeView is a redeem code; amounts are credits as decimal text.
type codeView struct {
	ID        string        `json:"id"`
	Code      string        `json:"code,omitempty"` // where it is made
	Hint      string        `json:"hint"`
	Batch     string        `json:"batch"`
	Amount    money.Credits `json:"amount"`
	Kind      string        `json:"kind"`
	Priority  int64         `json:"priority"`
	LifeDays  int64         `json:"life_days"` // 0: for ever
	MaxUses   int64         `json:"max_uses"`
	Uses      int64         `json:"uses"`
	State     string        `json:"state"` // active, used, expired or disabled
	ExpiresAt *time.Time    `json:"expires_at"`
	CreatedBy string        `json:"created_by"`
	CreatedAt time.Time     `json:"created_at"`
}

func (h *handler) viewCode(c selling.Code) codeView {
	return codeView{ID: c.ID, Code: c.Text.Reveal(), Hint: c.Hint, Batch: c.Batch, Amount: c.Amount, Kind: c.Kind, Priority: c.Priority,
		LifeDays: c.LifeDays(), MaxUses: c.MaxUses, Uses: c.Uses, State: c.State(h.now()), ExpiresAt: c.ExpiresAt, CreatedBy: c.Actor, CreatedAt: c.CreatedAt}
}

// createCodes makes redeem codes and shows them.
func (h *handler) createCodes(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newCodes](r)
	if err != nil {
		return err
	}
	if in.LifeDays < 0 || in.LifeDays > selling.MaxLifeDays {
		return hub.Invalid("life_days", "life_days must be 0 to %d.", selling.MaxLifeDays)
	}
	codes, err := h.Desk.CreateCodes(r.Context(), c.Email, selling.NewCodes{Count: in.Count, Amount: in.Amount, Batch: in.Batch, Prefix: in.Prefix, Kind: in.Kind,
		Priority: in.Priority, Life: time.Duration(in.LifeDays) * 24 * time.Hour, MaxUses: in.MaxUses, ExpiresAt: in.ExpiresAt})
	if err != nil {
		return err
	}
	data := make([]codeView, len(codes))
	for i, code := range codes {
		data[i] = h.viewCode(code)
	}
	w.Header().Set("Cache-Control", "no-store")
	return httpkit.WriteJSON(w, http.StatusCreated, map[string]any{"batch": codes[0].Batch, "data": data})
}

// listCodes lists redeem codes without their texts, oldest first: ?batch=,
// ?state=active|used|expired|disabled, ?cursor=, ?pageSize=.
func (h *handler) listCodes(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	after, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	q := r.URL.Query()
	switch q.Get("state") {
	case "", "active", "used", "expired", "disabled":
	default:
		return hub.Invalid("state", "state must be active, used, expired or disabled.")
	}
	rows, err := h.Store.RedeemCodes(r.Context(), q.Get("batch"), q.Get("state"), after, size+1)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(c store.RedeemCode) string { return c.ID },
		func(c store.RedeemCode) codeView { return h.viewCode(selling.Code{RedeemCode: c}) }))
}

// exportCodes writes a batch as CSV, the codes' texts included: ?batch=.
func (h *handler) exportCodes(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	batch := r.URL.Query().Get("batch")
	if batch == "" {
		return hub.Invalid("batch", "Name the batch: ?batch=NAME.")
	}
	const some = 1000
	codes, err := h.Desk.ExportCodes(r.Context(), c.Email, batch, "", some)
	if err != nil {
		return err
	}
	csvHeaders(w, "codes-"+batch+".csv")
	out := csv.NewWriter(w)
	err = out.Write([]string{"code", "amount", "kind", "max_uses", "uses", "state", "expires_at", "batch", "id", "created_at"})
	for err == nil && len(codes) > 0 {
		for _, code := range codes {
			if err = out.Write(h.codeRow(code)); err != nil {
				return err
			}
		}
		if len(codes) < some {
			break
		}
		codes, err = h.Desk.ExportCodes(r.Context(), c.Email, batch, codes[len(codes)-1].ID, some)
	}
	out.Flush()
	if err != nil {
		return err
	}
	return out.Error()
}

func (h *handler) codeRow(c selling.Code) []string {
	return selling.SafeCells(c.Text.Reveal(), c.Amount.String(), c.Kind, strconv.FormatInt(c.MaxUses, 10), strconv.FormatInt(c.Uses, 10),
		c.State(h.now()), textOf(c.ExpiresAt), c.Batch, c.ID, textOf(&c.CreatedAt))
}

func (h *handler) disableCode(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.DisableCode(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"disabled": 1})
}

func (h *handler) disableBatch(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	n, err := h.Desk.DisableBatch(r.Context(), c.Email, r.PathValue("batch"))
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"disabled": n})
}
