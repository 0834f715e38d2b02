package billing

import (
	"encoding/json"
	"net/http"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/paymentkit"
)

const maxNotice = 1 << 20 // bytes

// notice is what Payment Kit tells of, as far as it matters here: whose credits
// have changed. What they are now is read from Payment Kit itself.
type notice struct {
	Type string `json:"type"`
	Data struct {
		Object struct {
			CustomerID  string `json:"customer_id"`
			CustomerDID string `json:"customer_did"`
		} `json:"object"`
	} `json:"data"`
}

// paymentNotice takes a notice that a component of the app has signed.
func (h *handler) paymentNotice(w http.ResponseWriter, r *http.Request) error {
	if h.Mirror == nil {
		return hub.Errorf(hub.CodeNotFound, "No Payment Kit sells credits here.")
	}
	body, err := httpkit.ReadBody(r, maxNotice)
	if err != nil {
		return err
	}
	if _, err := h.Blocklet.Key.Verify(r, body, h.Now()); err != nil {
		return hub.Wrap(hub.CodeUnauthenticated, err, "The notice is not signed by a component of this app.")
	}
	var n notice
	if err := json.Unmarshal(body, &n); err != nil {
		return hub.Wrap(hub.CodeInvalid, err, "The notice is no JSON object.")
	}
	if n.Type == paymentkit.EventGranted || n.Type == paymentkit.EventCompleted {
		who := n.Data.Object.CustomerDID
		if who == "" {
			who = n.Data.Object.CustomerID
		}
		if err := h.Mirror.SyncNamed(r.Context(), who); err != nil {
			return hub.Wrap(hub.CodeUnavailable, err, "The customer's grants cannot be read now.")
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, struct{}{})
}

// refresh brings a wallet up to date with Payment Kit before it is shown.
func (h *handler) refresh(r *http.Request, c hub.Caller) {
	if h.Mirror != nil {
		h.Mirror.Touch(r.Context(), c.UserID)
	}
}

// buyLink is where the owner of a wallet buys credits, "" when nowhere.
func (h *handler) buyLink(r *http.Request, accountID string) string {
	if h.Mirror != nil {
		if link := h.Mirror.Link(r.Context(), accountID); link != "" {
			return link
		}
	}
	return h.PaymentLink
}
