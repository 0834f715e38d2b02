package main

import (
	"context"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// spec is one line of the table of commands.
type spec struct {
	name, usage, about string
	flags              []cli.Flag
	needs              []string // flags that must be given, and not be empty
	arg                string   // the flag that one plain argument may stand for; "" for none
	allSettings        bool     // help lists every setting
	run                func(j *job) error
}

// command makes a command of a spec: its own flags, --json and all settings.
func (p *program) command(s spec) *cli.Command {
	c := &cli.Command{
		Name: s.name, Usage: s.usage, Description: s.describe(), HideHelpCommand: true, OnUsageError: usageFault,
		Flags: slices.Concat(s.flags, []cli.Flag{jsonFlag()}, p.settingFlags(s.allSettings)),
		Action: func(c *cli.Context) error {
			j := &job{program: p, ctx: c.Context, c: c, spec: s, json: c.Bool("json")}
			if err := j.checkUsage(); err != nil {
				return err
			}
			return s.run(j)
		},
	}
	if s.arg != "" {
		c.ArgsUsage = "[" + strings.ToUpper(s.arg) + "]"
	}
	return c
}

func (s spec) describe() string {
	var parts []string
	if s.about != "" {
		parts = append(parts, s.about)
	}
	if len(s.needs) > 0 {
		parts = append(parts, "Needs --"+strings.Join(s.needs, ", --")+".")
	}
	if s.arg != "" {
		parts = append(parts, "A plain argument stands for --"+s.arg+".")
	}
	if !s.allSettings {
		parts = append(parts, `Every setting of "aigne-hub serve --help" is a flag here too.`)
	}
	return strings.Join(parts, "\n")
}

// withBelow makes a command that does something itself and has others below it.
func (p *program) withBelow(s spec, below []spec) *cli.Command {
	c := p.command(s)
	for _, b := range below {
		c.Subcommands = append(c.Subcommands, p.command(b))
	}
	return c
}

// family makes a command that only groups others.
func (p *program) family(name, usage string, specs []spec, below ...*cli.Command) *cli.Command {
	c := &cli.Command{Name: name, Usage: usage, HideHelpCommand: true, OnUsageError: usageFault,
		Flags: append([]cli.Flag{jsonFlag()}, p.settingFlags(false)...)}
	for _, s := range specs {
		c.Subcommands = append(c.Subcommands, p.command(s))
	}
	c.Subcommands = append(c.Subcommands, below...)
	c.Action = group(name, c.Subcommands)
	return c
}

// group is what happens when no subcommand was named, or an unknown one.
func group(name string, commands []*cli.Command) cli.ActionFunc {
	return func(c *cli.Context) error {
		var names []string
		for _, sub := range commands {
			names = append(names, sub.Name)
		}
		if c.Args().Present() {
			return hub.Invalid("", "there is no command %q; %s has %s", c.Args().First(), name, strings.Join(names, ", "))
		}
		if name == c.App.Name {
			return cli.ShowAppHelp(c)
		}
		return hub.Invalid("", "%s needs one of the commands %s", name, strings.Join(names, ", "))
	}
}

func usageFault(_ *cli.Context, err error, _ bool) error {
	return hub.Invalid("", "%s; --help shows what there is", err.Error())
}

func jsonFlag() cli.Flag {
	return &cli.BoolFlag{Name: "json", Usage: "print one JSON document"}
}

// settingFlags mirrors the settings as flags. Secrets have none. Beside serve,
// help shows only where the data is. All commands share them: only one of them
// is carried out, and a hundred times all settings would be megabytes.
func (p *program) settingFlags(all bool) []cli.Flag {
	if flags := p.settings[all]; flags != nil {
		return flags
	}
	var flags []cli.Flag
	for _, s := range boot.Settings() {
		if s.Flag == "" {
			continue
		}
		usage := s.Doc + " [$" + s.Name + "]"
		if s.Default != "" {
			usage += " (default: " + s.Default + ")"
		}
		flags = append(flags, &cli.StringFlag{
			Name: s.Flag, Usage: usage, Category: "SETTINGS, also environment variables",
			Hidden: !all && s.Flag != "data" && s.Flag != "database",
		})
	}
	if p.settings == nil {
		p.settings = map[bool][]cli.Flag{}
	}
	p.settings[all] = flags
	return flags
}

func text(name, usage string) cli.Flag { return &cli.StringFlag{Name: name, Usage: usage} }

func number(name, usage string) cli.Flag { return &cli.Int64Flag{Name: name, Usage: usage} }

func toggle(name, usage string) cli.Flag { return &cli.BoolFlag{Name: name, Usage: usage} }

// job is one command being carried out.
type job struct {
	*program
	ctx  context.Context
	c    *cli.Context
	spec spec
	json bool
}

func (j *job) checkUsage() error {
	args := j.c.Args()
	switch {
	case args.Len() > 1 || (args.Present() && j.spec.arg == ""):
		return hub.Invalid("", "%s: unexpected argument %q", j.spec.name, args.Get(min(args.Len(), 2)-1))
	case args.Present() && j.c.IsSet(j.spec.arg):
		return hub.Invalid(j.spec.arg, "%s: --%s is given twice", j.spec.name, j.spec.arg)
	}
	var missing []string
	for _, name := range j.spec.needs {
		if j.text(name) == "" {
			missing = append(missing, "--"+name)
		}
	}
	if len(missing) > 0 {
		return hub.Invalid(strings.TrimPrefix(missing[0], "--"), "%s needs %s", j.spec.name, strings.Join(missing, ", "))
	}
	return nil
}

// text is the value of a flag, or of the plain argument that stands for it.
func (j *job) text(name string) string {
	if name == j.spec.arg && j.c.Args().Present() {
		return j.c.Args().First()
	}
	return j.c.String(name)
}
