package proxy

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// wantedProbe names the model that is to be called.
type wantedProbe struct {
	Provider string `json:"provider" validate:"required"`
	Model    string `json:"model" validate:"required"`
}

// probed is what came of it.
type probed struct {
	OK         bool    `json:"ok"`
	Credential string  `json:"credential"` // by which it was called last
	HTTPStatus int     `json:"http_status"`
	TTFB       int64   `json:"ttfb_ms"`
	Code       string  `json:"code,omitempty"`
	Error      string  `json:"error,omitempty"`
	Input      int64   `json:"input_tokens"`
	Output     int64   `json:"output_tokens"`
	Cost       *string `json:"cost_usd"` // null: unknown
}

// probeNow makes the smallest call of chat to one model, at the operator's expense:
// no wallet and no limit has to do with it. It is on record with the hub's other
// own calls.
func (h *handler) probeNow(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	in, err := httpkit.Decode[wantedProbe](r)
	if err != nil {
		return err
	}
	plan, err := h.Routes().Plan(routing.Request{Model: in.Provider + "/" + in.Model, Type: hub.TypeChat, Dialect: dialect.OpenAIChat})
	if err != nil {
		return err
	}
	for i := range plan.Targets {
		t := &plan.Targets[i]
		if t.Provider.Name != in.Provider {
			continue
		}
		p := h.probeTarget(r.Context(), t)
		if err := h.Store.AddProbe(r.Context(), p); err != nil {
			return err
		}
		v := probed{OK: p.OK, Credential: p.Credential, HTTPStatus: p.HTTPStatus, TTFB: p.TTFB.Milliseconds(), Code: p.Category, Error: p.Error,
			Input: p.Usage.Prompt(), Output: p.Usage.Completion()}
		if p.Cost != nil {
			v.Cost = new(p.Cost.String())
		}
		return httpkit.WriteJSON(w, http.StatusOK, v)
	}
	return hub.Invalid("model", "%s has no such model for chat.", in.Provider)
}
