// Package hub is the vocabulary of the gateway: the types that every other
// package speaks in and the one error type. It imports only the standard
// library and holds no behaviour beyond what the words themselves mean.
package hub

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"
)

// Role says what a user may do.
type Role string

// The four roles, from most to least powerful.
const (
	RoleOwner  Role = "owner"
	RoleAdmin  Role = "admin"
	RoleMember Role = "member"
	RoleGuest  Role = "guest"
)

// Administers reports whether the role may change providers, rates and users.
func (r Role) Administers() bool { return r == RoleOwner || r == RoleAdmin }

// Uses reports whether the role may call models, spend credits and make API keys.
// A guest is known to the hub and no more; an unknown role is less than that.
func (r Role) Uses() bool { return r.Administers() || r == RoleMember }

// Valid reports whether r is one of the four roles.
func (r Role) Valid() bool {
	switch r {
	case RoleOwner, RoleAdmin, RoleMember, RoleGuest:
		return true
	}
	return false
}

// Scope is a part of what a user may do that an API key can be restricted to.
type Scope string

// The scopes.
const (
	ScopeInference Scope = "inference"
	ScopeUsage     Scope = "usage"
	ScopeBilling   Scope = "billing"
	ScopeAdmin     Scope = "admin"
)

// Scopes lists all scopes.
func Scopes() []Scope { return []Scope{ScopeInference, ScopeUsage, ScopeBilling, ScopeAdmin} }

// CallType is what kind of work a model does; rates are kept per type.
type CallType string

// The call types, the first five spelled as the original hub spells them.
const (
	TypeChat      CallType = "chatCompletion"
	TypeEmbedding CallType = "embedding"
	TypeImage     CallType = "imageGeneration"
	TypeAudio     CallType = "audioGeneration"
	TypeVideo     CallType = "video"

	TypeModeration CallType = "moderation"
	TypeRerank     CallType = "rerank"
)

// CallTypes lists all call types.
func CallTypes() []CallType {
	return []CallType{TypeChat, TypeEmbedding, TypeImage, TypeAudio, TypeVideo, TypeModeration, TypeRerank}
}

// Valid reports whether t is a known call type.
func (t CallType) Valid() bool { return slices.Contains(CallTypes(), t) }

// Caller is who sends a request: the outcome of authentication.
type Caller struct {
	UserID    string
	Email     string
	Role      Role
	Groups    []string // that the operator put the user into; routes may ask for them
	KeyID     string   // the API key used; "" for a session
	KeyName   string
	AppID     string // the calling application, from x-aigne-hub-client-did
	AccountID string // the wallet that pays
	// SharedWallet: it is a team's or an application's, not the user's own.
	SharedWallet bool
	Scopes       []Scope // nil: whatever the role allows
	Session      bool    // came with a session cookie: pages of other sites may have sent it
	// Models are patterns of the models that the key may use (routing.Allow); nil: all.
	Models []string
	// KeySerial numbers the secret by which the key was shown: a rotation makes
	// the next one. 0 for a session.
	KeySerial int64
	ClientIP  string
	// All: the policy of the route lets the caller see everybody's data and what is
	// for operators only. Set where the policy is enforced (httpkit.Mux), per request.
	All bool
}

// May reports whether the caller's key is good for a scope.
func (c Caller) May(s Scope) bool { return c.Scopes == nil || slices.Contains(c.Scopes, s) }

// CallStatus is the state of a model call.
type CallStatus string

// The states of a call. A call is processing until it is settled, once.
const (
	StatusProcessing  CallStatus = "processing"
	StatusSuccess     CallStatus = "success"
	StatusFailed      CallStatus = "failed"
	StatusAborted     CallStatus = "aborted"     // the client left
	StatusInterrupted CallStatus = "interrupted" // the serving process died
)

// UsageSource says where the numbers of a call come from.
type UsageSource string

// The sources of usage figures.
const (
	UsageReported   UsageSource = "reported"
	UsageEstimated  UsageSource = "estimated"
	UsageReconciled UsageSource = "reconciled"
	UsageImported   UsageSource = "imported" // of a call that another system served
)

// ChargePolicy is the rule that decided what a call costs, where it is not
// simply what was used.
type ChargePolicy string

// The rules. None is "".
const (
	ReportedOnAbort    ChargePolicy = "reported_on_abort"    // the client left; what the provider reported is charged
	DeliveredOnAbort   ChargePolicy = "delivered_on_abort"   // the client left; what it got is charged
	FreeOnAbort        ChargePolicy = "free_on_abort"        // the client left; nothing is charged
	DeliveredOnFailure ChargePolicy = "delivered_on_failure" // the provider failed in the middle; what the client got is charged
	FreeOnFailure      ChargePolicy = "free_on_failure"      // the provider failed in the middle; nothing is charged
	InsuredEmpty       ChargePolicy = "insured_empty"        // the answer was empty; nothing is charged
	InsuredFailed      ChargePolicy = "insured_failed"       // the provider failed; nothing is charged
	MoneyEnded         ChargePolicy = "money_ended"          // the wallet ended the answer; what the client got is charged
	LimitEnded         ChargePolicy = "limit_ended"          // a limit ended the answer; what the client got is charged
	SweptCheckpoint    ChargePolicy = "swept_checkpoint"     // the process died; its last checkpoint is charged
)

// Secret is a value that must never be printed. Every formatting path of fmt,
// slog and encoding/json shows "***".
type Secret string

// Format hides the value from every verb of fmt, also from those that do not
// fit a string and would otherwise show it in their complaint. (Only a %w, which
// go vet refuses for what is no error, never asks.)
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "***") }

// String hides the value.
func (Secret) String() string { return "***" }

// GoString hides the value from %#v.
func (Secret) GoString() string { return "***" }

// LogValue hides the value from slog.
func (Secret) LogValue() slog.Value { return slog.StringValue("***") }

// MarshalText hides the value from encoders.
func (Secret) MarshalText() ([]byte, error) { return []byte("***"), nil }

// Reveal returns the value itself; call it only where it leaves for its owner.
func (s Secret) Reveal() string { return string(s) }

// Now is the clock that packages take by injection.
type Now func() time.Time
