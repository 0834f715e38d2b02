package hub

import "context"

// Origin is where an act came from, for the audit log only: nothing is decided
// by it. It travels in the context beside the request id, so that what acts need
// not know it.
type Origin struct {
	UserID    string // "" outside of a request, or where nobody had to sign in
	KeyID     string // the API key used; "" for a session
	Address   string // of the client, without port; "local" for commands
	RequestID string
}

type originKey struct{}

// WithOrigin returns a context that carries an origin.
func WithOrigin(ctx context.Context, o Origin) context.Context {
	return context.WithValue(ctx, originKey{}, o)
}

// OriginOf returns the origin that a context carries, the zero one for none.
func OriginOf(ctx context.Context) Origin {
	o, _ := ctx.Value(originKey{}).(Origin)
	return o
}
