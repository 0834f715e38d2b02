package main

import (
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// reorder moves every flag behind the command's words and in front of its plain
// arguments. The flag parser stops at the first plain argument and knows flags
// only where they are declared; people put them anywhere. What follows "--" is
// left alone.
func reorder(app *cli.App, args []string) []string {
	if len(args) == 0 {
		return args
	}
	valued := valuedFlags(app)
	words, flags, plain := args[:1:1], []string(nil), []string(nil)
	commands, descending := app.Commands, true
	for i := 1; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "--":
			plain = append(plain, args[i+1:]...)
			i = len(args)
		case strings.HasPrefix(a, "-") && a != "-":
			flags = append(flags, a)
			name := strings.TrimLeft(a, "-")
			if !strings.Contains(name, "=") && valued[name] && i+1 < len(args) {
				i++
				flags = append(flags, args[i])
			}
		default:
			next := find(commands, a)
			if !descending || next == nil {
				descending = false
				plain = append(plain, a)
				continue
			}
			words, commands = append(words, a), next.Subcommands
		}
	}
	out := slices.Concat(words, flags)
	if len(plain) > 0 {
		out = append(append(out, "--"), plain...)
	}
	return out
}

func find(commands []*cli.Command, name string) *cli.Command {
	for _, c := range commands {
		if c.HasName(name) {
			return c
		}
	}
	return nil
}

// valuedFlags lists the flags of all commands that take a value. A name means
// the same everywhere.
func valuedFlags(app *cli.App) map[string]bool {
	valued := map[string]bool{}
	var walk func(flags []cli.Flag, commands []*cli.Command)
	walk = func(flags []cli.Flag, commands []*cli.Command) {
		for _, f := range flags {
			if _, simple := f.(*cli.BoolFlag); simple {
				continue
			}
			for _, name := range f.Names() {
				valued[name] = true
			}
		}
		for _, c := range commands {
			walk(c.Flags, c.Subcommands)
		}
	}
	walk(app.Flags, app.Commands)
	return valued
}

// wantsJSON looks for --json where parsing failed before the flag was known.
func wantsJSON(args []string) bool {
	if end := slices.Index(args, "--"); end >= 0 {
		args = args[:end]
	}
	return slices.Contains(args, "--json") || slices.Contains(args, "-json") || slices.Contains(args, "--json=true")
}
