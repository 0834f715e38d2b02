// The playground: answers that stream and are stopped, models side by side, tools, files, JSON, pictures, films, vectors, sound.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { go, look, must, settled } from "./browser.mjs";
import { begin, run } from "./steps.mjs";

// What the models refuse on purpose; browsers write each to the console. The fakes' films and speech are no real ones.
const day = await begin({
  expected: [
    "402 (Payment Required)",
    "429 (Too Many Requests)",
    "502 (Bad Gateway)",
    "503 (Service Unavailable)",
    "ERR_INCOMPLETE_CHUNKED_ENCODING",
    "500 (Internal",
  ],
});
const { page, api } = day;
const button = (name, exact = true) => page.getByRole("button", { name, exact });
const message = () => page.getByRole("textbox", { name: "Message" });
const cost = () => page.getByRole("term").filter({ hasText: "Credits" });
const answers = () => page.getByRole("article");

for (const [name, base] of [
  ["talker", process.env.TALKER],
  ["media", process.env.MEDIA],
])
  await api("POST", "/api/admin/providers", { kind: "openai", name, base_url: base, credential: process.env.PROVIDER_KEY });
const tokens = { input: "2", output: "8" };
for (const [provider, model, type, price] of [
  ["talker", "gpt-fake", "chatCompletion", tokens],
  ["talker", "gpt-fake-mini", "chatCompletion", { input: "0.2", output: "0.8" }],
  ["talker", "gpt-thinks", "chatCompletion", tokens],
  ["talker", "gpt-long", "chatCompletion", tokens],
  ["talker", "gpt-breaks", "chatCompletion", tokens],
  ["talker", "gpt-busy", "chatCompletion", tokens],
  ["talker", "gpt-down", "chatCompletion", tokens],
  ["talker", "gpt-fake-dear", "chatCompletion", { input: "900000000", output: "900000000" }],
  ["talker", "text-embedding-fake", "embedding", { input: "0.1" }],
  ["talker", "tts-fake", "audioGeneration", { characters: "15" }],
  ["talker", "whisper-fake", "audioGeneration", { seconds: "100" }],
  ["media", "gpt-image-1", "imageGeneration", { input: "5", output: "40" }],
  ["media", "sora-2", "video", { seconds: "100000" }],
])
  await api("PUT", "/api/admin/rates", { provider, model, type, usd_per_million: price, reason: "test" });
await page.waitForTimeout(2500); // a change works within two seconds

async function choose(label, model) {
  await page
    .getByRole("combobox", { name: new RegExp(`^${label}`) })
    .first()
    .click();
  await page.getByRole("combobox", { name: "Search models" }).or(page.getByPlaceholder("Search models")).first().fill(model);
  await page.getByRole("option", { name: model, exact: true }).click();
}
async function say(text) {
  await message().fill(text);
  await button("Send").click();
}
/** done waits until n answers stand and none runs. */
async function done(n = 1) {
  await page.waitForFunction((n) => document.querySelectorAll("article").length >= n, n);
  await button("Send").waitFor();
}
const newest = async () => (await api("GET", "/api/user/model-calls?pageSize=20")).data;

await run(day, [
  [
    "an answer streams as Markdown, with its thoughts, its figures and its price",
    async () => {
      await go(page, "/playground?model=talker%2Fgpt-thinks");
      await page.getByText("Ask something").waitFor();
      await look(page, "play-empty");
      await say("What makes the tides?");
      await done();
      const answer = answers().first();
      await answer.getByRole("heading", { name: "Tides" }).waitFor();
      must((await answer.locator("table td").first().innerText()) === "Brest", "no table");
      must((await answer.locator("img").count()) === 0, "a picture from elsewhere is in the page");
      must((await answer.innerText()).includes('<img src="https://tides.example/x.png"'), "HTML is not shown as text");
      await answer.locator("summary", { hasText: "Reasoning" }).click();
      await answer.getByText("They follow the moon").waitFor();
      await answer.getByText("Credits", { exact: true }).waitFor();
      await answer.getByText("First token").waitFor();
      await look(page, "play-chat");
      const [call] = await newest();
      must(call.status === "success" && call.stream, `the call is ${JSON.stringify(call)}`);
    },
  ],
  [
    "stop ends the call at the hub and at the provider, and what came stays",
    async () => {
      await choose("Model", "talker/gpt-fake");
      await say("please stall");
      await page.getByText("Hello from", { exact: false }).first().waitFor();
      await button("Stop").last().click();
      await page.getByText("Stopped", { exact: true }).waitFor();
      await answers().last().getByText("Hello", { exact: false }).waitFor();
      for (let i = 0; ; i++) {
        const [call] = await newest();
        if (call.status === "aborted") break;
        must(i < 40, `the stopped call is ${call.status}`);
        await page.waitForTimeout(250);
      }
    },
  ],
  [
    "a conversation outlives a reload, and a draft too",
    async () => {
      await message().fill("not sent yet");
      await page.waitForTimeout(900);
      await page.reload();
      await settled(page);
      await answers().first().getByRole("heading", { name: "Tides" }).waitFor();
      must((await message().inputValue()) === "not sent yet", "the draft is gone");
      await page.getByText("Stopped", { exact: true }).waitFor();
    },
  ],
  [
    "something said before is said anew, and the old conversation is still there",
    async () => {
      await message().fill("");
      await button("Edit message").first().click();
      await page.getByText("This goes on in a new conversation").waitFor();
      await page.getByRole("textbox", { name: "Edit message" }).fill("Say it again");
      await button("Send").first().click();
      await done();
      await answers().getByText("Hello from gpt-fake: Say it again").waitFor();
      await button("Conversations").click();
      await page.getByRole("button", { name: /^What makes the tides/ }).waitFor();
      await look(page, "play-history");
      await page.getByRole("button", { name: "Delete Say it again" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await page.getByRole("alertdialog").waitFor({ state: "hidden" });
      await page.getByRole("button", { name: /^What makes the tides/ }).click();
      await answers().first().getByRole("heading", { name: "Tides" }).waitFor();
    },
  ],
  [
    "models are compared side by side, each with its own fault",
    async () => {
      await button("New").click();
      for (let i = 0; i < 3; i++) await button("Compare").click();
      for (const [i, model] of ["gpt-thinks", "gpt-fake-mini", "gpt-breaks", "gpt-busy"].entries())
        await choose(`Model ${i + 1}`, `talker/${model}`);
      await say("Compare yourselves");
      await done(4);
      await answers().nth(1).getByText("Hello from gpt-fake-mini").waitFor();
      await answers().nth(2).getByText("The provider failed in the middle of the answer").waitFor();
      await answers().nth(2).getByText("This answer", { exact: false }).waitFor();
      await answers().nth(3).getByText("Try again in 17 sec").waitFor();
      await answers().nth(1).getByText("Credits", { exact: true }).waitFor();
      await look(page, "play-compare");
    },
  ],
  [
    "a provider that is down is said so, and nothing typed is lost",
    async () => {
      await button("New").click();
      for (let i = 0; i < 3; i++)
        await page
          .getByRole("button", { name: /^Remove talker/ })
          .last()
          .click();
      await choose("Model", "talker/gpt-down");
      await say("Anybody there?");
      await done();
      await page.getByText("The model does not answer at the moment").waitFor();
      await page.getByText("Anybody there?").waitFor();
      await choose("Model", "talker/gpt-fake-dear");
      await button("Try again").click();
      await page.getByText("Not enough credits").first().waitFor();
      await page.getByRole("link", { name: "Go to credits" }).waitFor();
      await look(page, "play-broke");
      await choose("Model", "talker/gpt-fake");
      await button("Try again").click();
      await answers().getByText("Hello from gpt-fake: Anybody there?").waitFor();
    },
  ],
  [
    "a tool is called, the person types its result, and the model goes on",
    async () => {
      await button("New").click();
      await button("Add tool").click();
      await page.getByRole("textbox", { name: "Function name" }).fill("get_weather");
      await page.getByRole("textbox", { name: "Temperature" }).fill("0.5");
      await say("use tool get_weather");
      await done();
      await page.getByRole("textbox", { name: "Result of get_weather" }).fill("12 degrees, rain");
      await look(page, "play-tool");
      await button("Send results").click();
      await page.getByText("Hello from gpt-fake", { exact: false }).waitFor();
      await button("View code").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByText("get_weather", { exact: false }).first().waitFor();
      for (const program of ["OpenAI Python", "Anthropic", "Gemini", "Vercel AI"]) {
        await dialog.getByRole("tab", { name: program }).click();
        await dialog.getByText("0.5", { exact: false }).first().waitFor();
      }
      await look(page, "play-code");
      await page.keyboard.press("Escape");
    },
  ],
  [
    "a setting that is no good is named, and the message stays",
    async () => {
      await page.getByRole("textbox", { name: "Temperature" }).fill("warm");
      await say("Hello");
      await page.getByText("Temperature must be a number. Nothing was sent.").waitFor();
      await look(page, "play-unfit");
      must((await message().inputValue()) === "Hello", "the message is gone");
      await button("Reset all").click();
      await message().fill("");
    },
  ],
  [
    "a picture is attached and what is too strange is refused; an answer comes as JSON by a schema",
    async () => {
      await button("New").click();
      const dot = Buffer.from(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        "base64",
      );
      await page.locator('input[type="file"]').setInputFiles([
        { name: "dot.png", mimeType: "image/png", buffer: dot },
        { name: "tool.exe", mimeType: "application/x-msdownload", buffer: dot },
      ]);
      await page.getByText("tool.exe: only images").waitFor();
      await page.getByRole("combobox", { name: "Answer as" }).selectOption("json_schema");
      await say("Describe it");
      await done();
      await page.getByText("Valid JSON", { exact: true }).waitFor();
      await page.getByRole("img", { name: "dot.png" }).waitFor();
      await look(page, "play-json");
    },
  ],
  [
    "a long answer does not make the page stutter",
    async () => {
      await go(page, "/playground?model=talker%2Fgpt-long");
      await page.evaluate(() => {
        window.tasks = [];
        new PerformanceObserver((list) => window.tasks.push(...list.getEntries().map((e) => Math.round(e.duration)))).observe({
          type: "longtask",
        });
      });
      await say("Say a lot");
      await done();
      await page.waitForTimeout(200);
      const tasks = await page.evaluate(() => window.tasks);
      console.log(
        `tasks over 50 ms of an answer of ${(await answers().first().innerText()).length} characters: ${tasks.join(", ")} ms`,
      );
      must(Math.max(0, ...tasks) < 3000, `the page stood for ${Math.max(...tasks)} ms`); // the tests' machine may be slow
    },
  ],
  [
    "pictures are made",
    async () => {
      await go(page, "/playground?tab=image");
      await page.getByRole("textbox", { name: "Prompt" }).fill("A lighthouse in a storm");
      await page.getByRole("combobox", { name: "Images" }).selectOption("2");
      await button("Generate").click();
      await page.getByRole("img", { name: "A lighthouse in a storm" }).nth(1).waitFor();
      must(
        await page
          .getByRole("img", { name: "A lighthouse in a storm" })
          .first()
          .evaluate((i) => i.naturalWidth > 0),
        "the picture is not shown",
      );
      await cost().waitFor();
      await look(page, "play-image");
    },
  ],
  [
    "a film is begun, comes along and is there",
    async () => {
      await go(page, "/playground?tab=video");
      await page.getByRole("textbox", { name: "Prompt" }).fill("Waves at night");
      await button("Generate").click();
      await page
        .getByText(/In the making|Queued/)
        .first()
        .waitFor();
      await page.getByText("Ready", { exact: true }).waitFor({ timeout: 40_000 });
      await page.locator("video").waitFor();
      const film = page.getByRole("listitem").filter({ has: page.locator("video") });
      await film.getByText("Waves at night").waitFor();
      await film.getByText("Credits").waitFor();
      await button("View code").click();
      await page.getByRole("dialog").getByText("/v1/videos", { exact: false }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
      await look(page, "play-video");
    },
  ],
  [
    "texts become vectors that are compared",
    async () => {
      await go(page, "/playground?tab=embedding");
      await page.getByRole("textbox", { name: "Text 1" }).fill("The sea at low tide");
      await page.getByRole("textbox", { name: "Text 2" }).fill("Ebb on the coast");
      await button("Add text").click();
      await page.getByRole("textbox", { name: "Text 3" }).fill("A tax return");
      await button("Embed").click();
      await page.getByRole("region", { name: "Cosine similarity" }).getByText("1.000").first().waitFor();
      await page.getByText("8 numbers").first().waitFor();
      await look(page, "play-embedding");
    },
  ],
  [
    "a text is spoken, and a recording written down, each by the models that can",
    async () => {
      await go(page, "/playground?tab=speech");
      await page.getByRole("textbox", { name: "Text", exact: true }).fill("High water at noon.");
      await button("Speak").click();
      await page.locator("audio").waitFor();
      const folder = mkdtempSync(join(tmpdir(), "play-"));
      writeFileSync(join(folder, "note.wav"), Buffer.alloc(32_000, 1));
      await page.getByLabel("Recording", { exact: true }).setInputFiles(join(folder, "note.wav"));
      await button("Transcribe").click();
      await cost().nth(1).waitFor();
      await look(page, "play-speech");
    },
  ],
  [
    "all conversations are deleted, from this browser too",
    async () => {
      await go(page, "/playground");
      await button("Conversations").click();
      await button("Delete all conversations").click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Remove" }).click();
      await page.getByText("No conversations yet").waitFor();
      const kept = await page.evaluate(
        () =>
          new Promise((resolve) => {
            const open = indexedDB.open("aigne-hub.playground");
            open.onsuccess = () => {
              const count = open.result.transaction("talks").objectStore("talks").count();
              count.onsuccess = () => resolve(count.result);
            };
          }),
      );
      must(kept === 0, `${kept} conversations are left`);
    },
  ],
]);
