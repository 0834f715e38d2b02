import { useState } from "react";
import { useT } from "../lib/i18n";
import { base, type Client, clients, snippet } from "../lib/snippets";
import { Code } from "./copy";
import { Tabs } from "./tabs";

/** Snippets are the first call in the words of each client. */
export function Snippets({ secret, model }: { secret: string; model: string }) {
  const t = useT();
  const [client, setClient] = useState<Client>("curl");
  return (
    <Tabs label={t("snippets.label")} value={client} onChange={setClient} tabs={Object.entries(clients) as [Client, string][]}>
      <Code label={clients[client]} text={snippet(client, { base: base(), key: secret, model })} />
    </Tabs>
  );
}
