import { CodeXml } from "lucide-react";
import { useState } from "react";
import { useI18n } from "../lib/i18n";
import { base } from "../lib/snippets";
import { Button } from "../ui/button";
import { Code } from "../ui/copy";
import { Modal } from "../ui/dialog";
import { Tabs } from "../ui/tabs";
import { keyName } from "./code";
import { type WorkAsked, type WorkProgram, workCode, workPrograms } from "./work-code";

/** WorkCode shows on demand how a program would ask for what a form says. */
export function WorkCode({ asked }: { asked: () => WorkAsked }) {
  const { t } = useI18n();
  const [open, setOpen] = useState(false);
  const [program, setProgram] = useState<WorkProgram>("curl");
  return (
    <>
      <Button look="quiet" icon={<CodeXml aria-hidden className="size-4" />} onClick={() => setOpen(true)}>
        {t("play.code")}
      </Button>
      <Modal
        open={open}
        onClose={() => setOpen(false)}
        title={t("play.code")}
        about={t("play.code.about", { key: keyName })}
        wide
      >
        <Tabs
          label={t("snippets.label")}
          value={program}
          onChange={setProgram}
          tabs={Object.entries(workPrograms) as [WorkProgram, string][]}
        >
          {open && <Code label={workPrograms[program]} text={workCode(program, base(), asked())} />}
        </Tabs>
      </Modal>
    </>
  );
}
