// Command lambda is the function billing on AWS Lambda: credits, with their jobs.
package main

import (
	"github.com/aigne-hub/aigne-hub/functions/billing"
	"github.com/aigne-hub/aigne-hub/shared/boot"
)

func main() { boot.Lambda(billing.Wire, billing.Jobs) }
