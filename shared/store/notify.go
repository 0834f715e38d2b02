package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"
)

// Notification is something that operators are told.
type Notification struct {
	ID        string
	Kind      string
	Severity  string // info, warning or error
	Title     string
	Body      string // JSON, without secrets
	CreatedAt time.Time
}

// Delivery is one place that a notification is to reach.
type Delivery struct {
	Notification
	Channel  string // webhook or email
	Address  string // an endpoint's id, or an e-mail address
	Attempts int
}

// Endpoint is a webhook. The secret that signs is sealed.
type Endpoint struct {
	ID        string
	URL       string
	Sealed    string
	KeyID     string
	Kinds     string // JSON list; empty: all
	Enabled   bool
	CreatedAt time.Time
}

// Notify records a notification and where it is to go. One with the same id that
// is there already stays as it is, and is not sent again.
func (s *Store) Notify(ctx context.Context, n Notification, to []Delivery) error {
	if n.ID == "" {
		n.ID = s.NewID()
	}
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO notifications (id, kind, severity, title, body_json, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		n.ID, n.Kind, n.Severity, n.Title, n.Body, s.millis())
	for _, d := range to {
		u.Add("INSERT INTO notification_deliveries (notification_id, channel, address, next_at) VALUES (?1, ?2, ?3, "+dbNow+")", n.ID, d.Channel, d.Address)
	}
	err := s.Do(ctx, u)
	if errors.Is(err, ErrConflict) {
		return nil
	}
	return err
}

// DueDeliveries lists what is to be sent now: up to each for one address, so that
// a receiver that is away does not keep others waiting, and up to limit in all.
func (s *Store) DueDeliveries(ctx context.Context, each, limit int) ([]Delivery, error) {
	return list(ctx, s.read, func(r *sql.Rows, d *Delivery) error {
		var created int64
		err := r.Scan(&d.ID, &d.Kind, &d.Severity, &d.Title, &d.Body, &created, &d.Channel, &d.Address, &d.Attempts)
		d.CreatedAt = time.UnixMilli(created).UTC()
		return err
	}, `SELECT n.id, n.kind, n.severity, n.title, n.body_json, n.created_at, d.channel, d.address, d.attempts
FROM (SELECT notification_id, channel, address, attempts, next_at, row_number() OVER (PARTITION BY channel, address ORDER BY next_at, notification_id) AS place
  FROM notification_deliveries WHERE state = 'pending' AND next_at <= `+dbNow+`) d JOIN notifications n ON n.id = d.notification_id
WHERE d.place <= ?1 ORDER BY d.next_at, n.id LIMIT ?2`, each, limit)
}

// DeliveryState is how far a delivery is.
type DeliveryState struct {
	NotificationID string
	Channel        string // webhook or email
	Address        string
	State          string // pending, sent or dead
	Attempts       int
	Error          string // of the last attempt
}

// DeliveryStates lists the deliveries of some notifications.
func (s *Store) DeliveryStates(ctx context.Context, ids []string) ([]DeliveryState, error) {
	all, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return list(ctx, s.read, func(r *sql.Rows, d *DeliveryState) error {
		return r.Scan(&d.NotificationID, &d.Channel, &d.Address, &d.State, &d.Attempts, &d.Error)
	}, `SELECT notification_id, channel, address, state, attempts, error FROM notification_deliveries
WHERE notification_id IN (SELECT value FROM json_each(?)) ORDER BY notification_id, channel, address`, string(all))
}

// Delivered notes that a delivery arrived.
func (s *Store) Delivered(ctx context.Context, d Delivery) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE notification_deliveries SET state = 'sent', attempts = attempts + 1, error = '' WHERE notification_id = ?1 AND channel = ?2 AND address = ?3",
		d.ID, d.Channel, d.Address)
	return s.Do(ctx, u)
}

// Undelivered notes that a delivery failed: it is tried again after a while, or
// given up when wait is 0.
func (s *Store) Undelivered(ctx context.Context, d Delivery, reason string, wait time.Duration) error {
	state := "pending"
	if wait <= 0 {
		state = "dead"
	}
	u := &Unit{Priority: Background}
	u.Add("UPDATE notification_deliveries SET state = ?4, attempts = attempts + 1, next_at = "+dbNow+" + ?5, error = ?6 WHERE notification_id = ?1 AND channel = ?2 AND address = ?3",
		d.ID, d.Channel, d.Address, state, wait.Milliseconds(), reason)
	return s.Do(ctx, u)
}

// Redeliver has the deliveries of a notification tried again that were given up. A
// webhook that was removed gets nothing. ErrNotFound: there is nothing to try.
func (s *Store) Redeliver(ctx context.Context, id string) error {
	return s.Exec(ctx, "UPDATE notification_deliveries SET state = 'pending', attempts = 0, next_at = "+dbNow+` WHERE notification_id = ?1 AND state = 'dead'
  AND (channel <> 'webhook' OR EXISTS (SELECT 1 FROM webhook_endpoints WHERE id = address AND enabled = 1))`, id)
}

// Notifications lists up to limit notifications older than the one with id
// before ("": from the newest), newest first.
func (s *Store) Notifications(ctx context.Context, before string, limit int) ([]Notification, error) {
	return list(ctx, s.read, func(r *sql.Rows, n *Notification) error {
		var created int64
		err := r.Scan(&n.ID, &n.Kind, &n.Severity, &n.Title, &n.Body, &created)
		n.CreatedAt = time.UnixMilli(created).UTC()
		return err
	}, `SELECT id, kind, severity, title, body_json, created_at FROM notifications
WHERE (created_at, id) < (coalesce((SELECT created_at FROM notifications WHERE id = ?1), 9223372036854775807), ?1)
ORDER BY created_at DESC, id DESC LIMIT ?2`, before, limit)
}

// ForgetNotifications deletes notifications older than age, a batch at a time.
func (s *Store) ForgetNotifications(ctx context.Context, age time.Duration) error {
	const batch = 1000
	u := &Unit{Priority: Background}
	u.Add("DELETE FROM notifications WHERE id IN (SELECT id FROM notifications WHERE created_at < "+dbNow+" - ?1 ORDER BY created_at LIMIT ?2)",
		age.Milliseconds(), batch)
	return s.Do(ctx, u)
}

// AddEndpoint stores a webhook.
func (s *Store) AddEndpoint(ctx context.Context, e Endpoint) error {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO webhook_endpoints (id, url, sealed, key_id, kinds_json, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		e.ID, e.URL, e.Sealed, e.KeyID, e.Kinds, s.millis())
	return s.Do(ctx, u)
}

// RemoveEndpoint deletes a webhook and gives up what was on its way there.
// ErrNotFound: there is none with that id.
func (s *Store) RemoveEndpoint(ctx context.Context, id string) error {
	if err := s.Exec(ctx, "DELETE FROM webhook_endpoints WHERE id = ?1", id); err != nil {
		return err
	}
	u := &Unit{Priority: Background}
	u.Add("UPDATE notification_deliveries SET state = 'dead', error = 'the webhook was removed' WHERE state = 'pending' AND next_at >= 0 AND channel = 'webhook' AND address = ?1", id)
	return s.Do(ctx, u)
}

// Endpoints lists the webhooks, oldest first.
func (s *Store) Endpoints(ctx context.Context) ([]Endpoint, error) {
	return list(ctx, s.read, func(r *sql.Rows, e *Endpoint) error {
		var created int64
		err := r.Scan(&e.ID, &e.URL, &e.Sealed, &e.KeyID, &e.Kinds, &e.Enabled, &created)
		e.CreatedAt = time.UnixMilli(created).UTC()
		return err
	}, "SELECT id, url, sealed, key_id, kinds_json, enabled, created_at FROM webhook_endpoints ORDER BY id LIMIT 1000")
}

// Administrators lists the e-mail addresses of owners and admins who are not
// disabled.
func (s *Store) Administrators(ctx context.Context) ([]string, error) {
	return list(ctx, s.read, func(r *sql.Rows, email *string) error { return r.Scan(email) },
		"SELECT email FROM users WHERE role IN ('owner','admin') AND disabled_at IS NULL AND email NOT LIKE '%.invalid' ORDER BY id LIMIT 100")
}
