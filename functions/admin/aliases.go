package admin

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// listedAlias is an alias and who manages it.
type listedAlias struct {
	aliasView
	Managed string `json:"managed,omitempty"` // file: only the file that was applied may change it
}

// aliasView is a model name of the operator's own.
type aliasView struct {
	Name  string         `json:"name" validate:"required"`
	Rules []routing.Rule `json:"rules" validate:"required,min=1"`
}

func (h *handler) listAliases(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	all, err := h.Store.Aliases(r.Context())
	if err != nil {
		return err
	}
	out := make([]listedAlias, len(all))
	for i, row := range all {
		a, err := operator.ReadAlias(row)
		if err != nil {
			return err
		}
		out[i] = listedAlias{aliasView(*a), row.Managed}
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": out})
}

func (h *handler) setAlias(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[aliasView](r)
	if err != nil {
		return err
	}
	if err := h.Desk.SetAlias(r.Context(), c.Email, routing.Alias(in)); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, in)
}

func (h *handler) removeAlias(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RemoveAlias(r.Context(), c.Email, r.PathValue("name")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
