package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/identity"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/movein"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// people are users and what is left in their accounts.
func (p *importer) people() error {
	all, err := allUsers(p.ctx, p.app)
	if err != nil {
		return err
	}
	byDID := map[string]store.User{}
	for _, u := range all {
		p.users[strings.ToLower(u.Email)] = u
		if u.DID != "" {
			byDID[u.DID] = u
		}
	}
	for _, want := range p.src.Users {
		have, exists := p.users[strings.ToLower(want.Email)]
		if u, ok := byDID[want.DID]; ok && want.DID != "" {
			have, exists = u, true
		}
		if err := identity.CheckUser(want.Email, want.Role); err != nil {
			p.leave("user", want.Email, inWords(err))
			continue
		}
		email := want.Email
		if exists {
			email = have.Email
		}
		p.emails[want.Email] = email
		detail := []string{}
		if !exists {
			detail = append(detail, "role: "+string(want.Role))
			if want.Disabled {
				detail = append(detail, "disabled: yes")
			}
			have = store.User{Email: want.Email, Role: want.Role}
			p.users[strings.ToLower(want.Email)] = have
		} else if have.Role != want.Role {
			detail = append(detail, turned("role", string(have.Role), string(want.Role)))
		}
		p.step(exists, "user", email, detail, func(ctx context.Context) error { return p.takeUser(ctx, want) })
		if err := p.balance(want, have); err != nil {
			return err
		}
	}
	return nil
}

func (p *importer) takeUser(ctx context.Context, want movein.User) error {
	u := store.User{Email: want.Email, Name: want.Name, Role: want.Role, Groups: want.Groups, DID: want.DID}
	if want.Disabled {
		now := p.app.Now()
		u.DisabledAt = &now
	}
	_, err := p.app.Desk.TakeUser(ctx, actor, u, p.name)
	return err
}

// credits are dollars at the hub's price of a credit, rounded down.
func (p *importer) credits(dollars string) (money.Credits, error) {
	amount, ok1 := new(big.Rat).SetString(dollars)
	price, ok2 := new(big.Rat).SetString(p.app.Config.CreditPrice)
	if !ok1 || !ok2 || price.Sign() <= 0 {
		return 0, hub.Invalid("amount", "%q is no amount", dollars)
	}
	nano := amount.Quo(amount, price)
	nano.Mul(nano, big.NewRat(int64(money.Credit), 1))
	whole := new(big.Int).Quo(nano.Num(), nano.Denom())
	if !whole.IsInt64() {
		return 0, money.ErrOverflow
	}
	return money.Credits(whole.Int64()), nil
}

func (p *importer) balance(want movein.User, have store.User) error {
	if want.Balance == "" {
		return nil
	}
	amount, err := p.credits(want.Balance)
	if err != nil || amount <= 0 {
		p.leave("balance", want.Email, "it cannot be stored: "+want.Balance+" dollars")
		return nil
	}
	sum := sha256.Sum256([]byte("import\x00" + p.name + "\x00" + want.ID))
	id := "import-" + hex.EncodeToString(sum[:16])
	given, err := p.grant(have, id)
	if err != nil {
		return err
	}
	detail := []string{"credits: " + amount.String()}
	if given != nil && given.Amount == amount {
		detail = nil
	} else if given != nil {
		detail = []string{"given before: " + given.Amount.String() + " credits; there it is now " + amount.String()}
	}
	email := p.emails[want.Email]
	p.step(given != nil, "balance", email, detail, func(ctx context.Context) error {
		return p.app.Desk.TakeBalance(ctx, actor, email, amount, id, p.name)
	})
	return nil
}

func (p *importer) keys() error {
	planned := map[string]bool{}
	for _, want := range p.src.Keys {
		email := p.emails[want.User]
		if email == "" {
			p.leave("key", want.Name, "its user does not come along")
			continue
		}
		row := store.APIKey{Name: want.Name, ExpiresAt: want.ExpiresAt, Models: want.Models, IPs: want.IPs}
		if err := p.app.Keys.Take(&row, want.Secret); err != nil {
			p.leave("key", want.Name+" of "+email, inWords(err))
			continue
		}
		_, owner, err := p.app.Store.KeyByHash(p.ctx, row.Hash)
		exists := err == nil || planned[row.Hash]
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		planned[row.Hash] = true
		detail := []string{"secret: as clients have it"}
		if exists {
			detail = nil
			if err == nil && !strings.EqualFold(owner.Email, email) {
				detail = []string{"it belongs to " + owner.Email + " here"}
			}
		}
		var budget money.Credits
		if want.Budget != "" {
			if budget, err = p.credits(want.Budget); err != nil || budget <= 0 {
				p.leave("key", want.Name+" of "+email, "its budget cannot be stored: "+want.Budget+" dollars")
				continue
			}
			if !exists {
				detail = append(detail, "credits each month: "+budget.String())
			}
		}
		p.step(exists, "key", want.Name+" of "+email, detail, func(ctx context.Context) error {
			_, err := p.app.Desk.TakeKey(ctx, actor, email, row, want.Secret, budget, p.name)
			return err
		})
	}
	return nil
}

func (p *importer) apps() error {
	for _, want := range p.src.Apps {
		have, err := p.app.Store.AppByID(p.ctx, want.ID)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		exists := err == nil && (have.Name != "" || have.PublicKey != "")
		detail := []string{"name: " + orDash(want.Name)}
		if exists {
			detail = nil
		}
		n := operator.ChangedApp{Name: &want.Name, Logo: &want.Logo, URL: &want.URL, PublicKey: &want.PublicKey}
		for _, field := range []struct {
			name  string
			value **string
		}{{"logo", &n.Logo}, {"url", &n.URL}, {"public_key", &n.PublicKey}} {
			if err := p.app.Desk.CheckApp(want.ID, n); err == nil || hub.AsError(err).Param != field.name {
				continue
			}
			p.leave(field.name, "app "+want.ID, "it cannot be used here")
			*field.value = nil
		}
		if err := p.app.Desk.CheckApp(want.ID, n); err != nil {
			p.leave("app", want.ID, inWords(err))
			continue
		}
		p.step(exists, "app", want.ID, detail, func(ctx context.Context) error {
			_, err := p.app.Desk.SetApp(ctx, actor, want.ID, n)
			return err
		})
	}
	return nil
}
