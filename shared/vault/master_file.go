package vault

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// maxKeyFile bounds what is read of a key file, in bytes.
const maxKeyFile = 1 << 10

// ReadMasterFile reads the master key at path. A file that its group or others
// may read, write or execute is refused (Windows has no such bits). A missing
// file gives an error that is fs.ErrNotExist.
func ReadMasterFile(path string) (*Master, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open master key file: %w", err)
	}
	defer f.Close()
	// The open file is asked, not the path, so that what is checked is what is read.
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at master key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("master key file %s is not a regular file", path)
	}
	if perm := info.Mode().Perm(); perm&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("master key file %s has mode %04o, so that other users can get at it: run chmod 600 on it", path, perm)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("read master key file: %w", err)
	}
	m, err := ParseMaster(hub.Secret(text))
	if err != nil {
		return nil, fmt.Errorf("master key file %s: %w", path, err)
	}
	return m, nil
}

// EnsureMasterFile reads the master key at path, or makes one with mode 0600
// (its folder with 0700) when there is none; created says which. Of several
// processes that do this at once one wins, and all get its key. Call it only
// when nothing has been sealed yet or the file is known to be there: a new key
// opens nothing old.
func EnsureMasterFile(path string) (m *Master, created bool, err error) {
	m, err = ReadMasterFile(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return m, false, err
	}
	created, err = createKeyFile(path, GenerateMaster())
	if err != nil {
		return nil, false, err
	}
	m, err = ReadMasterFile(path)
	return m, created, err
}

// createKeyFile writes the key beside path and links it into place: the link
// fails when path exists, as O_EXCL would, but path never shows half a key, to
// another starter or after a crash. It reports false when another was first.
func createKeyFile(path string, key hub.Secret) (bool, error) {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return false, fmt.Errorf("make folder of master key file: %w", err)
	}
	tmp, err := writeTemp(dir, key)
	if err != nil {
		return false, fmt.Errorf("write master key file: %w", err)
	}
	defer os.Remove(tmp) // a left-over holds a key that nothing was sealed with
	switch err := os.Link(tmp, path); {
	case errors.Is(err, fs.ErrExist):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("make master key file (set AIGNE_HUB_MASTER_KEY where the file system has no hard links): %w", err)
	}
	return true, syncDir(dir)
}

// writeTemp writes and syncs a new file of mode 0600 in dir.
func writeTemp(dir string, key hub.Secret) (name string, err error) {
	f, err := os.CreateTemp(dir, ".master.key.*")
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(key.Reveal() + "\n")
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.Remove(f.Name())
		return "", err
	}
	return f.Name(), nil
}

// syncDir makes a new directory entry survive a power cut, where the system
// lets folders be synced.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("open folder of master key file: %w", err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync folder of master key file: %w", err)
	}
	return nil
}
