package boot

import (
	"time"

	"github.com/aigne-hub/aigne-hub/shared/capture"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

// Capture says whether bodies may be kept, and how much of them.
type Capture struct {
	On     bool
	Body   int64         // bytes of a body
	Life   time.Duration // how long they are kept
	Memory int64         // bytes that all bodies may take until they are stored
}

func captureSettings() []Setting {
	const (
		hour = time.Hour
		year = 366 * 24 * time.Hour
	)
	return []Setting{
		{
			Name: "AIGNE_HUB_CAPTURE", Flag: "capture", Default: "off",
			Doc:   "bodies of requests and answers are kept where a rule says so (aigne-hub capture): on or off",
			parse: onOff(func(c *Config) *bool { return &c.Capture.On }),
		},
		{
			Name: "AIGNE_HUB_CAPTURE_BODY", Flag: "capture-body", Default: "64KB",
			Doc:   "how much is kept of a body, secrets and pictures taken out",
			parse: size(func(c *Config) *int64 { return &c.Capture.Body }, 1<<10, 4<<20, "from 1KiB to 4MiB"),
		},
		{
			Name: "AIGNE_HUB_CAPTURE_LIFE", Flag: "capture-life", Default: "168h",
			Doc:   "how long bodies are kept",
			parse: duration(func(c *Config) *time.Duration { return &c.Capture.Life }, hour, year),
		},
		{
			Name: "AIGNE_HUB_CAPTURE_MEMORY", Flag: "capture-memory", Default: "32MB",
			Doc:   "what all bodies may take in memory until they are stored; calls beyond it go on, and nothing is kept of them",
			parse: size(func(c *Config) *int64 { return &c.Capture.Memory }, 1<<20, 1<<33, "from 1MiB to 8GiB"),
		},
	}
}

// openCapture makes the recorder of bodies, nil where none may be kept.
func (a *App) openCapture() {
	if c := a.Config.Capture; c.On {
		a.Capture = capture.New(a.Store, a.Vault, a.Log, a.Now, capture.Settings{Body: int(c.Body), Life: c.Life, Memory: c.Memory})
	}
}

// followCapture takes over the rules of what is kept.
func (a *App) followCapture(rules []store.CaptureRule) {
	if a.Capture != nil {
		a.Capture.Follow(rules)
	}
}
