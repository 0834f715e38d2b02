package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// activeCatalogue is the setting with the digest of the catalogue in force.
const activeCatalogue = "catalogue.active"

// CatalogueFile is a catalogue that was put in force or is under review.
type CatalogueFile struct {
	Digest    string // SHA-256 of the content in hexadecimal
	Origin    string // "embedded", or how the file was called
	Actor     string
	CreatedAt time.Time
	ActiveAt  *time.Time // when it was last put in force
	ActiveBy  string
}

// KeepCatalogue stores a catalogue's content unless it is there.
func (s *Store) KeepCatalogue(ctx context.Context, f CatalogueFile, content []byte) error {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO catalogue_files (digest, content, origin, actor, created_at) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (digest) DO NOTHING",
		f.Digest, content, f.Origin, f.Actor, s.millis())
	return s.Do(ctx, u)
}

// CatalogueContent reads a stored catalogue. ErrNotFound: there is none of that
// digest.
func (s *Store) CatalogueContent(ctx context.Context, digest string) (content []byte, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT content FROM catalogue_files WHERE digest = ?1", digest).Scan(&content)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return content, err
}

// CatalogueFiles lists the stored catalogues, the newest first.
func (s *Store) CatalogueFiles(ctx context.Context) ([]CatalogueFile, error) {
	return list(ctx, s.read, func(r *sql.Rows, f *CatalogueFile) error {
		var created int64
		var active sql.NullInt64
		err := r.Scan(&f.Digest, &f.Origin, &f.Actor, &created, &active, &f.ActiveBy)
		f.CreatedAt, f.ActiveAt = time.UnixMilli(created).UTC(), nullMillis(active)
		return err
	}, "SELECT digest, origin, actor, created_at, active_at, active_by FROM catalogue_files ORDER BY created_at DESC, digest LIMIT 200")
}

// ActiveCatalogue is the digest of the catalogue in force, "" before the first.
func (s *Store) ActiveCatalogue(ctx context.Context) (string, error) {
	digest, err := s.Setting(ctx, activeCatalogue)
	if errors.Is(err, ErrNotFound) {
		return "", nil
	}
	return digest, err
}

// activate puts a stored catalogue in force; what is neither in force nor the
// source of an open proposal is forgotten.
func (s *Store) activate(digest, actor string) []Stmt {
	u := &Unit{}
	u.Add("INSERT INTO settings (name, value, updated_at) VALUES (?1, ?2, ?3) ON CONFLICT (name) DO UPDATE SET value = ?2, updated_at = ?3",
		activeCatalogue, digest, s.millis())
	u.Add("UPDATE catalogue_files SET active_at = ?2, active_by = ?3 WHERE digest = ?1", digest, s.millis(), actor)
	u.Add(`DELETE FROM catalogue_files WHERE digest <> ?1 AND active_at IS NULL
  AND digest NOT IN (SELECT digest FROM catalogue_proposals WHERE state = 'open')`, digest)
	u.Add(bumpConfig)
	return u.Stmts
}

// AdoptCatalogue puts a stored catalogue in force where none was so far.
// ErrNotFound: one was.
func (s *Store) AdoptCatalogue(ctx context.Context, digest, actor string) error {
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		var n int
		if err := tx.QueryRowContext(ctx, "SELECT count(*) FROM settings WHERE name = ?1", activeCatalogue).Scan(&n); err != nil {
			return err
		}
		if n > 0 {
			return ErrNotFound
		}
		return tx.run(ctx, &Unit{Stmts: s.activate(digest, actor)})
	})
}

// The states of a proposal.
const (
	ProposalOpen       = "open"
	ProposalApplied    = "applied"
	ProposalDismissed  = "dismissed"
	ProposalSuperseded = "superseded" // the catalogue said something else before anybody decided
)

// Proposal is one thing that a catalogue says differently from the hub.
type Proposal struct {
	ID        string       `json:"id"`
	Digest    string       `json:"-"`
	Kind      string       `json:"kind"` // cost, new, gone
	Provider  string       `json:"provider"`
	Model     string       `json:"model"`
	Type      hub.CallType `json:"type"`
	ValueHash string       `json:"hash"`   // of what the catalogue says
	Before    string       `json:"before"` // JSON of pricing.Prices, dollars; "" for none
	After     string       `json:"after"`
	State     string       `json:"-"`
	DecidedBy string       `json:"-"`
	DecidedAt *time.Time   `json:"-"`
	Reason    string       `json:"-"`
	CreatedAt time.Time    `json:"-"`
}

// eachProposal names the members of the rows in the first parameter.
const eachProposal = ` FROM (SELECT value->>'id' AS id, value->>'kind' AS kind, value->>'provider' AS provider, value->>'model' AS model,
  value->>'type' AS type, value->>'hash' AS hash, value->>'before' AS was, value->>'after' AS becomes FROM json_each(?1)) AS n`

// Propose records what a catalogue says differently. What was dismissed stays so
// while the catalogue says the same; what no longer differs, and what was open
// with another value, is superseded.
func (s *Store) Propose(ctx context.Context, digest string, rows []Proposal) error {
	for i := range rows {
		rows[i].ID = s.NewID()
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		text = []byte("[]")
	}
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		u, now := &Unit{}, s.millis()
		u.Add(`UPDATE catalogue_proposals SET state = 'superseded', decided_at = ?2 WHERE state = 'open'
  AND (provider, model, type, kind, value_hash) NOT IN (SELECT n.provider, n.model, n.type, n.kind, n.hash`+eachProposal+`)`, string(text), now)
		u.Add(`UPDATE catalogue_proposals SET state = 'superseded', decided_at = ?2 WHERE state = 'dismissed' AND EXISTS (SELECT 1`+eachProposal+`
  WHERE n.provider = catalogue_proposals.provider AND n.model = catalogue_proposals.model AND n.type = catalogue_proposals.type
  AND n.kind = catalogue_proposals.kind AND n.hash <> catalogue_proposals.value_hash)`, string(text), now)
		u.Add(`UPDATE catalogue_proposals SET digest = ?2, before_json = n.was`+eachProposal+` WHERE catalogue_proposals.state = 'open'
  AND catalogue_proposals.provider = n.provider AND catalogue_proposals.model = n.model AND catalogue_proposals.type = n.type
  AND catalogue_proposals.kind = n.kind`, string(text), digest)
		u.Add(`INSERT INTO catalogue_proposals (id, digest, kind, provider, model, type, value_hash, before_json, after_json, created_at)
SELECT n.id, ?2, n.kind, n.provider, n.model, n.type, n.hash, n.was, n.becomes, ?3`+eachProposal+` WHERE true
ON CONFLICT (provider, model, type, kind) WHERE state IN ('open','dismissed') DO NOTHING`, string(text), digest, now)
		return tx.run(ctx, u)
	})
}

const proposalColumns = `SELECT id, digest, kind, provider, model, type, value_hash, before_json, after_json, state, decided_by, decided_at, reason, created_at
  FROM catalogue_proposals `

func scanProposal(r *sql.Rows, p *Proposal) error {
	var kind string
	var created int64
	var decided sql.NullInt64
	err := r.Scan(&p.ID, &p.Digest, &p.Kind, &p.Provider, &p.Model, &kind, &p.ValueHash, &p.Before, &p.After, &p.State, &p.DecidedBy, &decided, &p.Reason, &created)
	p.Type, p.DecidedAt, p.CreatedAt = hub.CallType(kind), nullMillis(decided), time.UnixMilli(created).UTC()
	return err
}

// Proposals lists proposals of a state, by id behind after, at most limit.
func (s *Store) Proposals(ctx context.Context, state, after string, limit int) ([]Proposal, error) {
	return list(ctx, s.read, scanProposal, proposalColumns+"WHERE state = ?1 AND id > ?2 ORDER BY id LIMIT ?3", state, after, limit)
}

// ProposalsByID reads some proposals, whatever their state.
func (s *Store) ProposalsByID(ctx context.Context, ids []string) ([]Proposal, error) {
	text, err := json.Marshal(ids)
	if err != nil {
		return nil, err
	}
	return list(ctx, s.read, scanProposal, proposalColumns+"WHERE id IN (SELECT value FROM json_each(?1)) ORDER BY id", string(text))
}

// Decision is what was decided about proposals.
type Decision struct {
	IDs           []string
	State         string // applied or dismissed
	Actor, Reason string
	Changes       []RateChange // made together with it
	Activate      string       // digest of the catalogue that is put in force; "" for none
}

// Decide records a decision about open proposals and does what it brings with it.
// ErrConflict: one of them is no longer open, or a rate has changed meanwhile.
func (s *Store) Decide(ctx context.Context, d Decision) error {
	text, err := json.Marshal(d.IDs)
	if err != nil {
		return err
	}
	return s.Tx(ctx, func(ctx context.Context, tx *Tx) error {
		if len(d.IDs) > 0 {
			res, err := tx.ExecContext(ctx, `UPDATE catalogue_proposals SET state = ?2, decided_by = ?3, decided_at = ?4, reason = ?5
  WHERE id IN (SELECT value FROM json_each(?1)) AND state = 'open'`, string(text), d.State, d.Actor, s.millis(), d.Reason)
			if err != nil {
				return err
			}
			if n, err := res.RowsAffected(); err != nil || n != int64(len(d.IDs)) {
				return errors.Join(err, ErrConflict)
			}
		}
		if len(d.Changes) > 0 {
			if _, err := s.changeRates(ctx, tx, d.Changes); err != nil {
				return err
			}
		}
		if d.Activate == "" {
			return nil
		}
		return tx.run(ctx, &Unit{Stmts: s.activate(d.Activate, d.Actor)})
	})
}
