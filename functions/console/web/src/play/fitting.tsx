import type { UseQueryResult } from "@tanstack/react-query";
import { Boxes } from "lucide-react";
import type { ReactNode } from "react";
import { useI18n } from "../lib/i18n";
import { Empty, Loaded, Rows } from "../ui/states";
import { ModelPicker } from "./model-picker";
import type { Model } from "./models";

interface Props {
  models: UseQueryResult<Model[]>;
  /** fits leaves models out that cannot do the work. */
  fits?: (model: Model) => boolean;
  value: string;
  onChange: (model: string) => void;
  children: (model: string, picker: ReactNode) => ReactNode;
}

/** Fitting offers the models that can do a tab's work, and says so where there are none. */
export function Fitting({ models, fits, value, onChange, children }: Props) {
  const { t } = useI18n();
  return (
    <Loaded query={models} loading={<Rows />}>
      {(all) => {
        const list = fits ? all.filter(fits) : all;
        if (list.length === 0)
          return (
            <div className="card">
              <Empty icon={<Boxes aria-hidden className="size-5" />} title={t("play.fitting.none")}>
                {t("models.none.hint")}
              </Empty>
            </div>
          );
        const model = value || (list.find((m) => !m.down) ?? list[0])?.name || "";
        return children(
          model,
          <div>
            <p className="mb-1 text-sm font-medium">{t("call.model")}</p>
            <ModelPicker label={t("call.model")} models={list} value={model} onChange={onChange} />
          </div>,
        );
      }}
    </Loaded>
  );
}

interface OrderProps {
  picker: ReactNode;
  start: () => void;
  children: ReactNode;
  /** plain: it stands in a card already. */
  plain?: boolean;
}

/** Order is the form of a tab: the model, and what is asked of it. */
export function Order({ picker, start, children, plain }: OrderProps) {
  return (
    <form
      className={`flex flex-col gap-4 ${plain ? "" : "card p-4"}`}
      onSubmit={(e) => {
        e.preventDefault();
        start();
      }}
    >
      {picker}
      {children}
    </form>
  );
}
