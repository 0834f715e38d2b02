package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// manifestKey is all that is known of an API key beside its secret: a restriction
// or a limit that is left out is none. User and name tell keys apart. Value is only
// needed for keys that are yet to be made.
type manifestKey struct {
	User        string      `yaml:"user"` // e-mail address
	Name        string      `yaml:"name"`
	ExpiresAt   string      `yaml:"expires_at,omitempty"` // RFC 3339
	Models      []string    `yaml:"models,omitempty"`
	IPs         []string    `yaml:"ips,omitempty"`
	Scopes      []hub.Scope `yaml:"scopes,omitempty"`
	Wallet      string      `yaml:"wallet,omitempty"` // a shared one, by name
	App         string      `yaml:"app,omitempty"`
	RPM         *int64      `yaml:"rpm,omitempty"`
	TPM         *int64      `yaml:"tpm,omitempty"`
	Concurrency *int64      `yaml:"concurrency,omitempty"`
	BudgetDay   string      `yaml:"budget_day,omitempty"` // credits
	BudgetWeek  string      `yaml:"budget_week,omitempty"`
	BudgetMonth string      `yaml:"budget_month,omitempty"`
	Value       string      `yaml:"value,omitempty"` // env:VARIABLE
	Managed     string      `yaml:"managed,omitempty"`
}

// keyRef tells keys apart: an e-mail address in lower case and the key's name.
func keyRef(email, name string) string { return strings.ToLower(email) + "/" + name }

func (k manifestKey) limits() operator.KeyLimits {
	return operator.KeyLimits{Wallet: k.Wallet, RPM: k.RPM, TPM: k.TPM, Concurrency: k.Concurrency,
		BudgetDay: k.BudgetDay, BudgetWeek: k.BudgetWeek, BudgetMonth: k.BudgetMonth}
}

// row is what the entry asks for, as it is stored.
func (k manifestKey) row(path string) (store.APIKey, error) {
	row := store.APIKey{Name: k.Name, Models: k.Models, IPs: k.IPs, Scopes: k.Scopes, AppID: k.App}
	if k.App != "" && row.Scopes == nil {
		row.Scopes = []hub.Scope{hub.ScopeInference}
	}
	if k.ExpiresAt != "" {
		t, err := time.Parse(time.RFC3339, k.ExpiresAt)
		if err != nil {
			return row, hub.Invalid(path+".expires_at", "%s.expires_at must be a time such as 2027-01-31T00:00:00Z, not %q", path, k.ExpiresAt)
		}
		t = t.UTC().Truncate(time.Millisecond) // as precise as it is stored
		row.ExpiresAt = &t
	}
	return row, nil
}

// checkKeys finds what cannot be right of keys whatever the database holds.
func (m *manifest) checkKeys(once func(path, key string) error) error {
	for i, k := range m.Keys {
		path := fmt.Sprintf("keys[%d]", i)
		if err := errors.Join(required(path, "user", k.User, "name", k.Name), once(path, "key\x00"+keyRef(k.User, k.Name))); err != nil {
			return err
		}
		if k.Value != "" {
			if _, err := envReference(path+".value", k.Value); err != nil {
				return err
			}
		}
		if _, err := k.row(path); err != nil {
			return err
		}
		if err := k.limits().Check(); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	return nil
}
