package main

import (
	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

func migrateSpec() spec {
	return spec{
		name: "migrate", usage: "apply missing migrations and exit", run: migrate,
		flags: []cli.Flag{toggle("copy", "keep a copy of a database file that is about to be migrated, beside it")},
		about: "The copy is <database>.before-<first missing migration>.db; it is whole, checked, made while hubs serve, and needs the\n" +
			"same master key. The three newest are kept. Without room for it nothing is migrated. A database server has its own ways.",
	}
}

// migrate applies migrations also to a server's database, which other commands
// only check. The log names each.
func migrate(j *job) error {
	cfg, err := j.config()
	if err != nil {
		return err
	}
	if j.c.Bool("copy") {
		if err := boot.CopyBeforeMigration(j.ctx, cfg, j.logger(cfg, true)); err != nil {
			return err
		}
	}
	a, err := boot.Open(j.ctx, cfg, boot.Options{Log: j.logger(cfg, true), Env: j.lookup, Migrate: true})
	if err != nil {
		return err
	}
	if err := closeHub(j.ctx, a); err != nil {
		return err
	}
	return j.show(map[string]any{"database": cfg.Database, "up_to_date": true}, "The database is up to date.\n")
}

func setupToken(j *job) error {
	return j.withHub(func(a *boot.App) error {
		token, err := a.Users.NewSetupToken(j.ctx)
		if err != nil {
			return err
		}
		return j.show(map[string]string{"token": token.Reveal()}, token.Reveal()+"\n")
	})
}
