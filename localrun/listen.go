package main

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The names of listeners, as they are handed over from process to process and as
// a systemd socket unit may call them by FileDescriptorName=.
const (
	listenHub      = "hub"
	listenMetrics  = "metrics"
	listenProfiles = "profiles"
	readyPipe      = "ready"
)

// handedOver lists, separated by commas, what a hub hands over to the process that
// takes its place: the first name is file descriptor 3. It is no setting: nobody
// but a hub sets it.
const handedOver = "HUB_HANDED_OVER"

// firstFD is the first file descriptor that can be handed over, here and by systemd
// (sd_listen_fds(3)).
const firstFD = 3

// handover is what the process was given at its start.
type handover struct {
	listeners map[string]net.Listener
	ready     *os.File // told once this process serves; nil when nobody waits
}

// takeOver takes what the hub before this one, or systemd, handed over.
func takeOver(lookup func(string) (string, bool), pid int) (h handover, err error) {
	h.listeners = map[string]net.Listener{}
	for i, name := range handedNames(lookup, pid) {
		fd := firstFD + i
		syscall.CloseOnExec(fd)
		f := os.NewFile(uintptr(fd), name) //nolint:gosec // a small number
		if name == readyPipe {
			h.ready = f
			continue
		}
		l, err := net.FileListener(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return h, hub.Wrap(hub.CodeUnavailable, err, "the listener %q that was handed over cannot be used", name)
		}
		if h.listeners[name] != nil {
			return h, errors.Join(hub.Errorf(hub.CodeUnavailable, "two listeners %q were handed over", name), l.Close())
		}
		h.listeners[name] = l
	}
	return h, nil
}

// handedNames are the names of what was handed over, in the order of the file
// descriptors. A socket of systemd's that has another name is the hub's own.
func handedNames(lookup func(string) (string, bool), pid int) []string {
	get := func(name string) string { v, _ := lookup(name); return v }
	if own := get(handedOver); own != "" {
		return strings.Split(own, ",")
	}
	n, err := strconv.Atoi(get("LISTEN_FDS"))
	if err != nil || get("LISTEN_PID") != strconv.Itoa(pid) {
		return nil
	}
	given := strings.Split(get("LISTEN_FDNAMES"), ":")
	names := make([]string, 0, n)
	for i := range n {
		name := listenHub
		if i < len(given) && (given[i] == listenMetrics || given[i] == listenProfiles) {
			name = given[i]
		}
		names = append(names, name)
	}
	return names
}

// listen is the listener of that name that was handed over, or a new one.
func (h handover) listen(ctx context.Context, name, address string) (net.Listener, error) {
	if l := h.listeners[name]; l != nil {
		delete(h.listeners, name)
		return l, nil
	}
	return (&net.ListenConfig{}).Listen(ctx, "tcp", address)
}

// rest closes what nobody took: a side that was switched off meanwhile.
func (h handover) rest() error {
	var err error
	for _, l := range h.listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}

// serving tells whoever waits that this process serves.
func (h handover) serving() error {
	if h.ready == nil {
		return nil
	}
	_, err := h.ready.WriteString("1")
	return errors.Join(err, h.ready.Close())
}
