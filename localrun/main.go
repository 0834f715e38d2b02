// Command aigne-hub is the hub in one process, and the operator's hand: it
// serves all functions and carries out administrative acts on the database
// directly, also while a hub serves. What the acts do lives in the packages
// below; here are flags, output and the process's life.
package main

import (
	"context"
	"io"
	"os"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/store"
)

// version is set by the linker.
var version = "dev"

func main() {
	store.TuneProcess()
	p := &program{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr,
		lookup: os.LookupEnv, environ: os.Environ(),
	}
	os.Exit(p.run(context.Background(), os.Args))
}

// program is one run of the command and what it talks to.
type program struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	lookup         func(name string) (string, bool)
	environ        []string // NAME=value
	argv           []string // as the program was called
	settings       map[bool][]cli.Flag
}

// run carries out a command line and returns the exit code.
func (p *program) run(ctx context.Context, args []string) int {
	p.argv = args
	app := p.app()
	args = reorder(app, args)
	if err := app.RunContext(ctx, args); err != nil {
		return p.fail(err, wantsJSON(args))
	}
	return exitDone
}

func (p *program) app() *cli.App {
	app := cli.NewApp()
	app.Name = "aigne-hub"
	app.Usage = "an AI gateway with exact books"
	app.Description = `Start with "aigne-hub serve", or let "aigne-hub quickstart" make the first provider, owner and key.
Commands work on the database directly; a hub that serves sees a change within two seconds.
Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found.`
	app.Version = version
	app.Writer, app.ErrWriter, app.Reader = p.stdout, p.stderr, p.stdin
	app.Flags = append([]cli.Flag{jsonFlag()}, p.settingFlags(true)...)
	app.Commands = p.commands()
	app.Action = group("aigne-hub", app.Commands)
	app.OnUsageError = usageFault
	// Errors are printed once, by run, which also chooses the exit code.
	app.ExitErrHandler = func(*cli.Context, error) {}
	return app
}

func (p *program) commands() []*cli.Command {
	return []*cli.Command{
		p.command(spec{
			name: "serve", usage: "serve all functions in one process", run: serve, allSettings: true,
			about: "Prints the data folder, the address and, while there is no owner, a new set-up token.\n" +
				"SIGINT and SIGTERM let open calls finish within --drain; a second one ends the process at once.\n" +
				"SIGUSR2 starts the program anew, a newer one if it was replaced, and lets it take over the address; this\n" +
				"process finishes its calls and ends. SIGHUP reads the TLS certificate again. SIGUSR1 is what \"drain\" sends.",
		}),
		p.command(drainSpec()),
		p.command(migrateSpec()),
		p.family("config", "check and show the settings", configSpecs()),
		p.command(quickstartSpec()),
		p.command(spec{
			name: "setup-token", usage: "print a new one-time token for becoming the first owner", run: setupToken,
			about: "An earlier token stops working. Fails once there is an owner.",
		}),
		p.family("provider", "manage providers of models", providerSpecs()),
		p.family("credential", "manage the keys of stored providers", credentialSpecs()),
		p.family("rate", "manage what models cost", rateSpecs()),
		p.family("catalogue", "what providers charge, as known to the hub, and what changes with a newer list", catalogueSpecs()),
		p.family("user", "manage users", userSpecs()),
		p.family("key", "manage API keys", keySpecs()),
		p.family("app", "applications that call, and what they are called", appSpecs()),
		p.family("oauth-client", "applications that users sign in to with this hub", oauthClientSpecs()),
		p.family("connection", "what users allowed applications and command lines", connectionSpecs()),
		p.family("alias", "define model names of your own", aliasSpecs()),
		p.command(planSpec()),
		p.family("limit", "limit what callers may use", limitSpecs()),
		p.family("webhook", "tell other systems what happens", webhookSpecs()),
		p.family("alert", "see what is wrong, and set when that is told", alertSpecs()),
		p.family("notification", "see what operators were told, and choose what goes out by e-mail", notificationSpecs()),
		p.family("credits", "give, move, sell and show credits", creditSpecs(), p.family("code", "manage redeem codes", codeSpecs())),
		p.family("payment", "look at card payments and their receipts", paymentSpecs()),
		p.family("wallet", "wallets that teams and applications share", walletSpecs()),
		p.family("outbox", "usage on its way to Payment Kit", outboxSpecs()),
		p.family("calls", "look at the call log", callSpecs()),
		p.family("capture", "keep bodies of calls, without secrets, for those who look into them", captureSpecs()),
		p.command(whySpec()),
		p.family("usage", "statistics of calls, and the sums they come from", usageSpecs()),
		p.family("reconcile", "set providers' bills against the books", reconcileSpecs()),
		p.family("archive", "older calls, moved out of the database", archiveSpecs()),
		p.family("audit", "see who did what, and prove it", auditSpecs()),
		p.family("vault", "the keys that seal secrets", vaultSpecs()),
		p.family("ledger", "prove the books", ledgerSpecs()),
		p.command(routesSpec()),
		p.command(openapiSpec()),
		p.command(applySpec()),
		p.command(exportSpec()),
		p.withBelow(backupSpec(), backupSpecs()),
		p.command(restoreSpec()),
		p.command(doctorSpec()),
		p.command(versionSpec()),
		p.family("import", "move in from another gateway", importSpecs()),
	}
}
