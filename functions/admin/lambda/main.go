// Command lambda is the function admin on AWS Lambda: providers, rates, users and keys, with
// their jobs.
package main

import (
	"github.com/aigne-hub/aigne-hub/functions/admin"
	"github.com/aigne-hub/aigne-hub/shared/boot"
)

func main() { boot.Lambda(admin.Wire, admin.Jobs) }
