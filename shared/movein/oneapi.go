package movein

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/mail"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// The systems that keep users, tokens and channels in one schema.
const (
	SystemOneAPI = "one-api"
	SystemNewAPI = "new-api"
)

// OneAPIOptions says how a one-api or new-api is read.
type OneAPIOptions struct {
	System   string
	Database string
	// Group is whose prices are taken over: there, each group of users has a factor.
	Group string
	// CompletionRatio is the price of output per price of input of models for which
	// the database has none, a decimal; "": they get no rate.
	CompletionRatio string
	Now             time.Time
}

// oneAPI is a database being read.
type oneAPI struct {
	OneAPIOptions
	db      *foreign
	s       *Source
	options map[string]string
	unit    *big.Rat // quota that is a dollar
	prices  ratios
	byModel map[string][]served
	emails  map[string]string // of users by their ids there
	groups  map[string]string // of users by their ids there
}

// ReadOneAPI describes a one-api or new-api by its SQLite database.
func ReadOneAPI(ctx context.Context, o OneAPIOptions) (*Source, error) {
	db, err := openForeign(ctx, o.Database)
	if err != nil {
		return nil, err
	}
	a := &oneAPI{OneAPIOptions: o, db: db, s: &Source{System: o.System}, options: map[string]string{}, byModel: map[string][]served{},
		emails: map[string]string{}, groups: map[string]string{}}
	return a.s, errors.Join(a.read(ctx), db.Close())
}

func (a *oneAPI) read(ctx context.Context) error {
	for table, column := range map[string]string{"channels": "models", "users": "quota", "tokens": "remain_quota"} {
		ok, err := a.db.has(ctx, table, "id", column)
		if err != nil {
			return err
		}
		if !ok {
			return hub.Invalid("from", "%s is no database of %s: it has no table %s with a column %s.", a.Database, a.System, table, column)
		}
	}
	if err := a.readOptions(ctx); err != nil {
		return err
	}
	if err := a.channels(ctx); err != nil {
		return err
	}
	a.aliases()
	if err := a.users(ctx); err != nil {
		return err
	}
	if err := a.tokens(ctx); err != nil {
		return err
	}
	if err := a.codes(ctx); err != nil {
		return err
	}
	for _, other := range a.prices.others {
		a.s.leave("group price", clipped(other, 60), "prices here are the same for everybody: those of the group "+a.Group)
	}
	if a.System == SystemNewAPI && len(a.s.Rates) > 0 {
		a.s.leave("prices", "CompletionRatio", "for well-known models new-api goes by ratios in its program; rate check shows which prices are far from what the provider charges")
	}
	if slices.ContainsFunc(a.s.Keys, func(k Key) bool { return k.Budget != "" }) {
		a.s.leave("budgets", "of keys", "what is left of a key's quota bounds what it may cost each month here, where budgets begin anew with a period")
	}
	a.s.leave("passwords", a.System, "users get a new one by a reset link or user set-password; a hash of another kind would tell strangers which accounts came from there")
	a.s.leave("history", a.System, "logs of calls and top-ups stay there; balances are what remains")
	return nil
}

// codes counts what nobody has redeemed.
func (a *oneAPI) codes(ctx context.Context) error {
	var n, quota int64
	err := a.db.each(ctx, "redemptions", []string{"quota", "deleted_at"}, "WHERE status = 1", nil, func(r record) error {
		if r.null("deleted_at") {
			n, quota = n+1, quota+r.integer("quota")
		}
		return nil
	})
	if n > 0 {
		dollars, _ := a.dollars(quota)
		a.s.leave("redeem codes", fmt.Sprintf("%d unused", n), dollars+" dollars in all; credits code create makes new ones")
	}
	return err
}

// defaultUnit is the quota that is a dollar where the option is not stored.
const defaultUnit = "500000"

func (a *oneAPI) readOptions(ctx context.Context) error {
	err := a.db.each(ctx, "options", []string{"key", "value"}, "", nil, func(r record) error {
		a.options[r.text("key")] = r.text("value")
		return nil
	})
	if err != nil {
		return err
	}
	unit := a.options["QuotaPerUnit"]
	if unit == "" {
		unit = defaultUnit
	}
	var ok bool
	if a.unit, ok = decimal(unit); !ok || a.unit.Sign() <= 0 {
		return hub.Invalid("from", "The option QuotaPerUnit of %s is no decimal above 0.", a.Database)
	}
	a.prices, err = readRatios(a.options, a.Group, a.CompletionRatio, a.unit)
	a.prices.newAPI = a.System == SystemNewAPI
	return err
}

// dollars are an amount of quota.
func (a *oneAPI) dollars(quota int64) (string, bool) {
	return plain(new(big.Rat).Quo(new(big.Rat).SetInt64(quota), a.unit), moneyDigits)
}

var localPart = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,60}$`)

func (a *oneAPI) users(ctx context.Context) error {
	taken := map[string]bool{}
	columns := []string{"id", "username", "display_name", "role", "status", "email", "quota", "group", "deleted_at"}
	return a.db.each(ctx, "users", columns, "ORDER BY id", nil, func(r record) error {
		title := r.text("username") + " (" + r.text("id") + ")"
		if !r.null("deleted_at") || r.integer("status") == 3 {
			a.s.leave("user", title, "it was deleted there")
			return nil
		}
		u := User{ID: r.text("id"), Name: clipped(r.text("display_name"), 100), Role: hub.RoleMember, Disabled: r.integer("status") != 1}
		if u.Name == "" {
			u.Name = clipped(r.text("username"), 100)
		}
		switch role := r.integer("role"); {
		case role >= 10: // root too: the owner is made here, by somebody who can sign in
			u.Role = hub.RoleAdmin
		case role < 1:
			u.Role = hub.RoleGuest
		}
		u.Email = strings.ToLower(strings.TrimSpace(r.text("email")))
		if addr, err := mail.ParseAddress(u.Email); err != nil || addr.Address != u.Email || taken[u.Email] {
			u.Email = strings.ToLower(r.text("username"))
			if !localPart.MatchString(u.Email) {
				u.Email = "user-" + u.ID
			}
			u.Email += "@" + a.System + nowhere
		}
		taken[u.Email] = true
		a.emails[u.ID], a.groups[u.ID] = u.Email, r.text("group")
		if g := groupOf(r.text("group")); g != "" {
			u.Groups = []string{g}
		}
		a.balance(&u, title, r.integer("quota"))
		a.s.Users = append(a.s.Users, u)
		return nil
	})
}

func (a *oneAPI) balance(u *User, title string, quota int64) {
	if quota < 0 {
		a.s.leave("balance", title, "it is below 0; nobody starts with a debt here")
	}
	if quota <= 0 {
		return
	}
	u.Balance, _ = a.dollars(quota)
}

var groupRule = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,49}$`)

// usual is the group of whom nobody put into another one.
const usual = "default"

// groupOf is a group's name here; "" for the usual one.
func groupOf(name string) string {
	name = strings.TrimSpace(name)
	if name == usual || name == "" {
		return ""
	}
	if groupRule.MatchString(name) && !hub.Role(name).Valid() {
		return name
	}
	return "group-" + names{}.take(name, "x")
}

func (a *oneAPI) tokens(ctx context.Context) error {
	columns := []string{
		"id", "user_id", "key", "status", "name", "expired_time", "remain_quota", "unlimited_quota",
		"model_limits_enabled", "model_limits", "models", "allow_ips", "subnet", "group", "deleted_at",
	}
	return a.db.each(ctx, "tokens", columns, "ORDER BY id", nil, func(r record) error {
		title := clipped(r.text("name"), 60) + " (" + r.text("id") + ")"
		k, why := a.token(r)
		if why != "" {
			a.s.leave("key", title, why)
			return nil
		}
		if g := r.text("group"); g != "" && g != a.groups[r.text("user_id")] {
			a.s.leave("group of a key", title, "keys call as their users here; the group "+clipped(g, 40)+" does not come along")
		}
		a.s.Keys = append(a.s.Keys, k)
		return nil
	})
}

// token describes a token; why: it stays behind.
func (a *oneAPI) token(r record) (k Key, why string) {
	k = Key{User: a.emails[r.text("user_id")], Name: clipped(r.text("name"), 100)}
	if k.Name == "" {
		k.Name = "token " + r.text("id")
	}
	plainKey := strings.TrimSpace(r.text("key"))
	switch {
	case k.User == "":
		return k, "its user does not come along"
	case !r.null("deleted_at"):
		return k, "it was deleted there"
	case r.integer("status") != 1:
		return k, "it is disabled, expired or used up there"
	case len(strings.TrimPrefix(plainKey, "sk-")) < 16:
		return k, "it is too short for a secret"
	}
	// Clients send it behind sk-, which there is not stored.
	k.Secret = hub.Secret("sk-" + strings.TrimPrefix(plainKey, "sk-"))
	if at := r.integer("expired_time"); at > 0 {
		end := time.Unix(at, 0).UTC()
		if !end.After(a.Now) {
			return k, "it has expired"
		}
		k.ExpiresAt = &end
	}
	if !r.truth("unlimited_quota") {
		if r.integer("remain_quota") <= 0 {
			return k, "nothing is left of its quota"
		}
		k.Budget, _ = a.dollars(r.integer("remain_quota"))
	}
	list := r.text("models") // one-api
	if r.truth("model_limits_enabled") {
		list = r.text("model_limits")
	}
	if k.Models, why = modelList(list); why != "" {
		return k, why
	}
	k.IPs, why = networkList(r.text("allow_ips") + "\n" + r.text("subnet"))
	return k, why
}

func modelList(text string) (out []string, why string) {
	const most = 100
	for _, m := range strings.Split(text, ",") {
		switch m = strings.TrimSpace(m); {
		case m == "" || slices.Contains(out, m):
		case strings.ContainsAny(m, " \t\r\n*") || len(m) > 200:
			return nil, "a name in its list of models cannot be used here"
		default:
			out = append(out, m)
		}
	}
	if len(out) > most {
		return nil, "its list of models is longer than 100"
	}
	return out, ""
}

func networkList(text string) (out []string, why string) {
	for _, n := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune("\r\n\t ,;", r) }) {
		_, addrErr := netip.ParseAddr(n)
		if _, err := netip.ParsePrefix(n); err != nil && addrErr != nil {
			return nil, "its list of addresses cannot be read"
		}
		if !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	return out, ""
}

// jsonMap is an option that is a JSON object of numbers.
func jsonMap(text string) (map[string]*big.Rat, error) {
	out := map[string]*big.Rat{}
	if strings.TrimSpace(text) == "" {
		return out, nil
	}
	var m map[string]json.Number
	if err := json.Unmarshal([]byte(text), &m); err != nil {
		return nil, err
	}
	for name, n := range m {
		if r, ok := decimal(n.String()); ok && r.Sign() >= 0 {
			out[name] = r
		}
	}
	return out, nil
}
