package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/mattn/go-isatty"
	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// maxSecret bounds what is read of a secret, in bytes.
const maxSecret = 64 << 10

func credentialFlags() []cli.Flag {
	return []cli.Flag{
		text("credential-env", "environment `VARIABLE` that holds the credential"),
		toggle("credential-stdin", "read the credential from standard input"),
	}
}

// credential reads the credential from where the flags say; "" without them. It
// never comes from the command line itself, which others can see.
func (j *job) credential() (hub.Secret, error) {
	variable, stdin := j.text("credential-env"), j.c.Bool("credential-stdin")
	switch {
	case variable != "" && stdin:
		return "", hub.Invalid("credential-env", "give one of --credential-env and --credential-stdin, not both")
	case stdin:
		return j.readSecret("credential-stdin")
	case j.c.IsSet("credential-env"):
		return j.secretFrom(variable, "credential-env")
	}
	return "", nil
}

func (j *job) secretFrom(variable, param string) (hub.Secret, error) {
	value, _ := j.lookup(variable)
	if value = strings.TrimSpace(value); value == "" {
		return "", hub.Invalid(param, "the environment variable %q is not set, or empty", variable)
	}
	return hub.Secret(value), nil
}

// readSecret reads all of standard input.
func (j *job) readSecret(flag string) (hub.Secret, error) {
	if j.interactive() {
		// Only a hint: reading goes on until the end of input either way.
		_, _ = fmt.Fprintln(j.stderr, "Reading from the terminal; end with Ctrl-D.")
	}
	b, err := io.ReadAll(io.LimitReader(j.stdin, maxSecret+1))
	if err != nil {
		return "", fmt.Errorf("read standard input: %w", err)
	}
	value := strings.TrimSpace(string(b))
	switch {
	case len(b) > maxSecret:
		return "", hub.Invalid(flag, "--%s: more than %d bytes on standard input", flag, maxSecret)
	case value == "":
		return "", hub.Invalid(flag, "--%s: nothing on standard input", flag)
	}
	return hub.Secret(value), nil
}

// interactive reports whether a person can be asked.
func (j *job) interactive() bool {
	f, ok := j.stdin.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
