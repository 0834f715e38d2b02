// Package npm installs the Node packages that tests need into a cache outside
// the source tree, once per lock file, and hands out the scripts that use them.
// It is for tests only: nothing that ships needs Node.
package npm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const installLimit = 5 * time.Minute

// Node returns the path of the node binary. Without node and npm the test is
// skipped, with a message that says what is missing.
func Node(t testing.TB) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed: this test runs a Node program (Node 20 or newer)")
	}
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skip("npm is not installed: this test needs Node packages")
	}
	return node
}

// Install makes the packages of files (package.json and package-lock.json at
// its top) available and returns a folder that holds the *.mjs scripts of files
// and from which those packages resolve. `npm ci --ignore-scripts` runs once for
// each lock file; processes that come at the same time wait for the first.
func Install(t testing.TB, name string, files fs.FS) string {
	t.Helper()
	Node(t)
	dir, err := install(name, files)
	if err != nil {
		t.Fatalf("cannot install the Node packages of %s: %v", name, err)
	}
	return dir
}

// InstallOrSkip is Install for packages that a machine may not be able to fetch:
// the test is skipped and says why.
func InstallOrSkip(t testing.TB, name string, files fs.FS) string {
	t.Helper()
	Node(t)
	dir, err := install(name, files)
	if err != nil {
		t.Skipf("cannot install the Node packages of %s: %v", name, err)
	}
	return dir
}

func install(name string, files fs.FS) (dir string, err error) {
	lock, err := fs.ReadFile(files, "package-lock.json")
	if err != nil {
		return "", err
	}
	manifest, err := fs.ReadFile(files, "package.json")
	if err != nil {
		return "", err
	}
	root := filepath.Join(cacheDir(), name+"-"+digest(manifest, lock))
	if err := os.MkdirAll(root, 0o755); err != nil {
		return "", err
	}
	unlock, err := lockFile(filepath.Join(root, ".lock"))
	if err != nil {
		return "", fmt.Errorf("lock %s: %w", root, err)
	}
	defer unlock()
	if _, err := os.Stat(filepath.Join(root, ".installed")); err != nil {
		if err := ci(root, manifest, lock); err != nil {
			return "", err
		}
	}
	return scripts(root, files)
}

func cacheDir() string {
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	return filepath.Join(base, "aigne-hub-test")
}

func ci(root string, manifest, lock []byte) error {
	for file, content := range map[string][]byte{"package.json": manifest, "package-lock.json": lock} {
		if err := os.WriteFile(filepath.Join(root, file), content, 0o644); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), installLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("npm ci: %w\n%s", err, tail(out, 2000))
	}
	return os.WriteFile(filepath.Join(root, ".installed"), nil, 0o644)
}

// scripts writes the *.mjs files into a folder named after their content, so
// that an edited script never meets the copy that another test process runs.
func scripts(root string, files fs.FS) (string, error) {
	names, err := fs.Glob(files, "*.mjs")
	if err != nil {
		return "", err
	}
	contents := make([][]byte, 0, len(names))
	for _, name := range names {
		content, err := fs.ReadFile(files, name)
		if err != nil {
			return "", err
		}
		contents = append(contents, content)
	}
	dir := filepath.Join(root, "scripts-"+digest(contents...))
	if _, err := os.Stat(dir); err == nil {
		return dir, nil
	}
	// Written aside and renamed: a script in place may be being read by node.
	aside, err := os.MkdirTemp(root, "new-")
	if err != nil {
		return "", err
	}
	for i, name := range names {
		if err := os.WriteFile(filepath.Join(aside, name), contents[i], 0o644); err != nil {
			return "", err
		}
	}
	return dir, os.Rename(aside, dir)
}

func digest(parts ...[]byte) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:", len(p))
		h.Write(p)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}

func tail(out []byte, n int) string {
	s := strings.TrimSpace(string(out))
	return s[max(0, len(s)-n):]
}
