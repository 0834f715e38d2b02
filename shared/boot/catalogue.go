package boot

import (
	"bytes"
	"context"

	"github.com/aigne-hub/aigne-hub/shared/pricing"
)

// Catalogue is the catalogue of costs and capabilities in force: the one in the
// database, or the embedded one before the first was put there.
func (a *App) Catalogue() *pricing.Catalogue { return a.prices.Load() }

// adopt takes over the catalogue that the database names. One that cannot be
// read leaves the one that was in force: calls go on, and the log tells.
func (a *App) adopt(ctx context.Context, digest string) {
	if digest == "" || digest == a.Catalogue().Digest() {
		return
	}
	if own := pricing.OpenCatalogue(a.Now); own.Digest() == digest {
		a.prices.Store(own)
		return
	}
	content, err := a.Store.CatalogueContent(ctx, digest)
	if err != nil {
		a.Log.Error("catalogue not loaded", "digest", digest, "error", err)
		return
	}
	c, err := pricing.ReadCatalogue(bytes.NewReader(content), a.Now)
	if err != nil {
		a.Log.Error("catalogue cannot be read", "digest", digest, "error", err)
		return
	}
	a.prices.Store(c)
}

// AdoptCatalogue takes over the catalogue in force without loading the rest of
// the configuration.
func (a *App) AdoptCatalogue(ctx context.Context) error {
	digest, err := a.Store.ActiveCatalogue(ctx)
	if err != nil {
		return err
	}
	a.adopt(ctx, digest)
	return nil
}
