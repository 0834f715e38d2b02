package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// The signals beside SIGINT and SIGTERM.
const (
	sigReload   = syscall.SIGHUP  // certificates
	sigQuiet    = syscall.SIGUSR1 // finish calls, take no more, and stay
	sigHandOver = syscall.SIGUSR2 // start the program anew and let it go on
)

const (
	// startLimit is how long the new process may take until it serves, migrations
	// included.
	startLimit = 2 * time.Minute
	// lameTime is how long the old process still answers on connections that it has,
	// asking their clients to close them. Those who reuse one at the moment it is
	// closed would see a call fail.
	lameTime = time.Second
	// lameLimit is how long it does so for the sake of calls that began before: their
	// answers do not ask for that, so their clients may come once more.
	lameLimit = 5 * time.Second
)

// handOver starts the program again, with the listeners that are open here, and
// waits until it serves. Connections that come meanwhile wait in the listener, which
// is one for both. After an error this process is as it was.
func (s *server) handOver(own net.Listener, beside []*side) (pid int, err error) {
	if os.Getpid() == 1 {
		return 0, errors.New("this is the first process of a container, which ends with it")
	}
	program, err := programPath(s.argv)
	if err != nil {
		return 0, err
	}
	files, names, err := handedFiles(own, beside)
	defer func() { // the new process has its own
		for _, f := range files {
			_ = f.Close()
		}
	}()
	if err != nil {
		return 0, err
	}
	ready, told, err := os.Pipe()
	if err != nil {
		return 0, err
	}
	defer ready.Close()
	files, names = append(files, told), append(names, readyPipe)
	cmd := exec.Command(program, s.argv[1:]...) //nolint:gosec,noctx // this very program, which outlives this process
	cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = s.stdout, s.stderr, files
	cmd.Env = append(slices.DeleteFunc(slices.Clone(s.environ), func(e string) bool {
		return strings.HasPrefix(e, "LISTEN_") || strings.HasPrefix(e, handedOver+"=")
	}), handedOver+"="+strings.Join(names, ","))
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for _, f := range files { // to start a process makes files block, those here with them
		_ = syscall.SetNonblock(int(f.Fd()), true)
	}
	_ = told.Close() // so that reading ends with the new process
	if err := awaitReady(ready); err != nil {
		_ = cmd.Process.Kill()
		return 0, fmt.Errorf("the new process does not serve: %w", errors.Join(err, <-ended))
	}
	return cmd.Process.Pid, nil
}

// awaitReady waits for the new process's word.
func awaitReady(ready *os.File) error {
	if err := ready.SetReadDeadline(time.Now().Add(startLimit)); err != nil {
		return err
	}
	word := make([]byte, 1)
	_, err := ready.Read(word)
	return err
}

// programPath is the program that was started, as it was named: behind the name may
// be a newer one meanwhile.
func programPath(argv []string) (string, error) {
	if len(argv) == 0 {
		return "", errors.New("the program's name is not known")
	}
	if strings.ContainsRune(argv[0], filepath.Separator) {
		return filepath.Abs(argv[0])
	}
	return exec.LookPath(argv[0])
}

func handedFiles(own net.Listener, beside []*side) (files []*os.File, names []string, err error) {
	add := func(name string, l net.Listener) error {
		tcp, ok := l.(interface{ File() (*os.File, error) })
		if !ok {
			return fmt.Errorf("the listener %s cannot be handed over", name)
		}
		f, err := tcp.File()
		if err == nil {
			files, names = append(files, f), append(names, name)
		}
		return err
	}
	err = add(listenHub, own)
	for _, b := range beside {
		err = errors.Join(err, add(b.what, b.listener))
	}
	return files, names, err
}

// lame takes no more connections, which come to the new process, and serves on while
// the clients of idle ones are asked to close them.
func (s *server) lame(ctx context.Context) {
	const look = 10 * time.Millisecond
	s.health.leaving.Store(true)
	s.shutDoor()
	began, settled := time.Now(), time.Now()
	for time.Since(settled) < lameTime && time.Since(began) < lameLimit && ctx.Err() == nil {
		time.Sleep(look)
		if s.health.before.Load() > 0 {
			settled = time.Now()
		}
	}
}
