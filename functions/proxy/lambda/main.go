// Command lambda is the function proxy on AWS Lambda: model traffic, streamed, and its job.
package main

import (
	"github.com/aigne-hub/aigne-hub/functions/proxy"
	"github.com/aigne-hub/aigne-hub/shared/boot"
)

func main() { boot.Lambda(proxy.Wire, proxy.Jobs) }
