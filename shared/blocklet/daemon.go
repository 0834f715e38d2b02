package blocklet

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha3"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

const (
	daemonTime = 5 * time.Second
	// maxAnswer bounds an answer: users may keep pictures in their profiles.
	maxAnswer = 32 << 20
)

// User is one of the app's users as the server knows it now.
type User struct {
	DID           string     `json:"did"`
	Name          string     `json:"fullName"`
	Email         string     `json:"email"`
	EmailVerified bool       `json:"emailVerified"`
	Avatar        string     `json:"avatar"`
	Locale        string     `json:"locale"`
	Approved      *bool      `json:"approved"` // false: the app's admins blocked the user
	Passports     []Passport `json:"passports"`
}

// Passport gives a user a role.
type Passport struct {
	Name   string `json:"name"`
	Role   string `json:"role"`
	Status string `json:"status"`
}

// guest is the role of users without a passport.
const guest = "guest"

// Roles are the roles that the user can sign in with: of the passports that are
// good, guest without one.
func (u User) Roles() []string {
	var roles []string
	for _, p := range u.Passports {
		if p.Status != "" && p.Status != "valid" {
			continue
		}
		if p.Role == "" {
			p.Role = p.Name
		}
		roles = append(roles, p.Role)
	}
	if len(roles) == 0 {
		return []string{guest}
	}
	return roles
}

// Blocked reports whether the app's admins locked the user out.
func (u User) Blocked() bool { return u.Approved != nil && !*u.Approved }

// Picture is the address of the user's avatar, "" for one that is no link.
func (e *Environment) Picture(u User) string {
	const stored, longest = "bn://avatar", 500
	if name, ok := strings.CutPrefix(u.Avatar, stored); ok {
		return e.AppURL + "/.well-known/service/user/avatar/" + strings.TrimPrefix(name, "/")
	}
	if strings.HasPrefix(u.Avatar, "https://") && len(u.Avatar) <= longest {
		return u.Avatar
	}
	return ""
}

// ErrUnknown says that the server knows no such user or key.
var ErrUnknown = errors.New("the server knows nothing by that name")

// HasDaemon reports whether the server can be asked about users.
func (e *Environment) HasDaemon() bool { return e.daemonPort != "" }

const userFields = "did fullName email emailVerified avatar locale approved passports { name role status }"

// User asks for a user. ErrUnknown: there is none, or not any more.
func (e *Environment) User(ctx context.Context, did string, now time.Time) (User, error) {
	var out struct {
		User *User `json:"user"`
	}
	err := e.ask(ctx, "query", "getUser", fmt.Sprintf("teamDid: %s, user: {did: %s}", quote(e.AppPID), quote(did)), "code user { "+userFields+" }", &out, now)
	if err == nil && (out.User == nil || out.User.DID == "") {
		err = ErrUnknown
	}
	if err != nil {
		return User{}, err
	}
	return *out.User, nil
}

// MostUsers is how many users can be asked for at once.
const MostUsers = 100

// Users asks for up to MostUsers users. Those that the server does not know are
// left out.
func (e *Environment) Users(ctx context.Context, dids []string, now time.Time) ([]User, error) {
	var out struct {
		Users []User `json:"users"`
	}
	list := make([]string, len(dids))
	for i, did := range dids {
		list[i] = quote(did)
	}
	err := e.ask(ctx, "query", "getUsers", fmt.Sprintf("teamDid: %s, query: {includePassports: true}, dids: [%s]", quote(e.AppPID), strings.Join(list, ", ")),
		"code users { "+userFields+" }", &out, now)
	return out.Users, err
}

// AccessKeyPrefix begins the access keys that users make in the server's user
// centre.
const AccessKeyPrefix = "blocklet-"

// AccessKey is what the server knows about an access key.
type AccessKey struct {
	ID        string // DID of the key
	Role      string // of its passport
	Owner     string // DID of the user who made it
	Name      string
	ExpiresAt time.Time // zero: never
}

// AccessKeyID is the DID of an access key: of the Ed25519 public key that it is.
// ok is false for what is none.
func AccessKeyID(key hub.Secret) (id string, ok bool) {
	text, ok := strings.CutPrefix(key.Reveal(), AccessKeyPrefix+"z")
	const longest = 50
	if !ok || len(text) > longest {
		return "", false
	}
	public, ok := unbase58(text)
	if !ok || len(public) != ed25519.PublicKeySize {
		return "", false
	}
	return Address(public, RoleAccount), true
}

// AccessKey asks whose an access key is. ErrUnknown: nobody's, or it is not for
// calling the app. The server does not look at its expiry here.
func (e *Environment) AccessKey(ctx context.Context, key hub.Secret, now time.Time) (AccessKey, error) {
	id, ok := AccessKeyID(key)
	if !ok {
		return AccessKey{}, ErrUnknown
	}
	var out struct {
		Data *struct {
			ID        string          `json:"accessKeyId"`
			Passport  string          `json:"passport"`
			Remark    string          `json:"remark"`
			CreatedBy string          `json:"createdBy"`
			ExpireAt  json.RawMessage `json:"expireAt"`
		} `json:"data"`
	}
	err := e.ask(ctx, "mutation", "verifyAccessKey", fmt.Sprintf("teamDid: %s, accessKeyId: %s", quote(e.AppPID), quote(key.Reveal())),
		"code data { accessKeyId passport remark createdBy authType componentDid expireAt }", &out, now)
	switch {
	case err != nil:
		return AccessKey{}, err
	case out.Data == nil, out.Data.ID != id, out.Data.CreatedBy == "":
		return AccessKey{}, ErrUnknown
	}
	k := AccessKey{ID: id, Role: strings.TrimPrefix(out.Data.Passport, AccessKeyPrefix), Owner: strings.TrimPrefix(out.Data.CreatedBy, "did:abt:"), Name: out.Data.Remark}
	if k.Role == "" {
		k.Role = guest
	}
	if k.ExpiresAt, err = expiry(out.Data.ExpireAt); err != nil {
		return AccessKey{}, err
	}
	return k, nil
}

// expiry reads a time that is milliseconds, a date or nothing. What cannot be read
// must not become "never".
func expiry(raw json.RawMessage) (time.Time, error) {
	text := strings.Trim(string(raw), `"`)
	if text == "" || text == "null" || text == "0" {
		return time.Time{}, nil
	}
	if ms, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.UnixMilli(ms), nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, errors.New("the access key has an expiry that cannot be read")
	}
	return at, nil
}

// quote writes a GraphQL string (spec of October 2021, section 2.9.4), whose
// escapes are JSON's.
func quote(s string) string {
	b, _ := json.Marshal(s) // a string
	return string(b)
}

// ask puts a question to the server's GraphQL, signed by the app's key as its own
// clients sign it. Answers that name no reason why there is nothing are ErrUnknown.
func (e *Environment) ask(ctx context.Context, kind, name, input, fields string, into any, now time.Time) error {
	if e.daemonPort == "" {
		return errors.New("ask the server: ABT_NODE_PORT is not set")
	}
	body, err := json.Marshal(map[string]string{"query": fmt.Sprintf("%s { %s(input: {%s}) { %s } }", kind, name, input, fields)})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, daemonTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+e.Host+":"+e.daemonPort+"/api/gql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	e.identify(req, now)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	defer res.Body.Close()
	return answer(res, name, into)
}

// identify adds the headers by which the server knows that a component of the app
// asks.
func (e *Environment) identify(r *http.Request, now time.Time) {
	id := e.Key.Address(RoleApplication)
	stamp := strconv.FormatInt(now.UnixMilli(), 10)
	digest := sha3.Sum256([]byte(stamp + "-" + id))
	for name, value := range map[string]string{"Content-Type": "application/json", "User-Agent": "BlockletSDK/" + serviceVersion, "X-Access-Key-Id": id,
		"X-Access-Stamp": stamp, "X-Access-Signature": "0x" + hex.EncodeToString(ed25519.Sign(e.Key.private, digest[:])),
		"X-Access-Blocklet": e.AppPID, "X-Component-Did": e.ComponentDID} {
		r.Header.Set(name, value)
	}
}

// answer reads what GraphQL says. Its errors may repeat what was asked, a key too,
// so only their status is kept.
func answer(res *http.Response, name string, into any) error {
	text, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("ask the server: %w", err)
	}
	var out struct {
		Data   map[string]json.RawMessage `json:"data"`
		Errors []struct {
			Message    string `json:"message"`
			Extensions struct {
				Code any `json:"code"`
			} `json:"extensions"`
		} `json:"errors"`
	}
	if err := json.Unmarshal(text, &out); err != nil {
		return fmt.Errorf("ask the server: it answered %d with something that is not JSON", res.StatusCode)
	}
	if data := out.Data[name]; len(out.Errors) == 0 && !absent(data) {
		return json.Unmarshal(data, into)
	}
	for _, e := range out.Errors {
		status := fmt.Sprint(e.Extensions.Code)
		if i := strings.LastIndex(e.Message, "("); status == "<nil>" && i >= 0 {
			status = strings.Trim(e.Message[i:], "() ")
		}
		if status == "404" || status == "403" {
			return ErrUnknown
		}
	}
	if res.StatusCode == http.StatusOK && len(out.Errors) == 0 {
		return ErrUnknown
	}
	return fmt.Errorf("ask the server: %s failed with status %d", name, res.StatusCode)
}
