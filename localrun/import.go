package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/movein"
)

const importAbout = "What is here already stays as it is, and a second run makes nothing twice; one that was interrupted goes on.\n" +
	"What stays behind is listed with the reason. With --dry-run nothing is changed. Stop the other system first."

func importFlags(more ...cli.Flag) []cli.Flag {
	return append(more,
		toggle("dry-run", "show what would come and change nothing"),
		text("name", "`NAME` of the import (default: the system's): balances are given once for it"),
	)
}

func importSpecs() []spec {
	return []spec{
		{
			name: movein.SystemAIGNEHub, usage: "move in from an original AIGNE Hub", run: importAIGNEHub, needs: []string{"from"}, arg: "from",
			flags: importFlags(
				text("from", "the database `aikit.db`, or the folder that blocklet export wrote"),
				text("app-ek-env", "environment `VARIABLE` that holds the old application's key, BLOCKLET_APP_EK there"),
				toggle("app-ek-stdin", "read the key from standard input"),
				text("app-did", "`DID` of the application (not of the component), BLOCKLET_DID there"),
				toggle("without-credentials", "leave the providers' keys behind"),
				toggle("report-usage", "take over usage that was not reported to Payment Kit, for this hub to report"),
			),
			about: "Takes over providers, their keys sealed anew, rates, applications, users by their DIDs, and all calls with what they\n" +
				"cost there, archives included. In the folder that blocklet export wrote, key and DID are found by themselves.\n" + importAbout,
		},
		{
			name: movein.SystemLiteLLM, usage: "move in from a LiteLLM configuration", run: importLiteLLM, needs: []string{"file"}, arg: "file",
			flags: importFlags(text("file", "the configuration, `config.yaml`, - for standard input")),
			about: "Takes over deployments as providers and aliases with their weights, orders and fallbacks, keys (os.environ/NAME is\n" +
				"read from the environment of this command), and prices of your own. Its database is not read.\n" + importAbout,
		},
		oneAPISpec(movein.SystemOneAPI), oneAPISpec(movein.SystemNewAPI),
	}
}

func oneAPISpec(system string) spec {
	return spec{
		name: system, usage: "move in from " + system + ", by its SQLite database", needs: []string{"from"}, arg: "from",
		run: func(j *job) error { return importOneAPI(j, system) },
		flags: importFlags(
			text("from", "the database `FILE`"),
			&cli.StringFlag{Name: "group", Value: "default", Usage: "the `GROUP` of users whose prices are taken over"},
			text("completion-ratio", "price of output per price of input, a `DECIMAL`, of models for which the database has none"),
		),
		about: "Takes over channels as providers with all their keys, models with their routes and prices, users, what is left in\n" +
			"their accounts, and tokens, which go on working as clients have them. Passwords do not come along.\n" + importAbout,
	}
}

// importName is the name that grants and marks of progress go by.
func (j *job) importName(system string) (string, error) {
	name := cmp.Or(strings.TrimSpace(j.text("name")), system)
	const longest = 60
	if len(name) > longest || strings.ContainsAny(name, "\r\n\t\x00") {
		return "", hub.Invalid("name", "--name must have at most %d characters, on one line", longest)
	}
	return name, nil
}

func importAIGNEHub(j *job) (err error) {
	o, err := j.aigneOptions()
	if err != nil {
		return err
	}
	old, err := movein.OpenAIGNEHub(j.ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, old.Close()) }()
	src, err := old.Read(j.ctx)
	if err != nil {
		return err
	}
	if info, err := os.Stat(j.text("from")); err == nil && info.IsDir() {
		src.LeavePreferences(j.text("from"))
	}
	return j.moveIn(src, old)
}

// aigneOptions finds the database and the key that opens its values.
func (j *job) aigneOptions() (o movein.AIGNEOptions, err error) {
	o = movein.AIGNEOptions{Database: j.text("from"), WithoutCredentials: j.c.Bool("without-credentials")}
	appDID := strings.TrimSpace(j.text("app-did"))
	appEK, err := j.appEK()
	if err != nil {
		return o, err
	}
	if info, err := os.Stat(o.Database); err == nil && info.IsDir() {
		found, err := movein.FindExport(o.Database)
		if err != nil {
			return o, err
		}
		o.Database, appDID = found.Database, cmp.Or(appDID, found.AppDID)
		if appEK == "" {
			appEK = found.AppEK
		}
	}
	if appEK == "" {
		return o, nil
	}
	if appDID == "" {
		return o, hub.Invalid("app-did", "the key needs --app-did, the DID of the application it belongs to")
	}
	o.Key, err = movein.NewSecretKey(appEK, appDID)
	return o, err
}

// appEK is the key of the old application, "" where it is not given. It is never
// taken from the command line itself.
func (j *job) appEK() (hub.Secret, error) {
	variable, stdin := j.text("app-ek-env"), j.c.Bool("app-ek-stdin")
	switch {
	case variable != "" && stdin:
		return "", hub.Invalid("app-ek-env", "give one of --app-ek-env and --app-ek-stdin, not both")
	case stdin:
		return j.readSecret("app-ek-stdin")
	case j.c.IsSet("app-ek-env"):
		return j.secretFrom(variable, "app-ek-env")
	}
	return "", nil
}

func importLiteLLM(j *job) error {
	data, err := j.readFile(j.text("file"))
	if err != nil {
		return err
	}
	src, err := movein.ReadLiteLLM(data, movein.LiteLLMOptions{Env: j.lookup})
	if err != nil {
		return err
	}
	return j.moveIn(src, nil)
}

func importOneAPI(j *job, system string) error {
	if info, err := os.Stat(j.text("from")); err == nil && info.IsDir() {
		return hub.Invalid("from", "%s is a folder; give the database file in it, such as %s", j.text("from"), filepath.Join(j.text("from"), "one-api.db"))
	}
	return j.withHub(func(a *boot.App) error {
		src, err := movein.ReadOneAPI(j.ctx, movein.OneAPIOptions{
			System: system, Database: j.text("from"), Group: j.text("group"), CompletionRatio: j.text("completion-ratio"), Now: a.Now(),
		})
		if err != nil {
			return err
		}
		return j.carryIn(a, src, nil)
	})
}

func (j *job) moveIn(src *movein.Source, old *movein.AIGNEHub) error {
	return j.withHub(func(a *boot.App) error { return j.carryIn(a, src, old) })
}

// movedView is the outcome of an import.
type movedView struct {
	DryRun  bool          `json:"dry_run"`
	System  string        `json:"system"`
	Name    string        `json:"name"`
	Created int           `json:"created"`
	Present int           `json:"present"` // there already, and the same
	Kept    int           `json:"kept"`    // there already, and other: left as it is here
	Steps   []change      `json:"steps"`
	History []historyView `json:"history"`
	Left    []movein.Left `json:"left"`
}

// carryIn plans an import, carries it out unless it is a dry run, and reports.
func (j *job) carryIn(a *boot.App, src *movein.Source, old *movein.AIGNEHub) error {
	name, err := j.importName(src.System)
	if err != nil {
		return err
	}
	p, err := planImport(j.ctx, a, src, name)
	if err != nil {
		return err
	}
	v := movedView{DryRun: j.c.Bool("dry-run"), System: src.System, Name: name, Steps: p.out, History: []historyView{}}
	for i, c := range p.out {
		switch c.Action {
		case "create":
			v.Created++
		case "keep":
			v.Kept++
		default:
			v.Present++
		}
		if v.DryRun || c.do == nil {
			continue
		}
		if err := c.do(j.ctx); err != nil {
			return fmt.Errorf("%s %s %s failed, after %d of %d steps; the import goes on there when it is run again: %w", c.Action, c.Kind, c.Name, i, len(p.out), err)
		}
	}
	if old != nil {
		h := &historian{importer: p, old: old, dry: v.DryRun, report: j.c.Bool("report-usage")}
		if v.History, err = h.run(j.ctx); err != nil {
			return err
		}
	}
	v.Left = append([]movein.Left{}, src.Left...)
	if err := j.noteImport(j.ctx, a, &v); err != nil {
		return err
	}
	return j.show(v, v.words())
}

// noteImport audits a run that changed something.
func (j *job) noteImport(ctx context.Context, a *boot.App, v *movedView) error {
	added := int64(0)
	for _, h := range v.History {
		added += h.Added
	}
	if v.DryRun || (v.Created == 0 && added == 0) {
		return nil
	}
	return a.Desk.RunImport(ctx, actor, v.Name, map[string]any{"system": v.System, "created": v.Created, "kept": v.Kept, "calls": added, "left": len(v.Left)})
}

func (v movedView) words() string {
	var b strings.Builder
	rows := make([][]string, 0, len(v.Steps))
	for _, c := range v.Steps {
		rows = append(rows, []string{c.Action, c.Kind, c.Name, orDash(strings.Join(c.Detail, ", "))})
	}
	b.WriteString(table("ACTION KIND NAME DETAIL", rows))
	if len(v.History) > 0 {
		rows = rows[:0]
		for _, h := range v.History {
			rows = append(rows, []string{h.Name, fmt.Sprint(h.Added), fmt.Sprint(h.Present), fmt.Sprint(h.Left), h.Credits.String()})
		}
		b.WriteString("\n" + table("HISTORY ADDED PRESENT LEFT CREDITS", rows))
	}
	if len(v.Left) > 0 {
		rows = rows[:0]
		for _, l := range v.Left {
			rows = append(rows, []string{l.Kind, l.Name, l.Reason})
		}
		b.WriteString("\nStays behind:\n" + table("KIND NAME REASON", rows))
	}
	would := ""
	if v.DryRun {
		would = " (dry run: nothing was changed)"
	}
	return b.String() + fmt.Sprintf("\n%d created, %d there already, %d other here and left so, %d left behind%s.\n", v.Created, v.Present, v.Kept, len(v.Left), would)
}
