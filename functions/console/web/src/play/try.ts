import { useI18n } from "../lib/i18n";
import { useToast } from "../ui/toast";
import { Unfit } from "./chat";

/** useTry does something that sends, and says which setting stands in its way. */
export function useTry() {
  const { t } = useI18n();
  const toast = useToast();
  return async (act: () => void | Promise<void>) => {
    try {
      await act();
      return true;
    } catch (fault) {
      if (!(fault instanceof Unfit)) throw fault;
      toast(t(`play.unfit.${fault.why}`, { name: t(`play.set.${fault.setting}` as "play.set.temperature") }), true);
      return false;
    }
  };
}
