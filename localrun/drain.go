package main

import (
	"context"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func drainSpec() spec {
	return spec{
		name: "drain", usage: "let the hub finish its calls and take no more, before it is stopped", run: drainHub,
		about: "For the hub that serves --data at --listen on this machine; it goes on running, so that whoever keeps it alive\n" +
			"does not start it anew, and answers 503 to what comes. Waits until nothing is open, or for --drain: then what is\n" +
			"still open is settled as delivered. Exit code 3 where no such hub serves.",
	}
}

// lookAgain is how often it is looked how far a hub that drains is.
const lookAgain = 50 * time.Millisecond

// drainHub asks a hub of this data folder to be quiet, and waits for it.
func drainHub(j *job) error {
	cfg, err := j.config()
	if err != nil {
		return err
	}
	all, err := present(cfg.Data)
	if err != nil {
		return err
	}
	for _, p := range all {
		if !samePort(p.Listen, cfg.Listen) {
			continue
		}
		if err := syscall.Kill(p.PID, sigQuiet); err != nil {
			return fmt.Errorf("the hub with process id %d cannot be told: %w", p.PID, err)
		}
		settled, err := j.awaitQuiet(cfg, p)
		if err != nil {
			return err
		}
		return j.show(map[string]any{"pid": p.PID, "listen": p.Listen, "drained": settled}, drainedWords(p, settled))
	}
	return hub.Errorf(hub.CodeNotFound, "no hub serves %s at %s on this machine", cfg.Data, cfg.Listen)
}

func drainedWords(p presence, settled bool) string {
	if settled {
		return fmt.Sprintf("The hub at %s has no open calls and takes no more.\n", p.Listen)
	}
	return fmt.Sprintf("The hub at %s takes no more calls; those that were open are being settled as delivered.\n", p.Listen)
}

func samePort(a, b string) bool {
	_, one, errA := net.SplitHostPort(a)
	_, two, errB := net.SplitHostPort(b)
	return errA == nil && errB == nil && one == two
}

// awaitQuiet waits until the hub says that it is quiet, or has ended.
func (j *job) awaitQuiet(cfg boot.Config, p presence) (settled bool, err error) {
	ctx, cancel := context.WithTimeout(j.ctx, cfg.Drain+settleTime)
	defer cancel()
	for {
		now, lives, err := readPresence(p.path)
		switch {
		case err != nil:
			return false, err
		case !lives && now.path == "", now.Quiet:
			return !now.Halted, nil
		}
		select {
		case <-ctx.Done():
			return false, nil
		case <-time.After(lookAgain):
		}
	}
}
