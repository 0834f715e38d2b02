package store

import (
	"context"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// UpdateProvider writes a provider's shown name, base URL, region and whether it is
// enabled. ErrNotFound: there is none with that id.
func (s *Store) UpdateProvider(ctx context.Context, p Provider) error {
	return s.changed(ctx, "UPDATE ai_providers SET base_url = ?2, region = ?3, enabled = ?4, updated_at = ?5, display_name = ?6 WHERE id = ?1",
		p.ID, p.BaseURL, p.Region, boolInt(p.Enabled), s.millis(), p.DisplayName)
}

// UpdateCredential writes a credential's sealed value and weight.
// ErrNotFound: there is none with that id.
func (s *Store) UpdateCredential(ctx context.Context, c Credential) error {
	return s.changed(ctx, "UPDATE ai_credentials SET sealed = ?2, key_id = ?3, weight = ?4, updated_at = ?5 WHERE id = ?1",
		c.ID, c.Sealed, c.KeyID, c.Weight, s.millis())
}

// SetUserRole gives a user another role. ErrNotFound: there is no such user, or
// the user is the last owner, of whom one must remain.
func (s *Store) SetUserRole(ctx context.Context, userID string, role hub.Role) error {
	return s.changed(ctx, "UPDATE users SET role = ?2 WHERE id = ?1 AND (role <> 'owner' OR ?2 = 'owner' OR "+otherOwner+")", userID, string(role))
}
