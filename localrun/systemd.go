package main

import (
	"net"
	"strings"
)

// notifySystemd tells the service manager how things are, where it wants to know
// (sd_notify(3)).
func notifySystemd(lookup func(string) (string, bool), state string) error {
	path, _ := lookup("NOTIFY_SOCKET")
	if path == "" {
		return nil
	}
	if name, abstract := strings.CutPrefix(path, "@"); abstract {
		path = "\x00" + name
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	_, err = conn.Write([]byte(state))
	if closed := conn.Close(); err == nil {
		err = closed
	}
	return err
}

// tellSystemd is notifySystemd where nothing depends on it.
func (s *server) tellSystemd(state string) {
	if err := notifySystemd(s.lookup, state); err != nil {
		s.log.Warn("the service manager cannot be told", "error", err)
	}
}
