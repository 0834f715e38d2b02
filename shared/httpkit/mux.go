// Package httpkit is what all HTTP functions share: handlers that return
// errors, routes that declare who may call them, error bodies, JSON in and out,
// paging, request ids and the access log. It knows no dialect, no user store and
// no database.
package httpkit

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// DefaultMaxBody is the limit of a request body in bytes when Deps sets none.
const DefaultMaxBody = 30_000_000

// Handler answers a request or returns why it cannot. An error returned before
// anything was written is answered with its status; returned later, it aborts
// the connection. A stream that told its client in-band returns nil and uses
// NoteError.
type Handler func(w http.ResponseWriter, r *http.Request) error

// CallerHandler is a Handler for routes that need to know who calls.
type CallerHandler func(w http.ResponseWriter, r *http.Request, c hub.Caller) error

// Who says who may call a route. The zero value is nobody: a route that forgot
// to say is refused when the mux is made.
type Who int

// The callers.
const (
	Nobody    Who = iota
	Anonymous     // everybody; credentials are not looked at
	Optional      // everybody; credentials are checked when shown
	GuestsToo     // any authenticated user
	AnyUser       // any authenticated user but guests
	Admin         // owner or admin
	OwnerOnly     // owner
)

var whoNames = [...]string{"nobody", "anonymous", "optional", "guest", "user", "admin", "owner"}

// String returns the name used in route tables.
func (w Who) String() string {
	if w < 0 || int(w) >= len(whoNames) {
		return fmt.Sprintf("who(%d)", int(w))
	}
	return whoNames[w]
}

// Route is one line of a function's route table. Exactly one of Handler and As
// is set.
type Route struct {
	Method  string // "" serves every method; GET also serves HEAD
	Pattern string // a path pattern of http.ServeMux, without method and host
	Who     Who
	Handler Handler
	As      CallerHandler // gets the caller: the zero Caller on Optional routes without credentials
	Scope   hub.Scope     // what a key with scopes must have; "": such keys are refused
	Data    Data          // whose data it serves; "": the caller's own only

	// Session: only with a session, since an API key that leaked must not change how
	// its owner signs in.
	Session bool

	// AnyOrigin: pages of all origins may call it and read the answer, without
	// cookies. Its pattern has no placeholders.
	AnyOrigin bool

	MaxBody   int64     // bytes; 0: Deps.MaxBody
	ErrorBody ErrorBody // nil: Deps.ErrorBody
	Doc       Doc       // set by Describe; serving does not look at it
}

// Deps is what Mux and Observe need. Only Authenticate has no default.
type Deps struct {
	Log *slog.Logger
	Now hub.Now
	// Authenticate says who calls. A request without credentials gives the zero
	// Caller and no error; bad credentials give hub.CodeUnauthenticated. It may be
	// nil when all routes are Anonymous.
	Authenticate func(r *http.Request) (hub.Caller, error)
	MaxBody      int64     // bytes; 0: DefaultMaxBody
	ErrorBody    ErrorBody // nil: JSONError
	Browser      Browser   // what browsers may do
	// Trusted are the proxies that may say for whom they forward.
	Trusted []netip.Prefix
	Access  AccessLog
	Watch   Watch
}

func (d Deps) withDefaults() Deps {
	if d.Log == nil {
		d.Log = slog.Default()
	}
	if d.Now == nil {
		d.Now = time.Now
	}
	if d.MaxBody == 0 {
		d.MaxBody = DefaultMaxBody
	}
	if d.ErrorBody == nil {
		d.ErrorBody = JSONError(d.Now)
	}
	if d.Access == "" {
		d.Access = AccessAll
	}
	return d
}

// Mux serves the routes, with Observe around them. Unknown paths give 404 and
// known paths with another method 405 with Allow, both with a JSON body. Like
// http.ServeMux it panics on a route table that contradicts itself: that is a
// fault of the program, found by the first test.
func Mux(routes []Route, d Deps) http.Handler {
	d = d.withDefaults()
	mux := http.NewServeMux()
	root, open := false, map[string]bool{}
	for _, rt := range routes {
		if fault := rt.fault(d); fault != "" {
			panic(fmt.Sprintf("httpkit: route %s: %s", rt.name(), fault))
		}
		root = root || (rt.Method == "" && rt.Pattern == "/")
		mux.HandleFunc(rt.name(), rt.serve(d))
		if rt.AnyOrigin {
			open[rt.Pattern] = true
		}
	}
	if !root {
		mux.HandleFunc("/", unknown(mux, methodsOf(routes), d))
	}
	return d.Browser.guard(open, Observe(mux, d))
}

func (rt Route) name() string { return strings.TrimPrefix(rt.Method+" "+rt.Pattern, " ") }

// fault says what is wrong with the route, "" when nothing is.
func (rt Route) fault(d Deps) string {
	switch {
	case rt.Who <= Nobody || rt.Who > OwnerOnly:
		return "does not say who may call it"
	case (rt.Handler == nil) == (rt.As == nil):
		return "needs exactly one of Handler and As"
	case rt.Who == Anonymous && rt.As != nil:
		return "is anonymous and cannot know its caller"
	case rt.AnyOrigin && (rt.Who != Anonymous || strings.Contains(rt.Pattern, "{")):
		return "is for pages of all origins, but not for everybody"
	case rt.Session && rt.Who <= Optional:
		return "asks for a session, but not for a user"
	case rt.Who != Anonymous && d.Authenticate == nil:
		return "needs Deps.Authenticate"
	}
	return rt.contradiction()
}

func (rt Route) serve(d Deps) http.HandlerFunc {
	if rt.MaxBody == 0 {
		rt.MaxBody = d.MaxBody
	}
	if rt.ErrorBody == nil {
		rt.ErrorBody = d.ErrorBody
	}
	name := rt.name()
	return func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.route, x.errorBody = name, rt.ErrorBody
		fail(w, r, x, rt.run(w, r, x, d))
	}
}

func (rt Route) run(w http.ResponseWriter, r *http.Request, x *exchange, d Deps) error {
	var caller hub.Caller
	if rt.Who != Anonymous {
		c, err := d.Authenticate(r)
		if err != nil {
			return err
		}
		x.userID, x.keyID = c.UserID, c.KeyID
		if caller, err = rt.admit(c); err != nil {
			return err
		}
		if rt.Session && !c.Session {
			return hub.Errorf(hub.CodeForbidden, "Sign in for this; an API key is not enough.")
		}
		if err := d.Browser.forged(r, c); err != nil {
			return err
		}
	}
	r = r.WithContext(hub.WithOrigin(r.Context(), origin(r, caller, d.Trusted)))
	if r.ContentLength > rt.MaxBody {
		return tooLarge(rt.MaxBody)
	}
	if r.Body == nil { // a request that no server read
		r.Body = http.NoBody
	}
	r.Body = http.MaxBytesReader(innermost(w), r.Body, rt.MaxBody)
	if rt.As != nil {
		return rt.As(w, r, caller)
	}
	return rt.Handler(w, r)
}

// origin is what the audit log says about where a request came from.
func origin(r *http.Request, c hub.Caller, trusted []netip.Prefix) hub.Origin {
	o := hub.Origin{UserID: c.UserID, KeyID: c.KeyID, RequestID: RequestID(r.Context())}
	if a := ClientIP(r, trusted); a.IsValid() {
		o.Address = a.String()
	}
	return o
}

// fail answers with err, if there is one.
func fail(w http.ResponseWriter, r *http.Request, x *exchange, err error) {
	if err == nil {
		return
	}
	x.err = err
	if answer(w, r, x) {
		panic(http.ErrAbortHandler)
	}
}

func methodsOf(routes []Route) []string {
	var methods []string
	for _, rt := range routes {
		if rt.Method != "" && !slices.Contains(methods, rt.Method) {
			methods = append(methods, rt.Method)
		}
		if rt.Method == http.MethodGet && !slices.Contains(methods, http.MethodHead) {
			methods = append(methods, http.MethodHead)
		}
	}
	slices.Sort(methods)
	return methods
}

// unknown answers what no route serves: 405 where another method would be
// served, else 404.
func unknown(mux *http.ServeMux, methods []string, d Deps) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		x := exchangeOf(r.Context())
		x.errorBody = d.ErrorBody
		var allow []string
		probe := r.WithContext(r.Context())
		for _, m := range methods {
			probe.Method = m
			if _, pattern := mux.Handler(probe); pattern != "/" && pattern != "" {
				allow = append(allow, m)
			}
		}
		if len(allow) == 0 {
			fail(w, r, x, hub.Errorf(hub.CodeNotFound, "There is no %s here.", shown(r.URL.Path)))
			return
		}
		list := strings.Join(allow, ", ")
		w.Header().Set("Allow", list)
		fail(w, r, x, hub.Errorf(hub.CodeMethodNotAllowed, "%s is not allowed here; %s is.", shown(r.Method), list))
	}
}

// shown shortens what a caller typed before it is repeated to them.
func shown(s string) string {
	const most = 100
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}
