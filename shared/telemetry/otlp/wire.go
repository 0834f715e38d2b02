package otlp

import (
	"encoding/binary"
	"math"
)

// message is a Protocol Buffers message that is being written. Messages within it are
// written behind their length, which is put in once it is known.
type message []byte

// The wire types (protobuf.dev/programming-guides/encoding).
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
	wireFixed32 = 5
)

func (m *message) tag(field, wire int) { *m = binary.AppendUvarint(*m, uint64(field<<3|wire)) }

func (m *message) uint(field int, v uint64) {
	if v == 0 {
		return
	}
	m.tag(field, wireVarint)
	*m = binary.AppendUvarint(*m, v)
}

func (m *message) fixed64(field int, v uint64) {
	m.tag(field, wireFixed64)
	*m = binary.LittleEndian.AppendUint64(*m, v)
}

func (m *message) fixed32(field int, v uint32) {
	m.tag(field, wireFixed32)
	*m = binary.LittleEndian.AppendUint32(*m, v)
}

func (m *message) double(field int, v float64) { m.fixed64(field, math.Float64bits(v)) }

func (m *message) text(field int, s string) {
	if s == "" {
		return
	}
	m.tag(field, wireBytes)
	*m = append(binary.AppendUvarint(*m, uint64(len(s))), s...)
}

func (m *message) bytes(field int, b []byte) {
	if len(b) == 0 {
		return
	}
	m.tag(field, wireBytes)
	*m = append(binary.AppendUvarint(*m, uint64(len(b))), b...)
}

// within writes a message as a field of this one.
func (m *message) within(field int, write func(*message)) {
	var inner message
	write(&inner)
	m.tag(field, wireBytes)
	*m = append(binary.AppendUvarint(*m, uint64(len(inner))), inner...)
}

// The fields of KeyValue and AnyValue.
const (
	keyField    = 1
	valueField  = 2
	stringValue = 1
	boolValue   = 2
	intValue    = 3
	doubleValue = 4
	arrayValue  = 5
)

// pair writes a KeyValue whose value is a string.
func (m *message) pair(field int, key, value string) {
	m.within(field, func(kv *message) {
		kv.text(keyField, key)
		kv.within(valueField, func(v *message) {
			v.tag(stringValue, wireBytes)
			*v = append(binary.AppendUvarint(*v, uint64(len(value))), value...)
		})
	})
}
