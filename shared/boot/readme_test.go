package boot_test

import (
	"testing"

	"github.com/aigne-hub/aigne-hub/shared/boot"
	"github.com/aigne-hub/aigne-hub/shared/testkit/readme"
)

var update = readme.UpdateFlag()

func TestReadmeListsTheSettingsAsTheyAre(t *testing.T) {
	t.Parallel()
	readme.Section(t, "settings", boot.SettingsTable(), *update)
}
