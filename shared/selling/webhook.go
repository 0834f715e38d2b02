package selling

import (
	"context"
	"errors"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
	"github.com/aigne-hub/aigne-hub/shared/stripe"
)

// Webhook takes in an event. Without a secret, or with a signature that does not
// fit, it fails and changes nothing. The provider repeats what fails; what is none
// of the hub's business succeeds.
func (s *Shop) Webhook(ctx context.Context, signature string, body []byte) error {
	if !s.On() || s.Secret == "" {
		return hub.Errorf(hub.CodeUnavailable, "This hub takes no payment webhooks: its secret is not set.")
	}
	if err := stripe.Verify(s.Secret, signature, body, s.Now()); err != nil {
		return hub.Wrap(hub.CodeInvalid, err, "The signature does not fit.")
	}
	e, err := stripe.ParseEvent(body)
	if err != nil {
		return hub.Wrap(hub.CodeInvalid, err, "The event cannot be read.")
	}
	if err := s.take(ctx, e); err != nil {
		return hub.Wrap(hub.CodeUnavailable, err, "The event could not be taken in now.")
	}
	return nil
}

func (s *Shop) take(ctx context.Context, e stripe.Event) error {
	switch {
	case strings.HasPrefix(e.Type, "checkout.session."):
		return s.onSession(ctx, e)
	case e.Type == "payment_intent.succeeded", e.Type == "payment_intent.payment_failed", e.Type == "payment_intent.canceled":
		v, err := stripe.Object[stripe.Intent](e)
		if err != nil {
			return err
		}
		return s.onIntent(ctx, e.ID, v)
	case e.Type == "refund.failed":
		return s.onRefundFailed(ctx, e)
	case e.Type == "charge.refunded":
		return s.onRefund(ctx, e)
	case strings.HasPrefix(e.Type, "charge.dispute."):
		return s.onDispute(ctx, e)
	}
	return nil
}

func (s *Shop) onSession(ctx context.Context, e stripe.Event) error {
	v, err := stripe.Object[stripe.Session](e)
	if err != nil {
		return err
	}
	return s.apply(ctx, e.ID, func(ctx context.Context, tx *store.Tx) error {
		if e.Type != "checkout.session.async_payment_failed" {
			return s.takeSession(ctx, tx, v)
		}
		p, err := tx.PaymentBySession(ctx, v.ID)
		if err != nil {
			return ignore(err, store.ErrNotFound)
		}
		_, err = tx.EndPayment(ctx, p.ID, "failed", "the payment failed at the bank")
		return err
	})
}

func (s *Shop) onRefund(ctx context.Context, e stripe.Event) error {
	v, err := stripe.Object[stripe.Charge](e)
	if err != nil || v.Intent == "" || v.Refunded <= 0 { // the hub's charges have intents
		return err
	}
	return s.apply(ctx, e.ID, func(ctx context.Context, tx *store.Tx) error {
		return s.Store.NoteRefund(ctx, tx, string(v.Intent), v.ID, v.Refunded)
	})
}

// onRefundFailed tells operators: the credits were taken when the refund was made,
// and what to do about money that came back is theirs to decide.
func (s *Shop) onRefundFailed(ctx context.Context, e stripe.Event) error {
	v, err := stripe.Object[stripe.Refund](e)
	if err != nil {
		return err
	}
	p, err := s.Store.PaymentByIntent(ctx, string(v.Intent))
	if err != nil {
		return ignore(err, store.ErrNotFound)
	}
	return s.Tell(ctx, notify.Event{ID: "payment.refund:" + v.ID, Kind: notify.PaymentRefund, Severity: notify.Warning,
		Title: "A refund did not reach its buyer; its credits stay taken until you give them back.",
		Data:  map[string]any{"payment": p.ID, "refund": v.ID, "amount": Money(v.Amount, v.Currency), "reason": v.Reason}})
}

// stage is how far a dispute is, from what the event says and the dispute's state:
// events of one dispute come in any order.
func stage(event, status string) int64 {
	var at int64
	switch {
	case status == "won", event == "charge.dispute.funds_reinstated":
		return store.DisputeWon
	case status == "lost":
		return store.DisputeLost
	case status == "needs_response", status == "under_review", event == "charge.dispute.funds_withdrawn":
		at = store.DisputeOpen
	}
	return at // warning_…, prevented: no money moves
}

func (s *Shop) onDispute(ctx context.Context, e stripe.Event) error {
	v, err := stripe.Object[stripe.Dispute](e)
	if err != nil || v.Intent == "" || v.ID == "" {
		return err
	}
	at := stage(e.Type, v.Status)
	if err := s.tellDispute(ctx, v, at); err != nil {
		return err
	}
	return s.apply(ctx, e.ID, func(ctx context.Context, tx *store.Tx) error {
		return s.Store.NoteDispute(ctx, tx, string(v.Intent), string(v.Charge), store.Dispute{ID: v.ID, Amount: v.Amount, Currency: v.Currency, Stage: at})
	})
}

// tellDispute tells operators, who have days to answer: before the event is taken
// in, so that a crash cannot lose it, and once for each stage. Disputes of what
// the hub did not sell are somebody else's.
func (s *Shop) tellDispute(ctx context.Context, v stripe.Dispute, at int64) error {
	p, err := s.Store.PaymentByIntent(ctx, string(v.Intent))
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	words := map[int64]string{store.DisputeInquiry: "is asked about by the bank", store.DisputeOpen: "is disputed", store.DisputeLost: "was lost in a dispute",
		store.DisputeWon: "was won in a dispute"}
	severity := notify.Warning
	if at == store.DisputeWon {
		severity = notify.Info
	}
	return s.Tell(ctx, notify.Event{ID: "payment.dispute:" + v.ID + ":" + words[at], Kind: notify.PaymentDispute, Severity: severity,
		Title: "A card payment " + words[at] + ".", Data: map[string]any{"payment": p.ID, "dispute": v.ID, "amount": Money(v.Amount, v.Currency), "reason": v.Reason}})
}
