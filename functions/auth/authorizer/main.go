// Command authorizer is a Lambda authorizer of API Gateway: it lets through whoever
// shows a good API key of the hub.
package main

import (
	"github.com/aigne-hub/aigne-hub/functions/auth"
	"github.com/aigne-hub/aigne-hub/shared/boot"
)

func main() { boot.LambdaEvents(auth.Authorizer) }
