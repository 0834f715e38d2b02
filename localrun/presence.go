package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
)

// presence is the file by which commands find the hubs that serve a data folder: its
// process holds a lock on it, so what a killed one left behind is told from a number
// that another program has meanwhile.
type presence struct {
	PID    int    `json:"pid"`
	Listen string `json:"listen"`
	Quiet  bool   `json:"quiet"`  // it was asked to drain, and has no open calls
	Halted bool   `json:"halted"` // some of them were ended for it

	path string
	file *os.File
}

const presenceFiles = "serve-*.json"

// announce makes the file of this process. Without a data folder there is none.
func announce(data, listen string) (*presence, error) {
	p := &presence{PID: os.Getpid(), Listen: listen}
	if data == "" {
		return p, nil
	}
	const private, privateDir = 0o600, 0o700
	if err := os.MkdirAll(data, privateDir); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	// It gets its name when it is locked: who finds one without a lock takes it away.
	name := "serve-" + strconv.Itoa(p.PID) + ".json"
	f, err := os.OpenFile(filepath.Join(data, "."+name), os.O_CREATE|os.O_RDWR|os.O_TRUNC, private) //nolint:gosec // below the hub's own folder
	if err != nil {
		return nil, err
	}
	p.file, p.path = f, filepath.Join(data, name)
	if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err == nil {
		err = p.write()
	}
	if err == nil {
		err = os.Rename(f.Name(), p.path)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", p.path, err), os.Remove(f.Name()), f.Close())
	}
	return p, nil
}

// write says how things are.
func (p *presence) write() error {
	text, err := json.Marshal(p)
	if err != nil {
		return err
	}
	if err := p.file.Truncate(0); err != nil {
		return err
	}
	_, err = p.file.WriteAt(text, 0)
	return err
}

// quiet says that nothing is open any more.
func (p *presence) quiet(halted bool) error {
	p.Quiet, p.Halted = true, halted
	if p.file == nil {
		return nil
	}
	return p.write()
}

// leave takes the file away.
func (p *presence) leave() error {
	if p.file == nil {
		return nil
	}
	return errors.Join(os.Remove(p.path), p.file.Close())
}

// present lists the hubs that serve a data folder on this machine.
func present(data string) ([]presence, error) {
	paths, err := filepath.Glob(filepath.Join(data, presenceFiles))
	if err != nil {
		return nil, err
	}
	var all []presence
	for _, path := range paths {
		p, lives, err := readPresence(path)
		if err != nil {
			return nil, err
		}
		if lives {
			all = append(all, p)
		}
	}
	return all, nil
}

// readPresence reads one file, and removes it when its process has ended: then, and
// when it is gone, the answer has no path.
func readPresence(path string) (p presence, lives bool, err error) {
	f, err := os.Open(path) //nolint:gosec // found in the hub's own folder
	if errors.Is(err, os.ErrNotExist) {
		return p, false, nil // gone since it was listed
	}
	if err != nil {
		return p, false, err
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_SH|syscall.LOCK_NB) == nil {
		return p, false, removeDead(f, path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxPresence))
	if err != nil {
		return p, false, err
	}
	if json.Unmarshal(text, &p) != nil || p.PID <= 0 {
		return presence{path: path}, false, nil // just being written
	}
	p.path = path
	return p, true, nil
}

// removeDead takes a file away whose process has ended, unless another has taken its
// number and name meanwhile, or another reader was first.
func removeDead(f *os.File, path string) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	if named, err := os.Stat(path); err != nil || !os.SameFile(mine, named) {
		return nil
	}
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

const maxPresence = 4 << 10 // bytes
