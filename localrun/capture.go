package main

import (
	"cmp"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/operator"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func captureSpecs() []spec {
	return []spec{
		{name: "list", usage: "list the rules by which bodies of calls are kept", run: captureList,
			about: "The rules rest unless AIGNE_HUB_CAPTURE is on."},
		{
			name: "add", usage: "add a rule: of which calls bodies are kept", run: captureAdd,
			flags: []cli.Flag{
				text("user", "calls of the user with the e-mail `ADDRESS`"), text("key-id", "calls by the API key with this `ID`"), text("app", "calls of the application with this `ID`"),
				text("percent", "so many `PERCENT` of them, with one decimal at most; 100 when not given, 0 keeps none"),
				text("parts", "`WHAT` is kept: both (default), request or response"),
				text("redact", "`KINDS` of personal data taken out beside secrets, by comma: email, phone, card"),
				toggle("users-see", "users see what was kept of their own calls"),
			},
			about: "Of several rules that fit a call the most specific one decides: key, then user, then application. Secrets are\n" +
				"always taken out, pictures and files become size and digest. A rule holds within two seconds.",
		},
		{
			name: "remove", usage: "end a rule; what was kept by it stays for its time", run: captureRemove, needs: []string{"id"}, arg: "id",
			flags: []cli.Flag{text("id", "`ID` of the rule")},
		},
	}
}

// ruleView is a rule as it is shown.
type ruleView struct {
	ID        string    `json:"id"`
	CreatedAt time.Time `json:"created_at"`
	CreatedBy string    `json:"created_by"`
	User      string    `json:"user"`
	KeyID     string    `json:"key_id"`
	AppID     string    `json:"app_id"`
	Permille  int64     `json:"permille"`
	Parts     string    `json:"parts"`
	PII       []string  `json:"pii"`
	UsersSee  bool      `json:"users_see"`
}

// captureRulesView is whether bodies are kept, and by which rules.
type captureRulesView struct {
	On    bool       `json:"on"`
	Rules []ruleView `json:"rules"`
}

func percent(permille int64) string {
	return strconv.FormatFloat(float64(permille)/10, 'f', -1, 64) + " %"
}

func (j *job) viewRule(a *boot.App, c store.CaptureRule) (v ruleView, err error) {
	v = ruleView{c.ID, c.CreatedAt, c.CreatedBy, "", c.KeyID, c.AppID, c.Permille, c.Parts, c.PII, c.UsersSee}
	if c.UserID != "" {
		mails := emails{store: a.Store}
		v.User, err = mails.of(j.ctx, c.UserID)
	}
	return v, err
}

func captureList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		all, err := a.Store.CaptureRules(j.ctx)
		if err != nil {
			return err
		}
		v, rows := captureRulesView{a.Config.Capture.On, []ruleView{}}, [][]string{}
		for _, c := range all {
			r, err := j.viewRule(a, c)
			if err != nil {
				return err
			}
			v.Rules = append(v.Rules, r)
			rows = append(rows, []string{r.ID, cmp.Or(r.User, "all"), cmp.Or(r.KeyID, "all"), cmp.Or(r.AppID, "all"), percent(r.Permille), r.Parts, orDash(strings.Join(r.PII, ",")), yesNo(r.UsersSee)})
		}
		human := table("ID USER KEY APP SHARE PARTS REDACTED USERS-SEE", rows)
		if !v.On {
			human += "Nothing is kept: AIGNE_HUB_CAPTURE is off here.\n"
		}
		return j.show(v, human)
	})
}

func captureAdd(j *job) error {
	n := operator.NewCaptureRule{User: j.text("user"), KeyID: j.text("key-id"), AppID: j.text("app"), Parts: j.text("parts"), UsersSee: j.c.Bool("users-see")}
	if text := j.text("percent"); text != "" {
		share, err := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(text, "%")), 64)
		tenths := share * 10
		if err != nil || !(tenths >= 0 && tenths <= 1000) || math.Abs(tenths-math.Round(tenths)) > 1e-9 {
			return hub.Invalid("percent", "--percent must be a number from 0 to 100 with one decimal at most, not %q", text)
		}
		n.Permille = new(int64(math.Round(tenths)))
	}
	if text := j.text("redact"); text != "" {
		n.PII = strings.Split(text, ",")
	}
	return j.withHub(func(a *boot.App) error {
		rule, err := a.Desk.AddCaptureRule(j.ctx, actor, n)
		if err != nil {
			return err
		}
		v, err := j.viewRule(a, rule)
		if err != nil {
			return err
		}
		human := fmt.Sprintf("The rule %s keeps %s of the calls that it fits.\n", rule.ID, percent(rule.Permille))
		if !a.Config.Capture.On {
			human += "It rests while AIGNE_HUB_CAPTURE is off.\n"
		}
		return j.show(v, human)
	})
}

func captureRemove(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.Desk.RemoveCaptureRule(j.ctx, actor, j.text("id")); err != nil {
			return err
		}
		return j.show(map[string]string{"removed": j.text("id")}, fmt.Sprintf("The rule %s is removed.\n", j.text("id")))
	})
}
