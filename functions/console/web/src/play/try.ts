import { useI18n } from "../lib/i18n";
import { useToast } from "../ui/toast";
import { Unfit } from "./chat";

/** useTry does something that sends, and says which setting stands in its way: by say, or for some seconds. */
export function useTry(say?: (text: string) => void) {
  const { t } = useI18n();
  const toast = useToast();
  return async (act: () => void | Promise<void>) => {
    try {
      await act();
      say?.("");
      return true;
    } catch (fault) {
      if (!(fault instanceof Unfit)) throw fault;
      const text = t(`play.unfit.${fault.why}`, { name: t(`play.set.${fault.setting}` as "play.set.temperature") });
      if (say) say(text);
      else toast(text, true);
      return false;
    }
  };
}
