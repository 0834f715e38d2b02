package store

import (
	"context"
	"database/sql"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// UserFilter says which users are wanted; zero fields do not matter.
type UserFilter struct {
	Part     string // of the e-mail address or the name, whatever the case of its ASCII letters
	Role     hub.Role
	Disabled *bool
}

// FindUsers lists up to limit users that a filter lets through after the one with
// id after, by id.
func (s *Store) FindUsers(ctx context.Context, f UserFilter, after string, limit int) ([]User, error) {
	disabled := int64(-1)
	if f.Disabled != nil {
		disabled = boolInt(*f.Disabled)
	}
	return list(ctx, s.read, func(r *sql.Rows, u *User) error { return scanUser(r.Scan, u) },
		"SELECT "+userColumns+` WHERE u.id > ?1 AND (?2 = '' OR instr(lower(u.email), ?2) > 0 OR instr(lower(u.name), ?2) > 0)
  AND (?3 = '' OR u.role = ?3) AND (?4 < 0 OR (u.disabled_at IS NOT NULL) = ?4) ORDER BY u.id LIMIT ?5`,
		after, lowerASCII(f.Part), string(f.Role), disabled, limit)
}

// lowerASCII is what lower makes of a text in SQL.
func lowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}, s)
}
