package main

import (
	"github.com/aigne-hub/aigne-hub/shared/boot"
)

// migrate applies migrations also to a server's database, which other commands
// only check. The log names each.
func migrate(j *job) error {
	cfg, err := j.config()
	if err != nil {
		return err
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
