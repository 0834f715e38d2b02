package functions_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestTheArm64BootstrapAnswers streams a call through the function as it is deployed, on
// this machine's processor or on qemu's.
func TestTheArm64BootstrapAnswers(t *testing.T) {
	var emulator string
	for _, name := range []string{"qemu-aarch64-static", "qemu-aarch64"} {
		if path, err := exec.LookPath(name); err == nil {
			emulator = path
			break
		}
	}
	if emulator == "" && runtime.GOARCH != "arm64" {
		t.Skip("neither an arm64 machine nor qemu-aarch64 (Debian: qemu-user-static): the arm64 bootstrap is built and NOT run")
	}
	m := newModel(t, "GOARCH=arm64")
	if runtime.GOARCH != "arm64" {
		script := filepath.Join(t.TempDir(), "bootstrap")
		require.NoError(t, os.WriteFile(script, []byte("#!/bin/sh\nexec "+emulator+" "+m.bootstrap+"\n"), 0o700))
		m.bootstrap = script
	}
	first, sent := m.stream(t, m.start(t))
	assert.NotEmpty(t, sent.after)
	t.Logf("first streamed byte after %s", first.Round(time.Millisecond))
}
