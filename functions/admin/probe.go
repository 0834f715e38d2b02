package admin

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// probeView is how a provider answered the free question under one credential.
type probeView struct {
	Credential string `json:"credential"`
	OK         bool   `json:"ok"`
	HTTPStatus int    `json:"http_status"` // 0: no answer
	LatencyMS  int64  `json:"latency_ms"`
	Error      string `json:"error"`
}

// testProvider asks a provider, stored or of the environment, whether it takes
// each of its active credentials, or ?credential= alone. It costs nothing and changes nothing.
func (h *handler) testProvider(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	name, only := r.PathValue("name"), r.URL.Query().Get("credential")
	for _, p := range h.Routes().Providers() {
		if p.Name != name {
			continue
		}
		data := make([]probeView, 0, len(p.Credentials))
		for _, c := range p.Credentials {
			if only != "" && c.Name != only {
				continue
			}
			v := h.Probe(r.Context(), p, c.Secret)
			data = append(data, probeView{Credential: c.Name, OK: v.OK, HTTPStatus: v.HTTPStatus, LatencyMS: v.Latency.Milliseconds(), Error: v.Error})
		}
		return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
	}
	return hub.Errorf(hub.CodeNotFound, "There is no provider in use with this name.")
}
