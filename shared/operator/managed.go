package operator

import (
	"context"
	"errors"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/limits"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// ManagedByFile marks an object that a file manages: everything but the file reads
// it only.
const ManagedByFile = "file"

// OfFile is the desk of who applies a file: it changes what files manage too.
func (d *Desk) OfFile() *Desk {
	file := *d
	file.file = true
	return &file
}

// free refuses acts on what the file manages, unless they come from there. Every
// act on a provider, rate, alias, limit or key asks it; what the hub does by itself
// asks nobody.
func (d *Desk) free(managed, what string) error {
	if managed == "" || d.file {
		return nil
	}
	return hub.Errorf(hub.CodeConflict, "A file manages %s, so it is read-only here. Change the file and apply it, "+
		`or apply it without "managed: file" there to release it.`, what)
}

// Mark sets who manages an object: ManagedByFile, or "" for whoever may. The id of
// an alias is its name.
func (d *Desk) Mark(ctx context.Context, actor string, kind store.Managed, id, managed string) error {
	err := d.Store.SetManaged(ctx, kind, id, managed)
	if errors.Is(err, store.ErrNotFound) {
		return hub.Errorf(hub.CodeNotFound, "There is no %s %s.", kind, id)
	}
	if err != nil {
		return err
	}
	return d.audit(ctx, actor, string(kind)+".managed", id, nil, map[string]any{"managed": managed})
}

// freeKey finds a key that may be changed.
func (d *Desk) freeKey(ctx context.Context, id string) (store.APIKey, error) {
	row, err := d.Key(ctx, id)
	if err != nil {
		return row, err
	}
	return row, d.free(row.Managed, "the API key "+row.Name)
}

// freeLimit refuses limits that the file manages, and those of a key that it
// manages.
func (d *Desk) freeLimit(ctx context.Context, l store.Limit) error {
	if l.Scope == limits.Key && l.Subject != limits.Each {
		k, err := d.Store.KeyByID(ctx, l.Subject)
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		if err := d.free(k.Managed, "the API key "+k.Name); err != nil {
			return err
		}
	}
	old, err := d.Store.LimitOf(ctx, l.Scope, l.Subject, l.Metric, l.Period)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.free(old.Managed, "the limit "+old.ID)
}

func (d *Desk) freeAlias(ctx context.Context, name string) error {
	if d.file {
		return nil
	}
	row, err := d.Store.AliasByName(ctx, name)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	return d.free(row.Managed, "the alias "+row.Name)
}

// changeRates makes changes of rates, all or none, of which the file manages none.
func (d *Desk) changeRates(ctx context.Context, changes []store.RateChange) ([]store.Rate, error) {
	if err := d.freeRates(ctx, changes); err != nil {
		return nil, err
	}
	return d.Store.ChangeRates(ctx, changes)
}

func (d *Desk) freeRates(ctx context.Context, changes []store.RateChange) error {
	if d.file || len(changes) == 0 {
		return nil
	}
	all, err := d.Store.Rates(ctx)
	if err != nil {
		return err
	}
	managed := map[string]string{}
	for _, row := range all {
		managed[rateKey(row.Provider, row.Model, row.Type)] = row.Managed
	}
	for _, c := range changes {
		if err := d.free(managed[rateKey(c.Provider, c.Model, c.Type)], "the rate of "+c.Provider+"/"+c.Model); err != nil {
			return err
		}
	}
	return nil
}
