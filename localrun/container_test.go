package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// image is what becomes of infra/Containerfile where there is no engine for it: each
// stage is a folder, and its commands run here. Of the images it starts from it knows
// nothing.
type image struct {
	t       *testing.T
	context string // the project, without what git does not keep
	stages  map[string]*imageStage
	now     *imageStage
	args    map[string]string
}

type imageStage struct {
	root, dir  string // dir: in the stage
	env        map[string]string
	entrypoint string
}

// TestTheContainerfileMakesAHub runs the build on a clean copy of the project, and the
// program in what would be the image.
func TestTheContainerfileMakesAHub(t *testing.T) {
	if os.Getenv("AIGNE_HUB_TEST_CONTAINER") == "" {
		t.Skip("AIGNE_HUB_TEST_CONTAINER is not set: the commands of infra/Containerfile are not run (make container-check)")
	}
	i := &image{t: t, context: t.TempDir(), stages: map[string]*imageStage{}, args: map[string]string{}}
	i.shell("..", "git ls-files -co --exclude-standard -z | xargs -0 cp --parents -t '"+i.context+"'")
	text, err := os.ReadFile("../infra/Containerfile")
	require.NoError(t, err)
	for line := range strings.Lines(strings.ReplaceAll(string(text), "\\\n", " ")) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			i.do(line)
		}
	}
	require.Equal(t, `["/usr/local/bin/aigne-hub"]`, i.now.entrypoint)
	h := newHub(t)
	h.data = filepath.Join(i.now.root, i.now.env["AIGNE_HUB_DATA"])
	info, err := os.Stat(h.data)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
	assert.Equal(t, "0.0.0.0:3030", i.now.env["AIGNE_HUB_LISTEN"])
	_, key := h.withProvider()
	s := h.startLogged(filepath.Join(i.now.root, "usr/local/bin/aigne-hub"), os.Stderr, "serve", "--json", "--listen", "127.0.0.1:0")
	status, _, answer, err := s.call(t.Context(), key, helloStream)
	require.NoError(t, err)
	assert.Equal(t, 200, status)
	assert.Contains(t, answer, "[DONE]")
	out, err := exec.CommandContext(t.Context(), "go", "version", "-m", filepath.Join(i.now.root, "usr/local/bin/aigne-hub")).Output()
	require.NoError(t, err)
	assert.Contains(t, string(out), "CGO_ENABLED=0", "it runs where there is no C library")
	assert.FileExists(t, filepath.Join(i.stages["build"].root, "src/functions/console/dist/index.html"))
}

func (i *image) do(line string) {
	i.t.Helper()
	i.t.Log(line)
	word, rest, _ := strings.Cut(line, " ")
	switch word {
	case "FROM":
		i.now = &imageStage{root: i.t.TempDir(), dir: "/", env: map[string]string{}}
		if _, name, named := strings.Cut(rest, " AS "); named {
			i.stages[name] = i.now
		}
	case "WORKDIR":
		i.now.dir = rest
		require.NoError(i.t, os.MkdirAll(i.in(""), 0o750))
	case "ARG":
		name, value, _ := strings.Cut(rest, "=")
		i.args[name] = value
	case "ENV":
		for _, pair := range strings.Fields(rest) {
			name, value, _ := strings.Cut(pair, "=")
			i.now.env[name] = value
		}
	case "COPY":
		i.copy(strings.Fields(rest))
	case "RUN":
		for name, value := range i.args {
			rest = strings.ReplaceAll(rest, "${"+name+"}", value)
		}
		i.shell(i.in(""), rest)
	case "ENTRYPOINT":
		i.now.entrypoint = rest
	case "VOLUME", "EXPOSE", "STOPSIGNAL", "CMD":
	default:
		require.Fail(i.t, "unknown instruction", line)
	}
}

// in is a path of the stage as it is called in it.
func (i *image) in(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Join(i.now.root, path)
	}
	return filepath.Join(i.now.root, i.now.dir, path)
}

func (i *image) copy(words []string) {
	i.t.Helper()
	from, mode := i.context, ""
	for len(words) > 0 && strings.HasPrefix(words[0], "--") {
		name, value, _ := strings.Cut(words[0], "=")
		switch name {
		case "--from":
			from = i.stages[value].root
		case "--chmod":
			mode = value
		}
		words = words[1:]
	}
	to := i.in(words[len(words)-1])
	for _, w := range words[:len(words)-1] {
		source := filepath.Join(from, w)
		info, err := os.Stat(source)
		require.NoError(i.t, err)
		require.NoError(i.t, os.MkdirAll(filepath.Dir(to+"x"), 0o750))
		if info.IsDir() {
			require.NoError(i.t, os.MkdirAll(to, 0o750))
			source += "/."
		}
		i.shell(i.context, "cp -r '"+source+"' '"+to+"'")
		if mode != "" {
			i.shell(i.context, "chmod "+mode+" '"+to+"'")
		}
	}
}

var proxies = regexp.MustCompile(`(?i)^(PATH|HOME|GO\w*|npm_config_\w+|\w*_proxy|SSL_CERT_\w+|NODE_EXTRA_CA_CERTS)=`)

// shell runs a command with nothing of the surroundings but what the network needs.
func (i *image) shell(dir, command string) {
	i.t.Helper()
	cmd := exec.CommandContext(context.WithoutCancel(i.t.Context()), "sh", "-ec", command)
	cmd.Dir = dir
	for _, e := range os.Environ() {
		if proxies.MatchString(e) {
			cmd.Env = append(cmd.Env, e)
		}
	}
	out, err := cmd.CombinedOutput()
	require.NoError(i.t, err, "%s: %s", command, out)
}
