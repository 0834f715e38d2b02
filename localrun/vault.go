package main

import (
	"encoding/json"
	"fmt"
	"sort"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/reseal"
)

func vaultSpecs() []spec {
	return []spec{
		{
			name: "status", usage: "list the keys that seal secrets, and how many values each seals", run: vaultStatus,
			about: "States: active (seals), added (about to), closed (its values are being sealed anew), retired (seals nothing).",
		},
		{
			name: "rotate", usage: "seal everything under a new key, while the hub runs", run: vaultRotate,
			about: "Adds a data key, closes the ones before and seals every value anew, in small steps. Other processes go on\n" +
				"reading and writing. Interrupted, it is brought to its end by the next run, or by a job within the hour.\n" +
				"Cached answers are dropped. Files in the blob store have keys of their own, in their links, and stay.\n" +
				"With --master the data keys are wrapped under the master key that the settings name now, and values stay as\n" +
				"they are: set the new one (AIGNE_HUB_MASTER_KEY, AIGNE_HUB_KMS_KEY_ID, or neither for a key file) and give\n" +
				"the former one by AIGNE_HUB_MASTER_KEY_OLD (not needed when AWS KMS keeps it); restart all processes with\n" +
				"these settings first, and take the old key away afterwards.",
			flags: []cli.Flag{toggle("master", "wrap the data keys under another master key")},
		},
	}
}

func vaultStatus(j *job) error {
	return j.withHub(func(a *boot.App) error {
		keys, err := a.Rotator().Status(j.ctx)
		if err != nil {
			return err
		}
		rows := make([][]string, len(keys))
		for i, k := range keys {
			rows[i] = []string{k.ID, k.State, orDash(k.MasterID), fmt.Sprint(k.Total()), tally(k.Values)}
		}
		return j.show(keys, table("KEY STATE MASTER VALUES WHERE", rows))
	})
}

func vaultRotate(j *job) error {
	if j.c.Bool("master") {
		return j.withHub(func(a *boot.App) error { return rotateMaster(j, a) })
	}
	return j.withHub(func(a *boot.App) error {
		out, err := a.Rotator().Rotate(j.ctx)
		if out.Active != "" { // also what was done until it failed is on record
			err = joinAudit(j, a, "vault.rotate", out.Active, out, err)
		}
		if err != nil {
			return err
		}
		return j.show(out, rotated(out))
	})
}

func rotated(o reseal.Outcome) string {
	var b strings.Builder
	if o.Resumed {
		b.WriteString("An earlier rotation was brought to its end; run again for a new key.\n")
	}
	fmt.Fprintf(&b, "Sealed anew under %s: %s.\n", o.Active, tally(o.Resealed))
	if len(o.Dropped) > 0 {
		fmt.Fprintf(&b, "Dropped, since only cached: %s.\n", tally(o.Dropped))
	}
	if len(o.Retired) > 0 {
		fmt.Fprintf(&b, "Retired: %s.\n", strings.Join(o.Retired, ", "))
	}
	return b.String()
}

func rotateMaster(j *job, a *boot.App) error {
	out, err := a.RotateMaster(j.ctx)
	if out.DataKeys > 0 {
		err = joinAudit(j, a, "vault.rotate-master", out.MasterID, out, err)
	}
	if err != nil {
		return err
	}
	if len(out.From) == 0 {
		return j.show(out, fmt.Sprintf("Nothing to do: the data keys are wrapped under the master key %s already.\n", out.MasterID))
	}
	return j.show(out, fmt.Sprintf("%d data keys wrapped under the master key %s; %s is not needed any more.\n", out.DataKeys, out.MasterID,
		strings.Join(out.From, ", ")))
}

func joinAudit(j *job, a *boot.App, action, subject string, about any, failed error) error {
	text, err := json.Marshal(about)
	if err == nil {
		err = a.Store.Audit(j.ctx, actor, action, subject, "", string(text))
	}
	switch {
	case failed == nil:
		return err
	case err != nil:
		return fmt.Errorf("%w; and not on record: %w", failed, err)
	}
	return failed
}

// tally writes counts in the order of their names.
func tally(counts map[string]int64) string {
	var parts []string
	for name, n := range counts {
		parts = append(parts, fmt.Sprintf("%s %d", name, n))
	}
	sort.Strings(parts)
	if len(parts) == 0 {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}
