// Package oas holds OpenAPI documents against Redocly's linter, which knows the
// specification and what code generators stumble over. It is for tests only.
package oas

import (
	"embed"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/npm"
)

//go:embed package.json package-lock.json lint.mjs
var files embed.FS

// Problem is something that is wrong with a document.
type Problem struct {
	Rule    string `json:"rule"`
	Message string `json:"message"`
	At      string `json:"at"` // a JSON pointer
}

// Lint lists what is wrong with a document. Where node, npm or the packages cannot be
// had the test is skipped and says so.
func Lint(t testing.TB, document []byte) []Problem {
	t.Helper()
	dir := npm.InstallOrSkip(t, "oas", files)
	path := filepath.Join(t.TempDir(), "openapi.json")
	require.NoError(t, os.WriteFile(path, document, 0o600))
	out, err := exec.CommandContext(t.Context(), npm.Node(t), filepath.Join(dir, "lint.mjs"), path).Output()
	require.NoError(t, err)
	var problems []Problem
	require.NoError(t, json.Unmarshal(out, &problems), string(out))
	return problems
}
