import { AlertDialog } from "@base-ui/react/alert-dialog";
import { Dialog } from "@base-ui/react/dialog";
import { X } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useT } from "../lib/i18n";
import { Button } from "./button";
import { Note, useFault } from "./states";

interface ModalProps {
  open: boolean;
  onClose: () => void;
  title: string;
  about?: ReactNode;
  children: ReactNode;
  wide?: boolean;
  /** keep: only its own buttons close it, because what it shows is shown once. */
  keep?: boolean;
}

// As high as the dialogs themselves: a second one darkens the first.
const backdrop = "fade fixed inset-0 z-50 bg-shade";

/** Modal is a dialog in the middle; on a phone it rises from the bottom. */
export function Modal({ open, onClose, title, about, children, wide, keep }: ModalProps) {
  const t = useT();
  return (
    <Dialog.Root open={open} onOpenChange={(now) => !now && !keep && onClose()} disablePointerDismissal={keep}>
      <Dialog.Portal>
        <Dialog.Backdrop className={backdrop} />
        <Dialog.Popup
          className={`pop fade fixed inset-x-0 bottom-0 z-50 flex max-h-[92dvh] flex-col rounded-b-none sm:inset-x-auto sm:top-1/2 sm:bottom-auto sm:left-1/2 sm:max-h-[86dvh] sm:w-[calc(100vw-2rem)] sm:-translate-x-1/2 sm:-translate-y-1/2 sm:rounded-2xl ${wide ? "sm:max-w-2xl" : "sm:max-w-lg"}`}
        >
          <header className="flex items-start gap-3 px-5 pt-5 pb-3">
            <div className="min-w-0 flex-1">
              <Dialog.Title className="text-lg font-semibold">{title}</Dialog.Title>
              {about && <Dialog.Description className="mt-0.5 text-ink-3">{about}</Dialog.Description>}
            </div>
            {!keep && <Close label={t("action.close")} />}
          </header>
          <div className="overflow-y-auto px-5 pt-1 pb-5">{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Close({ label }: { label: string }) {
  return (
    <Dialog.Close
      aria-label={label}
      className="-mt-1 -mr-2 inline-flex size-9 items-center justify-center rounded-lg text-ink-2 hover:bg-sunken"
    >
      <X aria-hidden className="size-4.5" />
    </Dialog.Close>
  );
}

/** Drawer is a dialog at the right side, for the details of a row. */
export function Drawer({ open, onClose, title, about, children }: ModalProps) {
  const t = useT();
  return (
    <Dialog.Root open={open} onOpenChange={(now) => !now && onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className={backdrop} />
        <Dialog.Popup className="fade fixed inset-y-0 right-0 z-50 flex w-full max-w-2xl flex-col border-l border-line bg-surface shadow-lift data-[ending-style]:translate-x-6 data-[starting-style]:translate-x-6">
          <header className="flex items-start gap-3 border-b border-line px-5 py-4">
            <div className="min-w-0 flex-1">
              <Dialog.Title className="text-lg font-semibold">{title}</Dialog.Title>
              {about && <Dialog.Description className="text-ink-3">{about}</Dialog.Description>}
            </div>
            <Close label={t("action.close")} />
          </header>
          <div className="flex-1 overflow-y-auto px-5 py-4">{children}</div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** consequences: what will be so afterwards. */
  consequences: ReactNode;
  action: string;
  act: () => Promise<unknown>;
}

/** Confirm asks before something that cannot be taken back, and names what follows. */
export function Confirm({ open, onClose, title, consequences, action, act }: ConfirmProps) {
  const t = useT();
  const say = useFault();
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState<unknown>();
  function close() {
    setFault(undefined);
    onClose();
  }
  async function go() {
    setBusy(true);
    setFault(undefined);
    try {
      await act();
      close();
    } catch (thrown) {
      setFault(thrown);
    } finally {
      setBusy(false);
    }
  }
  return (
    <AlertDialog.Root open={open} onOpenChange={(now) => !now && close()}>
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={backdrop} />
        <AlertDialog.Popup className="pop fade fixed inset-x-4 top-1/2 z-50 -translate-y-1/2 p-5 sm:inset-x-auto sm:left-1/2 sm:w-full sm:max-w-md sm:-translate-x-1/2">
          <AlertDialog.Title className="text-lg font-semibold">{title}</AlertDialog.Title>
          <AlertDialog.Description render={<div />} className="mt-1.5 mb-4 text-ink-2">
            {consequences}
          </AlertDialog.Description>
          {fault !== undefined && (
            <div className="mb-4">
              <Note kind="danger">{say(fault)}</Note>
            </div>
          )}
          <div className="flex justify-end gap-2">
            <AlertDialog.Close render={<Button look="quiet" />}>{t("action.cancel")}</AlertDialog.Close>
            <Button look="danger" busy={busy} onClick={go}>
              {action}
            </Button>
          </div>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
