// Command lambda is the function console on AWS Lambda: the web console.
package main

import (
	"github.com/aigne-hub/aigne-hub/functions/console"
	"github.com/aigne-hub/aigne-hub/shared/boot"
)

func main() { boot.Lambda(console.Wire, nil) }
