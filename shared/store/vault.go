package store

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// VaultKey is a data key, wrapped by a master key.
type VaultKey struct {
	ID        string
	Wrapped   string
	MasterID  string
	CreatedAt time.Time
	ClosedAt  *time.Time // since when it takes no more values
	EmptiedAt *time.Time // since when it seals nothing
	Late      int64      // how many values were sealed under it after it was closed
}

// VaultKeys lists the data keys, oldest first.
func (s *Store) VaultKeys(ctx context.Context) ([]VaultKey, error) {
	return alone(ctx, s.read, askVaultKeys)
}

func askVaultKeys(into *[]VaultKey) question {
	return asks(into, func(r *sql.Rows, k *VaultKey) error {
		var created int64
		var closed, emptied sql.NullInt64
		err := r.Scan(&k.ID, &k.Wrapped, &k.MasterID, &created, &closed, &emptied, &k.Late)
		k.CreatedAt, k.ClosedAt, k.EmptiedAt = time.UnixMilli(created).UTC(), nullMillis(closed), nullMillis(emptied)
		return err
	}, "SELECT id, wrapped, master_id, created_at, closed_at, emptied_at, late FROM vault_keys ORDER BY created_at, id")
}

// AddFirstVaultKey stores a data key unless there is one; of two starters one
// wins. It returns the keys that are there afterwards.
func (s *Store) AddFirstVaultKey(ctx context.Context, k VaultKey) ([]VaultKey, error) {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO vault_keys (id, wrapped, master_id, created_at) SELECT ?1, ?2, ?3, ?4 WHERE NOT EXISTS (SELECT 1 FROM vault_keys)",
		k.ID, k.Wrapped, k.MasterID, s.millis())
	if err := s.Do(ctx, u); err != nil {
		return nil, err
	}
	return s.VaultKeys(ctx)
}

// AddVaultKey stores one more data key. Whoever looks at the keys next seals
// under it.
func (s *Store) AddVaultKey(ctx context.Context, k VaultKey) error {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO vault_keys (id, wrapped, master_id, created_at) VALUES (?1, ?2, ?3, ?4)", k.ID, k.Wrapped, k.MasterID, s.millis())
	u.Add(bumpConfig)
	return s.Do(ctx, u)
}

// CloseVaultKeys closes every data key but one, which must be there.
func (s *Store) CloseVaultKeys(ctx context.Context, except string) error {
	u := &Unit{Priority: Background}
	u.Add("UPDATE vault_keys SET closed_at = ?2 WHERE id <> ?1 AND closed_at IS NULL AND EXISTS (SELECT 1 FROM vault_keys WHERE id = ?1 AND closed_at IS NULL)",
		except, s.millis())
	u.Add(bumpConfig)
	return s.Do(ctx, u)
}

// EmptyVaultKey notes that nothing is sealed under a closed data key any more.
// late is what VaultKey.Late was before somebody began to look. ErrNotFound: it
// has changed, the key is not closed, or noted already.
func (s *Store) EmptyVaultKey(ctx context.Context, id string, late int64) error {
	return s.Exec(ctx, "UPDATE vault_keys SET emptied_at = ?2 WHERE id = ?1 AND closed_at IS NOT NULL AND emptied_at IS NULL AND late = ?3", id, s.millis(), late)
}

// RewrapVaultKey puts another wrapping of a data key in place of one.
// ErrNotFound: it is no longer wrapped like that.
func (s *Store) RewrapVaultKey(ctx context.Context, id, from string, to VaultKey) error {
	return s.Exec(ctx, "UPDATE vault_keys SET wrapped = ?3, master_id = ?4 WHERE id = ?1 AND wrapped = ?2", id, from, to.Wrapped, to.MasterID)
}

// VaultMaster is a master key that a key service keeps.
type VaultMaster struct {
	ID      string
	Key     string // the service's key: its ARN
	Asked   string // as the operator wrote it
	Wrapped string // base64
}

// VaultMasters lists the master keys that a key service keeps, newest first.
func (s *Store) VaultMasters(ctx context.Context) ([]VaultMaster, error) {
	return list(ctx, s.read, func(r *sql.Rows, m *VaultMaster) error { return r.Scan(&m.ID, &m.Key, &m.Asked, &m.Wrapped) },
		"SELECT id, key, asked, wrapped FROM vault_masters ORDER BY created_at DESC, id DESC")
}

// AddVaultMaster stores a master key that AWS KMS keeps.
func (s *Store) AddVaultMaster(ctx context.Context, m VaultMaster) error {
	u := &Unit{Priority: Background}
	u.Add("INSERT INTO vault_masters (id, service, key, asked, wrapped, created_at) VALUES (?1, 'aws-kms', ?2, ?3, ?4, ?5)",
		m.ID, m.Key, m.Asked, m.Wrapped, s.millis())
	return s.Do(ctx, u)
}

// SealedValue is a value that the vault sealed, wherever it lies.
type SealedValue struct {
	Key    [2]string // of its row
	KeyID  string    // of its data key
	Sealed string    // "" where its data key is none that was asked for
}

// sealedTable says how the sealed values of a table are walked: page has the
// parameters last key (two parts), limit, and a list of data keys in JSON whose
// values are wanted whole.
type sealedTable struct {
	name, page, set, drop string
}

const wanted = "CASE WHEN key_id IN (SELECT value FROM json_each(?4)) THEN sealed ELSE '' END"

// sealedTables are all tables with sealed values. What is in answer_cache is
// dropped, not sealed anew: it is only a shortcut.
var sealedTables = []sealedTable{
	{
		name: "ai_credentials",
		page: "SELECT id, '', key_id, " + wanted + " FROM ai_credentials WHERE id > ?1 AND ?2 = ?2 ORDER BY id LIMIT ?3",
		set:  "UPDATE ai_credentials SET sealed = ?3, key_id = ?4 WHERE id = ?1 AND ?2 = ?2 AND sealed = ?5",
	},
	{
		name: "webhook_endpoints",
		page: "SELECT id, '', key_id, " + wanted + " FROM webhook_endpoints WHERE id > ?1 AND ?2 = ?2 ORDER BY id LIMIT ?3",
		set:  "UPDATE webhook_endpoints SET sealed = ?3, key_id = ?4 WHERE id = ?1 AND ?2 = ?2 AND sealed = ?5",
	},
	{
		name: "redeem_codes",
		page: "SELECT id, '', key_id, " + wanted + " FROM redeem_codes WHERE id > ?1 AND ?2 = ?2 ORDER BY id LIMIT ?3",
		set:  "UPDATE redeem_codes SET sealed = ?3, key_id = ?4 WHERE id = ?1 AND ?2 = ?2 AND sealed = ?5",
	},
	{
		name: "user_totp",
		page: "SELECT user_id, '', key_id, " + wanted + " FROM user_totp WHERE user_id > ?1 AND ?2 = ?2 ORDER BY user_id LIMIT ?3",
		set:  "UPDATE user_totp SET sealed = ?3, key_id = ?4 WHERE user_id = ?1 AND ?2 = ?2 AND sealed = ?5",
	},
	{
		name: "settings",
		page: "SELECT name, '', substr(value, 4, 26), CASE WHEN substr(value, 4, 26) IN (SELECT value FROM json_each(?4)) THEN settings.value ELSE '' END " +
			"FROM settings WHERE name > ?1 AND ?2 = ?2 AND value LIKE 'v1.%' ORDER BY name LIMIT ?3",
		set: "UPDATE settings SET value = ?3 WHERE name = ?1 AND ?2 = ?2 AND ?4 = ?4 AND value = ?5",
	},
	{
		name: "responses",
		page: "SELECT user_id, id, key_id, " + wanted + " FROM responses WHERE (user_id, id) > (?1, ?2) AND sealed IS NOT NULL ORDER BY user_id, id LIMIT ?3",
		set:  "UPDATE responses SET sealed = ?3, key_id = ?4 WHERE user_id = ?1 AND id = ?2 AND sealed = ?5",
	},
	{
		name: "call_exports",
		page: "SELECT id, '', key_id, " + wanted + " FROM call_exports WHERE id > ?1 AND ?2 = ?2 AND sealed <> '' ORDER BY id LIMIT ?3",
		set:  "UPDATE call_exports SET sealed = ?3, key_id = ?4 WHERE id = ?1 AND ?2 = ?2 AND sealed = ?5",
	},
	{
		name: "payloads",
		page: "SELECT call_id, '', key_id, " + wanted + " FROM payloads WHERE call_id > ?1 AND ?2 = ?2 ORDER BY call_id LIMIT ?3",
		set:  "UPDATE payloads SET sealed = ?3, key_id = ?4 WHERE call_id = ?1 AND ?2 = ?2 AND sealed = ?5",
	},
	{
		name: "answer_cache",
		page: "SELECT user_id, key, key_id, " + wanted + " FROM answer_cache WHERE (user_id, key) > (?1, ?2) ORDER BY user_id, key LIMIT ?3",
		drop: "DELETE FROM answer_cache WHERE user_id = ?1 AND key = ?2 AND sealed = ?3",
	},
}

// SealedTables names the tables that hold sealed values.
func SealedTables() []string {
	names := make([]string, len(sealedTables))
	for i, t := range sealedTables {
		names[i] = t.name
	}
	return names
}

func sealedTableOf(name string) (sealedTable, error) {
	for _, t := range sealedTables {
		if t.name == name {
			return t, nil
		}
	}
	return sealedTable{}, errors.New("no table with sealed values: " + name)
}

// SealedPage reads sealed values of a table behind a key, those under one of
// some data keys (a JSON list) whole.
func (s *Store) SealedPage(ctx context.Context, table string, after [2]string, limit int, keys string) ([]SealedValue, error) {
	t, err := sealedTableOf(table)
	if err != nil {
		return nil, err
	}
	return list(ctx, s.read, func(r *sql.Rows, v *SealedValue) error { return r.Scan(&v.Key[0], &v.Key[1], &v.KeyID, &v.Sealed) },
		t.page, after[0], after[1], limit, keys)
}

// Resealed is a value with what takes its place.
type Resealed struct {
	SealedValue
	NewSealed, NewKeyID string
}

// Reseal puts newly sealed values in the place of old ones, which are still
// there as they were read or were changed by somebody, and then stay as they
// are. Values of a table that only caches are deleted.
func (s *Store) Reseal(ctx context.Context, table string, values []Resealed) error {
	t, err := sealedTableOf(table)
	if err != nil || len(values) == 0 {
		return err
	}
	u := &Unit{Priority: Background}
	for _, v := range values {
		if t.drop != "" {
			u.Add(t.drop, v.Key[0], v.Key[1], v.Sealed)
			continue
		}
		u.Add(t.set, v.Key[0], v.Key[1], v.NewSealed, v.NewKeyID, v.Sealed)
	}
	return s.Do(ctx, u)
}

// OnlyCached reports whether values of a table are dropped rather than sealed
// anew.
func OnlyCached(table string) bool {
	t, err := sealedTableOf(table)
	return err == nil && t.drop != ""
}
