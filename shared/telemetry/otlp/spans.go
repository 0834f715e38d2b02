package otlp

import (
	"context"
	"encoding/binary"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

// Spans is the exporter of spans for OpenTelemetry's SDK.
type Spans struct{ Client *Client }

// ExportSpans sends spans. A failure is logged by the client and is not the SDK's
// business, which would print it.
func (s Spans) ExportSpans(ctx context.Context, spans []sdktrace.ReadOnlySpan) error {
	if len(spans) == 0 {
		return nil
	}
	s.Client.send(ctx, s.Client.opts.Traces, s.Client.spans(spans))
	return nil
}

// Shutdown does nothing: each batch was sent when it was given.
func (Spans) Shutdown(context.Context) error { return nil }

// The fields of Span.
const (
	spanTraceID    = 1
	spanID         = 2
	spanState      = 3
	spanParent     = 4
	spanName       = 5
	spanKind       = 6
	spanStart      = 7
	spanEnd        = 8
	spanAttributes = 9
	spanDropped    = 10
	spanStatus     = 15
	spanFlags      = 16

	statusMessage = 2
	statusCode    = 3
	codeOK        = 1
	codeError     = 2

	hasRemote = 0x100
	isRemote  = 0x200
)

func (c *Client) spans(spans []sdktrace.ReadOnlySpan) message {
	return c.request(func(scope *message) {
		for _, s := range spans {
			scope.within(2, func(m *message) { writeSpan(m, s) })
		}
	})
}

func writeSpan(m *message, s sdktrace.ReadOnlySpan) {
	own, parent := s.SpanContext(), s.Parent()
	trid, id := own.TraceID(), own.SpanID()
	m.bytes(spanTraceID, trid[:])
	m.bytes(spanID, id[:])
	m.text(spanState, own.TraceState().String())
	flags := uint32(own.TraceFlags()) | hasRemote
	if parent.SpanID().IsValid() {
		up := parent.SpanID()
		m.bytes(spanParent, up[:])
	}
	if parent.IsRemote() {
		flags |= isRemote
	}
	m.text(spanName, clean(s.Name()))
	m.uint(spanKind, kindOf(s.SpanKind()))
	m.fixed64(spanStart, uint64(s.StartTime().UnixNano()))
	m.fixed64(spanEnd, uint64(s.EndTime().UnixNano()))
	for _, a := range s.Attributes() {
		m.within(spanAttributes, func(kv *message) { writeAttribute(kv, a) })
	}
	m.uint(spanDropped, uint64(s.DroppedAttributes()))
	if st := s.Status(); st.Code != codes.Unset {
		m.within(spanStatus, func(in *message) {
			in.text(statusMessage, clean(st.Description))
			code := uint64(codeOK)
			if st.Code == codes.Error {
				code = codeError
			}
			in.uint(statusCode, code)
		})
	}
	m.fixed32(spanFlags, flags)
}

// kindOf: the numbers of OTLP begin where the SDK's do, one of which OTLP has not.
func kindOf(k trace.SpanKind) uint64 {
	switch k {
	case trace.SpanKindServer:
		return 2
	case trace.SpanKindClient:
		return 3
	case trace.SpanKindProducer:
		return 4
	case trace.SpanKindConsumer:
		return 5
	}
	return 1
}

func writeAttribute(kv *message, a attribute.KeyValue) {
	kv.text(keyField, string(a.Key))
	kv.within(valueField, func(v *message) {
		switch a.Value.Type() {
		case attribute.BOOL:
			v.tag(boolValue, wireVarint)
			n := byte(0)
			if a.Value.AsBool() {
				n = 1
			}
			*v = append(*v, n)
		case attribute.INT64:
			v.tag(intValue, wireVarint)
			*v = binary.AppendUvarint(*v, uint64(a.Value.AsInt64()))
		case attribute.FLOAT64:
			v.double(doubleValue, a.Value.AsFloat64())
		case attribute.STRINGSLICE:
			v.within(arrayValue, func(list *message) {
				for _, s := range a.Value.AsStringSlice() {
					list.within(1, func(in *message) { in.text(stringValue, clean(s)) })
				}
			})
		default:
			s := clean(a.Value.String())
			v.tag(stringValue, wireBytes)
			*v = append(binary.AppendUvarint(*v, uint64(len(s))), s...)
		}
	})
}

// clean makes text valid, which Protocol Buffers demand of strings.
func clean(s string) string { return strings.ToValidUTF8(s, "�") }
