package task

import "github.com/aigne-hub/aigne-hub/shared/hub"

// JobStatus is how far a provider is with long work.
type JobStatus string

// The statuses.
const (
	JobQueued    JobStatus = "queued"
	JobRunning   JobStatus = "running"
	JobSucceeded JobStatus = "succeeded"
	JobFailed    JobStatus = "failed"
)

// Job is what a provider says of long work.
type Job struct {
	ID       string // the provider's own
	Status   JobStatus
	Progress int64      // percent; 0 when the wire has none
	Fault    *hub.Error // of a failed one
	Films    []File     // of one that succeeded: by URL, or without one when the content has a path of its own
	Seconds  int64      // of the film; 0 when not said
	Variant  Variant
	Usage    hub.Usage // tokens, where the provider counts them
}

// Done reports whether nothing more will happen.
func (j *Job) Done() bool { return j.Status == JobSucceeded || j.Status == JobFailed }
