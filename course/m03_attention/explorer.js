// The front end of the attention explorer. All heads of a sentence are here; only another
// sentence needs the kernel.

const VIEW = "application/vnd.jupyter.widget-view+json";
const SVG = "http://www.w3.org/2000/svg";
const ROW = 28; // pixels a token takes in the lines view
const SPAN = 190; // width of the lines
const FAINT = 0.02; // weights below this draw no line
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

function line(attributes) {
  const node = document.createElementNS(SVG, "line");
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

const options = (select, texts) =>
  select.replaceChildren(...texts.map((text, value) => element("option", { value: `${value}` }, text)));

const shown = (weight) => weight.toFixed(2);

// In the saved file the figure stands in the widget's place: a widget's model ends with its
// kernel, and a reopened notebook would show an error.
function keepFigure(node) {
  try {
    for (const panel of window.jupyterapp.shell.widgets("main")) {
      if (!panel.node.contains(node)) continue;
      const cell = panel.content.widgets.find((cell) => cell.node.contains(node));
      for (let index = 0; index < cell.model.outputs.length; index++) {
        const output = cell.model.outputs.get(index);
        const data = { ...output.data };
        if (!(VIEW in data && "text/html" in data)) continue;
        delete data[VIEW];
        const plain = { ...output.toJSON(), data };
        cell.model.sharedModel.updateOutputs(index, index + 1, [plain], "silent-change");
      }
    }
  } catch {
    // Another front end: it keeps what it likes.
  }
}

async function placed(node) {
  for (let tries = 0; tries < 40 && !node.isConnected; tries++) {
    await new Promise((done) => setTimeout(done, 50));
  }
  keepFigure(node);
}

function render({ model, el }) {
  const state = { layer: 0, head: 0, query: 0, key: 0, view: "lines" };
  const input = element("input", { type: "text", autocomplete: "off", spellcheck: "false" });
  const button = element("button", { type: "submit" }, "Show");
  const form = element("form", {}, element("label", {}, "Sentence ", input), button);
  const layer = element("select");
  const head = element("select");
  const group = `view-${Math.random().toString(36).slice(2)}`;
  const radios = ["lines", "heat map"].map((value) => element("input", { type: "radio", name: group, value }));
  const views = element(
    "fieldset",
    { class: "views" },
    element("legend", {}, "View"),
    ...radios.map((radio) => element("label", {}, radio, radio.value)),
  );
  const picture = element("div", { class: "picture" });
  const status = element("p", { class: "status", role: "status", "aria-live": "polite" });
  const help = element("p", { class: "help" });
  const remark = element("p", { class: "remark", role: "alert" });
  const root = element(
    "section",
    { class: "attention-explorer", role: "group", "aria-label": "Attention explorer" },
    form,
    remark,
    element("div", { class: "choices" }, element("label", {}, "Layer ", layer), element("label", {}, "Head ", head), views),
    picture,
    status,
    help,
  );
  // JupyterLab's shortcuts (arrows, letters) stay off while the explorer has the focus.
  root.setAttribute("data-lm-suppress-shortcuts", "true");
  for (const name of ["keydown", "contextmenu"]) {
    root.addEventListener(name, (event) => event.stopPropagation());
  }
  el.replaceChildren(root);

  let numbers = new Float32Array();
  const tokens = () => model.get("tokens");
  function load() {
    const view = model.get("weights");
    const bytes = view.buffer ? view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength) : view;
    numbers = new Float32Array(bytes);
  }
  function weight(query, key) {
    const [, heads, length] = model.get("shape");
    return numbers[((state.layer * heads + state.head) * length + query) * length + key];
  }
  const row = (query) => tokens().map((_, key) => weight(query, key));

  function tell() {
    const words = tokens();
    const best = row(state.query)
      .map((value, key) => [value, key])
      .filter(([value]) => value >= 0.01)
      .sort((one, other) => other[0] - one[0])
      .slice(0, 3)
      .map(([value, key]) => `${words[key]} (place ${key + 1}) ${shown(value)}`);
    const place = (index) => `${words[index]} (place ${index + 1})`;
    const most = `attends most to ${best.join(", ")}.`;
    const cell = `${place(state.query)} to ${place(state.key)}: ${shown(weight(state.query, state.key))}. It ${most}`;
    const text = state.view === "lines" ? `${place(state.query)} ${most}` : cell;
    if (status.textContent !== text) status.textContent = text;
  }

  // One stop of the Tab key; the arrow keys move inside.
  function roam(nodes, current, step) {
    nodes.forEach((node, index) => {
      node.tabIndex = index === current() ? 0 : -1;
      node.addEventListener("keydown", (event) => {
        const to = step(event.key, index);
        if (to === undefined) return;
        event.preventDefault();
        if (nodes[to]) choose(to, true);
      });
      node.addEventListener("click", () => choose(index, true));
      node.addEventListener("pointerenter", () => choose(index, false));
    });
    function choose(index, focus) {
      if (state.view === "lines") state.query = index;
      else [state.query, state.key] = [Math.floor(index / tokens().length), index % tokens().length];
      nodes.forEach((node, other) => (node.tabIndex = other === index ? 0 : -1));
      if (focus) nodes[index].focus();
      mark();
    }
  }

  let mark = () => {};
  function lines() {
    const words = tokens();
    const svg = document.createElementNS(SVG, "svg");
    const height = ROW * words.length;
    for (const [key, value] of Object.entries({ width: SPAN, height, viewBox: `0 0 ${SPAN} ${height}`, "aria-hidden": "true" })) {
      svg.setAttribute(key, value);
    }
    const y = (place) => ROW * (place + 0.5);
    const all = words.flatMap((_, query) =>
      row(query).flatMap((value, key) => {
        if (value < FAINT) return [];
        const node = line({ x1: 2, y1: y(query), x2: SPAN - 2, y2: y(key), "stroke-width": 0.75 + 3.5 * value });
        svg.append(node);
        return [[node, query, value]];
      }),
    );
    const queries = words.map((word) => element("button", { type: "button", class: "token" }, word));
    const keys = words.map((word) => element("li", {}, element("span", { class: "fill" }), element("span", { class: "word" }, word), element("span", { class: "number" })));
    mark = () => {
      for (const [node, query, value] of all) {
        const chosen = query === state.query;
        node.classList.toggle("chosen", chosen);
        node.style.opacity = chosen ? 0.5 + 0.5 * value : 0.1 + 0.3 * value;
        if (chosen) svg.append(node); // on top
      }
      queries.forEach((node, query) => node.setAttribute("aria-pressed", `${query === state.query}`));
      row(state.query).forEach((value, key) => {
        const [fill, , number] = keys[key].children;
        fill.style.width = `${100 * value}%`;
        number.textContent = value >= 0.01 ? shown(value) : "";
      });
      tell();
    };
    roam(queries, () => state.query, (key, index) => ({ ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: words.length - 1 })[key]);
    const left = element("div", { class: "queries", role: "group", "aria-label": "Words that attend" }, ...queries);
    const right = element("ul", { class: "keys", "aria-label": "Words attended to, with weights" }, ...keys);
    help.textContent = "Point at a word on the left, or move between words with the arrow keys.";
    return element("div", { class: "lines" }, left, svg, right);
  }

  function map() {
    const words = tokens();
    const cells = [];
    const top = element("tr", {}, element("td", {}), ...words.map((word) => element("th", { scope: "col" }, element("span", {}, word))));
    const rows = words.map((word, query) => {
      const inside = row(query).map((value, key) => {
        const fill = element("span", { class: "fill" });
        fill.style.opacity = value;
        const label = `${word} to ${words[key]}: ${shown(value)}`;
        const cell = element("td", { role: "gridcell", "aria-label": label, title: label }, fill);
        cells.push(cell);
        return cell;
      });
      return element("tr", {}, element("th", { scope: "row" }, word), ...inside);
    });
    mark = () => {
      cells.forEach((cell, index) => cell.classList.toggle("chosen", index === state.query * words.length + state.key));
      rows.forEach((node, query) => node.classList.toggle("chosen", query === state.query));
      tell();
    };
    const size = words.length;
    roam(cells, () => state.query * size + state.key, (key, index) => {
      const column = index % size;
      const to = { ArrowDown: index + size, ArrowUp: index - size, Home: index - column, End: index - column + size - 1 };
      if (key === "ArrowRight") return column + 1 < size ? index + 1 : index;
      if (key === "ArrowLeft") return column ? index - 1 : index;
      return to[key];
    });
    help.textContent = "Rows attend to columns. Point at a cell, or move between cells with the arrow keys.";
    return element("table", { role: "grid", "aria-label": "Attention weights" }, element("thead", {}, top), element("tbody", {}, ...rows));
  }

  function draw() {
    const [layers, heads, length] = model.get("shape");
    state.layer = Math.min(state.layer, layers - 1);
    state.head = Math.min(state.head, heads - 1);
    state.query = Math.min(state.query, length - 1);
    const weights = row(state.query);
    state.key = weights.indexOf(Math.max(...weights));
    const names = model.get("names")[state.layer] ?? [];
    options(layer, Array.from({ length: layers }, (_, number) => `${number + 1}`));
    options(head, Array.from({ length: heads }, (_, number) => `${number + 1}${names[number] ? `: ${names[number]}` : ""}`));
    layer.value = `${state.layer}`;
    head.value = `${state.head}`;
    for (const radio of radios) radio.checked = radio.value === state.view;
    picture.replaceChildren(state.view === "lines" ? lines() : map());
    mark();
  }

  layer.addEventListener("change", () => ((state.layer = Number(layer.value)), draw()));
  head.addEventListener("change", () => ((state.head = Number(head.value)), draw()));
  for (const radio of radios) radio.addEventListener("change", () => ((state.view = radio.value), draw()));

  let late = null;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (input.value === model.get("sentence")) return replied();
    remark.textContent = "";
    clearTimeout(late);
    late = setTimeout(() => (remark.textContent = "No answer yet: the kernel is busy or gone. Run the cell again."), LATE);
    try {
      model.send({ sentence: input.value });
    } catch {
      clearTimeout(late);
      remark.textContent = "The kernel was restarted. Run the cell again.";
    }
  });
  function replied() {
    clearTimeout(late);
    remark.textContent = model.get("remark");
    if (model.get("remark")) return;
    load();
    state.query = model.get("shape")[2] - 1; // the last word, which has the most to look at
    draw();
  }
  model.on("change:replies", replied);
  input.value = model.get("sentence");
  replied();
  placed(root);
  return () => {
    clearTimeout(late);
    model.off("change:replies", replied);
  };
}

export default { render };
