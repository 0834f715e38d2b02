package boot

import "strings"

// Where the value of a setting comes from.
const (
	FromFlag    = "flag"
	FromEnv     = "environment"
	FromDefault = "default"
	FromNowhere = "unset"
)

// SettingInForce is a setting with the value that counts.
type SettingInForce struct {
	Name, Doc string
	Value     string // "" of one that is unset, or secret
	From      string
	Secret    bool // its value is never shown
}

// InForce lists all settings as they are in force. Settings that no flag sets are
// secrets: of them only is told whether they are set.
func (a *App) InForce() []SettingInForce {
	all := Settings()
	out := make([]SettingInForce, len(all))
	for i, s := range all {
		v := SettingInForce{Name: s.Name, Doc: s.Doc, Secret: s.Flag == "", From: FromFlag}
		value, given := a.flags[s.Name]
		if value = strings.TrimSpace(value); !given || value == "" {
			value, v.From = a.env.get(s.Name), FromEnv
		}
		if value == "" {
			value, v.From = s.fallback(a.env), FromDefault
		}
		if value == "" {
			v.From = FromNowhere
		}
		if !v.Secret {
			v.Value = value
		}
		out[i] = v
	}
	return out
}
