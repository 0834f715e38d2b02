package admin

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// settingView is a setting that takes effect when the hub starts.
type settingView struct {
	Name    string `json:"name"`    // the environment variable
	Flag    string `json:"flag"`    // "" where there is none
	Default string `json:"default"` // what holds where nothing is given; "" for nothing
	Doc     string `json:"doc"`
	Given   bool   `json:"given"`
	Secret  bool   `json:"secret"` // its value is shown to nobody
	Value   string `json:"value"`  // "" where nothing is given
	From    string `json:"from"`   // flag, environment, Blocklet preference, the file's line, or default
}

func settingDocs() map[string]httpkit.Doc {
	return map[string]httpkit.Doc{
		"GET /api/admin/settings": {Summary: "Lists what the hub was started with, without secrets.", Response: httpkit.Object{"data": []settingView{}}},
	}
}

// listSettings shows the settings of the environment and the command line; they
// cannot be changed here.
func (h *handler) listSettings(w http.ResponseWriter, _ *http.Request, _ hub.Caller) error {
	out := make([]settingView, len(h.Settings))
	for i, s := range h.Settings {
		out[i] = settingView{Name: s.Name, Flag: s.Flag, Default: s.Default, Doc: s.Doc, Given: s.Given(), Secret: s.Secret, From: s.From}
		if s.Given() {
			out[i].Value = s.Value
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": out})
}
