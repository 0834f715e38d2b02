package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/money"
	"github.com/aigne-hub/aigne-hub/shared/notify"
	"github.com/aigne-hub/aigne-hub/shared/store"
)

func webhookSpecs() []spec {
	return []spec{
		{
			name: "add", usage: "send events to a URL, signed", run: webhookAdd, needs: []string{"url"}, arg: "url",
			about: "Prints the secret that signs what is sent there; it is not shown again. The signature follows Standard Webhooks\n" +
				"(standardwebhooks.com), for which there are libraries in most languages. Kinds: " + eventKinds() + ".",
			flags: []cli.Flag{
				text("url", "the http or https `URL`"),
				&cli.StringSliceFlag{Name: "kind", Usage: "`KIND` of event to send (may be repeated); all unless given"},
			},
		},
		{name: "list", usage: "list webhooks", run: webhookList},
		{name: "remove", usage: "remove a webhook", run: webhookRemove, needs: []string{"id"}, arg: "id", flags: []cli.Flag{text("id", "the webhook's `ID`")}},
		{
			name: "test", usage: "send a test event to a webhook now", run: webhookTest, needs: []string{"id"}, arg: "id",
			about: "Fails when the receiver does not answer with a 2xx status.",
			flags: []cli.Flag{text("id", "the webhook's `ID`")},
		},
	}
}

func eventKinds() string {
	var words []string
	for _, k := range notify.Kinds() {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}

// webhookView is a webhook as it is shown; the secret only when it is made.
type webhookView struct {
	ID     string   `json:"id"`
	URL    string   `json:"url"`
	Kinds  []string `json:"kinds"` // empty: all
	Secret string   `json:"secret,omitempty"`
}

func viewWebhook(e store.Endpoint) (webhookView, error) {
	v := webhookView{ID: e.ID, URL: e.URL}
	return v, json.Unmarshal([]byte(e.Kinds), &v.Kinds)
}

func webhookAdd(j *job) error {
	return j.withHub(func(a *boot.App) error {
		e, secret, err := a.Desk.AddWebhook(j.ctx, actor, j.text("url"), j.c.StringSlice("kind"))
		if err != nil {
			return err
		}
		v, err := viewWebhook(e)
		if err != nil {
			return err
		}
		v.Secret = secret.Reveal()
		return j.show(v, fmt.Sprintf("Added webhook %s. Its secret, shown this once:\n%s\n", v.ID, v.Secret))
	})
}

func webhookList(j *job) error {
	return j.withHub(func(a *boot.App) error {
		all, err := a.Store.Endpoints(j.ctx)
		if err != nil {
			return err
		}
		views, rows := make([]webhookView, 0, len(all)), make([][]string, 0, len(all))
		for _, e := range all {
			v, err := viewWebhook(e)
			if err != nil {
				return err
			}
			kinds := "all"
			if len(v.Kinds) > 0 {
				kinds = strings.Join(v.Kinds, ",")
			}
			views, rows = append(views, v), append(rows, []string{v.ID, v.URL, kinds})
		}
		return j.show(views, table("ID URL KINDS", rows))
	})
}

func webhookRemove(j *job) error {
	return j.withHub(func(a *boot.App) error {
		id := j.text("id")
		if err := a.Desk.RemoveWebhook(j.ctx, actor, id); err != nil {
			return err
		}
		return j.show(map[string]any{"id": id, "removed": true}, fmt.Sprintf("Removed webhook %s.\n", id))
	})
}

func webhookTest(j *job) error {
	return j.withHub(func(a *boot.App) error {
		id := j.text("id")
		if err := a.Desk.TestWebhook(j.ctx, id); err != nil {
			return err
		}
		return j.show(map[string]any{"id": id, "delivered": true}, "The test event was received.\n")
	})
}

func notificationSpecs() []spec {
	return []spec{
		{name: "list", usage: "list what operators were told, newest first", run: notificationList, flags: []cli.Flag{number("limit", "at most this many; 50 unless given")}},
		{
			name: "email", usage: "choose which kinds of events administrators get by e-mail", run: notificationEmail,
			about: "Without flags it shows the choice. Where nobody chose, all that are more than information are sent. It needs\n" +
				"AIGNE_HUB_SMTP_URL. Kinds: " + eventKinds() + ".",
			flags: []cli.Flag{
				&cli.StringSliceFlag{Name: "kind", Usage: "`KIND` to send (may be repeated)"},
				toggle("none", "send no e-mail"),
				toggle("default", "go back to what holds where nobody chose"),
				text("test", "send a test message to this `ADDRESS` now"),
			},
		},
		{
			name: "low-balance", usage: "choose the balance below which users are told", run: notificationLow, arg: "credits",
			flags: []cli.Flag{text("credits", "`CREDITS`; 0 tells nobody")},
			about: "Without an argument it shows the choice. Users may choose another, or no e-mail; an empty wallet is told in any case.",
		},
	}
}

// notificationView is a notification as it is shown.
type notificationView struct {
	ID        string          `json:"id"`
	Kind      string          `json:"kind"`
	Severity  string          `json:"severity"`
	Title     string          `json:"title"`
	Data      json.RawMessage `json:"data"`
	CreatedAt time.Time       `json:"created_at"`
}

func notificationList(j *job) error {
	limit := int(j.c.Int64("limit"))
	if limit == 0 {
		limit = 50
	}
	if limit < 1 || limit > 1000 {
		return hub.Invalid("limit", "--limit must be from 1 to 1000")
	}
	return j.withHub(func(a *boot.App) error {
		all, err := a.Store.Notifications(j.ctx, "", limit)
		if err != nil {
			return err
		}
		views, rows := make([]notificationView, 0, len(all)), make([][]string, 0, len(all))
		for _, n := range all {
			views = append(views, notificationView{n.ID, n.Kind, n.Severity, n.Title, json.RawMessage(n.Body), n.CreatedAt})
			rows = append(rows, []string{n.CreatedAt.Format(time.RFC3339), n.Severity, n.Kind, n.Title})
		}
		return j.show(views, table("TIME SEVERITY KIND TITLE", rows))
	})
}

func notificationEmail(j *job) error {
	kinds, given := j.c.StringSlice("kind"), 0
	for _, f := range []string{"kind", "none", "default", "test"} {
		if j.c.IsSet(f) {
			given++
		}
	}
	if given > 1 {
		return hub.Invalid("kind", "--kind, --none, --default and --test exclude each other")
	}
	return j.withHub(func(a *boot.App) error {
		switch {
		case j.text("test") != "":
			if err := a.Notify.TryMail(j.ctx, j.text("test")); err != nil {
				return hub.Wrap(hub.CodeUnavailable, err, "the test message was not sent: %v", err)
			}
			return j.show(map[string]any{"sent": true}, "The mail server took the test message.\n")
		case j.c.Bool("none"):
			kinds = []string{}
		case j.c.Bool("default"):
			kinds = nil
		case len(kinds) == 0:
			return j.showMailKinds(a)
		}
		if err := a.Desk.SetMailKinds(j.ctx, actor, kinds); err != nil {
			return err
		}
		return j.showMailKinds(a)
	})
}

func (j *job) showMailKinds(a *boot.App) error {
	kinds, chosen, err := a.Notify.Mailed(j.ctx)
	if err != nil {
		return err
	}
	words := "all that are more than information"
	if chosen {
		list := make([]string, len(kinds))
		for i, k := range kinds {
			list[i] = string(k)
		}
		if words = strings.Join(list, ", "); words == "" {
			words = "none"
		}
	}
	server := ""
	if a.Notify.Mail == nil {
		server = " No mail server is set (AIGNE_HUB_SMTP_URL)."
	}
	return j.show(map[string]any{"kinds": kinds, "server": a.Notify.Mail != nil}, fmt.Sprintf("By e-mail: %s.%s\n", words, server))
}

func notificationLow(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if chosen := j.text("credits"); chosen != "" {
			n, err := money.ParseCredits(chosen)
			if err != nil {
				return hub.Invalid("credits", "the balance must be a decimal such as 2.5, not %q", chosen)
			}
			if err := a.Desk.SetLowBalance(j.ctx, actor, n); err != nil {
				return err
			}
		}
		n, err := a.Store.LowBalance(j.ctx)
		if err != nil {
			return err
		}
		words := fmt.Sprintf("Users are told when their balance falls below %s credits.\n", n)
		if n == 0 {
			words = "Users are told only when their wallet is empty.\n"
		}
		return j.show(map[string]money.Credits{"low_balance": n}, words)
	})
}
