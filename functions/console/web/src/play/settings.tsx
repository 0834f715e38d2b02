import { Plus, Trash2 } from "lucide-react";
import { useI18n } from "../lib/i18n";
import { Button, IconButton } from "../ui/button";
import { SelectField, TextField } from "../ui/form";
import { Area } from "./area";
import { pretty } from "./chat";
import { named, plain, type Settings, type Tool } from "./talk";

interface Props {
  settings: Settings;
  onChange: (settings: Settings) => void;
}

const efforts = ["none", "minimal", "low", "medium", "high", "xhigh"] as const;

const exampleSchema = `{
  "type": "object",
  "properties": { "answer": { "type": "string" } },
  "required": ["answer"],
  "additionalProperties": false
}`;
const exampleTool = `{
  "type": "object",
  "properties": { "city": { "type": "string" } },
  "required": ["city"]
}`;

/** SettingsPanel is what goes with every message: instructions, parameters, the form of the answer, tools. */
export function SettingsPanel({ settings: s, onChange }: Props) {
  const { t } = useI18n();
  const set = (part: Partial<Settings>) => onChange({ ...s, ...part });
  const field = (name: "temperature" | "topP" | "maxTokens" | "frequency" | "presence" | "seed", range: string) => (
    <TextField
      label={t(`play.set.${name}`)}
      inputMode="decimal"
      placeholder={range}
      value={s[name]}
      onChange={(e) => set({ [name]: e.target.value })}
      error={s[name].trim() !== "" && !Number.isFinite(Number(s[name].replace(",", "."))) ? t("play.number") : undefined}
    />
  );
  return (
    <div className="flex flex-col gap-4">
      <Area label={t("play.set.system")} rows={4} value={s.system} onChange={(system) => set({ system })} />
      <div className="grid grid-cols-2 gap-3">
        {field("temperature", "0 – 2")}
        {field("topP", "0 – 1")}
        {field("maxTokens", "≥ 1")}
        <SelectField label={t("play.set.effort")} value={s.effort} onChange={(e) => set({ effort: e.target.value })}>
          <option value="">{t("play.effort.default")}</option>
          {efforts.map((e) => (
            <option key={e} value={e}>
              {t(`play.effort.${e}`)}
            </option>
          ))}
        </SelectField>
      </div>
      <details>
        <summary className="text-sm font-medium text-ink-2">{t("action.more")}</summary>
        <div className="mt-3 flex flex-col gap-3">
          <div className="grid grid-cols-2 gap-3">
            {field("frequency", "-2 – 2")}
            {field("presence", "-2 – 2")}
            {field("seed", "42")}
          </div>
          <Area
            label={t("play.set.stop")}
            hint={t("play.set.stop.hint")}
            rows={2}
            value={s.stop}
            onChange={(stop) => set({ stop })}
            mono
          />
        </div>
      </details>
      <SelectField
        label={t("play.set.format")}
        value={s.format}
        onChange={(e) => set({ format: e.target.value as Settings["format"], schema: s.schema || exampleSchema })}
      >
        <option value="text">{t("play.format.text")}</option>
        <option value="json_object">{t("play.format.object")}</option>
        <option value="json_schema">{t("play.format.schema")}</option>
      </SelectField>
      {s.format === "json_schema" && (
        <Area
          label={t("play.set.schema")}
          rows={8}
          mono
          value={s.schema}
          onChange={(schema) => set({ schema })}
          error={pretty(s.schema) === undefined ? t("play.json.bad") : undefined}
        />
      )}
      <Tools settings={s} set={set} />
      <div>
        <Button small look="quiet" onClick={() => onChange(plain)} disabled={JSON.stringify(s) === JSON.stringify(plain)}>
          {t("play.settings.reset")}
        </Button>
      </div>
    </div>
  );
}

function Tools({ settings: s, set }: { settings: Settings; set: (part: Partial<Settings>) => void }) {
  const { t } = useI18n();
  const change = (id: string, part: Partial<Tool>) => set({ tools: s.tools.map((x) => (x.id === id ? { ...x, ...part } : x)) });
  return (
    <section className="flex flex-col gap-3 border-t border-line pt-4">
      <div className="flex items-center justify-between gap-2">
        <h3 className="font-semibold">{t("play.set.tools")}</h3>
        <Button
          small
          icon={<Plus aria-hidden className="size-4" />}
          onClick={() => set({ tools: [...s.tools, { id: named(), name: "", description: "", parameters: exampleTool }] })}
        >
          {t("play.tool.add")}
        </Button>
      </div>
      {s.tools.length === 0 && <p className="text-sm text-ink-3">{t("play.tool.about")}</p>}
      {s.tools.map((tool) => (
        <div key={tool.id} className="flex flex-col gap-2.5 rounded-lg border border-line p-3">
          <div className="flex items-end gap-1">
            <div className="flex-1">
              <TextField
                label={t("play.tool.name")}
                value={tool.name}
                placeholder="get_weather"
                onChange={(e) => change(tool.id, { name: e.target.value })}
                error={tool.name !== "" && !/^[A-Za-z0-9_-]{1,64}$/.test(tool.name) ? t("play.tool.name.hint") : undefined}
                className="font-mono"
              />
            </div>
            <IconButton
              label={t("play.tool.remove", { name: tool.name })}
              onClick={() => set({ tools: s.tools.filter((x) => x.id !== tool.id) })}
            >
              <Trash2 aria-hidden className="size-4" />
            </IconButton>
          </div>
          <TextField
            label={t("play.tool.description")}
            value={tool.description}
            onChange={(e) => change(tool.id, { description: e.target.value })}
          />
          <Area
            label={t("play.tool.parameters")}
            rows={5}
            mono
            value={tool.parameters}
            onChange={(parameters) => change(tool.id, { parameters })}
            error={tool.parameters.trim() && pretty(tool.parameters) === undefined ? t("play.json.bad") : undefined}
          />
        </div>
      ))}
      {s.tools.length > 0 && (
        <SelectField
          label={t("play.tool.choice")}
          value={s.toolChoice}
          onChange={(e) => set({ toolChoice: e.target.value as Settings["toolChoice"] })}
        >
          <option value="auto">{t("play.tool.choice.auto")}</option>
          <option value="required">{t("play.tool.choice.required")}</option>
          <option value="none">{t("play.tool.choice.none")}</option>
        </SelectField>
      )}
    </section>
  );
}
