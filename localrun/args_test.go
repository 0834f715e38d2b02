package main

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
)

func testProgram(stdout, stderr io.Writer) *program {
	return &program{stdin: strings.NewReader(""), stdout: stdout, stderr: stderr, lookup: func(string) (string, bool) { return "", false }}
}

func TestFlagsMayStandAnywhere(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"after the command", "x provider remove --name a --json", "x provider remove --name a --json"},
		{"before the command", "x --data d provider remove --name a", "x provider remove --data d --name a"},
		{"between its words", "x provider --json remove --name a", "x provider remove --json --name a"},
		{"after an argument", "x provider remove a --data d --json", "x provider remove --data d --json -- a"},
		{"around an argument", "x --json provider remove a --data=d", "x provider remove --json --data=d -- a"},
		{"with one dash", "x apply -f file -dry-run", "x apply -f file -dry-run"},
		{"a value that is a command's name", "x --data provider user list", "x user list --data provider"},
		{"a switch before a command", "x --json user list", "x user list --json"},
		{"nothing is taken apart behind --", "x provider remove --json -- --data", "x provider remove --json -- --data"},
		{"a lone dash is an argument", "x export -", "x export -- -"},
		{"a name that is no command", "x provider frob --json", "x provider --json -- frob"},
		{"an unknown flag takes nothing with it", "x user --frob list", "x user list --frob"},
		{"a flag without its value", "x user create --email", "x user create --email"},
		{"no command", "x", "x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			app := testProgram(io.Discard, io.Discard).app()
			in := strings.Fields(tt.in)
			assert.Equal(t, tt.want, strings.Join(reorder(app, in), " "))
			assert.Equal(t, tt.in, strings.Join(in, " "), "the arguments given are left alone")
		})
	}
	assert.Empty(t, reorder(testProgram(io.Discard, io.Discard).app(), nil))
}

// everyCommand calls fn for each command that does something.
func everyCommand(app *cli.App, fn func(path []string, c *cli.Command)) {
	var walk func(path []string, commands []*cli.Command)
	walk = func(path []string, commands []*cli.Command) {
		for _, c := range commands {
			here := append(path[:len(path):len(path)], c.Name)
			if len(c.Subcommands) > 0 {
				walk(here, c.Subcommands)
				continue
			}
			fn(here, c)
		}
	}
	walk(nil, app.Commands)
}

func TestAFlagMeansTheSameEverywhere(t *testing.T) {
	t.Parallel()
	app := testProgram(io.Discard, io.Discard).app()
	simple := map[string]bool{}
	everyCommand(app, func(path []string, c *cli.Command) {
		names := map[string]bool{}
		for _, f := range c.Flags {
			_, isSwitch := f.(*cli.BoolFlag)
			for _, name := range f.Names() {
				assert.False(t, names[name], "%v has --%s twice", path, name)
				names[name] = true
				if known, ok := simple[name]; ok {
					assert.Equal(t, known, isSwitch, "--%s of %v takes a value here and none there", name, path)
				}
				simple[name] = isSwitch
			}
		}
		assert.True(t, names["json"], "%v", path)
		for _, s := range boot.Settings() {
			assert.Equal(t, s.Flag != "", s.Flag != "" && names[s.Flag], "%v lacks --%s", path, s.Flag)
		}
	})
}

func TestEveryCommandExplainsItself(t *testing.T) {
	t.Parallel()
	app := testProgram(io.Discard, io.Discard).app()
	everyCommand(app, func(path []string, c *cli.Command) {
		var stdout, stderr strings.Builder
		args := append(append([]string{"aigne-hub"}, path...), "--help")
		require.Equal(t, exitDone, testProgram(&stdout, &stderr).run(context.Background(), args), "%v", path)
		assert.Contains(t, stdout.String(), "aigne-hub "+strings.Join(path, " ")+" - "+c.Usage)
		assert.Contains(t, stdout.String(), "--data")
		assert.Contains(t, stdout.String(), "--json")
		assert.Empty(t, stderr.String())
	})
	var stdout strings.Builder
	require.Equal(t, exitDone, testProgram(&stdout, io.Discard).run(context.Background(), []string{"aigne-hub"}))
	for _, s := range boot.Settings() {
		if s.Flag != "" {
			assert.Contains(t, stdout.String(), "--"+s.Flag)
			assert.Contains(t, stdout.String(), "$"+s.Name)
		}
	}
}

func TestTablesShowNoControlCharacters(t *testing.T) {
	t.Parallel()
	got := table("A B", [][]string{{"x\x1b[2Jy", "1\n2"}, {"long cell", "3"}})
	assert.Equal(t, "A          B\nx?[2Jy     1?2\nlong cell  3\n", got)
}
