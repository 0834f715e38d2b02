package proxy

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// explain answers "why would this go there", see routing.Ask.
func (h *handler) explain(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	req, err := routing.Ask(r.URL.Query(), groupsOf(c), c.Models)
	if err != nil {
		return err
	}
	v, err := h.Routes().Explain(req)
	if err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, v)
}
