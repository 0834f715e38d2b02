package selling

import "strings"

// SafeCells makes cells of CSV that no spreadsheet takes for formulas: what
// begins like one gets an apostrophe in front.
func SafeCells(cells ...string) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		if c != "" && strings.ContainsRune("=+-@\t\r\n", rune(c[0])) {
			c = "'" + c
		}
		out[i] = c
	}
	return out
}
