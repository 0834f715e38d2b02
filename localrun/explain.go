package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/dialect"
	"github.com/aigne-hub/aigne-hub/shared/hub"
	"github.com/aigne-hub/aigne-hub/shared/routing"
	"github.com/aigne-hub/aigne-hub/shared/task"
)

func planSpec() spec {
	return spec{
		name: "plan", usage: "say where a call would go, and why, without making it", run: explain, needs: []string{"model"}, arg: "model",
		flags: []cli.Flag{
			text("model", "`MODEL` as a caller would name it: provider/model, a bare name or an alias"),
			text("type", "chat (default), or work beside it: embedding, image, speech, transcription, moderation, rerank, video …"),
			text("dialect", "`LANGUAGE` of the caller, such as openai-chat (default), anthropic or gemini"),
			text("needs", "what the request asks of the model, separated by commas: tools, vision, audio, files, structured_output, thinking"),
			number("tokens", "`N` tokens of prompt and output limit together"),
			text("tags", "the request's tags, separated by commas"), text("region", "the region that it asks for"),
			text("user", "plan for the user with the e-mail `ADDRESS`, whose role and groups then count"),
			text("route", "the caller's own wish: a policy, or providers and provider/model in order"),
		},
		about: "The answer is that of GET /api/ai/plan. Aliases by weight show one draw; what was measured is known only to\n" +
			"the process that serves, so policies order by price and catalogue here.",
	}
}

func explain(j *job) error {
	r := routing.Request{Model: j.text("model"), Type: hub.TypeChat, Dialect: dialect.Name(j.text("dialect"))}
	if kind := j.text("type"); kind != "" && kind != "chat" {
		r.Task = task.Kind(kind)
		if !slices.Contains(task.Kinds(), r.Task) {
			return hub.Invalid("type", "--type must be chat or a kind of work such as embedding, image or speech, not %q", kind)
		}
		r.Type = r.Task.CallType()
	}
	switch {
	case r.Dialect != "":
	case r.Task == "":
		r.Dialect = dialect.OpenAIChat
	default:
		r.Dialect = dialect.OpenAI
	}
	t := &r.Traits
	t.Region, t.Prefer, t.Tags = j.text("region"), j.text("route"), list(j.text("tags"))
	for _, n := range list(j.text("needs")) {
		t.Needs = append(t.Needs, routing.Need(n))
	}
	if err := routing.CheckNeeds(t.Needs); err != nil {
		return err
	}
	if t.Tokens = j.c.Int64("tokens"); t.Tokens < 0 {
		return hub.Invalid("tokens", "--tokens must not be negative")
	}
	return j.withHub(func(a *boot.App) error {
		if email := j.text("user"); email != "" {
			u, err := a.Desk.User(j.ctx, email)
			if err != nil {
				return err
			}
			t.Groups = append([]string{string(u.Role)}, u.Groups...)
		}
		if err := a.Reload(j.ctx); err != nil {
			return err
		}
		v, err := a.Routes().Explain(r)
		if err != nil {
			return err
		}
		return j.show(v, planWords(v))
	})
}

func planWords(v routing.Explained) string {
	var b strings.Builder
	if v.Why != "" {
		fmt.Fprintf(&b, "%s: %s\n", v.Model, v.Why)
	}
	rows := make([][]string, 0, len(v.Targets))
	for i, t := range v.Targets {
		rows = append(rows, []string{strconv.Itoa(i + 1), t.Target, t.Kind, yesNo(t.Native), strconv.FormatInt(t.Context, 10), strconv.FormatInt(t.MaxOutput, 10)})
	}
	b.WriteString(table("TRY TARGET KIND NATIVE CONTEXT MAX-OUTPUT", rows))
	for _, r := range v.Refused {
		fmt.Fprintf(&b, "not %s: %s\n", r.Target, r.Reason)
	}
	return b.String()
}
