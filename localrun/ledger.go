package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/ledger"
)

func ledgerSpecs() []spec {
	return []spec{{
		name: "verify", usage: "prove that the books balance", run: ledgerVerify,
		flags: []cli.Flag{&cli.BoolFlag{Name: "all", Usage: "from the beginning, not from the last seals; the seals are proved as well"}},
		about: "Every operation sums to zero, balances equal entries and grants, holds belong to open calls, no wallet is\n" +
			"overdrawn, each finished call is settled once. Fails on any violation.",
	}, {
		name: "seal", usage: "seal what is older than an hour of wallets with many operations, as a job does every six hours", run: ledgerSeal,
		about: "What is sealed is summed up and hashed: checks of the books begin at the last seal, and a sealed operation that\n" +
			"somebody alters is found by \"ledger verify --all\".",
	}}
}

// verifyView is the outcome of a verification.
type verifyView struct {
	OK bool `json:"ok"`
	ledger.Report
}

func ledgerVerify(j *job) error {
	return j.withHub(func(a *boot.App) error {
		verify := a.Book.Verify
		if j.c.Bool("all") {
			verify = a.Book.VerifyAll
		}
		report, err := verify(j.ctx)
		if err != nil {
			return err
		}
		n := len(report.Violations)
		human := fmt.Sprintf("OK: %d operations, no violations.\n", report.Operations)
		if n > 0 {
			rows := make([][]string, 0, n)
			for _, v := range report.Violations {
				rows = append(rows, []string{v.Rule, v.Subject, v.Detail})
			}
			human = table("RULE SUBJECT FOUND", rows)
		}
		if err := j.show(verifyView{n == 0, report}, human); err != nil {
			return err
		}
		if n > 0 {
			return fmt.Errorf("the books do not balance: %d violation(s) over %d operations", n, report.Operations)
		}
		return nil
	})
}

func ledgerSeal(j *job) error {
	return j.withHub(func(a *boot.App) error {
		if err := a.Book.Seal(j.ctx); err != nil {
			return err
		}
		return j.show(map[string]any{"done": true}, "Sealed what is to be sealed.\n")
	})
}
