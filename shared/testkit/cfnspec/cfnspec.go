// Package cfnspec checks resources against what CloudFormation knows of them (npm
// @aws-cdk/aws-service-spec, which AWS makes of its own resource schemas). It is for
// tests only.
package cfnspec

import (
	"bytes"
	"embed"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/aigne-hub/aigne-hub/shared/testkit/npm"
)

//go:embed check.mjs package.json package-lock.json
var files embed.FS

// Problems lists what CloudFormation would not take of resources ({id, type,
// properties}). Without Node, or where its packages cannot be had, the test is skipped.
func Problems(t testing.TB, resources any) []string {
	t.Helper()
	dir := npm.InstallOrSkip(t, "cfnspec", files)
	in, err := json.Marshal(resources)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), npm.Node(t), filepath.Join(dir, "check.mjs"))
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(in), &stderr
	out, err := cmd.Output()
	require.NoError(t, err, stderr.String())
	var problems []string
	require.NoError(t, json.Unmarshal(out, &problems))
	return problems
}
