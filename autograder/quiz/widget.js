// The front end of one quiz question. The kernel validates and saves each answer; this file
// shows the question, sends what the learner does, and saves the notebook once the answer's
// record is in it.

const MIME = "application/vnd.course.answer+json";
const VIEW = "application/vnd.jupyter.widget-view+json";
const LATE = 5000;

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in node && typeof value !== "string") node[key] = value;
    else node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

// One line of Markdown: `code` and *emphasis*. Texts never become HTML.
function inline(text) {
  const node = element("span");
  text.split(/(`[^`]+`|\*[^*\s][^*]*\*)/).forEach((part, position) => {
    if (position % 2 === 0) node.append(part);
    else node.append(element(part[0] === "`" ? "code" : "em", {}, part.slice(1, -1)));
  });
  return node;
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);

function choices(model, send, type) {
  const item = model.get("item");
  const name = `${item}-${Math.random().toString(36).slice(2)}`;
  const inputs = model.get("options").map(([key, text]) => {
    const input = element("input", { type, name, value: key });
    input.addEventListener("change", () => {
      const chosen = inputs.filter(([box]) => box.checked).map(([box]) => box.value);
      send(type === "radio" ? chosen[0] : chosen);
    });
    return [input, element("label", {}, input, element("b", {}, key), inline(text))];
  });
  const show = (answer) => {
    const chosen = Array.isArray(answer) ? answer : [answer];
    for (const [input] of inputs) input.checked = chosen.includes(input.value);
  };
  return { node: element("div", { class: "options" }, ...inputs.map(([, label]) => label)), show };
}

function written(model, send, placeholder) {
  const input = element("input", {
    type: "text",
    placeholder,
    autocomplete: "off",
    spellcheck: "false",
    "aria-label": `Answer to ${model.get("item")}`,
  });
  input.addEventListener("change", () => send(input.value.trim() || null));
  const node = element("div", { class: "written" }, element("label", {}, "Answer ", input));
  const show = (answer) => {
    if (document.activeElement === input && answer === null) return;
    input.value = answer === null ? "" : Array.isArray(answer) ? answer.join(", ") : `${answer}`;
  };
  return { node, show };
}

function ordered(model, send, note) {
  const list = element("ol", { class: "order" });
  const texts = new Map(model.get("options"));
  const keys = () => [...list.children].map((row) => row.dataset.key);
  let dragged = null;

  function move(row, to, focus) {
    const rows = [...list.children];
    const from = rows.indexOf(row);
    if (to < 0 || to >= rows.length || to === from) return;
    list.insertBefore(row, to > from ? rows[to].nextSibling : rows[to]);
    focus?.focus();
    note(`${row.dataset.key} is at place ${to + 1} of ${rows.length}. `);
    send(keys());
  }
  function button(row, step, sign, label) {
    const node = element("button", { type: "button", "aria-label": label, title: label }, sign);
    node.addEventListener("click", () => move(row, [...list.children].indexOf(row) + step, node));
    return node;
  }
  function rowOf(key) {
    const row = element("li", { tabindex: "0", draggable: true, "data-key": key });
    row.setAttribute("aria-label", `${key}: ${texts.get(key)}. Move with the up and down arrow keys.`);
    const buttons = element("span", { class: "moves" });
    buttons.append(button(row, -1, "▲", `Move ${key} up`), button(row, 1, "▼", `Move ${key} down`));
    row.append(element("b", {}, key), inline(texts.get(key)), buttons);
    row.addEventListener("keydown", (event) => {
      const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (!step || event.target !== row || list.classList.contains("still")) return;
      event.preventDefault();
      move(row, [...list.children].indexOf(row) + step, row);
    });
    row.addEventListener("dragstart", (event) => {
      dragged = row;
      row.classList.add("dragged");
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", key);
      event.stopPropagation();
    });
    row.addEventListener("dragend", () => {
      row.classList.remove("dragged");
      dragged = null;
    });
    row.addEventListener("dragover", (event) => dragged && event.preventDefault());
    row.addEventListener("drop", (event) => {
      if (!dragged) return;
      event.preventDefault();
      event.stopPropagation();
      move(dragged, [...list.children].indexOf(row));
    });
    return row;
  }
  const rows = new Map([...texts.keys()].map((key) => [key, rowOf(key)]));
  list.append(...rows.values());
  const show = (answer) => {
    if (answer && !same(answer, keys())) list.append(...answer.map((key) => rows.get(key)));
  };
  return { node: list, show };
}

function matched(model, send) {
  const right = model.get("right");
  const selects = new Map();
  const table = element("div", { class: "match" });
  for (const [key, text] of model.get("options")) {
    const select = element("select", { "aria-label": `Match for ${key}` });
    select.append(element("option", { value: "" }, "–"));
    for (const [number] of right) select.append(element("option", { value: number }, number));
    select.addEventListener("change", () => {
      const pairs = [...selects].filter(([, box]) => box.value).map(([left, box]) => [left, box.value]);
      send(Object.fromEntries(pairs));
    });
    selects.set(key, select);
    table.append(element("label", {}, select, element("b", {}, key), inline(text)));
  }
  const list = element("div", { class: "right" });
  for (const [number, text] of right) {
    list.append(element("div", {}, element("b", {}, number), inline(text)));
  }
  const show = (answer) => {
    for (const [key, select] of selects) select.value = (answer ?? {})[key] ?? "";
  };
  return { node: element("div", { class: "sides" }, table, list), show };
}

function control(model, send, note) {
  switch (model.get("kind")) {
    case "single":
      return choices(model, send, "radio");
    case "multiple":
      return choices(model, send, "checkbox");
    case "order":
      return ordered(model, send, note);
    case "match":
      return matched(model, send);
    case "shape":
      return written(model, send, "such as 2, 5, 64");
    default:
      return written(model, send, "such as 8.5");
  }
}

// The notebook around the widget, where the front end lets us reach it (JupyterLab).
function notebookOf(node) {
  const app = window.jupyterapp;
  try {
    for (const panel of app.shell.widgets("main")) {
      if (!panel.node.contains(node) || !panel.content?.widgets || !panel.context) continue;
      const cell = panel.content.widgets.find((cell) => cell.node.contains(node));
      if (cell?.model?.outputs) return { app, panel, cell };
    }
  } catch {
    // Another front end: it saves by itself.
  }
  return null;
}

const outputsOf = (cell) =>
  Array.from({ length: cell.model.outputs.length }, (_, index) => cell.model.outputs.get(index));

function holds(cell, record) {
  return outputsOf(cell).some((output) => {
    const found = output.data?.[MIME];
    return record.answer === null ? !found : found && same(found.answer, record.answer);
  });
}

// In the saved file the question's plain form stands in the widget's place: a widget's model ends
// with its kernel, and a reopened notebook would show an error instead of the question.
function keepPlain(cell) {
  outputsOf(cell).forEach((output, index) => {
    const data = { ...output.data };
    if (!(VIEW in data && "text/html" in data)) return;
    delete data[VIEW];
    const plain = { ...output.toJSON(), data };
    cell.model.sharedModel.updateOutputs(index, index + 1, [plain], "silent-change");
  });
}

const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

async function placed(node) {
  for (let tries = 0; tries < 40 && !node.isConnected; tries++) await wait(50);
  return notebookOf(node);
}

// Save the notebook once the record is in it; return what is left for the learner to do.
async function save(node, record) {
  const place = notebookOf(node);
  if (!place) return "Answer taken. Save the notebook before you close it.";
  const { app, panel, cell } = place;
  for (let tries = 0; !holds(cell, record); tries++) {
    if (tries === 40) return "Not in the notebook yet: run this cell again.";
    await wait(50);
  }
  keepPlain(cell);
  const saved = await inTurn(panel.context, () => saveOnce(app, panel));
  return saved ? "" : "The notebook could not be saved: save it yourself.";
}

// JupyterLab drops a save that is asked for during another one, and then takes what changed
// meanwhile for saved. So the questions of a notebook save one after the other.
const turns = (window.courseQuizTurns ??= new WeakMap()); // each question loads its own copy of this file

function inTurn(context, work) {
  const turn = (turns.get(context) ?? Promise.resolve()).then(work);
  turns.set(context, turn.catch(() => {}));
  return turn;
}

// Save the notebook as it is now; return whether it was written.
async function saveOnce(app, panel) {
  const context = panel.context;
  let state = "";
  const watch = (_, now) => {
    if (now === "started" || state === "started") state = now;
  };
  context.saveState.connect(watch);
  try {
    for (let tries = 0; state === "" && tries < 50; tries++) {
      if (tries) await wait(100); // the learner's own save is under way
      if (app.shell.currentWidget === panel) await app.commands.execute("docmanager:save");
      else await context.save();
    }
  } catch {
    // JupyterLab has shown why.
  } finally {
    context.saveState.disconnect(watch);
  }
  return state === "completed";
}

function render({ model, el }) {
  const item = model.get("item");
  const status = element("p", { class: "status", role: "status", "aria-live": "polite" });
  let late = null;
  let moved = "";
  let saving = Promise.resolve();
  let sent = 0; // the reply that the newest answer waits for

  const say = (text, kind = "") => {
    if (status.textContent !== text) status.textContent = text;
    status.className = `status ${kind}`;
  };
  const send = (answer) => {
    clearTimeout(late);
    late = setTimeout(() => say("Not saved yet: the kernel is busy. Wait a moment.", "wrong"), LATE);
    say(`${moved}Saving…`);
    sent = Math.max(sent, model.get("replies")) + 1;
    try {
      model.send({ answer });
    } catch {
      clearTimeout(late);
      say("Not saved: the kernel was restarted. Run all cells again, then answer.", "wrong");
    }
  };
  const { node, show } = control(model, send, (text) => {
    moved = text; // said with what follows, so that a screen reader reads both
  });
  const numbers = model.get("numbers");
  const form = element(
    "fieldset",
    { class: `quiz-question ${model.get("kind")}` },
    element("legend", {}, element("b", {}, item), ` ${model.get("ask")}`),
    ...(numbers ? [element("p", { class: "numbers" }, inline(numbers))] : []),
    node,
    status,
  );
  // JupyterLab's shortcuts (arrows, letters) stay off while the question has the focus.
  form.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const name of ["keydown", "contextmenu"]) {
    form.addEventListener(name, (event) => event.stopPropagation());
  }
  el.replaceChildren(form);

  const lock = () => {
    const locked = model.get("locked");
    for (const part of form.querySelectorAll("input, select, button")) part.disabled = locked;
    for (const row of form.querySelectorAll("li")) row.draggable = !locked;
    form.querySelector("ol")?.classList.toggle("still", locked);
    form.classList.toggle("locked", locked);
    if (locked) say(model.get("remark"));
  };
  const waits = () => model.get("replies") < sent; // a newer answer is on its way
  const newest = (record) => same(record, model.get("record")) && !waits();
  const finish = async (record) => {
    if (!newest(record)) return;
    const problem = await save(form, record).catch(() => "Save the notebook before you close it.");
    const text = problem || model.get("remark") || "Saved in the notebook.";
    if (!newest(record)) return;
    say(moved + text, text.startsWith("Saved") || model.get("locked") ? "" : "wrong");
    moved = "";
  };
  const replied = () => {
    if (waits()) return;
    clearTimeout(late);
    if (model.get("refused")) return say(model.get("remark"), "wrong");
    show(model.get("answer"));
    say(`${moved}Saving…`);
    const record = model.get("record");
    saving = saving.then(() => finish(record));
  };
  model.on("change:replies", replied);
  model.on("change:locked", lock);
  show(model.get("answer"));
  if (model.get("remark")) say(model.get("remark"), "wrong");
  else say(model.get("record") ? "Saved earlier." : "No answer yet.");
  lock();
  placed(form).then((place) => place && keepPlain(place.cell));
  return () => {
    clearTimeout(late);
    model.off("change:replies", replied);
    model.off("change:locked", lock);
  };
}

export default { render };
