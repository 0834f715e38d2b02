package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/archive"
	"github.com/aigne-hub/aigne-hub/shared/backup"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func doctorSpec() spec {
	return spec{
		name: "doctor", usage: "look at everything a hub needs, and say what is wrong", run: doctor,
		flags: []cli.Flag{
			toggle("deep", "also have SQLite check the whole database file, and prove the books and the audit log from the beginning"),
			toggle("ask-providers", "also ask each provider whether it takes its credentials, which costs nothing"),
		},
		about: "Changes nothing, and works while a hub serves. Fails when something is broken; what only wants a look does not\n" +
			"fail it.",
	}
}

// finding is what the doctor says of one thing.
type finding struct {
	Check  string `json:"check"`
	State  string `json:"state"` // ok, look or broken
	Detail string `json:"detail"`
}

const (
	fine   = "ok"
	look   = "look"
	broken = "broken"
)

// round is one visit of the doctor.
type round struct {
	*job
	cfg   boot.Config
	app   *boot.App
	found []finding
}

func (r *round) say(check, state, format string, args ...any) {
	r.found = append(r.found, finding{check, state, fmt.Sprintf(format, args...)})
}

// fault notes an error, and reports whether there was one.
func (r *round) fault(check string, err error) bool {
	if err != nil {
		r.say(check, broken, "%s", strings.ReplaceAll(err.Error(), "\n", "; "))
	}
	return err != nil
}

func doctor(j *job) error {
	r := &round{job: j}
	var err error
	if r.cfg, err = j.config(); r.fault("settings", err) {
		return r.close()
	}
	r.say("settings", fine, "valid; version %s", version)
	r.files()
	if file := r.cfg.DatabaseFile(); file != "" {
		if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
			r.say("database", broken, "there is none at %s; `aigne-hub serve` makes it", file)
			return r.close()
		}
	}
	r.app, err = boot.Open(j.ctx, r.cfg, boot.Options{Log: j.logger(r.cfg, false), Env: j.lookup})
	if r.fault("database", err) {
		return r.close()
	}
	for _, check := range []func(ctx context.Context){r.database, r.secrets, r.people, r.providers, r.books, r.audit, r.waiting, r.archives, r.backups} {
		check(j.ctx)
	}
	return errors.Join(r.close(), closeHub(j.ctx, r.app))
}

// close shows what was found.
func (r *round) close() error {
	rows, bad := make([][]string, len(r.found)), 0
	for i, f := range r.found {
		rows[i] = []string{f.Check, f.State, f.Detail}
		if f.State == broken {
			bad++
		}
	}
	if err := r.show(r.found, table("CHECK STATE DETAIL", rows)); err != nil {
		return err
	}
	if bad > 0 {
		return fmt.Errorf("%d thing(s) are broken", bad)
	}
	return nil
}

// files looks at the data folder.
func (r *round) files() {
	if r.cfg.Data == "" {
		return
	}
	const others = 0o077
	key := r.cfg.MasterKeyFile()
	for _, path := range []string{r.cfg.Data, r.cfg.DatabaseFile(), key} {
		info, err := os.Stat(path)
		if err == nil && info.Mode().Perm()&others != 0 {
			r.say("files", look, "%s can be read by others (%s)", path, info.Mode().Perm())
		}
	}
	free, known, err := archive.FreeDisk(r.cfg.Data)
	const little, mega = 1 << 30, 1e6
	switch {
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		r.fault("disk", err)
	case err == nil && known && free < little:
		r.say("disk", look, "only %.0f MB are free at %s", float64(free)/mega, r.cfg.Data)
	case err == nil && known:
		r.say("disk", fine, "%.0f MB free at %s", float64(free)/mega, r.cfg.Data)
	}
}

func (r *round) database(ctx context.Context) {
	schema, err := r.app.Store.Schema(ctx)
	if r.fault("database", err) {
		return
	}
	began := time.Now()
	if r.fault("database", r.app.Store.Ready(ctx)) {
		return
	}
	took := time.Since(began).Round(10 * time.Microsecond)
	if r.app.Store.Remote() {
		r.say("database", fine, "a server, schema %s, answers in %s", schema, took)
		return
	}
	if r.c.Bool("deep") && r.fault("database", r.app.Store.Sound(ctx)) {
		return
	}
	const mega = 1e6
	total, empty, err := r.app.Store.Space(ctx)
	if !r.fault("database", err) {
		r.say("database", fine, "a file of %.1f MB, %.1f MB of it empty, schema %s", float64(total)/mega, float64(empty)/mega, schema)
	}
}

// secrets opens every stored credential.
func (r *round) secrets(ctx context.Context) {
	all, err := r.app.Store.Credentials(ctx)
	if r.fault("secrets", err) {
		return
	}
	keys, err := r.app.Store.VaultKeys(ctx)
	if r.fault("secrets", err) {
		return
	}
	if len(keys) == 0 {
		r.say("secrets", fine, "none is sealed yet")
		return
	}
	keyring, err := r.app.Vault(ctx)
	if r.fault("secrets", err) {
		return
	}
	closed := 0
	for _, c := range all {
		if _, err := keyring.Open(operator.CredentialAAD(c.ID), c.Sealed); err != nil {
			r.say("secrets", broken, "the credential %s cannot be opened: it was changed, or sealed elsewhere", c.Name)
			closed++
		}
	}
	if closed == 0 {
		r.say("secrets", fine, "the master key opens the vault and all %d credential(s)", len(all))
	}
}

func (r *round) people(ctx context.Context) {
	owned, err := r.app.Store.HasOwner(ctx)
	switch {
	case r.fault("owner", err):
	case !owned:
		r.say("owner", look, "there is no owner; `aigne-hub setup-token` prints how to become it")
	default:
		r.say("owner", fine, "there is one")
	}
	local := strings.HasPrefix(r.cfg.Listen, "127.") || strings.HasPrefix(r.cfg.Listen, "localhost") || strings.HasPrefix(r.cfg.Listen, "[::1]")
	if !local && r.cfg.PublicURL == "" {
		r.say("address", look, "it listens on %s, but AIGNE_HUB_PUBLIC_URL is not set: links in mails and sign-in need it", r.cfg.Listen)
	}
	if strings.HasPrefix(r.cfg.PublicURL, "http://") && !strings.HasPrefix(r.cfg.PublicURL, "http://127.") && !strings.HasPrefix(r.cfg.PublicURL, "http://localhost") {
		r.say("address", look, "%s is not encrypted: keys and sessions can be read on the way", r.cfg.PublicURL)
	}
}

func (r *round) providers(ctx context.Context) {
	if r.fault("providers", r.app.Reload(ctx)) {
		return
	}
	all := r.app.Routes().Providers()
	if len(all) == 0 {
		r.say("providers", look, "there is none; `aigne-hub provider add` adds one")
		return
	}
	for _, p := range all {
		if len(p.Credentials) == 0 {
			r.say("providers", look, "%s has no active credential", p.Name)
			continue
		}
		if !r.c.Bool("ask-providers") {
			r.say("providers", fine, "%s has %d credential(s)", p.Name, len(p.Credentials))
			continue
		}
		for _, c := range p.Credentials {
			if v := probe(ctx, r.app, p, c); v.OK {
				r.say("providers", fine, "%s takes the credential %s, in %d ms", p.Name, c.Name, v.LatencyMS)
			} else {
				r.say("providers", broken, "%s does not take the credential %s: %s", p.Name, c.Name, v.Error)
			}
		}
	}
}

func (r *round) books(ctx context.Context) {
	verify := r.app.Book.Verify
	if r.c.Bool("deep") {
		verify = r.app.Book.VerifyAll
	}
	report, err := verify(ctx)
	switch {
	case r.fault("books", err):
	case len(report.Violations) > 0:
		r.say("books", broken, "%d violation(s) over %d operations; `aigne-hub ledger verify` lists them", len(report.Violations), report.Operations)
	default:
		r.say("books", fine, "%d operation(s) balance", report.Operations)
	}
}

func (r *round) audit(ctx context.Context) {
	if !r.c.Bool("deep") {
		return
	}
	report, err := r.app.Store.VerifyAudit(ctx, store.Head{})
	switch {
	case r.fault("audit log", err):
	case len(report.Violations) > 0:
		r.say("audit log", broken, "%d violation(s) over %d acts; `aigne-hub audit verify` lists them", len(report.Violations), report.Rows)
	default:
		r.say("audit log", fine, "%d act(s) are as they were written", report.Rows)
	}
}

// waiting looks at work that should not have to wait.
func (r *round) waiting(ctx context.Context) {
	b, err := r.app.Store.Backlog(ctx)
	if r.fault("backlog", err) {
		return
	}
	const long = 10 * time.Minute
	before := len(r.found)
	if b.SweeperLag > long {
		r.say("backlog", look, "calls of a process that died wait since %s; a hub that serves closes them", b.SweeperLag.Round(time.Second))
	}
	if b.UsageDead > 0 {
		r.say("backlog", broken, "usage of %d call(s) was refused by the Payment Kit; see `aigne-hub outbox list`", b.UsageDead)
	}
	if b.OldestUsage > long {
		r.say("backlog", look, "usage waits to be reported since %s", b.OldestUsage.Round(time.Second))
	}
	if b.OldestNotice > long {
		r.say("backlog", look, "%d notice(s) wait since %s", b.Notices, b.OldestNotice.Round(time.Second))
	}
	if b.DisabledCredentials > 0 {
		r.say("backlog", look, "%d credential(s) are switched off", b.DisabledCredentials)
	}
	if len(r.found) == before {
		r.say("backlog", fine, "nothing waits; %d call(s) are open", b.OpenCalls)
	}
}

func (r *round) archives(ctx context.Context) {
	all, err := r.app.Store.Archives(ctx)
	if r.fault("archives", err) || len(all) == 0 {
		return
	}
	before := len(r.found)
	for _, a := range all {
		file := r.app.Archive.File(a)
		if file == "" || a.RemovedAt != nil || a.Calls == 0 {
			continue
		}
		if _, err := os.Stat(file); err != nil {
			r.say("archives", broken, "%s is missing: %d call(s) are not in the log any more", file, a.Calls)
		}
	}
	if len(r.found) == before {
		r.say("archives", fine, "%d, all in their place", len(all))
	}
}

func (r *round) backups(ctx context.Context) {
	if r.app.Store.Remote() {
		return
	}
	at, err := boot.BackupPlace(r.cfg, time.Now)
	if r.fault("backups", err) {
		return
	}
	all, err := backup.List(ctx, at)
	if r.fault("backups", err) {
		return
	}
	const old, day = 8 * 24 * time.Hour, 24 * time.Hour
	switch age, known := backup.Age(all, time.Now()); {
	case !known:
		r.say("backups", look, "there is none; `aigne-hub backup` takes one, AIGNE_HUB_BACKUP_EVERY lets the hub take them")
	case age > old:
		r.say("backups", look, "the newest is %d days old", age/day)
	default:
		r.say("backups", fine, "%d, the newest of %s", len(all), all[0].CreatedAt.Format(time.RFC3339))
	}
	if r.cfg.Data != "" && r.cfg.Backup.Place.Bucket == "" && r.cfg.Backup.Folder == "" && len(all) > 0 {
		r.say("backups", look, "they lie on the disk they are to save (%s); set AIGNE_HUB_BACKUP_URL", r.cfg.Data)
	}
}
