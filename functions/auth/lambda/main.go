// Command lambda is the function auth on AWS Lambda: sign-in and API keys.
package main

import (
	"github.com/aigne-hub/aigne-hub/functions/auth"
	"github.com/aigne-hub/aigne-hub/shared/boot"
)

func main() { boot.Lambda(auth.Wire, auth.Jobs) }
