package notify

import (
	"context"
	"fmt"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Wallets tells of wallets that ran low or empty: their users by e-mail where a
// mail server is set, operators by the webhooks that want these kinds. Each fall
// is told once, also by several processes: its id is that of the row which the
// fall itself wrote. Only a balance that was above the threshold again can fall
// below it once more. link is where credits can be had, "" for nowhere.
func (p *Post) Wallets(ctx context.Context, link string) error {
	const batch = 100
	if err := p.Store.FillLowBalance(ctx); err != nil {
		return err
	}
	fallen, err := p.Store.Crossings(ctx, batch)
	if err != nil {
		return err
	}
	for i := range fallen {
		c := &fallen[i]
		e := fell(c, link)
		if p.Mail != nil {
			if e.To, err = p.Store.WalletMail(ctx, c.AccountID); err != nil {
				return err
			}
		}
		if err := p.Tell(ctx, e); err != nil {
			return err
		}
		if err := p.Store.CrossingTold(ctx, c.ID); err != nil {
			return err
		}
	}
	return nil
}

func fell(c *store.Crossing, link string) Event {
	e := Event{ID: fmt.Sprintf("wallet.%s:%s:%d", c.Kind, c.AccountID, c.ID), Kind: WalletEmpty, Severity: Info,
		Title: fmt.Sprintf("The wallet of %s is empty.", c.Owner),
		Data:  map[string]any{"account": c.AccountID, "owner": c.Owner, "balance": c.Balance.String(), "at": c.CreatedAt.Format(time.RFC3339)}}
	if c.Balance > 0 {
		e.Title = fmt.Sprintf("The wallet of %s is empty but for %s credits.", c.Owner, c.Balance)
	}
	if c.Kind == "low" {
		e.Kind = WalletLow
		e.Title = fmt.Sprintf("The wallet of %s is low: %s credits are left.", c.Owner, c.Balance)
		e.Data["low_balance"] = c.Low.String()
	}
	if link != "" {
		e.Data["link"] = link
	}
	return e
}
