package main

import (
	"slices"

	"github.com/aigne-hub/aigne-hub/functions/admin"
	"github.com/aigne-hub/aigne-hub/functions/auth"
	"github.com/aigne-hub/aigne-hub/functions/billing"
	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/schedule"
)

// wire makes all functions from one open hub.
func wire(a *boot.App) functions {
	return functions{
		proxy: proxy.Wire(a), auth: auth.Wire(a), usage: usage.Wire(a),
		billing: billing.Wire(a), admin: admin.Wire(a), console: console.Wire(a),
	}
}

// jobs are the scheduled jobs of all functions.
func jobs(a *boot.App) []schedule.Job {
	return slices.Concat(auth.Jobs(a), billing.Jobs(a), admin.Jobs(a), proxy.Jobs(a), usage.Jobs(a), backupJobs(a))
}
