package admin

import (
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/provider"
)

// kindView is a sort of provider that the hub knows, for whoever adds one.
type kindView struct {
	ID          string `json:"id"`
	Title       string `json:"title"`
	BaseURL     string `json:"base_url"`     // may hold {region} and {project}; "": one must be given
	Credential  string `json:"credential"`   // api_key, access_key_pair or service_account
	KeyOptional bool   `json:"key_optional"` // it may serve without a credential
	Local       bool   `json:"local"`        // it usually runs on the hub's own machine
	Docs        string `json:"docs"`         // the vendor's documentation; "" for none

	Languages []string `json:"languages"` // that chat is spoken in, the best first
	Refuses   []string `json:"refuses"`   // fields of requests that it does not take, and is not sent
}

// listKinds lists the sorts of providers, the vendors themselves first.
func (h *handler) listKinds(w http.ResponseWriter, _ *http.Request, _ hub.Caller) error {
	all := provider.All()
	data := make([]kindView, len(all))
	for i, k := range all {
		v := kindView{ID: k.ID, Title: k.Title, BaseURL: k.BaseURL, Credential: "api_key", KeyOptional: k.KeyOptional || k.LocalBaseURL,
			Local: k.LocalBaseURL, Docs: k.PublicDocs}
		v.Languages, v.Refuses = []string{}, append([]string{}, k.Quirks.Refuses...)
		for _, d := range k.Dialects {
			v.Languages = append(v.Languages, string(d))
		}
		switch k.Auth {
		case provider.SigV4:
			v.Credential = "access_key_pair"
		case provider.GoogleAccount:
			v.Credential = "service_account"
		}
		data[i] = v
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": data})
}
