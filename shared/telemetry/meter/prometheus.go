package meter

import (
	"strconv"
	"strings"
)

// ContentType is of what Prometheus writes.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// Prometheus appends families in the text format of Prometheus, version 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats).
func Prometheus(dst []byte, families []Family) []byte {
	for i := range families {
		f := &families[i]
		dst = append(dst, "# HELP "+f.Name+" "+helpText.Replace(f.Help)+"\n# TYPE "+f.Name+" "+typeNames[f.Kind]+"\n"...)
		for j := range f.Points {
			if f.Kind == KindHistogram {
				dst = f.histogram(dst, &f.Points[j])
				continue
			}
			dst = f.labels(append(dst, f.Name...), f.Points[j].Values, "")
			dst = append(AppendDecimal(append(dst, ' '), f.Points[j].Value, f.Decimals), '\n')
		}
	}
	return dst
}

var (
	typeNames = [...]string{"counter", "gauge", "histogram"}
	helpText  = strings.NewReplacer(`\`, `\\`, "\n", `\n`)
	labelText = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)
)

// histogram writes the buckets, each with all below it, their sum and their number.
func (f *Family) histogram(dst []byte, p *Point) []byte {
	var all uint64
	for i, n := range p.Counts {
		all += n
		bound := "+Inf"
		if i < len(f.Bounds) {
			bound = string(AppendDecimal(nil, f.Bounds[i], f.Decimals))
		}
		dst = f.labels(append(dst, f.Name+"_bucket"...), p.Values, bound)
		dst = append(strconv.AppendUint(append(dst, ' '), all, 10), '\n')
	}
	dst = f.labels(append(dst, f.Name+"_sum"...), p.Values, "")
	dst = append(AppendDecimal(append(dst, ' '), p.Value, f.Decimals), '\n')
	dst = f.labels(append(dst, f.Name+"_count"...), p.Values, "")
	return append(strconv.AppendUint(append(dst, ' '), all, 10), '\n')
}

// labels writes the labels, with the bound of a bucket unless it is "".
func (f *Family) labels(dst []byte, values []string, bound string) []byte {
	if len(values) == 0 && bound == "" {
		return dst
	}
	sep := byte('{')
	for i, v := range values {
		dst = append(append(append(dst, sep), f.Labels[i]...), `="`...)
		dst = append(append(dst, labelText.Replace(strings.ToValidUTF8(v, "�"))...), '"')
		sep = ','
	}
	if bound != "" {
		dst = append(append(dst, sep), `le="`+bound+`"`...)
	}
	return append(dst, '}')
}

// AppendDecimal appends v divided by 10 to the power decimals, exactly and without
// zeros at its end.
func AppendDecimal(dst []byte, v int64, decimals int) []byte {
	u := uint64(v)
	if v < 0 {
		dst, u = append(dst, '-'), -u
	}
	digits := strconv.FormatUint(u, 10)
	if decimals == 0 {
		return append(dst, digits...)
	}
	if missing := decimals + 1 - len(digits); missing > 0 {
		digits = strings.Repeat("0", missing) + digits
	}
	whole, rest := digits[:len(digits)-decimals], strings.TrimRight(digits[len(digits)-decimals:], "0")
	dst = append(dst, whole...)
	if rest != "" {
		dst = append(append(dst, '.'), rest...)
	}
	return dst
}
