package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"
)

// Provider is a row of ai_providers.
type Provider struct {
	ID          string
	Kind        string
	Name        string // unique
	DisplayName string
	BaseURL     string // "" means the kind's own
	Region      string
	Enabled     bool
	Settings    string // JSON; "" means none when it is stored
	CreatedAt   time.Time
	Managed     string // file: only the file that was applied may change it and its credentials; "": anybody who may
}

const providerColumns = "id, kind, name, display_name, base_url, region, enabled, settings_json, created_at, managed FROM ai_providers"

func scanProvider(scan func(...any) error, p *Provider) error {
	var created int64
	if err := scan(&p.ID, &p.Kind, &p.Name, &p.DisplayName, &p.BaseURL, &p.Region, &p.Enabled, &p.Settings, &created, &p.Managed); err != nil {
		return err
	}
	p.CreatedAt = time.UnixMilli(created).UTC()
	return nil
}

// CreateProvider adds a provider and, if c is not nil, its first credential,
// whose sealed value seal makes for the new credential's id. ErrConflict: the
// name is taken.
func (s *Store) CreateProvider(ctx context.Context, p Provider, c *Credential) (Provider, error) {
	if p.ID == "" {
		p.ID = s.NewID()
	}
	p.CreatedAt = s.now().UTC()
	now := p.CreatedAt.UnixMilli()
	u := &Unit{Priority: Background}
	u.Add(`INSERT INTO ai_providers (id, kind, name, display_name, base_url, region, enabled, settings_json, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?9, ?8, ?8)`, p.ID, p.Kind, p.Name, p.DisplayName, p.BaseURL, p.Region, boolInt(p.Enabled), now, cmp.Or(p.Settings, "{}"))
	if c != nil {
		c.ProviderID = p.ID
		addCredential(u, *c, now)
	}
	u.Add(bumpConfig)
	return p, s.Do(ctx, u)
}

const bumpConfig = "UPDATE config_version SET version = version + 1 WHERE id = 1"

// ProviderByName finds a provider.
func (s *Store) ProviderByName(ctx context.Context, name string) (Provider, error) {
	var p Provider
	err := scanProvider(s.read.QueryRowContext(ctx, "SELECT "+providerColumns+" WHERE name = ?", name).Scan, &p)
	if errors.Is(err, sql.ErrNoRows) {
		return p, ErrNotFound
	}
	return p, err
}

// Providers lists all providers by name.
func (s *Store) Providers(ctx context.Context) ([]Provider, error) {
	return alone(ctx, s.read, askProviders)
}

func askProviders(into *[]Provider) question {
	return asks(into, func(r *sql.Rows, p *Provider) error { return scanProvider(r.Scan, p) },
		"SELECT "+providerColumns+" ORDER BY name")
}

// RemoveProvider deletes a provider and its credentials. Calls and rates keep
// its name.
func (s *Store) RemoveProvider(ctx context.Context, id string) error {
	return s.changed(ctx, "DELETE FROM ai_providers WHERE id = ?1", id)
}

// SetProviderEnabled switches a provider on or off.
func (s *Store) SetProviderEnabled(ctx context.Context, id string, on bool) error {
	return s.changed(ctx, "UPDATE ai_providers SET enabled = ?2, updated_at = ?3 WHERE id = ?1", id, boolInt(on), s.millis())
}

// SetProviderSettings replaces a provider's settings, as JSON.
func (s *Store) SetProviderSettings(ctx context.Context, id, settings string) error {
	return s.changed(ctx, "UPDATE ai_providers SET settings_json = ?2, updated_at = ?3 WHERE id = ?1", id, settings, s.millis())
}

// Credential is a row of ai_credentials.
type Credential struct {
	ID         string
	ProviderID string
	Name       string
	Type       string // api_key, access_key_pair or custom
	Sealed     string
	KeyID      string // of the data key that sealed it
	Weight     int64
	Active     bool
	Error      string
	Recheck    string // JSON: the schedule by which one that was refused returns; "{}": none
	CreatedAt  time.Time

	MaxConcurrent int64 // calls at once in a process; 0: any number
}

const credentialColumns = "id, provider_id, name, type, sealed, key_id, weight, active, error, recheck_json, created_at, max_concurrent FROM ai_credentials"

func scanCredential(r *sql.Rows, c *Credential) error {
	var created int64
	if err := r.Scan(&c.ID, &c.ProviderID, &c.Name, &c.Type, &c.Sealed, &c.KeyID, &c.Weight, &c.Active, &c.Error, &c.Recheck, &created, &c.MaxConcurrent); err != nil {
		return err
	}
	c.CreatedAt = time.UnixMilli(created).UTC()
	return nil
}

func addCredential(u *Unit, c Credential, now int64) {
	u.Add(`INSERT INTO ai_credentials (id, provider_id, name, type, sealed, key_id, weight, active, created_at, updated_at, max_concurrent)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?10, ?8, ?8, ?9)`, c.ID, c.ProviderID, c.Name, c.Type, c.Sealed, c.KeyID, c.Weight, now, c.MaxConcurrent, boolInt(c.Active))
}

// CreateCredential adds a credential; its ID is made before, since the sealed
// value is bound to it. ErrConflict: the provider has one of that name.
func (s *Store) CreateCredential(ctx context.Context, c Credential) error {
	u := &Unit{Priority: Background}
	addCredential(u, c, s.millis())
	u.Add(bumpConfig)
	return s.Do(ctx, u)
}

// Credentials lists all credentials by provider and id.
func (s *Store) Credentials(ctx context.Context) ([]Credential, error) {
	return alone(ctx, s.read, askCredentials)
}

func askCredentials(into *[]Credential) question {
	return asks(into, scanCredential, "SELECT "+credentialColumns+" ORDER BY provider_id, id")
}

// SetCredentialActive switches a credential on or off, with the reason, and
// forgets the schedule of its return.
func (s *Store) SetCredentialActive(ctx context.Context, id string, on bool, reason string) error {
	return s.changed(ctx, "UPDATE ai_credentials SET active = ?2, error = ?3, recheck_json = '{}', updated_at = ?4 WHERE id = ?1",
		id, boolInt(on), reason, s.millis())
}

// Recheck moves a credential from one state of its schedule, as it was read, to
// the next, on or off, with the reason. ErrNotFound: somebody was faster.
func (s *Store) Recheck(ctx context.Context, c Credential, on bool, reason, next string) error {
	return s.changed(ctx, `UPDATE ai_credentials SET active = ?2, error = ?3, recheck_json = ?4, updated_at = ?5
WHERE id = ?1 AND active = ?6 AND recheck_json = ?7`, c.ID, boolInt(on), reason, next, s.millis(), boolInt(c.Active), c.Recheck)
}

// SetCredentialUse sets a credential's weight and how many calls at once it
// takes in a process.
func (s *Store) SetCredentialUse(ctx context.Context, id string, weight, concurrent int64) error {
	return s.changed(ctx, "UPDATE ai_credentials SET weight = ?2, max_concurrent = ?3, updated_at = ?4 WHERE id = ?1", id, weight, concurrent, s.millis())
}

// RemoveCredential deletes a credential.
func (s *Store) RemoveCredential(ctx context.Context, id string) error {
	return s.changed(ctx, "DELETE FROM ai_credentials WHERE id = ?1", id)
}
