package main

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/telemetry"
)

// actor is who the audit log names for acts of this command.
const actor = "cli"

// config reads the settings: flags that were given win over the environment.
func (j *job) config() (boot.Config, error) {
	return boot.Load(j.lookup, j.environ, j.overrides())
}

// overrides are the settings given as flags, by the names of their variables.
func (j *job) overrides() map[string]string {
	overrides := map[string]string{}
	for _, s := range boot.Settings() {
		if s.Flag != "" && (j.c.IsSet(s.Flag) || s.Flag == j.spec.arg && j.c.Args().Present()) {
			overrides[s.Name] = j.text(s.Flag)
		}
	}
	return overrides
}

// logger writes to standard error. A command that is over in a moment says only
// what is wrong, unless it was told otherwise.
func (j *job) logger(cfg boot.Config, serving bool) *slog.Logger {
	level := cfg.LogLevel
	given, _ := j.lookup("AIGNE_HUB_LOG_LEVEL")
	if !serving && !j.c.IsSet("log-level") && strings.TrimSpace(given) == "" {
		level = max(level, slog.LevelWarn)
	}
	return telemetry.NewLogger(j.stderr, cfg.LogFormat, level)
}

// withHub opens the hub, does the work and closes it. A database file is made
// and migrated when it is not there; a server's is only checked.
func (j *job) withHub(work func(a *boot.App) error) error {
	cfg, err := j.config()
	if err != nil {
		return err
	}
	a, err := boot.Open(j.ctx, cfg, boot.Options{
		Log: j.logger(cfg, false), Env: j.lookup, Migrate: strings.HasPrefix(cfg.Database, "file:"),
	})
	if err != nil {
		return err
	}
	j.ctx = hub.WithOrigin(j.ctx, hub.Origin{Address: "local"})
	return errors.Join(work(a), closeHub(j.ctx, a))
}

// closeHub closes the hub also when ctx has ended.
func closeHub(ctx context.Context, a *boot.App) error {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	return a.Close(ctx)
}
