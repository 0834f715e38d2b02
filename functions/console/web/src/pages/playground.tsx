import { useNavigate, useSearch } from "@tanstack/react-router";
import { useI18n } from "../lib/i18n";
import { ChatTab } from "../play/chat-tab";
import { EmbeddingTab } from "../play/embedding-tab";
import { ImageTab } from "../play/image-tab";
import { SpeechTab } from "../play/speech-tab";
import { VideoTab } from "../play/video-tab";
import { Page } from "../ui/page";
import { Tabs } from "../ui/tabs";

const tabs = ["chat", "image", "video", "embedding", "speech"] as const;
type Tab = (typeof tabs)[number];

/** Playground tries models out: a tab for each kind of work. */
export function Playground() {
  const { t } = useI18n();
  const navigate = useNavigate({ from: "/playground" });
  const search = useSearch({ from: "/inside/playground" });
  const tab = tabs.find((x) => x === search.tab) ?? "chat";
  const go = (next: Tab) =>
    navigate({ search: (old) => ({ ...old, tab: next === "chat" ? undefined : next, model: undefined }), replace: true });
  const wanted = search.model;
  return (
    <Page title={t("nav.playground")} about={t("play.about")} wide>
      <Tabs label={t("nav.playground")} value={tab} onChange={go} tabs={tabs.map((x) => [x, t(`play.tab.${x}`)] as const)}>
        {tab === "chat" && <ChatTab />}
        {tab === "image" && <ImageTab wanted={wanted} />}
        {tab === "video" && <VideoTab wanted={wanted} />}
        {tab === "embedding" && <EmbeddingTab wanted={wanted} />}
        {tab === "speech" && <SpeechTab wanted={wanted} />}
      </Tabs>
    </Page>
  );
}
