// Package movein reads what other gateways keep (their databases and files) and
// describes it in the hub's terms. It changes nothing, here or there: the caller
// decides what of it is taken over.
package movein

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
)

// Source is what one gateway keeps.
type Source struct {
	System    string // aigne-hub, litellm, one-api or new-api
	Providers []Provider
	Rates     []Rate
	Aliases   []routing.Alias
	Users     []User
	Keys      []Key
	Apps      []App
	Left      []Left
}

// Provider is a place that serves models.
type Provider struct {
	Kind        string // of the hub
	Name        string // fits the hub's rule for names
	DisplayName string
	BaseURL     string // "": the kind's own
	Region      string
	Disabled    bool
	Credentials []Credential
}

// Credential is a provider's key: a value, or the environment variable that
// holds it.
type Credential struct {
	Name     string
	Value    hub.Secret
	Env      string // where Value is empty
	Weight   int64  // 0: the hub's default
	Disabled bool
}

// Rate is what a model costs its users. Prices are by bucket, per million units,
// with at most six decimals: credits with InCredits, else dollars. Costs are the
// operator's, in dollars.
type Rate struct {
	Provider   string // name of a Provider
	Model      string
	Type       hub.CallType
	InCredits  bool
	Prices     map[string]string
	Costs      map[string]string
	Context    int64 // tokens; 0: not said
	MaxOutput  int64
	Deprecated bool
	Reason     string // of the deprecation
}

// User is somebody who calls.
type User struct {
	ID       string // there
	Email    string // a placeholder below .invalid where there is none
	Name     string
	DID      string // "": none
	Role     hub.Role
	Groups   []string
	Disabled bool
	Balance  string // dollars, a decimal above 0; "" for none
}

// Key is an API key that clients hold already.
type Key struct {
	User      string // e-mail address of a User
	Name      string
	Secret    hub.Secret // as clients send it
	ExpiresAt *time.Time
	Models    []string
	IPs       []string
	Budget    string // dollars that may still be spent with it; "" for no bound
}

// App is an application that calls were made through.
type App struct {
	ID, Name, Logo, URL string
	PublicKey           string // hex; "": none
}

// Left is something that stays behind, and why.
type Left struct {
	Kind   string `json:"kind"`
	Name   string `json:"name"`
	Reason string `json:"reason"`
}

func (s *Source) leave(kind, name, reason string) {
	s.Left = append(s.Left, Left{kind, name, reason})
}

var notInNames = regexp.MustCompile(`[^a-z0-9._-]+`)

// names makes texts of all sorts fit the hub's rule for names of providers and
// credentials, each one only once.
type names map[string]bool

const longestName = 64

func (n names) take(text, otherwise string) string {
	name := strings.TrimLeft(notInNames.ReplaceAllString(strings.ToLower(strings.TrimSpace(text)), "-"), "._-")
	name = strings.TrimRight(name[:min(len(name), longestName-4)], "-")
	if name == "" {
		name = otherwise
	}
	free := name
	for i := 2; n[free]; i++ {
		free = name + "-" + strconv.Itoa(i)
	}
	n[free] = true
	return free
}

// nowhere ends the addresses of users who have none. No mail goes there (RFC 2606).
const nowhere = ".invalid"

// clipped is a text without control characters, of at most n characters.
func clipped(text string, n int) string {
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, ""))
	runes := []rune(strings.TrimSpace(text))
	return string(runes[:min(len(runes), n)])
}
