// Package blocklet is what a process that runs as a component on a Blocklet
// Server knows and can do: who it is, where its sibling components are, and how
// calls between them are signed. The forms are those of Blocklet Server 1.17; they
// were observed on a running one.
package blocklet

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Environment is what a Blocklet Server tells a component's process.
type Environment struct {
	Key          *Key
	AppID        string // current DID of the app
	AppPID       string // permanent DID of the app
	ComponentDID string // this component
	AppURL       string // origin of the app's pages, without a mount point
	Host         string // where the other components listen

	mounts      string // BLOCKLET_MOUNT_POINTS, as at the start
	dataDir     string // BLOCKLET_APP_DATA_DIR
	servicePort string // ABT_NODE_SERVICE_PORT
	daemonPort  string // ABT_NODE_PORT

	sessionSecret hub.Secret        // BLOCKLET_SESSION_SECRET, under which login tokens are signed
	apiKey        hub.Secret        // BLOCKLET_COMPONENT_API_KEY
	serverKey     ed25519.PublicKey // ABT_NODE_PK
}

// HasUsers reports whether the process was told enough to know the app's users:
// servers before 1.16 keep the secret of their tokens to themselves.
func (e *Environment) HasUsers() bool { return e.sessionSecret != "" }

// ReadEnvironment reads the process's environment. ok is false outside a Blocklet
// Server: that is what the key and the component's DID tell.
func ReadEnvironment(env func(string) (string, bool)) (e *Environment, ok bool, err error) {
	get := func(name string) string {
		v, _ := env(name)
		return strings.TrimSpace(v)
	}
	ask, did := get("BLOCKLET_APP_ASK"), get("BLOCKLET_COMPONENT_DID")
	if ask == "" || did == "" {
		return nil, false, nil
	}
	key, err := ParseKey(hub.Secret(ask))
	if err != nil {
		return nil, false, fmt.Errorf("BLOCKLET_APP_ASK: %w", err)
	}
	e = &Environment{Key: key, AppID: get("BLOCKLET_APP_ID"), AppPID: get("BLOCKLET_APP_PID"), ComponentDID: did, AppURL: strings.TrimSuffix(get("BLOCKLET_APP_URL"), "/"),
		Host: get("BLOCKLET_HOST"), mounts: get("BLOCKLET_MOUNT_POINTS"), dataDir: get("BLOCKLET_APP_DATA_DIR"),
		servicePort: get("ABT_NODE_SERVICE_PORT"), daemonPort: get("ABT_NODE_PORT"),
		sessionSecret: hub.Secret(get("BLOCKLET_SESSION_SECRET")), apiKey: hub.Secret(get("BLOCKLET_COMPONENT_API_KEY")), serverKey: parsePublic(get("ABT_NODE_PK"))}
	if e.Host == "" {
		e.Host = "127.0.0.1"
	}
	return e, true, nil
}

// running is the status of a component that serves.
const running = 6

// Component is another component of the app.
type Component struct {
	DID        string `json:"did"`
	Name       string `json:"name"`
	MountPoint string `json:"mountPoint"`
	Status     int    `json:"status"`
	Port       int    `json:"port"`
}

// Running reports whether the component serves now.
func (c Component) Running() bool { return c.Status == running && c.Port > 0 }

// ErrNoComponent says that the app has no component with that DID.
var ErrNoComponent = errors.New("the app has no such component")

// Component looks a component up: in the file that the server rewrites within
// seconds of a change, else in the list of the process's start.
func (e *Environment) Component(did string) (Component, error) {
	all, err := e.components()
	if err != nil {
		return Component{}, err
	}
	i := slices.IndexFunc(all, func(c Component) bool { return c.DID == did })
	if i < 0 {
		return Component{}, ErrNoComponent
	}
	return all[i], nil
}

func (e *Environment) components() ([]Component, error) {
	if e.dataDir != "" {
		text, err := os.ReadFile(filepath.Join(e.dataDir, ".config", "config.json"))
		var file struct {
			Components []Component `json:"components"`
		}
		// A file that is just being written is as good as none: the list of the start
		// serves until the next look.
		if err == nil && json.Unmarshal(text, &file) == nil && len(file.Components) > 0 {
			return file.Components, nil
		}
	}
	if e.mounts == "" {
		return nil, nil
	}
	var all []Component
	if err := json.Unmarshal([]byte(e.mounts), &all); err != nil {
		return nil, fmt.Errorf("BLOCKLET_MOUNT_POINTS: %w", err)
	}
	return all, nil
}

// Base is where a component is called, without a closing slash.
func (e *Environment) Base(c Component) string {
	return "http://" + e.Host + ":" + strconv.Itoa(c.Port)
}

// Page is where browsers find a component's pages, without a closing slash.
func (e *Environment) Page(c Component) string {
	return e.AppURL + strings.TrimSuffix(c.MountPoint, "/")
}
