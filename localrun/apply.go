package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// maxManifest bounds the file, in bytes.
const maxManifest = 8 << 20

func applySpec() spec {
	return spec{
		name: "apply", usage: "make the hub what a file says", run: apply, needs: []string{"file"}, arg: "file",
		flags: []cli.Flag{
			&cli.StringFlag{Name: "file", Aliases: []string{"f"}, Usage: "the `FILE`, - for standard input"},
			toggle("dry-run", "show what would change and change nothing"),
			toggle("prune", "remove what the hub has and the file does not name, without asking; see above"),
		},
		about: "The file is YAML with version: 1 and the lists providers, rates, aliases, users, wallets, keys, limits and grants;\n" +
			"\"export\" shows its form. Unknown fields are errors. What the file does not name stays, unless --prune is given.\n" +
			"Credentials are given as env:VARIABLE; where the variable is not set, a credential that is there keeps its value.\n" +
			"A key is found by its user and name and becomes what its entry says, so a limit or restriction that is left out is\n" +
			"taken away; one that is not there is made of the secret in env:VARIABLE, sk- and at least 32 random characters.\n" +
			"Entries with managed: file are read-only everywhere but in the file; taking the mark away releases them.\n" +
			"A grant is given once for its name and user. Everything is checked before anything is changed.\n" +
			"--prune then removes the limits, aliases, rates, credentials and providers, and revokes the keys, that the file does\n" +
			"not name: of the lists that the file has. A list that is absent removes nothing, an empty one (aliases: []) all.\n" +
			"Users, wallets and grants are never removed. Try it with --dry-run first: it asks nothing.",
	}
}

// change is one step of apply.
type change struct {
	Action string   `json:"action"` // create, change, remove or none
	Kind   string   `json:"kind"`   // provider, credential, rate, alias, user, wallet, member, key, limit or grant
	Name   string   `json:"name"`
	Detail []string `json:"detail"`

	do func(ctx context.Context) error
}

// applyView is the outcome of apply.
type applyView struct {
	DryRun    bool     `json:"dry_run"`
	Created   int      `json:"created"`
	Changed   int      `json:"changed"`
	Removed   int      `json:"removed"`
	Unchanged int      `json:"unchanged"`
	Changes   []change `json:"changes"`
}

func apply(j *job) error {
	data, err := j.readFile(j.text("file"))
	if err != nil {
		return err
	}
	m, err := readManifest(data)
	if err != nil {
		return err
	}
	return j.withHub(func(a *boot.App) error {
		changes, err := planManifest(j.ctx, a, j.lookup, m, j.c.Bool("prune"))
		if err != nil {
			return err
		}
		v := applyView{DryRun: j.c.Bool("dry-run"), Changes: changes}
		for i, c := range changes {
			switch c.Action {
			case "create":
				v.Created++
			case "change":
				v.Changed++
			case "remove":
				v.Removed++
			default:
				v.Unchanged++
			}
			if v.DryRun || c.do == nil {
				continue
			}
			if err := c.do(j.ctx); err != nil {
				return fmt.Errorf("%s %s %s failed, after %d of %d steps: %w", c.Action, c.Kind, c.Name, i, len(changes), err)
			}
		}
		return j.show(v, v.words())
	})
}

func (v applyView) words() string {
	rows := make([][]string, 0, len(v.Changes))
	for _, c := range v.Changes {
		rows = append(rows, []string{c.Action, c.Kind, c.Name, orDash(strings.Join(c.Detail, ", "))})
	}
	would := ""
	if v.DryRun {
		would = " (dry run: nothing was changed)"
	}
	removed := ""
	if v.Removed > 0 {
		removed = fmt.Sprintf(" %d removed,", v.Removed)
	}
	return table("ACTION KIND NAME DETAIL", rows) + fmt.Sprintf("%d created, %d changed,%s %d unchanged%s.\n", v.Created, v.Changed, removed, v.Unchanged, would)
}

func (j *job) readFile(name string) ([]byte, error) {
	src := j.stdin
	if name != dash {
		f, err := os.Open(name)
		if err != nil {
			return nil, hub.Wrap(hub.CodeInvalid, err, "the file cannot be read")
		}
		defer f.Close()
		src = f
	}
	data, err := io.ReadAll(io.LimitReader(src, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(data) > maxManifest {
		return nil, hub.Invalid("file", "%s is larger than %d bytes", name, maxManifest)
	}
	return data, nil
}
