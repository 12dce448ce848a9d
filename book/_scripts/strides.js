/* The stride explorer: each number of a gate and of an output, and the memory address it lies at.
 * Shapes and strides are torch's own, embedded in the page; here they are only multiplied and added.
 */
"use strict";

const AXES = ["b", "c", "h", "w"];
const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };

/* Return an element with its attributes and what it holds: text or other elements. */
function make(tag, attributes = {}, ...held) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...held);
  return made;
}

/* The index that broadcasting reads: along an axis of size 1 it stays on the one element. */
const within = (index, shape) => index.map((one, axis) => (shape[axis] === 1 ? 0 : one));

const address = (index, stride) => index.reduce((sum, one, axis) => sum + one * stride[axis], 0);

/* All indices of a shape, in the order in which a reader would write them down. */
function indices(shape) {
  return shape.reduce(
    (begun, size) => begun.flatMap((one) => Array.from({ length: size }, (_, i) => [...one, i])),
    [[]],
  );
}

/* A question with a few answers to choose from. */
function choice(name, answers, chosen) {
  const options = answers.map((one) => make("option", { value: one }, String(one)));
  const select = make("select", { name }, ...options);
  select.value = chosen;
  return make("label", {}, `${name} `, select);
}

/* A tensor drawn as a grid: a row a line of pixels, a cell an element, in it its address. */
function grid(name, { shape, stride }, look) {
  const rows = indices(shape.slice(0, 3)).map((line) => {
    const cells = indices(shape.slice(3)).map(([w]) => {
      const index = [...line, w];
      const at = address(index, stride);
      const cell = make("td", { role: "gridcell", tabindex: -1, "data-index": index, "data-at": at });
      cell.setAttribute("aria-label", `${name}[${index.join(", ")}], address ${at}`);
      cell.append(String(at));
      return cell;
    });
    const head = line[2] === 0 ? make("th", { scope: "row" }, `b${line[0]} c${line[1]}`) : make("td");
    return make("tr", {}, head, ...cells);
  });
  const table = make("table", { role: "grid", "aria-label": name }, make("tbody", {}, ...rows));
  table.addEventListener("mouseover", (event) => {
    if (event.target.matches("[data-index]")) look(event.target);
  });
  table.addEventListener("focusin", (event) => {
    table.querySelector('[tabindex="0"]').tabIndex = -1;
    event.target.tabIndex = 0;
    look(event.target);
  });
  table.addEventListener("keydown", (event) => walk(table, event));
  table.querySelector("[data-index]").tabIndex = 0;
  return table;
}

/* Where a key leads from a cell: rows down and columns to the right; null for any other key. */
function step(key, column, width) {
  const ends = { Home: [0, -column], End: [0, width - 1 - column] };
  return STEPS[key] ?? ends[key] ?? null;
}

/* Move the focus by an arrow key, or to an end of the line. */
function walk(table, event) {
  const lines = [...table.rows].map((row) => [...row.querySelectorAll("[data-index]")]);
  const row = lines.findIndex((cells) => cells.includes(event.target));
  const column = lines[row].indexOf(event.target);
  const found = step(event.key, column, lines[row].length);
  if (found === null) return;
  event.preventDefault();
  lines[row + found[0]]?.[column + found[1]]?.focus();
}

/* The address of one element, stride by stride, as a table that adds up. */
function sum(name, index, stride) {
  const cells = (numbers) => numbers.map((one) => make("td", {}, String(one)));
  const line = (title, numbers, end) =>
    make("tr", {}, make("th", { scope: "row" }, title), ...cells(numbers), make("td", {}, end));
  const heads = [...AXES, "address"].map((one) => make("th", { scope: "col" }, one));
  const steps = index.map((one, axis) => one * stride[axis]);
  const lines = [
    line("index", index, ""),
    line("× stride", stride, ""),
    line("= steps", steps, `sum: ${address(index, stride)}`),
  ];
  return make(
    "table",
    { class: "sum" },
    make("caption", {}, name),
    make("thead", {}, make("tr", {}, make("td"), ...heads)),
    make("tbody", {}, ...lines),
  );
}

/* The choices, as a form. */
function choices(data) {
  const sizes = AXES.map((axis, i) => choice(axis.toUpperCase(), data.sizes[i], data.start[i]));
  const format = choice("memory format", data.formats, data.formats[0]);
  const variant = choice("variant", data.variants, data.variants[0]);
  return make("form", { "aria-label": "what the line is given" }, ...sizes, format, variant);
}

/* The name of the chosen case in the data. */
function chosen(form) {
  const value = (name) => form.elements[name].value;
  const shape = AXES.map((axis) => value(axis.toUpperCase())).join(",");
  return `${shape}/${value("memory format")}/${value("variant")}`;
}

/* Show one element of the output, the gate's that it reads, and all that read the same. */
function show(root, { gate, output }, index) {
  const read = within(index, gate.shape);
  const from = address(read, gate.stride);
  const reads = (one) => address(within(one, gate.shape), gate.stride) === from;
  const all = indices(output.shape);
  const [here, there] = [index.join(", "), read.join(", ")];
  root.querySelector(".sums").replaceChildren(
    sum(`gate[${there}]`, read, gate.stride),
    sum(`output[${here}]`, index, output.stride),
  );
  root.querySelector("[role=status]").textContent =
    `output[${here}] is written to address ${address(index, output.stride)} and reads the gate ` +
    `at address ${from}, as ${all.filter(reads).length} of ${all.length} elements do.`;
  for (const cell of root.querySelectorAll("[data-index]")) {
    const one = cell.dataset.index.split(",").map(Number);
    const own = cell.closest("[role=grid]").getAttribute("aria-label") === "gate" ? read : index;
    cell.classList.toggle("here", one.join() === own.join());
    cell.classList.toggle("alike", reads(one));
  }
}

/* The form, the two grids and the sums; the grids anew whenever another case is chosen. */
function explore(root) {
  const data = JSON.parse(root.querySelector("script").textContent);
  const form = choices(data);
  const grids = make("div", { class: "grids" });
  const draw = () => {
    const laid = data.cases[chosen(form)];
    const look = (cell) => show(root, laid, cell.dataset.index.split(",").map(Number));
    const panels = Object.entries(laid).map(([name, one]) => {
      const words = [`shape (${one.shape.join(", ")})`, `strides (${one.stride.join(", ")})`];
      const title = make("p", {}, make("strong", {}, name), ...words.flatMap((word) => [make("br"), word]));
      return make("div", {}, title, grid(name, one, look));
    });
    root.dataset.variant = form.elements["variant"].value;
    grids.replaceChildren(...panels);
    look(grids.querySelector("[data-index]"));
  };
  form.addEventListener("change", draw);
  root.replaceChildren(form, make("p", { role: "status" }), make("div", { class: "sums" }), grids);
  draw();
}

for (const root of document.querySelectorAll(".stride-explorer")) explore(root);
