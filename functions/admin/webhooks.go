package admin

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/httpkit"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// webhookView is a webhook. Its secret is shown once, when it is made.
type webhookView struct {
	ID        string    `json:"id"`
	URL       string    `json:"url"`
	Kinds     []string  `json:"kinds"` // empty: all
	Secret    shownOnce `json:"secret,omitempty"`
	CreatedAt time.Time `json:"created_at"`
}

// shownOnce is a secret that its owner must see.
type shownOnce string

func viewWebhook(e store.Endpoint) (webhookView, error) {
	v := webhookView{ID: e.ID, URL: e.URL, CreatedAt: e.CreatedAt}
	return v, json.Unmarshal([]byte(e.Kinds), &v.Kinds)
}

func (h *handler) listWebhooks(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	all, err := h.Store.Endpoints(r.Context())
	if err != nil {
		return err
	}
	out := make([]webhookView, len(all))
	for i, e := range all {
		if out[i], err = viewWebhook(e); err != nil {
			return err
		}
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"data": out})
}

type newWebhook struct {
	URL   string   `json:"url" validate:"required"`
	Kinds []string `json:"kinds"`
}

func (h *handler) addWebhook(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newWebhook](r)
	if err != nil {
		return err
	}
	e, secret, err := h.Desk.AddWebhook(r.Context(), c.Email, in.URL, in.Kinds)
	if err != nil {
		return err
	}
	v, err := viewWebhook(e)
	if err != nil {
		return err
	}
	v.Secret = shownOnce(secret.Reveal())
	return httpkit.WriteJSON(w, http.StatusCreated, v)
}

func (h *handler) removeWebhook(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	if err := h.Desk.RemoveWebhook(r.Context(), c.Email, r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// testWebhook sends a test event at once and says whether it arrived.
func (h *handler) testWebhook(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	if err := h.Desk.TestWebhook(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	return httpkit.WriteJSON(w, http.StatusOK, map[string]any{"delivered": true})
}

// notificationView is a notification and how far it got.
type notificationView struct {
	ID         string          `json:"id"`
	Kind       string          `json:"kind"`
	Severity   string          `json:"severity"`
	Title      string          `json:"title"`
	Data       json.RawMessage `json:"data"`
	CreatedAt  time.Time       `json:"created_at"`
	Deliveries []deliveryView  `json:"deliveries"`
}

type deliveryView struct {
	Channel  string `json:"channel"` // webhook or email
	Address  string `json:"address"` // a webhook's id, or an e-mail address
	State    string `json:"state"`   // pending, sent or dead
	Attempts int    `json:"attempts"`
	Error    string `json:"error,omitempty"`
}

func (h *handler) listNotifications(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	before, size, err := httpkit.CursorPage(r)
	if err != nil {
		return err
	}
	rows, err := h.Store.Notifications(r.Context(), before, size+1)
	if err != nil {
		return err
	}
	ids := make([]string, len(rows))
	for i, n := range rows {
		ids[i] = n.ID
	}
	states, err := h.Store.DeliveryStates(r.Context(), ids)
	if err != nil {
		return err
	}
	by := map[string][]deliveryView{}
	for _, d := range states {
		by[d.NotificationID] = append(by[d.NotificationID], deliveryView{d.Channel, d.Address, d.State, d.Attempts, d.Error})
	}
	return httpkit.WriteJSON(w, http.StatusOK, httpkit.Listed(rows, size, func(n store.Notification) string { return n.ID }, func(n store.Notification) notificationView {
		return notificationView{n.ID, n.Kind, n.Severity, n.Title, json.RawMessage(n.Body), n.CreatedAt, append([]deliveryView{}, by[n.ID]...)}
	}))
}

// mailChoice is which kinds of events go out by e-mail. Kinds is null where
// nobody chose: then it is all that are more than information.
type mailChoice struct {
	Kinds     []string `json:"kinds" openapi:"null"`
	Available []string `json:"available,omitempty"` // what there is to choose from
	Server    *bool    `json:"server,omitempty"`    // whether there is a mail server
}

func (h *handler) mailKinds(w http.ResponseWriter, r *http.Request, _ hub.Caller) error {
	kinds, chosen, err := h.Desk.Notify.Mailed(r.Context())
	if err != nil {
		return err
	}
	out := mailChoice{Server: new(h.Desk.Notify.Mail != nil)}
	if chosen {
		out.Kinds = names(kinds)
	}
	out.Available = names(notify.Kinds())
	return httpkit.WriteJSON(w, http.StatusOK, out)
}

func names(kinds []notify.Kind) []string {
	out := make([]string, len(kinds))
	for i, k := range kinds {
		out[i] = string(k)
	}
	return out
}

type newMailChoice struct {
	Kinds []string `json:"kinds" openapi:"null"` // null: the default
}

func (h *handler) setMailKinds(w http.ResponseWriter, r *http.Request, c hub.Caller) error {
	in, err := httpkit.Decode[newMailChoice](r)
	if err != nil {
		return err
	}
	if err := h.Desk.SetMailKinds(r.Context(), c.Email, in.Kinds); err != nil {
		return err
	}
	return h.mailKinds(w, r, c)
}
