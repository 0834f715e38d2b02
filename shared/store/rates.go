package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Rate is a row of ai_model_rates: what a model of a provider costs the user
// (prices, credits per unit) and the operator (costs, dollars per unit).
type Rate struct {
	ID        string
	Provider  string // by name, so that providers from the environment have rates too
	Model     string
	Type      hub.CallType
	Version   int64
	Prices    string // JSON of pricing.Prices
	Costs     string // the same; "" when not set
	Metadata  string // JSON of RateMetadata
	Effective time.Time
	// Margin is the percentage on the costs with which the prices were computed,
	// and CreditPrice the dollars per credit; "" when the prices were set by hand.
	Margin, CreditPrice string
	Deprecated          *time.Time // since when users are told to leave; nil: not deprecated
	DeprecatedReason    string
	RefusedFrom         *time.Time // when calls end to be taken; nil: never
	Retired             bool       // that time has come
	Managed             string     // see Provider; changes of a rate leave it as it is
}

const rateColumns = `id, provider, model, type, version, prices_json, coalesce(costs_json, ''), metadata_json, effective_from,
  margin, credit_price, deprecated_at, deprecated_reason, refused_from, retired, managed FROM ai_model_rates`

func scanRate(scan func(...any) error, v *Rate) error {
	var effective int64
	var deprecated, refused sql.NullInt64
	if err := scan(&v.ID, &v.Provider, &v.Model, &v.Type, &v.Version, &v.Prices, &v.Costs, &v.Metadata, &effective,
		&v.Margin, &v.CreditPrice, &deprecated, &v.DeprecatedReason, &refused, &v.Retired, &v.Managed); err != nil {
		return err
	}
	v.Effective, v.Deprecated, v.RefusedFrom = time.UnixMilli(effective).UTC(), nullMillis(deprecated), nullMillis(refused)
	return nil
}

// SetRate creates or replaces a rate and writes history. Calls already admitted
// keep the version that they were admitted with.
func (s *Store) SetRate(ctx context.Context, v Rate, actor string) (Rate, error) {
	rows, err := s.ChangeRates(ctx, []RateChange{{Rate: v, Change: RateSet, Actor: actor}})
	if err != nil {
		return v, err
	}
	return rows[0], nil
}

// Rates lists all rates, deprecated and retired ones too, by provider and model.
func (s *Store) Rates(ctx context.Context) ([]Rate, error) { return alone(ctx, s.read, askRates) }

func askRates(into *[]Rate) question {
	return asks(into, func(r *sql.Rows, v *Rate) error { return scanRate(r.Scan, v) },
		"SELECT "+rateColumns+" ORDER BY provider, model, type")
}

// RateByID finds a rate. ErrNotFound: there is none.
func (s *Store) RateByID(ctx context.Context, id string) (v Rate, err error) {
	err = scanRate(s.read.QueryRowContext(ctx, "SELECT "+rateColumns+" WHERE id = ?1", id).Scan, &v)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return v, err
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
	Capture     []CaptureRule
	Catalogue   string // digest of the catalogue in force; "": the embedded one
}

// LoadConfig reads the configuration as it is at one moment.
func (s *Store) LoadConfig(ctx context.Context) (c Config, err error) {
	first := question{"SELECT version, coalesce((SELECT value FROM settings WHERE name = ?1), '') FROM config_version WHERE id = 1", []any{activeCatalogue},
		func(rows *sql.Rows) error {
			if !rows.Next() {
				return cmp.Or(rows.Err(), sql.ErrNoRows)
			}
			return rows.Scan(&c.Version, &c.Catalogue)
		}}
	err = s.together(ctx, first, askProviders(&c.Providers), askCredentials(&c.Credentials), askRates(&c.Rates), askLimits(&c.Limits),
		askAliases(&c.Aliases), askVaultKeys(&c.VaultKeys), askCaptureRules(&c.Capture))
	return c, err
}

// ConfigVersion reads the number that changes with every configuration change.
func (s *Store) ConfigVersion(ctx context.Context) (v int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT version FROM config_version WHERE id = 1").Scan(&v)
	return v, err
}
