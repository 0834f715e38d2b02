package movein

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
)

// preferences are settings of an original hub and what they are called here.
var preferences = map[string]string{
	"creditBasedBillingEnabled": "AIGNE_HUB_BILLING",
	"baseCreditPrice":           "AIGNE_HUB_CREDIT_PRICE; rates come in credits, so it is to be the same",
	"targetProfitMargin":        "AIGNE_HUB_DEFAULT_MARGIN, in percent",
	"newUserCreditGrantEnabled": "AIGNE_HUB_WELCOME_CREDITS, 0 for none",
	"newUserCreditGrantAmount":  "AIGNE_HUB_WELCOME_CREDITS",
	"creditExpirationDays":      "AIGNE_HUB_WELCOME_LIFE",
	"guestPlaygroundEnabled":    "the roles of users",
	"excludedRotationProviders": "alias set, which says where calls go",
	"creditPaymentLink":         "AIGNE_HUB_PAYMENT_LINK",
	"onlyEnableModelsInPricing": "AIGNE_HUB_BILLING, with which models without a rate are refused",
	"checkCredentialsMaxTime":   "nothing: keys are tried again by themselves",
	"pricingList":               "rate set",
	"creditPrefix":              "the console's language",
	"MAX_RETRIES":               "AIGNE_HUB_ATTEMPTS",
}

// LeavePreferences names the settings in the folder that `blocklet export` wrote:
// they are environment variables here, which an import does not set. Where the
// folder has none, or in another form, nothing is named.
func (s *Source) LeavePreferences(folder string) {
	content, err := os.ReadFile(filepath.Join(folder, "blocklet-extras.json"))
	if err != nil {
		return
	}
	var extras struct {
		Children []struct {
			Configs []struct {
				Key   string          `json:"key"`
				Value json.RawMessage `json:"value"`
			} `json:"configs"`
		} `json:"children"`
	}
	if json.Unmarshal(content, &extras) != nil {
		return
	}
	for _, c := range extras.Children {
		for _, setting := range c.Configs {
			name, ok := strings.CutPrefix(setting.Key, "prefs.")
			here := preferences[name]
			if !ok || here == "" {
				continue
			}
			// None of those that are known is a secret.
			s.leave("setting", setting.Key, "it is "+clipped(strings.Trim(string(setting.Value), `"`), 60)+" there; here it is "+here)
		}
	}
}
