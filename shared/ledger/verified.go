package ledger

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Verified is what the last scheduled verification of the books found.
type Verified struct {
	At         time.Time `json:"at"`
	Violations int       `json:"violations"`
	First      string    `json:"first,omitempty"` // rule and subject of the first of them
}

// verifiedName is the stored setting that holds it.
const verifiedName = "ledger.verified"

// NoteVerified keeps what a verification found.
func (b *Book) NoteVerified(ctx context.Context, r Report) error {
	v := Verified{At: b.Now().UTC(), Violations: len(r.Violations)}
	if v.Violations > 0 {
		v.First = r.Violations[0].Rule + " " + r.Violations[0].Subject
	}
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return b.Store.SetSetting(ctx, verifiedName, string(text))
}

// LastVerified reads it. ok is false when none was noted.
func LastVerified(ctx context.Context, s *store.Store) (v Verified, ok bool, err error) {
	text, err := s.Setting(ctx, verifiedName)
	if errors.Is(err, store.ErrNotFound) {
		return v, false, nil
	}
	if err != nil {
		return v, false, err
	}
	return v, true, json.Unmarshal([]byte(text), &v)
}
