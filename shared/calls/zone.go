package calls

import (
	"time"
	_ "time/tzdata" // Lambda and small containers have no time zones

	"github.com/aigne-hub/aigne-hub/shared/hub"
)

// Zone reads the IANA name of a time zone that a caller typed; "" is UTC.
func Zone(field, name string) (*time.Location, error) {
	const most = 64
	if name == "Local" || len(name) > most {
		name = "?"
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, hub.Invalid(field, "%s must be the IANA name of a time zone such as Asia/Tokyo.", field)
	}
	return zone, nil
}
