package main

import (
	"context"
	"fmt"
	"net"
	"slices"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func drainSpec() spec {
	return spec{
		name: "drain", usage: "let the hub finish its calls and take no more, before it is stopped", run: drainHub,
		flags: []cli.Flag{toggle("all", "every hub of this machine that serves the data folder, whatever its address")},
		about: "For the hub that serves --data at --listen on this machine; it goes on running, so that whoever keeps it alive\n" +
			"does not start it anew, and answers 503 to what comes. Waits until nothing is open, or for --drain: then what is\n" +
			"still open is settled as delivered. Exit code 3 where no such hub serves.",
	}
}

// lookAgain is how often it is looked how far a hub that drains is.
const lookAgain = 50 * time.Millisecond

// drainedHub is a hub that was asked to drain.
type drainedHub struct {
	PID     int    `json:"pid"`
	Listen  string `json:"listen"`
	Settled bool   `json:"settled"` // nothing had to be ended for it
}

// drainHub asks hubs of this data folder to be quiet, and waits for them.
func drainHub(j *job) error {
	cfg, err := j.config()
	if err != nil {
		return err
	}
	hubs, err := j.toDrain(cfg)
	if err != nil {
		return err
	}
	for _, p := range hubs {
		if err := syscall.Kill(p.PID, sigQuiet); err != nil {
			return fmt.Errorf("the hub with process id %d cannot be told: %w", p.PID, err)
		}
	}
	ctx, cancel := context.WithTimeout(j.ctx, cfg.Drain+settleTime)
	defer cancel()
	views, words := []drainedHub{}, ""
	for _, p := range hubs {
		settled, err := awaitQuiet(ctx, p)
		if err != nil {
			return err
		}
		views = append(views, drainedHub{p.PID, p.Listen, settled})
		words += drainedWords(p, settled)
	}
	return j.show(views, words)
}

// toDrain are the hubs that the command is about, one at least.
func (j *job) toDrain(cfg boot.Config) ([]presence, error) {
	hubs, err := present(cfg.Data)
	if err != nil {
		return nil, err
	}
	if !j.c.Bool("all") {
		hubs = slices.DeleteFunc(hubs, func(p presence) bool { return !samePort(p.Listen, cfg.Listen) })
		if len(hubs) == 0 {
			return nil, hub.Errorf(hub.CodeNotFound, "no hub serves %s at %s on this machine", cfg.Data, cfg.Listen)
		}
	}
	if len(hubs) == 0 {
		return nil, hub.Errorf(hub.CodeNotFound, "no hub serves %s on this machine", cfg.Data)
	}
	return hubs, nil
}

func drainedWords(p presence, settled bool) string {
	if settled {
		return fmt.Sprintf("The hub at %s has no open calls and takes no more.\n", p.Listen)
	}
	return fmt.Sprintf("The hub at %s takes no more calls; those that were open were settled as delivered.\n", p.Listen)
}

func samePort(a, b string) bool {
	_, one, errA := net.SplitHostPort(a)
	_, two, errB := net.SplitHostPort(b)
	return errA == nil && errB == nil && one == two
}

// awaitQuiet waits until the hub says that it is quiet, or has ended.
func awaitQuiet(ctx context.Context, p presence) (settled bool, err error) {
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
