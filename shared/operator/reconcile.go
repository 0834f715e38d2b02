package operator

import (
	"context"
	"io"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/reconcile"
)

// Bills is the desk's way to providers' bills.
func (d *Desk) Bills() *reconcile.Book {
	return &reconcile.Book{Store: d.Store, Now: d.Now, Archives: d.Archive}
}

// ImportBill reads a provider's export.
func (d *Desk) ImportBill(ctx context.Context, actor string, r io.Reader, o reconcile.Options) (reconcile.Imported, error) {
	o.Actor = actor
	in, err := d.Bills().Import(ctx, r, o)
	if err != nil || in.ID == "" {
		return in, err
	}
	return in, d.audit(ctx, actor, "bill.import", o.Provider, nil, map[string]any{"import": in.ID, "format": o.Format, "lines": in.Lines,
		"added": in.Added, "replaced": in.Replaced, "calls_corrected": in.CallsCorrected})
}

// MapBillKey says which credential a key of a provider's exports is; an empty
// credential takes that back.
func (d *Desk) MapBillKey(ctx context.Context, actor, provider, key, credential string) error {
	const mostName = 200
	switch {
	case provider == "" || len(provider) > mostName:
		return hub.Invalid("provider", "Name the provider of the export.")
	case key == "" || len(key) > mostName:
		return hub.Invalid("key", "Name the key as the export does.")
	case len(credential) > mostName:
		return hub.Invalid("credential", "This is no credential's name.")
	}
	if err := d.Store.MapBillKey(ctx, provider, key, credential, actor); err != nil {
		return err
	}
	return d.audit(ctx, actor, "bill.key", provider+"/"+key, nil, map[string]any{"credential": credential})
}
