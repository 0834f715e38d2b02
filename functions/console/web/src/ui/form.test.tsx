import { cleanup, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, expect, it, vi } from "vitest";
import { ApiError } from "../api/client";
import { I18nProvider } from "../lib/i18n";
import { Confirm } from "./dialog";
import { Form, TextField } from "./form";

afterEach(cleanup);

function show(save: (value: (name: string) => string) => Promise<unknown>) {
  render(
    <I18nProvider>
      <Form submit="Send" save={save}>
        {(fault) => <TextField name="email" label="E-mail" error={fault("email")} />}
      </Form>
    </I18nProvider>,
  );
}

it("keeps what was typed when saving fails, and says what is wrong at its field", async () => {
  const save = vi
    .fn()
    .mockRejectedValueOnce(new ApiError(400, "invalid_request", "No such address.", "email"))
    .mockResolvedValueOnce(undefined);
  show(save);
  const field = await screen.findByLabelText<HTMLInputElement>("E-mail");
  await userEvent.type(field, "me@example.com");
  await userEvent.click(screen.getByRole("button", { name: "Send" }));
  await screen.findByText("No such address.");
  expect(field.value).toBe("me@example.com");
  expect(field.getAttribute("aria-invalid")).toBe("true");
  expect(document.getElementById(field.getAttribute("aria-describedby") ?? "")?.textContent).toBe("No such address.");
  await userEvent.click(screen.getByRole("button", { name: "Send" }));
  expect(save).toHaveBeenCalledTimes(2);
  expect(screen.queryByText("No such address.")).toBeNull();
});

it("says a fault that no field of it is about, once", async () => {
  show(vi.fn().mockRejectedValue(new ApiError(409, "conflict", "Somebody was faster.", "version")));
  await userEvent.click(await screen.findByRole("button", { name: "Send" }));
  expect((await screen.findByRole("alert")).textContent).toBe("Somebody was faster.");
});

it("cannot be sent twice at once", async () => {
  let end = () => {};
  const save = vi.fn(() => new Promise<void>((done) => (end = done)));
  show(save);
  const button = await screen.findByRole<HTMLButtonElement>("button", { name: "Send" });
  await userEvent.click(button);
  expect(button.disabled).toBe(true);
  await userEvent.click(button);
  end();
  expect(save).toHaveBeenCalledTimes(1);
});

it("stays open and says why when what was confirmed fails", async () => {
  const act = vi
    .fn()
    .mockRejectedValueOnce(new ApiError(0, "unreachable", ""))
    .mockResolvedValueOnce(undefined);
  const close = vi.fn();
  render(
    <I18nProvider>
      <Confirm open onClose={close} title="Revoke it?" consequences="Programs are refused." action="Revoke" act={act} />
    </I18nProvider>,
  );
  await screen.findByText("Programs are refused.");
  await userEvent.click(screen.getByRole("button", { name: "Revoke" }));
  await screen.findByText(/cannot be reached/);
  expect(close).not.toHaveBeenCalled();
  await userEvent.click(screen.getByRole("button", { name: "Revoke" }));
  await vi.waitFor(() => expect(close).toHaveBeenCalledOnce());
});
