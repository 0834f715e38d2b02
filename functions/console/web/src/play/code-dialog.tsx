import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { useI18n } from "../lib/i18n";
import { base } from "../lib/snippets";
import { Code } from "../ui/copy";
import { Modal } from "../ui/dialog";
import { Loaded, Note } from "../ui/states";
import { Tabs } from "../ui/tabs";
import { messagesOf, optionsOf, Unfit } from "./chat";
import { code, keyName, type Program, programs, short } from "./code";
import { named, type Talk } from "./talk";

/** CodeDialog shows how a program would ask what stands here, the draft included. */
export function CodeDialog({ talk, onClose }: { talk: Talk | undefined; onClose: () => void }) {
  const { t } = useI18n();
  return (
    <Modal open={talk !== undefined} onClose={onClose} title={t("play.code")} about={t("play.code.about", { key: keyName })} wide>
      {talk && <Programs talk={talk} />}
    </Modal>
  );
}

function Programs({ talk }: { talk: Talk }) {
  const { t } = useI18n();
  const [program, setProgram] = useState<Program>("curl");
  const lane = talk.lanes[0];
  const asked = useQuery({
    queryKey: ["talks", "code", talk.id, talk],
    queryFn: async () => {
      const turn = { id: named(), text: talk.draft || t("play.code.hello"), attachments: talk.attachments, answers: {} };
      const last = talk.turns.at(-1);
      const draft = talk.draft.trim() !== "" || talk.attachments.length > 0 || !last;
      const whole = draft ? { ...talk, turns: [...talk.turns, turn] } : talk;
      try {
        return {
          messages: short(await messagesOf(whole, lane?.id ?? "", whole.turns.at(-1)?.id ?? "")),
          options: optionsOf(talk.settings),
        };
      } catch (fault) {
        if (fault instanceof Unfit) return fault;
        throw fault;
      }
    },
    retry: false,
    gcTime: 0,
  });
  return (
    <Loaded query={asked}>
      {(a) =>
        a instanceof Unfit ? (
          <Note kind="danger">{t(`play.unfit.${a.why}`, { name: t(`play.set.${a.setting}` as "play.set.temperature") })}</Note>
        ) : (
          <Tabs
            label={t("snippets.label")}
            value={program}
            onChange={setProgram}
            tabs={Object.entries(programs) as [Program, string][]}
          >
            <Code label={programs[program]} text={code(program, { base: base(), model: lane?.model ?? "", ...a })} />
          </Tabs>
        )
      }
    </Loaded>
  );
}
