package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Rate is a row of ai_model_rates: what a model of a provider costs the user
// (prices, credits per unit) and the operator (costs, dollars per unit).
type Rate struct {
	ID         string
	Provider   string // by name, so that providers from the environment have rates too
	Model      string
	Type       hub.CallType
	Version    int64
	Prices     string // JSON of pricing.Prices
	Costs      string // the same; "" when not set
	Metadata   string // JSON of RateMetadata
	Effective  time.Time
	Deprecated *time.Time
}

const rateColumns = "id, provider, model, type, version, prices_json, coalesce(costs_json, ''), metadata_json, effective_from, deprecated_at FROM ai_model_rates"

func scanRate(scan func(...any) error, v *Rate) error {
	var effective int64
	var deprecated sql.NullInt64
	if err := scan(&v.ID, &v.Provider, &v.Model, &v.Type, &v.Version, &v.Prices, &v.Costs, &v.Metadata, &effective, &deprecated); err != nil {
		return err
	}
	v.Effective, v.Deprecated = time.UnixMilli(effective).UTC(), nullMillis(deprecated)
	return nil
}

// SetRate creates or replaces a rate and writes history. Calls already admitted
// keep the version that they were admitted with.
func (s *Store) SetRate(ctx context.Context, v Rate, actor string) (Rate, error) {
	err := s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		now := s.millis()
		var old Rate
		err := scanRate(tx.QueryRowContext(ctx, "SELECT "+rateColumns+" WHERE provider = ? AND model = ? AND type = ?",
			v.Provider, v.Model, string(v.Type)).Scan, &old)
		u := &Unit{}
		var costs any
		if v.Costs != "" {
			costs = v.Costs
		}
		switch {
		case errors.Is(err, sql.ErrNoRows):
			v.ID, v.Version = s.NewID(), 1
			u.Add(`INSERT INTO ai_model_rates (id, provider, model, type, version, prices_json, costs_json, metadata_json, effective_from, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?8, ?8)`, v.ID, v.Provider, v.Model, string(v.Type), v.Prices, costs, v.Metadata, now)
		case err != nil:
			return err
		default:
			v.ID, v.Version = old.ID, old.Version+1
			u.Add(`UPDATE ai_model_rates SET version = ?2, prices_json = ?3, costs_json = ?4, metadata_json = ?5, effective_from = ?6,
  deprecated_at = NULL, updated_at = ?6 WHERE id = ?1`, v.ID, v.Version, v.Prices, costs, v.Metadata, now)
		}
		u.Add(`INSERT INTO ai_model_rates_history (rate_id, version, provider, model, type, prices_json, costs_json, metadata_json, actor, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)`, v.ID, v.Version, v.Provider, v.Model, string(v.Type), v.Prices, costs, v.Metadata, actor, now)
		u.Add(bumpConfig)
		return tx.run(ctx, u)
	})
	return v, err
}

// Rates lists all rates that are not deprecated, by provider and model.
func (s *Store) Rates(ctx context.Context) ([]Rate, error) { return rates(ctx, s.read) }

func rates(ctx context.Context, q queryer) ([]Rate, error) {
	return list(ctx, q, func(r *sql.Rows, v *Rate) error { return scanRate(r.Scan, v) },
		"SELECT "+rateColumns+" WHERE deprecated_at IS NULL ORDER BY provider, model, type")
}

// Config is everything that routing needs, read at one moment.
type Config struct {
	Version     int64
	Providers   []Provider
	Credentials []Credential
	Rates       []Rate
	VaultKeys   []VaultKey
	Limits      []Limit
	Aliases     []Alias
}

// LoadConfig reads the configuration in one read transaction.
func (s *Store) LoadConfig(ctx context.Context) (c Config, err error) {
	conn, err := s.read.Conn(ctx)
	if err != nil {
		return c, err
	}
	defer conn.Close()
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return c, err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	if err := conn.QueryRowContext(ctx, "SELECT version FROM config_version WHERE id = 1").Scan(&c.Version); err != nil {
		return c, err
	}
	if c.Providers, err = providers(ctx, conn); err != nil {
		return c, err
	}
	if c.Credentials, err = credentials(ctx, conn); err != nil {
		return c, err
	}
	if c.Rates, err = rates(ctx, conn); err != nil {
		return c, err
	}
	if c.Limits, err = limitsOf(ctx, conn); err != nil {
		return c, err
	}
	if c.Aliases, err = aliases(ctx, conn); err != nil {
		return c, err
	}
	c.VaultKeys, err = vaultKeys(ctx, conn)
	return c, err
}

// ConfigVersion reads the number that changes with every configuration change.
func (s *Store) ConfigVersion(ctx context.Context) (v int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT version FROM config_version WHERE id = 1").Scan(&v)
	return v, err
}
