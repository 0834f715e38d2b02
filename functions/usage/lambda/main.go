// Command lambda is the function usage on AWS Lambda: the call log, statistics
// of it, and their jobs.
package main

import (
	"github.com/aigne-hub/aigne-hub/functions/usage"
	"github.com/aigne-hub/aigne-hub/shared/boot"
)

func main() { boot.Lambda(usage.Wire, usage.Jobs) }
