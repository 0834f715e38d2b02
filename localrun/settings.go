package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/hub"
)

func configSpecs() []spec {
	return []spec{
		{
			name: "validate", usage: "check the settings of a file, the environment and flags, all faults at once", run: configValidate, arg: "config",
			about: "Exit code 2 and every fault, with the file's line, when something is wrong. Nothing is opened or contacted.",
		},
		{
			name: "print", usage: "show the settings in force and where each comes from", run: configPrint, arg: "config",
			flags: []cli.Flag{toggle("all", "also those that nobody set")},
			about: "Secrets are never shown, only that they are set.",
		},
		{name: "schema", usage: "print the JSON Schema of configuration files, for editors", run: configSchema},
	}
}

// settings are all of them, with where each comes from.
func (j *job) settings() ([]boot.Effective, error) {
	cfg, err := j.config()
	return cfg.Effective, err
}

func configValidate(j *job) error {
	all, err := j.settings()
	if err != nil {
		return err
	}
	file, given := "", 0
	for _, s := range all {
		if s.Name == "AIGNE_HUB_CONFIG" {
			file = s.Value
		}
		if s.Given() {
			given++
		}
	}
	words := fmt.Sprintf("The settings are in order; %d are given.\n", given)
	if file != "" {
		words = fmt.Sprintf("%s is in order.\n", file)
	}
	return j.show(map[string]any{"file": file, "valid": true, "given": given}, words)
}

// shownSetting is a setting as config print shows it.
type shownSetting struct {
	Key      string  `json:"key"`
	Variable string  `json:"variable"`
	Value    *string `json:"value"` // null: unset, or hidden
	Hidden   bool    `json:"hidden"`
	From     string  `json:"from"`
}

func configPrint(j *job) error {
	all, err := j.settings()
	if err != nil {
		return err
	}
	views, rows := []shownSetting{}, [][]string{}
	for _, s := range all {
		if !s.Given() && !j.c.Bool("all") {
			continue
		}
		hidden := s.Secret && s.IsSet
		v := shownSetting{Key: s.Key(), Variable: s.Name, Hidden: hidden, From: s.From}
		shown := dash
		if hidden {
			shown = "(set, not shown)"
		} else if s.Value != "" {
			v.Value, shown = &s.Value, s.Value
		}
		views = append(views, v)
		rows = append(rows, []string{v.Key, shown, v.From})
	}
	return j.show(views, table("KEY VALUE FROM", rows))
}

func configSchema(j *job) error {
	text, err := boot.Schema()
	if err != nil {
		return hub.Wrap(hub.CodeInternal, err, "the schema cannot be made")
	}
	_, err = fmt.Fprintln(j.stdout, strings.TrimSpace(string(text)))
	return err
}
