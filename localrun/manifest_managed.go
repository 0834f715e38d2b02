package main

import (
	"context"
	"fmt"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// checkManaged takes the one word that there is for who manages an object: with
// managed: file it is read-only everywhere but in the file, without it the file
// leaves it to whoever may change it.
func (m *manifest) checkManaged() error {
	check := func(list string, i int, managed string) error {
		if managed == "" || managed == operator.ManagedByFile {
			return nil
		}
		return hub.Invalid(fmt.Sprintf("%s[%d].managed", list, i), "%s[%d].managed must be %s, or left out, not %q", list, i, operator.ManagedByFile, managed)
	}
	for _, list := range []struct {
		name    string
		length  int
		managed func(i int) string
	}{
		{"providers", len(m.Providers), func(i int) string { return m.Providers[i].Managed }},
		{"rates", len(m.Rates), func(i int) string { return m.Rates[i].Managed }},
		{"aliases", len(m.Aliases), func(i int) string { return m.Aliases[i].Managed }},
		{"keys", len(m.Keys), func(i int) string { return m.Keys[i].Managed }},
		{"limits", len(m.Limits), func(i int) string { return m.Limits[i].Managed }},
	} {
		for i := range list.length {
			if err := check(list.name, i, list.managed(i)); err != nil {
				return err
			}
		}
	}
	return nil
}

// marked adds a change of who manages an object to the details of a step.
func marked(detail []string, from, to string) []string {
	if from == to {
		return detail
	}
	return append(detail, turned("managed", from, to))
}

// mark sets who manages an object, where that changes.
func (p *planner) mark(ctx context.Context, kind store.Managed, id, from, to string) error {
	if from == to {
		return nil
	}
	return p.desk.Mark(ctx, actor, kind, id, to)
}
